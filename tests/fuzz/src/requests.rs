//! What a user asks for in TOML: manifests, suites, claims and methods.

use std::path::Path;

use molarena_data::context::ContextManifest;
use molarena_data::{Manifest, Role};
use molarena_host::{Claims, Method, Suite};

/// A manifest of a dataset or of a context graph: what is read can be written and read again.
pub fn manifest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Manifest::parse(text, "dataset.toml") {
        Ok(manifest) => {
            assert_eq!(manifest.assays().role, Role::Assays);
            for file in &manifest.files {
                assert!(
                    file.locate(Path::new("/data")).starts_with("/data"),
                    "{} leads elsewhere",
                    file.path
                );
            }
            let text = toml::to_string(&manifest).expect("a manifest can be written");
            assert_eq!(Manifest::parse(&text, "dataset.toml").expect("it is sound"), manifest);
        }
        Err(error) => crate::check_message(&error),
    }
    match ContextManifest::parse(text, "context.toml") {
        Ok(manifest) => {
            let text = toml::to_string(&manifest).expect("a manifest can be written");
            assert_eq!(ContextManifest::parse(&text, "context.toml").expect("it is sound"), manifest);
        }
        Err(error) => crate::check_message(&error),
    }
}

/// A suite or a claims file: the same content in another spelling is the same.
pub fn suite(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Suite::parse(text, Path::new("suite.toml")) {
        Ok(suite) => {
            for group in &suite.cells {
                assert_eq!(group.seeds.each().take(9).count() as u64, group.seeds.count().min(9));
            }
            if let Some(text) = respelled(text) {
                let again = Suite::parse(&text, Path::new("suite.toml")).expect("it is sound");
                assert!(same(&again, &suite), "{again:?} is not {suite:?}");
            }
        }
        Err(error) => crate::check_message(&error),
    }
    match Claims::parse(text, Path::new("claims.toml")) {
        Ok(claims) => {
            assert!(!claims.claims.is_empty(), "no claim in {claims:?}");
            if let Some(text) = respelled(text) {
                let again = Claims::parse(&text, Path::new("claims.toml")).expect("it is sound");
                assert!(same(&again, &claims), "{again:?} is not {claims:?}");
            }
        }
        Err(error) => crate::check_message(&error),
    }
}

/// A method: the same content in another spelling is the same method.
pub fn method(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Method::parse(text, Path::new("method.toml")) {
        Ok(method) => {
            if let Some(text) = respelled(text) {
                let again = Method::parse(&text, Path::new("method.toml")).expect("it is sound");
                assert!(same(&again, &method), "{again:?} is not {method:?}");
            }
            assert!(method.with_shuffled_labels().protocol.shuffle_labels);
        }
        Err(error) => crate::check_message(&error),
    }
}

/// The same TOML in the spelling of its writer; `None` for seeds above the numbers that it has.
fn respelled(text: &str) -> Option<String> {
    let table: toml::Table = toml::from_str(text).ok()?;
    toml::to_string(&table).ok()
}

/// Whether two values are equal; NaN, which TOML has, is equal to itself here.
fn same<T: PartialEq + std::fmt::Debug>(one: &T, other: &T) -> bool {
    one == other || format!("{one:?}") == format!("{other:?}")
}
