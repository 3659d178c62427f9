//! Chemistry: turns SMILES into molecules, and molecules into fingerprints, descriptors, scaffolds, graphs and identity
//! keys. It is pure: it uses no files, no clock and no state.
//!
//! Every result equals that of `RDKit` 2026.09.1; the golden tests check this on whole datasets. The `chematic` crates
//! read and sanitise SMILES, but none of their types is in this crate's interface.
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
mod cxsmiles;
mod descriptors;
mod error;
mod graph;
mod identity;
mod maccs;
mod molecule;
mod morgan;
mod parent;
mod perceive;
mod scaffold;
mod spelling;
mod tautomer;
mod text;

pub use batch::{BitMatrix, Graphs, Parsed, morgan_matrix, parse_all, parse_chunks};
pub use counts::{morgan_count_matrix, morgan_counts};
pub use descriptors::{DESCRIPTOR_NAMES, descriptor_matrix};
pub use error::{MorganError, ParseError};
pub use graph::MoleculeGraph;
pub use maccs::{MACCS_KEYS, maccs_keys, maccs_matrix};
pub use molecule::{MAX_SMILES_BYTES, Molecule};
pub use morgan::Morgan;
pub use text::{shorten, shorten_smiles};

/// The version of the chemistry behind a feature: the crate that perceives molecules and the revision of this crate.
///
/// The key of every cached feature contains it. The second number increases whenever any output changes.
pub const CHEMISTRY_VERSION: &str = "chematic 1.2.1 + molarena-chem 2";
