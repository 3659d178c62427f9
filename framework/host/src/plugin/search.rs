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
    /// folder, `../libexec/molarena` from there (where packages put plugins), and the user's plugin folder.
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
            let installed = folder.parent().map(|prefix| prefix.join("libexec/molarena"));
            this.folders.push(folder);
            this.folders.extend(installed.filter(|installed| installed.is_dir()));
        }
        this.folders.extend(user_folder());
        Ok(this)
    }

    /// The library or folder of plugin `id`, if there is one.
    pub fn find(&self, id: &str) -> Option<PathBuf> {
        let named = self.files.iter().find(|path| plugin_id(path).as_deref() == Some(id)).cloned();
        let in_folder = |folder: &PathBuf| {
            let library = existing(&folder.join(file_name(id)));
            library.or_else(|| plugins_in(folder).find(|(found, _)| found == id).map(|(_, path)| path))
        };
        named.or_else(|| self.folders.iter().find_map(in_folder))
    }

    /// All plugins by id; the first in the search order wins.
    pub fn all(&self) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        for path in &self.files {
            if let Some(id) = plugin_id(path) {
                found.entry(id).or_insert_with(|| path.clone());
            }
        }
        for (id, path) in self.folders.iter().flat_map(|folder| plugins_in(folder)) {
            found.entry(id).or_insert(path);
        }
        found
    }

    /// The folders and files that are searched, for messages.
    pub fn describe(&self) -> String {
        let paths = self.files.iter().chain(&self.folders);
        paths.map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Where plugin `id` was looked for, for messages when it is not found.
    pub fn trace(&self, id: &str) -> String {
        let named = self.files.iter().map(|path| {
            let found = plugin_id(path).unwrap_or_default();
            format!("{} (plugin {found})", path.display())
        });
        let folders = self.folders.iter().map(|folder| {
            let note = if folder.is_dir() { "" } else { " (no such folder)" };
            format!("{}{note}", folder.display())
        });
        let places: Vec<String> = named.chain(folders).collect();
        format!("no {} and no folder of that plugin in {}", file_name(id), places.join(", "))
    }
}

/// The user's plugin folder, `$XDG_DATA_HOME/molarena/plugins`; `None` without a home.
pub fn user_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    data.map(|data| data.join("molarena/plugins"))
}

/// The plugins of a folder that is searched, in the order of their names, libraries before folders. The folder need not
/// exist.
fn plugins_in(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    // Such as what is being installed.
    let shown = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let entries = shown.map(|entry| entry.path());
    let is_library = |path: &Path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(&prefix()) && name.ends_with(std::env::consts::DLL_SUFFIX))
    };
    let (mut libraries, mut folders): (Vec<_>, Vec<_>) = entries.partition(|path| is_library(path));
    folders.retain(|path| is_plugin_folder(path));
    libraries.sort();
    folders.sort();
    libraries.into_iter().chain(folders).filter_map(|path| Some((plugin_id(&path)?, existing(&path)?)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::manifest::MANIFEST_FILE;

    fn plugin_folder(at: &Path, id: &str) {
        fs_err::create_dir_all(at).unwrap();
        let text = format!(
            "schema = 'molarena.plugin/1'\nid = '{id}'\nversion = '0.1.0'\nlicence = 'MIT'\ncommand = ['x']\n"
        );
        fs_err::write(at.join(MANIFEST_FILE), text).unwrap();
    }

    #[test]
    fn folders_are_found_by_the_id_in_their_manifest() {
        let place = tempfile::tempdir().unwrap();
        let root = fs_err::canonicalize(place.path()).unwrap();
        plugin_folder(&root.join("checkout"), "mine");
        plugin_folder(&root.join("both"), "both");
        plugin_folder(&root.join(".hidden"), "hidden");
        fs_err::write(root.join(file_name("both")), "").unwrap();
        let search = SearchPath { files: Vec::new(), folders: vec![root.join("none"), root.clone()] };
        assert_eq!(search.find("mine"), Some(root.join("checkout")));
        assert_eq!(search.find("checkout"), None, "that is the folder's name");
        assert_eq!(search.find("both"), Some(root.join(file_name("both"))), "libraries come first");
        assert_eq!(search.all().into_keys().collect::<Vec<_>>(), ["both", "mine"]);
        assert_eq!(search.all()["both"], root.join(file_name("both")));
    }

    #[test]
    fn what_is_not_found_says_where_it_was_looked_for() {
        let search = SearchPath {
            files: vec!["/a/libmolarena_one.so".into()],
            folders: vec!["/".into(), "/no".into()],
        };
        let expected = format!(
            "no {} and no folder of that plugin in /a/libmolarena_one.so (plugin one), /, /no (no such folder)",
            file_name("my-two")
        );
        assert_eq!(search.trace("my-two"), expected);
    }
}
