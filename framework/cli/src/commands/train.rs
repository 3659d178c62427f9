//! `molarena train`

use std::path::PathBuf;

use molarena_host::{Temporary, TrainedModel, Training, train};

use super::{check_output, interruption, learning, print, print_json};
use crate::{
    args::TrainArgs,
    display::{Counts, Display},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let interrupted = interruption()?;
    let folder = Temporary::make("molarena-train-", &std::env::temp_dir())?;
    let mut arena = learning::arena(&args.learning, Some(&args.method), folder.path())?;
    let datasets = learning::datasets(&args.learning, &mut arena)?;
    let outputs: Vec<PathBuf> =
        datasets.iter().map(|dataset| output(args, dataset, datasets.len())).collect();
    for output in &outputs {
        check_output(output, false)?;
    }
    let limits = learning::limits(&args.learning)?;
    let display = Display::new(Counts::Steps);
    let mut made = Vec::new();
    for (dataset, output) in datasets.iter().zip(outputs) {
        let training = Training {
            dataset,
            method: &args.method,
            seed: args.learning.seed,
            device: args.learning.device.clone(),
            output: &output,
        };
        let trained = train(&mut arena, &training, limits, &interrupted, &display);
        display.close();
        let (model, held_out) = trained?;
        learning::say_learnt(dataset, &args.method, &held_out);
        made.push((output, model));
    }
    conclude(args, &made)
}

/// The folder of one dataset's model. A table with tasks of both types makes two datasets.
fn output(args: &TrainArgs, dataset: &str, datasets: usize) -> PathBuf {
    if datasets == 1 {
        return args.output.clone();
    }
    let kind = dataset.rsplit('-').next().unwrap_or(dataset);
    PathBuf::from(format!("{}-{kind}", args.output.display()))
}

fn conclude(args: &TrainArgs, made: &[(PathBuf, TrainedModel)]) -> anyhow::Result<ExitCode> {
    if args.json {
        let models: Vec<_> = made
            .iter()
            .map(|(output, model)| serde_json::json!({"output": output, "model": model}))
            .collect();
        print_json(&serde_json::json!({"schema": "molarena.train/1", "models": models}))?;
    } else {
        for (output, model) in made {
            print(&format!("{}: {}, {} tasks\n", output.display(), model.method, model.tasks.len()))?;
        }
    }
    Ok(ExitCode::Ok)
}
