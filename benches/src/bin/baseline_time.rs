//! Fits and predicts one baseline on one dataset and prints seconds and score as a line of JSON.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use molarena_baselines::{Constant, GaussianProcess, Linear, Neighbours, RandomForest, SmartcoreForest};
use molarena_benches::{DATASETS, Part, Trial, data_folder};
use molarena_metrics::{Metric, Scoring, mean_defined, score_tasks};
use molarena_sdk::{Baseline, Call, Component, Inputs, Matrix, TaskKind};
use serde_json::{Value, json};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a dataset's bits, labels and split as arrays
    Export(Export),
    /// Time a baseline on arrays in a folder
    Run(Run),
}

#[derive(clap::Args)]
struct Export {
    /// Folder to write into
    #[arg(long)]
    folder: PathBuf,
    /// Name of the dataset
    #[arg(long)]
    dataset: String,
}

#[derive(clap::Args)]
struct Run {
    /// Folder of `<dataset>_bits.npy`, `<dataset>_labels.npy` and `<dataset>_split.npy`
    #[arg(long)]
    folder: PathBuf,
    /// Name of the dataset
    #[arg(long)]
    dataset: String,
    /// Baseline
    #[arg(long, default_value = "rf")]
    method: String,
    /// Configuration of the baseline, as JSON
    #[arg(long, default_value = "{}")]
    config: String,
    /// Numbers of the tasks, separated by commas; all if left out
    #[arg(long, value_delimiter = ',')]
    tasks: Vec<usize>,
    /// Seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Export(export) => write(&export)?,
        Command::Run(run) => println!("{}", time(&run)?),
    }
    Ok(())
}

fn write(export: &Export) -> Result<()> {
    let known = DATASETS.iter().find(|(name, _)| *name == export.dataset);
    let Some(&(name, protocol)) = known else {
        bail!(
            "`--dataset` is `{}`, must be one of {}",
            export.dataset,
            DATASETS.map(|(name, _)| name).join(", ")
        )
    };
    fs_err::create_dir_all(&export.folder)?;
    Trial::load(&data_folder(), name, protocol)?.write(&export.folder, name)
}

fn time(run: &Run) -> Result<Value> {
    let trial = Trial::read(&run.folder, &run.dataset)?;
    let tasks: Vec<usize> =
        if run.tasks.is_empty() { (0..trial.tasks()).collect() } else { run.tasks.clone() };
    let (train, test) = (trial.part(0, &tasks), trial.part(2, &tasks));
    let config = serde_json::from_str(&run.config).context("`--config`")?;
    let (predictions, fit, predict, bytes) = match run.method.as_str() {
        "rf" => fit_predict::<RandomForest>(config, &trial, &train, &test, &tasks, run)?,
        "rf-smartcore" => fit_predict::<SmartcoreForest>(config, &trial, &train, &test, &tasks, run)?,
        "gp" => fit_predict::<GaussianProcess>(config, &trial, &train, &test, &tasks, run)?,
        "linear" => fit_predict::<Linear>(config, &trial, &train, &test, &tasks, run)?,
        "knn" => fit_predict::<Neighbours>(config, &trial, &train, &test, &tasks, run)?,
        "constant" => fit_predict::<Constant>(config, &trial, &train, &test, &tasks, run)?,
        other => bail!("`--method` is `{other}`, must be rf, rf-smartcore, gp, linear, knn or constant"),
    };
    let score = |scoring| {
        let metric = match trial.kind() {
            TaskKind::Classification => Metric::RocAuc,
            TaskKind::Regression => Metric::Mae,
        };
        score_tasks(metric, scoring, &test.labels, &predictions.values, tasks.len())
    };
    let (main, hard) = (score(Scoring::Probability), score(Scoring::Hard));
    Ok(json!({
        "dataset": run.dataset, "method": run.method, "seed": run.seed, "threads": run.threads,
        "tasks": tasks.len(), "fit_seconds": fit, "predict_seconds": predict, "state_bytes": bytes,
        "score": mean_defined(&main), "hard_score": mean_defined(&hard),
        "task_scores": { "main": main, "hard": hard },
    }))
}

fn fit_predict<B: Baseline + Component>(
    config: Value,
    trial: &Trial,
    train: &Part,
    test: &Part,
    tasks: &[usize],
    run: &Run,
) -> Result<(Matrix, f64, f64, usize)> {
    let config = serde_json::from_value(config).context("`--config`")?;
    let mut baseline = B::new(config)?;
    let labels = trial.owned_labels(train, tasks.len())?;
    let call = Call::new(run.seed, run.threads);
    let inputs = Inputs::from_bits(train.bits());
    let start = Instant::now();
    baseline.fit(&inputs, &labels.view(), &inputs, &labels.view(), &call)?;
    let fitted = start.elapsed().as_secs_f64();
    let predictions = baseline.predict(&Inputs::from_bits(test.bits()), &call)?;
    let predicted = start.elapsed().as_secs_f64() - fitted;
    let bytes = baseline.save().map_or(0, |state| state.len());
    Ok((predictions, fitted, predicted, bytes))
}
