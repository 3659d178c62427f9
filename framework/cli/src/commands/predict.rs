//! `molarena predict`

use std::{io::IsTerminal, path::Path};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use molarena_data::{Catalog, RowFailure};
use molarena_host::{
    Arena, Error, Limits, Methods, Observer, PlannedFit, Predicted, Prediction, Store, discovery::SearchPath,
    failures_path, job::Progress, record::Record, supervise::Launcher, write_failures,
};

use super::{check_output, interruption, own, print, print_json};
use crate::{args::PredictArgs, exit_code::ExitCode};

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
    let mut arena = arena(args, folder.path())?;
    let datasets = match (own::load(&args.own, None)?, &args.dataset) {
        (Some(own), _) => own::register(&own, &mut arena.catalog),
        (None, dataset) => dataset.iter().cloned().collect(),
    };
    let input = read_input(args, folder.path())?;
    let limits = limits(args)?;
    let display = Display::new();
    let mut all: Option<Predicted> = None;
    for dataset in &datasets {
        let prediction = Prediction {
            dataset,
            method: &args.method,
            seed: args.seed,
            input: &input,
            smiles: args.input_column.as_deref(),
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

fn arena(args: &PredictArgs, folder: &Path) -> anyhow::Result<Arena> {
    Ok(Arena {
        catalog: Catalog::with_dir(args.places.datasets_dir.as_deref())?,
        methods: Methods::load(args.methods_dir.as_deref())?,
        plugins: SearchPath::new(&args.plugins.plugins)?,
        launcher: Launcher::of_this_binary()?,
        data_dir: args.places.data_dir.clone(),
        store: Store::create(&folder.join("store"))?,
    })
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

/// What the worker does: a spinner on a terminal, a line for each step elsewhere.
struct Display(Option<ProgressBar>);

impl Display {
    fn new() -> Self {
        Self(std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("{spinner} {elapsed} {msg}").expect("the template is valid"),
            );
            bar.enable_steady_tick(std::time::Duration::from_millis(500));
            bar
        }))
    }

    fn close(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }

    fn say(&self, what: String) {
        match &self.0 {
            Some(bar) => bar.set_message(what),
            None => eprintln!("{what}"),
        }
    }
}

impl Observer for Display {
    fn planned(&self, _cells: usize, _finished: usize) {}

    fn features(&self, dataset: &str) {
        self.say(format!("features of {dataset}"));
    }

    fn started(&self, fit: &PlannedFit) {
        self.say(format!("{} learns and predicts", fit.method.name));
    }

    fn progress(&self, fit: &PlannedFit, progress: &Progress) {
        if let Some(bar) = &self.0 {
            let (name, share) = (&fit.method.name, 100.0 * progress.fraction);
            bar.set_message(format!("{name}: {share:.0} % {}", progress.message));
        }
    }

    fn finished(&self, _records: &[Record]) {}
}
