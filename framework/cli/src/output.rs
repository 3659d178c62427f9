//! Checks an output before any work starts: its folder is there and can be written to, and it takes the place of nothing
//! that the command reads.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use molarena_data::Catalog;
use molarena_host::{Error, failures_path, partial_path, plugin::search::SearchPath};

use crate::args::{Places, PluginPlaces, ScoredData};

/// Longest name of a file, in bytes, on the file systems that are in use.
const LONGEST_NAME: usize = 255;
/// Longest ending that a command adds to an output's name.
const LONGEST_ENDING: usize = ".failures.csv".len();

/// What a command reads. No output may take its place.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    files: Vec<PathBuf>,
    /// Folders in which no output may be: the store and a model.
    folders: Vec<PathBuf>,
}

impl Inputs {
    /// The files of all datasets, context graphs, method files and plugins that the command may read.
    ///
    /// # Errors
    /// Errors of reading manifests, and those of the folders that the command line names.
    pub(crate) fn of_places(
        places: &Places,
        plugins: Option<&PluginPlaces>,
        methods_dir: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let catalog = Catalog::with_dir(places.datasets_dir.as_deref())?;
        let mut files: Vec<PathBuf> = Vec::new();
        for manifest in catalog.iter() {
            files.extend(manifest.files.iter().map(|file| file.locate(&places.data_dir)));
        }
        for manifest in catalog.contexts() {
            files.extend(manifest.files.iter().map(|file| file.locate(&places.data_dir)));
        }
        if let Some(folder) = &places.datasets_dir {
            files.extend(listed(folder).map(|folder| folder.join("dataset.toml")));
            files.extend(listed(folder).map(|folder| folder.join("context.toml")));
        }
        if let Some(plugins) = plugins {
            files.extend(SearchPath::new(&plugins.plugins)?.all().into_values());
        }
        Ok(Self { files, folders: Vec::new() }.and_all_in(methods_dir))
    }

    /// The files that the labels of scored records are read from.
    ///
    /// # Errors
    /// As of [`Self::of_places`].
    pub(crate) fn of_scored(data: &ScoredData) -> anyhow::Result<Self> {
        Ok(Self::of_places(&data.places, None, None)?.and(data.own.csv.as_deref()))
    }

    /// Adds files; `-` is standard input, which may be a file, too.
    pub(crate) fn and<'a>(mut self, files: impl IntoIterator<Item = &'a Path>) -> Self {
        let named = |path: &Path| if path == Path::new("-") { "/dev/stdin".into() } else { path.to_owned() };
        self.files.extend(files.into_iter().map(named));
        self
    }

    /// Adds all files of a folder, such as that of the methods.
    pub(crate) fn and_all_in(mut self, folder: Option<&Path>) -> Self {
        self.files.extend(folder.into_iter().flat_map(listed));
        self
    }

    /// Adds those of the methods that are named by their files.
    pub(crate) fn and_methods<'a>(self, methods: impl IntoIterator<Item = &'a String>, base: &Path) -> Self {
        let files: Vec<PathBuf> = methods.into_iter().map(|name| base.join(name)).collect();
        self.and(files.iter().map(PathBuf::as_path))
    }

    /// Adds a folder that the program keeps, such as the store: nothing is written there by name.
    pub(crate) fn and_folder<'a>(mut self, folders: impl IntoIterator<Item = &'a Path>) -> Self {
        self.folders.extend(folders.into_iter().map(Path::to_owned));
        self
    }

    /// The input whose place `output` would take, if there is one.
    fn replaced_by(&self, output: &Path) -> Option<String> {
        let found = fs_err::metadata(output).ok();
        let same = |path: &Path| match (&found, fs_err::metadata(path)) {
            (Some(found), Ok(input)) => identity(found) == identity(&input),
            _ => false,
        };
        if let Some(file) = self.files.iter().find(|file| same(file)) {
            return Some(format!("is the input {}, which would be overwritten", file.display()));
        }
        let whole = resolved(output);
        let linked = found.filter(|found| found.is_file() && found.nlink() > 1);
        let inside = |folder: &&PathBuf| {
            let root = resolved(folder);
            whole.starts_with(&root) || linked.as_ref().is_some_and(|found| holds(&root, found))
        };
        let folder = self.folders.iter().find(inside)?;
        Some(format!("is in {}, which molarena keeps", folder.display()))
    }
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// Whether a folder has this file, at any depth.
fn holds(root: &Path, file: &Metadata) -> bool {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                folders.push(entry.path());
            } else if identity(&found) == identity(file) {
                return true;
            }
        }
    }
    false
}

