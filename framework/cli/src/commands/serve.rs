//! `molarena serve`: the page of the boards, for browsers on this machine.

use std::{
    io::{Read, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use molarena_data::Catalog;
use molarena_host::{Error, Store};
use molarena_report::{BOARD_SCHEMA, Boards, live_page};

use super::{board::selected, own};
use crate::{
    args::{BoardSelection, ServeArgs},
    exit_code::ExitCode,
};

/// Most bytes of a request; a browser sends less.
const LONGEST_REQUEST: usize = 16 << 10;
/// How long a request may take to come, and an answer to go.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most connections at once. Browsers open some that they may need later.
const MOST_CONNECTIONS: usize = 64;

pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    // A store that is not there is an error now, and not on the first request.
    Store::open(&args.selection.store.store)?;
    let catalog = own::catalog_of(&args.selection.data)?;
    let refused = |error: std::io::Error| {
        Error::Request(format!("port {} cannot be opened: {error}; choose another by --port", args.port))
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).map_err(refused)?;
    let port = listener.local_addr()?.port();
    let site = Arc::new(Site { selection: args.selection.clone(), catalog, port, shown: Mutex::new(None) });
    say!("serving http://127.0.0.1:{port}/ until it is interrupted");
    // A connection that breaks off concerns only its browser.
    for stream in listener.incoming().flatten() {
        // Each connection holds the site, until its thread ends in whatever way.
        if Arc::strong_count(&site) <= MOST_CONNECTIONS {
            let site = Arc::clone(&site);
            thread::spawn(move || site.serve(stream));
        }
    }
    Ok(ExitCode::Ok)
}

/// What is served.
struct Site {
    selection: BoardSelection,
    catalog: Catalog,
    port: u16,
    /// The page that was built last, and the state of the store that it shows.
    shown: Mutex<Option<(String, Arc<str>)>>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Page,
    State,
}

/// An answer: the status, the type of the content, and the content.
type Answer = (&'static str, &'static str, Arc<str>);

impl Site {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_write_timeout(Some(PATIENCE))?;
        let Some(head) = request_head(&mut stream)? else { return Ok(()) };
        let (status, kind, content) = match wanted(&head, self.port) {
            Ok(Wanted::State) => ("200 OK", "text/plain", self.state().into()),
            Ok(Wanted::Page) => self.page(),
            Err(status) => (status, "text/plain", format!("{status}\n").into()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nCross-Origin-Resource-Policy: same-origin\r\n\
             Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n",
            content.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(content.as_bytes())
    }

    /// The page, which is built again if the store has changed.
    fn page(&self) -> Answer {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state();
        if let Some((_, page)) = shown.as_ref().filter(|(of, _)| *of == state) {
            return ("200 OK", "text/html", Arc::clone(page));
        }
        let page = match selected(&self.selection, &self.catalog) {
            Ok((boards, records)) => live_page(&boards, &records, &state),
            // A run has not finished its first cell.
            Err(error) if matches!(error.downcast_ref(), Some(Error::NothingSelected(_))) => {
                let none =
                    Boards { schema: BOARD_SCHEMA.to_owned(), boards: Vec::new(), matches: Vec::new() };
                live_page(&none, &[], &state)
            }
            Err(error) => return ("500 Internal Server Error", "text/plain", format!("{error:#}\n").into()),
        };
        let page: Arc<str> = page.into();
        *shown = Some((state, Arc::clone(&page)));
        ("200 OK", "text/html", page)
    }

    /// A text that changes whenever a record, or the mark of one, comes, changes or goes.
    fn state(&self) -> String {
        let store = &self.selection.store.store;
        let (count, newest) = ["records", "matches", "reproductions"]
            .map(|folder| files(&store.join(folder)))
            .into_iter()
            .fold((0, UNIX_EPOCH), |(count, newest), (more, time)| (count + more, newest.max(time)));
        let newest = newest.duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{count}-{}", newest.as_nanos())
    }
}

/// How many files a folder has, at any depth, and when one of them changed last.
fn files(folder: &Path) -> (usize, SystemTime) {
    let mut found = (0, UNIX_EPOCH);
    for entry in fs_err::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(about) = entry.metadata() else { continue };
        let (count, newest) =
            if about.is_dir() { files(&entry.path()) } else { (1, about.modified().unwrap_or(UNIX_EPOCH)) };
        found = (found.0 + count, found.1.max(newest));
    }
    found
}

/// The first line and the headers of a request; `None` if they do not come in time or are too long.
fn request_head(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let end = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    let mut block = [0; 2048];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || bytes.len() > LONGEST_REQUEST {
            return Ok(None);
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut block)? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&block[..count]),
        }
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// What a request asks for, or the status that refuses it.
///
/// Its host must be this machine by one of its own names: a page of elsewhere whose name was made to lead here (DNS
/// rebinding) has another host, and reads nothing.
fn wanted(head: &str, port: u16) -> Result<Wanted, &'static str> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next(), first.next());
    let headers = lines.take_while(|line| !line.is_empty());
    let hosts: Vec<&str> = headers
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim())
        .collect();
    let own = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}"));
    match hosts.as_slice() {
        [host] if own.iter().any(|own| own.eq_ignore_ascii_case(host)) => {}
        _ => return Err("421 Misdirected Request"),
    }
    if method != Some("GET") {
        return Err("405 Method Not Allowed");
    }
    match path {
        Some("/") => Ok(Wanted::Page),
        Some("/state") => Ok(Wanted::State),
        _ => Err("404 Not Found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_to_this_machine_are_answered() {
        let asked =
            |line: &str, headers: &str| wanted(&format!("{line} HTTP/1.1\r\n{headers}\r\n\r\n"), 7878);
        assert_eq!(asked("GET /", "Host: 127.0.0.1:7878"), Ok(Wanted::Page));
        assert_eq!(asked("GET /state", "Accept: */*\r\nhost:LOCALHOST:7878"), Ok(Wanted::State));
        for headers in [
            "Host: evil.example:7878",
            "Host: 127.0.0.1.evil.example:7878",
            "Host: 127.0.0.1:80",
            "Host: 127.0.0.1",
            "Accept: 127.0.0.1:7878",
            "Host: 127.0.0.1:7878\r\nHost: evil.example",
            "",
        ] {
            assert_eq!(asked("GET /", headers), Err("421 Misdirected Request"), "{headers}");
        }
        let own = "Host: 127.0.0.1:7878";
        assert_eq!(asked("GET /../etc/passwd", own), Err("404 Not Found"));
        assert_eq!(asked("POST /", own), Err("405 Method Not Allowed"));
        assert_eq!(wanted("", 7878), Err("421 Misdirected Request"));
    }
}
