//! Installs plugins into the user's plugin folder, and removes them.
//!
//! A plugin is copied into a hidden folder there, opened by a worker, and renamed into place, so that what does not open is
//! not installed and what was there before stays until then.

use std::{
    io::Read,
    path::{Component, Path, PathBuf},
    process::Command,
};

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use crate::{
    error::{Error, Result},
    files::folder::{Temporary, remove_tree},
    launch::Launcher,
    plan::describe::describe,
    plugin::{
        manifest::{MANIFEST_FILE, PluginManifest, is_plugin_folder},
        search::{Plugin, file_name, plugin_id},
    },
};

/// How the name of an archive ends.
const ARCHIVES: [&str; 2] = [".tar.gz", ".tgz"];
/// Most bytes of the files of an archive together.
const MOST_BYTES: u64 = 16 << 30;
/// Most files of an archive.
const MOST_FILES: usize = 100_000;

/// How a plugin is installed.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstallOptions {
    /// Whether a plugin of the same id with other bytes is replaced.
    pub force: bool,
    /// Whether the environment is made from the lock file.
    pub with_environment: bool,
}

/// A plugin that was installed.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The plugin; its path is where it was installed.
    pub plugin: Plugin,
    /// Whether it was there before, the same.
    pub unchanged: bool,
    /// The command that makes its environment, if it has one in its folder that was not made.
    pub making: Option<String>,
}

/// Installs a library, a plugin folder, or an archive (.tar.gz) of one into the folder `to`, once a worker could open it.
///
/// # Errors
/// The plugin cannot be opened; another one of its id is there and not to be replaced; its environment cannot be made.
pub fn install_plugin(
    launcher: &Launcher,
    from: &Path,
    to: &Path,
    options: InstallOptions,
) -> Result<Installed> {
    let absent =
        || Error::Plugin { path: from.to_owned(), message: "there is no such file or folder".into() };
    let source = fs_err::canonicalize(from).map_err(|_| absent())?;
    fs_err::create_dir_all(to)?;
    let to = &fs_err::canonicalize(to)?;
    let stage = Temporary::make(".install-", to)?;
    let installation = Installation { launcher, from, to, stage: stage.path(), options };
    if is_plugin_folder(&source) {
        installation.folder(&source, true)
    } else if source.is_file() && ARCHIVES.iter().any(|end| from.to_string_lossy().ends_with(end)) {
        let unpacked = stage.path().join("unpacked");
        let failed = |message: String| Error::Archive { path: from.to_owned(), message };
        unpack(fs_err::File::open(&source)?, &unpacked).map_err(|error| failed(error.to_string()))?;
        let folder = top(&unpacked).ok_or_else(|| {
            failed(format!("no archive of a plugin: no {MANIFEST_FILE} at its top or in its one folder"))
        })?;
        installation.folder(&folder, false)
    } else if source.is_dir() {
        let message = format!("no plugin folder: it has no {MANIFEST_FILE}");
        Err(Error::Plugin { path: from.to_owned(), message })
    } else {
        installation.library(&source)
    }
}

/// Removes the plugin `id` from the folder `to`, and returns what was removed. Of a link only the link goes.
///
/// # Errors
/// [`Error::Plugin`] if it is not there.
pub fn remove_plugin(id: &str, to: &Path) -> Result<Vec<PathBuf>> {
    let found = installed(id, to);
    if found.is_empty() {
        let message = format!("no {} and no folder of that plugin in {}", file_name(id), to.display());
        return Err(Error::Plugin { path: id.into(), message });
    }
    let aside = Temporary::make(".remove-", to)?;
    for (number, path) in found.iter().enumerate() {
        fs_err::rename(path, aside.path().join(number.to_string()))?;
    }
    Ok(found)
}

/// The libraries, folders and links of plugin `id` in the folder `to`.
fn installed(id: &str, to: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(to).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_hidden = |name: &str| name.starts_with('.');
    let is_its = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let of_manifest = || is_plugin_folder(path) && plugin_id(path).as_deref() == Some(id);
        let is_dangling = || name == id && path.is_symlink() && !path.exists();
        !is_hidden(&name) && (name == file_name(id) || of_manifest() || is_dangling())
    };
    let mut found: Vec<PathBuf> = entries.filter(is_its).collect();
    found.sort();
    found
}

struct Installation<'a> {
    launcher: &'a Launcher,
    /// As the user names it.
    from: &'a Path,
    to: &'a Path,
    stage: &'a Path,
    options: InstallOptions,
}

