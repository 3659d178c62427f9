/* Calls the baseline through its table, as the arena does. */
#include <stdio.h>
#include <string.h>

#include "molarena.h"

@check@

static const MolarenaBaselineFactory *factory;
static const MolarenaCall CALL = {.struct_size = sizeof(MolarenaCall), .threads = 1};
/* Four molecules with one feature. */
static const float X[] = {0, 1, 9, 10};
static const MolarenaInputs MOLECULES = {.struct_size = sizeof(MolarenaInputs), .rows = 4, .dense = {X, 1}};

static MolarenaHandle created(void) {
    MolarenaHandle baseline = NULL;
    CHECK(factory->create(text("nearest-centroid"), text("{}"), &baseline, NULL) == MOLARENA_OK);
    return baseline;
}

/* A baseline that is fitted to `tasks` tasks; bit i of `valid` says whether label i is there. */
static MolarenaHandle fitted(uint32_t kind, uint64_t tasks, const float *labels, const uint8_t *valid) {
    MolarenaHandle baseline = created();
    MolarenaLabels y = {.struct_size = sizeof(y), .task_kind = kind, .rows = 4, .tasks = tasks};
    y.values = labels;
    y.valid = valid;
    CHECK(factory->fit(baseline, &MOLECULES, &y, &MOLECULES, &y, &CALL, NULL) == MOLARENA_OK);
    return baseline;
}

static int32_t predict(MolarenaHandle baseline, const MolarenaInputs *inputs, float *values) {
    MolarenaOutput output = {.struct_size = sizeof(output), .values = values, .capacity = 8};
    return factory->predict(baseline, inputs, &output, &CALL, NULL);
}

int main(void) {
    factory = molarena_plugin_v1()->get_factory(text(MOLARENA_BASELINE_FACTORY));
    float values[8];

    /* Centroids 0.5 and 9.5: the first molecule is 0.5 and 9.5 away, each + 1. */
    const float classes[] = {0, 0, 1, 1};
    MolarenaHandle baseline = fitted(MOLARENA_TASK_CLASSIFICATION, 1, classes, (const uint8_t[]){0x0F});
    CHECK(predict(baseline, &MOLECULES, values) == MOLARENA_OK);
    CHECK(values[0] == 1.5F / 12.0F && values[0] < values[1] && values[1] < values[2] && values[2] < values[3]);

    /* A saved model predicts the same; a damaged one is refused. */
    MolarenaBlob blob = {.struct_size = sizeof(blob)};
    CHECK(factory->save(baseline, &blob, NULL) == MOLARENA_OK);
    MolarenaHandle other = created();
    float again[8];
    CHECK(predict(other, &MOLECULES, again) == MOLARENA_ERROR_INVALID_ARGUMENT);
    CHECK(factory->load(other, blob.data, blob.len - 1, NULL) == MOLARENA_ERROR_DATA);
    CHECK(factory->load(other, blob.data, blob.len, NULL) == MOLARENA_OK);
    CHECK(predict(other, &MOLECULES, again) == MOLARENA_OK && memcmp(values, again, 4 * sizeof(float)) == 0);
    blob.release(&blob);
    factory->destroy(other);

    /* The same molecules as bits have another number of columns. */
    const uint64_t words[4] = {0, 1, 2, 3};
    const MolarenaInputs bits = {.struct_size = sizeof(bits), .rows = 4, .bits = {words, 2, 1}};
    CHECK(predict(baseline, &bits, again) == MOLARENA_ERROR_INVALID_ARGUMENT);
    factory->destroy(baseline);

    /* Missing labels are not negatives: the first task has only two labels, both 1, the second one none. */
    const float gaps[] = {0, 0, 0, 0, 1, 0, 1, 0};
    baseline = fitted(MOLARENA_TASK_CLASSIFICATION, 2, gaps, (const uint8_t[]){0x50});
    CHECK(predict(baseline, &MOLECULES, values) == MOLARENA_OK);
    for (int row = 0; row < 4; row++) CHECK(values[2 * row] == 1.0F && values[2 * row + 1] == 0.5F);
    factory->destroy(baseline);
    return failures;
}
