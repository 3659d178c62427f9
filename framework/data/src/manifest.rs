//! A dataset's manifest: `datasets/<id>/dataset.toml`, schema `molarena.dataset/1`.

use std::collections::{BTreeMap, HashSet};
use std::path::{Component, Path, PathBuf};

use molarena_metrics::{Metric, MetricKind};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::split::Protocol;

/// The manifest's schema and version.
pub const SCHEMA: &str = "molarena.dataset/1";

/// What is known about a dataset before any of its bytes are read: where its files come from, their digests,
/// which columns hold what, and the protocol that the dataset is evaluated with unless a suite says
/// otherwise.
///
/// A value of this type was checked by [`Manifest::parse`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Short name: lower-case letters, digits, `-` and `_`. The manifest's folder has the same name.
    pub id: String,
    /// Name as it is printed on boards.
    pub title: String,
    /// What the dataset is, in a few sentences.
    pub description: String,
    /// Licence of the data, or a statement that none is given.
    pub licence: String,
    /// Works to cite, the origin first.
    #[serde(default)]
    pub citation: Vec<String>,
    /// Whether the data are simulated, so that they say nothing about chemistry. Shown wherever the dataset is.
    #[serde(default)]
    pub simulated: bool,
    /// Where the files were published.
    pub source: Option<Source>,
    /// The table of SMILES and labels.
    pub table: TableSpec,
    /// The tasks.
    pub tasks: TaskSpec,
    /// How the dataset is evaluated by default.
    pub protocol: ProtocolSpec,
    /// Files; exactly one has the role [`Role::Assays`].
    pub files: Vec<FileSpec>,
    /// Where this manifest was read from, for errors. Not part of the format.
    #[serde(skip)]
    pub origin: PathBuf,
}

/// Where a dataset's files were published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Address of the repository.
    pub repository: String,
    /// Commit (may be abbreviated) or other version.
    pub commit: String,
    /// Folder inside the repository.
    pub folder: Option<String>,
}

/// The table of SMILES and labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSpec {
    /// Column that holds SMILES.
    pub smiles: String,
    /// Number of data rows; the file must have exactly this many.
    pub rows: usize,
}

/// The kind of label that all tasks of a dataset have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskType {
    /// Labels are 0 (negative) or 1 (positive).
    Classification,
    /// Labels are finite numbers in the task's unit.
    Regression,
}

impl std::fmt::Display for TaskType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
        })
    }
}

/// The tasks of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// The kind of label.
    #[serde(rename = "type")]
    pub kind: TaskType,
    /// Number of tasks; there must be exactly this many task columns.
    pub count: usize,
    /// Which columns are tasks.
    pub columns: TaskColumns,
    /// With `columns = "rest"`: columns that are neither SMILES nor tasks.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Regression: the unit of each task, by column name.
    #[serde(default)]
    pub units: BTreeMap<String, String>,
    /// Groups of tasks by name, such as those of one kind of assay; a task may be in several, or in none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// What tasks are called, for those whose column is a code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
}

/// Which columns of a table are tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TaskColumns {
    /// These columns, in this order.
    Named(Vec<String>),
    /// All columns of the file except SMILES and `tasks.ignore`, in the file's order. Written `"rest"`.
    Rest(Rest),
}

/// The word `"rest"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rest {
    /// `"rest"`.
    Rest,
}

/// How a dataset is evaluated by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolSpec {
    /// The split.
    pub split: Protocol,
    /// The score.
    pub metric: Metric,
    /// Number of runs behind each published figure, if known.
    pub seeds: Option<u32>,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The table of SMILES and labels. Without it the dataset cannot be used.
    Assays,
    /// An optional file that goes with the table.
    Companion,
}

/// A file of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Path in the data folder, with `/`.
    pub path: String,
    /// What the file is for.
    pub role: Role,
    /// What is in it.
    #[serde(default)]
    pub description: String,
    /// Where to download it.
    pub url: Option<String>,
    /// SHA-256 of its bytes: 64 lower-case hex digits.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: Option<u64>,
}

impl FileSpec {
    /// Path of the file in `data_dir`.
    pub fn locate(&self, data_dir: &Path) -> PathBuf {
        locate(data_dir, &self.path)
    }

