//! Messages about the user's own table.

use std::collections::BTreeMap;

use molarena_data::{
    Catalog, TaskType,
    own::{DuplicatePolicy, OwnData, OwnTask},
};
use molarena_evaluate::Labels;
use molarena_host::{Arena, Error, Plan};
use molarena_record::cell::Record;
use molarena_report::{BoardOptions, Format, render, short_number};

use super::board::boards_with_intervals;
use crate::{
    args::{OwnArgs, ScoredData},
    split_choice::SplitChoice,
};

/// Number of rows shown of a list.
const SHOWN: usize = 5;

/// Reads the table that `args` names, if any, and prints on standard error how it was read.
pub(crate) fn load(args: &OwnArgs, split: Option<&SplitChoice>) -> anyhow::Result<Option<OwnData>> {
    let column = split.and_then(SplitChoice::column);
    let Some(table) = args.table(column).map_err(Error::Request)? else {
        if column.is_some() {
            let message = "--split column:NAME goes with --csv FILE";
            return Err(Error::Request(message.into()).into());
        }
        return Ok(None);
    };
    let own = table.load()?;
    state(&own, args);
    Ok(Some(own))
}

/// The datasets that records may have been scored on: of the catalog, and of the user's own table.
pub(crate) fn catalog_of(data: &ScoredData) -> anyhow::Result<Catalog> {
    let mut catalog = Catalog::with_dir(data.places.datasets_dir.as_deref())?;
    if let Some(own) = load(&data.own, data.split.as_ref())? {
        register(&own, &mut catalog);
    }
    Ok(catalog)
}

/// Adds the datasets of `own` to the catalog and returns their ids.
pub(crate) fn register(own: &OwnData, catalog: &mut Catalog) -> Vec<String> {
    own.datasets.iter().map(|dataset| catalog.insert_own(dataset.clone())).collect()
}

fn state(own: &OwnData, args: &OwnArgs) {
    say!("{}: {} rows, SMILES in column \"{}\"", own.path.display(), own.rows, own.smiles);
    for task in &own.tasks {
        say!("  {}", describe(task));
    }
    for left in &own.left_out {
        let warning = if left.asked_for { "warning: " } else { "" };
        say!("  {warning}no task: column \"{}\" {}", left.column, left.reason);
    }
    for warning in own.tasks.iter().filter_map(OwnTask::warning) {
        say!("warning: {warning}");
    }
    state_repeats(own, args);
    if !own.mixtures.is_empty() {
        say!(
            "warning: rows of several fragments (salts, solvates, mixtures), taken as they are: {}:",
            own.mixtures.len()
        );
        list(own.mixtures.iter().map(|mixture| {
            format!(
                "row {}: `{}`: {} fragments",
                mixture.row,
                molarena_chem::shorten_smiles(&mixture.smiles),
                mixture.fragments
            )
        }));
    }
    if let Some(parts) = own.datasets.iter().find_map(|dataset| dataset.parts.as_ref())
        && !parts.has_valid()
    {
        say!(
            "column \"{}\" names no row for validation: a tenth of the training molecules, by scaffold, is taken",
            parts.column
        );
    }
}

fn describe(task: &OwnTask) -> String {
    let how = if task.inferred { "inferred" } else { "as stated" };
    let labels = match task.kind {
        TaskType::Classification => {
            format!("{} positive, {} negative", task.positives, task.known - task.positives)
        }
        TaskType::Regression => {
            let [least, most] = [task.least, task.most].map(short_number);
            format!("{} numbers from {least} to {most}", task.known)
        }
    };
    format!("task \"{}\": {} ({how}), {labels}, {} missing", task.name, task.kind, task.missing)
}

