//! What a user asks for: suites, methods, claims, limits, sweeps.

pub(crate) mod claims;
pub(crate) mod component;
pub(crate) mod config_schema;
pub(crate) mod document;
pub(crate) mod executor;
pub(crate) mod grid;
pub(crate) mod library;
pub(crate) mod limits;
pub(crate) mod method;
pub(crate) mod product;
pub(crate) mod suite;
pub(crate) mod sweep;
