//! The command line of the tools that time baselines: each tool names the baselines of one plugin, since a program links one
//! plugin only.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use serde_json::Value;

use crate::{DATASETS, Timing, Trial, data_folder};

/// [`time_baseline`](crate::time_baseline) of one baseline.
pub type TimeBaseline = fn(Value, &Trial, &[usize], bool, u64, usize) -> Result<Timing>;

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
    #[arg(long)]
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

/// Reads the program's arguments, then writes a dataset or prints seconds and score of one of `methods` as a line of JSON.
pub fn time_one_of(methods: &[(&str, TimeBaseline)]) -> Result<()> {
    match Arguments::parse().command {
        Command::Export(export) => write(&export)?,
        Command::Run(run) => println!("{}", time(&run, methods)?),
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

fn time(run: &Run, methods: &[(&str, TimeBaseline)]) -> Result<Value> {
    let Some((_, time)) = methods.iter().find(|(name, _)| *name == run.method) else {
        let names: Vec<&str> = methods.iter().map(|(name, _)| *name).collect();
        bail!("`--method` is `{}`, must be one of {}", run.method, names.join(", "))
    };
    let trial = Trial::read(&run.folder, &run.dataset)?;
    let tasks: Vec<usize> =
        if run.tasks.is_empty() { (0..trial.tasks()).collect() } else { run.tasks.clone() };
    let config = serde_json::from_str(&run.config).context("`--config`")?;
    let timing = time(config, &trial, &tasks, false, run.seed, run.threads)?;
    Ok(timing.to_json(&run.dataset, &run.method, run.seed, run.threads))
}
