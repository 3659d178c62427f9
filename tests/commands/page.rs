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
    let table = fs_err::read_dir(arena.path("data/toy")).unwrap().next().unwrap().unwrap().path();
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

/// A request to a server, and the whole answer.
fn request(port: &str, lines: &str) -> String {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    std::io::Write::write_all(&mut stream, format!("{lines}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    answer
}

#[test]
fn a_served_page_follows_the_store_and_answers_only_this_machine() {
    let arena = toy();
    assert_eq!(run_one(&arena, "toy", "constant-test").code, Some(0));
    let arguments =
        ["serve", "--port", "0", "--store", "store", "--data-dir", "data", "--datasets-dir", "datasets"];
    let mut command = arena.command(&arguments);
    let mut server = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let output = server.stderr.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
    let port = line.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next());
    let port = port.unwrap_or_else(|| panic!("{line}"));
    let get = |path: &str| request(port, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}"));
    let (page, state) = (get("/"), get("/state"));
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("constant-test"), "{page}");
    assert!(page.contains("connect-src 'self'"));
    let state = state.split("\r\n\r\n").nth(1).unwrap();
    assert!(page.contains(&format!("data-state=\"{state}\"")), "{state}");
    let elsewhere = request(port, "GET / HTTP/1.1\r\nHost: evil.example");
    assert!(elsewhere.starts_with("HTTP/1.1 421 ") && !elsewhere.contains("constant-test"), "{elsewhere}");
    assert_eq!(run_one(&arena, "toy", "knn-test").code, Some(0));
    assert!(!get("/state").ends_with(state));
    assert!(get("/").contains("knn-test"));
    server.kill().unwrap();
    server.wait().unwrap();
}
