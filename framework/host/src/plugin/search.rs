//! Finds plugins by id: libraries, and folders with a manifest.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use molarena_sdk::PluginDescription;

use super::manifest::{PluginManifest, is_plugin_folder};
use crate::error::{Error, Result};

/// Environment variable with folders to search, separated by `:`.
pub const PLUGIN_PATH_VARIABLE: &str = "MOLARENA_PLUGIN_PATH";

/// A plugin that was found and described.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The library, or the plugin's folder.
    pub path: PathBuf,
    /// sha256 of its bytes, or of the files of the folder.
    pub sha256: String,
    /// Its identity in keys and records: a hash of its sources, or that of its bytes.
    pub identity: String,
    /// What it says about itself.
    pub description: PluginDescription,
}

/// Where to search for plugins: named files first, then folders in order.
#[derive(Clone, Debug, Default)]
pub struct SearchPath {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl SearchPath {
    /// Searches the files and folders `named`, then the folders of `MOLARENA_PLUGIN_PATH`, the program's own
    /// folder, and the user's plugin folder.
    pub fn new(named: &[PathBuf]) -> Result<Self> {
        let mut this = Self::default();
        for path in named {
            let path = existing(path).ok_or_else(|| Error::Plugin {
                path: path.clone(),
                message: "there is no such file".into(),
            })?;
            if path.is_dir() && !is_plugin_folder(&path) {
                this.folders.push(path);
            } else {
                this.files.push(path);
            }
        }
        if let Some(folders) = std::env::var_os(PLUGIN_PATH_VARIABLE) {
            this.folders.extend(std::env::split_paths(&folders).filter(|path| !path.as_os_str().is_empty()));
        }
        if let Some(folder) = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned)) {
            this.folders.push(folder);
        }
        if let Some(home) = std::env::var_os("XDG_DATA_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")))
        {
            this.folders.push(home.join("molarena/plugins"));
        }
        Ok(this)
    }

    /// The library or folder of plugin `id`, if there is one.
    pub fn find(&self, id: &str) -> Option<PathBuf> {
        let named = self.files.iter().find(|path| plugin_id(path).as_deref() == Some(id)).cloned();
        named.or_else(|| {
            self.folders.iter().find_map(|folder| {
                let in_folder = || existing(&folder.join(id)).filter(|path| is_plugin_folder(path));
                existing(&folder.join(file_name(id))).or_else(in_folder)
            })
        })
    }

    /// All plugins by id; the first in the search order wins.
    pub fn all(&self) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        for path in &self.files {
            if let Some(id) = plugin_id(path) {
                found.entry(id).or_insert_with(|| path.clone());
            }
        }
        for folder in &self.folders {
            // A folder of the search path need not exist.
            let Ok(entries) = fs_err::read_dir(folder) else { continue };
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                let is_library = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
                    name.starts_with(&prefix()) && name.ends_with(std::env::consts::DLL_SUFFIX)
                });
                let is_plugin = is_library || is_plugin_folder(&path);
                if let (true, Some(id), Some(path)) = (is_plugin, plugin_id(&path), existing(&path)) {
                    found.entry(id).or_insert(path);
                }
            }
        }
        found
    }

    /// The folders and files that are searched, for messages.
    pub fn describe(&self) -> String {
        let paths = self.files.iter().chain(&self.folders);
        paths.map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    }
}

/// The file that a path leads to; the path itself if it is a link that leads nowhere, which is named when it is opened.
fn existing(path: &Path) -> Option<PathBuf> {
    fs_err::canonicalize(path).ok().or_else(|| path.symlink_metadata().ok().map(|_| path.to_owned()))
}

fn prefix() -> String {
    format!("{}molarena_", std::env::consts::DLL_PREFIX)
}

/// File name of plugin `id`: `libmolarena_<id>.so`.
pub fn file_name(id: &str) -> String {
    format!("{}{}{}", prefix(), id.replace('-', "_"), std::env::consts::DLL_SUFFIX)
}

/// Plugin id of a library's file name, `libmolarena_c_plugin.so` is `c-plugin`, or of a folder's manifest.
pub(crate) fn plugin_id(path: &Path) -> Option<String> {
    if is_plugin_folder(path) {
        // A manifest that cannot be read is named when the plugin is opened; until then the folder's name stands for it.
        let manifest = PluginManifest::read(path);
        return manifest
            .map(|manifest| manifest.id)
            .ok()
            .or_else(|| Some(path.file_name()?.to_str()?.to_owned()));
    }
    let stem = path.file_stem()?.to_str()?;
    let stem = stem.strip_prefix(std::env::consts::DLL_PREFIX).unwrap_or(stem);
    Some(stem.strip_prefix("molarena_").unwrap_or(stem).replace('_', "-"))
}
