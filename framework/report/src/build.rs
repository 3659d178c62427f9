//! Builds boards from records: decides which records share a board and which share a row.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use molarena_data::TaskType;
use molarena_evaluate::{BoardStatistics, is_ranked};
use molarena_host::Store;
use molarena_metrics::{Metric, Scoring};
use molarena_record::cell::Record;
use molarena_record::key::key_of;
use molarena_record::parts::Composition;
use molarena_record::shared::Shared;
use serde_json::{Value, json};

use crate::builds::{newest_build, without_builds};
use crate::datasets::Names;
use crate::rank::ranks;
use crate::row::{Entry, row};
use crate::units::short;
use crate::{BOARD_SCHEMA, Board, Boards, Row, RowUncertainty, Uncertainty, notes, published};

/// Options of boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardOptions {
    /// Whether rows hold wall-clock time and memory. Without them, boards of the same cells are the same
    /// bytes on every machine; drift checks compare those.
    pub cost: bool,
}

impl Default for BoardOptions {
    fn default() -> Self {
        Self { cost: true }
    }
}

/// Boards of `records`, which may come in any order.
///
/// Records of the same data share a board, whatever name the data had; the board has the name that was used last, and a
/// note tells the others. A record that occurs twice counts once. Several records of a method with the same composition and seed
/// come only from different releases of the arena; the one with the smallest key counts, and a note names it
/// if their outcomes differ.
pub fn build(records: &[Record], options: BoardOptions) -> Boards {
    build_boards(records, options, |_| None)
}

