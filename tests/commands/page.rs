//! Boards as an HTML page.

use crate::support::{run_one, toy};

#[test]
fn a_page_is_written_and_nothing_else_is_printed() {
    let arena = toy();
    assert_eq!(run_one(&arena, "toy", "knn-test").code, Some(0));
    let places = ["--store", "store", "--data-dir", "data", "--datasets-dir", "datasets"];
    let board = |arguments: &[&str]| arena.molarena(&[&["board"], arguments, &places].concat());
    let first = board(&["--html", "page.html"]);
    assert_eq!((first.code, first.stdout.as_str()), (Some(0), ""), "{}", first.stderr);
    assert!(first.stderr.contains("wrote page.html"), "{}", first.stderr);
    let page = fs_err::read_to_string(arena.path("page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>\n") && page.ends_with("</html>\n"));
    for text in ["knn-test", "Board of toy", "% interval", "baselines/knn", "<td>yes<td>"] {
        assert!(page.contains(text), "{text}");
    }
    // Again over the file that is there: the same bytes.
    assert_eq!(board(&["--html", "page.html"]).code, Some(0));
    assert!(fs_err::read_to_string(arena.path("page.html")).unwrap() == page);
    assert!(!board(&[]).stdout.contains("<html"));
}

#[test]
fn a_page_takes_the_place_of_nothing_that_is_read() {
    let arena = toy();
    assert_eq!(run_one(&arena, "toy", "constant-test").code, Some(0));
    let table = fs_err::read_dir(arena.path("data")).unwrap().next().unwrap().unwrap().path();
    let table = table.to_str().unwrap();
    let before = fs_err::read(table).unwrap();
    for (path, why) in [
        (table, "which would be overwritten"),
        ("store/page.html", "which molarena keeps"),
        ("absent/page.html", "a folder that is not there"),
        ("data", "is a folder"),
    ] {
        let places = ["--store", "store", "--data-dir", "data", "--datasets-dir", "datasets"];
        let output = arena.molarena(&[&["board", "--html", path] as &[&str], &places].concat());
        assert_ne!(output.code, Some(0));
        assert!(output.stderr.contains(why), "{path}: {}", output.stderr);
    }
    assert_eq!(fs_err::read(table).unwrap(), before);
    let both = arena.molarena(&["board", "--html", "page.html", "--format", "csv"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
    assert!(!arena.path("page.html").exists());
}
