//! What papers print of a board's dataset, beside the rows that do the same.

use super::Page;
use super::glossary::Term;
use super::table::{Cell, Head, Table};
use super::text::text;
use crate::published::sources;
use crate::units::{NONE, score, signed_points};

/// All published rows of the board, best first; empty without one.
pub(super) fn view(page: &Page<'_>, index: usize) -> String {
    let board = &page.boards[index];
    if board.published.is_empty() {
        return String::new();
    }
    let head = vec![
        Head::of("published row", Term::Published),
        Head::plain("paper"),
        Head::plain("printed (x100)"),
        Head::of("our row", Term::Row),
        Head::plain("ours less printed"),
        Head::plain("what is wrong with it"),
    ];
    let rows = board
        .published
        .iter()
        .map(|row| {
            vec![
                Cell::text(&row.method),
                Cell::text(&row.paper),
                Cell::number(text(&score(board.metric, Some(row.mean), row.std)), Some(row.mean)),
                Cell::html(row.ours.as_ref().map_or_else(|| NONE.to_owned(), |ours| page.row(ours))),
                Cell::number(row.difference.map_or_else(|| NONE.to_owned(), signed_points), row.difference),
                Cell::text(row.note.as_deref().unwrap_or(NONE)),
            ]
        })
        .collect();
    let table = Table {
        id: format!("b{index}-published-t"),
        caption: format!("Published, of {}; not ranked", page.label(index)),
        is_text: true,
        head,
        rows,
    };
    format!("<p>{}.</p>\n{}", text(&sources(board)), table.render())
}
