//! Which molecules leave a corpus, and the pretraining that follows from it.

use std::{collections::BTreeSet, sync::Arc};

use molarena_sdk::ComponentKind;

use crate::{
    error::Result,
    inputs::corpus,
    inputs::corpus::LeaveOut,
    plan::planner::Planner,
    plan::step::PlannedPretrain,
    request::method::{Method, Model, Pretraining},
};

impl Planner<'_> {
    /// The pretraining of a method that is evaluated on dataset `id`, whose molecules leave the corpus; `None` for a
    /// method whose encoder is not trained.
    pub(crate) fn pretrain_for(
        &mut self,
        method: &Method,
        model: &Model,
        id: &str,
    ) -> Result<Option<Arc<PlannedPretrain>>> {
        let Some(pretraining) = &model.pretraining else { return Ok(None) };
        let place = (method.name.clone(), id.to_owned());
        if let Some(known) = self.pretrains.get(&place) {
            return Ok(Some(Arc::clone(known)));
        }
        let evaluated = self.leave_out_of.clone().unwrap_or_else(|| id.to_owned());
        let mut leave_out = self.leave_out(pretraining)?;
        leave_out.add(&evaluated, &self.identities(&evaluated)?);
        let planned = Arc::new(self.pretrain(method, model, pretraining, leave_out)?);
        self.pretrains.insert(place, Arc::clone(&planned));
        Ok(Some(planned))
    }

    /// The molecules that a method itself leaves out.
    pub(crate) fn leave_out(&mut self, pretraining: &Pretraining) -> Result<LeaveOut> {
        let mut leave_out = LeaveOut::default();
        for id in &pretraining.leave_out {
            leave_out.add(id, &self.identities(id)?);
        }
        Ok(leave_out)
    }

    /// The pretraining of a method's encoder without certain molecules.
    pub(crate) fn pretrain(
        &mut self,
        method: &Method,
        model: &Model,
        pretraining: &Pretraining,
        leave_out: LeaveOut,
    ) -> Result<PlannedPretrain> {
        let spec = model.encoder.as_ref().expect("only an encoder has a corpus");
        let found = self.component(method, ComponentKind::Encoder, spec)?;
        let corpus = corpus::used(self.arena, &pretraining.corpus, &leave_out)?;
        let encoder = found.planned(&found.used.config);
        let encoder = (pretraining, encoder, found.used);
        Ok(PlannedPretrain::new(method, &model.features, encoder, (corpus, leave_out)))
    }

    /// Identity keys of all molecules of a dataset.
    fn identities(&mut self, id: &str) -> Result<BTreeSet<String>> {
        let dataset = self.dataset(id)?;
        dataset.identities(&self.arena.store)
    }
}
