//! What a method may be given of molecules: which features there are ([`FeatureSpec`]), and features in memory and in
//! files ([`Features`]). Pure apart from [`Features::read`] and [`Features::write`].

mod array;
mod error;
mod features;
mod spec;

pub use self::{
    array::{flat, matrix, select_rows},
    error::{Error, Result},
    features::{Features, OwnedGraphs, OwnedSmiles},
    spec::FeatureSpec,
};
