//! The features of molecules: which of them a method may ask for ([`FeatureSpec`]), and their values in
//! memory and in files ([`Features`]). Only [`Features::read`] and [`Features::write`] do input and output.

mod array;
mod error;
mod features;
mod spec;

pub use self::{
    array::{flat, matrix, select_rows},
    error::{Error, Result},
    features::{Features, OwnedGraphs, OwnedSmiles},
    spec::{FeatureSpec, SmilesForm},
};
