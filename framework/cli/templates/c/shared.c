/* Fills `error` with a message that lives as long as the process, so that there is nothing to release. */
static int32_t fail(MolarenaError *error, int32_t code, const char *message) {
    if (error != NULL) {
        error->code = code;
        error->message = (const uint8_t *)message;
        error->message_len = strlen(message);
        error->release = NULL;
    }
    return code;
}

static int equals(MolarenaStr text, const char *other) {
    return text.len == strlen(other) && memcmp(text.data, other, (size_t)text.len) == 0;
}

/* Whether `config` is an empty JSON object or no text at all: there is nothing to configure here. */
static int is_empty_config(MolarenaStr config) {
    char kept[3] = {0};
    size_t count = 0;
    for (uint64_t i = 0; i < config.len; i++) {
        if (memchr(" \t\r\n", config.data[i], 4) != NULL) continue;
        if (count == 2) return 0;
        kept[count++] = (char)config.data[i];
    }
    return count == 0 || strcmp(kept, "{}") == 0;
}

static int is_cancelled(const MolarenaCall *call) {
    return call != NULL && call->cancelled != NULL && call->cancelled(call->context) != 0;
}
