//! A Python environment for tests of process plugins, made from `PyPI` once for a target folder.

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

fn make() -> Result<PathBuf, String> {
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = test.parent().and_then(Path::parent).and_then(Path::parent).ok_or("no target folder")?;
    let environment = folder.join("test-python");
    let done = environment.join("made");
    let lock = repository("tests/fixtures/python/requirements.lock");
    if done.exists() {
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
    let pip = environment.join("bin/pip");
    run(&pip, &["install".as_ref(), "--quiet".as_ref(), "-r".as_ref(), lock.as_os_str()])?;
    let libraries = fs_err::read_dir(environment.join("lib")).map_err(|error| error.to_string())?;
    let site = libraries.flatten().map(|entry| entry.path().join("site-packages")).find(|path| path.is_dir());
    let site = site.ok_or("the environment has no site-packages")?;
    let package = repository("framework/python/src").display().to_string();
    fs_err::write(site.join("molarena.pth"), package).map_err(|error| error.to_string())?;
    fs_err::write(done, "").map_err(|error| error.to_string())?;
    Ok(environment)
}

/// Writes the plugin folder `python-fixture` into `folder`, of the fixture's program in `environment`.
pub fn plugin(folder: &Path, environment: &Path) -> PathBuf {
    let plugin = folder.join("python-fixture");
    fs_err::create_dir_all(&plugin).expect("a folder for the plugin");
    for name in ["plugin.py", "requirements.lock"] {
        fs_err::copy(repository("tests/fixtures/python").join(name), plugin.join(name)).expect("a fixture");
    }
    let manifest = format!(
        "schema = \"molarena.plugin/1\"\nid = \"python-fixture\"\nversion = \"0.1.0\"\nlicence = \"MIT\"\n\
         command = [\"{{environment}}/bin/python\", \"plugin.py\"]\nenvironment = \"{}\"\n\
         lock = \"requirements.lock\"\nreadable = [\"{}\"]\n",
        environment.display(),
        repository("framework/python/src").display()
    );
    fs_err::write(plugin.join("plugin.toml"), manifest).expect("a manifest");
    plugin
}
