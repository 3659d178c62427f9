//! Plugin folders: a `plugin.toml` and the files it names.
//!
//! ```toml
//! schema = "molarena.plugin/1"
//! id = "my-method"
//! version = "0.1.0"
//! licence = "MIT"
//! command = ["{environment}/bin/python", "plugin.py"]   # or: library = { linux-x86_64 = "libmolarena_my_method.so" }
//! environment = ".venv"                                 # optional: what the command runs in
//! lock = "requirements.lock"                            # optional: what must be installed there
//! readable = ["/data/weights"]                          # optional: what else it may read
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Component, Path, PathBuf},
};

use molarena_data::{sha256_file, sha256_hex};
use serde::Deserialize;

use crate::error::{Error, Result};

/// Schema name of a plugin folder's manifest.
pub const PLUGIN_SCHEMA: &str = "molarena.plugin/1";
/// File name of the manifest.
pub const MANIFEST_FILE: &str = "plugin.toml";
/// Stands for the environment's folder in a command.
const ENVIRONMENT: &str = "{environment}";
/// Packages of an environment that a lock file need not name: they install the others.
const INSTALLERS: [&str; 4] = ["pip", "setuptools", "wheel", "uv"];

/// The manifest of a plugin folder.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginManifest {
    /// The plugin's folder.
    pub folder: PathBuf,
    /// Id of the plugin.
    pub id: String,
    /// The plugin's own version.
    pub version: String,
    /// Licence as an SPDX expression.
    pub licence: String,
    /// What is opened or started.
    pub entry: Entry,
    environment: Option<PathBuf>,
    lock: Option<PathBuf>,
    readable: Vec<PathBuf>,
}

/// What of a plugin folder a worker opens or starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A library for this platform.
    Library(PathBuf),
    /// A program and its arguments; it speaks `molarena.process/1`.
    Command(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    schema: String,
    id: String,
    version: String,
    licence: String,
    library: Option<BTreeMap<String, PathBuf>>,
    command: Option<Vec<String>>,
    environment: Option<PathBuf>,
    lock: Option<PathBuf>,
    #[serde(default)]
    readable: Vec<PathBuf>,
}

/// Whether a path is a plugin folder.
pub fn is_plugin_folder(path: &Path) -> bool {
    path.join(MANIFEST_FILE).is_file()
}

impl PluginManifest {
    /// Reads the manifest of a plugin folder.
    ///
    /// # Errors
    /// [`Error::Document`] that names the file and the key at fault.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST_FILE);
        let failed = |message: String| Error::Document { path: path.clone(), message };
        let text = fs_err::read_to_string(&path)?;
        let file: ManifestFile = toml::from_str(&text).map_err(|error| failed(error.to_string()))?;
        if file.schema != PLUGIN_SCHEMA {
            return Err(failed(format!("schema is `{}`, expected `{PLUGIN_SCHEMA}`", file.schema)));
        }
        let is_id = |id: &str| {
            !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        if !is_id(&file.id) {
            return Err(failed(format!("id `{}` must be of small letters, digits and -", file.id)));
        }
        if file.environment.is_none() && file.lock.is_some() {
            return Err(failed(
                "`lock` says what is installed in an `environment`, and there is none".into(),
            ));
        }
        let entry = match (file.library, file.command) {
            (Some(libraries), None) => {
                let platform = platform();
                let library = libraries.get(&platform).ok_or_else(|| {
                    let known: Vec<&str> = libraries.keys().map(String::as_str).collect();
                    failed(format!("`library` has none for {platform}; it has: {}", known.join(", ")))
                })?;
                Entry::Library(folder.join(inside(library).map_err(&failed)?))
            }
            (None, Some(command)) if command.first().is_some_and(|program| !program.is_empty()) => {
                if file.environment.is_none() && command.iter().any(|part| part.contains(ENVIRONMENT)) {
                    return Err(failed(format!(
                        "`command` names {ENVIRONMENT}, and there is no `environment`"
                    )));
                }
                Entry::Command(command)
            }
            (None, Some(_)) => return Err(failed("`command` is empty".into())),
            _ => return Err(failed("needs either `library` or `command`".into())),
        };
        let lock = file.lock.map(|lock| inside(&lock).map(Path::to_owned)).transpose().map_err(&failed)?;
        Ok(Self {
            folder: folder.to_owned(),
            id: file.id,
            version: file.version,
            licence: file.licence,
            entry,
            environment: file.environment.map(|environment| folder.join(environment)),
            lock: lock.map(|lock| folder.join(lock)),
            readable: file.readable.into_iter().map(|path| folder.join(path)).collect(),
        })
    }

