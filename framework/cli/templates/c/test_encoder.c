/* Calls the encoder through its table, as the arena does. */
#include <stdio.h>
#include <string.h>

#include "molarena.h"

@check@

enum { COLUMNS = 15 };

static void encode(const char *smiles, float *counts) {
    const MolarenaEncoderFactory *factory = molarena_plugin_v1()->get_factory(text(MOLARENA_ENCODER_FACTORY));
    MolarenaHandle encoder = NULL;
    CHECK(factory->create(text("element-counts"), text("{}"), &encoder, NULL) == MOLARENA_OK);
    uint64_t shape[2] = {0, 0};
    CHECK(factory->output_shape(encoder, 1, shape, NULL) == MOLARENA_OK && shape[1] == COLUMNS);
    const int64_t offsets[2] = {0, (int64_t)strlen(smiles)};
    MolarenaInputs inputs = {.struct_size = sizeof(inputs), .rows = 1, .smiles = {(const uint8_t *)smiles, offsets}};
    MolarenaOutput output = {.struct_size = sizeof(output), .values = counts, .capacity = COLUMNS};
    MolarenaCall call = {.struct_size = sizeof(call), .threads = 1};
    CHECK(factory->encode(encoder, &inputs, &output, &call, NULL) == MOLARENA_OK);
    CHECK(output.rows == 1 && output.columns == COLUMNS);
    factory->destroy(encoder);
}

static void counts_are(const char *smiles, const float *expected) {
    float counts[COLUMNS];
    encode(smiles, counts);
    CHECK(memcmp(counts, expected, sizeof(counts)) == 0);
}

int main(void) {
    /* C, N, O, F, P, S, Cl, Br, I, others, aromatic atoms, =, #, rings, branches */
    counts_are("Cn1c(=O)c2c(ncn2C)n(C)c1=O", (const float[]){8, 4, 2, 0, 0, 0, 0, 0, 0, 0, 9, 2, 0, 2, 3});
    counts_are("[Na+].[O-]C(=O)[C@@H](Br)C#N", (const float[]){3, 1, 2, 0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 2});
    counts_are("[13CH3][se]%12[nH]Cl%12", (const float[]){1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 2, 0, 0, 1, 0});
    counts_are("", (const float[COLUMNS]){0});

    const MolarenaEncoderFactory *factory = molarena_plugin_v1()->get_factory(text(MOLARENA_ENCODER_FACTORY));
    MolarenaHandle encoder = NULL;
    CHECK(factory->create(text("other"), text("{}"), &encoder, NULL) == MOLARENA_ERROR_INVALID_ARGUMENT);
    CHECK(factory->create(text("element-counts"), text("{\"a\": 1}"), &encoder, NULL) == MOLARENA_ERROR_INVALID_CONFIG);
    return failures;
}
