//! What changes the hash of a plugin's sources, and what does not, in a small workspace of its own.

use std::path::{Path, PathBuf};

use molarena_identity::{of_package, of_plugins};
use tempfile::TempDir;

const FILES: [(&str, &str); 10] = [
    (
        "Cargo.toml",
        r#"[workspace]
members = ["plugin", "base", "tool", "library"]
[workspace.package]
version = "1.0.0"
edition = "2024"
[workspace.dependencies]
molarena-base = { path = "base" }
molarena-identity = { path = "tool" }
inherited = { version = "2", default-features = false, features = ["one"] }
unrelated = "1"
"#,
    ),
    (
        "plugin/Cargo.toml",
        r#"[package]
name = "molarena-two-words"
version.workspace = true
edition.workspace = true
[features]
fast = ["renamed/fast"]
[dependencies]
molarena-base.workspace = true
inherited = { workspace = true, features = ["two"] }
renamed = { version = "1", package = "foreign" }
[target.'cfg(unix)'.dependencies]
of-unix = "1"
[build-dependencies]
molarena-identity.workspace = true
[dev-dependencies]
of-tests = "1"
[lib]
crate-type = ["cdylib", "rlib"]
"#,
    ),
    ("plugin/build.rs", "fn main() {}\n"),
    ("plugin/src/lib.rs", "mod part;\n"),
    ("plugin/src/part/mod.rs", "// one\n// two\n"),
    ("base/Cargo.toml", "[package]\nname = \"molarena-base\"\nversion = \"1.0.0\"\n"),
    ("base/src/lib.rs", ""),
    ("tool/Cargo.toml", "[package]\nname = \"molarena-identity\"\nversion = \"1.0.0\"\n"),
    (
        "library/Cargo.toml",
        "[package]\nname = \"molarena-library\"\nversion = \"1.0.0\"\n[lib]\ncrate-type = [\"cdylib\"]\n",
    ),
    (
        "Cargo.lock",
        r#"version = 4
[[package]]
name = "below"
version = "0.1.0"
source = "registry+https://example.org"
checksum = "c0"
[[package]]
name = "foreign"
version = "1.0.0"
source = "registry+https://example.org"
checksum = "c1"
dependencies = ["below"]
[[package]]
name = "inherited"
version = "1.9.0"
source = "registry+https://example.org"
checksum = "c2"
[[package]]
name = "inherited"
version = "2.0.0"
source = "registry+https://example.org"
checksum = "c3"
[[package]]
name = "molarena-base"
version = "1.0.0"
[[package]]
name = "molarena-identity"
version = "1.0.0"
dependencies = ["of-tool"]
[[package]]
name = "molarena-two-words"
version = "1.0.0"
dependencies = [
 "foreign",
 "inherited 2.0.0 (registry+https://example.org)",
 "molarena-base",
 "molarena-identity",
 "of-tests",
 "of-unix",
]
[[package]]
name = "of-tests"
version = "1.0.0"
source = "registry+https://example.org"
checksum = "c4"
[[package]]
name = "of-tool"
version = "1.0.0"
source = "registry+https://example.org"
checksum = "c5"
[[package]]
name = "of-unix"
version = "1.0.0"
source = "git+https://example.org/of-unix#0123abcd"
"#,
    ),
];

struct Workspace(TempDir);

impl Workspace {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        for (path, text) in FILES {
            this.write(path, text);
        }
        this
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn sha256(&self) -> String {
        of_package(&self.path("plugin")).unwrap().unwrap().sha256
    }
}