    /// The program and its arguments, with the paths of the plugin's folder and environment; `None` for a library.
    pub(crate) fn command(&self) -> Option<Vec<String>> {
        let Entry::Command(command) = &self.entry else { return None };
        let environment = self.environment.as_deref().unwrap_or(&self.folder).display().to_string();
        let mut command: Vec<String> =
            command.iter().map(|part| part.replace(ENVIRONMENT, &environment)).collect();
        if command[0].contains('/') {
            command[0] = self.folder.join(&command[0]).display().to_string();
        }
        Some(command)
    }

    /// sha256 of the names and contents of the files of the folder: all but its environment, hidden files and folders, and
    /// what Python compiled.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn sha256(&self) -> Result<String> {
        let mut text = String::from("molarena.plugin-folder/1\n");
        for name in self.files()? {
            let sha256 = sha256_file(self.folder.join(&name))
                .map_err(|error| Error::Plugin { path: self.folder.clone(), message: error.to_string() })?;
            writeln!(text, "{sha256}  {}", name.display()).expect("a String takes every write");
        }
        Ok(sha256_hex(text.as_bytes()))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        let mut files = BTreeSet::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs_err::read_dir(self.folder.join(&folder))? {
                let entry = entry?;
                let name = folder.join(entry.file_name());
                let path = self.folder.join(&name);
                let text = entry.file_name();
                let text = text.to_string_lossy();
                if text.starts_with('.') || text == "__pycache__" || Some(&path) == self.environment.as_ref()
                {
                    continue;
                }
                if path.is_dir() {
                    folders.push(name);
                } else {
                    files.insert(name);
                }
            }
        }
        Ok(files)
    }

    /// What a worker must be able to read: the folder, its environment with the interpreter behind it, and what it names.
    pub(crate) fn readable(&self) -> Vec<PathBuf> {
        let mut paths = vec![self.folder.clone()];
        if let Some(environment) = &self.environment {
            paths.push(environment.clone());
            paths.extend(base_of(environment));
        }
        paths.extend(self.readable.iter().cloned());
        paths
    }

    /// A path as seen from the plugin's folder.
    fn seen_inside<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.folder).unwrap_or(path)
    }

    /// Checks that the environment is there and has exactly what the lock file names.
    ///
    /// # Errors
    /// [`Error::Plugin`] that says what is missing, in another version, or not named.
    pub(crate) fn check(&self) -> Result<()> {
        let failed = |message: String| Error::Plugin { path: self.folder.clone(), message };
        if let Some(path) = self.readable.iter().find(|path| !path.exists()) {
            return Err(failed(format!("it reads {}, which is not there", path.display())));
        }
        let Some(environment) = &self.environment else { return Ok(()) };
        // Paths in a lock file are those from the plugin's folder.
        let make = format!(
            "make it with: cd {} && python3 -m venv {1} && {1}/bin/pip install{2}",
            self.folder.display(),
            self.seen_inside(environment).display(),
            self.lock
                .as_ref()
                .map_or_else(String::new, |lock| format!(" -r {}", self.seen_inside(lock).display()))
        );
        if !environment.is_dir() {
            return Err(failed(format!("its environment {} is not there; {make}", environment.display())));
        }
        let Some(lock) = &self.lock else { return Ok(()) };
        let locked = locked(&fs_err::read_to_string(lock)?);
        let installed = installed(environment);
        let differ = |(name, version): (&String, &String)| match installed.get(name) {
            None => Some(format!("{name} {version} is not installed")),
            Some(found) if found != version => Some(format!("{name} is {found}, locked is {version}")),
            Some(_) => None,
        };
        let unnamed = |name: &&String| !locked.contains_key(*name) && !INSTALLERS.contains(&name.as_str());
        let mut faults: Vec<String> = locked.iter().filter_map(differ).collect();
        faults.extend(
            installed.keys().filter(unnamed).map(|name| format!("{name} is installed, but not locked")),
        );
        if faults.is_empty() {
            return Ok(());
        }
        let lock = self.seen_inside(lock).display();
        Err(failed(format!("its environment is not that of {lock}: {}; {make}", faults.join(", "))))
    }
}

