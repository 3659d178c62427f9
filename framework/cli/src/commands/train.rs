//! `molarena train`

use std::path::{Path, PathBuf};

use molarena_host::{Limits, Temporary, TrainedModel, Training, train};

use super::{interruption, learning, print, print_json, text_of};
use crate::{
    args::TrainArgs,
    display::{Counts, Display},
    exit_code::ExitCode,
    output,
};

pub(crate) fn run(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    // Without the separator at its end, so that `.partial` can be added to the name.
    let named: PathBuf = args.output.components().collect();
    let inputs = learning::inputs(&args.learning, Some(&args.method))?;
    output::check_folder(&named, false, &inputs)?;
    let interrupted = interruption()?;
    let folder = Temporary::make("molarena-train-", &std::env::temp_dir())?;
    let mut arena = learning::arena(&args.learning, Some(&args.method), folder.path())?;
    let datasets = learning::datasets(&args.learning, &mut arena)?;
    let outputs: Vec<PathBuf> =
        datasets.iter().map(|dataset| output_of(&named, dataset, datasets.len())).collect();
    for output in &outputs {
        output::check_folder(output, false, &inputs)?;
    }
    let limits = args.learning.worker.limits(Limits::default().threads)?;
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
fn output_of(named: &Path, dataset: &str, datasets: usize) -> PathBuf {
    let mut name = named.as_os_str().to_owned();
    if datasets > 1 {
        name.push("-");
        name.push(dataset.rsplit('-').next().unwrap_or(dataset));
    }
    name.into()
}

fn conclude(args: &TrainArgs, made: &[(PathBuf, TrainedModel)]) -> anyhow::Result<ExitCode> {
    if args.json {
        let models: Vec<_> = made
            .iter()
            .map(|(output, model)| serde_json::json!({"output": text_of(output), "model": model}))
            .collect();
        print_json(&serde_json::json!({"schema": "molarena.train/1", "models": models}))?;
    } else {
        for (output, model) in made {
            print(&format!("{}: {}, {} tasks\n", output.display(), model.method, model.tasks.len()))?;
        }
    }
    Ok(ExitCode::Ok)
}
