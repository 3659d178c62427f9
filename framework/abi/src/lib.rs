//! The molarena plugin ABI: hand-written `repr(C)` tables, status codes and layout asserts.
//!
//! A plugin is a shared library that exports one symbol, [`ENTRY_SYMBOL`]. It returns a [`MolarenaPlugin`],
//! whose `get_factory` hands out the factories of the three kinds of component: encoders, decoders and
//! baselines. `include/molarena.h` is generated from this crate.
//!
//! # Rules
//!
//! - The ABI has its own version, never a crate's. Another [`ABI_MAJOR`] is refused before anything else is
//!   read. Each side reads a struct only inside `min(own size, struct_size)`; fields are appended, never moved.
//! - A struct without a `struct_size` field is frozen for this major.
//! - Inputs are borrowed, read-only and valid until the call returns. Outputs go into a buffer of the arena.
//! - Every function returns a status ([`MOLARENA_OK`] or one of `MOLARENA_ERROR_*`) and, on failure, fills the
//!   [`MolarenaError`] that the caller passed (zeroed, with `struct_size` set). The caller copies the message and
//!   calls `release` at once.
//! - An instance is used by one thread at a time, on any thread. Factory functions are thread-safe.
//! - No bool, enum, bitfield or Rust type crosses.
//! - An extension is asked for by its string id and is null where it is unknown. It needs no minor version: the number at the
//!   end of its id is its own, and its table grows like any other.

#![no_std]

mod layout;
mod read;
mod table;
mod view;

pub use read::{Versioned, read_sized};
pub use table::*;
pub use view::*;

/// Major version of the ABI. A library with another major is refused before anything else is read.
pub const ABI_MAJOR: u32 = 1;
/// Minor version of the ABI. It grows when a field or a function is appended. 1: `folder` of [`MolarenaCall`]. 2:
/// `batches` and `cell_counts` of [`MolarenaProfiles`].
pub const ABI_MINOR: u32 = 2;

/// Name of the one symbol that a plugin exports: a function of type [`MolarenaEntry`].
pub const ENTRY_SYMBOL: &str = "molarena_plugin_v1";
/// Factory id of encoders, for `get_factory`: a [`MolarenaEncoderFactory`].
pub const ENCODER_FACTORY: &str = "molarena.encoder/1";
/// Factory id of decoders, for `get_factory`: a [`MolarenaDecoderFactory`].
pub const DECODER_FACTORY: &str = "molarena.decoder/1";
/// Factory id of baselines, for `get_factory`: a [`MolarenaBaselineFactory`].
pub const BASELINE_FACTORY: &str = "molarena.baseline/1";
/// Extension id of fine-tuning, for `get_extension` of a [`MolarenaEncoderFactory`]: a [`MolarenaFineTune`].
pub const ENCODER_FINETUNE: &str = "molarena.encoder.finetune/1";

/// Success.
pub const MOLARENA_OK: i32 = 0;
/// An argument is null, has the wrong shape, or comes in the wrong order (predict before fit).
pub const MOLARENA_ERROR_INVALID_ARGUMENT: i32 = 1;
/// The configuration is not what the component's schema says.
pub const MOLARENA_ERROR_INVALID_CONFIG: i32 = 2;
/// The component does not offer this (an input kind, a device, save).
pub const MOLARENA_ERROR_UNSUPPORTED: i32 = 3;
/// The data cannot be used (no labels at all, a column of missing values).
pub const MOLARENA_ERROR_DATA: i32 = 4;
/// A file or device could not be read or written.
pub const MOLARENA_ERROR_IO: i32 = 5;
/// The call ended because `cancelled` said so.
pub const MOLARENA_ERROR_CANCELLED: i32 = 6;
/// Memory ran out.
pub const MOLARENA_ERROR_OUT_OF_MEMORY: i32 = 7;
/// A fault of the plugin.
pub const MOLARENA_ERROR_INTERNAL: i32 = 8;
/// The plugin panicked; the instance is poisoned.
pub const MOLARENA_ERROR_PANIC: i32 = 9;
/// An earlier call on this instance panicked; only `destroy` is left.
pub const MOLARENA_ERROR_POISONED: i32 = 10;

/// Labels are 0 or 1.
pub const MOLARENA_TASK_CLASSIFICATION: u32 = 0;
/// Labels are real numbers.
pub const MOLARENA_TASK_REGRESSION: u32 = 1;

/// A molecule node of a context graph.
pub const MOLARENA_NODE_MOLECULE: u8 = 0;
/// A gene node of a context graph.
pub const MOLARENA_NODE_GENE: u8 = 1;
/// A cell-morphology node of a context graph.
pub const MOLARENA_NODE_MORPHOLOGY: u8 = 2;
/// A gene-expression node of a context graph.
pub const MOLARENA_NODE_EXPRESSION: u8 = 3;

/// Columns of an atom's feature row in [`MolarenaGraphs`] (Open Graph Benchmark).
pub const MOLARENA_ATOM_FEATURES: usize = 9;
/// Columns of a bond's feature row in [`MolarenaGraphs`] (Open Graph Benchmark).
pub const MOLARENA_BOND_FEATURES: usize = 3;