    fn reference(&self) -> FileRef<'_> {
        FileRef {
            path: &self.path,
            role: self.role,
            url: self.url.as_deref(),
            package: None,
            sha256: Some(&self.sha256),
            bytes: self.bytes,
        }
    }
}

/// Joins a manifest's path, with `/`, to `data_dir`.
pub(crate) fn locate(data_dir: &Path, path: &str) -> PathBuf {
    path.split('/').fold(data_dir.to_owned(), |path, part| path.join(part))
}

/// A file in a wheel, which the user's own package client brings: no address of a registry stands in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageFile {
    /// Name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Path of the file in the wheel.
    pub file: String,
}

/// What fetching and verifying need to know about a file of any manifest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileRef<'a> {
    pub(crate) path: &'a str,
    /// What it is for; [`Role::Companion`] is optional.
    pub(crate) role: Role,
    pub(crate) url: Option<&'a str>,
    /// The package that it is a file of.
    pub(crate) package: Option<&'a PackageFile>,
    /// `None` where no digest is known.
    pub(crate) sha256: Option<&'a str>,
    pub(crate) bytes: Option<u64>,
}

impl FileRef<'_> {
    /// The key of the file's entry that is wrong, and why.
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        if !is_plain_relative(self.path) {
            return Some(("path", "is not a plain relative path such as \"my-set/assays.csv.gz\""));
        }
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if self.sha256.is_some_and(|digest| digest.len() != 64 || !digest.chars().all(hex)) {
            return Some(("sha256", "is not 64 lower-case hex digits"));
        }
        let web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if self.url.is_some_and(|url| !web(url)) {
            return Some(("url", "is not an http or https address"));
        }
        let package = self.package?;
        if self.url.is_some() {
            return Some(("package", "goes without `url`"));
        }
        // A client would take what begins with a hyphen for an option, and a path for a package of its own.
        let is_plain = |text: &str, more: &str| {
            text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !is_plain(&package.name, "-_.") {
            return Some(("package.name", "is not of letters, digits, \"-\", \"_\" and \".\""));
        }
        if !is_plain(&package.version, ".+!_-") {
            return Some(("package.version", "is not one version, such as \"0.1.1\""));
        }
        None
    }
}

impl FileRef<'_> {
    pub(crate) fn locate(&self, data_dir: &Path) -> PathBuf {
        locate(data_dir, self.path)
    }
}

impl Manifest {
    /// Whether another manifest says the same, wherever it was read from.
    pub(crate) fn is_the_same_as(&self, other: &Self) -> bool {
        Self { origin: PathBuf::new(), ..self.clone() } == Self { origin: PathBuf::new(), ..other.clone() }
    }

