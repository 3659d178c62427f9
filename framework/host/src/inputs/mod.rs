//! Datasets and corpora made ready, cached by content.

pub(crate) mod corpus;
pub(crate) mod dataset;
