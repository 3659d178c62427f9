//! `molarena store`

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::{Path, PathBuf},
};

use molarena_host::{Error, Garbage, Merged, Removed, Store};
use molarena_record::{
    cell::{Outcome, Record},
    key::key_of,
    matching::{MatchOutcome, MatchRecord},
    parts::{Cost, Failure},
};
use molarena_report::{moment, short, table::columns, with_decimals};
use serde::Serialize;
use serde_json::{Value, json};

use super::{arena::create_store, print, print_json, remote, wanted, warn_of_store};
use crate::{
    args::{ChosenCells, StoreArgs, StoreCommand},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &StoreArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        StoreCommand::Ls { keys, json, chosen, store } => {
            let store = Store::open(&store.store)?;
            let cells = chosen_cells(&store, chosen, &[])?;
            warn_of_store(&store);
            list(&cells, *keys, *json)
        }
        StoreCommand::Show { key, json, store } => show(&Store::open(&store.store)?, key, *json),
        StoreCommand::Rm { keys, dry_run, chosen, store } => {
            let chosen_any = chosen.failed || !chosen.datasets.is_empty() || !chosen.methods.is_empty();
            if keys.is_empty() && !chosen_any {
                let message = "name keys, --dataset, --method or --failed; nothing was removed";
                return Err(Error::Request(message.into()).into());
            }
            let store = Store::open(&store.store)?;
            let chosen = chosen_cells(&store, chosen, keys)?;
            let keys: BTreeSet<String> = chosen.into_iter().map(|cell| cell.key).collect();
            let removed = store.remove_cells(&keys, *dry_run)?;
            say_removed(removed, *dry_run)
        }
        StoreCommand::Gc { steps, caches, dry_run, store } => {
            let store = Store::open(&store.store)?;
            let garbage = Garbage { steps: *steps, caches: *caches };
            say_removed(store.collect_garbage(garbage, *dry_run)?, *dry_run)
        }
        StoreCommand::Merge { others, store } => merge(others, &store.store),
        StoreCommand::Pack { output, store } => {
            let store = Store::open(&store.store)?;
            let packed = store.pack(output)?;
            warn_of_store(&store);
            let mebibytes = packed.bytes as f64 / f64::from(1 << 20);
            print(&format!(
                "{}: {} records, {} steps, {mebibytes:.1} MiB\n",
                packed.path.display(),
                packed.cells,
                packed.steps
            ))?;
            Ok(ExitCode::Ok)
        }
        StoreCommand::Unpack { archives, store } => {
            let store = create_store(&store.store)?;
            let mut code = ExitCode::Ok;
            for archive in archives {
                let merged = store.unpack(archive)?;
                code = say_merged(archive, &merged, "", code)?;
            }
            warn_of_store(&store);
            Ok(code)
        }
        StoreCommand::Push { url, store } => remote::push(url, &store.store),
        StoreCommand::Pull { url, store } => remote::pull(url, &store.store),
        StoreCommand::Verify { json, store } => verify(&Store::open(&store.store)?, *json),
    }
}

/// What the list shows of a record of either kind.
#[derive(Serialize)]
pub(crate) struct ListedCell {
    pub(crate) key: String,
    dataset: String,
    split: String,
    pub(crate) method: String,
    /// Hash of its composition: plugins' builds and configurations.
    build: String,
    seed: u64,
    /// Mean score; null for a failed cell, and for matching.
    score: Option<f64>,
    failed: Option<String>,
    finished: Option<u64>,
}

impl ListedCell {
    fn of(record: &Record) -> Self {
        let (score, failed) = match &record.outcome {
            Outcome::Scored { mean, .. } => (*mean, None),
            Outcome::Failed(failure) => (None, Some(failure.reason.to_string())),
        };
        Self {
            key: record.key.clone(),
            dataset: record.dataset.clone(),
            split: record.split.protocol.clone(),
            method: record.method.clone(),
            build: short(&key_of(&record.composition)).to_owned(),
            seed: record.seed,
            score,
            failed,
            finished: record.finished,
        }
    }

    fn of_match(record: &MatchRecord) -> Self {
        let failed = match &record.outcome {
            MatchOutcome::Scored { .. } => None,
            MatchOutcome::Failed(failure) => Some(failure.reason.to_string()),
        };
        Self {
            key: record.key.clone(),
            dataset: record.context.clone(),
            split: record.split.protocol.clone(),
            method: record.method.clone(),
            build: short(&key_of(&record.composition)).to_owned(),
            seed: record.seed,
            score: None,
            failed,
            finished: record.finished,
        }
    }
}

