//! What a method is used for: predictions and vectors of new molecules, and models that are kept.

pub(crate) mod embed;
pub(crate) mod learn;
pub(crate) mod model;
pub(crate) mod predict;
pub(crate) mod train;
