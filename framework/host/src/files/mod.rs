//! Files on disk: npy, Parquet, JSON, and files that may be hostile.

pub(crate) mod folder;
pub(crate) mod json;
pub(crate) mod library;
pub(crate) mod npy;
pub(crate) mod parquet;
pub(crate) mod plain;
pub(crate) mod table;
pub(crate) mod text;
