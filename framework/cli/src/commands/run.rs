//! `molarena run`

use std::path::PathBuf;

use molarena_data::Catalog;
use molarena_host::{
    Arena, CellGroup, Error, Limits, Methods, Plan, RunOptions, Seeds, Selection, Store, Suite, SuiteLimits,
    Summary, Vary, base_of, launch::Launcher, plugin::search::SearchPath,
};

use super::{interruption, own, print, print_json, table};
use crate::{args::RunArgs, exit_code::ExitCode, progress::Display, split_choice::SplitChoice};

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let interrupted = interruption()?;
    let Chosen { mut selection, limits, pretraining } = selection(args)?;
    let mut arena = arena(args)?;
    let own = own::load(&args.own, args.split.as_ref())?;
    if let Some(own) = &own {
        selection.groups[0].datasets = own::register(own, &mut arena.catalog);
    }
    let plan = molarena_host::plan(&selection, &arena)?;
    // The two datasets of one own table have the same molecules.
    let reported = if own.is_some() { 1 } else { usize::MAX };
    for dataset in plan.datasets().iter().take(reported) {
        report_unparsed(dataset);
    }
    if let Some(own) = &own {
        own::report_leaks(own, &plan);
    }
    if args.dry_run {
        print(&dry_run(&plan, &arena)?)?;
        return Ok(ExitCode::Ok);
    }
    let options = RunOptions {
        limits,
        pretraining,
        jobs: args.jobs.map_or_else(|| default_jobs(limits.threads), Into::into),
        retry_failed: args.retry_failed,
    };
    let display = Display::new();
    let summary = molarena_host::run(&plan, &arena, options, &interrupted, &display);
    display.close();
    let summary = summary?;
    if args.json {
        print_json(&serde_json::json!({
            "schema": "molarena.run/1",
            "cells": plan.cells(),
            "scored": summary.scored,
            "failed": summary.failed,
            "resumed": summary.resumed,
            "store": arena.store.root(),
        }))?;
    } else {
        print(&conclusion(&plan, summary, &arena))?;
        if own.is_some() {
            print(&format!("\n{}", own::board(&plan, &arena)?))?;
        }
    }
    Ok(if summary.failed > 0 { ExitCode::SomeCellsFailed } else { ExitCode::Ok })
}

fn conclusion(plan: &Plan, summary: Summary, arena: &Arena) -> String {
    format!(
        "{} cells: {} scored now, {} finished before, {} failed\nboard: molarena board --store {}\n",
        plan.cells(),
        summary.scored,
        summary.resumed,
        summary.failed,
        arena.store.root().display()
    )
}

/// What is to run, and the limits of its workers.
struct Chosen {
    selection: Selection,
    limits: Limits,
    pretraining: Limits,
}

fn selection(args: &RunArgs) -> anyhow::Result<Chosen> {
    let (mut groups, mut matches, base, suite_limits) = match &args.suite {
        Some(path) => {
            let suite = Suite::load(path)?;
            (suite.cells, suite.matches, base_of(path), suite.limits)
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
            (vec![group], Vec::new(), PathBuf::new(), SuiteLimits::default())
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
        return Err(Error::Request("limits must be above 0".into()).into());
    }
    let pretraining = suite_limits.pretraining(limits);
    let shuffle_labels = args.shuffle_labels;
    let selection = Selection { groups, matches, base, shuffle_labels, leave_out_of: None };
    Ok(Chosen { selection, limits, pretraining })
}

fn arena(args: &RunArgs) -> anyhow::Result<Arena> {
    let store = Store::create(&args.store.store)?;
    Ok(Arena {
        catalog: Catalog::with_dir(args.places.datasets_dir.as_deref())?,
        methods: Methods::load(args.methods_dir.as_deref())?,
        plugins: SearchPath::new(&args.plugins.plugins)?,
        launcher: Launcher { in_process: args.in_process, ..Launcher::of_this_binary()? },
        data_dir: args.places.data_dir.clone(),
        encoders: store.clone(),
        store,
        tell: |what| eprintln!("{what}"),
    })
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
    eprintln!(
        "warning: {}: {} of {} molecules cannot be read and take part in nothing:",
        dataset.dataset.id,
        unparsed.len(),
        unparsed.len() + dataset.dataset.len()
    );
    for failure in unparsed.iter().take(5) {
        eprintln!("  row {}: `{}`: {}", failure.row, own::shorten(&failure.smiles), failure.reason);
    }
    if unparsed.len() > 5 {
        eprintln!("  and {} more; molarena data info lists all", unparsed.len() - 5);
    }
}

fn dry_run(plan: &Plan, arena: &Arena) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for fit in &plan.fits {
        for cell in &fit.cells {
            let state = if arena.store.record(&cell.key)?.is_some() { "finished" } else { "missing" };
            rows.push(vec![
                fit.dataset.dataset.id.clone(),
                fit.split.protocol.clone(),
                cell.method.name.clone(),
                cell.seed.to_string(),
                state.into(),
                cell.key[..16].into(),
            ]);
        }
    }
    for planned in &plan.matches {
        let state = if arena.store.match_record(&planned.key)?.is_some() { "finished" } else { "missing" };
        rows.push(vec![
            planned.task.context.clone(),
            planned.task.split.protocol.clone(),
            planned.method.name.clone(),
            planned.seed.to_string(),
            state.into(),
            planned.key[..16].into(),
        ]);
    }
    Ok(table(&["dataset", "split", "method", "seed", "state", "key"], &rows))
}