/// The paths that a worker needs to open a plugin: a library, or a folder and what its manifest names.
///
/// # Errors
/// The manifest cannot be read.
pub(crate) fn readable(plugin: &Path) -> Result<Vec<PathBuf>> {
    if is_plugin_folder(plugin) {
        Ok(PluginManifest::read(plugin)?.readable())
    } else {
        Ok(vec![plugin.to_owned()])
    }
}

/// As manifests name platforms, such as `linux-x86_64`.
fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

/// A path that stays inside its folder.
fn inside(path: &Path) -> Result<&Path, String> {
    if path.components().all(|part| matches!(part, Component::Normal(_))) {
        return Ok(path);
    }
    Err(format!("`{}` leads out of the plugin's folder", path.display()))
}

/// The folder of the interpreter that a Python environment was made from, as its `pyvenv.cfg` says.
fn base_of(environment: &Path) -> Option<PathBuf> {
    let text = fs_err::read_to_string(environment.join("pyvenv.cfg")).ok()?;
    let home = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "home").then(|| PathBuf::from(value.trim()))
    })?;
    // A link to the interpreter, such as one of a version manager, is followed.
    let program = fs_err::canonicalize(home.join("python3")).unwrap_or_else(|_| home.join("python3"));
    program.parent()?.parent().map(Path::to_owned)
}

/// Names and versions of a lock file: lines `name==version`, with or without hashes, markers and comments.
fn locked(text: &str) -> BTreeMap<String, String> {
    let pin = |line: &str| {
        let line = line.split(['#', ';', '\\']).next().unwrap_or_default().trim();
        let (name, version) = line.split_once("==")?;
        let name = name.split('[').next().unwrap_or_default();
        let version = version.split_whitespace().next()?;
        Some((normalised(name), version.to_owned()))
    };
    text.lines().filter(|line| !line.trim_start().starts_with('-')).filter_map(pin).collect()
}

/// Names and versions of the packages of a Python environment.
fn installed(environment: &Path) -> BTreeMap<String, String> {
    let libraries = fs_err::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    let site = libraries.map(|entry| entry.path().join("site-packages")).filter(|path| path.is_dir());
    let entries = site.filter_map(|path| fs_err::read_dir(path).ok()).flatten().flatten();
    let package = |name: String| {
        let stem = name.strip_suffix(".dist-info")?;
        let (name, version) = stem.rsplit_once('-')?;
        Some((normalised(name), version.to_owned()))
    };
    entries.filter_map(|entry| package(entry.file_name().to_string_lossy().into_owned())).collect()
}

