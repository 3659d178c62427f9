//! Fitting: a baseline learns from features or vectors and labels, and predicts.

use std::{path::PathBuf, sync::Arc};

use molarena_data::{Part, TaskType};
use molarena_features::{FeatureSpec, Features, select_rows};
use molarena_record::{
    parts::{Cost, Reason, Search},
    step::{Kind, StepRecord},
};
use molarena_sdk::InputKind;
use serde_json::Value;

use crate::{
    error::Result,
    files::npy::to_npy,
    inputs::shuffle::shuffle_labels,
    job::{self, FitJob, JobTask, Output},
    plan::{
        component::Component,
        device::class_of,
        step::{Context, Judged, Prepared, Work},
        steps::{Predicts, another_question, matrix, state, with_encoding},
    },
    store::Artifact,
    worker::choice::valid_score,
};

/// What the fits of all seeds share.
#[derive(Clone, Debug)]
pub(crate) struct FitShared {
    pub(crate) predicts: Predicts,
    pub(crate) features: FeatureSpec,
    /// The baseline before tuning.
    pub(crate) baseline: Component,
    /// The configurations to choose from; a single one without tuning.
    pub(crate) configurations: Vec<Value>,
    pub(crate) device: String,
    /// Whether to keep the state of the fitted baseline.
    pub(crate) keep: bool,
}

/// One fit.
#[derive(Clone, Debug)]
pub(crate) struct FitWork {
    pub(crate) shared: Arc<FitShared>,
    /// Seed of the fit; 0 if it has no effect.
    pub(crate) seed: u64,
}

impl FitWork {
    fn write_inputs(&self, context: &Context<'_>, features: &Features) -> Result<()> {
        let Predicts { dataset, split, .. } = &self.shared.predicts;
        for (part, indices) in
            [(Part::Train, &split.train), (Part::Valid, &split.valid), (Part::Test, &split.test)]
        {
            features.select(indices).write(&job::features_file(context.folder, part))?;
        }
        let tasks = dataset.dataset.tasks.len();
        for (part, indices) in [(Part::Train, &split.train), (Part::Valid, &split.valid)] {
            let path = job::labels_file(context.folder, part);
            fs_err::write(path, to_npy(indices.len(), tasks, self.labels(indices)))?;
        }
        Ok(())
    }

    /// Labels `[molecules, tasks]` as the worker gets them.
    fn labels(&self, indices: &[usize]) -> Vec<f32> {
        let Predicts { dataset, shuffle_labels: shuffled, .. } = &self.shared.predicts;
        let tasks = dataset.dataset.tasks.len();
        let mut labels = select_rows(&dataset.dataset.labels, tasks, indices);
        if *shuffled {
            shuffle_labels(&mut labels, tasks, self.seed);
        }
        labels
    }

    /// Checks the score of the chosen setting against its predictions of the validation molecules.
    fn check_choice(&self, search: &Search, predictions: &[f32]) -> Result<(), (Reason, String)> {
        let Predicts { dataset, split, .. } = &self.shared.predicts;
        let metric = dataset.manifest.protocol.metric;
        let tasks = dataset.dataset.tasks.len();
        let scored = valid_score(metric, &self.labels(&split.valid), predictions, tasks);
        let claimed = search.candidates.get(search.chosen).and_then(|candidate| candidate.valid_score);
        if scored == claimed {
            return Ok(());
        }
        let text = |score: Option<f64>| score.map_or("nothing".to_owned(), |score| score.to_string());
        let message = format!(
            "the worker claims a {metric} of {} on the validation molecules for the setting it chose, but its predictions score {}",
            text(claimed),
            text(scored)
        );
        Err((Reason::NoResult, message))
    }
}

impl Work for FitWork {
    fn kind(&self) -> Kind {
        Kind::Fit
    }

    fn of(&self) -> Value {
        let FitShared { predicts, device, keep, .. } = &*self.shared;
        let mut material = predicts.key(self.seed, class_of(device));
        if *keep {
            // The predictions are the same, but there is one more file.
            material["keep"] = true.into();
        }
        material
    }

