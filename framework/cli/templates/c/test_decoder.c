/* Calls the decoder through its table, as the arena does. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "molarena.h"

@check@

static int32_t score(uint64_t columns, const float *vector, uint64_t profile_columns, const float *profiles,
                     float *scores) {
    const MolarenaDecoderFactory *factory = molarena_plugin_v1()->get_factory(text(MOLARENA_DECODER_FACTORY));
    MolarenaHandle decoder = NULL;
    CHECK(factory->create(text("cosine"), text(""), &decoder, NULL) == MOLARENA_OK);
    MolarenaDense z = {vector, columns}, candidates = {profiles, profile_columns};
    MolarenaOutput output = {.struct_size = sizeof(output), .values = scores, .capacity = 2};
    MolarenaCall call = {.struct_size = sizeof(call), .threads = 1};
    int32_t status = factory->score(decoder, 1, &z, 2, &candidates, text("morphology"), &output, &call, NULL);
    CHECK(status != MOLARENA_OK || (output.rows == 1 && output.columns == 2));
    factory->destroy(decoder);
    return status;
}

int main(void) {
    float scores[2];
    /* 0.5 is taken off: (3, 4, 9) against (3, 4, missing) and (4, -3, missing). */
    const float vector[] = {3.5F, 4.5F, 9.5F}, profiles[] = {3.5F, 4.5F, NAN, 4.5F, -2.5F, NAN};
    CHECK(score(3, vector, 3, profiles, scores) == MOLARENA_OK);
    CHECK(scores[0] == 1.0F && scores[1] == 0.0F);
    /* What cannot be compared scores 0. */
    const float nothing[] = {NAN, NAN, NAN, 0.5F, 0.5F, 0.5F};
    CHECK(score(3, vector, 3, nothing, scores) == MOLARENA_OK);
    CHECK(scores[0] == 0.0F && scores[1] == 0.0F);
    CHECK(score(2, vector, 3, profiles, scores) == MOLARENA_ERROR_DATA);
    return failures;
}
