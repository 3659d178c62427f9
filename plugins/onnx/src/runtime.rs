//! Finds and opens the library of ONNX Runtime.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use molarena_sdk::{Error, Result};
use ort::environment::Environment;

/// The library's name in a folder, up to its version.
const NAME: &str = if cfg!(target_os = "macos") { "libonnxruntime" } else { "libonnxruntime.so" };

/// The environment of ONNX Runtime, opened by the first call from a folder of `LD_LIBRARY_PATH` or from the system's libraries.
///
/// # Errors
/// [`Error::io`] that says where the library was searched and how to get it.
pub fn environment() -> Result<&'static Environment> {
    open(&folders())
}

/// As [`environment`], from these folders or from the system's libraries. What is open already stays.
///
/// # Errors
/// As [`environment`].
pub fn open(folders: &[PathBuf]) -> Result<&'static Environment> {
    static OPENED: OnceLock<std::result::Result<Environment, String>> = OnceLock::new();
    let opened = OPENED.get_or_init(|| {
        let library = folders.iter().find_map(|folder| library_in(folder)).unwrap_or_else(|| NAME.into());
        let open = || -> std::result::Result<Environment, String> {
            let builder = ort::init_from(&library).map_err(|error| error.to_string())?;
            builder.with_telemetry(false).build().map_err(|error| error.to_string())
        };
        open().map_err(|error| missing(folders, &error))
    });
    opened.as_ref().map_err(|message| Error::io(message.clone()))
}

fn missing(folders: &[PathBuf], error: &str) -> String {
    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let searched = if folders.is_empty() { "empty".to_owned() } else { folders.join(", ") };
    format!(
        "ONNX Runtime cannot be opened: {error}; it was searched for in LD_LIBRARY_PATH ({searched}) and among the system's \
         libraries; get it with `pip install onnxruntime` and name the folder onnxruntime/capi of that package in LD_LIBRARY_PATH"
    )
}

/// The folders of `LD_LIBRARY_PATH`, in order.
fn folders() -> Vec<PathBuf> {
    let named = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    std::env::split_paths(&named).filter(|folder| !folder.as_os_str().is_empty()).collect()
}

/// The library in a folder, whatever its version.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_library))
        .collect();
    found.sort();
    found.into_iter().next()
}

fn is_library(name: &str) -> bool {
    let rest = name.strip_prefix(NAME);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_a_version_or_none() {
        assert!(is_library("libonnxruntime.so") && is_library("libonnxruntime.so.1.32.0"));
        assert!(!is_library("libonnxruntime_providers_shared.so") && !is_library("onnxruntime.so"));
    }

    #[test]
    fn a_missing_library_is_told_with_what_to_do() {
        let message = missing(&[PathBuf::from("/nowhere")], "no such file");
        assert!(message.contains("/nowhere") && message.contains("pip install onnxruntime"), "{message}");
    }
}
