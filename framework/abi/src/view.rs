//! The data that cross in a call: borrowed inputs, the arena's output buffer, errors and blobs.

use core::ffi::c_void;

/// Borrowed UTF-8 text, not terminated by a zero. Frozen.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaStr {
    /// First byte; may be null when `len` is 0.
    pub data: *const u8,
    /// Length in bytes.
    pub len: u64,
}

/// What went wrong. The caller zeroes it and sets `struct_size`; the callee fills it when it returns a failure.
#[repr(C)]
#[derive(Debug)]
pub struct MolarenaError {
    /// Size of this struct in bytes, as the caller knows it.
    pub struct_size: u32,
    /// The status that the function also returns.
    pub code: i32,
    /// UTF-8 text, owned by the callee until `release`.
    pub message: *const u8,
    /// Length of `message` in bytes.
    pub message_len: u64,
    /// Frees the message; null when there is nothing to free. Called once, by the caller.
    pub release: Option<unsafe extern "C" fn(error: *mut MolarenaError)>,
    /// The callee's own.
    pub private_data: *mut c_void,
}

/// What comes with each long call: seed, device, thread budget, progress, cancellation and a folder.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaCall {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// How many threads the call may use; at least 1.
    pub threads: u32,
    /// Seed of every random choice in the call.
    pub seed: u64,
    /// Device name, such as `cpu` or `cuda:0`.
    pub device: MolarenaStr,
    /// Passed back to `progress` and `cancelled`.
    pub context: *mut c_void,
    /// Reports the share done (0 to 1) and a short text. May be null. Any thread may call it.
    pub progress: Option<unsafe extern "C" fn(context: *mut c_void, fraction: f64, message: MolarenaStr)>,
    /// Non-zero when the call should end soon. May be null. Any thread may call it.
    pub cancelled: Option<unsafe extern "C" fn(context: *mut c_void) -> i32>,
    /// A folder that outlives the call, for checkpoints and logs; empty: none. Since ABI 1.1.
    pub folder: MolarenaStr,
}

/// SMILES of n molecules: molecule i is `bytes[offsets[i]..offsets[i + 1]]`. Frozen.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaSmiles {
    /// UTF-8 bytes of all SMILES, one after the other; null when absent.
    pub bytes: *const u8,
    /// n + 1 offsets into `bytes`; null when absent.
    pub offsets: *const i64,
}

/// Packed fingerprint bits, row-major: bit b of a row is `words[b / 64] >> (b % 64) & 1`. Frozen.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaBits {
    /// n x `words_per_row` words; null when absent.
    pub words: *const u64,
    /// Bits in a row.
    pub n_bits: u64,
    /// Words in a row; bits above `n_bits` are 0.
    pub words_per_row: u64,
}

/// Dense features, `f32[n, columns]`, row-major. Frozen.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaDense {
    /// n x `columns` values; null when absent.
    pub values: *const f32,
    /// Columns of a row.
    pub columns: u64,
}

/// Molecular graphs in compressed rows: atoms of molecule i are `atom_offsets[i]..atom_offsets[i + 1]`. Frozen.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaGraphs {
    /// n + 1 offsets into the atom rows; null when absent.
    pub atom_offsets: *const i64,
    /// n + 1 offsets into the bond rows.
    pub bond_offsets: *const i64,
    /// `i8[atoms, 9]`: indices of the Open Graph Benchmark's atom features.
    pub atom_features: *const i8,
    /// `u32[bonds, 2]`: atom numbers inside the molecule; each bond once.
    pub bond_index: *const u32,
    /// `i8[bonds, 3]`: indices of the Open Graph Benchmark's bond features.
    pub bond_features: *const i8,
}

/// Molecules as the component asked for them; a member whose pointers are null is absent.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaInputs {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Number of molecules n.
    pub rows: u64,
    /// SMILES.
    pub smiles: MolarenaSmiles,
    /// Packed fingerprints.
    pub bits: MolarenaBits,
    /// Dense features.
    pub dense: MolarenaDense,
    /// Molecular graphs.
    pub graphs: MolarenaGraphs,
}

/// Labels of training or validation molecules. No call carries test labels.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaLabels {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// `MOLARENA_TASK_CLASSIFICATION` or `MOLARENA_TASK_REGRESSION`.
    pub task_kind: u32,
    /// Number of molecules n.
    pub rows: u64,
    /// Number of tasks t.
    pub tasks: u64,
    /// `f32[n, t]`, row-major; 0 where missing.
    pub values: *const f32,
    /// Bit i of this bitmap (`valid[i / 8] >> (i % 8) & 1`) says whether `values[i]` is there.
    pub valid: *const u8,
}

/// A buffer of the arena that the component fills with `f32[rows, columns]`, row-major.
///
/// The component sets `rows` and `columns` to what it produced. When that does not fit into `capacity` it writes
/// no value; the arena reports the wrong shape.
#[repr(C)]
#[derive(Debug)]
pub struct MolarenaOutput {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Room for `capacity` values.
    pub values: *mut f32,
    /// Number of values that fit.
    pub capacity: u64,
    /// Rows produced; set by the component.
    pub rows: u64,
    /// Columns produced; set by the component.
    pub columns: u64,
}

/// Bytes owned by the side that made them, until `release`.
#[repr(C)]
#[derive(Debug)]
pub struct MolarenaBlob {
    /// Size of this struct in bytes; set by the caller.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// First byte.
    pub data: *const u8,
    /// Length in bytes.
    pub len: u64,
    /// Frees the bytes. Called once; null means nothing to free.
    pub release: Option<unsafe extern "C" fn(blob: *mut MolarenaBlob)>,
    /// The maker's own.
    pub private_data: *mut c_void,
}

/// One feature space of a context graph and the nodes that have a vector in it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaProfiles {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// Node kind of the rows (`MOLARENA_NODE_*`).
    pub node_kind: u32,
    /// Name of the space, such as `expression` or `morphology-jump`.
    pub space: MolarenaStr,
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: u64,
    /// `u64[rows]`: the node that each row belongs to.
    pub nodes: *const u64,
    /// `f32[rows, columns]`, row-major; NaN where a value is missing.
    pub values: *const f32,
    /// `u32[rows]`: number of the batch in which each row was measured, or null if batches are not known. Since minor
    /// version 2.
    pub batches: *const u32,
    /// `f32[rows]`: number of cells behind each row, NaN where it is not known, or null if none is. Since minor version 2.
    pub cell_counts: *const f32,
}

/// A context graph: what an encoder is pretrained on. Edges are undirected and listed once.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaCorpus {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Number of nodes.
    pub nodes: u64,
    /// `u8[nodes]`: `MOLARENA_NODE_*`.
    pub node_kinds: *const u8,
    /// The molecules, in the order of `molecule_nodes`.
    pub molecules: *const MolarenaInputs,
    /// `u64[molecules->rows]`: node of each molecule.
    pub molecule_nodes: *const u64,
    /// Number of feature spaces.
    pub space_count: u64,
    /// `space_count` pointers.
    pub spaces: *const *const MolarenaProfiles,
    /// Number of edges.
    pub edges: u64,
    /// `u64[edges]`: first node of each edge.
    pub edge_sources: *const u64,
    /// `u64[edges]`: second node of each edge.
    pub edge_targets: *const u64,
    /// `f32[edges]`: weight of each edge, in [0, 1].
    pub edge_weights: *const f32,
}
