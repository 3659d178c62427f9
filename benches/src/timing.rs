//! Times fitting and prediction of a baseline.

use std::time::Instant;

use anyhow::{Context, Result};
use molarena_metrics::{Metric, Scoring, mean_defined, score_tasks};
use molarena_sdk::{Baseline, Call, Component, Inputs, TaskKind};
use serde_json::{Value, json};

use crate::Trial;

/// Seconds of fitting and prediction, and the scores of the test part.
#[derive(Clone, Debug)]
pub struct Timing {
    fit_seconds: f64,
    predict_seconds: f64,
    state_bytes: usize,
    /// Score of each task: area under the ROC curve or mean absolute error.
    main: Vec<Option<f64>>,
    /// Score of each task for 0/1 predictions.
    hard: Vec<Option<f64>>,
}

/// Fits a baseline on the training part, with the validation part if `validate` is set, and predicts the test part.
pub fn time_baseline<B: Baseline + Component>(
    config: Value,
    trial: &Trial,
    tasks: &[usize],
    validate: bool,
    seed: u64,
    threads: usize,
) -> Result<Timing> {
    const NO_PART: u8 = u8::MAX;
    let (train, test) = (trial.part(0, tasks), trial.part(2, tasks));
    let valid = trial.part(if validate { 1 } else { NO_PART }, tasks);
    let mut baseline = B::new(serde_json::from_value(config).context("`--config`")?)?;
    let labels = trial.owned_labels(&train, tasks.len())?;
    let valid_labels = trial.owned_labels(&valid, tasks.len())?;
    let (inputs, valid_inputs) = (Inputs::from_bits(train.bits()), Inputs::from_bits(valid.bits()));
    let call = Call::new(seed, threads);
    let start = Instant::now();
    baseline.fit(&inputs, &labels.view(), &valid_inputs, &valid_labels.view(), &call)?;
    let fit_seconds = start.elapsed().as_secs_f64();
    let predictions = baseline.predict(&Inputs::from_bits(test.bits()), &call)?;
    let predict_seconds = start.elapsed().as_secs_f64() - fit_seconds;
    let metric = match trial.kind() {
        TaskKind::Classification => Metric::RocAuc,
        TaskKind::Regression => Metric::Mae,
    };
    let score = |scoring| score_tasks(metric, scoring, &test.labels, &predictions.values, tasks.len());
    Ok(Timing {
        fit_seconds,
        predict_seconds,
        state_bytes: baseline.save().map_or(0, |state| state.len()),
        main: score(Scoring::Probability),
        hard: score(Scoring::Hard),
    })
}

impl Timing {
    /// The line of JSON that the timing tools print.
    pub fn to_json(&self, dataset: &str, method: &str, seed: u64, threads: usize) -> Value {
        json!({
            "dataset": dataset, "method": method, "seed": seed, "threads": threads, "tasks": self.main.len(),
            "fit_seconds": self.fit_seconds, "predict_seconds": self.predict_seconds,
            "state_bytes": self.state_bytes, "score": mean_defined(&self.main), "hard_score": mean_defined(&self.hard),
            "task_scores": { "main": self.main, "hard": self.hard },
        })
    }
}