/// The same with intervals, rank intervals, tie groups and scores without twins. `statistics` is called for each board
/// with its rows; where it says that there are none, a note on the board says why.
pub fn build_with_statistics(
    records: &[Record],
    options: BoardOptions,
    mut statistics: impl FnMut(&[RowRecords<'_>]) -> Result<BoardStatistics, String>,
) -> Boards {
    build_boards(records, options, |rows| Some(statistics(rows)))
}

fn build_boards(
    records: &[Record],
    options: BoardOptions,
    mut statistics: impl FnMut(&[RowRecords<'_>]) -> Option<Result<BoardStatistics, String>>,
) -> Boards {
    let names = Names::of(records);
    let groups = groups(records, &names);
    let mut boards: Vec<Board> = groups
        .iter()
        .map(|(key, records)| {
            let (rows, notes) = rows_of(records);
            let mut board = board(key, records, &rows, notes, &names, options);
            match statistics(&rows) {
                Some(Ok(statistics)) => add_statistics(&mut board, &statistics),
                Some(Err(why)) => board.notes.push(format!("No intervals: {why}.")),
                None => {}
            }
            board
        })
        .collect();
    name_distinctions(&mut boards);
    Boards { schema: BOARD_SCHEMA.to_owned(), boards, matches: Vec::new() }
}

/// A row and its records: at least one, one for each seed, by ascending seed.
#[derive(Clone, Debug)]
pub struct RowRecords<'a> {
    /// Name on the board.
    pub name: String,
    /// The records that count.
    pub records: Vec<&'a Record>,
}

impl<'a> RowRecords<'a> {
    /// Whether the row is ranked with others.
    pub fn is_ranked(&self) -> bool {
        is_ranked(self.records[0])
    }

    /// The row as evaluations take it, with the store that has its predictions.
    pub fn in_store(&self, store: &'a Store) -> molarena_evaluate::Row<'a> {
        molarena_evaluate::Row { name: self.name.clone(), records: self.records.clone(), store }
    }
}

/// Keeps of each method on a board only the records of the composition that was finished last.
pub fn keep_latest(records: &mut Vec<Record>) {
    let place = |record: &Record| {
        let Record { composition, split, tasks, metric, method, .. } = record;
        key_of(&json!([composition.data_sha256, split, tasks, metric, method]))
    };
    let hashes = Hashes::default();
    keep_latest_of(records, place, |record| (record.finished, hashes.of_composition(record)));
}

/// Keeps of the records of one place those of the composition that was finished last; `version` has the time and the hash of
/// the composition.
pub(crate) fn keep_latest_of<R>(
    records: &mut Vec<R>,
    place: impl Fn(&R) -> String,
    version: impl Fn(&R) -> (Option<u64>, String),
) {
    let versions: Vec<_> = records.iter().map(|record| (place(record), version(record))).collect();
    let mut latest: BTreeMap<&str, &(Option<u64>, String)> = BTreeMap::new();
    for (place, found) in &versions {
        let of_place = latest.entry(place).or_insert(found);
        *of_place = found.max(of_place);
    }
    let mut kept = versions.iter().map(|(place, (_, hash))| latest[place.as_str()].1 == *hash);
    records.retain(|_| kept.next().expect("one for each record"));
}

/// Counts the seeds of each row whose record is verified, and says so in a note. `records` are those that the boards were
/// built from, `verified` keys of records that were made again with equal predictions.
pub fn mark_verified(boards: &mut Boards, records: &[Record], verified: &BTreeSet<String>) {
    // Most stores have none, and hashing every composition again takes time.
    if verified.is_empty() {
        return;
    }
    for (board, (_, rows)) in boards.boards.iter_mut().zip(board_rows(records)) {
        let mut counted = Vec::new();
        for of in rows {
            let Some(row) = board.rows.iter_mut().find(|row| row.method == of.name) else { continue };
            row.verified = of.records.iter().filter(|record| verified.contains(&record.key)).count();
            counted.push((row.method.clone(), row.verified, of.records.len()));
        }
        let counted = counted.iter().map(|(method, verified, seeds)| (method.as_str(), *verified, *seeds));
        board.notes.extend(verified_note("predictions", counted));
    }
}

/// The note on verified rows, if there is one; `rows` are methods with the number of verified records and of all, `what` is what
/// came out equal.
pub(crate) fn verified_note<'a>(
    what: &str,
    rows: impl Iterator<Item = (&'a str, usize, usize)>,
) -> Option<String> {
    let said = rows
        .filter(|(_, verified, _)| *verified > 0)
        .map(|(method, verified, seeds)| format!("{method} ({verified} of {seeds} seeds)"));
    let said: Vec<String> = said.collect();
    let made = format!("Verified, which is made again from the record with equal {what}");
    (!said.is_empty()).then(|| format!("{made}: {}.", said.join(", ")))
}

/// The rows of each board, in the order of the boards, with the name of the dataset.
pub fn board_rows(records: &[Record]) -> Vec<(String, Vec<RowRecords<'_>>)> {
    let names = Names::of(records);
    let groups = groups(records, &names);
    groups.into_iter().map(|(key, records)| (key.dataset.to_owned(), rows_of(&records).0)).collect()
}

/// Records by board.
pub(crate) fn groups<'a>(
    records: &'a [Record],
    names: &Names<'a>,
) -> BTreeMap<BoardKey<'a>, Vec<&'a Record>> {
    let mut groups: BTreeMap<BoardKey, Vec<&Record>> = BTreeMap::new();
    for record in records {
        groups.entry(BoardKey::of(record, names.shown(record))).or_default().push(record);
    }
    groups
}

/// What records must have in common to share a board; boards are sorted by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BoardKey<'a> {
    /// The name that is shown.
    pub(crate) dataset: &'a str,
    split: &'a str,
    split_seed: u64,
    /// [`TaskType`] itself has no order.
    is_regression: bool,
    metric: Metric,
    data_sha256: &'a str,
    split_sha256: &'a str,
    /// Training, validation and test molecules.
    sizes: [usize; 3],
    tasks: &'a Shared<Vec<String>>,
}

impl<'a> BoardKey<'a> {
    fn of(record: &'a Record, dataset: &'a str) -> Self {
        let split = &record.split;
        Self {
            dataset,
            split: &split.protocol,
            split_seed: split.seed,
            is_regression: record.task_type == TaskType::Regression,
            metric: record.metric,
            data_sha256: &record.composition.data_sha256,
            split_sha256: &split.sha256,
            sizes: [split.train, split.valid, split.test],
            tasks: &record.tasks,
        }
    }
}

/// The rows of a board, by name, and notes on records that do not count.
fn rows_of<'a>(records: &[&'a Record]) -> (Vec<RowRecords<'a>>, Vec<String>) {
    let hashes = Hashes::default();
    let mut by_composition: BTreeMap<&str, BTreeMap<String, Vec<&Record>>> = BTreeMap::new();
    for record in records {
        let compositions = by_composition.entry(&record.method).or_default();
        compositions.entry(hashes.of_composition(record)).or_default().push(record);
    }
    let mut notes = Vec::new();
    let mut rows = Vec::new();
    for (method, compositions) in by_composition {
        if compositions.len() > 1 {
            notes.push(note_on_compositions(method, &compositions));
        }
        let split = compositions.len() > 1;
        for (hash, records) in compositions {
            let name = if split { row_name(method, &hash) } else { method.to_owned() };
            let build = |record: &Record| hashes.of_build(record);
            let (records, on_builds) = newest_build(&name, records, build, |record| record.finished);
            notes.extend(on_builds);
            let (records, repeats) = one_for_each_seed(&name, records);
            notes.extend(repeats);
            rows.push(RowRecords { name, records });
        }
    }
    (rows, notes)
}

