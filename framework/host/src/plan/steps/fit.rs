//! Fitting: a baseline learns from features or vectors and labels, or an encoder is fine-tuned on molecules and labels, and
//! predicts.

use std::{path::PathBuf, sync::Arc};

use molarena_data::{Part, Split, TaskType};
use molarena_features::{FeatureSpec, Features, select_rows};
use molarena_record::{
    parts::{Cost, Failure, Reason, Search},
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
        steps::{Predicts, another_question, matrix, start_of, state, with_encoding},
    },
    request::method::Beside,
    store::Artifact,
    worker::choice::valid_score,
};

/// What the fits of all seeds share.
#[derive(Clone, Debug)]
pub(crate) struct FitShared {
    pub(crate) predicts: Predicts,
    pub(crate) features: FeatureSpec,
    /// What stands beside the encoder's vectors.
    pub(crate) join: Vec<Beside>,
    /// The baseline before tuning, or the encoder that is fine-tuned.
    pub(crate) predictor: Component,
    /// The configurations to choose from, of the baseline or the fine-tuning; a single one without tuning.
    pub(crate) configurations: Vec<Value>,
    pub(crate) device: String,
    /// Whether to keep the fitted state.
    pub(crate) keep: bool,
}

impl FitShared {
    /// Everything that determines the fit with `seed`.
    pub(crate) fn material(&self, seed: u64) -> Value {
        let Self { predicts, device, keep, .. } = self;
        let mut material = predicts.material(seed, class_of(device));
        if *keep {
            // The predictions are the same, but there is one more file.
            material["keep"] = true.into();
        }
        material
    }

    /// Whether an encoder is fine-tuned.
    pub(crate) fn finetunes(&self) -> bool {
        self.predicts.composition.finetune.is_some()
    }
}

/// One fit.
#[derive(Clone, Debug)]
pub(crate) struct FitWork {
    pub(crate) shared: Arc<FitShared>,
    /// Seed of the fit; 0 if it has no effect.
    pub(crate) seed: u64,
}

/// The molecules of each part that have features, as places in the dataset.
struct Present {
    train: Vec<usize>,
    valid: Vec<usize>,
    test: Vec<usize>,
}

impl FitWork {
    fn features(&self, context: &Context<'_>, spec: &FeatureSpec) -> Result<Arc<Features>> {
        let arena = context.arena;
        context.inputs.features(&self.shared.predicts.dataset, spec, &arena.sources(), &arena.store)
    }

    /// What the baseline gets of all molecules of the dataset.
    fn given(&self, context: &Context<'_>) -> Result<(Arc<Features>, InputKind)> {
        let FitShared { features, join, .. } = &*self.shared;
        let mut encodings = context.needs.iter().filter(|need| need.kind == Kind::Encode);
        let Some(first) = encodings.next() else {
            return Ok((self.features(context, features)?, features.input()));
        };
        let vectors = context.vectors(first)?;
        if join.is_empty() {
            return Ok((vectors, InputKind::Dense));
        }
        let mut parts = vec![vectors];
        for part in join {
            parts.push(match part {
                Beside::Features(features) => self.features(context, features)?,
                Beside::Encoded(_) => context.vectors(encodings.next().expect("one for each encoder"))?,
            });
        }
        let parts: Vec<&Features> = parts.iter().map(|part| &**part).collect();
        Ok((Arc::new(Features::beside(&parts)), InputKind::Dense))
    }

    /// The molecules that are not [absent](Features::absent) from the features of the dataset.
    fn present(&self, features: &Features) -> Present {
        let Predicts { split, .. } = &self.shared.predicts;
        let absent = if self.shared.features.may_be_absent() { features.absent() } else { Vec::new() };
        let present = |part: &[usize]| {
            part.iter().copied().filter(|&index| !absent.get(index).is_some_and(|&absent| absent)).collect()
        };
        Present { train: present(&split.train), valid: present(&split.valid), test: present(&split.test) }
    }

    /// Why nothing can be learnt or predicted if a part has no molecule with features.
    fn nobody(&self, present: &Present) -> Option<Failure> {
        if !self.shared.features.may_be_absent() {
            return None;
        }
        let parts = [("training", &present.train), ("validation", &present.valid), ("test", &present.test)];
        let (part, _) = parts.into_iter().find(|(_, molecules)| molecules.is_empty())?;
        let dataset = &self.shared.predicts.dataset.dataset.id;
        let features = serde_json::to_string(&self.shared.features).expect("plain data");
        let message = format!("no {part} molecule of {dataset} has all of the features {features}");
        Some(Failure { reason: Reason::Error, message, output: String::new() })
    }

    fn write_inputs(&self, context: &Context<'_>, features: &Features, present: &Present) -> Result<()> {
        let Present { train, valid, test } = present;
        for (part, indices) in [(Part::Train, train), (Part::Valid, valid), (Part::Test, test)] {
            features.select(indices).write(&job::features_file(context.folder, part))?;
        }
        let tasks = self.shared.predicts.dataset.dataset.tasks.len();
        for (part, indices) in [(Part::Train, train), (Part::Valid, valid)] {
            let path = job::labels_file(context.folder, part);
            fs_err::write(path, to_npy(indices.len(), tasks, self.labels(indices)))?;
        }
        Ok(())
    }