    fn prepare(&self, context: &Context<'_>) -> Result<Prepared> {
        let FitShared { predicts, features, baseline, configurations, keep, .. } = &*self.shared;
        let dataset = &predicts.dataset;
        let store = &context.arena.store;
        let (given, input) = match context.need(Kind::Encode) {
            Some(encoding) => (context.vectors(encoding)?, InputKind::Dense),
            None => (context.inputs.features(dataset, features, store)?, features.input()),
        };
        self.write_inputs(context, &given)?;
        let candidates =
            configurations.iter().map(|config| baseline.in_job(Some(config), context.folder, store));
        let task = JobTask::Fit(FitJob {
            candidates: candidates.collect::<Result<_>>()?,
            metric: dataset.manifest.protocol.metric,
            input,
            task_type: dataset.dataset.task_type,
            tasks: dataset.dataset.tasks.len(),
            keep: *keep,
        });
        let readable: Vec<PathBuf> = vec![baseline.opened(store)?];
        Ok(Prepared::Job { task, readable, writable: Vec::new() })
    }

    fn components(&self) -> Vec<&Component> {
        vec![&self.shared.baseline]
    }

    fn judge(&self, context: &Context<'_>, output: &Output) -> Judged {
        let Output::Timings { search, .. } = output else { return Err(another_question()) };
        let FitShared { predicts, keep, .. } = &*self.shared;
        let Predicts { dataset, split, .. } = predicts;
        let tasks = Some(dataset.dataset.tasks.len());
        let read = |part, molecules| matrix(&job::predictions_file(context.folder, part), molecules, tasks);
        let (test, of_test) = read(Part::Test, split.test.len())?;
        let (valid, predictions) = read(Part::Valid, split.valid.len())?;
        if dataset.dataset.task_type == TaskType::Classification {
            check_probabilities(&of_test, "test", &dataset.dataset.tasks)?;
            check_probabilities(&predictions, "validation", &dataset.dataset.tasks)?;
        }
        if let Some(search) = search {
            self.check_choice(search, &predictions)?;
        }
        let (test, valid) = (("test.npy", Artifact::Bytes(test)), ("valid.npy", Artifact::Bytes(valid)));
        let kept = if *keep { Some(("state", state(context.folder)?)) } else { None };
        Ok([test, valid].into_iter().chain(kept).collect())
    }

    fn as_fit(&self) -> Option<&FitWork> {
        Some(self)
    }

    fn cost(&self, own: Cost, needs: &[StepRecord]) -> Cost {
        with_encoding(own, needs)
    }
}

/// Checks that the predictions `[molecules, tasks]` of classes are probabilities.
fn check_probabilities(predictions: &[f32], part: &str, tasks: &[String]) -> Result<(), (Reason, String)> {
    let outside = |value: &f32| !(0.0..=1.0).contains(value);
    let Some(first) = predictions.iter().position(outside) else { return Ok(()) };
    let message = format!(
        "{} of {} predictions of the {part} molecules are no probabilities between 0 and 1; the first is {} for molecule {}, task {}",
        predictions.iter().filter(|value| outside(value)).count(),
        predictions.len(),
        predictions[first],
        first / tasks.len(),
        tasks[first % tasks.len()]
    );
    Err((Reason::NotProbability, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_between_0_and_1() {
        let tasks = ["active".to_owned(), "toxic".to_owned()];
        assert_eq!(check_probabilities(&[0.0, 1.0, 0.5, 0.25], "test", &tasks), Ok(()));
        let (reason, message) = check_probabilities(&[0.0, 1.0, 0.5, 7.0], "test", &tasks).unwrap_err();
        assert_eq!(reason, Reason::NotProbability);
        assert_eq!(
            message,
            "1 of 4 predictions of the test molecules are no probabilities between 0 and 1; the first is 7 for molecule 1, task toxic"
        );
        assert!(check_probabilities(&[-1e-9, 0.5], "validation", &tasks).is_err());
    }
}
