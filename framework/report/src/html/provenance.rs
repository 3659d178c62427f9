//! Where a row comes from: its parts, its plugins, and the keys, seeds and days of its records.

use std::collections::{BTreeMap, BTreeSet};

use molarena_record::{cell::Record, parts::ComponentUse, parts::Composition};
use serde_json::{Map, Value};

use super::Page;
use super::glossary::Term;
use super::history::day;
use super::table::{Cell, Head, Table};
use super::text::{lines, text};
use crate::build::composition;

/// How many digits of a key are shown.
const KEY: usize = 16;

pub(super) fn section(page: &Page<'_>) -> String {
    if page.boards.is_empty() {
        return String::new();
    }
    let mut html =
        "<section id=provenance aria-labelledby=provenance-h><h2 id=provenance-h>Provenance</h2>\n\
                    <p>What each row is made of, and the records behind it.</p>\n"
            .to_owned();
    for (index, name) in page.rows.iter().enumerate() {
        push!(
            html,
            "<details id=r{index} class=o><summary>{}</summary>\n{}</details>\n",
            text(name),
            row(page, index, name)
        );
    }
    html + "</section>\n"
}

fn row(page: &Page<'_>, index: usize, name: &str) -> String {
    let sources: Vec<(usize, &[&Record])> = (0..page.boards.len())
        .map(|board| (board, page.source(board, name)))
        .filter(|(_, records)| !records.is_empty())
        .collect();
    if sources.is_empty() {
        return "<p>The records behind this row are not at hand.</p>\n".to_owned();
    }
    facts(page, index, name, &sources)
        + &plugins(index, name, &sources)
        + &compositions(page, &sources)
        + &keys(page, &sources)
}

/// How the row was run on each board.
fn facts(page: &Page<'_>, index: usize, name: &str, sources: &[(usize, &[&Record])]) -> String {
    let rows = sources.iter().map(|(board, records)| {
        let first = records[0];
        let finished = || records.iter().filter_map(|record| record.finished);
        let bitwise = match first.bitwise {
            Some(true) => "to the bit",
            Some(false) => "not to the bit",
            None => "not stated",
        };
        let confined = records.iter().all(|record| record.confined);
        vec![
            Cell::html(page.label(*board)),
            Cell::number(records.len().to_string(), Some(records.len() as f64)),
            Cell::text(&day(finished().min())),
            Cell::text(&day(finished().max())),
            Cell::text(&first.composition.chemistry),
            Cell::text(first.device.as_deref().unwrap_or("cpu")),
            Cell::html(if confined { "yes" } else { "no" }),
            Cell::html(bitwise),
            Cell::text(&first.scoring.to_string()),
            Cell::html(if first.shuffled_labels { "shuffled" } else { "as they are" }),
        ]
    });
    let head = vec![
        Head::plain("board"),
        Head::of("records", Term::Seeds),
        Head::plain("first day"),
        Head::plain("last day"),
        Head::plain("chemistry"),
        Head::of("device", Term::Device),
        Head::of("confined", Term::Confined),
        Head::plain("repeatable"),
        Head::plain("scored on"),
        Head::plain("labels"),
    ];
    let caption = format!("How {} was run", text(name));
    Table { id: format!("r{index}-f"), caption, is_text: true, head, rows: rows.collect() }.render()
}

fn plugins(index: usize, name: &str, sources: &[(usize, &[&Record])]) -> String {
    let mut found: BTreeSet<(String, String, String)> = BTreeSet::new();
    for record in sources.iter().flat_map(|(_, records)| *records) {
        for used in components(&record.composition) {
            found.insert((used.component, used.version, used.sha256));
        }
    }
    let rows = found.into_iter().map(|(component, version, sha256)| {
        vec![
            Cell::text(&component),
            Cell::text(&version),
            Cell::html(format!("<code>{}</code>", text(&sha256))),
        ]
    });
    let head = ["component", "version", "identity (sha256)"].map(Head::plain).into();
    let caption = format!("Plugins of {}", text(name));
    Table { id: format!("r{index}-p"), caption, is_text: true, head, rows: rows.collect() }.render()
}

/// The components of a method, those of its members, too.
fn components(made: &Composition) -> Vec<ComponentUse> {
    let own = made.encoder.iter().chain(&made.baseline).cloned().chain(made.joined_encoders());
    own.chain(made.members.iter().flat_map(|member| components(&member.composition))).collect()
}

/// The distinct compositions, with the boards that have them.
fn compositions(page: &Page<'_>, sources: &[(usize, &[&Record])]) -> String {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for (board, records) in sources {
        let parts: Map<String, Value> =
            composition(records[0]).into_iter().map(|(part, value)| (part.to_owned(), value)).collect();
        let json = serde_json::to_string_pretty(&parts).expect("maps have string keys");
        let label = page.label(*board);
        match found.iter_mut().find(|(known, _)| *known == json) {
            Some((_, labels)) => labels.push(label),
            None => found.push((json, vec![label])),
        }
    }
    let one = |(json, labels): &(String, Vec<String>)| {
        format!("<p>Composition on {}:</p>\n<pre tabindex=0>{}</pre>\n", labels.join(", "), lines(json))
    };
    found.iter().map(one).collect()
}

/// Seeds and keys by day.
fn keys(page: &Page<'_>, sources: &[(usize, &[&Record])]) -> String {
    let of_board = |(board, records): &(usize, &[&Record])| {
        let mut days: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in *records {
            let key = record.key.get(..KEY).unwrap_or(&record.key);
            days.entry(day(record.finished)).or_default().push(format!("{} {}", record.seed, text(key)));
        }
        let days: Vec<String> =
            days.into_iter().map(|(day, keys)| format!("{day}: {}", keys.join(", "))).collect();
        format!("<dt>{}</dt><dd><code>{}</code></dd>\n", page.label(*board), days.join("; "))
    };
    format!(
        "<p>Seeds and <a href=\"#{}\">keys</a> of the records, by day:</p>\n<dl>{}</dl>\n",
        Term::Key.id(),
        sources.iter().map(of_board).collect::<String>()
    )
}
