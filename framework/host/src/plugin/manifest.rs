//! Plugin folders: a `plugin.toml` and the files it names.
//!
//! ```toml
//! schema = "molarena.plugin/1"
//! id = "my-method"
//! version = "0.1.0"
//! licence = "MIT"
//! command = ["{environment}/bin/python", "plugin.py"]
//! environment = ".venv"                                 # optional: what the command runs in
//! lock = "requirements.lock"                            # optional: what must be installed there
//! readable = ["/data/weights"]                          # optional: what else it may read
//! ```
//!
//! or, instead of `command`, `environment` and `lock`:
//!
//! ```toml
//! library = { linux-x86_64 = "target/release/libmolarena_my_method.so" }
//! files = ["weights.bin"]                               # optional: what else of the folder it reads
//! ```
//!
//! A command is all files of its folder. A library is its manifest, the library of this platform and `files`: a folder that
//! libraries are built in has much else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Component, Path, PathBuf},
};

use molarena_data::{sha256_file, sha256_hex};
use serde::Deserialize;

use super::lock::differences;
use crate::{
    error::{Error, Result},
    files::text::shell_word,
};

/// Schema name of a plugin folder's manifest.
pub const PLUGIN_SCHEMA: &str = "molarena.plugin/1";
/// File name of the manifest.
pub const MANIFEST_FILE: &str = "plugin.toml";
/// Stands for the environment's folder in a command.
const ENVIRONMENT: &str = "{environment}";
/// Longest id of a plugin in bytes: file names are made of it.
const LONGEST_ID: usize = 100;

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
    /// What a library reads besides itself.
    named: Vec<PathBuf>,
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
    files: Option<Vec<PathBuf>>,
    #[serde(default)]
    readable: Vec<PathBuf>,
}

/// Whether a path is a plugin folder.
pub fn is_plugin_folder(path: &Path) -> bool {
    path.join(MANIFEST_FILE).is_file()
}

/// Whether a path is a plugin folder whose manifest names a command.
pub(crate) fn is_program(path: &Path) -> bool {
    is_plugin_folder(path)
        && PluginManifest::read(path).is_ok_and(|manifest| matches!(manifest.entry, Entry::Command(_)))
}

