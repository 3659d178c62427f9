/* An encoder: from SMILES to counts. */
#include <ctype.h>
#include <string.h>

#include "molarena.h"

#define FACTORY_ID MOLARENA_ENCODER_FACTORY

static const char DESCRIPTION[] =
    "{\"id\": \"@name@\", \"version\": \"0.1.0\", \"licence\": \"MIT\", \"components\": [{"
    "\"kind\": \"encoder\", \"id\": \"element-counts\", "
    "\"summary\": \"Counts of elements, bonds and rings in the SMILES\", "
    "\"inputs\": [\"smiles\"], \"devices\": [\"cpu\"], \"determinism\": \"bitwise\", \"uses_seed\": false, "
    "\"corpora\": [], \"config_schema\": {\"type\": \"object\", \"properties\": {}, \"additionalProperties\": false}}]}";

/* The first columns are of these elements, one each; then come other atoms, aromatic atoms, double and triple bonds,
 * rings and branches. */
static const char *const ELEMENTS[] = {"C", "N", "O", "F", "P", "S", "Cl", "Br", "I"};
enum { OTHER = sizeof(ELEMENTS) / sizeof(ELEMENTS[0]), AROMATIC, DOUBLE, TRIPLE, RINGS, BRANCHES, COLUMNS };

@shared@

/* Adds an atom whose symbol has `length` letters, 1 or 2; a small first letter says that it is aromatic. */
static void count_atom(const char *symbol, size_t length, float *counts) {
    const char name[3] = {(char)toupper((unsigned char)symbol[0]), length == 2 ? symbol[1] : '\0', '\0'};
    size_t element = 0;
    while (element < OTHER && strcmp(ELEMENTS[element], name) != 0) element++;
    counts[element]++;
    if (islower((unsigned char)symbol[0])) counts[AROMATIC]++;
}

/* Length of the symbol at the start of `text`: of an atom in brackets, such as [nH], [se] or [Na+], or of one without. */
static size_t symbol_length(const char *text, size_t length, int in_brackets) {
    if (length < 2) return 1;
    if (in_brackets && isupper((unsigned char)text[0])) return islower((unsigned char)text[1]) ? 2 : 1;
    const char *const pairs[] = {"Cl", "Br", "se", "as", "te"};
    for (size_t i = 0; i < (in_brackets ? 5 : 2); i++) {
        if (memcmp(text, pairs[i], 2) == 0) return 2;
    }
    return 1;
}

/* Adds what one SMILES has. */
static void count(const char *smiles, size_t length, float *counts) {
    unsigned closures = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)smiles[i];
        if (c == '[') {
            i++;
            while (i < length && isdigit((unsigned char)smiles[i])) i++; /* an isotope */
            if (i < length) count_atom(smiles + i, symbol_length(smiles + i, length - i, 1), counts);
            while (i < length && smiles[i] != ']') i++;
        } else if (memchr("BCNOPSFIbcnops*", c, 15) != NULL) {
            size_t letters = symbol_length(smiles + i, length - i, 0);
            count_atom(smiles + i, letters, counts);
            i += letters - 1;
        } else if (c == '%') {
            closures++;
            i += 2;
        } else {
            closures += isdigit(c) != 0;
            counts[DOUBLE] += c == '=';
            counts[TRIPLE] += c == '#';
            counts[BRANCHES] += c == '(';
        }
    }
    counts[RINGS] += (float)(closures / 2);
}

/* Nothing differs between instances, so all are this one. */
static char the_instance;

static int32_t create(MolarenaStr component, MolarenaStr config, MolarenaHandle *instance, MolarenaError *error) {
    if (instance == NULL) return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null place for the instance");
    if (!equals(component, "element-counts")) {
        return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "the only component here is `element-counts`");
    }
    if (!is_empty_config(config)) {
        return fail(error, MOLARENA_ERROR_INVALID_CONFIG, "`element-counts` takes no configuration");
    }
    *instance = &the_instance;
    return MOLARENA_OK;
}

static int32_t output_shape(MolarenaHandle instance, uint64_t rows, uint64_t *shape, MolarenaError *error) {
    (void)instance;
    if (shape == NULL) return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null argument");
    shape[0] = rows;
    shape[1] = COLUMNS;
    return MOLARENA_OK;
}

static int32_t encode(MolarenaHandle instance, const MolarenaInputs *inputs, MolarenaOutput *output,
                      const MolarenaCall *call, MolarenaError *error) {
    (void)instance;
    if (inputs == NULL || output == NULL) return fail(error, MOLARENA_ERROR_INVALID_ARGUMENT, "null argument");
    const MolarenaSmiles *smiles = &inputs->smiles;
    if (inputs->rows > 0 && (smiles->offsets == NULL || smiles->bytes == NULL)) {
        return fail(error, MOLARENA_ERROR_UNSUPPORTED, "input `smiles` is needed, and is not given");
    }
    output->rows = inputs->rows;
    output->columns = COLUMNS;
    if (inputs->rows > output->capacity / COLUMNS) return MOLARENA_OK; /* no value is written if not all fit */
    for (uint64_t row = 0; row < inputs->rows; row++) {
        if (is_cancelled(call)) return fail(error, MOLARENA_ERROR_CANCELLED, "cancelled by the arena");
        float *counts = output->values + row * COLUMNS;
        for (size_t column = 0; column < COLUMNS; column++) counts[column] = 0;
        int64_t start = smiles->offsets[row], end = smiles->offsets[row + 1];
        count((const char *)smiles->bytes + start, (size_t)(end - start), counts);
    }
    return MOLARENA_OK;
}

static void destroy(MolarenaHandle instance) { (void)instance; }

/* Without `fit`, `save` and `load`: it is not trained. */
static const MolarenaEncoderFactory FACTORY = {
    .struct_size = sizeof(MolarenaEncoderFactory),
    .create = create,
    .output_shape = output_shape,
    .encode = encode,
    .destroy = destroy,
};

@table@
