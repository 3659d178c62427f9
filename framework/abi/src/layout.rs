//! Layout asserts for 64-bit targets: a change that moves a field does not compile.

#![cfg(target_pointer_width = "64")]

use core::mem::{align_of, offset_of, size_of};

use crate::{
    MolarenaBaselineFactory, MolarenaBits, MolarenaBlob, MolarenaCall, MolarenaCorpus,
    MolarenaDecoderFactory, MolarenaDense, MolarenaEncoderFactory, MolarenaError, MolarenaFineTune,
    MolarenaGraphs, MolarenaHost, MolarenaInputs, MolarenaLabels, MolarenaOutput, MolarenaPlugin,
    MolarenaProfiles, MolarenaSmiles, MolarenaStr,
};

macro_rules! layout {
    ($type:ident: $size:literal $(, $field:ident @ $offset:literal)* $(,)?) => {
        const _: () = assert!(size_of::<$type>() == $size);
        const _: () = assert!(align_of::<$type>() == 8);
        $(const _: () = assert!(offset_of!($type, $field) == $offset);)*
    };
}

layout!(MolarenaStr: 16, data @ 0, len @ 8);
layout!(MolarenaError: 40, struct_size @ 0, code @ 4, message @ 8, message_len @ 16, release @ 24, private_data @ 32);
layout!(MolarenaCall: 72, struct_size @ 0, threads @ 4, seed @ 8, device @ 16, context @ 32, progress @ 40, cancelled @ 48,
    folder @ 56);
layout!(MolarenaSmiles: 16, bytes @ 0, offsets @ 8);
layout!(MolarenaBits: 24, words @ 0, n_bits @ 8, words_per_row @ 16);
layout!(MolarenaDense: 16, values @ 0, columns @ 8);
layout!(MolarenaGraphs: 40, atom_offsets @ 0, bond_offsets @ 8, atom_features @ 16, bond_index @ 24, bond_features @ 32);
layout!(MolarenaInputs: 112, struct_size @ 0, rows @ 8, smiles @ 16, bits @ 32, dense @ 56, graphs @ 72);
layout!(MolarenaLabels: 40, struct_size @ 0, task_kind @ 4, rows @ 8, tasks @ 16, values @ 24, valid @ 32);
layout!(MolarenaOutput: 40, struct_size @ 0, values @ 8, capacity @ 16, rows @ 24, columns @ 32);
layout!(MolarenaBlob: 40, struct_size @ 0, data @ 8, len @ 16, release @ 24, private_data @ 32);
layout!(MolarenaProfiles: 72, struct_size @ 0, node_kind @ 4, space @ 8, rows @ 24, columns @ 32, nodes @ 40, values @ 48,
    batches @ 56, cell_counts @ 64);
layout!(MolarenaCorpus: 88, struct_size @ 0, nodes @ 8, node_kinds @ 16, molecules @ 24, molecule_nodes @ 32,
    space_count @ 40, spaces @ 48, edges @ 56, edge_sources @ 64, edge_targets @ 72, edge_weights @ 80);
layout!(MolarenaHost: 24, struct_size @ 0, abi_major @ 4, abi_minor @ 8, get_extension @ 16);
layout!(MolarenaPlugin: 48, struct_size @ 0, abi_major @ 4, abi_minor @ 8, init @ 16, deinit @ 24, describe @ 32, get_factory @ 40);
layout!(MolarenaBaselineFactory: 72, create @ 8, fit @ 16, output_shape @ 24, predict @ 32, save @ 40, load @ 48, destroy @ 56, get_extension @ 64);
layout!(MolarenaEncoderFactory: 72, create @ 8, fit @ 16, output_shape @ 24, encode @ 32, save @ 40, load @ 48, destroy @ 56, get_extension @ 64);
layout!(MolarenaDecoderFactory: 72, create @ 8, output_shape @ 16, decode @ 24, score @ 32, save @ 40, load @ 48, destroy @ 56, get_extension @ 64);
layout!(MolarenaFineTune: 64, struct_size @ 0, create @ 8, fit @ 16, output_shape @ 24, predict @ 32, save @ 40, load @ 48, destroy @ 56);
