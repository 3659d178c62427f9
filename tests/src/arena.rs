//! The built binary and plugins, and a separate folder for each test.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Packages that tests start or open; each test binary builds them once.
const PACKAGES: [&str; 13] = [
    "molarena",
    "molarena-baselines",
    "molarena-contrastive",
    "molarena-fixture-hostile",
    "molarena-fixture-kinds",
    "molarena-fixture-wrong-abi",
    "molarena-gnn",
    "molarena-infoalign",
    "molarena-language",
    "molarena-linfa",
    "molarena-mlp",
    "molarena-onnx",
    "molarena-selfsupervised",
];

/// Features of these packages that the user asks for, such as `molarena-infoalign/libtorch`.
const FEATURES: &str = "MOLARENA_TEST_FEATURES";

/// The folder of built binaries and libraries, in the profile of the running test.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test.parent().and_then(Path::parent).expect("tests are in <profile>/deps").to_owned();
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["build", "--quiet", "--locked", "--target-dir"])
            .arg(folder.parent().expect("a target folder"));
        // Cargo describes the package of the running test in the environment. Build scripts that look at it (ring's) would run
        // again, and everything after them would be built again.
        let of_the_test = |name: &str| {
            [
                "CARGO_PKG_",
                "CARGO_MANIFEST_",
                "CARGO_BIN_EXE_",
                "CARGO_CRATE_",
                "CARGO_PRIMARY_",
                "CARGO_TARGET_TMPDIR",
            ]
            .iter()
            .any(|start| name.starts_with(start))
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_the_test)) {
            command.env_remove(name);
        }
        if folder.ends_with("release") {
            command.arg("--release");
        }
        for package in PACKAGES {
            command.args(["--package", package]);
        }
        if let Some(features) = std::env::var_os(FEATURES) {
            command.arg("--features").arg(features);
        }
        let status = command.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
        assert!(status.success(), "the packages that tests start do not build");
        folder
    })
}

/// Path of the `molarena` binary.
pub fn binary() -> PathBuf {
    built().join(format!("molarena{}", std::env::consts::EXE_SUFFIX))
}

/// A built library by its crate's library name, such as `fixture_hostile`.
pub fn library(name: &str) -> PathBuf {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    built().join(format!("{prefix}{name}{suffix}"))
}

/// The outcome of a command.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; `None` if a signal ended the command.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A folder with its own data, datasets, methods, store and plugins.
#[derive(Debug)]
pub struct TestArena {
    folder: tempfile::TempDir,
}

impl Default for TestArena {
    fn default() -> Self {
        Self::new()
    }
}