impl Installation<'_> {
    fn library(&self, source: &Path) -> Result<Installed> {
        if self.options.with_environment {
            return Err(self.without_environment());
        }
        // Under its own name, which says its id.
        let copy = self.stage.join(source.file_name().unwrap_or_default());
        fs_err::copy(source, &copy)?;
        let plugin = self.described(&copy)?;
        let place = self.to.join(file_name(&plugin.description.id));
        self.place(&copy, plugin, &place)
    }

    /// Installs a folder. `with_its_environment` says whether its environment may be there: an archive has none.
    fn folder(&self, source: &Path, with_its_environment: bool) -> Result<Installed> {
        let manifest = PluginManifest::read(source)?;
        if !manifest.has_own_environment() {
            manifest.check()?;
        }
        let copy = self.stage.join(&manifest.id);
        manifest.copy_to(&copy)?;
        let place = self.to.join(&manifest.id);
        match (manifest.has_own_environment(), self.options.with_environment) {
            (false, false) => self.place(&copy, self.described(&copy)?, &place),
            (false, true) => Err(self.without_environment()),
            (true, true) => self.with_environment(&copy, &place),
            (true, false) if with_its_environment => {
                let plugin = self.described(source)?;
                let copied = PluginManifest::read(&copy)?.sha256()?;
                if plugin.sha256 != copied {
                    return Err(self.failed("its files were changed while it was installed; try again"));
                }
                let mut installed = self.place(&copy, plugin, &place)?;
                let placed = PluginManifest::read(&installed.plugin.path)?;
                if placed.check().is_err() {
                    installed.making = placed.making();
                }
                Ok(installed)
            }
            (true, false) => Err(Error::Request(format!(
                "{}: its plugin runs in an environment, which no archive has; give --with-environment to make it from the \
                 lock file",
                self.from.display()
            ))),
        }
    }

    /// Places a folder and makes its environment there: an environment knows its own path.
    fn with_environment(&self, copy: &Path, place: &Path) -> Result<Installed> {
        let manifest = PluginManifest::read(copy)?;
        let replaced = self.make_way(&manifest.id, &manifest.version, &manifest.sha256()?, place)?;
        let put = replaced.put(copy, place).and_then(|()| {
            make_environment(&PluginManifest::read(place)?)?;
            describe(self.launcher, place, &std::env::temp_dir())
        });
        match put {
            Ok(plugin) => Ok(Installed { plugin, unchanged: false, making: None }),
            Err(error) => {
                replaced.undo(place)?;
                Err(error)
            }
        }
    }

    fn place(&self, copy: &Path, plugin: Plugin, place: &Path) -> Result<Installed> {
        let plugin = Plugin { path: place.to_owned(), ..plugin };
        if installed(&plugin.description.id, self.to) == [place]
            && !place.is_symlink()
            && sha256_of(place).is_some_and(|sha256| sha256 == plugin.sha256)
        {
            return Ok(Installed { plugin, unchanged: true, making: None });
        }
        let (id, version) = (&plugin.description.id, &plugin.description.version);
        let replaced = self.make_way(id, version, &plugin.sha256, place)?;
        if let Err(error) = replaced.put(copy, place) {
            replaced.undo(place)?;
            return Err(error);
        }
        Ok(Installed { plugin, unchanged: false, making: None })
    }

    /// What is there of plugin `id` and will be replaced; refuses if it may not be.
    fn make_way(&self, id: &str, version: &str, sha256: &str, place: &Path) -> Result<Replaced> {
        let found = installed(id, self.to);
        if let Some(known) = found.first()
            && !self.options.force
            && !(found.len() == 1 && sha256_of(known).as_deref() == Some(sha256))
        {
            let of = match describe(self.launcher, known, &std::env::temp_dir()) {
                Ok(plugin) => format!("{id} {}", plugin.description.version),
                Err(_) => id.to_owned(),
            };
            return Err(Error::Request(format!(
                "{of} is installed already, in {}; give --force to replace it by this {id} {version}, which has other files",
                known.display()
            )));
        }
        if place.symlink_metadata().is_ok() && !found.iter().any(|known| known == place) {
            return Err(Error::Request(format!(
                "{} is there and is no plugin {id}; move it away",
                place.display()
            )));
        }
        let aside = |(number, path): (usize, PathBuf)| (path, self.stage.join(format!("old-{number}")));
        Ok(Replaced(found.into_iter().enumerate().map(aside).collect()))
    }

    /// Opens a plugin in a worker; errors name what the user named.
    fn described(&self, path: &Path) -> Result<Plugin> {
        describe(self.launcher, path, &std::env::temp_dir()).map_err(|error| match error {
            Error::Plugin { message, .. } => self.failed(message),
            error => error,
        })
    }

    fn failed(&self, message: impl Into<String>) -> Error {
        Error::Plugin { path: self.from.to_owned(), message: message.into() }
    }

    fn without_environment(&self) -> Error {
        Error::Request(format!(
            "--with-environment: {} has no environment in its folder",
            self.from.display()
        ))
    }
}

