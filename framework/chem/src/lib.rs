//! Chemistry: SMILES to molecules, fingerprints, descriptors, scaffolds, graphs and identities. Pure: no files, no clock,
//! no state.
//!
//! Everything equals what `RDKit` 2026.09.1 computes, which the golden tests check on whole datasets. The work of
//! reading and sanitising is done by the `chematic` crates; no type of theirs is in this crate's interface.
//!
//! ```
//! use molarena_chem::{DESCRIPTOR_NAMES, Molecule, Morgan};
//!
//! let molecule = Molecule::parse("OCc1ccccc1")?;
//! assert_eq!(molecule.canonical_smiles(true), "OCc1ccccc1");
//! assert_eq!(molecule.scaffold(true), "c1ccccc1");
//! assert_eq!(molecule.morgan(&Morgan::new(2, 2048, false)?).len(), 32);
//! let weight = DESCRIPTOR_NAMES.iter().position(|name| *name == "MolWt").unwrap();
//! assert!((molecule.descriptors()[weight] - 108.14).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod any_bond;
mod batch;
mod counts;
mod descriptors;
mod error;
mod graph;
mod identity;
mod molecule;
mod morgan;
mod perceive;
mod scaffold;

pub use batch::{BitMatrix, Graphs, morgan_matrix, parse_all, parse_chunks};
pub use counts::{morgan_count_matrix, morgan_counts};
pub use descriptors::{DESCRIPTOR_NAMES, descriptor_matrix};
pub use error::{MorganError, ParseError};
pub use graph::MoleculeGraph;
pub use molecule::{MAX_SMILES_BYTES, Molecule};
pub use morgan::Morgan;

/// The chemistry that made a feature: the crate that perceives molecules and the revision of this one.
///
/// It belongs in the key of every cached feature. The second number goes up whenever any output changes.
pub const CHEMISTRY_VERSION: &str = "chematic 1.2.1 + molarena-chem 1";