fn state_repeats(own: &OwnData, args: &OwnArgs) {
    if own.repeats.is_empty() {
        return;
    }
    let rows: usize = own.repeats.iter().map(|repeat| repeat.rows.len() - 1).sum();
    let conflicting = own.repeats.iter().filter(|repeat| repeat.conflicting).count();
    let fate = match args.duplicates {
        DuplicatePolicy::Keep => "they stay (--duplicates first or mean merges them)",
        DuplicatePolicy::First => "they are left out",
        DuplicatePolicy::Mean => "their labels are merged into the first row's",
    };
    say!(
        "warning: rows that repeat the molecule of an earlier row (stereoisomers count as one): {rows}; molecules of \
         several rows: {}, with labels that differ: {conflicting}; {fate}:",
        own.repeats.len()
    );
    list(own.repeats.iter().map(|repeat| {
        let rows: Vec<String> = repeat.rows.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = if repeat.rows.len() > SHOWN { ", ..." } else { "" };
        let labels = if repeat.conflicting { ": labels differ" } else { "" };
        format!("rows {}{more}: `{}`{labels}", rows.join(", "), molarena_chem::shorten_smiles(&repeat.smiles))
    }));
}

fn list(lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(SHOWN);
    for line in lines.take(SHOWN) {
        say!("  {line}");
    }
    if more > 0 {
        say!("  and {more} more");
    }
}

/// Warns of molecules that are in more than one part of a split.
pub(crate) fn report_leaks(own: &OwnData, plan: &Plan) {
    let mut seen = Vec::new();
    for row in plan.task_rows() {
        let split = row.split.sha256();
        if seen.contains(&split) {
            continue;
        }
        seen.push(split);
        let mut part_of: BTreeMap<usize, molarena_data::Part> = BTreeMap::new();
        for (part, indices) in row.split.parts() {
            part_of.extend(indices.iter().map(|&index| (row.dataset.dataset.rows[index], part)));
        }
        let straddles = |rows: &[usize]| {
            let mut parts = rows.iter().filter_map(|row| part_of.get(row));
            parts.next().is_some_and(|first| parts.any(|part| part != first))
        };
        let leaks = own.repeats.iter().filter(|repeat| straddles(&repeat.rows)).count();
        if leaks > 0 {
            say!(
                "warning: split {}: molecules of several rows that are in more than one part: {leaks}, so scores are too \
                 good; --duplicates first or mean leaves one row of each",
                row.split.protocol
            );
        }
    }
}

/// Says which tasks of the plan's splits have nothing to learn from or to score, so that they are in no mean.
pub(crate) fn report_idle_tasks(own: &OwnData, plan: &Plan) {
    let mut seen = Vec::new();
    for row in plan.task_rows() {
        let (dataset, place) = (&row.dataset.dataset, (&row.dataset.dataset.id, row.split.sha256()));
        if seen.contains(&place) {
            continue;
        }
        let told: Vec<&str> =
            own.tasks.iter().filter(|task| task.warning().is_some()).map(|task| task.name.as_str()).collect();
        for (task, name) in dataset.tasks.iter().enumerate() {
            let why = dataset.nothing_to_learn(task, &row.split.train);
            let why = why.or_else(|| dataset.nothing_to_score(task, &row.split.test));
            if let Some(why) = why.filter(|_| !told.contains(&name.as_str())) {
                say!("warning: split {}: task \"{name}\" {why}; it is in no mean", row.split.protocol);
            }
        }
        seen.push(place);
    }
}

/// The boards of the plan's datasets and splits, with all records in the store. Records belong to the data: those under
/// another name of the table are shown under its name now.
pub(crate) fn board(plan: &Plan, arena: &Arena) -> anyhow::Result<String> {
    let named = |mut record: Record| {
        let row = plan.task_rows().find(|row| {
            record.composition.data_sha256 == row.dataset.dataset.sha256
                && record.tasks == row.tasks
                && record.task_type == row.dataset.dataset.task_type
                && record.split == row.split_info
        })?;
        record.dataset.clone_from(&row.dataset.dataset.id);
        Some(record)
    };
    let records: Vec<Record> = arena.store.records()?.into_iter().filter_map(named).collect();
    let mut labels = Labels::new(&arena.catalog, &arena.data_dir, &arena.store);
    let boards = boards_with_intervals(&records, BoardOptions::default(), &arena.store, &mut labels);
    Ok(render(&boards, Format::Md))
}
