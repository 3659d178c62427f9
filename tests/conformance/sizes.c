/* Prints the size of every struct of molarena.h and the offset of every field, for header.rs to compare. */
#include <stdio.h>

#include "molarena.h"
#include "molarena.h" /* the include guard holds */

#define SIZE(type) printf(#type " %zu\n", sizeof(type));
#define FIELD(type, field) printf(#type "." #field " %zu\n", offsetof(type, field));
#define FACTORY_TAIL(type)                                                                                   \
    FIELD(type, save) FIELD(type, load) FIELD(type, destroy) FIELD(type, get_extension)

static void views(void) {
    SIZE(MolarenaStr) FIELD(MolarenaStr, data) FIELD(MolarenaStr, len)
    SIZE(MolarenaError) FIELD(MolarenaError, struct_size) FIELD(MolarenaError, code)
    FIELD(MolarenaError, message) FIELD(MolarenaError, message_len) FIELD(MolarenaError, release)
    FIELD(MolarenaError, private_data)
    SIZE(MolarenaCall) FIELD(MolarenaCall, struct_size) FIELD(MolarenaCall, threads)
    FIELD(MolarenaCall, seed) FIELD(MolarenaCall, device) FIELD(MolarenaCall, context)
    FIELD(MolarenaCall, progress) FIELD(MolarenaCall, cancelled) FIELD(MolarenaCall, folder)
    SIZE(MolarenaSmiles) FIELD(MolarenaSmiles, bytes) FIELD(MolarenaSmiles, offsets)
    SIZE(MolarenaBits) FIELD(MolarenaBits, words) FIELD(MolarenaBits, n_bits)
    FIELD(MolarenaBits, words_per_row)
    SIZE(MolarenaDense) FIELD(MolarenaDense, values) FIELD(MolarenaDense, columns)
    SIZE(MolarenaGraphs) FIELD(MolarenaGraphs, atom_offsets) FIELD(MolarenaGraphs, bond_offsets)
    FIELD(MolarenaGraphs, atom_features) FIELD(MolarenaGraphs, bond_index)
    FIELD(MolarenaGraphs, bond_features)
    SIZE(MolarenaInputs) FIELD(MolarenaInputs, struct_size) FIELD(MolarenaInputs, reserved)
    FIELD(MolarenaInputs, rows) FIELD(MolarenaInputs, smiles) FIELD(MolarenaInputs, bits)
    FIELD(MolarenaInputs, dense) FIELD(MolarenaInputs, graphs)
    SIZE(MolarenaLabels) FIELD(MolarenaLabels, struct_size) FIELD(MolarenaLabels, task_kind)
    FIELD(MolarenaLabels, rows) FIELD(MolarenaLabels, tasks) FIELD(MolarenaLabels, values)
    FIELD(MolarenaLabels, valid)
    SIZE(MolarenaOutput) FIELD(MolarenaOutput, struct_size) FIELD(MolarenaOutput, reserved)
    FIELD(MolarenaOutput, values) FIELD(MolarenaOutput, capacity) FIELD(MolarenaOutput, rows)
    FIELD(MolarenaOutput, columns)
    SIZE(MolarenaBlob) FIELD(MolarenaBlob, struct_size) FIELD(MolarenaBlob, reserved)
    FIELD(MolarenaBlob, data) FIELD(MolarenaBlob, len) FIELD(MolarenaBlob, release)
    FIELD(MolarenaBlob, private_data)
    SIZE(MolarenaProfiles) FIELD(MolarenaProfiles, struct_size) FIELD(MolarenaProfiles, node_kind)
    FIELD(MolarenaProfiles, space) FIELD(MolarenaProfiles, rows) FIELD(MolarenaProfiles, columns)
    FIELD(MolarenaProfiles, nodes) FIELD(MolarenaProfiles, values)
    FIELD(MolarenaProfiles, batches) FIELD(MolarenaProfiles, cell_counts)
    SIZE(MolarenaCorpus) FIELD(MolarenaCorpus, struct_size) FIELD(MolarenaCorpus, reserved)
    FIELD(MolarenaCorpus, nodes) FIELD(MolarenaCorpus, node_kinds) FIELD(MolarenaCorpus, molecules)
    FIELD(MolarenaCorpus, molecule_nodes) FIELD(MolarenaCorpus, space_count)
    FIELD(MolarenaCorpus, spaces) FIELD(MolarenaCorpus, edges) FIELD(MolarenaCorpus, edge_sources)
    FIELD(MolarenaCorpus, edge_targets) FIELD(MolarenaCorpus, edge_weights)
}

static void tables(void) {
    SIZE(MolarenaHost) FIELD(MolarenaHost, struct_size) FIELD(MolarenaHost, abi_major)
    FIELD(MolarenaHost, abi_minor) FIELD(MolarenaHost, reserved) FIELD(MolarenaHost, get_extension)
    SIZE(MolarenaPlugin) FIELD(MolarenaPlugin, struct_size) FIELD(MolarenaPlugin, abi_major)
    FIELD(MolarenaPlugin, abi_minor) FIELD(MolarenaPlugin, reserved) FIELD(MolarenaPlugin, init)
    FIELD(MolarenaPlugin, deinit) FIELD(MolarenaPlugin, describe) FIELD(MolarenaPlugin, get_factory)
    SIZE(MolarenaBaselineFactory) FIELD(MolarenaBaselineFactory, struct_size)
    FIELD(MolarenaBaselineFactory, reserved) FIELD(MolarenaBaselineFactory, create)
    FIELD(MolarenaBaselineFactory, fit) FIELD(MolarenaBaselineFactory, output_shape)
    FIELD(MolarenaBaselineFactory, predict) FACTORY_TAIL(MolarenaBaselineFactory)
    SIZE(MolarenaEncoderFactory) FIELD(MolarenaEncoderFactory, struct_size)
    FIELD(MolarenaEncoderFactory, reserved) FIELD(MolarenaEncoderFactory, create)
    FIELD(MolarenaEncoderFactory, fit) FIELD(MolarenaEncoderFactory, output_shape)
    FIELD(MolarenaEncoderFactory, encode) FACTORY_TAIL(MolarenaEncoderFactory)
    SIZE(MolarenaDecoderFactory) FIELD(MolarenaDecoderFactory, struct_size)
    FIELD(MolarenaDecoderFactory, reserved) FIELD(MolarenaDecoderFactory, create)
    FIELD(MolarenaDecoderFactory, output_shape) FIELD(MolarenaDecoderFactory, decode)
    FIELD(MolarenaDecoderFactory, score) FACTORY_TAIL(MolarenaDecoderFactory)
    SIZE(MolarenaFineTune) FIELD(MolarenaFineTune, struct_size) FIELD(MolarenaFineTune, reserved)
    FIELD(MolarenaFineTune, create) FIELD(MolarenaFineTune, fit) FIELD(MolarenaFineTune, output_shape)
    FIELD(MolarenaFineTune, predict) FIELD(MolarenaFineTune, save) FIELD(MolarenaFineTune, load)
    FIELD(MolarenaFineTune, destroy)
}

int main(void) {
    views();
    tables();
    return 0;
}
