/*
 * The molarena plugin ABI: hand-written `repr(C)` tables, status codes and layout asserts.
 *
 * A plugin is a shared library that exports one symbol, `MOLARENA_ENTRY_SYMBOL`. It returns a `MolarenaPlugin`,
 * whose `get_factory` hands out the factories of the three kinds of component: encoders, decoders and
 * baselines. `include/molarena.h` is generated from this crate.
 *
 * # Rules
 *
 * - The ABI has its own version, never a crate's. Another `MOLARENA_ABI_MAJOR` is refused before anything else is
 *   read. Each side reads a struct only inside `min(own size, struct_size)`; fields are appended, never moved.
 * - A struct without a `struct_size` field is frozen for this major.
 * - Inputs are borrowed, read-only and valid until the call returns. Outputs go into a buffer of the arena.
 * - Every function returns a status (`MOLARENA_OK` or one of `MOLARENA_ERROR_*`) and, on failure, fills the
 *   `MolarenaError` that the caller passed (zeroed, with `struct_size` set). The caller copies the message and
 *   calls `release` at once.
 * - An instance is used by one thread at a time, on any thread. Factory functions are thread-safe.
 * - No bool, enum, bitfield or Rust type crosses.
 * - An extension is asked for by its string id and is null where it is unknown. It needs no minor version: the number at the
 *   end of its id is its own, and its table grows like any other.
 */

#ifndef MOLARENA_H
#define MOLARENA_H

