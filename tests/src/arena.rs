//! The built binary and plugins, and a place of its own for each test.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Packages that tests start or open; built once for each test binary.
const PACKAGES: [&str; 8] = [
    "molarena",
    "molarena-baselines",
    "molarena-fixture-hostile",
    "molarena-fixture-kinds",
    "molarena-fixture-wrong-abi",
    "molarena-infoalign",
    "molarena-linfa",
    "molarena-mlp",
];

/// Features of these packages that a person asks for, such as `molarena-infoalign/libtorch`.
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

/// The `molarena` binary.
pub fn binary() -> PathBuf {
    built().join(format!("molarena{}", std::env::consts::EXE_SUFFIX))
}

/// A built library by its crate's library name, such as `fixture_hostile`.
pub fn library(name: &str) -> PathBuf {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    built().join(format!("{prefix}{name}{suffix}"))
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A folder with data, datasets, methods, a store and plugins of its own.
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
    /// An empty place.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("molarena-test-").tempdir().expect("a temporary folder");
        for name in ["data", "datasets", "methods"] {
            fs_err::create_dir(folder.path().join(name)).expect("a new folder");
        }
        Self { folder }
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file inside, and its folders.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().expect("inside the folder")).expect("a new folder");
        fs_err::write(&path, bytes).expect("a new file");
        path
    }

    /// A dataset `id` made of a CSV text with column `smiles` and the task columns `tasks`; its manifest has the right
    /// sha256. `kind` is `classification` or `regression`.
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

    /// A method `name` on Morgan bits with the baseline `component` and a configuration in TOML, such as `{ k = 3 }`.
    pub fn method(&self, name: &str, component: &str, config: &str) {
        let text = format!(
            "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"morgan\", bits = 256 }}\n\
             baseline = {{ component = \"{component}\", config = {config} }}\n"
        );
        self.write(&format!("methods/{name}.toml"), text);
    }

    /// `molarena` with arguments, with no environment but what it needs, from this folder.
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

    /// `molarena run` with this arena's folders and the named plugin libraries.
    pub fn run(&self, libraries: &[PathBuf], arguments: &[&str]) -> Output {
        let arguments = self.run_arguments(libraries, arguments);
        self.molarena(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The arguments of [`run`](Self::run).
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

    /// The boards of this arena's store as JSON, without costs.
    pub fn boards(&self) -> serde_json::Value {
        let output = self.molarena(&["board", "--store", "store", "--format", "json", "--no-cost"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        serde_json::from_str(&output.stdout).expect("boards are JSON")
    }
}
