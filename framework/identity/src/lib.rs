//! The identity of a workspace's plugin: a hash of its sources and locked dependencies, the same in every
//! checkout and every build of them. For build scripts.
//!
//! The hash of a package covers:
//!
//! - its files `src/**` and `build.rs`, with line ends as `\n`, and what its manifest changes in a build: name, version,
//!   edition, features, and the features of its dependencies;
//! - the same of every package that it depends on by path;
//! - name, version, source and checksum of every other package that `Cargo.lock` has below them.
//!
//! Development dependencies are left out, and so is this crate. `Cargo.lock` lists what any feature and any
//! platform needs, so an update of a package that only a feature needs changes the hash as well.
//!
//! It does not cover where the files are, the profile, the compiler, its flags, or the time. [`build_text`]
//! states what of these changes results.

mod build_script;
mod error;
mod files;
mod lock;
mod manifest;
mod source;
mod workspace;

pub use build_script::{build_text, declare, declare_plugins};
pub use error::{Error, Result};
pub use source::{Source, of_package, of_plugins};
