//! Notes that a reader needs for a board's rows, as sentences.

use std::collections::BTreeSet;

use molarena_evaluate::scored_on_classes;

use crate::row::Entry;
use crate::{Board, Row, pretraining};

/// Notes on the rows of a board.
pub(crate) fn on_rows(board: &Board) -> Vec<String> {
    let rows_where = |flag: &dyn Fn(&Row) -> bool| {
        let names: Vec<&str> =
            board.rows.iter().filter(|row| flag(row)).map(|row| row.method.as_str()).collect();
        names.join(", ")
    };
    let notes = [
        (
            "Not confined, so that a worker could have read the data folder",
            rows_where(&|row| !row.confined && !row.imported),
        ),
        (
            "Imported, so that nothing is known of how their predictions were made",
            rows_where(&|row| row.imported),
        ),
        ("Trained on shuffled labels, as a check for leaks", rows_where(&|row| row.shuffled_labels)),
        (
            "Scored on predicted classes, not on probabilities",
            rows_where(&|row| scored_on_classes(board.task_type, row.scoring)),
        ),
    ];
    let with_rows = notes.into_iter().filter(|(_, rows)| !rows.is_empty());
    let notes = with_rows.map(|(note, rows)| format!("{note}: {rows}."));
    let on_devices: Vec<String> = board
        .rows
        .iter()
        .filter_map(|row| Some(format!("{} on {}", row.method, row.device.as_ref()?)))
        .collect();
    let devices = (!on_devices.is_empty())
        .then(|| format!("Run on another device than the processor: {}.", on_devices.join(", ")));
    let incomplete = board.rows.iter().filter(|row| row.coverage < 1.0 && row.rank.is_some());
    let incomplete: Vec<String> = incomplete
        .map(|row| {
            let failed: usize = row.failed.values().sum();
            format!("{} ({} of {} seeds)", row.method, row.seeds, row.seeds + failed)
        })
        .collect();
    let incomplete = (!incomplete.is_empty()).then(|| {
        format!("Ranked only on the seeds that it and each other row have scored: {}.", incomplete.join(", "))
    });
    let rows = board.rows.iter().map(|row| (row.method.as_str(), row.pretraining.as_ref()));
    notes.chain(incomplete).chain(devices).chain(pretraining::notes(rows)).collect()
}

/// The tasks without a score in at least one scored record, and notes on them. `entries` are those of the whole board.
pub(crate) fn on_tasks<'a>(
    tasks: &[String],
    entries: impl Iterator<Item = &'a Entry<'a>>,
) -> (Vec<String>, Vec<String>) {
    let defined: BTreeSet<Vec<bool>> = entries
        .filter_map(|entry| entry.result.as_ref().ok())
        .map(|scores| scores.per_task.iter().map(Option::is_some).collect())
        .collect();
    let undefined_anywhere = |column: usize| defined.iter().any(|row| !row[column]);
    let undefined: Vec<String> = tasks
        .iter()
        .enumerate()
        .filter(|(column, _)| undefined_anywhere(*column))
        .map(|(_, task)| task.clone())
        .collect();
    let mut notes = Vec::new();
    if !undefined.is_empty() {
        notes.push(format!(
            "{} of {} tasks undefined (nothing to learn from in training or to score in the test part, such as a single class), and in no mean: {}.",
            undefined.len(),
            tasks.len(),
            undefined.join(", ")
        ));
    }
    if defined.len() > 1 {
        notes.push(
            "The records do not agree on which tasks are undefined: their means are not over the same tasks."
                .to_owned(),
        );
    }
    (undefined, notes)
}

/// A note on molecules that could not be parsed.
pub(crate) fn on_molecules<'a>(entries: impl Iterator<Item = &'a Entry<'a>>) -> Option<String> {
    let counts: BTreeSet<usize> = entries.map(|entry| entry.record.unparsed_molecules).collect();
    counts.iter().any(|count| *count > 0).then(|| {
        let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
        format!("Molecules that could not be parsed and take part in nothing: {}.", counts.join(" or "))
    })
}

/// A note on other names of the data.
pub(crate) fn on_names(others: &[&str]) -> Option<String> {
    let names = others.join(", ");
    (!others.is_empty()).then(|| format!("The same data were used under other names, too: {names}."))
}
