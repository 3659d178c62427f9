//! `molarena predict`

use std::path::Path;

use molarena_data::RowFailure;
use molarena_host::{Arena, Error, Limits, Predicted, Prediction, Store, failures_path, write_failures};

use super::{arena, check_output, interruption, own, print, print_json};
use crate::{
    args::PredictArgs,
    display::{Counts, Display},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &PredictArgs) -> anyhow::Result<ExitCode> {
    let extension = args.output.extension().unwrap_or_default().to_ascii_lowercase();
    if extension != "csv" && extension != "parquet" {
        let message = format!("{}: end the output's name in .csv or .parquet", args.output.display());
        return Err(Error::Request(message).into());
    }
    check_output(&args.output, args.force)?;
    let interrupted = interruption()?;
    // Nothing of it is for a board: the store goes with this folder.
    let folder = tempfile::Builder::new().prefix("molarena-predict-").tempdir()?;
    let mut arena =
        arena::arena(&folder.path().join("store"), args.methods_dir.as_deref(), &args.places, &args.plugins)?;
    keep_encoders(args, &mut arena)?;
    let datasets = match (own::load(&args.own, None)?, &args.dataset) {
        (Some(own), _) => own::register(&own, &mut arena.catalog),
        (None, dataset) => dataset.iter().cloned().collect(),
    };
    let input = read_input(args, folder.path())?;
    let limits = limits(args)?;
    let display = Display::new(Counts::Steps);
    let mut all: Option<Predicted> = None;
    for dataset in &datasets {
        let prediction = Prediction {
            dataset,
            method: &args.method,
            seed: args.seed,
            input: &input,
            smiles: args.input_column.as_deref(),
            device: args.device.clone(),
        };
        let done = molarena_host::predict(&mut arena, &prediction, limits, &interrupted, &display);
        display.close();
        let done = done?;
        eprintln!(
            "{dataset}: {} learnt from {} molecules and chose on {} held out ({} split); not readable: {}",
            args.method, done.train, done.valid, done.held_out_by, done.unparsed
        );
        all = Some(match all {
            Some(all) => all.beside(done),
            None => done,
        });
    }
    let Some(all) = all else {
        return Err(Error::Request("name a --dataset or a --csv FILE to learn from".into()).into());
    };
    conclude(args, &all)
}

/// Standard input is read for each dataset, so it is kept for the time.
fn read_input(args: &PredictArgs, folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    if args.input != Path::new("-") {
        return Ok(args.input.clone());
    }
    let path = folder.join("input");
    std::io::copy(&mut std::io::stdin(), &mut fs_err::File::create(&path)?)?;
    Ok(path)
}

fn conclude(args: &PredictArgs, all: &Predicted) -> anyhow::Result<ExitCode> {
    all.write(&args.output)?;
    let list: Vec<(u64, &str, &str)> = all.failures.iter().map(failure).collect();
    write_failures(&args.output, &list)?;
    if args.json {
        print_json(&serde_json::json!({
            "schema": "molarena.predict/1",
            "rows": all.smiles.len(),
            "failed": all.failures.len(),
            "tasks": all.tasks,
            "output": args.output,
        }))?;
    } else {
        let (rows, tasks) = (all.smiles.len(), all.tasks.len());
        print(&format!("{}: {rows} rows, {tasks} tasks\n", args.output.display()))?;
    }
    if all.failures.is_empty() {
        return Ok(ExitCode::Ok);
    }
    let path = failures_path(&args.output);
    let count = all.failures.len();
    eprintln!("warning: rows that cannot be read: {count}; they are listed in {}", path.display());
    Ok(ExitCode::SomeCellsFailed)
}

fn failure(failure: &RowFailure) -> (u64, &str, &str) {
    (failure.row as u64, &failure.smiles, &failure.reason)
}

/// A pretraining is worth keeping, and may be there already: the store of `molarena run` has it.
fn keep_encoders(args: &PredictArgs, arena: &mut Arena) -> anyhow::Result<()> {
    let method = arena.methods.get(&args.method, Path::new(""))?;
    if method.is_pretrained(&arena.methods)? {
        arena.encoders = Store::create(&args.store.store)?;
    }
    Ok(())
}

fn limits(args: &PredictArgs) -> anyhow::Result<Limits> {
    let limits = Limits::default();
    let limits = Limits {
        wall: args.wall_limit.unwrap_or(limits.wall),
        memory: args.memory_limit.unwrap_or(limits.memory),
        threads: args.threads.map_or(limits.threads, Into::into),
    };
    if limits.wall.is_zero() || limits.memory == 0 {
        return Err(Error::Request("limits must be above 0".into()).into());
    }
    Ok(limits)
}
