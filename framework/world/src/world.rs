//! A world: its molecules and what each does to the pathways.

use crate::latent::{self, Activities};
use crate::molecules::{self, Drug};
use crate::parameters::Parameters;
use crate::profiles::{Instrument, Modality};
use crate::progress::Progress;

/// A world before any measurement.
pub(crate) struct World {
    pub(crate) parameters: Parameters,
    /// The labelled molecules, then those of the context graph alone.
    pub(crate) drugs: Vec<Drug>,
    /// `[drugs]`: the pathway activities of each drug.
    pub(crate) activities: Vec<Activities>,
    /// The drug of each molecule node.
    pub(crate) context: Vec<usize>,
}

impl World {
    pub(crate) fn new(parameters: Parameters, progress: &mut dyn FnMut(Progress)) -> Self {
        let count = parameters.molecules + parameters.context_molecules;
        let drugs = molecules::enumerate(parameters.seed, count, progress);
        let activities = latent::standardised(parameters.seed, &drugs);
        let shared = (0..parameters.molecules).step_by(10);
        let context = (parameters.molecules..count).chain(shared).collect();
        Self { parameters, drugs, activities, context }
    }

    pub(crate) fn instrument(&self, modality: Modality) -> Instrument {
        let columns = match modality {
            Modality::Expression => self.parameters.expression_columns,
            Modality::Morphology => self.parameters.morphology_columns,
        };
        Instrument::new(self.parameters.seed, modality, columns, self.parameters.batches)
    }
}