/* Generated from framework/abi by `cargo xtask header`. Do not edit. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Name of the one symbol that a plugin exports: a function of type `MolarenaEntry`.
#define MOLARENA_ENTRY_SYMBOL "molarena_plugin_v1"

// Factory id of encoders, for `get_factory`: a `MolarenaEncoderFactory`.
#define MOLARENA_ENCODER_FACTORY "molarena.encoder/1"

// Factory id of decoders, for `get_factory`: a `MolarenaDecoderFactory`.
#define MOLARENA_DECODER_FACTORY "molarena.decoder/1"

// Factory id of baselines, for `get_factory`: a `MolarenaBaselineFactory`.
#define MOLARENA_BASELINE_FACTORY "molarena.baseline/1"

// Extension id of fine-tuning, for `get_extension` of a `MolarenaEncoderFactory`: a `MolarenaFineTune`.
#define MOLARENA_ENCODER_FINETUNE "molarena.encoder.finetune/1"

// Major version of the ABI. A library with another major is refused before anything else is read.
#define MOLARENA_ABI_MAJOR 1

// Minor version of the ABI. It grows when a field or a function is appended. 1: `folder` of `MolarenaCall`. 2:
// `batches` and `cell_counts` of `MolarenaProfiles`.
#define MOLARENA_ABI_MINOR 2

// Success.
#define MOLARENA_OK 0

// An argument is null, has the wrong shape, or comes in the wrong order (predict before fit).
#define MOLARENA_ERROR_INVALID_ARGUMENT 1

// The configuration is not what the component's schema says.
#define MOLARENA_ERROR_INVALID_CONFIG 2

// The component does not offer this (an input kind, a device, save).
#define MOLARENA_ERROR_UNSUPPORTED 3

// The data cannot be used (no labels at all, a column of missing values).
#define MOLARENA_ERROR_DATA 4

// A file or device could not be read or written.
#define MOLARENA_ERROR_IO 5

// The call ended because `cancelled` said so.
#define MOLARENA_ERROR_CANCELLED 6

// Memory ran out.
#define MOLARENA_ERROR_OUT_OF_MEMORY 7

// A fault of the plugin.
#define MOLARENA_ERROR_INTERNAL 8

// The plugin panicked; the instance is poisoned.
#define MOLARENA_ERROR_PANIC 9

// An earlier call on this instance panicked; only `destroy` is left.
#define MOLARENA_ERROR_POISONED 10

// Labels are 0 or 1.
#define MOLARENA_TASK_CLASSIFICATION 0

// Labels are real numbers.
#define MOLARENA_TASK_REGRESSION 1

// A molecule node of a context graph.
#define MOLARENA_NODE_MOLECULE 0

// A gene node of a context graph.
#define MOLARENA_NODE_GENE 1

// A cell-morphology node of a context graph.
#define MOLARENA_NODE_MORPHOLOGY 2

// A gene-expression node of a context graph.
#define MOLARENA_NODE_EXPRESSION 3

// Columns of an atom's feature row in `MolarenaGraphs` (Open Graph Benchmark).
#define MOLARENA_ATOM_FEATURES 9

// Columns of a bond's feature row in `MolarenaGraphs` (Open Graph Benchmark).
#define MOLARENA_BOND_FEATURES 3

// Borrowed UTF-8 text, not terminated by a zero. Frozen.
typedef struct MolarenaStr {
    // First byte; may be null when `len` is 0.
    const uint8_t *data;
    // Length in bytes.
    uint64_t len;
} MolarenaStr;

// Returns an optional interface by its id, or null.
typedef const void *(*MolarenaGetExtension)(struct MolarenaStr id);

// The host's side: what a plugin may ask of the arena.
typedef struct MolarenaHost {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // The host's `MOLARENA_ABI_MAJOR`.
    uint32_t abi_major;
    // The host's `MOLARENA_ABI_MINOR`.
    uint32_t abi_minor;
    // Zero.
    uint32_t reserved;
    // Optional interfaces of the host by id, or null.
    MolarenaGetExtension get_extension;
} MolarenaHost;

// What went wrong. The caller zeroes it and sets `struct_size`; the callee fills it when it returns a failure.
typedef struct MolarenaError {
    // Size of this struct in bytes, as the caller knows it.
    uint32_t struct_size;
    // The status that the function also returns.
    int32_t code;
    // UTF-8 text, owned by the callee until `release`.
    const uint8_t *message;
    // Length of `message` in bytes.
    uint64_t message_len;
    // Frees the message; null when there is nothing to free. Called once, by the caller.
    void (*release)(struct MolarenaError *error);
    // The callee's own.
    void *private_data;
} MolarenaError;

// The plugin's side: the table that the entry symbol returns.
typedef struct MolarenaPlugin {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // The plugin's `MOLARENA_ABI_MAJOR`; read before anything else.
    uint32_t abi_major;
    // The plugin's `MOLARENA_ABI_MINOR`.
    uint32_t abi_minor;
    // Zero.
    uint32_t reserved;
    // Called once before any factory is used. May be null.
    int32_t (*init)(const struct MolarenaHost *host, struct MolarenaError *error);
    // Called once at the end of an orderly process. May be null.
    void (*deinit)(void);
    // JSON text that lives as long as the process: id, version, licence and components (see the sdk's
    // `PluginDescription`).
    struct MolarenaStr (*describe)(void);
    // A factory table by id (`molarena.encoder/1`, ...), or null.
    const void *(*get_factory)(struct MolarenaStr id);
} MolarenaPlugin;

// An instance of a component; opaque to the arena.
typedef void *MolarenaHandle;

// Makes an instance of `component` from its JSON configuration.
typedef int32_t (*MolarenaCreate)(struct MolarenaStr component,
                                  struct MolarenaStr config,
                                  MolarenaHandle *instance,
                                  struct MolarenaError *error);

// SMILES of n molecules: molecule i is `bytes[offsets[i]..offsets[i + 1]]`. Frozen.
typedef struct MolarenaSmiles {
    // UTF-8 bytes of all SMILES, one after the other; null when absent.
    const uint8_t *bytes;
    // n + 1 offsets into `bytes`; null when absent.
    const int64_t *offsets;
} MolarenaSmiles;

// Packed fingerprint bits, row-major: bit b of a row is `words[b / 64] >> (b % 64) & 1`. Frozen.
typedef struct MolarenaBits {
    // n x `words_per_row` words; null when absent.
    const uint64_t *words;
    // Bits in a row.
    uint64_t n_bits;
    // Words in a row; bits above `n_bits` are 0.
    uint64_t words_per_row;
} MolarenaBits;

// Dense features, `f32[n, columns]`, row-major. Frozen.
typedef struct MolarenaDense {
    // n x `columns` values; null when absent.
    const float *values;
    // Columns of a row.
    uint64_t columns;
} MolarenaDense;

// Molecular graphs in compressed rows: atoms of molecule i are `atom_offsets[i]..atom_offsets[i + 1]`. Frozen.
typedef struct MolarenaGraphs {
    // n + 1 offsets into the atom rows; null when absent.
    const int64_t *atom_offsets;
    // n + 1 offsets into the bond rows.
    const int64_t *bond_offsets;
    // `i8[atoms, 9]`: indices of the Open Graph Benchmark's atom features.
    const int8_t *atom_features;
    // `u32[bonds, 2]`: atom numbers inside the molecule; each bond once.
    const uint32_t *bond_index;
    // `i8[bonds, 3]`: indices of the Open Graph Benchmark's bond features.
    const int8_t *bond_features;
} MolarenaGraphs;

// Molecules as the component asked for them; a member whose pointers are null is absent.
typedef struct MolarenaInputs {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Number of molecules n.
    uint64_t rows;
    // SMILES.
    struct MolarenaSmiles smiles;
    // Packed fingerprints.
    struct MolarenaBits bits;
    // Dense features.
    struct MolarenaDense dense;
    // Molecular graphs.
    struct MolarenaGraphs graphs;
} MolarenaInputs;

// Labels of training or validation molecules. No call carries test labels.
typedef struct MolarenaLabels {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // `MOLARENA_TASK_CLASSIFICATION` or `MOLARENA_TASK_REGRESSION`.
    uint32_t task_kind;
    // Number of molecules n.
    uint64_t rows;
    // Number of tasks t.
    uint64_t tasks;
    // `f32[n, t]`, row-major; 0 where missing.
    const float *values;
    // Bit i of this bitmap (`valid[i / 8] >> (i % 8) & 1`) says whether `values[i]` is there.
    const uint8_t *valid;
} MolarenaLabels;

// What comes with each long call: seed, device, thread budget, progress, cancellation and a folder.
typedef struct MolarenaCall {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // How many threads the call may use; at least 1.
    uint32_t threads;
    // Seed of every random choice in the call.
    uint64_t seed;
    // Device name, such as `cpu` or `cuda:0`.
    struct MolarenaStr device;
    // Passed back to `progress` and `cancelled`.
    void *context;
    // Reports the share done (0 to 1) and a short text. May be null. Any thread may call it.
    void (*progress)(void *context, double fraction, struct MolarenaStr message);
    // Non-zero when the call should end soon. May be null. Any thread may call it.
    int32_t (*cancelled)(void *context);
    // A folder that outlives the call, for checkpoints and logs; empty: none. Since ABI 1.1.
    struct MolarenaStr folder;
} MolarenaCall;

// Learns from training molecules; validation molecules serve model choice only and may have 0 rows.
typedef int32_t (*MolarenaFit)(MolarenaHandle instance,
                               const struct MolarenaInputs *train,
                               const struct MolarenaLabels *train_labels,
                               const struct MolarenaInputs *valid,
                               const struct MolarenaLabels *valid_labels,
                               const struct MolarenaCall *call,
                               struct MolarenaError *error);

// Writes the shape of the output for `rows` molecules to `shape`: rows, columns.
typedef int32_t (*MolarenaOutputShape)(MolarenaHandle instance,
                                       uint64_t rows,
                                       uint64_t *shape,
                                       struct MolarenaError *error);

// A buffer of the arena that the component fills with `f32[rows, columns]`, row-major.
//
// The component sets `rows` and `columns` to what it produced. When that does not fit into `capacity` it writes
// no value; the arena reports the wrong shape.
typedef struct MolarenaOutput {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Room for `capacity` values.
    float *values;
    // Number of values that fit.
    uint64_t capacity;
    // Rows produced; set by the component.
    uint64_t rows;
    // Columns produced; set by the component.
    uint64_t columns;
} MolarenaOutput;

// Turns molecules into a matrix, which it writes to `output`.
typedef int32_t (*MolarenaApply)(MolarenaHandle instance,
                                 const struct MolarenaInputs *inputs,
                                 struct MolarenaOutput *output,
                                 const struct MolarenaCall *call,
                                 struct MolarenaError *error);

// Bytes owned by the side that made them, until `release`.
typedef struct MolarenaBlob {
    // Size of this struct in bytes; set by the caller.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // First byte.
    const uint8_t *data;
    // Length in bytes.
    uint64_t len;
    // Frees the bytes. Called once; null means nothing to free.
    void (*release)(struct MolarenaBlob *blob);
    // The maker's own.
    void *private_data;
} MolarenaBlob;

// Saves an instance's state into a blob.
typedef int32_t (*MolarenaSave)(MolarenaHandle instance,
                                struct MolarenaBlob *blob,
                                struct MolarenaError *error);

// Restores an instance's state from bytes that `save` made.
typedef int32_t (*MolarenaLoad)(MolarenaHandle instance,
                                const uint8_t *data,
                                uint64_t len,
                                struct MolarenaError *error);

// Frees an instance. The only call that a poisoned instance still takes.
typedef void (*MolarenaDestroy)(MolarenaHandle instance);

// Factory of baselines: predictors on top of features or of an encoder.
typedef struct MolarenaBaselineFactory {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Makes an instance.
    MolarenaCreate create;
    // Learns from training molecules; validation molecules serve model choice only and may have 0 rows.
    MolarenaFit fit;
    // Shape of `predict`'s output for `rows` molecules: rows, tasks.
    MolarenaOutputShape output_shape;
    // Predicts `f32[rows, tasks]`: probabilities of class 1, or values in the labels' units.
    MolarenaApply predict;
    // Saves the fitted state.
    MolarenaSave save;
    // Restores a fitted state.
    MolarenaLoad load;
    // Frees an instance.
    MolarenaDestroy destroy;
    // Optional interfaces by id, or null.
    MolarenaGetExtension get_extension;
} MolarenaBaselineFactory;

// One feature space of a context graph and the nodes that have a vector in it.
typedef struct MolarenaProfiles {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // Node kind of the rows (`MOLARENA_NODE_*`).
    uint32_t node_kind;
    // Name of the space, such as `expression` or `morphology-jump`.
    struct MolarenaStr space;
    // Rows.
    uint64_t rows;
    // Columns.
    uint64_t columns;
    // `u64[rows]`: the node that each row belongs to.
    const uint64_t *nodes;
    // `f32[rows, columns]`, row-major; NaN where a value is missing.
    const float *values;
    // `u32[rows]`: number of the batch in which each row was measured, or null if batches are not known. Since minor
    // version 2.
    const uint32_t *batches;
    // `f32[rows]`: number of cells behind each row, NaN where it is not known, or null if none is. Since minor version 2.
    const float *cell_counts;
} MolarenaProfiles;

// A context graph: what an encoder is pretrained on. Edges are undirected and listed once.
typedef struct MolarenaCorpus {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Number of nodes.
    uint64_t nodes;
    // `u8[nodes]`: `MOLARENA_NODE_*`.
    const uint8_t *node_kinds;
    // The molecules, in the order of `molecule_nodes`.
    const struct MolarenaInputs *molecules;
    // `u64[molecules->rows]`: node of each molecule.
    const uint64_t *molecule_nodes;
    // Number of feature spaces.
    uint64_t space_count;
    // `space_count` pointers.
    const struct MolarenaProfiles *const *spaces;
    // Number of edges.
    uint64_t edges;
    // `u64[edges]`: first node of each edge.
    const uint64_t *edge_sources;
    // `u64[edges]`: second node of each edge.
    const uint64_t *edge_targets;
    // `f32[edges]`: weight of each edge, in [0, 1].
    const float *edge_weights;
} MolarenaCorpus;

// Factory of encoders: molecules to vectors.
typedef struct MolarenaEncoderFactory {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Makes an instance.
    MolarenaCreate create;
    // Pretrains on a context graph. May be null: the encoder is not trained.
    int32_t (*fit)(MolarenaHandle instance,
                   const struct MolarenaCorpus *corpus,
                   const struct MolarenaCall *call,
                   struct MolarenaError *error);
    // Shape of `encode`'s output for `rows` molecules: rows, width.
    MolarenaOutputShape output_shape;
    // Encodes molecules to `f32[rows, width]`.
    MolarenaApply encode;
    // Saves the trained state.
    MolarenaSave save;
    // Restores a trained state.
    MolarenaLoad load;
    // Frees an instance.
    MolarenaDestroy destroy;
    // Optional interfaces by id, or null.
    MolarenaGetExtension get_extension;
} MolarenaEncoderFactory;

// Factory of decoders: vectors to profiles of a feature space.
typedef struct MolarenaDecoderFactory {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Makes an instance.
    MolarenaCreate create;
    // Shape of `decode`'s output for `rows` vectors: rows, columns of `space`.
    int32_t (*output_shape)(MolarenaHandle instance,
                            struct MolarenaStr space,
                            uint64_t rows,
                            uint64_t *shape,
                            struct MolarenaError *error);
    // Decodes z, `f32[rows, d]`, to f32[rows, columns of `space`.
    int32_t (*decode)(MolarenaHandle instance,
                      uint64_t rows,
                      const struct MolarenaDense *z,
                      struct MolarenaStr space,
                      struct MolarenaOutput *output,
                      const struct MolarenaCall *call,
                      struct MolarenaError *error);
    // Scores each candidate for each z: `f32[rows, candidates]`, a log-likelihood or a similarity.
    int32_t (*score)(MolarenaHandle instance,
                     uint64_t rows,
                     const struct MolarenaDense *z,
                     uint64_t candidate_rows,
                     const struct MolarenaDense *candidates,
                     struct MolarenaStr space,
                     struct MolarenaOutput *output,
                     const struct MolarenaCall *call,
                     struct MolarenaError *error);
    // Saves the trained state.
    MolarenaSave save;
    // Restores a trained state.
    MolarenaLoad load;
    // Frees an instance.
    MolarenaDestroy destroy;
    // Optional interfaces by id, or null.
    MolarenaGetExtension get_extension;
} MolarenaDecoderFactory;

// Extension of encoders, `molarena.encoder.finetune/1`: models that train the encoder end to end with a head on labels. It
// comes from `get_extension` of a `MolarenaEncoderFactory`.
//
// A model is used like a baseline whose inputs are the encoder's own molecules. It starts from the state that the encoder has
// when `create` is called, and does not need the encoder afterwards. The description of an encoder that offers this has a
// member `finetune` with the `config_schema` of `config`.
typedef struct MolarenaFineTune {
    // Size of this struct in bytes.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Makes a model from an instance of the encoder. `config` is JSON: the head and its training. It must succeed for an
    // encoder without state: `fit` says that one is missing, and `load` restores everything that `predict` needs.
    int32_t (*create)(MolarenaHandle encoder,
                      struct MolarenaStr config,
                      MolarenaHandle *instance,
                      struct MolarenaError *error);
    // Trains encoder and head.
    MolarenaFit fit;
    // Shape of `predict`'s output for `rows` molecules: rows, tasks.
    MolarenaOutputShape output_shape;
    // Predicts `f32[rows, tasks]`: probabilities of class 1, or values in the labels' units.
    MolarenaApply predict;
    // Saves the trained model: encoder and head.
    MolarenaSave save;
    // Restores a trained model. The encoder that it was made from has the configuration of that which was trained.
    MolarenaLoad load;
    // Frees an instance.
    MolarenaDestroy destroy;
} MolarenaFineTune;

// Type of the exported symbol. The table that it returns lives as long as the process.
typedef const struct MolarenaPlugin *(*MolarenaEntry)(void);

// The one symbol that a plugin exports: its table, which lives as long as the process.
const struct MolarenaPlugin *molarena_plugin_v1(void);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // MOLARENA_H