/// The hash after `from` became `to` in `file`.
#[track_caller]
fn after(file: &str, from: &str, to: &str) -> String {
    let workspace = Workspace::new();
    let text = fs_err::read_to_string(workspace.path(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    workspace.write(file, &text.replace(from, to));
    workspace.sha256()
}

#[test]
fn the_same_sources_elsewhere_have_the_same_hash() {
    let (one, other) = (Workspace::new(), Workspace::new());
    assert_ne!(one.0.path(), other.0.path());
    assert_eq!(one.sha256(), other.sha256());
    assert_eq!(one.sha256().len(), 64);
}

#[test]
fn whatever_is_built_changes_the_hash() {
    let before = Workspace::new().sha256();
    for (file, from, to) in [
        ("plugin/src/lib.rs", "mod part;", "mod  part;"),
        ("plugin/src/part/mod.rs", "// one\n", ""),
        ("plugin/build.rs", "{}", "{ }"),
        ("base/src/lib.rs", "", "// a line"),
        ("base/Cargo.toml", "1.0.0", "1.0.1"),
        ("Cargo.toml", "2024", "2021"),
        ("Cargo.toml", "\"one\"", "\"other\""),
        ("Cargo.toml", "default-features = false", "default-features = true"),
        ("plugin/Cargo.toml", "\"two\"", "\"other\""),
        ("plugin/Cargo.toml", "renamed/fast", "renamed/faster"),
        ("plugin/Cargo.toml", "cfg(unix)", "cfg(windows)"),
        ("Cargo.lock", "0.1.0", "0.1.1"),
        ("Cargo.lock", "\"c0\"", "\"d0\""),
        ("Cargo.lock", "\"c3\"", "\"d3\""),
        ("Cargo.lock", "0123abcd", "4567abcd"),
    ] {
        assert_ne!(after(file, from, to), before, "{file}: {from} to {to}");
    }
    let workspace = Workspace::new();
    fs_err::rename(workspace.path("plugin/src/part/mod.rs"), workspace.path("plugin/src/part.rs")).unwrap();
    assert_ne!(workspace.sha256(), before, "a file with another name");
}

#[test]
fn what_is_not_built_does_not_change_the_hash() {
    let before = Workspace::new().sha256();
    for (file, from, to) in [
        // Tests, tools, and what only other packages use.
        ("plugin/Cargo.toml", "of-tests = \"1\"", ""),
        ("Cargo.lock", "\"c4\"", "\"d4\""),
        ("Cargo.lock", "\"c5\"", "\"d5\""),
        ("Cargo.lock", "\"c2\"", "\"d2\""),
        ("tool/Cargo.toml", "1.0.0", "1.0.1"),
        ("Cargo.toml", "unrelated = \"1\"", "unrelated = \"2\""),
        // A requirement that the same version fulfils, a profile, and how a manifest is written.
        ("plugin/Cargo.toml", "version = \"1\", package", "version = \"1.0\", package"),
        ("Cargo.toml", "[workspace]", "[profile.release]\nlto = true\n[workspace]"),
        ("plugin/Cargo.toml", "[dependencies]\n", "# of others\n[dependencies]\n\n"),
        // Line ends.
        ("plugin/src/part/mod.rs", "\n", "\r\n"),
    ] {
        assert_eq!(after(file, from, to), before, "{file}: {from} to {to}");
    }
    let workspace = Workspace::new();
    workspace.write("plugin/src/.lib.rs.swp", "what an editor left");
    workspace.write("plugin/tests/all.rs", "// tests");
    workspace.write("plugin/target/debug/out", "a build");
    assert_eq!(workspace.sha256(), before);
}

#[test]
fn what_a_build_watches_is_what_is_hashed() {
    let workspace = Workspace::new();
    let watched = of_package(&workspace.path("plugin")).unwrap().unwrap().watched;
    let paths = [
        "Cargo.lock",
        "Cargo.toml",
        "base/Cargo.toml",
        "base/src",
        "plugin/Cargo.toml",
        "plugin/build.rs",
        "plugin/src",
    ];
    assert_eq!(watched, paths.map(|path| workspace.path(path)).into());
}

#[test]
fn the_plugins_of_a_workspace_are_the_libraries_that_declare_their_sources() {
    let workspace = Workspace::new();
    let plugins = of_plugins(&workspace.path("base")).unwrap();
    let found: Vec<_> = plugins.iter().map(|(id, source)| (id.as_str(), source.sha256.clone())).collect();
    assert_eq!(found, [("two-words", workspace.sha256())]);
}

#[test]
fn without_a_workspace_or_its_lock_file_there_is_no_hash() {
    let workspace = Workspace::new();
    fs_err::remove_file(workspace.path("Cargo.lock")).unwrap();
    assert_eq!(of_package(&workspace.path("plugin")).unwrap(), None);
    fs_err::remove_file(workspace.path("Cargo.toml")).unwrap();
    assert_eq!(of_package(&workspace.path("plugin")).unwrap(), None);
    assert_eq!(of_plugins(&workspace.path("base")).unwrap().len(), 0);
    // In a workspace of others, which does not build it.
    let workspace = Workspace::new();
    let lock = fs_err::read_to_string(workspace.path("Cargo.lock")).unwrap();
    workspace.write("Cargo.lock", &lock.replace("molarena-two-words", "another"));
    assert_eq!(of_package(&workspace.path("plugin")).unwrap(), None);
}

#[test]
fn what_cannot_be_known_is_an_error() {
    let refused = |file: &str, from: &str, to: &str| {
        let workspace = Workspace::new();
        let text = fs_err::read_to_string(workspace.path(file)).unwrap();
        workspace.write(file, &text.replace(from, to));
        of_package(&workspace.path("plugin")).unwrap_err().to_string()
    };
    // A patch replaced it by a folder, which no dependency names.
    let patched = refused("Cargo.lock", "source = \"git+https://example.org/of-unix#0123abcd\"", "");
    assert_eq!(patched, "Cargo.lock says no source of `of-unix`, and no package depends on it by path");
    let missing = refused("Cargo.lock", " \"foreign\",\n", "");
    assert!(missing.starts_with("Cargo.lock has 0 packages `foreign`"), "{missing}");
    let elsewhere = refused("plugin/Cargo.toml", "[lib]", "[lib]\npath = \"lib.rs\"");
    assert!(elsewhere.ends_with("its sources are elsewhere than in src and build.rs"), "{elsewhere}");
    let broken = refused("plugin/Cargo.toml", "[lib]", "[lib");
    assert!(broken.contains("plugin/Cargo.toml: "), "{broken}");
}

#[test]
fn the_workspace_of_this_crate_has_its_plugins() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plugins = of_plugins(folder).unwrap();
    for (id, source) in &plugins {
        let of_itself = of_package(&folder.join("../../plugins").join(id)).unwrap().unwrap();
        assert_eq!(source.sha256, of_itself.sha256, "{id} knows the hash that the host knows");
    }
    assert_eq!(
        plugins.keys().collect::<Vec<_>>(),
        [
            "baselines",
            "contrastive",
            "gnn",
            "infoalign",
            "language",
            "linfa",
            "mlp",
            "onnx",
            "selfsupervised"
        ]
    );
}
