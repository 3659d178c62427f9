//! What a method is used for: predictions and vectors of new molecules.

pub(crate) mod embed;
pub(crate) mod predict;
