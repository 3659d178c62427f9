/* A baseline: which of two groups of training molecules a molecule is nearer to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "molarena.h"

#define FACTORY_ID MOLARENA_BASELINE_FACTORY

static const char DESCRIPTION[] =
    "{\"id\": \"@name@\", \"version\": \"0.1.0\", \"licence\": \"MIT\", \"components\": [{"
    "\"kind\": \"baseline\", \"id\": \"nearest-centroid\", "
    "\"summary\": \"Distances to the centroids of low and of high labels\", "
    "\"inputs\": [\"bits\", \"dense\"], \"devices\": [\"cpu\"], \"determinism\": \"bitwise\", \"uses_seed\": false, "
    "\"corpora\": [], \"config_schema\": {\"type\": \"object\", \"properties\": {}, \"additionalProperties\": false}}]}";

/* Added to every distance. */
static const double SMOOTHING = 1.0;

/* For each task there is a group of the molecules below the mean label, and one of the others. `values` has for each task
 * the mean labels of both, then both centroids: tasks x (2 + 2 x columns) values; it is null before `fit`. A task with one
 * group has it twice. */
typedef struct Model {
    uint64_t tasks;
    uint64_t columns;
    float *values;
} Model;

@shared@

static uint64_t columns_of(const MolarenaInputs *inputs) {
    return inputs->dense.values != NULL ? inputs->dense.columns : inputs->bits.n_bits;
}

/* A dense feature, or a bit as 0 or 1. */
static float feature(const MolarenaInputs *inputs, uint64_t row, uint64_t column) {
    if (inputs->dense.values != NULL) return inputs->dense.values[row * inputs->dense.columns + column];
    uint64_t word = inputs->bits.words[row * inputs->bits.words_per_row + column / 64];
    return (float)(word >> (column % 64) & 1);
}

static int has_features(const MolarenaInputs *inputs) {
    return inputs->rows == 0 || inputs->dense.values != NULL || inputs->bits.words != NULL;
}

/* Size of the values of one task. */
static uint64_t task_size(uint64_t columns) { return 2 + 2 * columns; }

static int32_t create(MolarenaStr component, MolarenaStr config, MolarenaHandle *instance, MolarenaError *error) {
    if (instance == NULL) return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null place for the instance");
    if (!equals(component, "nearest-centroid")) {
        return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "the only component here is `nearest-centroid`");
    }
    if (!is_empty_config(config)) {
        return fail(error, MOLARENA_ERROR_INVALID_CONFIG, "`nearest-centroid` takes no configuration");
    }
    *instance = calloc(1, sizeof(Model));
    return *instance != NULL ? MOLARENA_OK : fail(error, MOLARENA_ERROR_OUT_OF_MEMORY, "out of memory");
}

/* Gives the model room for other tasks and columns, all 0; keeps the old ones if there is no memory. */
static int32_t resize(Model *self, uint64_t tasks, uint64_t columns, MolarenaError *error) {
    const uint64_t limit = SIZE_MAX / sizeof(float) / 4;
    int fits = columns < limit && tasks < limit / task_size(columns);
    float *values = fits ? calloc((size_t)(tasks * task_size(columns)) + 1, sizeof(float)) : NULL;
    if (values == NULL) return fail(error, MOLARENA_ERROR_OUT_OF_MEMORY, "out of memory");
    free(self->values);
    *self = (Model){tasks, columns, values};
    return MOLARENA_OK;
}

/* Whether a label is there: a missing one is not a negative. */
static int is_labelled(const MolarenaLabels *labels, uint64_t row, uint64_t task) {
    uint64_t cell = row * labels->tasks + task;
    return labels->valid[cell / 8] >> (cell % 8) & 1;
}

