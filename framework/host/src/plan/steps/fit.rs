//! Fitting: a baseline learns from features or vectors and labels, and predicts.

use std::{path::PathBuf, sync::Arc};

use molarena_data::Split;
use molarena_features::{FeatureSpec, Features, select_rows};
use molarena_record::{
    key::FitKey,
    parts::{Composition, Cost},
    step::{Kind, StepRecord},
};
use molarena_sdk::InputKind;
use serde_json::Value;

use crate::{
    error::Result,
    files::npy::to_npy,
    inputs::{dataset::ArenaDataset, shuffle::shuffle_labels},
    job::{self, FitJob, JobTask, Output, TEST, TRAIN, VALID},
    plan::{
        component::Component,
        device::class_of,
        step::{Context, Judged, Prepared, Work},
        steps::{another_question, matrix, state, with_encoding},
    },
    store::Artifact,
};

/// What the fits of all seeds have in common.
#[derive(Clone, Debug)]
pub(crate) struct FitShared {
    pub(crate) dataset: Arc<ArenaDataset>,
    pub(crate) split: Arc<Split>,
    pub(crate) features: FeatureSpec,
    /// The baseline, without the settings to choose from.
    pub(crate) baseline: Component,
    /// The configurations to choose from; one where there is no choice.
    pub(crate) configurations: Vec<Value>,
    pub(crate) composition: Composition,
    pub(crate) shuffle_labels: bool,
    pub(crate) device: String,
    /// Whether the state of the fitted baseline is wanted.
    pub(crate) keep: bool,
}

/// One fit.
#[derive(Clone, Debug)]
pub(crate) struct FitWork {
    pub(crate) shared: Arc<FitShared>,
    /// Seed of the fit; 0 where it changes nothing.
    pub(crate) seed: u64,
}

impl FitWork {
    fn write_inputs(&self, context: &Context<'_>, features: &Features) -> Result<()> {
        let FitShared { dataset, split, .. } = &*self.shared;
        for (part, indices) in [(TRAIN, &split.train), (VALID, &split.valid), (TEST, &split.test)] {
            features.select(indices).write(&job::features_file(context.folder, part))?;
        }
        let dataset = &dataset.dataset;
        let tasks = dataset.tasks.len();
        for (part, indices) in [(TRAIN, &split.train), (VALID, &split.valid)] {
            let mut labels = select_rows(&dataset.labels, tasks, indices);
            if self.shared.shuffle_labels {
                shuffle_labels(&mut labels, tasks, self.seed);
            }
            let path = job::labels_file(context.folder, part);
            fs_err::write(path, to_npy(indices.len(), tasks, labels))?;
        }
        Ok(())
    }
}

impl Work for FitWork {
    fn kind(&self) -> Kind {
        Kind::Fit
    }

    fn of(&self) -> Value {
        let FitShared { dataset, split, composition, shuffle_labels, device, keep, .. } = &*self.shared;
        let key = FitKey {
            composition,
            split_sha256: &split.sha256(),
            tasks: &dataset.dataset.tasks,
            task_type: dataset.dataset.task_type,
            seed: self.seed,
            shuffle_labels: *shuffle_labels,
            metric: dataset.manifest.protocol.metric,
            device: class_of(device),
        };
        let mut material = key.material();
        if *keep {
            // The same predictions, and a file more.
            material["keep"] = true.into();
        }
        material
    }

    fn prepare(&self, context: &Context<'_>) -> Result<Prepared> {
        let FitShared { dataset, features, baseline, configurations, keep, .. } = &*self.shared;
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
        let Output::Timings { .. } = output else { return Err(another_question()) };
        let FitShared { dataset, split, keep, .. } = &*self.shared;
        let tasks = Some(dataset.dataset.tasks.len());
        let read = |part, molecules| {
            let (bytes, _) = matrix(&job::predictions_file(context.folder, part), molecules, tasks)?;
            Ok(Artifact::Bytes(bytes))
        };
        let test = ("test.npy", read(TEST, split.test.len())?);
        let valid = ("valid.npy", read(VALID, split.valid.len())?);
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
