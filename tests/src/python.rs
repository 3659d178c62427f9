//! Python environments for tests of process plugins, made from `PyPI` once for a target folder.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// A Python environment that has what the fixture needs, instead of one that tests make.
const OWN: &str = "MOLARENA_PYTHON_ENV";

/// The package that ONNX Runtime's library comes from.
const ONNXRUNTIME: &str = "onnxruntime==1.32.0";

/// The folder of an environment with numpy and the package of `framework/python`; `None`, with a message, if it cannot be made.
pub fn environment() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let made = std::env::var_os(OWN).map_or_else(make, |own| Ok(PathBuf::from(own)));
        made.map_err(|why| eprintln!("skipped: tests of Python plugins: {why}")).ok()
    });
    made.as_deref()
}

/// The folder of ONNX Runtime's library, out of its package; `None`, with a message, if it cannot be had.
pub fn onnxruntime() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let environment = environment()?;
        let folder = environment.parent()?.join("test-onnxruntime");
        let library = folder.join("onnxruntime/capi");
        if folder.join("made").exists() {
            return Some(library);
        }
        let install = ["install", "--quiet", "--no-deps", "--target"];
        let mut pip = Command::new(environment.join("bin/pip"));
        let output = pip.args(install).arg(&folder).arg(ONNXRUNTIME).output();
        match output {
            Ok(output) if output.status.success() => {
                fs_err::write(folder.join("made"), "").ok()?;
                Some(library)
            }
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                let why = said.lines().last().unwrap_or("pip failed");
                eprintln!("skipped: tests that need ONNX Runtime: {why}");
                None
            }
            Err(why) => {
                eprintln!("skipped: tests that need ONNX Runtime: {why}");
                None
            }
        }
    });
    found.as_deref()
}

/// The repository's file or folder `path`.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests are in the repository").join(path)
}

/// Packages of the lock files of `plugins/sklearn` and `plugins/gbdt` that tests install. `CatBoost`, and what it alone needs, would be
/// more than three times as much again.
const OF_READY_PLUGINS: [&str; 9] = [
    "cloudpickle",
    "joblib",
    "lightgbm",
    "narwhals",
    "numpy",
    "scikit-learn",
    "scipy",
    "threadpoolctl",
    "xgboost-cpu",
];

/// The folder of an environment with scikit-learn, `LightGBM` and `XGBoost` as the ready plugins lock them, and the package of
/// `framework/python`; `None`, with a message, if it cannot be made.
pub fn environment_of_ready_plugins() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let locks = ["sklearn", "gbdt"].map(|name| {
            let lock = repository("plugins").join(name).join("requirements.lock");
            fs_err::read_to_string(lock).expect("a lock file")
        });
        let wanted =
            |line: &&str| line.split_once("==").is_some_and(|(name, _)| OF_READY_PLUGINS.contains(&name));
        let mut lines: Vec<&str> = locks.iter().flat_map(|lock| lock.lines()).filter(wanted).collect();
        lines.sort_unstable();
        lines.dedup();
        let made = make_environment("test-ready-plugins", &(lines.join("\n") + "\n"));
        made.map_err(|why| eprintln!("skipped: tests of ready plugins in Python: {why}")).ok()
    });
    made.as_deref()
}

fn make() -> Result<PathBuf, String> {
    let lock = repository("tests/fixtures/python/requirements.lock");
    let requirements = fs_err::read_to_string(lock).map_err(|error| error.to_string())?;
    make_environment("test-python", &requirements)
}

/// Makes the environment `name` of the target folder with `requirements` and the package of `framework/python`, if it is not there.
fn make_environment(name: &str, requirements: &str) -> Result<PathBuf, String> {
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = test.parent().and_then(Path::parent).and_then(Path::parent).ok_or("no target folder")?;
    let environment = folder.join(name);
    let done = environment.join("made");
    if fs_err::read_to_string(&done).is_ok_and(|made| made == requirements) {
        return Ok(environment);
    }
    let run = |program: &Path, arguments: &[&std::ffi::OsStr]| {
        let output = Command::new(program).args(arguments).output();
        let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("{}: {}", program.display(), said.lines().last().unwrap_or("it failed")))
    };
    run(Path::new("python3"), &["-m".as_ref(), "venv".as_ref(), environment.as_os_str()])?;
    let list = environment.join("requirements.txt");
    fs_err::write(&list, requirements).map_err(|error| error.to_string())?;
    let pip = environment.join("bin/pip");
    run(&pip, &["install".as_ref(), "--quiet".as_ref(), "-r".as_ref(), list.as_os_str()])?;
    let libraries = fs_err::read_dir(environment.join("lib")).map_err(|error| error.to_string())?;
    let site = libraries.flatten().map(|entry| entry.path().join("site-packages")).find(|path| path.is_dir());
    let site = site.ok_or("the environment has no site-packages")?;
    let package = repository("framework/python/src").display().to_string();
    fs_err::write(site.join("molarena.pth"), package).map_err(|error| error.to_string())?;
    fs_err::write(done, requirements).map_err(|error| error.to_string())?;
    Ok(environment)
}

/// Writes the plugin folder `python-fixture` into `folder`, of the fixture's program in `environment`.
pub fn plugin(folder: &Path, environment: &Path) -> PathBuf {
    let plugin = copied(&repository("tests/fixtures/python"), folder, "python-fixture", environment);
    let manifest = plugin.join("plugin.toml");
    let text = fs_err::read_to_string(&manifest).expect("a manifest");
    fs_err::write(manifest, text + "lock = \"requirements.lock\"\n").expect("a manifest");
    plugin
}

/// Writes the plugin folder `name` of `plugins/` into `folder`, to run in `environment`, whatever else is installed there.
pub fn ready_plugin(folder: &Path, name: &str, environment: &Path) -> PathBuf {
    copied(&repository("plugins").join(name), folder, name, environment)
}

/// The manifest of a plugin that makes its own environment, for `environment` instead, which has the package from its sources.
pub fn in_environment(manifest: &str, environment: &Path) -> String {
    let own = "environment = \".venv\"";
    assert!(manifest.contains(own), "{manifest}");
    manifest.replace(own, &places(environment))
}

/// The lines of a manifest that say what its program runs in and reads.
fn places(environment: &Path) -> String {
    let package = repository("framework/python/src");
    format!("environment = \"{}\"\nreadable = [\"{}\"]", environment.display(), package.display())
}

/// Writes a plugin folder into `folder` with the program and the lock file of the folder `from`, and a manifest without a lock.
fn copied(from: &Path, folder: &Path, id: &str, environment: &Path) -> PathBuf {
    let plugin = folder.join(id);
    fs_err::create_dir_all(&plugin).expect("a folder for the plugin");
    for name in ["plugin.py", "requirements.lock"] {
        fs_err::copy(from.join(name), plugin.join(name)).expect("a file of a plugin");
    }
    let manifest = format!(
        "schema = \"molarena.plugin/1\"\nid = \"{id}\"\nversion = \"0.1.0\"\nlicence = \"MIT\"\n\
         command = [\"{{environment}}/bin/python\", \"plugin.py\"]\n{}\n",
        places(environment)
    );
    fs_err::write(plugin.join("plugin.toml"), manifest).expect("a manifest");
    plugin
}
