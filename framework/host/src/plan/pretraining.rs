//! Plans pretraining, with the molecules that it leaves out, and encoding.

use std::{collections::BTreeSet, sync::Arc};

use molarena_features::FeatureSpec;
use molarena_record::parts::Pretrained;
use molarena_sdk::ComponentKind;
use serde_json::Value;

use crate::{
    error::Result,
    inputs::corpus::{self, LeaveOut},
    plan::{
        planner::Planner,
        step::{Label, Step},
        steps::{
            encode::{EncodeWork, Molecules},
            pretrain::PretrainWork,
        },
    },
    request::{
        component::ComponentSpec,
        method::{Method, Model, Pretraining},
    },
};

/// A pretraining, and its description in the records that build on it.
pub(crate) type Trained = (Arc<Step>, Pretrained);

/// One of a method's encoders at work.
pub(crate) struct Encoding<'a> {
    /// Its number among the method's encoders.
    pub(crate) number: usize,
    pub(crate) features: &'a FeatureSpec,
    /// The features as records keep them.
    pub(crate) described: Value,
    pub(crate) encoder: &'a ComponentSpec,
    /// The pretraining, if it is to be had already, and its seed.
    pub(crate) pretraining: Option<(Option<&'a Arc<Step>>, u64)>,
}

impl Planner<'_> {
    /// The pretraining of a method evaluated on dataset `id`, without the molecules of that dataset; `None`
    /// if the encoder is not trained.
    pub(crate) fn pretrain_for(
        &mut self,
        method: &Method,
        model: &Model,
        id: &str,
    ) -> Result<Option<Trained>> {
        let Some(pretraining) = &model.pretraining else { return Ok(None) };
        let place = (method.name.clone(), id.to_owned());
        if let Some(known) = self.pretrains.get(&place) {
            return Ok(Some(known.clone()));
        }
        let evaluated = self.leave_out_of.clone().unwrap_or_else(|| id.to_owned());
        let mut leave_out = self.leave_out(pretraining)?;
        leave_out.add(&evaluated, &self.identities(&evaluated)?);
        let planned = self.pretrain(method, model, pretraining, leave_out)?;
        self.pretrains.insert(place, planned.clone());
        Ok(Some(planned))
    }

    /// The molecules of the method's own `leave_out`.
    pub(crate) fn leave_out(&mut self, pretraining: &Pretraining) -> Result<LeaveOut> {
        let mut leave_out = LeaveOut::default();
        for id in &pretraining.leave_out {
            leave_out.add(id, &self.identities(id)?);
        }
        Ok(leave_out)
    }

    /// The pretraining of a method's encoder without the molecules `leave_out`.
    pub(crate) fn pretrain(
        &mut self,
        method: &Method,
        model: &Model,
        pretraining: &Pretraining,
        leave_out: LeaveOut,
    ) -> Result<Trained> {
        let spec = model.encoder.as_ref().expect("only an encoder has a corpus");
        let work = PretrainWork {
            encoder: self.component(method, ComponentKind::Encoder, spec)?,
            features: model.features.clone(),
            corpus: corpus::used(&self.arena.sources(), &pretraining.corpus, &leave_out)?,
            leave_out: Arc::new(leave_out.identities),
            seed: pretraining.seed,
            device: self.device_of(method),
        };
        let label = Label {
            method: &method.name,
            subject: &pretraining.corpus,
            seed: pretraining.seed,
            device: &work.device.clone(),
        };
        let work = Arc::new(work);
        let step = Arc::new(Step::new(label, Vec::new(), self.limits.pretraining, Arc::clone(&work) as _));
        let described = work.described(&step.key);
        Ok((step, described))
    }

    /// The encoding of molecules by a method's encoder, or `None` if it has none.
    pub(crate) fn encode_first(
        &mut self,
        method: &Method,
        model: &Model,
        pretrain: Option<&Arc<Step>>,
        molecules: Molecules,
        described: Value,
        seed: u64,
    ) -> Result<Option<Arc<Step>>> {
        let Some(encoder) = &model.encoder else { return Ok(None) };
        let pretraining = model.pretraining.as_ref().map(|pretraining| (pretrain, pretraining.seed));
        let encoding = Encoding { number: 0, features: &model.features, described, encoder, pretraining };
        self.encode(method, encoding, molecules, seed).map(Some)
    }

    /// The encoding of molecules by one of a method's encoders. All seeds share the encoding if the encoder is trained or
    /// ignores the seed.
    pub(crate) fn encode(
        &mut self,
        method: &Method,
        encoding: Encoding<'_>,
        molecules: Molecules,
        seed: u64,
    ) -> Result<Arc<Step>> {
        let Encoding { number, features, described, encoder, pretraining } = encoding;
        let encoder = self.component(method, ComponentKind::Encoder, encoder)?;
        let (pretrain, seed) = match pretraining {
            Some(pretraining) => pretraining,
            None if encoder.uses_seed => (None, seed),
            None => (None, 0),
        };
        let subject = molecules.subject().to_owned();
        let place = (method.name.clone(), number, molecules.key(), seed);
        if let Some(known) = self.encodings.get(&place) {
            return Ok(Arc::clone(known));
        }
        let device = self.device_of(method);
        let work = EncodeWork {
            encoder,
            pretraining: pretrain.map(|step| step.key.clone()),
            features: features.clone(),
            described,
            molecules,
            seed,
            device: device.clone(),
        };
        let label = Label { method: &method.name, subject: &subject, seed, device: &device };
        let needs = pretrain.cloned().into_iter().collect();
        let step = Arc::new(Step::new(label, needs, self.limits.cells, Arc::new(work)));
        self.encodings.insert(place, Arc::clone(&step));
        Ok(step)
    }

    /// Identity keys of all molecules of a dataset.
    fn identities(&mut self, id: &str) -> Result<BTreeSet<String>> {
        let dataset = self.dataset(id)?;
        Ok(dataset.identities(&self.arena.store)?.into_iter().collect())
    }
}