/// A package's name as PEP 503 compares them.
fn normalised(name: &str) -> String {
    let mut normal = String::new();
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "schema = 'molarena.plugin/1'\nid = 'my-method'\nversion = '0.1.0'\nlicence = 'MIT'\n";

    fn folder(rest: &str) -> (tempfile::TempDir, Result<PluginManifest>) {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join(MANIFEST_FILE), format!("{HEAD}{rest}")).unwrap();
        let manifest = PluginManifest::read(folder.path());
        (folder, manifest)
    }

    #[test]
    fn commands_know_their_folder_and_environment() {
        let (folder, manifest) =
            folder("command = ['{environment}/bin/python', 'plugin.py']\nenvironment = '.venv'");
        let python = folder.path().join(".venv/bin/python").display().to_string();
        assert_eq!(manifest.unwrap().command().unwrap(), [python.as_str(), "plugin.py"]);
        let (place, manifest) = self::folder("command = ['bin/start']");
        assert_eq!(
            manifest.unwrap().command().unwrap(),
            [place.path().join("bin/start").display().to_string()]
        );
        let (_place, manifest) = self::folder("command = ['python3', 'plugin.py']");
        assert_eq!(manifest.unwrap().command().unwrap()[0], "python3", "found in the system's folders");
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_key() {
        for (rest, part) in [
            ("", "needs either `library` or `command`"),
            ("command = []", "`command` is empty"),
            ("command = ['x']\nlibrary = { linux-x86_64 = 'x.so' }", "needs either"),
            ("command = ['{environment}/bin/x']", "there is no `environment`"),
            ("command = ['x']\nlock = 'requirements.lock'", "`lock` says"),
            ("command = ['x']\nenvironment = '.venv'\nlock = '../lock'", "leads out"),
            ("library = { moon-riscv = 'x.so' }", "has none for"),
            ("command = ['x']\ncolour = 'red'", "colour"),
        ] {
            let error = folder(rest).1.unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(MANIFEST_FILE), "{rest}: {error}");
        }
        let other = tempfile::tempdir().unwrap();
        fs_err::write(other.path().join(MANIFEST_FILE), HEAD.replace("my-method", "My Method")).unwrap();
        assert!(PluginManifest::read(other.path()).unwrap_err().to_string().contains("small letters"));
    }

    #[test]
    fn every_file_is_part_of_the_identity_but_what_is_made() {
        let (folder, manifest) = folder("command = ['x']\nenvironment = 'env'");
        let manifest = manifest.unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
            manifest.sha256().unwrap()
        };
        let first = write("plugin.py", "one");
        assert_ne!(write("plugin.py", "two"), first);
        assert_eq!(write("plugin.py", "one"), first);
        for made in ["env/lib/x", ".git/x", ".hidden", "a/__pycache__/x.pyc"] {
            assert_eq!(write(made, "x"), first, "{made}");
        }
        assert_ne!(write("a/weights.bin", "x"), first);
    }

    #[test]
    fn an_environment_is_that_of_its_lock_file() {
        let (folder, manifest) = folder("command = ['x']\nenvironment = 'env'\nlock = 'lock'");
        let manifest = manifest.unwrap();
        let says = || manifest.check().map_err(|error| error.to_string());
        let lock = "# comment\n../../framework/python\n--hash\nNumPy==2.0.1 \\\n    --hash=sha256:aa\nscikit_learn[x]==1.5.0 ; python_version > '3'\n";
        fs_err::write(folder.path().join("lock"), lock).unwrap();
        let made =
            format!("cd {} && python3 -m venv env && env/bin/pip install -r lock", folder.path().display());
        assert!(says().unwrap_err().contains(&made), "{:?}", says());
        let site = folder.path().join("env/lib/python3.11/site-packages");
        let install = |name: &str| fs_err::create_dir_all(site.join(format!("{name}.dist-info"))).unwrap();
        install("numpy-2.0.1");
        install("pip-24.0");
        assert!(says().unwrap_err().contains("scikit-learn 1.5.0 is not installed"));
        install("scikit_learn-1.4.0");
        assert!(says().unwrap_err().contains("scikit-learn is 1.4.0, locked is 1.5.0"));
        fs_err::remove_dir(site.join("scikit_learn-1.4.0.dist-info")).unwrap();
        install("scikit_learn-1.5.0");
        assert_eq!(says(), Ok(()));
        install("extra-1.0");
        assert!(says().unwrap_err().contains("extra is installed, but not locked"));
    }

    #[test]
    fn the_interpreter_behind_an_environment_is_readable() {
        let (folder, manifest) =
            folder("command = ['x']\nenvironment = 'env'\nreadable = ['/weights', 'more']");
        let base = folder.path().join("base");
        fs_err::create_dir_all(base.join("bin")).unwrap();
        fs_err::write(base.join("bin/python3"), "").unwrap();
        fs_err::create_dir(folder.path().join("env")).unwrap();
        let text = format!("home = {}\nversion = 3.11\n", base.join("bin").display());
        fs_err::write(folder.path().join("env/pyvenv.cfg"), text).unwrap();
        let base = fs_err::canonicalize(base).unwrap();
        let at = |name: &str| folder.path().join(name);
        let readable = manifest.unwrap().readable();
        assert_eq!(
            readable,
            [folder.path().to_owned(), at("env"), base, PathBuf::from("/weights"), at("more")]
        );
    }
}
