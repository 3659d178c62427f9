//! `molarena method`

use crate::support::toy;

#[test]
fn methods_are_listed_and_shown() {
    let arena = toy();
    let all = arena.molarena(&["method", "list"]);
    assert_eq!((all.code, all.stderr.as_str()), (Some(0), ""));
    let line = all.stdout.lines().find(|line| line.starts_with("morgan-rf ")).expect(&all.stdout);
    assert!(line.ends_with("Random forest of 100 trees for each task on Morgan bits"), "{line}");

    let own = arena.molarena(&["method", "list", "KNN-test", "--methods-dir", "methods", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&own.stdout).unwrap();
    assert_eq!(listed["methods"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["methods"][0]["name"], "knn-test");
    assert_eq!(listed["methods"][0]["file"], "methods/knn-test.toml");

    let none = arena.molarena(&["method", "list", "no such thing"]);
    assert_eq!(none.code, Some(4), "{}", none.stderr);
    assert!(
        none.stderr.contains("no method has \"no such thing\" in its name or summary"),
        "{}",
        none.stderr
    );
}

#[test]
fn a_shown_method_is_a_file_that_runs() {
    let arena = toy();
    let shown = arena.molarena(&["method", "show", "knn-test", "--methods-dir", "methods"]);
    assert_eq!(shown.stdout, fs_err::read_to_string(arena.path("methods/knn-test.toml")).unwrap());
    let builtin = arena.molarena(&["method", "show", "morgan-knn"]);
    fs_err::write(arena.path("copy.toml"), builtin.stdout.replace("\"morgan-knn\"", "\"copy\"")).unwrap();
    let ran = arena.run(&[], &["--dataset", "toy", "--method", "copy.toml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);

    let unknown = arena.molarena(&["method", "show", "morgan-nkn"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    assert!(
        unknown.stderr.contains("unknown method `morgan-nkn` (similar: `morgan-knn`"),
        "{}",
        unknown.stderr
    );
}
