//! Fitting: a baseline learns from features or vectors and labels, and predicts.

use std::{path::PathBuf, sync::Arc};

use molarena_data::Part;
use molarena_features::{FeatureSpec, Features, select_rows};
use molarena_record::{
    parts::Cost,
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
        let dataset = &dataset.dataset;
        let tasks = dataset.tasks.len();
        for (part, indices) in [(Part::Train, &split.train), (Part::Valid, &split.valid)] {
            let mut labels = select_rows(&dataset.labels, tasks, indices);
            if self.shared.predicts.shuffle_labels {
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
        let Output::Timings { .. } = output else { return Err(another_question()) };
        let FitShared { predicts, keep, .. } = &*self.shared;
        let Predicts { dataset, split, .. } = predicts;
        let tasks = Some(dataset.dataset.tasks.len());
        let read = |part, molecules| {
            let (bytes, _) = matrix(&job::predictions_file(context.folder, part), molecules, tasks)?;
            Ok(Artifact::Bytes(bytes))
        };
        let test = ("test.npy", read(Part::Test, split.test.len())?);
        let valid = ("valid.npy", read(Part::Valid, split.valid.len())?);
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