fn listed(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs_err::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// The path without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = absolute.ancestors().find_map(|known| Some((known, fs_err::canonicalize(known).ok()?)));
    let Some((known, canonical)) = known else { return absolute };
    let rest = absolute.strip_prefix(known).unwrap_or(Path::new(""));
    rest.components().fold(canonical, |mut path, part| {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
        path
    })
}

/// How an output that is there already is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Only with `--force`, which is not given.
    NeedsForce,
    /// By a new file under its name.
    Replace,
    /// In place, so that it may be a pipe or a terminal.
    WriteInto,
}

impl Existing {
    /// What the flag `--force` says.
    pub(crate) const fn with_force(force: bool) -> Self {
        if force { Self::Replace } else { Self::NeedsForce }
    }
}

/// Checks a file to write. Its list of unreadable rows and its unfinished form may not take an input's place either.
///
/// # Errors
/// [`Error::Request`] that names the output and what is wrong.
pub(crate) fn check_file(output: &Path, existing: Existing, inputs: &Inputs) -> anyhow::Result<()> {
    let failed = |message: String| -> anyhow::Result<()> {
        Err(Error::Request(format!("{}: the output {message}", output.display())).into())
    };
    let Some(name) = output.file_name().filter(|_| !ends_in_separator(output)) else {
        return failed("has no file name".into());
    };
    let beside = [partial_path(output), failures_path(output)];
    for path in std::iter::once(output).chain(beside.iter().map(PathBuf::as_path)) {
        if let Some(why) = inputs.replaced_by(path) {
            return failed(if path == output {
                why
            } else {
                format!("writes {}, which {why}", path.display())
            });
        }
    }
    if let Ok(found) = fs_err::metadata(output) {
        let into = existing == Existing::WriteInto;
        match existing {
            _ if found.is_dir() => return failed("is a folder".into()),
            Existing::NeedsForce => return failed("exists; --force overwrites it".into()),
            _ if !into && !found.is_file() => return failed("is no plain file".into()),
            _ => {}
        }
        if into && !found.is_file() {
            return Ok(());
        }
        if into && let Err(error) = fs_err::OpenOptions::new().append(true).open(output) {
            return failed(format!("cannot be written: {error}"));
        }
    }
    if name.len() + LONGEST_ENDING > LONGEST_NAME {
        return failed(format!("has a name of {} bytes, which is too long", name.len()));
    }
    check_parent(output).or_else(failed)
}

/// Checks a folder to make or, if it `may_exist`, to write into.
///
/// # Errors
/// [`Error::Request`] that names the output and what is wrong.
pub(crate) fn check_folder(output: &Path, may_exist: bool, inputs: &Inputs) -> anyhow::Result<()> {
    let failed = |message: String| -> anyhow::Result<()> {
        Err(Error::Request(format!("{}: the output {message}", output.display())).into())
    };
    if let Some(why) = inputs.replaced_by(output) {
        return failed(why);
    }
    match fs_err::symlink_metadata(output) {
        Ok(_) if !may_exist => return failed("exists; name another folder".into()),
        Ok(_) if !output.is_dir() => return failed("is no folder".into()),
        Ok(_) => return check_writable(output).or_else(failed),
        Err(_) => {}
    }
    match output.file_name() {
        Some(name) if name.len() + LONGEST_ENDING <= LONGEST_NAME => check_parent(output).or_else(failed),
        Some(name) => failed(format!("has a name of {} bytes, which is too long", name.len())),
        None => failed("has no name".into()),
    }
}

/// Checks that the folder of an output is there and can be written to.
fn check_parent(output: &Path) -> Result<(), String> {
    let folder = match output.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.exists() {
        return Err(format!("is in a folder that is not there: {}; make it first", folder.display()));
    }
    if !folder.is_dir() {
        return Err(format!("is in {}, which is no folder", folder.display()));
    }
    check_writable(folder)
}

/// Makes a file in the folder and removes it again.
fn check_writable(folder: &Path) -> Result<(), String> {
    let made = tempfile::Builder::new().prefix(".molarena-").tempfile_in(folder);
    made.map(drop).map_err(|error| format!("is in a folder that cannot be written to: {error}"))
}

fn ends_in_separator(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}
