//! `molarena plugin new`

use std::path::{Path, PathBuf};

use molarena_host::{
    Error,
    plugin::{identity::is_own, manifest::check_id},
    shell_word,
};

use super::super::print;
use crate::{
    args::{PluginKind, PluginLanguage},
    exit_code::ExitCode,
    output::{self, Inputs},
};

/// Where this program was built: the package of the binary.
const BUILT_IN: &str = env!("CARGO_MANIFEST_DIR");
/// The repository of molarena.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
/// Method that a row of a new plugin stands beside.
const BESIDE: &str = "--dataset chembl2k --method morgan-rf";

/// A file of a new plugin: its path in the folder, and its text, in which `@word@` stands for what differs.
type File = (&'static str, &'static str);

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $path))
    };
}

pub(super) fn run(
    name: &str,
    kind: PluginKind,
    language: PluginLanguage,
    into: Option<&Path>,
    sdk: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    check_id(name).map_err(|why| Error::Request(format!("the name `{name}` {why}")))?;
    if is_own(name) {
        return Err(
            Error::Request(format!("`{name}` is a plugin of molarena's own; choose another name")).into()
        );
    }
    let new = New { name, kind, language, sdk: Sdk::of(language, sdk, Path::new(BUILT_IN))? };
    let folder = into.unwrap_or(Path::new(name));
    check_empty(folder)?;
    let files = new.files();
    for (path, text) in &files {
        write(&folder.join(path), text).map_err(|error| Error::Request(error.to_string()))?;
    }
    say!("{name}: {} files in {}; next, to build, check and try it:", files.len(), folder.display());
    print(&(new.commands(&shell_word(folder), &program()).join("\n") + "\n"))?;
    Ok(ExitCode::Ok)
}

fn check_empty(folder: &Path) -> anyhow::Result<()> {
    output::check_folder(folder, true, &Inputs::default())?;
    if folder.is_dir() && fs_err::read_dir(folder)?.next().is_some() {
        let message = format!("{}: the folder is not empty; name another one with --into", folder.display());
        return Err(Error::Request(message).into());
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    fs_err::create_dir_all(path.parent().unwrap_or(path))?;
    fs_err::write(path, text)
}

/// How a shell calls this program: by its name if that leads here, else by its path.
fn program() -> String {
    let canonical = |path: PathBuf| fs_err::canonicalize(path).ok();
    let own = std::env::current_exe().ok().and_then(canonical);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let named =
        std::env::split_paths(&folders).map(|folder| folder.join("molarena")).find(|path| path.is_file());
    match own {
        Some(own) if named.and_then(canonical).as_ref() != Some(&own) => shell_word(&own),
        _ => "molarena".into(),
    }
}

/// Where the SDK, or the Python package, comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sdk {
    /// A checkout of molarena.
    Checkout(String),
    /// The repository.
    Repository,
}

impl Sdk {
    /// That of the checkout `named`, else of the one that this program was `built_in` if it is still there.
    fn of(language: PluginLanguage, named: Option<&Path>, built_in: &Path) -> Result<Self, Error> {
        let part = match language {
            PluginLanguage::Rust => "framework/sdk/Cargo.toml",
            PluginLanguage::Python => "framework/python/pyproject.toml",
            PluginLanguage::C => {
                return match named {
                    None => Ok(Self::Repository),
                    Some(_) => Err(Error::Request(
                        "--sdk: a plugin in C needs no SDK, only the header that is written beside it".into(),
                    )),
                };
            }
        };
        if let Some(named) = named {
            let wrong = |why: String| Error::Request(format!("--sdk {}: {why}", named.display()));
            let checkout =
                fs_err::canonicalize(named).map_err(|_| wrong("there is no such folder".into()))?;
            if !checkout.join(part).is_file() {
                return Err(wrong(format!("no checkout of molarena: it has no {part}")));
            }
            let text = checkout.into_os_string().into_string();
            return text.map(Self::Checkout).map_err(|_| wrong("its path is no UTF-8 text".into()));
        }
        // Cargo removes the checkouts of `cargo install --git` after a while.
        let is_cargos = |path: &Path| path.components().any(|part| part.as_os_str() == "checkouts");
        let checkout =
            built_in.ancestors().nth(2).filter(|path| path.join(part).is_file() && !is_cargos(path));
        Ok(checkout.and_then(Path::to_str).map_or(Self::Repository, |path| Self::Checkout(path.to_owned())))
    }

    /// The value of `molarena-sdk` in a `Cargo.toml`.
    fn dependency(&self) -> String {
        match self {
            // What JSON writes as a text, TOML reads.
            Self::Checkout(path) => {
                format!("{{ path = {} }}", serde_json::Value::from(format!("{path}/framework/sdk")))
            }
            Self::Repository => format!("{{ git = \"{REPOSITORY}\" }}"),
        }
    }