    /// Reads a manifest from TOML and checks it. `origin` is named in errors.
    ///
    /// # Errors
    /// [`Error::ManifestSyntax`] for TOML errors, missing and unknown keys; [`Error::ManifestValue`], which names the
    /// key, for values that make no sense.
    pub fn parse(text: &str, origin: impl Into<PathBuf>) -> Result<Self> {
        let origin = origin.into();
        let mut manifest: Self = toml::from_str(text).map_err(|error| Error::ManifestSyntax {
            path: origin.clone(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        manifest.origin = origin;
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads and checks a manifest file.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&fs_err::read_to_string(path)?, path)
    }

    /// The table of SMILES and labels.
    pub fn assays(&self) -> &FileSpec {
        self.files
            .iter()
            .find(|file| file.role == Role::Assays)
            .expect("checked: one file has the role assays")
    }

    /// The files, as fetching and verifying take them.
    pub(crate) fn file_refs(&self) -> Vec<FileRef<'_>> {
        self.files.iter().map(FileSpec::reference).collect()
    }

    /// The companion file called `name`, without folders.
    pub fn companion(&self, name: &str) -> Option<&FileSpec> {
        let mut companions = self.files.iter().filter(|file| file.role == Role::Companion);
        companions.find(|file| file.path.rsplit('/').next() == Some(name))
    }

    /// The unit of a task, if the manifest names one.
    pub fn unit(&self, task: &str) -> Option<&str> {
        self.tasks.units.get(task).map(String::as_str)
    }

    fn check(&self) -> Result<()> {
        if self.schema != SCHEMA {
            return Err(self.wrong("schema", format!("\"{}\" is not \"{SCHEMA}\"", self.schema)));
        }
        if !is_id(&self.id) {
            return Err(self.wrong("id", "use lower-case letters, digits, \"-\" and \"_\""));
        }
        for (key, value) in
            [("title", &self.title), ("licence", &self.licence), ("table.smiles", &self.table.smiles)]
        {
            if value.trim().is_empty() {
                return Err(self.wrong(key, "is empty"));
            }
        }
        if self.table.rows == 0 {
            return Err(self.wrong("table.rows", "a dataset has at least one row"));
        }
        self.check_tasks()?;
        self.check_files()
    }

    fn check_tasks(&self) -> Result<()> {
        let tasks = &self.tasks;
        if tasks.count == 0 {
            return Err(self.wrong("tasks.count", "a dataset has at least one task"));
        }
        let is_task = |name: &&String| match &tasks.columns {
            TaskColumns::Named(columns) => columns.contains(name),
            TaskColumns::Rest(_) => true,
        };
        if let Some(name) = tasks.names.keys().find(|name| !is_task(name)) {
            return Err(self.wrong("tasks.names", format!("\"{name}\" is no task")));
        }
        for (group, members) in &tasks.groups {
            let key = format!("tasks.groups.{group}");
            let distinct: HashSet<&String> = members.iter().collect();
            if members.is_empty() || distinct.len() < members.len() {
                return Err(self.wrong(&key, "names at least one task, each once"));
            }
            if let Some(member) = members.iter().find(|member| !is_task(member)) {
                return Err(self.wrong(&key, format!("\"{member}\" is no task")));
            }
        }
        if let TaskColumns::Named(columns) = &tasks.columns {
            let mut seen = HashSet::from([self.table.smiles.as_str()]);
            if let Some(column) = columns.iter().find(|column| !seen.insert(column.as_str())) {
                return Err(
                    self.wrong("tasks.columns", format!("\"{column}\" occurs twice or is the SMILES column"))
                );
            }
            if columns.len() != tasks.count {
                let problem = format!("names {} columns, tasks.count says {}", columns.len(), tasks.count);
                return Err(self.wrong("tasks.columns", problem));
            }
            if !tasks.ignore.is_empty() {
                return Err(self.wrong("tasks.ignore", "only goes with tasks.columns = \"rest\""));
            }
            let regression = tasks.kind == TaskType::Regression;
            if let Some(column) =
                columns.iter().find(|column| regression && !tasks.units.contains_key(*column))
            {
                return Err(
                    self.wrong("tasks.units", format!("no unit for \"{column}\"; use \"1\" for none"))
                );
            }
            if let Some(task) = tasks.units.keys().find(|task| !columns.contains(task)) {
                return Err(self.wrong("tasks.units", format!("\"{task}\" is not in tasks.columns")));
            }
        }
        self.check_metric()?;
        if self.protocol.seeds == Some(0) {
            return Err(self.wrong("protocol.seeds", "leave the key out if the number of runs is unknown"));
        }
        Ok(())
    }

    /// A metric scores labels of one kind, and the tasks must be of that kind.
    fn check_metric(&self) -> Result<()> {
        let kind = match self.tasks.kind {
            TaskType::Classification => MetricKind::Classification,
            TaskType::Regression => MetricKind::Regression,
        };
        let metric = self.protocol.metric;
        if metric.description().kind == kind {
            return Ok(());
        }
        let fitting: Vec<&str> = Metric::of_kind(kind).map(Metric::name).collect();
        let problem = format!("{metric} does not score {kind}; use one of {}", fitting.join(", "));
        Err(self.wrong("protocol.metric", problem))
    }

    fn check_files(&self) -> Result<()> {
        let assays = self.files.iter().filter(|file| file.role == Role::Assays).count();
        if assays != 1 {
            return Err(self.wrong("files", format!("{assays} files have the role assays; one must")));
        }
        let mut seen = HashSet::new();
        for (index, file) in self.files.iter().enumerate() {
            let wrong = |key: &str, problem: &str| self.wrong(&format!("files[{index}].{key}"), problem);
            if let Some((key, problem)) = file.reference().fault() {
                return Err(wrong(key, problem));
            }
            if !seen.insert(file.path.as_str()) {
                return Err(wrong("path", "another file has the same path"));
            }
        }
        Ok(())
    }

    fn wrong(&self, key: &str, problem: impl Into<String>) -> Error {
        Error::ManifestValue { path: self.origin.clone(), key: key.to_owned(), problem: problem.into() }
    }
}

/// Whether `text` can be the id of a dataset or a context graph.
pub(crate) fn is_id(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !text.is_empty() && text.chars().all(letter)
}

/// Whether `path` stays inside the folder that it is joined to, on every system.
fn is_plain_relative(path: &str) -> bool {
    let parts = |path: &str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    !path.is_empty()
        && !path.contains(['\\', ':'])
        && parts(path)
        && path.split('/').all(|part| !part.is_empty() && part != ".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::manifest_text;

    fn parse(text: &str) -> Result<Manifest> {
        Manifest::parse(text, "made-up/dataset.toml")
    }

    #[test]
    fn reads_a_manifest_and_writes_it_back() {
        let manifest = parse(&manifest_text("made-up", "a,b\n")).unwrap();
        assert_eq!(manifest.assays().path, "made-up/assays.csv");
        let again = parse(&toml::to_string(&manifest).unwrap()).unwrap();
        assert_eq!(again, manifest);
    }

    #[test]
    fn takes_every_metric_that_fits_the_tasks_and_no_other() {
        let classes = manifest_text("made-up", "a,b\n");
        let numbers = classes.replacen("type = \"classification\"", "type = \"regression\"", 1).replacen(
            "count = 2",
            "count = 2\nunits = { t1 = \"1\", t2 = \"1\" }",
            1,
        );
        for (text, kind) in [(&classes, MetricKind::Classification), (&numbers, MetricKind::Regression)] {
            for &metric in Metric::ALL {
                let parsed = parse(&text.replacen("\"roc_auc\"", &format!("\"{metric}\""), 1));
                if metric.description().kind == kind {
                    assert_eq!(parsed.unwrap().protocol.metric, metric);
                } else {
                    let message = parsed.unwrap_err().to_string();
                    let start = format!(
                        "made-up/dataset.toml: protocol.metric: {metric} does not score {kind}; use one of "
                    );
                    assert!(message.starts_with(&start), "{message}");
                }
            }
        }
    }

    #[test]
    fn names_file_and_key_of_a_mistake() {
        let good = manifest_text("made-up", "a,b\n");
        let cases = [
            ("molarena.dataset/1", "molarena.dataset/2", "schema", "E-DATA-003"),
            ("title = ", "titel = ", "titel", "E-DATA-002"),
            ("licence = \"none\"", "", "licence", "E-DATA-002"),
            ("split = \"scaffold\"", "split = \"scafold\"", "scafold", "E-DATA-002"),
            ("id = \"made-up\"", "id = \"Made up\"", "id", "E-DATA-003"),
            ("count = 2", "count = 3", "tasks.columns", "E-DATA-003"),
            ("columns = [\"t1\", \"t2\"]", "columns = [\"t1\", \"t1\"]", "tasks.columns", "E-DATA-003"),
            ("columns = [\"t1\", \"t2\"]", "columns = \"all\"", "columns", "E-DATA-002"),
            ("metric = \"roc_auc\"", "metric = \"mae\"", "protocol.metric", "E-DATA-003"),
            ("type = \"classification\"", "type = \"regression\"", "tasks.units", "E-DATA-003"),
            ("path = \"made-up/", "path = \"../made-up/", "files[0].path", "E-DATA-003"),
            ("path = \"made-up/", "path = \"/made-up/", "files[0].path", "E-DATA-003"),
            ("sha256 = \"", "sha256 = \"F", "files[0].sha256", "E-DATA-003"),
            ("role = \"assays\"", "role = \"companion\"", "files", "E-DATA-003"),
        ];
        for (from, to, key, code) in cases {
            assert!(good.contains(from), "{from}");
            let error = parse(&good.replacen(from, to, 1)).unwrap_err();
            let text = error.to_string();
            assert_eq!(error.code(), code, "{text}");
            assert!(text.contains("made-up/dataset.toml") && text.contains(key), "{key} not in: {text}");
        }
    }
}