    /// Predictions for all molecules of a part from those for its `present` molecules: NaN for the others, and for tasks of
    /// which the training molecules with features say nothing.
    fn spread(part: &[usize], present: &[usize], untaught: &[bool], predictions: &[f32]) -> Artifact {
        let tasks = untaught.len();
        let mut rows = present.iter().zip(predictions.chunks_exact(tasks)).peekable();
        let mut spread = Vec::with_capacity(part.len() * tasks);
        for index in part {
            match rows.next_if(|(present, _)| *present == index) {
                Some((_, row)) => spread.extend(
                    row.iter()
                        .zip(untaught)
                        .map(|(value, untaught)| if *untaught { f32::NAN } else { *value }),
                ),
                None => spread.extend(std::iter::repeat_n(f32::NAN, tasks)),
            }
        }
        Artifact::Bytes(to_npy(part.len(), tasks, spread))
    }

    /// The tasks of which these training molecules say nothing: classes without an example of each, values without any.
    fn untaught(&self, train: &[usize]) -> Vec<bool> {
        let dataset = &self.shared.predicts.dataset.dataset;
        let tasks = dataset.tasks.len();
        let labels = self.labels(train);
        let of_task = |task: usize| labels.iter().skip(task).step_by(tasks).filter(|label| !label.is_nan());
        let untaught = |task: usize| match dataset.task_type {
            TaskType::Regression => of_task(task).next().is_none(),
            TaskType::Classification => {
                let positive = of_task(task).filter(|&&label| label > 0.5).count();
                positive == 0 || positive == of_task(task).count()
            }
        };
        (0..tasks).map(untaught).collect()
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
    fn check_choice(
        &self,
        search: &Search,
        valid: &[usize],
        predictions: &[f32],
    ) -> Result<(), (Reason, String)> {
        let Predicts { dataset, .. } = &self.shared.predicts;
        let metric = dataset.manifest.protocol.metric;
        let tasks = dataset.dataset.tasks.len();
        let scored = valid_score(metric, &self.labels(valid), predictions, tasks);
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
        self.shared.material(self.seed)
    }

    fn prepare(&self, context: &Context<'_>) -> Result<Prepared> {
        let FitShared { predicts, predictor, configurations, keep, .. } = &*self.shared;
        let dataset = &predicts.dataset;
        let store = &context.arena.store;
        let finetunes = self.shared.finetunes();
        let state = if finetunes { start_of(predictor, context)? } else { None };
        let (given, input) = self.given(context)?;
        let present = self.present(&given);
        if let Some(failure) = self.nobody(&present) {
            return Ok(Prepared::Done(Err(failure)));
        }
        self.write_inputs(context, &given, &present)?;
        let candidates = configurations.iter().map(|config| {
            if finetunes {
                predictor.in_job_to_finetune(config, state.as_deref(), context.folder, store)
            } else {
                predictor.in_job(Some(config), context.folder, store)
            }
        });
        let task = JobTask::Fit(FitJob {
            candidates: candidates.collect::<Result<_>>()?,
            metric: dataset.manifest.protocol.metric,
            input,
            task_type: dataset.dataset.task_type,
            tasks: dataset.dataset.tasks.len(),
            keep: *keep,
        });
        let readable: Vec<PathBuf> = predictor.reads(store)?.into_iter().chain(state).collect();
        Ok(Prepared::Job { task, readable, writable: Vec::new() })
    }

    fn components(&self) -> Vec<&Component> {
        vec![&self.shared.predictor]
    }

    fn judge(&self, context: &Context<'_>, output: &Output) -> Judged {
        let Output::Timings { search, .. } = output else { return Err(another_question()) };
        let FitShared { predicts, features, keep, .. } = &*self.shared;
        let Predicts { dataset, split, .. } = predicts;
        let tasks = Some(dataset.dataset.tasks.len());
        let some_absent = features.may_be_absent();
        let present = if some_absent {
            let features =
                self.features(context, features).map_err(|error| (Reason::Error, error.to_string()))?;
            self.present(&features)
        } else {
            let split = Split::clone(split);
            Present { train: split.train, valid: split.valid, test: split.test }
        };
        let read = |part, molecules| matrix(&job::predictions_file(context.folder, part), molecules, tasks);
        let (test, of_test) = read(Part::Test, present.test.len())?;
        let (valid, predictions) = read(Part::Valid, present.valid.len())?;
        if dataset.dataset.task_type == TaskType::Classification {
            check_probabilities(&of_test, "test", &dataset.dataset.tasks)?;
            check_probabilities(&predictions, "validation", &dataset.dataset.tasks)?;
        }
        if let Some(search) = search {
            self.check_choice(search, &present.valid, &predictions)?;
        }
        let (test, valid) = if some_absent {
            let untaught = self.untaught(&present.train);
            (
                Self::spread(&split.test, &present.test, &untaught, &of_test),
                Self::spread(&split.valid, &present.valid, &untaught, &predictions),
            )
        } else {
            (Artifact::Bytes(test), Artifact::Bytes(valid))
        };
        let (test, valid) = (("test.npy", test), ("valid.npy", valid));
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
