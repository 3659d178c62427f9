//! Uses of a method: predictions and vectors of new molecules, and saved models; checks and installation of a plugin.

pub(crate) mod conformance;
pub(crate) mod embed;
pub(crate) mod install;
pub(crate) mod learn;
pub(crate) mod model;
pub(crate) mod predict;
pub(crate) mod train;
