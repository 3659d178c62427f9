//! Figures that papers print, beside the arena's own rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use molarena_data::{Catalog, Manifest};
use molarena_evaluate::claims::PrintedFigure;
use molarena_metrics::Metric;
use molarena_record::cell::Record;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Board;

/// The files of `leaderboards/published`.
const FILES: [(&str, &str); 2] = [
    ("leaderboards/published/infoalign.toml", include_str!("../../../leaderboards/published/infoalign.toml")),
    ("leaderboards/published/chmr.toml", include_str!("../../../leaderboards/published/chmr.toml")),
];

/// Schema name of [`File`].
const ABOUT: &str = "Of the published figures: ";
const PUBLISHED_SCHEMA: &str = "molarena.published/1";

/// A row that a paper prints. It has no predictions, so it is not ranked, and nothing about it can be tested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedRow {
    /// The paper, such as `InfoAlign`.
    pub paper: String,
    /// Where it is printed.
    pub source: String,
    /// The paper's method.
    pub method: String,
    /// Mean as printed, as a fraction of 1 or in the labels' unit.
    pub mean: f64,
    /// Standard deviation as printed; null where there is none.
    pub std: Option<f64>,
    /// The row of this board that does the same; null where there is none.
    pub ours: Option<String>,
    /// Mean of that row less the printed one.
    pub difference: Option<f64>,
    /// What is known to be wrong with the figure; null where nothing is.
    pub note: Option<String>,
}

/// One paper.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    paper: String,
    source: String,
    /// Protocol of the split, by dataset.
    splits: BTreeMap<String, String>,
    /// What is known to be wrong, by dataset.
    known: BTreeMap<String, Vec<String>>,
    rows: Vec<FileRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRow {
    method: String,
    #[expect(dead_code, reason = "for readers of the file")]
    category: String,
    ours: Option<String>,
    note: Option<String>,
    /// Mean and standard deviation x100, by dataset.
    scores: BTreeMap<String, Vec<f64>>,
}

/// The papers, read once.
static PAPERS: LazyLock<Vec<File>> = LazyLock::new(|| {
    let read = |(path, text): &(&str, &str)| -> File {
        let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(file.schema, PUBLISHED_SCHEMA, "{path}");
        file
    };
    FILES.iter().map(read).collect()
});

/// The arena's own datasets, read once.
pub(crate) static ARENA: LazyLock<Catalog> =
    LazyLock::new(|| Catalog::builtin().expect("the arena reads its own manifests"));

/// Adds what papers print for a board's data, split and metric, best first, and notes on what is wrong with it.
pub(crate) fn add(board: &mut Board) {
    // Papers print means over all tasks.
    let whole = ARENA.get(&board.dataset).is_ok_and(|manifest| manifest.tasks.count == board.tasks.len());
    if !is_main(board.metric) || board.own || !whole {
        return;
    }
    let mut notes = Vec::new();
    for file in PAPERS.iter() {
        if file.splits.get(&board.dataset) != Some(&board.split) {
            continue;
        }
        for note in file.known.get(&board.dataset).into_iter().flatten() {
            let note = format!("{ABOUT}{note}.");
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        let rows = file.rows.iter().filter_map(|row| published(board, file, row));
        board.published.extend(rows.collect::<Vec<_>>());
    }
    let higher = board.metric.higher_is_better();
    board.published.sort_by(|one, other| {
        let by_mean = if higher { other.mean.total_cmp(&one.mean) } else { one.mean.total_cmp(&other.mean) };
        by_mean.then_with(|| one.method.cmp(&other.method))
    });
    board.notes.extend(notes);
}

/// Takes the published rows off a board whose scores are of some of the test molecules only, and says so first.
///
/// Papers print means over all molecules.
pub fn of_some_molecules(board: &mut Board, which: &str) {
    board.published.clear();
    board.notes.retain(|note| !note.starts_with(ABOUT));
    board.notes.insert(0, format!("Only the test molecules {which}."));
}

/// Names of the rows that a paper prints; `None` if there are no published figures of a paper of this name.
pub fn printed_names(paper: &str) -> Option<Vec<&'static str>> {
    let file = PAPERS.iter().find(|file| file.paper == paper)?;
    Some(file.rows.iter().map(|row| row.method.as_str()).collect())
}

/// What a paper prints under a name for the data, the split and the tasks of a record.
pub fn printed_figure(paper: &str, name: &str, record: &Record) -> Option<PrintedFigure> {
    let Record { dataset, composition, metric, tasks, split, .. } = record;
    let whole = ARENA.get(dataset).is_ok_and(|manifest| manifest.tasks.count == tasks.len());
    if !is_main(*metric) || !whole || !is_of_the_arena(dataset, &composition.data_sha256) {
        return None;
    }
    let file = PAPERS.iter().find(|file| file.paper == paper)?;
    let row = file.rows.iter().find(|row| row.method == name)?;
    let has_split = file.splits.get(dataset) == Some(&split.protocol);
    printed(row, dataset).filter(|_| has_split)
}

/// Whether papers print this metric.
fn is_main(metric: Metric) -> bool {
    matches!(metric, Metric::RocAuc | Metric::Mae)
}