/// What a plugin replaces: where it was, and where it is until the end.
struct Replaced(Vec<(PathBuf, PathBuf)>);

impl Replaced {
    fn put(&self, copy: &Path, place: &Path) -> Result<()> {
        for (from, to) in &self.0 {
            fs_err::rename(from, to)?;
        }
        Ok(fs_err::rename(copy, place)?)
    }

    fn undo(&self, place: &Path) -> Result<()> {
        // Not what was there before and has not been moved.
        if self.0.iter().all(|(_, aside)| aside.symlink_metadata().is_ok()) {
            remove_tree(place)?;
        }
        for (from, to) in self.0.iter().filter(|(_, aside)| aside.symlink_metadata().is_ok()) {
            fs_err::rename(to, from)?;
        }
        Ok(())
    }
}

/// sha256 of a library, or of the files of a plugin folder; `None` if it cannot be read.
fn sha256_of(plugin: &Path) -> Option<String> {
    if is_plugin_folder(plugin) {
        PluginManifest::read(plugin).and_then(|manifest| manifest.sha256()).ok()
    } else {
        molarena_data::sha256_file(plugin).ok()
    }
}

/// Makes a plugin's environment from its lock file with `python3 -m venv` and `pip`, whose output goes to standard error.
fn make_environment(manifest: &PluginManifest) -> Result<()> {
    let failed = |message: String| Error::Plugin { path: manifest.folder.clone(), message };
    let (Some(environment), Some(lock)) = (manifest.environment(), manifest.lock()) else {
        return Err(failed("its manifest names no `lock` to make its environment from".into()));
    };
    if environment.exists() {
        return Ok(());
    }
    let run = |command: &mut Command| {
        let program = command.get_program().to_string_lossy().into_owned();
        let why = match command.stdout(std::io::stderr()).status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => format!("{program} ended with {status}"),
            Err(error) => format!("{program}: {error}"),
        };
        Err(failed(format!("its environment cannot be made: {why}")))
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(environment))?;
    run(Command::new(environment.join("bin/pip")).args(["install", "-r"]).arg(lock))
}

/// Writes the files of an archive below the new folder `to`: plain files and folders, nothing elsewhere.
fn unpack(file: impl Read, to: &Path) -> std::io::Result<()> {
    let wrong = |message: String| std::io::Error::other(message);
    fs_err::create_dir(to)?;
    let (mut count, mut bytes) = (0, 0);
    for entry in Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let kind = entry.header().entry_type();
        // What `git archive` begins with: the commit.
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let is_inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !path.components().all(is_inside) {
            return Err(wrong(format!("its file `{}` leads out of its folder", path.display())));
        }
        (count, bytes) = (count + 1, bytes + entry.size());
        if bytes > MOST_BYTES || count > MOST_FILES {
            return Err(wrong(format!("it has more than {MOST_FILES} files or {} GiB", MOST_BYTES >> 30)));
        }
        let place = to.join(&path);
        match kind {
            EntryType::Directory => fs_err::create_dir_all(place)?,
            EntryType::Regular | EntryType::Continuous => {
                fs_err::create_dir_all(place.parent().unwrap_or(to))?;
                let mut options = fs_err::OpenOptions::new();
                #[cfg(unix)]
                fs_err::os::unix::fs::OpenOptionsExt::mode(
                    &mut options,
                    if entry.header().mode()? & 0o111 == 0 { 0o644 } else { 0o755 },
                );
                std::io::copy(&mut entry, &mut options.write(true).create_new(true).open(place)?)?;
            }
            _ => return Err(wrong(format!("`{}` is neither a plain file nor a folder", path.display()))),
        }
    }
    Ok(())
}