/// The cells that are chosen, and those of the keys if there are some, by dataset, method, build and seed.
pub(crate) fn chosen_cells(
    store: &Store,
    chosen: &ChosenCells,
    keys: &[String],
) -> anyhow::Result<Vec<ListedCell>> {
    let tasks = store.records()?.iter().map(ListedCell::of).collect::<Vec<_>>();
    let matches = store.match_records()?.iter().map(ListedCell::of_match).collect::<Vec<_>>();
    let mut cells: Vec<ListedCell> = tasks.into_iter().chain(matches).collect();
    for key in keys {
        one_key(&cells, key)?;
    }
    cells.retain(|cell| {
        wanted(&chosen.datasets, &cell.dataset)
            && wanted(&chosen.methods, &cell.method)
            && (!chosen.failed || cell.failed.is_some())
            && (keys.is_empty() || keys.iter().any(|key| cell.key.starts_with(key.as_str())))
    });
    let place = |cell: &ListedCell| {
        (cell.dataset.clone(), cell.split.clone(), cell.method.clone(), cell.build.clone(), cell.seed)
    };
    cells.sort_by_cached_key(place);
    Ok(cells)
}

/// The one cell whose key starts with `key`.
fn one_key<'a>(cells: &'a [ListedCell], key: &str) -> anyhow::Result<&'a ListedCell> {
    let mut found = cells.iter().filter(|cell| cell.key.starts_with(key));
    match (found.next(), found.count()) {
        (Some(cell), 0) => Ok(cell),
        (None, _) => {
            Err(Error::NothingSelected(format!("no record has a key that starts with `{key}`")).into())
        }
        (Some(_), others) => {
            let message = format!("the keys of {} records start with `{key}`; give more digits", others + 1);
            Err(Error::Request(message).into())
        }
    }
}

fn list(cells: &[ListedCell], keys: bool, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        print_json(&json!({ "schema": "molarena.store-list/1", "cells": cells }))?;
        return Ok(ExitCode::Ok);
    }
    let text = if keys { by_key(cells) } else { by_row(cells) };
    print(&text)?;
    Ok(ExitCode::Ok)
}

fn by_key(cells: &[ListedCell]) -> String {
    let row = |cell: &ListedCell| {
        vec![
            short(&cell.key).to_owned(),
            cell.dataset.clone(),
            cell.method.clone(),
            cell.build.clone(),
            cell.seed.to_string(),
            cell.failed.clone().unwrap_or_else(|| score(cell.score)),
            date(cell.finished),
        ]
    };
    let rows: Vec<Vec<String>> = cells.iter().map(row).collect();
    columns(&["key", "dataset", "method", "build", "seed", "score", "finished (UTC)"], &rows)
}

fn by_row(cells: &[ListedCell]) -> String {
    let mut rows: BTreeMap<[&str; 4], Vec<&ListedCell>> = BTreeMap::new();
    for cell in cells {
        rows.entry([&cell.dataset, &cell.split, &cell.method, &cell.build]).or_default().push(cell);
    }
    let row = |([dataset, split, method, build], cells): (&[&str; 4], &Vec<&ListedCell>)| {
        let scores: Vec<f64> = cells.iter().filter_map(|cell| cell.score).collect();
        let mean = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
        let failed = cells.iter().filter(|cell| cell.failed.is_some()).count();
        vec![
            (*dataset).to_owned(),
            (*split).to_owned(),
            (*method).to_owned(),
            (*build).to_owned(),
            (cells.len() - failed).to_string(),
            failed.to_string(),
            score(mean),
            date(cells.iter().filter_map(|cell| cell.finished).max()),
        ]
    };
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    columns(&["dataset", "split", "method", "build", "seeds", "failed", "score", "finished (UTC)"], &rows)
}

fn score(mean: Option<f64>) -> String {
    mean.map_or_else(|| "–".to_owned(), |mean| with_decimals(mean, 4))
}

fn date(seconds: Option<u64>) -> String {
    moment(seconds).unwrap_or_else(|| "–".to_owned())
}