    /// The line for the Python package in a `requirements.txt`.
    fn requirement(&self) -> String {
        match self {
            Self::Checkout(path) => format!("molarena @ file://{}/framework/python", percent_encoded(path)),
            Self::Repository => format!("molarena @ git+{REPOSITORY}#subdirectory=framework/python"),
        }
    }
}

/// A path as part of an address.
fn percent_encoded(path: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    path.bytes().map(encoded).collect()
}

/// A new plugin.
#[derive(Clone, Debug)]
struct New<'a> {
    name: &'a str,
    kind: PluginKind,
    language: PluginLanguage,
    sdk: Sdk,
}

impl New<'_> {
    /// Its files, with their texts.
    fn files(&self) -> Vec<(&'static str, String)> {
        let words = self.words();
        let replace =
            |text: String, (word, value): &(&str, String)| text.replace(&format!("@{word}@"), value);
        let rendered = |(path, text): File| (path, words.iter().fold(text.to_owned(), replace));
        self.templates().into_iter().map(rendered).collect()
    }

    fn templates(&self) -> Vec<File> {
        use PluginKind::{Baseline, Decoder, Encoder};
        use PluginLanguage::{C, Python, Rust};
        let mut files = vec![("README.md", template!("README.md"))];
        files.extend(match self.kind {
            Encoder => Some(("method.toml", template!("method-encoder.toml"))),
            Baseline => Some(("method.toml", template!("method-baseline.toml"))),
            // It scores for the vectors of another plugin's encoder.
            Decoder => None,
        });
        files.extend(match self.language {
            Python => vec![
                ("plugin.toml", template!("python/plugin.toml")),
                ("requirements.txt", template!("python/requirements.txt")),
                (".gitignore", template!("python/gitignore")),
                (".github/workflows/check.yml", template!("python/check.yml")),
            ],
            Rust => vec![
                ("plugin.toml", template!("rust/plugin.toml")),
                ("Cargo.toml", template!("rust/Cargo.toml")),
                (".gitignore", template!("rust/gitignore")),
                (".github/workflows/check.yml", template!("rust/check.yml")),
            ],
            C => vec![
                ("plugin.toml", template!("c/plugin.toml")),
                ("Makefile", template!("c/Makefile")),
                ("molarena.h", include_str!("../../../../abi/include/molarena.h")),
                (".gitignore", template!("c/gitignore")),
                (".github/workflows/check.yml", template!("c/check.yml")),
            ],
        });
        let (code, tests) = match (self.language, self.kind) {
            (Python, Encoder) => (template!("python/encoder.py"), Some(template!("python/test_encoder.py"))),
            (Python, Decoder) => (template!("python/decoder.py"), Some(template!("python/test_decoder.py"))),
            (Python, Baseline) => {
                (template!("python/baseline.py"), Some(template!("python/test_baseline.py")))
            }
            (Rust, Encoder) => (template!("rust/encoder.rs"), None),
            (Rust, Decoder) => (template!("rust/decoder.rs"), None),
            (Rust, Baseline) => (template!("rust/baseline.rs"), None),
            (C, Encoder) => (template!("c/encoder.c"), Some(template!("c/test_encoder.c"))),
            (C, Decoder) => (template!("c/decoder.c"), Some(template!("c/test_decoder.c"))),
            (C, Baseline) => (template!("c/baseline.c"), Some(template!("c/test_baseline.c"))),
        };
        files.push((self.code(), code));
        let name_of_tests = if self.language == Python { "test_plugin.py" } else { "test_plugin.c" };
        files.extend(tests.map(|tests| (name_of_tests, tests)));
        files
    }

    /// The file of its code; in Rust with its tests.
    fn code(&self) -> &'static str {
        match self.language {
            PluginLanguage::Python => "plugin.py",
            PluginLanguage::Rust => "src/lib.rs",
            PluginLanguage::C => "plugin.c",
        }
    }

    /// The command that builds it, in a folder or `in_folder`, which ends with `/`.
    fn build(&self, in_folder: &str) -> String {
        match (self.language, in_folder) {
            (PluginLanguage::Python, at) => format!(
                "python3 -m venv {at}.venv && {at}.venv/bin/pip install -r {at}requirements.txt && \
                 {at}.venv/bin/pip freeze > {at}requirements.lock"
            ),
            (PluginLanguage::Rust, "") => "cargo build --release --target-dir target".into(),
            (PluginLanguage::Rust, at) => {
                format!("cargo build --release --manifest-path {at}Cargo.toml --target-dir {at}target")
            }
            (PluginLanguage::C, "") => "make".into(),
            (PluginLanguage::C, at) => format!("make -C {}", at.trim_end_matches('/')),
        }
    }

    /// The command that runs its tests, as [`build`](Self::build).
    fn test(&self, in_folder: &str) -> String {
        match (self.language, in_folder) {
            (PluginLanguage::Python, "") => ".venv/bin/python -m unittest".into(),
            (PluginLanguage::Python, at) => {
                format!("{at}.venv/bin/python -m unittest discover -s {}", at.trim_end_matches('/'))
            }
            (PluginLanguage::Rust, "") => "cargo test".into(),
            (PluginLanguage::Rust, at) => format!("cargo test --manifest-path {at}Cargo.toml"),
            (PluginLanguage::C, "") => "make test".into(),
            (PluginLanguage::C, at) => format!("make -C {} test", at.trim_end_matches('/')),
        }
    }

    /// The command that puts a row of it beside another on a board; none for a decoder.
    fn row(&self, folder: &str) -> Option<String> {
        (self.kind != PluginKind::Decoder)
            .then(|| format!("run {BESIDE} --method {folder}/method.toml --plugin {folder}"))
    }

    /// The commands that come next, for a shell that calls this program by `program`.
    fn commands(&self, folder: &str, program: &str) -> [String; 3] {
        let at = format!("{folder}/");
        let last = self.row(folder).map_or_else(|| self.test(&at), |row| format!("{program} {row}"));
        [self.build(&at), format!("{program} plugin check {folder}"), last]
    }

    /// The id of its component, and what that does.
    fn component(&self) -> (&'static str, &'static str) {
        use PluginKind::{Baseline, Decoder, Encoder};
        use PluginLanguage::{C, Python, Rust};
        match (self.kind, self.language) {
            (Encoder, Rust) => {
                ("element-counts", "counts of elements, ring atoms and bond types of the graph")
            }
            (Encoder, Python | C) => ("element-counts", "counts of elements, bonds and rings in the SMILES"),
            (Decoder, _) => {
                ("cosine", "cosine similarity to a predicted profile, over the values that were measured")
            }
            (Baseline, Python) => {
                ("ridge", "ridge regression of each task, on the molecules that have a label")
            }
            (Baseline, Rust | C) => {
                ("nearest-centroid", "distances to the centroids of low and of high labels")
            }
        }
    }

    /// How its README names the language, what it is built with, and what belongs together.
    fn about(&self) -> (&'static str, String, &'static str) {
        let from = |part: &str| match &self.sdk {
            Sdk::Checkout(path) => format!("of `{path}/framework/{part}`"),
            Sdk::Repository => "of that repository".into(),
        };
        match self.language {
            PluginLanguage::Python => (
                "Python",
                format!(
                    "Its environment has the Python package {}, which `requirements.txt` names.",
                    from("python")
                ),
                "What it imports goes into `requirements.txt`; the build writes what is installed into \
                 `requirements.lock`, which is part of the plugin, as its other files are.",
            ),
            PluginLanguage::Rust => (
                "Rust",
                format!("It is built with the SDK {}, which `Cargo.toml` names.", from("sdk")),
                "Its version is in `Cargo.toml` and in `plugin.toml`.",
            ),
            PluginLanguage::C => (
                "C",
                "It needs only the header `molarena.h`, which C++ can include, too.".into(),
                "Its version is in it and in `plugin.toml`.",
            ),
        }
    }

    /// What its README says of using it.
    fn usage(&self) -> String {
        match self.row(self.name) {
            Some(row) => format!(
                "`method.toml` is a row of a board. In the folder above, if it has the data and the store:\n\n    molarena {row}"
            ),
            None => format!(
                "A method names it as `decoder = {{ component = \"{}/{}\" }}`, with an encoder whose vectors are predicted \
                 profiles.",
                self.name,
                self.component().0
            ),
        }
    }

    /// What stands for each word of the templates.
    fn words(&self) -> Vec<(&'static str, String)> {
        let (article, kind) = match self.kind {
            PluginKind::Encoder => ("An", "encoder"),
            PluginKind::Decoder => ("A", "decoder"),
            PluginKind::Baseline => ("A", "baseline"),
        };
        let is = |language: PluginLanguage| self.language == language;
        let ((component, does), (language, source, version)) = (self.component(), self.about());
        let fixed = [
            ("name", self.name),
            ("article", article),
            ("kind", kind),
            ("component", component),
            ("does", does),
            ("features", if is(PluginLanguage::Rust) { "graphs" } else { "smiles" }),
            ("language", language),
            ("version", version),
            ("code", self.code()),
            ("install", if is(PluginLanguage::Python) { " --with-environment" } else { "" }),
            ("repository", REPOSITORY),
            ("shared", template!("c/shared.c").trim_end()),
            ("table", template!("c/table.c").trim_end()),
            ("check", template!("c/check.c").trim_end()),
        ];
        let made = [
            ("underscored", self.name.replace('-', "_")),
            ("source", source),
            ("build", self.build("")),
            ("test", self.test("")),
            ("use", self.usage()),
            ("sdk", if is(PluginLanguage::Rust) { self.sdk.dependency() } else { self.sdk.requirement() }),
        ];
        fixed.map(|(word, text)| (word, text.to_owned())).into_iter().chain(made).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use molarena_host::{Method, plugin::manifest::PluginManifest};

    use super::*;

    fn all(name: &str) -> Vec<New<'_>> {
        let sdk = Sdk::Checkout("/a \"b\"/molarena".into());
        let of = |language: &PluginLanguage| {
            let (language, sdk) = (*language, sdk.clone());
            PluginKind::value_variants().iter().map(move |&kind| New {
                name,
                kind,
                language,
                sdk: sdk.clone(),
            })
        };
        PluginLanguage::value_variants().iter().flat_map(of).collect()
    }

    /// Whether a text has a word between two @ still.
    fn has_placeholder(text: &str) -> bool {
        text.split('@').skip(1).any(|word| {
            let ends = text.contains(&format!("@{word}@"));
            ends && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        })
    }

    #[test]
    fn every_new_plugin_has_a_manifest_and_no_word_of_a_template() {
        for new in all("my-3d-method") {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in new.files() {
                assert!(!has_placeholder(&text), "{new:?} {path}: {text}");
                assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{new:?} {path}");
                write(&folder.path().join(path), &text).unwrap();
            }
            let manifest = PluginManifest::read(folder.path()).unwrap();
            assert_eq!((manifest.id.as_str(), manifest.version.as_str()), ("my-3d-method", "0.1.0"));
            let method = folder.path().join("method.toml");
            assert_eq!(method.exists(), new.kind != PluginKind::Decoder);
            if method.exists() {
                Method::parse(&fs_err::read_to_string(&method).unwrap(), &method).unwrap();
            }
            let texts: Vec<String> = new.files().into_iter().map(|(_, text)| text).collect();
            let component = format!("{}/{}", new.name, new.component().0);
            assert!(texts.iter().any(|text| text.contains(&component)), "{new:?}");
        }
    }

    #[test]
    fn the_library_is_the_one_that_is_built() {
        for new in all("my-method").iter().filter(|new| new.language != PluginLanguage::Python) {
            let files = new.files();
            let text = |name: &str| &files.iter().find(|(path, _)| *path == name).unwrap().1;
            assert!(text("plugin.toml").contains("libmolarena_my_method.so"));
            if new.language == PluginLanguage::Rust {
                assert!(text("Cargo.toml").contains("name = \"molarena-my-method\""));
                assert!(text("Cargo.toml").contains(r#"{ path = "/a \"b\"/molarena/framework/sdk" }"#));
            } else {
                assert!(text("Makefile").starts_with("LIBRARY = libmolarena_my_method.so\n"));
            }
        }
    }

    #[test]
    fn the_next_commands_name_the_folder() {
        for new in all("mine") {
            let [build, check, last] = new.commands("'a b'", "/bin/molarena");
            assert!(build.contains("'a b'") && last.contains("'a b'"), "{build}\n{last}");
            assert_eq!(check, "/bin/molarena plugin check 'a b'");
        }
    }

    #[test]
    fn the_sdk_is_that_of_a_checkout_or_of_the_repository() {
        use PluginLanguage::{C, Python, Rust};
        let place = tempfile::tempdir().unwrap();
        let root = fs_err::canonicalize(place.path()).unwrap();
        let (checkout, package) = (root.join("molarena"), root.join("molarena/framework/cli"));
        assert_eq!(Sdk::of(Rust, None, &package).unwrap(), Sdk::Repository);
        write(&checkout.join("framework/sdk/Cargo.toml"), "").unwrap();
        let here = Sdk::Checkout(checkout.to_str().unwrap().into());
        assert_eq!(Sdk::of(Rust, None, &package).unwrap(), here);
        assert_eq!(Sdk::of(Python, None, &package).unwrap(), Sdk::Repository, "without its package");
        assert_eq!(Sdk::of(Rust, Some(&checkout), Path::new("/nowhere/x/y")).unwrap(), here);
        let says = |language, named: &Path| Sdk::of(language, Some(named), &package).unwrap_err().to_string();
        assert!(says(Python, &checkout).contains("it has no framework/python/pyproject.toml"));
        assert!(says(Rust, &root.join("none")).contains("there is no such folder"));
        assert!(says(C, &checkout).contains("needs no SDK"));
        assert_eq!(
            Sdk::Checkout("/a b/ü".into()).requirement(),
            "molarena @ file:///a%20b/%C3%BC/framework/python"
        );
    }
}
