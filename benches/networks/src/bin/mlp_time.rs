//! Fits and predicts the perceptron on one dataset and prints seconds and score as a line of JSON.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use molarena_benches::{Trial, time_baseline};
use molarena_mlp::Perceptron;

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// Folder of `<dataset>_bits.npy`, `<dataset>_labels.npy` and `<dataset>_split.npy`
    #[arg(long)]
    folder: PathBuf,
    /// Name of the dataset
    #[arg(long)]
    dataset: String,
    /// Configuration of the perceptron, as JSON
    #[arg(long, default_value = "{}")]
    config: String,
    /// Whether the validation part chooses the epoch
    #[arg(long)]
    validate: bool,
    /// Seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let trial = Trial::read(&arguments.folder, &arguments.dataset)?;
    let tasks: Vec<usize> = (0..trial.tasks()).collect();
    let config = serde_json::from_str(&arguments.config).context("`--config`")?;
    let (seed, threads) = (arguments.seed, arguments.threads);
    let timing = time_baseline::<Perceptron>(config, &trial, &tasks, arguments.validate, seed, threads)?;
    println!("{}", timing.to_json(&arguments.dataset, "mlp", seed, threads));
    Ok(())
}