/// The plugin folder in an unpacked archive: it itself, or the one folder in it.
fn top(unpacked: &Path) -> Option<PathBuf> {
    if is_plugin_folder(unpacked) {
        return Some(unpacked.to_owned());
    }
    let mut entries = fs_err::read_dir(unpacked).ok()?.flatten().map(|entry| entry.path());
    let only = entries.next().filter(|path| is_plugin_folder(path))?;
    entries.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn plugin(folder: &Path, id: &str) {
        fs_err::create_dir_all(folder).unwrap();
        let text = format!(
            "schema = 'molarena.plugin/1'\nid = '{id}'\nversion = '0.1.0'\nlicence = 'MIT'\ncommand = ['x']\n"
        );
        fs_err::write(folder.join(MANIFEST_FILE), text).unwrap();
    }

    #[test]
    fn what_is_removed_is_what_has_the_id_and_no_more() {
        let place = tempfile::tempdir().unwrap();
        let (root, elsewhere) = (place.path().join("plugins"), place.path().join("elsewhere"));
        plugin(&root.join("checkout"), "mine");
        plugin(&root.join("mine"), "other");
        plugin(&elsewhere, "linked");
        symlink(&elsewhere, root.join("a-link")).unwrap();
        symlink("nowhere", root.join("gone")).unwrap();
        fs_err::write(root.join(file_name("mine")), "x").unwrap();
        let names = |id: &str| -> Vec<String> {
            let removed = remove_plugin(id, &root).unwrap();
            removed.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("mine"), ["checkout".to_owned(), file_name("mine")]);
        assert_eq!(names("linked"), ["a-link"]);
        assert!(is_plugin_folder(&elsewhere), "only the link is gone");
        assert_eq!(names("gone"), ["gone"]);
        let error = remove_plugin("mine", &root).unwrap_err().to_string();
        assert!(error.contains("plugin mine: no ") && error.contains(root.to_str().unwrap()), "{error}");
        assert_eq!(names("other"), ["mine"]);
        assert_eq!(fs_err::read_dir(&root).unwrap().count(), 0, "nothing is left over");
    }

    /// An archive of entries: name, kind, content.
    fn archive(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, kind, text) in entries {
            let mut header = tar::Header::new_gnu();
            // `set_path` refuses what leads out.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(text.len() as u64);
            header.set_mode(if name.ends_with("start") { 0o755 } else { 0o644 });
            header.set_cksum();
            archive.append(&header, text.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn archives_of_a_plugin_are_unpacked() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let (file, folder) = (EntryType::Regular, EntryType::Directory);
        for (number, (entries, expected)) in [
            (vec![("./plugin.toml", file, ""), ("./bin/start", file, "x")], Some("")),
            (
                vec![("mine", folder, ""), ("mine/plugin.toml", file, ""), ("mine/bin/start", file, "x")],
                Some("mine"),
            ),
            (vec![("one/plugin.toml", file, ""), ("two/plugin.toml", file, "")], None),
            (vec![("README.md", file, "")], None),
        ]
        .into_iter()
        .enumerate()
        {
            let to = place.path().join(number.to_string());
            unpack(archive(&entries).as_slice(), &to).unwrap();
            assert_eq!(top(&to), expected.map(|name| to.join(name).components().collect()));
            if let Some(found) = top(&to) {
                let mode = fs_err::metadata(found.join("bin/start")).unwrap().permissions().mode();
                assert_eq!(mode & 0o111, 0o111 & mode, "{mode:o}");
                assert!(mode & 0o100 != 0);
            }
        }
    }

    #[test]
    fn archives_that_lead_elsewhere_are_refused() {
        let place = tempfile::tempdir().unwrap();
        for (number, (name, kind, part)) in [
            ("../plugin.toml", EntryType::Regular, "leads out of its folder"),
            ("/etc/plugin.toml", EntryType::Regular, "leads out of its folder"),
            ("a/../../plugin.toml", EntryType::Regular, "leads out of its folder"),
            ("link", EntryType::Symlink, "neither a plain file nor a folder"),
            ("link", EntryType::Link, "neither a plain file nor a folder"),
            ("fifo", EntryType::Fifo, "neither a plain file nor a folder"),
        ]
        .into_iter()
        .enumerate()
        {
            let to = place.path().join(number.to_string());
            let error = unpack(archive(&[(name, kind, "")]).as_slice(), &to).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(name), "{name}: {error}");
        }
        let twice = [("plugin.toml", EntryType::Regular, "one"), ("plugin.toml", EntryType::Regular, "two")];
        assert!(unpack(archive(&twice).as_slice(), &place.path().join("twice")).is_err());
        assert!(unpack(&b"no archive"[..], &place.path().join("text")).is_err());
    }

    #[test]
    fn what_is_replaced_comes_back_if_the_new_one_cannot_stay() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        for name in ["old", "new"] {
            fs_err::create_dir(at(name)).unwrap();
            fs_err::write(at(name).join("says"), name).unwrap();
        }
        let says = || fs_err::read_to_string(at("old/says")).unwrap();
        let replaced = Replaced(vec![(at("old"), at("aside"))]);
        replaced.put(&at("new"), &at("old")).unwrap();
        assert_eq!(says(), "new");
        replaced.undo(&at("old")).unwrap();
        assert_eq!(says(), "old");
        assert!(!at("aside").exists());
        // The new one is not there at all.
        assert!(replaced.put(&at("absent"), &at("old")).is_err());
        replaced.undo(&at("old")).unwrap();
        assert_eq!(says(), "old");
    }
}
