//! Fitted models as bytes.

pub(crate) use molarena_sdk::state::{Header, fitted};
