use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;
use crate::testing::made_up;

const BODY: &[u8] = b"smiles,t1,t2\nC,0,1\nCC,1,0\n";

/// Answers one request with `head` and `body`, then closes the connection.
fn serve(head: String, body: &'static [u8]) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/made-up/assays.csv", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = BufReader::new(stream.try_clone().unwrap());
        for line in request.lines() {
            if line.unwrap().is_empty() {
                break;
            }
        }
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
    });
    (url, server)
}

fn ok_head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
}

/// A manifest of one file with the digest of [`BODY`]; the file is not in `data_dir`.
fn absent(data_dir: &Path, url: Option<String>) -> Manifest {
    let manifest = made_up(data_dir, BODY, |manifest| manifest.files[0].url = url);
    fs_err::remove_file(manifest.assays().locate(data_dir)).unwrap();
    manifest
}

fn fetch_quietly(manifest: &Manifest, data_dir: &Path, origin: &Origin) -> Result<Vec<Fetched>> {
    fetch(manifest, data_dir, origin, Wanted::Required, &mut |_| ())
}

/// Names of the files in the dataset's folder.
fn files_in(data_dir: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs_err::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    fs_err::read_dir(data_dir.join("made-up")).unwrap().map(name).collect()
}

#[test]
fn downloads_verifies_and_then_leaves_alone() {
    let data = tempfile::tempdir().unwrap();
    let (url, server) = serve(ok_head(BODY.len()), BODY);
    let manifest = absent(data.path(), Some(url));
    let mut seen = Vec::new();
    let fetched = fetch(&manifest, data.path(), &Origin::Web, Wanted::All, &mut |progress| {
        assert_eq!(progress.path, "made-up/assays.csv");
        seen.push((progress.done, progress.total));
    });
    server.join().unwrap();
    assert!(fetched.unwrap()[0].transferred);
    let length = BODY.len() as u64;
    assert_eq!((seen[0], *seen.last().unwrap()), ((0, Some(length)), (length, Some(length))));
    assert_eq!(fs_err::read(data.path().join("made-up/assays.csv")).unwrap(), BODY);
    assert_eq!(files_in(data.path()), ["assays.csv"]);
    // The server is gone: a second transfer would fail.
    assert!(!fetch_quietly(&manifest, data.path(), &Origin::Web).unwrap()[0].transferred);
}

#[test]
fn keeps_nothing_of_a_failed_download() {
    let not_found = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned();
    let no_length = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned();
    let cases: [(String, &'static [u8], &str, &str); 4] = [
        (not_found, b"", "E-DATA-020", "404"),
        (ok_head(BODY.len() + 10), BODY, "E-DATA-021", "after 26 bytes"),
        (no_length, &BODY[..10], "E-DATA-022", "sha256 is "),
        (ok_head(4), b"evil", "E-DATA-022", "sha256 is "),
    ];
    for (head, body, code, part) in cases {
        let data = tempfile::tempdir().unwrap();
        let (url, server) = serve(head, body);
        let manifest = absent(data.path(), Some(url.clone()));
        let error = fetch_quietly(&manifest, data.path(), &Origin::Web).unwrap_err();
        server.join().unwrap();
        let text = error.to_string();
        assert_eq!(error.code(), code, "{text}");
        assert!(text.contains(&url) && text.contains(part), "{text}");
        assert!(files_in(data.path()).is_empty());
    }
}

#[test]
fn a_server_that_is_not_there_is_a_failed_transfer() {
    let data = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let manifest = absent(data.path(), Some(format!("http://{address}/assays.csv")));
    let error = fetch_quietly(&manifest, data.path(), &Origin::Web).unwrap_err();
    assert_eq!(error.code(), "E-DATA-021", "{error}");
}

#[test]
fn a_file_without_url_needs_a_mirror() {
    let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let manifest = absent(data.path(), None);
    assert_eq!(fetch_quietly(&manifest, data.path(), &Origin::Web).unwrap_err().code(), "E-DATA-019");

    let origin = Origin::Mirror(mirror.path().to_owned());
    let error = fetch_quietly(&manifest, data.path(), &origin).unwrap_err();
    assert_eq!(error.code(), "E-DATA-001");
    assert!(error.to_string().contains("assays.csv"), "{error}");

    made_up(mirror.path(), BODY, |_| ());
    assert!(fetch_quietly(&manifest, data.path(), &origin).unwrap()[0].transferred);
    assert_eq!(fs_err::read(data.path().join("made-up/assays.csv")).unwrap(), BODY);
}

#[test]
fn a_changed_mirror_is_refused_and_the_old_file_stays() {
    let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let manifest = absent(data.path(), None);
    fs_err::write(manifest.assays().locate(data.path()), "old").unwrap();
    made_up(mirror.path(), "changed", |_| ());
    let error = fetch_quietly(&manifest, data.path(), &Origin::Mirror(mirror.path().to_owned())).unwrap_err();
    assert_eq!(error.code(), "E-DATA-022", "{error}");
    assert_eq!(fs_err::read(manifest.assays().locate(data.path())).unwrap(), b"old");
    assert_eq!(files_in(data.path()), ["assays.csv"]);
}

#[test]
fn leftovers_and_wrong_files_are_replaced_and_good_ones_left() {
    let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    made_up(mirror.path(), BODY, |_| ());
    let origin = Origin::Mirror(mirror.path().to_owned());
    let manifest = made_up(data.path(), BODY, |_| ());
    assert!(!fetch_quietly(&manifest, data.path(), &origin).unwrap()[0].transferred);
    assert!(!data.path().join(LOCK_FILE).exists(), "nothing is written when nothing is missing");

    let path = manifest.assays().locate(data.path());
    fs_err::write(&path, "wrong").unwrap();
    fs_err::write(temporary_path(&path), "half").unwrap();
    assert!(fetch_quietly(&manifest, data.path(), &origin).unwrap()[0].transferred);
    assert_eq!(fs_err::read(&path).unwrap(), BODY);
    assert_eq!(files_in(data.path()), ["assays.csv"]);
}

#[test]
fn two_at_once_both_succeed() {
    let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    made_up(mirror.path(), BODY, |_| ());
    let origin = Origin::Mirror(mirror.path().to_owned());
    let manifest = absent(data.path(), None);
    let transfers: usize = std::thread::scope(|scope| {
        let one = || usize::from(fetch_quietly(&manifest, data.path(), &origin).unwrap()[0].transferred);
        let threads = [scope.spawn(one), scope.spawn(one), scope.spawn(one)];
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(transfers, 1);
}