/// The figure of a row on a dataset.
fn printed(row: &FileRow, dataset: &str) -> Option<PrintedFigure> {
    let scores = row.scores.get(dataset)?;
    Some(PrintedFigure { mean: scores.first()? / 100.0, std: scores.get(1).map(|std| std / 100.0) })
}

/// The manifest of a board of one of the arena's own datasets.
pub(crate) fn manifest(board: &Board) -> Option<&'static Manifest> {
    if board.own { None } else { ARENA.get(&board.dataset).ok() }
}

/// Whether data are those of the arena's own dataset of this name, which the papers used.
pub(crate) fn is_of_the_arena(dataset: &str, data_sha256: &str) -> bool {
    ARENA.get(dataset).is_ok_and(|manifest| manifest.assays().sha256 == data_sha256)
}

/// The papers of a board's published rows and where they print them, in one line.
pub(crate) fn sources(board: &Board) -> String {
    let sources: BTreeSet<String> =
        board.published.iter().map(|row| format!("{}: {}", row.paper, row.source)).collect();
    sources.into_iter().collect::<Vec<_>>().join("; ")
}

fn published(board: &Board, file: &File, row: &FileRow) -> Option<PublishedRow> {
    let PrintedFigure { mean, std } = printed(row, &board.dataset)?;
    let ours = row.ours.as_ref().and_then(|name| board.rows.iter().find(|own| own.method == *name));
    Some(PublishedRow {
        paper: file.paper.clone(),
        source: file.source.clone(),
        method: row.method.clone(),
        mean,
        std,
        ours: ours.map(|own| own.method.clone()),
        difference: ours.and_then(|own| own.mean).map(|own| own - mean),
        note: row.note.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::classification;
    use crate::{BoardOptions, build};

    #[test]
    fn every_file_is_complete() {
        for file in PAPERS.iter() {
            for dataset in file.splits.keys() {
                assert!(ARENA.get(dataset).is_ok(), "{dataset}");
            }
            for row in &file.rows {
                for (dataset, scores) in &row.scores {
                    assert!(file.splits.contains_key(dataset), "{}: {dataset}", row.method);
                    assert!(matches!(scores.len(), 1 | 2), "{}", row.method);
                    assert!(scores.iter().all(|score| (0.0..100.0).contains(score)), "{}", row.method);
                }
            }
        }
    }

    #[test]
    fn a_figure_is_of_the_data_the_split_and_the_tasks_that_it_was_printed_for() {
        let mut record = classification("morgan-mlp", 1, &[Some(0.778); 41]);
        assert_eq!(printed_figure("InfoAlign", "morgan-rf", &record), None);
        record.composition.data_sha256 = ARENA.get("chembl2k").unwrap().assays().sha256.clone();
        let figure = printed_figure("InfoAlign", "morgan-rf", &record).unwrap();
        assert!((figure.mean - 0.547).abs() < 1e-12 && (figure.std.unwrap() - 0.007).abs() < 1e-12);
        assert_eq!(printed_figure("InfoAlign", "nothing", &record), None);
        assert_eq!(printed_figure("nobody", "morgan-rf", &record), None);
        let other = |change: &dyn Fn(&mut Record)| {
            let mut record = record.clone();
            change(&mut record);
            printed_figure("InfoAlign", "morgan-rf", &record)
        };
        assert_eq!(other(&|record| record.split.protocol = "random".into()), None);
        assert_eq!(other(&|record| record.tasks.truncate(40)), None);
        assert_eq!(other(&|record| record.metric = Metric::Rmse), None);
        assert!(printed_names("InfoAlign").unwrap().contains(&"infoalign"));
        assert_eq!(printed_names("nobody"), None);
    }

    #[test]
    fn published_rows_stand_beside_the_board_of_the_same_data_only() {
        let sha256 = ARENA.get("chembl2k").unwrap().assays().sha256.clone();
        let mut record = classification("morgan-mlp", 1, &[Some(0.778); 41]);
        let board = |record| build(&[record], BoardOptions { cost: false }).boards.remove(0);
        assert_eq!(board(record.clone()).published, []);
        record.composition.data_sha256 = sha256;
        let board = board(record);
        assert_eq!((board.published[0].method.as_str(), board.published[0].mean), ("chmr", 0.847));
        let mut of_some = board.clone();
        of_some_molecules(&mut of_some, "with a profile");
        assert!(of_some.published.is_empty() && !of_some.notes.iter().any(|note| note.starts_with(ABOUT)));
        assert_eq!(of_some.notes[0], "Only the test molecules with a profile.");
        assert!(board.published[0].note.as_ref().unwrap().starts_with("selected on test"));
        let mlp = board.published.iter().find(|row| row.method == "morgan-mlp").unwrap();
        assert_eq!((mlp.mean, mlp.ours.as_deref()), (0.768, Some("morgan-mlp")));
        assert!((mlp.std.unwrap() - 0.022).abs() < 1e-12);
        assert!((mlp.difference.unwrap() - 0.01).abs() < 1e-12);
        let means: Vec<f64> = board.published.iter().map(|row| row.mean).collect();
        assert!(means.is_sorted_by(|one, other| one >= other));
    }
}
