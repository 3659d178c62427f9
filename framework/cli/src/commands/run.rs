//! `molarena run`

use std::path::PathBuf;

use molarena_evaluate::{Labels, Options, Summary};
use molarena_host::{
    Arena, Cell, CellGroup, Error, ExecutorTable, Plan, PlanLimits, Row, Seeds, Selection, Slurm, Suite,
    SuiteLimits, Vary, base_of,
};
use molarena_report::{BoardOptions, keep_datasets, table::columns};

use super::{
    arena::arena, board::boards_with_intervals, interruption, own, print, print_json, slurm, text_of,
    warn_of_store,
};
use crate::{
    args::RunArgs,
    display::{Counts, Watch},
    exit_code::ExitCode,
    output::{self, Existing, Inputs},
    split_choice::SplitChoice,
};

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let interrupted = interruption()?;
    let (mut selection, executor) = selection(args)?;
    let executor = executor.filter(|_| !args.in_process);
    let slurm = args.executor.slurm(executor.as_ref(), args.jobs.map(Into::into))?;
    if let Some(events) = &args.events {
        output::check_file(events, Existing::WriteInto, &inputs(args, &selection)?)?;
    }
    let mut arena = arena(&args.store.store, args.methods_dir.as_deref(), &args.places, &args.plugins)?;
    arena.launcher.in_process = args.in_process;
    if args.in_process {
        // Jobs change the working folder.
        arena.data_dir = std::path::absolute(&arena.data_dir)?;
    }
    let own = own::load(&args.own, args.split.as_ref())?;
    if let Some(own) = &own {
        selection.groups[0].datasets = own::register(own, &mut arena.catalog);
    }
    let plan = molarena_host::plan(&selection, &arena, &interrupted)?;
    // The two datasets of one table have the same molecules.
    let reported = if own.is_some() { 1 } else { usize::MAX };
    for dataset in plan.datasets().iter().take(reported) {
        report_unparsed(dataset);
    }
    if let Some(own) = &own {
        own::report_leaks(own, &plan);
        own::report_idle_tasks(own, &plan);
    }
    if args.dry_run {
        print(&dry_run(&plan, &arena)?)?;
        return Ok(ExitCode::Ok);
    }
    let of_worker = selection.limits.cells.threads;
    let jobs = args.jobs.map_or_else(|| default_jobs(of_worker), Into::into);
    let threads = jobs.saturating_mul(of_worker);
    let slurm = slurm.map(|options| Slurm::open(options, &arena, args.executor.collect)).transpose()?;
    let options = Options { threads, slurm: slurm.as_ref(), retry_failed: args.retry_failed };
    let watch = Watch::new(Counts::Cells, args.events.as_deref())?;
    let summary = molarena_evaluate::run(&plan, &arena, options, &interrupted, &watch);
    watch.display.close();
    warn_of_store(&arena.store);
    if let (Err(error), Some(slurm)) = (&summary, &slurm) {
        slurm::leave(slurm, matches!(error, Error::Interrupted))?;
    }
    let summary = summary?;
    if own.is_none() && summary.scored > 0 {
        resample(&plan, &arena)?;
    }
    if args.json {
        print_json(&serde_json::json!({
            "schema": "molarena.run/1",
            "cells": plan.cells.len(),
            "scored": summary.scored,
            "failed": summary.failed,
            "resumed": summary.resumed,
            "waiting": summary.waiting,
            "steps": summary.steps,
            "store": text_of(arena.store.root()),
        }))?;
    } else {
        print(&conclusion(&plan, summary, &arena))?;
        if let Some(slurm) = slurm.as_ref().filter(|slurm| slurm.collects()) {
            print(&slurm::collected(slurm, summary))?;
        }
        if own.is_some() {
            print(&format!("\n{}", own::board(&plan, &arena)?))?;
        }
    }
    Ok(if summary.failed > 0 { ExitCode::SomeCellsFailed } else { ExitCode::Ok })
}

/// Molecules above which resampling is worth a line.
const MANY: usize = 1000;

/// Resamples the scores of the plan's datasets, which takes seconds on large ones. The store's cache keeps it, so that boards are
/// there at once.
fn resample(plan: &Plan, arena: &Arena) -> anyhow::Result<()> {
    let datasets = plan.datasets();
    if datasets.is_empty() {
        // Matching only.
        return Ok(());
    }
    if datasets.iter().map(|dataset| dataset.dataset.smiles.len()).sum::<usize>() > MANY {
        say!("resampling scores for the boards' intervals");
    }
    let ids: Vec<String> = datasets.iter().map(|dataset| dataset.dataset.id.clone()).collect();
    let mut records = arena.store.records()?;
    keep_datasets(&mut records, &ids);
    let mut labels = Labels::new(&arena.catalog, &arena.data_dir, &arena.store);
    // What cannot be resampled is a note on the board.
    boards_with_intervals(&records, BoardOptions::default(), &arena.store, &mut labels);
    Ok(())
}

