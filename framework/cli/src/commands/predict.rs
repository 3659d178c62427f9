//! `molarena predict`

use std::path::Path;

use molarena_data::RowFailure;
use molarena_host::{
    Error, Limits, ModelPrediction, Predicted, Prediction, Temporary, check_table_name, failures_path,
    predict_with_model, write_failures,
};

use super::{interruption, learning, print, print_json, text_of};
use crate::{
    args::PredictArgs,
    display::{Counts, Display},
    exit_code::ExitCode,
    output::{self, Existing, Inputs},
};

pub(crate) fn run(args: &PredictArgs) -> anyhow::Result<ExitCode> {
    check_table_name(&args.output)?;
    output::check_file(&args.output, Existing::with_force(args.force), &inputs(args)?)?;
    let interrupted = interruption()?;
    let folder = Temporary::make("molarena-predict-", &std::env::temp_dir())?;
    let mut arena = learning::arena(&args.learning, args.method.as_deref(), folder.path())?;
    let input = read_input(args, folder.path())?;
    let limits = args.learning.worker.limits(Limits::default().threads)?;
    if let Some(model) = &args.model {
        let prediction = ModelPrediction {
            model,
            input: &input,
            smiles: args.input_column.as_deref(),
            device: args.learning.device.clone(),
        };
        return conclude(args, &predict_with_model(&arena, &prediction, limits, &interrupted)?);
    }
    let Some(method) = &args.method else {
        return Err(Error::Request("name a --method, or a --model that was trained before".into()).into());
    };
    let datasets = learning::datasets(&args.learning, &mut arena)?;
    let display = Display::new(Counts::Steps);
    let mut all: Option<Predicted> = None;
    for dataset in &datasets {
        let prediction = Prediction {
            dataset,
            method,
            seed: args.learning.seed,
            input: &input,
            smiles: args.input_column.as_deref(),
            device: args.learning.device.clone(),
        };
        let done = molarena_host::predict(&mut arena, &prediction, limits, &interrupted, &display);
        display.close();
        let (done, held_out) = done?;
        learning::say_learnt(dataset, method, &held_out);
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

/// What is read.
fn inputs(args: &PredictArgs) -> anyhow::Result<Inputs> {
    let inputs = learning::inputs(&args.learning, args.method.as_ref())?;
    Ok(inputs.and([args.input.as_path()]).and_folder(args.model.as_deref()))
}

/// The file to read. Standard input is copied to a file, because it is read again for each dataset.
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
            "output": text_of(&args.output),
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
    say!("warning: rows that cannot be read: {count}; they are listed in {}", path.display());
    Ok(ExitCode::SomeCellsFailed)
}

fn failure(failure: &RowFailure) -> (u64, &str, &str) {
    (failure.row as u64, &failure.smiles, &failure.reason)
}
