//! The labelled rows of each task.

pub(crate) use molarena_sdk::targets::{Targets, gather, without_labels};