/// What is read.
fn inputs(args: &RunArgs, selection: &Selection) -> anyhow::Result<Inputs> {
    let mut inputs = Inputs::of_places(&args.places, Some(&args.plugins), args.methods_dir.as_deref())?;
    inputs = inputs.and(args.suite.as_deref()).and(args.own.csv.as_deref());
    for methods in selection.groups.iter().map(|group| &group.methods) {
        inputs = inputs.and_methods(methods, &selection.base);
    }
    for methods in selection.matches.iter().map(|group| &group.methods) {
        inputs = inputs.and_methods(methods, &selection.base);
    }
    Ok(inputs.and_folder([args.store.store.as_path()]))
}

fn conclusion(plan: &Plan, summary: Summary, arena: &Arena) -> String {
    format!(
        "{} cells: {} scored now, {} finished before, {} failed\nboard: molarena board --store {}\n",
        plan.cells.len(),
        summary.scored,
        summary.resumed,
        summary.failed,
        arena.store.root().display()
    )
}

/// The cells that the arguments name, and where the suite runs them.
fn selection(args: &RunArgs) -> anyhow::Result<(Selection, Option<ExecutorTable>)> {
    let mut executor = None;
    let (mut groups, mut matches, base, suite_limits, suite_device) = match &args.suite {
        Some(path) => {
            let suite = Suite::load(path)?;
            executor = suite.executor;
            (suite.cells, suite.matches, base_of(path), suite.limits, suite.device)
        }
        None if (args.datasets.is_empty() && args.own.csv.is_none()) || args.methods.is_empty() => {
            let message = "name a suite file, or at least one --dataset (or --csv FILE) and one --method";
            return Err(Error::Request(message.into()).into());
        }
        None => {
            let group = CellGroup {
                datasets: args.datasets.clone(),
                methods: args.methods.clone(),
                seeds: Seeds::Count(1),
                split: args.split.as_ref().and_then(SplitChoice::protocol),
                split_seed: args.split_seed,
                vary: Vary::new(),
            };
            (vec![group], Vec::new(), PathBuf::new(), SuiteLimits::default(), None)
        }
    };
    if let Some(seeds) = args.seeds {
        let of_cells = groups.iter_mut().map(|group| &mut group.seeds);
        for group in of_cells.chain(matches.iter_mut().map(|group| &mut group.seeds)) {
            *group = Seeds::Count(seeds);
        }
    }
    if args.shuffle_labels && !matches.is_empty() {
        let message = "--shuffle-labels: [[match]] has no labels; name a suite without it";
        return Err(Error::Request(message.into()).into());
    }
    let mut limits = suite_limits.cells();
    limits.wall = args.wall_limit.unwrap_or(limits.wall);
    limits.memory = args.memory_limit.unwrap_or(limits.memory);
    limits.disk = args.disk_limit.unwrap_or(limits.disk);
    limits.threads = args.threads.map_or(limits.threads, Into::into);
    if limits.wall.is_zero() || limits.memory == 0 || limits.disk == 0 {
        return Err(
            Error::Request("--wall-limit, --memory-limit and --disk-limit must be above 0".into()).into()
        );
    }
    let selection = Selection {
        groups,
        matches,
        base,
        shuffle_labels: args.shuffle_labels,
        limits: PlanLimits { cells: limits, pretraining: suite_limits.pretraining(limits) },
        device: args.device.clone(),
        suite_device,
        ..Selection::default()
    };
    Ok((selection, executor))
}

fn default_jobs(threads: usize) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, Into::into);
    (processors / threads).max(1)
}

fn report_unparsed(dataset: &molarena_host::ArenaDataset) {
    let unparsed = &dataset.unparsed;
    if unparsed.is_empty() {
        return;
    }
    say!(
        "warning: {}: {} of {} molecules cannot be read and take part in nothing:",
        dataset.dataset.id,
        unparsed.len(),
        unparsed.len() + dataset.dataset.len()
    );
    for failure in unparsed.iter().take(5) {
        say!(
            "  row {}: `{}`: {}",
            failure.row,
            molarena_chem::shorten_smiles(&failure.smiles),
            failure.reason
        );
    }
    if unparsed.len() > 5 {
        say!("  and {} more; molarena data info lists all", unparsed.len() - 5);
    }
}

fn dry_run(plan: &Plan, arena: &Arena) -> anyhow::Result<String> {
    let (present, mut rows) = (arena.store.present()?, Vec::new());
    for cell in &plan.cells {
        let finished = present.may_have(&cell.key) && is_finished(cell, arena)?;
        let state = if finished { "finished" } else { "missing" };
        rows.push(vec![
            cell.subject().to_owned(),
            cell.protocol().to_owned(),
            cell.method.name.clone(),
            cell.seed.to_string(),
            state.into(),
            cell.key[..16].into(),
        ]);
    }
    Ok(columns(&["dataset", "split", "method", "seed", "state", "key"], &rows))
}

fn is_finished(cell: &Cell, arena: &Arena) -> anyhow::Result<bool> {
    Ok(match cell.row {
        Row::Task(_) => arena.store.record(&cell.key)?.is_some(),
        Row::Match(_) => arena.store.match_record(&cell.key)?.is_some(),
    })
}