impl TestArena {
    /// An arena with an empty folder.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("molarena-test-").tempdir().expect("a temporary folder");
        for name in ["data", "datasets", "methods"] {
            fs_err::create_dir(folder.path().join(name)).expect("a new folder");
        }
        Self { folder }
    }

    /// A path inside the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file inside the folder, and creates its parent folders.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().expect("inside the folder")).expect("a new folder");
        fs_err::write(&path, bytes).expect("a new file");
        path
    }

    /// Adds a dataset `id` from a CSV text with the column `smiles` and the task columns `tasks`; its manifest has the
    /// right sha256. `kind` is `classification` or `regression`.
    pub fn dataset(&self, id: &str, kind: &str, tasks: &[&str], csv: &str, sha256: &str) {
        self.write(&format!("data/{id}/assays.csv"), csv);
        let metric = if kind == "classification" { "roc_auc" } else { "mae" };
        let rows = csv.lines().count().saturating_sub(1);
        // Regression tasks have units.
        let units: Vec<String> = tasks.iter().map(|task| format!("{task:?} = \"1\"")).collect();
        let units = if kind == "regression" { units.join(", ") } else { String::new() };
        let manifest = format!(
            r#"schema = "molarena.dataset/1"
id = "{id}"
title = "Test dataset {id}"
description = "Made by a test."
licence = "none"

[table]
smiles = "smiles"
rows = {rows}

[tasks]
type = "{kind}"
count = {count}
columns = {tasks:?}
units = {{ {units} }}

[protocol]
split = "random"
metric = "{metric}"

[[files]]
path = "{id}/assays.csv"
role = "assays"
sha256 = "{sha256}"
"#,
            count = tasks.len(),
        );
        self.write(&format!("datasets/{id}/dataset.toml"), manifest);
    }

    /// Adds a method `name` on Morgan bits with the baseline `component` and a configuration in TOML, such as `{ k = 3
    /// }`.
    pub fn method(&self, name: &str, component: &str, config: &str) {
        let text = format!(
            "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"morgan\", bits = 256 }}\n\
             baseline = {{ component = \"{component}\", config = {config} }}\n"
        );
        self.write(&format!("methods/{name}.toml"), text);
    }

    /// `molarena` with arguments, only the environment that it needs, and this folder as working directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.folder.path()).env("PATH", "/usr/bin:/bin");
        command
    }

    /// Runs `molarena` to its end.
    pub fn molarena(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("molarena starts");
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs `molarena run` with this arena's folders and the named plugin libraries.
    pub fn run(&self, libraries: &[PathBuf], arguments: &[&str]) -> Output {
        let arguments = self.run_arguments(libraries, arguments);
        self.molarena(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The arguments that [`run`](Self::run) passes.
    pub fn run_arguments(&self, libraries: &[PathBuf], arguments: &[&str]) -> Vec<String> {
        let mut all: Vec<String> =
            ["run", "--data-dir", "data", "--datasets-dir", "datasets", "--methods-dir", "methods"]
                .into_iter()
                .chain(["--store", "store"])
                .map(ToOwned::to_owned)
                .collect();
        for library in libraries {
            all.extend(["--plugin".to_owned(), library.display().to_string()]);
        }
        all.extend(arguments.iter().map(ToString::to_string));
        all
    }

    /// The files of a folder of the store, in its shards and outside of them, sorted by name.
    pub fn stored(&self, folder: &str) -> Vec<PathBuf> {
        let mut paths = files(&self.path("store").join(folder));
        paths.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
        paths
    }

    /// The record of a step.
    pub fn step(&self, key: &str) -> serde_json::Value {
        let path = self.path("store/steps").join(&key[..2]).join(format!("{key}.json"));
        serde_json::from_slice(&fs_err::read(path).expect("a stored step")).expect("a step is JSON")
    }

    /// All steps of a kind.
    pub fn steps(&self, kind: &str) -> Vec<serde_json::Value> {
        let read = |path: &PathBuf| -> serde_json::Value {
            serde_json::from_slice(&fs_err::read(path).expect("a stored step")).expect("a step is JSON")
        };
        self.stored("steps").iter().map(read).filter(|step| step["kind"] == kind).collect()
    }

    /// Where the file `name` of a step is.
    pub fn artifact(&self, key: &str, name: &str) -> PathBuf {
        let step = self.step(key);
        let sha256 = step["outcome"]["files"][name].as_str().unwrap_or_else(|| panic!("no {name}: {step}"));
        self.path("store/artifacts").join(&sha256[..2]).join(sha256)
    }

    /// The boards of this arena's store as JSON, without costs.
    pub fn boards(&self) -> serde_json::Value {
        let output = self.molarena(&["board", "--store", "store", "--format", "json", "--no-cost"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        serde_json::from_str(&output.stdout).expect("boards are JSON")
    }
}

/// The files below a folder, in no order; none if it does not exist.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut paths) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { paths.push(path) }
        }
    }
    paths
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).expect("a folder");
    for entry in fs_err::read_dir(from).expect("a folder") {
        let from = entry.expect("an entry").path();
        let to = to.join(from.file_name().expect("an entry has a name"));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs_err::copy(&from, &to).expect("a copy");
        }
    }
}
