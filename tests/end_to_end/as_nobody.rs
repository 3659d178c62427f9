//! The tests of CI run as root; here the same attacks run as an ordinary user.

use std::process::Command;

use molarena_tests::{TestArena, binary, library};

use crate::{chains, row};

/// A user that every system has, and that owns nothing.
const NOBODY: &str = "65534";

#[test]
fn an_ordinary_user_is_as_safe() {
    if Command::new("id").arg("-u").output().is_ok_and(|user| user.stdout != b"0\n") {
        return eprintln!("skipped: all other tests run as an ordinary user already");
    }
    let arena = TestArena::new();
    chains(&arena);
    // The target folder may be closed to others.
    let (program, plugin) = (arena.path("molarena"), arena.path("libfixture_hostile.so"));
    fs_err::copy(binary(), &program).unwrap();
    fs_err::copy(library("fixture_hostile"), &plugin).unwrap();
    let passes = |by: &str| format!("{{ by = {by:?}, folder = {:?} }}", arena.path("store").display());
    let names = ["calls", "rss-limit", "sizes-and-names", "left-in-tmp", "access-time"];
    arena.method("good", "fixture-hostile/good", "{}");
    arena.method("children", "fixture-hostile/children", "{}");
    arena.method("calls", "fixture-hostile/calls", "{}");
    for name in &names[1..] {
        arena.method(name, "fixture-hostile/passes", &passes(name));
    }
    let owned = Command::new("chown").args(["-R", NOBODY]).arg(arena.path("")).status().unwrap();
    assert!(owned.success());
    let mut arguments = vec!["--dataset", "chains", "--seeds", "2", "--memory-limit", "300MiB"];
    arguments.extend(names.iter().chain(&["good", "children"]).flat_map(|name| ["--method", *name]));
    let all = arena.run_arguments(&[plugin], &arguments);
    let run = Command::new("setpriv")
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"])
        .arg(program)
        .args(all)
        .current_dir(arena.path(""))
        .env_clear()
        .env("HOME", arena.path(""))
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(10), "{said}");
    let good = row(&arena, "good");
    let confined = good["confined"] == true;
    assert_eq!(row(&arena, "children")["failed"], serde_json::json!({ "memory": 2 }));
    for name in names.into_iter().filter(|_| confined) {
        let row = row(&arena, name);
        assert_eq!((&row["failed"], &row["mean"]), (&serde_json::json!({}), &good["mean"]), "{row}");
    }
}
