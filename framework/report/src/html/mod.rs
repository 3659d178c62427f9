//! Boards as one HTML page, which works from disk, without a network, and without its script (then unsorted).
//!
//! The page is pure: equal boards and records give equal bytes. Its content policy lets nothing be loaded, and only its
//! own style and script, which it names by their hashes, be applied. All text of others comes through [`text`].

/// Appends to a text, in the form of `format!`.
macro_rules! push {
    ($text:expr, $($format:tt)*) => {
        std::fmt::Write::write_fmt(&mut $text, format_args!($($format)*)).expect("a String takes every write")
    };
}

mod board;
mod costs;
mod document;
mod duel;
pub(crate) mod glossary;
mod groups;
mod heat;
mod history;
mod matches;
mod overview;
mod provenance;
mod published;
mod ranks;
mod svg;
mod table;
mod tasks;
#[cfg(test)]
mod tests;
mod text;
mod wins;

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use molarena_record::cell::Record;
use sha2::{Digest, Sha256};

pub use self::document::document;
use self::text::text;
use crate::{Board, Boards, MatchBoard, Row, RowRecords, board_rows};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("table.js");
/// Of pages that are served.
const LIVE: &str = include_str!("live.js");

/// The page of `boards`, which were built from `records`: a whole HTML file.
///
/// The records tell what a row is made of, when it was made and how it changed; without them the page has no such views.
pub fn page(boards: &Boards, records: &[Record]) -> String {
    let page = Page::new(boards, records);
    page.document(&page.main(), None)
}

/// The same for a server: the page asks it for `/state`, and loads itself again once the answer is another text than
/// `state`.
pub fn live_page(boards: &Boards, records: &[Record], state: &str) -> String {
    let page = Page::new(boards, records);
    page.document(&page.main(), Some(state))
}

/// The boards and where their rows come from.
struct Page<'a> {
    boards: &'a [Board],
    matches: &'a [MatchBoard],
    records: &'a [Record],
    /// The records of each board's rows; empty for a board that is not of these records.
    sources: Vec<Vec<RowRecords<'a>>>,
    /// What each board is called in short; no two are called the same.
    labels: Vec<String>,
    /// The names of all rows.
    rows: Vec<&'a str>,
}

impl<'a> Page<'a> {
    fn new(boards: &'a Boards, records: &'a [Record]) -> Self {
        let mut sources: Vec<_> = board_rows(records).into_iter().map(|(_, rows)| rows).collect();
        sources.resize_with(boards.boards.len(), Vec::new);
        let rows: BTreeSet<&str> =
            boards.boards.iter().flat_map(|board| &board.rows).map(|row| row.method.as_str()).collect();
        Self {
            boards: &boards.boards,
            matches: &boards.matches,
            records,
            sources,
            labels: labels(&boards.boards),
            rows: rows.into_iter().collect(),
        }
    }

    /// The records of a row of a board; none if they are of other data.
    fn source(&self, board: usize, row: &str) -> &[&'a Record] {
        let data = &self.boards[board].data_sha256;
        let is_own = |of: &&RowRecords<'a>| of.name == row && of.records[0].composition.data_sha256 == *data;
        self.sources[board].iter().find(is_own).map_or(&[], |of| &of.records)
    }

    /// The name of a row, as a link to what it is made of.
    fn row(&self, name: &str) -> String {
        match self.rows.iter().position(|row| *row == name) {
            Some(index) => format!("<a href=\"#r{index}\">{}</a>", text(name)),
            None => text(name),
        }
    }

    /// The label of a board, marked if its data are simulated; as HTML.
    fn label(&self, board: usize) -> String {
        let mark = if self.boards[board].simulated { " <b class=s>simulated</b>" } else { "" };
        format!("{}{mark}", text(&self.labels[board]))
    }

    fn main(&self) -> String {
        let mut main = overview::section(self);
        for index in 0..self.boards.len() {
            main += &board::section(self, index);
        }
        main += &matches::section(self.matches);
        main += &board::failures(self);
        main += &provenance::section(self);
        main += &history::section(self);
        main + &glossary::section()
    }

    /// The whole file. `live` is the state of what is shown, on pages that are served.
    fn document(&self, main: &str, live: Option<&str>) -> String {
        let days = history::span(self.records).map(|span| format!("; {span}")).unwrap_or_default();
        let boards: Vec<String> = (0..self.boards.len())
            .map(|index| format!("<li><a href=\"#b{index}\">{}</a>", self.label(index)))
            .collect();
        let more = [
            ("overview", "Overview", true),
            ("matches", "Matching", !self.matches.is_empty()),
            ("failures", "Failures", !self.boards.is_empty()),
            ("provenance", "Provenance", !self.boards.is_empty()),
            ("history", "History", !self.boards.is_empty()),
            ("glossary", "Columns", true),
        ];
        let link = |(id, name, shown): &(&str, &str, bool)| {
            if *shown { format!("<li><a href=\"#{id}\">{name}</a>") } else { String::new() }
        };
        let after: String = more[1..].iter().map(link).collect();
        Frame {
            title: "molarena leaderboards",
            count: format!(
                "{} boards, {} rows, {} records{days}.",
                self.boards.len() + self.matches.len(),
                self.rows.len(),
                self.records.len()
            ),
            links: format!("{}{}{after}", link(&more[0]), boards.concat()),
            main,
            command: "molarena board --html",
            state: live,
        }
        .render()
    }
}

/// What stands around the content of a page.
struct Frame<'a> {
    title: &'a str,
    /// What is on the page, as HTML.
    count: String,
    /// The items of the list of sections, as HTML.
    links: String,
    /// As HTML.
    main: &'a str,
    /// What made the page.
    command: &'a str,
    /// The state of what is shown, on pages that are served.
    state: Option<&'a str>,
}

impl Frame<'_> {
    /// The whole file.
    fn render(&self) -> String {
        let Self { count, links, main, .. } = self;
        let (title, command) = (text(self.title), text(self.command));
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'{}; base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT),
            self.state.map_or_else(String::new, |_| format!(" '{}'; connect-src 'self'", hash(LIVE)))
        );
        let state = self.state.map_or_else(String::new, |state| format!(" data-state=\"{}\"", text(state)));
        let reload = self.state.map_or_else(String::new, |_| format!("<script>{LIVE}</script>\n"));
        format!(
            "<!DOCTYPE html>\n<html lang=en{state}>\n<head>\n<meta charset=utf-8>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
             <meta name=color-scheme content=\"light dark\">\n<meta name=referrer content=no-referrer>\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <a class=skip href=\"#main\">Skip to the content</a>\n\
             <header><h1>{title}</h1>\n<p>{count}</p></header>\n\
             <nav aria-label=Sections><ul>{links}</ul></nav>\n\
             <main id=main tabindex=-1>\n{main}</main>\n\
             <footer><p>Made by <code>{command}</code>. This file loads nothing.</p></footer>\n\
             <script>{SCRIPT}</script>\n{reload}</body>\n</html>\n",
        )
    }
}

/// What a content policy calls an inline style or script.
fn hash(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

/// The dataset where one board is of it, else everything that tells boards apart.
fn labels(boards: &[Board]) -> Vec<String> {
    let label = |board: &Board| {
        if boards.iter().filter(|other| other.dataset == board.dataset).count() == 1 {
            return board.dataset.clone();
        }
        crate::md::title(board)
    };
    boards.iter().map(label).collect()
}

/// Whether a row takes part in what ranked rows are compared by.
fn is_compared(row: &Row) -> bool {
    row.rank.is_some()
}