/* Fills the values of one task. */
static void fit_task(const Model *self, const MolarenaInputs *train, const MolarenaLabels *labels, uint64_t task) {
    float *means = self->values + task * task_size(self->columns);
    float *centroids = means + 2;
    double sum = 0, sums[2] = {0, 0};
    uint64_t count = 0, counts[2] = {0, 0};
    for (uint64_t row = 0; row < labels->rows; row++) {
        if (!is_labelled(labels, row, task)) continue;
        sum += labels->values[row * labels->tasks + task];
        count++;
    }
    if (count == 0) {
        means[0] = means[1] = labels->task_kind == MOLARENA_TASK_CLASSIFICATION ? 0.5F : 0.0F;
        return;
    }
    for (uint64_t row = 0; row < labels->rows; row++) {
        if (!is_labelled(labels, row, task)) continue;
        float label = labels->values[row * labels->tasks + task];
        int group = label >= sum / (double)count;
        sums[group] += label;
        counts[group]++;
        float *centroid = centroids + (uint64_t)group * self->columns;
        for (uint64_t column = 0; column < self->columns; column++) centroid[column] += feature(train, row, column);
    }
    for (int group = 0; group < 2; group++) {
        if (counts[group] == 0) continue;
        means[group] = (float)(sums[group] / (double)counts[group]);
        float *centroid = centroids + (uint64_t)group * self->columns;
        for (uint64_t column = 0; column < self->columns; column++) centroid[column] /= (float)counts[group];
    }
    for (int group = 0; group < 2; group++) {
        if (counts[group] != 0) continue;
        means[group] = means[1 - group];
        memcpy(centroids + (uint64_t)group * self->columns, centroids + (uint64_t)(1 - group) * self->columns,
               (size_t)self->columns * sizeof(float));
    }
}

static int32_t fit(MolarenaHandle instance, const MolarenaInputs *train, const MolarenaLabels *train_labels,
                   const MolarenaInputs *valid, const MolarenaLabels *valid_labels, const MolarenaCall *call,
                   MolarenaError *error) {
    Model *self = instance;
    (void)valid, (void)valid_labels; /* for model choice, which this baseline does not need */
    if (self == NULL || train == NULL || train_labels == NULL) {
        return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null argument");
    }
    if (!has_features(train)) {
        return fail(error, MOLARENA_ERROR_UNSUPPORTED, "input `bits` or `dense` is needed, and is not given");
    }
    if (train->rows != train_labels->rows) {
        return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "inputs and labels have different numbers of molecules");
    }
    int32_t status = resize(self, train_labels->tasks, columns_of(train), error);
    for (uint64_t task = 0; status == MOLARENA_OK && task < self->tasks; task++) {
        if (is_cancelled(call)) status = fail(error, MOLARENA_ERROR_CANCELLED, "cancelled by the arena");
        else fit_task(self, train, train_labels, task);
    }
    return status;
}

static int32_t output_shape(MolarenaHandle instance, uint64_t rows, uint64_t *shape, MolarenaError *error) {
    const Model *self = instance;
    if (self == NULL || shape == NULL) return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null argument");
    shape[0] = rows;
    shape[1] = self->tasks;
    return MOLARENA_OK;
}

/* Between the mean labels of both groups, closer to that of the nearer centroid. */
static float predict_one(const Model *self, const MolarenaInputs *inputs, uint64_t row, uint64_t task) {
    const float *means = self->values + task * task_size(self->columns);
    const float *low = means + 2, *high = low + self->columns;
    double to_low = 0, to_high = 0;
    for (uint64_t column = 0; column < self->columns; column++) {
        double x = feature(inputs, row, column);
        to_low += (x - low[column]) * (x - low[column]);
        to_high += (x - high[column]) * (x - high[column]);
    }
    to_low = sqrt(to_low) + SMOOTHING;
    to_high = sqrt(to_high) + SMOOTHING;
    return (float)((to_high * means[0] + to_low * means[1]) / (to_low + to_high));
}

