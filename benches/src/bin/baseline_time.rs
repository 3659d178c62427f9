//! Fits and predicts one baseline on one dataset and prints seconds and score as a line of JSON.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use molarena_baselines::{Constant, GaussianProcess, Linear, Neighbours, RandomForest, SmartcoreForest};
use molarena_benches::{DATASETS, Trial, data_folder, time_baseline};
use serde_json::Value;

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
    let config = serde_json::from_str(&run.config).context("`--config`")?;
    let time = match run.method.as_str() {
        "rf" => time_baseline::<RandomForest>,
        "rf-smartcore" => time_baseline::<SmartcoreForest>,
        "gp" => time_baseline::<GaussianProcess>,
        "linear" => time_baseline::<Linear>,
        "knn" => time_baseline::<Neighbours>,
        "constant" => time_baseline::<Constant>,
        other => bail!("`--method` is `{other}`, must be rf, rf-smartcore, gp, linear, knn or constant"),
    };
    let timing = time(config, &trial, &tasks, false, run.seed, run.threads)?;
    Ok(timing.to_json(&run.dataset, &run.method, run.seed, run.threads))
}
