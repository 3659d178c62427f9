//! Evaluates the bounds of section 4.3 and appendix A of *Learning Molecular Representation in a Cell* (arXiv
//! 2406.12056) on data with known mutual information: what each estimates, and where Proposition 4.1 holds.

pub mod contrast;
pub mod critic;
pub mod decoder;
pub mod world;

mod algebra;
mod figures;
mod suite;
mod tables;
mod train;

pub use figures::figures;
pub use suite::{Part, Row, Settings, run};
pub use tables::{from_csv, tables, to_csv};
pub use train::{Objective, Source, train};