static int32_t predict(MolarenaHandle instance, const MolarenaInputs *inputs, MolarenaOutput *output,
                       const MolarenaCall *call, MolarenaError *error) {
    const Model *self = instance;
    if (self == NULL || inputs == NULL || output == NULL) {
        return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null argument");
    }
    if (self->values == NULL) return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "predict comes after fit");
    if (!has_features(inputs)) {
        return fail(error, MOLARENA_ERROR_UNSUPPORTED, "input `bits` or `dense` is needed, and is not given");
    }
    if (inputs->rows > 0 && columns_of(inputs) != self->columns) {
        return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "the inputs have another number of columns than in fit");
    }
    output->rows = inputs->rows;
    output->columns = self->tasks;
    if (self->tasks == 0 || inputs->rows > output->capacity / self->tasks) return MOLARENA_OK; /* no value fits */
    for (uint64_t row = 0; row < inputs->rows; row++) {
        if (is_cancelled(call)) return fail(error, MOLARENA_ERROR_CANCELLED, "cancelled by the arena");
        for (uint64_t task = 0; task < self->tasks; task++) {
            output->values[row * self->tasks + task] = predict_one(self, inputs, row, task);
        }
    }
    return MOLARENA_OK;
}

/* A state is this mark, the numbers of tasks and columns, and the values. */
static const char MARK[8] = {'c', 'e', 'n', 't', 'r', 'o', 'i', '1'};
enum { HEAD = sizeof(MARK) + 2 * sizeof(uint64_t) };

static void release_blob(MolarenaBlob *blob) {
    free(blob->private_data);
    blob->private_data = NULL;
}

static int32_t save(MolarenaHandle instance, MolarenaBlob *blob, MolarenaError *error) {
    const Model *self = instance;
    if (self == NULL || blob == NULL) return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null argument");
    if (self->values == NULL) return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "save comes after fit");
    size_t bytes = (size_t)(self->tasks * task_size(self->columns)) * sizeof(float);
    uint8_t *copy = malloc(HEAD + bytes);
    if (copy == NULL) return fail(error, MOLARENA_ERROR_OUT_OF_MEMORY, "out of memory");
    const uint64_t sizes[2] = {self->tasks, self->columns};
    memcpy(copy, MARK, sizeof(MARK));
    memcpy(copy + sizeof(MARK), sizes, sizeof(sizes));
    memcpy(copy + HEAD, self->values, bytes);
    blob->data = copy;
    blob->len = HEAD + bytes;
    blob->release = release_blob;
    blob->private_data = copy;
    return MOLARENA_OK;
}

static int32_t load(MolarenaHandle instance, const uint8_t *data, uint64_t len, MolarenaError *error) {
    Model *self = instance;
    if (self == NULL || data == NULL || len < HEAD || memcmp(data, MARK, sizeof(MARK)) != 0) {
        return fail(error, MOLARENA_ERROR_DATA, "the state is not one of `nearest-centroid`");
    }
    uint64_t sizes[2], values = (len - HEAD) / sizeof(float);
    memcpy(sizes, data + sizeof(MARK), sizeof(sizes));
    if (len % sizeof(float) != 0 || sizes[0] == 0 || values % sizes[0] != 0 || sizes[1] > values ||
        values / sizes[0] != task_size(sizes[1])) {
        return fail(error, MOLARENA_ERROR_DATA, "the state of `nearest-centroid` is damaged");
    }
    int32_t status = resize(self, sizes[0], sizes[1], error);
    if (status == MOLARENA_OK) memcpy(self->values, data + HEAD, (size_t)(len - HEAD));
    return status;
}

static void destroy(MolarenaHandle instance) {
    Model *self = instance;
    if (self != NULL) free(self->values);
    free(self);
}

static const MolarenaBaselineFactory FACTORY = {
    .struct_size = sizeof(MolarenaBaselineFactory),
    .create = create,
    .fit = fit,
    .output_shape = output_shape,
    .predict = predict,
    .save = save,
    .load = load,
    .destroy = destroy,
};

@table@
