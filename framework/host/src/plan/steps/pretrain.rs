//! Pretraining: a worker trains an encoder on a context graph, once for all steps that use it.

use std::{collections::BTreeSet, sync::Arc};

use molarena_chem::CHEMISTRY_VERSION;
use molarena_features::FeatureSpec;
use molarena_record::{encoder::CorpusUse, key::pretrain_material, parts::Pretrained, step::Kind};
use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    inputs::corpus,
    job::{self, JobTask, Output, PretrainJob},
    plan::{
        component::Component,
        device::class_of,
        step::{Context, Judged, Prepared, Work},
        steps::{another_question, state},
    },
};

/// An encoder and what to train it on.
#[derive(Clone, Debug)]
pub(crate) struct PretrainWork {
    pub(crate) encoder: Component,
    pub(crate) features: FeatureSpec,
    pub(crate) corpus: Arc<CorpusUse>,
    /// Identity keys of the molecules to leave out of the corpus.
    pub(crate) leave_out: Arc<BTreeSet<String>>,
    pub(crate) seed: u64,
    pub(crate) device: String,
}

impl PretrainWork {
    /// Its description in the records that build on it.
    pub(crate) fn described(&self, key: &str) -> Pretrained {
        Pretrained {
            key: key.to_owned(),
            corpus: self.corpus.id.clone(),
            leave_out: self.corpus.leave_out.clone(),
            left_out: self.corpus.left_out,
            seed: self.seed,
        }
    }
}

impl Work for PretrainWork {
    fn kind(&self) -> Kind {
        Kind::Pretrain
    }

    fn of(&self) -> Value {
        pretrain_material(
            &self.corpus.key,
            &self.encoder.used,
            &json!(self.features),
            CHEMISTRY_VERSION,
            self.seed,
            class_of(&self.device),
        )
    }

    fn prepare(&self, context: &Context<'_>) -> Result<Prepared> {
        let store = context.arena.store_of(Kind::Pretrain);
        let work = store.step_work(&context.step.key);
        if work.to_str().is_none() {
            let message = "the path is not UTF-8, so it cannot be told to a plugin; put the store elsewhere";
            return Err(Error::Store { path: work, message: message.into() });
        }
        let graph = corpus::graph(&context.arena.sources(), &self.corpus.id, &self.leave_out)?;
        job::corpus::write(&graph, &self.features, context.folder)?;
        let task = JobTask::Pretrain(PretrainJob {
            encoder: self.encoder.in_job(None, context.folder, store)?,
            weights: self.encoder.weights.as_ref().map(|weights| job::relative(context.folder, weights)),
            folder: job::relative(context.folder, &work),
        });
        let readable = self.encoder.reads(store)?.into_iter().chain(self.encoder.weights.clone()).collect();
        Ok(Prepared::Job { task, readable, writable: vec![work] })
    }

    fn components(&self) -> Vec<&Component> {
        vec![&self.encoder]
    }

    fn judge(&self, context: &Context<'_>, output: &Output) -> Judged {
        match output {
            Output::Pretrained => Ok([("state", state(context.folder)?)].into()),
            _ => Err(another_question()),
        }
    }

    fn corpus(&self) -> Option<CorpusUse> {
        Some(CorpusUse::clone(&self.corpus))
    }

    fn keeps_folder(&self) -> bool {
        true
    }
}