fn show(store: &Store, key: &str, json: bool) -> anyhow::Result<ExitCode> {
    let everything = ChosenCells { datasets: Vec::new(), methods: Vec::new(), failed: false };
    let cells = chosen_cells(store, &everything, &[])?;
    let cell = one_key(&cells, key)?;
    warn_of_store(store);
    let task = store.record(&cell.key)?;
    let matched = store.match_record(&cell.key)?;
    let step_key = task.as_ref().map_or(&cell.key, |record| &record.fit_key);
    let step = store.step(step_key)?;
    if json {
        let record = task.as_ref().map_or_else(|| json!(matched), |record| json!(record));
        print_json(&json!({ "schema": "molarena.store-record/1", "record": record, "step": step }))?;
        return Ok(ExitCode::Ok);
    }
    let (composition, cost, failure) = match (&task, &matched) {
        (Some(record), _) => (json!(record.composition), record.cost, failure(&record.outcome)),
        (None, Some(record)) => {
            let failed = match &record.outcome {
                MatchOutcome::Failed(failure) => Some(failure),
                MatchOutcome::Scored { .. } => None,
            };
            (json!(record.composition), record.cost, failed)
        }
        (None, None) => return Err(Error::NothingSelected(format!("no record {}", cell.key)).into()),
    };
    let mut rows = vec![
        ["key".to_owned(), cell.key.clone()],
        ["dataset".to_owned(), format!("{}, {} split", cell.dataset, cell.split)],
        ["method".to_owned(), format!("{}, seed {}", cell.method, cell.seed)],
        ["step".to_owned(), step_key.clone()],
        ["finished".to_owned(), date(cell.finished)],
        ["score".to_owned(), cell.failed.clone().unwrap_or_else(|| score(cell.score))],
        ["cost".to_owned(), costs(&cost)],
    ];
    rows.extend(components(&composition, ""));
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    let mut text = columns(&["what", "value"], &rows);
    if let Some(failure) = failure {
        writeln!(text, "\n{}", failure.message)?;
        if !failure.output.is_empty() {
            writeln!(text, "\nThe end of the worker's output:\n{}", failure.output.trim_end())?;
        }
    }
    print(&text)?;
    Ok(ExitCode::Ok)
}

fn failure(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Outcome::Failed(failure) => Some(failure),
        Outcome::Scored { .. } => None,
    }
}

fn costs(cost: &Cost) -> String {
    format!(
        "{:.1} s; encode {:.1} s, fit {:.1} s, predict {:.1} s; peak {:.0} MiB; {} threads",
        cost.wall_s, cost.encode_s, cost.fit_s, cost.predict_s, cost.peak_rss_mb, cost.threads
    )
}

/// Lines for the parts of a composition that are not null.
fn components(composition: &Value, prefix: &str) -> Vec<[String; 2]> {
    let members = composition.as_object().into_iter().flatten();
    let filled = members.filter(|(_, value)| !value.is_null() && **value != json!([]));
    filled.map(|(name, value)| [format!("{prefix}{name}"), value.to_string()]).collect()
}

fn say_removed(removed: Removed, dry_run: bool) -> anyhow::Result<ExitCode> {
    let Removed { cells, steps, files, bytes } = removed;
    let said = if dry_run { "would remove" } else { "removed" };
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    print(&format!("{said} {cells} records, {steps} steps, {files} other files: {mebibytes:.1} MiB\n"))?;
    Ok(ExitCode::Ok)
}

fn merge(others: &[PathBuf], store: &Path) -> anyhow::Result<ExitCode> {
    let others: Vec<Store> =
        others.iter().map(|other| Store::open(other)).collect::<molarena_host::Result<_>>()?;
    let store = create_store(store)?;
    let mut code = ExitCode::Ok;
    for other in &others {
        let merged = store.merge(other)?;
        warn_of_store(other);
        code = say_merged(other.root(), &merged, "", code)?;
    }
    Ok(code)
}

/// Says what came of a merge, and `more` behind it; conflicts make the code [`ExitCode::BadData`].
pub(super) fn say_merged(
    from: &Path,
    merged: &Merged,
    more: &str,
    code: ExitCode,
) -> anyhow::Result<ExitCode> {
    for key in &merged.conflicts {
        say!("warning: record {key} of {} has another outcome; this store's stays", from.display());
    }
    print(&format!(
        "{}: {} records and {} steps added, {} were here{more}\n",
        from.display(),
        merged.cells,
        merged.steps,
        merged.known
    ))?;
    Ok(if merged.conflicts.is_empty() { code } else { ExitCode::BadData })
}

fn verify(store: &Store, json: bool) -> anyhow::Result<ExitCode> {
    let verified = store.verify()?;
    if json {
        print_json(&serde_json::json!({
            "schema": "molarena.store-verify/1",
            "cells": verified.cells,
            "steps": verified.steps,
            "artifacts": verified.artifacts,
            "problems": verified.problems,
        }))?;
    } else {
        for problem in &verified.problems {
            print(&format!("{problem}\n"))?;
        }
        print(&format!(
            "{} scored cells, {} steps, {} files: {} problems\n",
            verified.cells,
            verified.steps,
            verified.artifacts,
            verified.problems.len()
        ))?;
    }
    Ok(if verified.problems.is_empty() { ExitCode::Ok } else { ExitCode::BadData })
}