/// Checks the id of a plugin.
///
/// # Errors
/// What an id is made of.
pub fn check_id(id: &str) -> Result<(), String> {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if id.split('-').all(is_part) && id.len() <= LONGEST_ID {
        return Ok(());
    }
    Err(format!("must be of small letters and digits, with single - between, at most {LONGEST_ID}"))
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
        check_id(&file.id).map_err(|why| failed(format!("id `{}` {why}", file.id)))?;
        if file.environment.is_none() && file.lock.is_some() {
            return Err(failed(
                "`lock` says what is installed in an `environment`, and there is none".into(),
            ));
        }
        if let Some(environment) = file.environment.as_ref().filter(|environment| environment.is_relative()) {
            inside(environment).map_err(&failed)?;
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
        let named = match (&entry, file.files) {
            (Entry::Library(_), files) => {
                check_library(file.environment.as_deref(), &file.readable).map_err(&failed)?;
                let files = files.unwrap_or_default();
                files.iter().try_for_each(|file| inside(file).map(drop)).map_err(&failed)?;
                files
            }
            (Entry::Command(_), None) => Vec::new(),
            (Entry::Command(_), Some(_)) => {
                return Err(failed(
                    "`files` goes with `library`: a `command` is all files of its folder".into(),
                ));
            }
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
            named,
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

    /// sha256 of the names and contents of the plugin's files. Of a library these are its manifest, the library of this
    /// platform and `files`; of a command all but its environment, hidden files and folders, and what Python compiled.
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

    /// The plugin's files, by their names in its folder.
    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        if let Entry::Library(library) = &self.entry {
            let library = library.strip_prefix(&self.folder).unwrap_or(library).to_owned();
            return Ok([PathBuf::from(MANIFEST_FILE), library]
                .into_iter()
                .chain(self.named.clone())
                .collect());
        }
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

    /// Copies the plugin's files, and nothing else, into the folder `to`, which is made.
    ///
    /// # Errors
    /// A file is a link that leads out of the folder, or cannot be read or written.
    pub(crate) fn copy_to(&self, to: &Path) -> Result<()> {
        let folder = fs_err::canonicalize(&self.folder)?;
        fs_err::create_dir_all(to)?;
        for name in self.files()? {
            let from = fs_err::canonicalize(folder.join(&name))?;
            if !from.starts_with(&folder) {
                let message = format!("its file {} is a link that leads out of its folder", name.display());
                return Err(Error::Plugin { path: self.folder.clone(), message });
            }
            let to = to.join(&name);
            fs_err::create_dir_all(to.parent().unwrap_or(&to))?;
            fs_err::copy(from, to)?;
        }
        Ok(())
    }

    /// What a worker must be able to read: of a library its files; of a command the folder, its environment with the
    /// interpreter behind it; and what the manifest names.
    pub(crate) fn readable(&self) -> Vec<PathBuf> {
        let mut paths = match &self.entry {
            Entry::Library(library) => {
                let named = self.named.iter().map(|name| self.folder.join(name));
                [self.folder.join(MANIFEST_FILE), library.clone()].into_iter().chain(named).collect()
            }
            Entry::Command(_) => vec![self.folder.clone()],
        };
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

    /// The folder of its environment.
    pub(crate) fn environment(&self) -> Option<&Path> {
        self.environment.as_deref()
    }

    /// Its lock file.
    pub(crate) fn lock(&self) -> Option<&Path> {
        self.lock.as_deref()
    }

    /// Whether it has an environment inside its folder, which a copy of the folder has not.
    pub(crate) fn has_own_environment(&self) -> bool {
        self.environment.as_ref().is_some_and(|environment| environment.starts_with(&self.folder))
    }

    /// The command that makes its environment, for a shell; `None` if it has none.
    pub fn making(&self) -> Option<String> {
        // Paths in a lock file are those from the plugin's folder.
        let environment = shell_word(self.seen_inside(self.environment.as_ref()?));
        let make = format!("cd {} && python3 -m venv {environment}", shell_word(&self.folder));
        Some(match &self.lock {
            Some(lock) => {
                format!("{make} && {environment}/bin/pip install -r {}", shell_word(self.seen_inside(lock)))
            }
            None => format!("{make}, and install there what the plugin needs"),
        })
    }

    /// Checks that its files are there, and that the environment has exactly what the lock file names.
    ///
    /// # Errors
    /// [`Error::Plugin`] that says what is missing, in another version, or not named.
    pub(crate) fn check(&self) -> Result<()> {
        let failed = |message: String| Error::Plugin { path: self.folder.clone(), message };
        if let Some(path) = self.readable.iter().find(|path| !path.exists()) {
            return Err(failed(format!("it reads {}, which is not there", path.display())));
        }
        if let Entry::Library(library) = &self.entry {
            if !library.exists() {
                return Err(failed(format!("its library {} is not there; build it", library.display())));
            }
            let missing = self.named.iter().find(|name| !self.folder.join(name).is_file());
            return match missing {
                Some(name) => {
                    Err(failed(format!("`files` names {}, which is no file there", name.display())))
                }
                None => Ok(()),
            };
        }
        let (Some(environment), Some(making)) = (&self.environment, self.making()) else { return Ok(()) };
        let make = format!("make it with: {making}");
        if !environment.is_dir() {
            return Err(failed(format!("its environment {} is not there; {make}", environment.display())));
        }
        let Some(lock) = &self.lock else { return Ok(()) };
        if !lock.is_file() {
            let (lock, environment) = (shell_word(lock), shell_word(environment));
            return Err(failed(format!(
                "its lock file {lock} is not there; write it with: {environment}/bin/pip freeze > {lock}"
            )));
        }
        let faults = differences(&fs_err::read_to_string(lock)?, environment);
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

/// Checks what a library cannot have: jobs open a copy of its files, with nothing around it.
fn check_library(environment: Option<&Path>, readable: &[PathBuf]) -> Result<(), String> {
    if environment.is_some() {
        return Err("`environment` goes with `command`".into());
    }
    match readable.iter().find(|path| path.is_relative()) {
        Some(path) => Err(format!(
            "`readable` names {}, which is in the folder: name it in `files`, so that it is part of the plugin's identity",
            path.display()
        )),
        None => Ok(()),
    }
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
            ("command = ['x']\nenvironment = '../.venv'", "leads out"),
            ("library = { moon-riscv = 'x.so' }", "has none for"),
            ("command = ['x']\nfiles = ['x']", "`files` goes with `library`"),
            ("command = ['x']\ncolour = 'red'", "colour"),
        ] {
            let error = folder(rest).1.unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(MANIFEST_FILE), "{rest}: {error}");
        }
        let other = tempfile::tempdir().unwrap();
        fs_err::write(other.path().join(MANIFEST_FILE), HEAD.replace("my-method", "My Method")).unwrap();
        assert!(PluginManifest::read(other.path()).unwrap_err().to_string().contains("small letters"));
    }

    /// The start of a manifest of a library.
    fn library(rest: &str) -> (tempfile::TempDir, Result<PluginManifest>) {
        folder(&format!("library = {{ {} = 'target/x.so' }}\n{rest}", platform()))
    }

    #[test]
    fn a_library_is_its_manifest_the_library_and_the_files_that_it_names() {
        let elsewhere = tempfile::tempdir().unwrap();
        let readable = elsewhere.path().display();
        let (place, manifest) = library(&format!("files = ['weights.bin']\nreadable = ['{readable}']"));
        let manifest = manifest.unwrap();
        let at = |name: &str| place.path().join(name);
        let write = |name: &str, text: &str| {
            fs_err::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs_err::write(at(name), text).unwrap();
        };
        let says = || manifest.check().map_err(|error| error.to_string());
        assert!(says().unwrap_err().contains("target/x.so is not there; build it"), "{:?}", says());
        write("target/x.so", "one");
        assert!(says().unwrap_err().contains("`files` names weights.bin"), "{:?}", says());
        write("weights.bin", "one");
        let first = manifest.sha256().unwrap();
        for made in ["target/x.d", "src/lib.rs", "README.md"] {
            write(made, "x");
            assert_eq!(manifest.sha256().unwrap(), first, "{made}");
        }
        for part in ["target/x.so", "weights.bin", "plugin.toml"] {
            let before = manifest.sha256().unwrap();
            write(part, "other");
            assert_ne!(manifest.sha256().unwrap(), before, "{part}");
        }
        let parts = ["plugin.toml", "target/x.so", "weights.bin"].map(at);
        assert_eq!(manifest.readable(), [&parts[..], &[elsewhere.path().to_owned()]].concat());

        let copy = at("copy");
        manifest.copy_to(&copy).unwrap();
        assert!(copy.join("target/x.so").is_file() && copy.join("weights.bin").is_file());
        assert!(!copy.join("src").exists() && !copy.join("target/x.d").exists());
    }

    #[test]
    fn what_a_library_cannot_have_is_refused() {
        for (rest, part) in [
            ("environment = '.venv'", "`environment` goes with `command`"),
            ("readable = ['weights']", "name it in `files`"),
            ("files = ['../weights']", "leads out"),
        ] {
            let error = library(rest).1.unwrap_err().to_string();
            assert!(error.contains(part), "{rest}: {error}");
        }
    }

    #[test]
    fn a_copy_follows_no_link_out_of_the_folder() {
        use std::os::unix::fs::symlink;
        let (place, manifest) = folder("command = ['x']");
        let (manifest, to) = (manifest.unwrap(), tempfile::tempdir().unwrap());
        fs_err::create_dir(place.path().join("a")).unwrap();
        fs_err::write(place.path().join("a/one"), "one").unwrap();
        symlink("a/one", place.path().join("inside")).unwrap();
        manifest.copy_to(to.path()).unwrap();
        assert_eq!(fs_err::read_to_string(to.path().join("inside")).unwrap(), "one");
        symlink("/etc/passwd", place.path().join("outside")).unwrap();
        let error = manifest.copy_to(to.path()).unwrap_err().to_string();
        assert!(error.contains("its file outside is a link that leads out of its folder"), "{error}");
    }

    #[test]
    fn ids_are_words_of_small_letters_and_digits() {
        for id in ["a", "my-method", "3d", "a-1-b"] {
            assert_eq!(check_id(id), Ok(()), "{id}");
        }
        let long = "a".repeat(101);
        for id in ["", "-", "-a", "a-", "a--b", "My", "a_b", "a.b", "a/b", "..", "é", &long] {
            assert!(check_id(id).is_err(), "{id}");
        }
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
        fs_err::create_dir(folder.path().join("env")).unwrap();
        assert!(says().unwrap_err().contains("env/bin/pip freeze > "), "{:?}", says());
        fs_err::remove_dir(folder.path().join("env")).unwrap();
        let lock = "# comment\n../../framework/python\n--hash\nNumPy==2.0.1 \\\n    --hash=sha256:aa\nscikit_learn[x]==1.5.0 ; python_version > '3'\nOwn @ file:///x#y\n";
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
        assert!(says().unwrap_err().contains("own is not installed"));
        install("own-0.1.0");
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
