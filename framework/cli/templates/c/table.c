static MolarenaStr describe(void) {
    MolarenaStr text = {(const uint8_t *)DESCRIPTION, sizeof(DESCRIPTION) - 1};
    return text;
}

static const void *get_factory(MolarenaStr id) { return equals(id, FACTORY_ID) ? &FACTORY : NULL; }

static const MolarenaPlugin PLUGIN = {
    .struct_size = sizeof(MolarenaPlugin),
    .abi_major = MOLARENA_ABI_MAJOR,
    .abi_minor = MOLARENA_ABI_MINOR,
    .describe = describe,
    .get_factory = get_factory,
};

const MolarenaPlugin *molarena_plugin_v1(void) { return &PLUGIN; }
