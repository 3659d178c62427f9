//! Messages between atoms.

use burn::tensor::Tensor;
use molarena_nn::{
    Parameters, Pass, Slots, Stack,
    gnn::{GraphBatch, GraphNetwork, MoleculeGraphs},
    supervised::Predictor,
};
use molarena_sdk::{Call, Matrix, Result};
use serde::{Deserialize, Serialize};

/// A graph network and a perceptron on a molecule's vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Atoms {
    pub network: GraphNetwork,
    pub head: Stack,
}

impl Atoms {
    fn outputs_of(&self, pass: &mut Pass<'_>, batch: &GraphBatch) -> Tensor<2> {
        let vectors = self.network.forward(pass, batch);
        self.head.forward(pass, vectors)
    }
}

impl Predictor for Atoms {
    type Molecules<'a> = MoleculeGraphs<'a>;
    const NAME: &str = "mpnn";

    fn outputs(&self) -> usize {
        self.head.outputs
    }

    fn count(molecules: &MoleculeGraphs<'_>) -> usize {
        molecules.rows()
    }

    fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        self.network.slots(&mut slots);
        self.head.slots(&mut slots);
        slots
    }

    fn forward(&self, pass: &mut Pass<'_>, molecules: &MoleculeGraphs<'_>, rows: &[usize]) -> Tensor<2> {
        self.outputs_of(pass, &molecules.batch(rows, 0, 0))
    }

    fn predict(
        &self,
        parameters: &mut Parameters,
        molecules: &MoleculeGraphs<'_>,
        call: &Call<'_>,
    ) -> Result<Matrix> {
        molecules
            .encode(self.head.outputs, call, |batch| self.outputs_of(&mut Pass::evaluate(parameters), batch))
    }
}
