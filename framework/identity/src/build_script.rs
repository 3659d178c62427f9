//! Functions for build scripts, which print to Cargo.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::source::{Source, of_package, of_plugins};

/// For a plugin's build script: passes the hash of the plugin's sources and how it is built to
/// `molarena_sdk::export_plugin!`, in `MOLARENA_SOURCE_SHA256` and `MOLARENA_SOURCE_BUILD`. Outside of a
/// workspace with a `Cargo.lock` it sets neither; if the hash cannot be computed, it warns.
pub fn declare() {
    let found = of_package(&folder()).map(|source| source.map(|source| (source.sha256, source.watched)));
    if let Some(sha256) = watched(found) {
        println!("cargo::rustc-env=MOLARENA_SOURCE_SHA256={sha256}");
        println!("cargo::rustc-env=MOLARENA_SOURCE_BUILD={}", build_text(std::env::vars()));
    }
}

/// For the host's build script: sets `MOLARENA_OWN_PLUGINS` to the source hashes of all plugins of its
/// workspace, as `ID=HASH` separated by spaces.
pub fn declare_plugins() {
    let found = of_plugins(&folder()).map(|plugins| {
        let text = |(id, source): (&String, &Source)| format!("{id}={}", source.sha256);
        let texts: Vec<String> = plugins.iter().map(text).collect();
        Some((texts.join(" "), plugins.into_values().flat_map(|source| source.watched).collect()))
    });
    if let Some(plugins) = watched(found) {
        println!("cargo::rustc-env=MOLARENA_OWN_PLUGINS={plugins}");
    }
}

/// The part of a plugin's build that may change results, from the variables of its build script: the target,
/// its instruction sets, and the plugin's enabled features.
///
/// ```
/// let variables = [("CARGO_CFG_TARGET_ARCH", "x86_64"), ("CARGO_CFG_TARGET_OS", "linux"), ("CARGO_FEATURE_CUDA", "1")];
/// let text = molarena_identity::build_text(variables.map(|(name, value)| (name.into(), value.into())));
/// assert_eq!(text, "target x86_64 linux; instructions ; features cuda");
/// ```
pub fn build_text(variables: impl IntoIterator<Item = (String, String)>) -> String {
    let (mut target, mut instructions, mut features) =
        ([const { String::new() }; 3], String::new(), BTreeSet::new());
    for (name, value) in variables {
        match name.as_str() {
            "CARGO_CFG_TARGET_ARCH" => target[0] = value,
            "CARGO_CFG_TARGET_OS" => target[1] = value,
            "CARGO_CFG_TARGET_ENV" => target[2] = value,
            "CARGO_CFG_TARGET_FEATURE" => instructions = value,
            name => {
                let feature = name.strip_prefix("CARGO_FEATURE_").filter(|&feature| feature != "DEFAULT");
                features.extend(feature.map(|feature| feature.to_lowercase().replace('_', "-")));
            }
        }
    }
    let target = target.join(" ");
    let features = features.into_iter().collect::<Vec<_>>().join(",");
    let text = format!("target {}; instructions {instructions}; features {features}", target.trim_end());
    text.trim_end().to_owned()
}

/// Folder of the package whose build script runs.
fn folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| Path::new(".").to_owned(), PathBuf::from)
}

/// Tells Cargo what to watch, or warns.
fn watched(found: crate::Result<Option<(String, BTreeSet<PathBuf>)>>) -> Option<String> {
    println!("cargo::rerun-if-changed=build.rs");
    match found {
        Ok(found) => {
            let (text, paths) = found?;
            for path in paths {
                println!("cargo::rerun-if-changed={}", path.display());
            }
            Some(text)
        }
        Err(error) => {
            println!("cargo::warning=no hash of the sources: {error}");
            None
        }
    }
}
