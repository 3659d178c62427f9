//! When records were made, and how rows changed from one build of their plugins to the next.

use std::collections::{BTreeMap, BTreeSet};

use molarena_record::{cell::Outcome, cell::Record};

use super::Page;
use super::glossary::Term;
use super::table::{Cell, Head, Table};
use super::text::text;
use crate::build::{Hashes, groups, row_name};
use crate::datasets::Names;
use crate::row::summary;
use crate::units::{NONE, moment, score, short, signed_points};

/// The day in UTC, such as `2026-11-28`, of seconds since 1970.
pub(super) fn day(finished: Option<u64>) -> String {
    moment(finished)
        .and_then(|moment| Some(moment.get(..10)?.to_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The first and the last day of the records; `None` if no record has one.
pub(super) fn span(records: &[Record]) -> Option<String> {
    let finished = || records.iter().filter_map(|record| record.finished);
    let (first, last) = (day(finished().min()), day(finished().max()));
    finished().next()?;
    Some(if first == last {
        format!("finished on {first}")
    } else {
        format!("finished from {first} to {last}")
    })
}

pub(super) fn section(page: &Page<'_>) -> String {
    if page.boards.is_empty() {
        return String::new();
    }
    "<section id=history aria-labelledby=history-h><h2 id=history-h>History</h2>\n".to_owned()
        + &days(page)
        + &builds(page)
        + "</section>\n"
}

fn days(page: &Page<'_>) -> String {
    let mut days: BTreeMap<(String, &str), (usize, usize, BTreeSet<&str>)> = BTreeMap::new();
    for record in page.records {
        let (scored, failed, methods) = days.entry((day(record.finished), &record.dataset)).or_default();
        match record.outcome {
            Outcome::Scored { .. } => *scored += 1,
            Outcome::Failed(_) => *failed += 1,
        }
        methods.insert(&record.method);
    }
    let rows = days.into_iter().rev().map(|((day, dataset), (scored, failed, methods))| {
        vec![
            Cell::text(&day),
            Cell::text(dataset),
            Cell::number(scored.to_string(), Some(scored as f64)),
            Cell::number(failed.to_string(), Some(failed as f64)),
            Cell::text(&molarena_chem::shorten(
                &methods.into_iter().collect::<Vec<_>>().join(", "),
                400,
                "…",
            )),
        ]
    });
    let heads = ["day (UTC)", "dataset", "scored records", "failed records", "methods"].map(Head::plain);
    Table {
        id: "history-days".to_owned(),
        caption: "Records by the day they were finished".to_owned(),
        is_text: true,
        head: heads.into(),
        rows: rows.collect(),
    }
    .render()
}

/// The records of one method on one board by build, the oldest first.
fn builds(page: &Page<'_>) -> String {
    let datasets = Names::of(page.records);
    let hashes = Hashes::default();
    let mut rows = Vec::new();
    for (board, (_, records)) in groups(page.records, &datasets).into_iter().enumerate() {
        let mut methods: BTreeMap<(&str, String), BTreeMap<String, Vec<&Record>>> = BTreeMap::new();
        for record in records {
            let row = (record.method.as_str(), hashes.of_composition(record));
            methods.entry(row).or_default().entry(hashes.of_build(record)).or_default().push(record);
        }
        let names: Vec<&str> = methods.keys().map(|(method, _)| *method).collect();
        let name = |(method, hash): &(&str, String)| {
            let is_split = names.iter().filter(|other| *other == method).count() > 1;
            if is_split { row_name(method, hash) } else { (*method).to_owned() }
        };
        let shown: Vec<String> = methods.keys().map(name).collect();
        for (name, builds) in shown.iter().zip(methods.into_values()) {
            let mut builds: Vec<(String, Vec<&Record>)> = builds.into_iter().collect();
            // A sum depends on the order of its terms.
            let order = |one: &&Record, other: &&Record| (one.seed, &one.key).cmp(&(other.seed, &other.key));
            for (_, records) in &mut builds {
                records.sort_by(order);
            }
            builds.sort_by_key(|(hash, records)| {
                (records.iter().filter_map(|record| record.finished).max(), hash.clone())
            });
            let mut before = None;
            for (hash, records) in builds {
                let (cells, mean) = build(page, board, name, &hash, &records, before);
                rows.push(cells);
                before = mean.or(before);
            }
        }
    }
    let head = vec![
        Head::of("row", Term::Row),
        Head::plain("board"),
        Head::of("build", Term::Build),
        Head::plain("first day"),
        Head::plain("last day"),
        Head::of("seeds", Term::Seeds),
        Head::of("score x100", Term::Score),
        Head::plain("change x100"),
    ];
    Table {
        id: "history-builds".to_owned(),
        caption: "Rows by build, the oldest first, and the change from one build to the next".to_owned(),
        is_text: true,
        head,
        rows,
    }
    .render()
}

fn build(
    page: &Page<'_>,
    board: usize,
    name: &str,
    hash: &str,
    records: &[&Record],
    before: Option<f64>,
) -> (Vec<Cell>, Option<f64>) {
    let mean_of = |record: &&Record| match &record.outcome {
        Outcome::Scored { mean, .. } => *mean,
        Outcome::Failed(_) => None,
    };
    let (mean, std) = summary(records.iter().map(mean_of));
    let finished = || records.iter().filter_map(|record| record.finished);
    let change = mean.zip(before).map(|(mean, before)| mean - before);
    let scored = records.iter().filter_map(mean_of).count();
    let label = page.boards.get(board).map_or_else(|| text(&records[0].dataset), |_| page.label(board));
    let cells = vec![
        Cell::html(page.row(name)),
        Cell::html(label),
        Cell::html(format!("<code>{}</code>", text(short(hash)))),
        Cell::text(&day(finished().min())),
        Cell::text(&day(finished().max())),
        Cell::number(scored.to_string(), Some(scored as f64)),
        Cell::number(score(records[0].metric, mean, std), mean),
        Cell::number(change.map_or(NONE.to_owned(), signed_points), change),
    ];
    (cells, mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_of_utc() {
        assert_eq!(day(Some(0)), "1970-01-01");
        assert_eq!(day(Some(1_795_896_719)), "2026-11-28");
        assert_eq!(day(Some(1_795_910_399)), "2026-11-28");
        assert_eq!(day(Some(u64::MAX)), "unknown");
        assert_eq!(day(None), "unknown");
    }
}
