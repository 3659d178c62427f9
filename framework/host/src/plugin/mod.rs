//! Plugins: where they are, and how a worker opens them.

pub mod identity;
pub mod loader;
mod lock;
pub mod manifest;
mod process;
pub mod search;