fn board(
    key: &BoardKey,
    records: &[&Record],
    row_records: &[RowRecords<'_>],
    mut all_notes: Vec<String>,
    names: &Names,
    options: BoardOptions,
) -> Board {
    let entries: Vec<Vec<Entry>> =
        row_records.iter().map(|row| row.records.iter().map(|record| Entry::new(record)).collect()).collect();
    let mut rows: Vec<Row> = row_records
        .iter()
        .zip(&entries)
        .map(|(of, entries)| row(of.name.clone(), entries, options))
        .collect();
    let ranks = ranks(row_records, &entries, key.metric);
    rows.iter_mut().zip(ranks).for_each(|(row, rank)| row.rank = rank);
    let all_entries: Vec<&Entry> = entries.iter().flatten().collect();
    sort(&mut rows, key.metric);
    let (undefined_tasks, notes_on_tasks) = notes::on_tasks(key.tasks, all_entries.iter().copied());
    let mut board = Board {
        dataset: key.dataset.to_owned(),
        simulated: records.iter().any(|record| record.simulated),
        own: !published::is_of_the_arena(key.dataset, key.data_sha256),
        split: key.split.to_owned(),
        split_seed: key.split_seed,
        split_sha256: key.split_sha256.to_owned(),
        train: key.sizes[0],
        valid: key.sizes[1],
        test: key.sizes[2],
        data_sha256: key.data_sha256.to_owned(),
        task_type: records[0].task_type,
        metric: key.metric,
        tasks: key.tasks.to_vec(),
        undefined_tasks,
        distinction: None,
        uncertainty: None,
        rows,
        published: Vec::new(),
        notes: Vec::new(),
    };
    all_notes.extend(notes::on_rows(&board));
    all_notes.extend(notes_on_tasks);
    all_notes.extend(notes::on_molecules(all_entries.iter().copied()));
    all_notes.extend(notes::on_names(&names.others(records[0])));
    board.notes = all_notes;
    published::add(&mut board);
    board
}

/// Adds what the rows' predictions say.
fn add_statistics(board: &mut Board, statistics: &BoardStatistics) {
    board.uncertainty = Some(Uncertainty {
        confidence: statistics.resampling.confidence,
        resamples: statistics.resampling.resamples,
        twins: statistics.twins,
    });
    for row in &mut board.rows {
        row.statistics = statistics.rows.get(&row.method).map(|of_row| {
            let standing = of_row.standing.as_ref();
            RowUncertainty {
                low: of_row.interval.low,
                high: of_row.interval.high,
                rank_best: standing.map(|standing| standing.best),
                rank_worst: standing.map(|standing| standing.worst),
                ties: standing.map(|standing| standing.ties.clone()).unwrap_or_default(),
                without_twins: of_row.twin_free.map(|(mean, _)| mean),
                without_twins_std: of_row.twin_free.and_then(|(_, std)| std),
                corpora: of_row.corpora.clone(),
            }
        });
    }
}

/// Best first, rows without a score last, ties by name.
fn sort(rows: &mut [Row], metric: Metric) {
    rows.sort_by(|one, other| {
        let by_score = match (one.mean, other.mean) {
            (Some(one), Some(other)) if metric.higher_is_better() => other.total_cmp(&one),
            (Some(one), Some(other)) => one.total_cmp(&other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        };
        by_score.then_with(|| one.method.cmp(&other.method))
    });
}

/// The parts of a method, by name. The data are not included: they belong to the board.
pub(crate) fn composition(record: &Record) -> Vec<(&'static str, Value)> {
    let made = &record.composition;
    let mut parts = vec![
        ("features", made.features.clone()),
        ("chemistry", json!(made.chemistry)),
        (
            "encoder",
            match &made.pretraining {
                Some(pretraining) => json!([made.encoder, pretraining]),
                None => json!(made.encoder),
            },
        ),
        ("baseline", json!(made.baseline)),
        ("tune", json!(made.tune)),
        ("members", json!(made.members)),
        ("scoring", json!(record.scoring)),
        ("shuffled labels", json!(record.shuffled_labels)),
    ];
    if !made.join.is_null() {
        parts.push(("join", made.join.clone()));
    }
    if let Some(finetune) = &made.finetune {
        parts.push(("finetune", finetune.clone()));
    }
    // Records on the processor name no device.
    if let Some(device) = &record.device {
        parts.push(("device", json!(device)));
    }
    parts
}

/// Hashes of the compositions of records, each computed once for the records that share it.
#[derive(Default)]
pub(crate) struct Hashes(RefCell<HashMap<Made, [String; 2]>>);

/// What the parts of a record's method depend on.
type Made = (*const Composition, Scoring, bool, Option<String>);

impl Hashes {
    /// Of the composition without what identifies the builds of its plugins.
    pub(crate) fn of_composition(&self, record: &Record) -> String {
        self.get(record, |[composition, _]| composition.clone())
    }

    /// Of the composition with its builds.
    pub(crate) fn of_build(&self, record: &Record) -> String {
        self.get(record, |[_, build]| build.clone())
    }

    fn get(&self, record: &Record, part: impl Fn(&[String; 2]) -> String) -> String {
        let made =
            (record.composition.place(), record.scoring, record.shuffled_labels, record.device.clone());
        let mut known = self.0.borrow_mut();
        part(known.entry(made).or_insert_with(|| {
            let parts = json!(composition(record));
            let build = key_of(&parts);
            [key_of(&without_builds(parts)), build]
        }))
    }
}

pub(crate) fn row_name(method: &str, hash: &str) -> String {
    format!("{method}@{}", short(hash))
}

fn note_on_compositions(method: &str, compositions: &BTreeMap<String, Vec<&Record>>) -> String {
    let of = |record: &Record| -> Vec<(&str, Value)> {
        let parts = composition(record).into_iter();
        parts.map(|(name, part)| (name, without_builds(part))).collect()
    };
    let parts: Vec<_> = compositions.values().map(|records| of(records[0])).collect();
    let differs = |part: usize| parts.iter().any(|composition| composition.get(part) != parts[0].get(part));
    let names: Vec<&str> = {
        let longest = parts.iter().max_by_key(|parts| parts.len()).expect("there are compositions");
        (0..longest.len()).filter(|part| differs(*part)).map(|part| longest[part].0).collect()
    };
    format!(
        "The records of {method} are of {} compositions, which differ in {}; each has a row, named by its hash.",
        compositions.len(),
        names.join(", ")
    )
}

/// One record for each seed, by ascending seed, and notes on seeds whose records differ.
pub(crate) fn one_for_each_seed<'a>(row: &str, records: Vec<&'a Record>) -> (Vec<&'a Record>, Vec<String>) {
    let mut by_seed: BTreeMap<u64, Vec<&Record>> = BTreeMap::new();
    for record in records {
        by_seed.entry(record.seed).or_default().push(record);
    }
    let mut notes = Vec::new();
    let mut kept = Vec::new();
    for (seed, mut repeats) in by_seed {
        if repeats.len() > 1 {
            repeats.sort_by_cached_key(|record| (record.key.clone(), json!(record).to_string()));
        }
        let first = repeats[0];
        if repeats[1..].iter().any(|record| record.outcome != first.outcome) {
            notes.push(format!(
                "Seed {seed} of {row} has {} records that differ; the one of key {} counts.",
                repeats.len(),
                short(&first.key)
            ));
        }
        kept.push(first);
    }
    (kept, notes)
}

/// States what distinguishes boards that would have the same heading.
fn name_distinctions(boards: &mut [Board]) {
    let heading = |board: &Board| {
        (board.dataset.clone(), board.split.clone(), board.split_seed, board.task_type, board.metric)
    };
    let distinctions: Vec<Option<String>> = boards
        .iter()
        .map(|board| {
            let alike: Vec<_> = boards.iter().filter(|other| heading(other) == heading(board)).collect();
            let names = identity(board).into_iter().enumerate().filter(|(part, _)| {
                alike.iter().map(|other| identity(other)[*part].clone()).collect::<BTreeSet<_>>().len() > 1
            });
            let names: Vec<String> = names.map(|(_, name)| name).collect();
            (!names.is_empty()).then(|| names.join(", "))
        })
        .collect();
    for (board, distinction) in boards.iter_mut().zip(distinctions) {
        board.distinction = distinction;
    }
}

/// The parts of a board's identity that its heading does not show.
fn identity(board: &Board) -> [String; 4] {
    let tasks = key_of(&board.tasks);
    [
        format!("data {}", short(&board.data_sha256)),
        format!("split {}", short(&board.split_sha256)),
        format!("{}/{}/{} molecules", board.train, board.valid, board.test),
        format!("{} tasks {}", board.tasks.len(), short(&tasks)),
    ]
}

#[cfg(test)]
mod tests;
