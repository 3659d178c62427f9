/* A decoder: how similar predicted and measured profiles are. */
#include <math.h>
#include <string.h>

#include "molarena.h"

#define FACTORY_ID MOLARENA_DECODER_FACTORY

static const char DESCRIPTION[] =
    "{\"id\": \"@name@\", \"version\": \"0.1.0\", \"licence\": \"MIT\", \"components\": [{"
    "\"kind\": \"decoder\", \"id\": \"cosine\", "
    "\"summary\": \"Cosine similarity to a predicted profile, over the values that were measured\", "
    "\"inputs\": [\"dense\"], \"devices\": [\"cpu\"], \"determinism\": \"bitwise\", \"uses_seed\": false, "
    "\"corpora\": [], \"config_schema\": {\"type\": \"object\", \"properties\": {}, \"additionalProperties\": false}}]}";

/* Taken off every value first: profiles are scaled to [0, 1]. */
static const double CENTRE = 0.5;

@shared@

/* Cosine over the values that the profile has; 0 if one of them is all zeros there. */
static float cosine(const float *vector, const float *profile, uint64_t columns) {
    double product = 0, of_vector = 0, of_profile = 0;
    for (uint64_t i = 0; i < columns; i++) {
        if (isnan(profile[i])) continue; /* not measured */
        double one = vector[i] - CENTRE, other = profile[i] - CENTRE;
        product += one * other;
        of_vector += one * one;
        of_profile += other * other;
    }
    double lengths = sqrt(of_vector * of_profile);
    return lengths > 0 ? (float)(product / lengths) : 0.0F;
}

/* Nothing differs between instances, so all are this one. */
static char the_instance;

static int32_t create(MolarenaStr component, MolarenaStr config, MolarenaHandle *instance, MolarenaError *error) {
    if (instance == NULL) return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null place for the instance");
    if (!equals(component, "cosine")) {
        return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "the only component here is `cosine`");
    }
    if (!is_empty_config(config)) {
        return fail(error, MOLARENA_ERROR_INVALID_CONFIG, "`cosine` takes no configuration");
    }
    *instance = &the_instance;
    return MOLARENA_OK;
}

static int32_t score(MolarenaHandle instance, uint64_t rows, const MolarenaDense *z, uint64_t candidate_rows,
                     const MolarenaDense *candidates, MolarenaStr space, MolarenaOutput *output,
                     const MolarenaCall *call, MolarenaError *error) {
    (void)instance, (void)space;
    if (z == NULL || candidates == NULL || output == NULL) {
        return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null argument");
    }
    if (z->columns != candidates->columns) {
        return fail(error, MOLARENA_ERROR_DATA,
                    "the vectors are not as wide as the profiles: this decoder is for encoders that predict the profile itself");
    }
    output->rows = rows;
    output->columns = candidate_rows;
    if (candidate_rows == 0 || rows > output->capacity / candidate_rows) return MOLARENA_OK; /* no value fits */
    for (uint64_t row = 0; row < rows; row++) {
        if (is_cancelled(call)) return fail(error, MOLARENA_ERROR_CANCELLED, "cancelled by the arena");
        for (uint64_t candidate = 0; candidate < candidate_rows; candidate++) {
            const float *vector = z->values + row * z->columns;
            const float *profile = candidates->values + candidate * z->columns;
            output->values[row * candidate_rows + candidate] = cosine(vector, profile, z->columns);
        }
    }
    return MOLARENA_OK;
}

static void destroy(MolarenaHandle instance) { (void)instance; }

/* Without `output_shape` and `decode`, because it makes no profiles, and without `save` and `load`: it has no state. */
static const MolarenaDecoderFactory FACTORY = {
    .struct_size = sizeof(MolarenaDecoderFactory),
    .create = create,
    .score = score,
    .destroy = destroy,
};

@table@
