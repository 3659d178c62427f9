//! Pretraining with any objective, in the training loop that all networks share.

use std::sync::Arc;

use burn::tensor::Tensor;
use molarena_nn::{
    Arrays, Parameters, Pass, Random, Slots,
    gnn::{GraphNetwork, MoleculeGraphs},
    training::{Task, train},
};
use molarena_sdk::{Call, Corpus, Error, Graphs, Result};

use crate::{
    config::Params,
    graphs::Molecules,
    model::{Model, slots_of},
    objectives::{EpochEnd, Objective},
};

/// Purposes of random streams.
const HELD_OUT: u64 = 50;
const VALIDATION: u64 = 51;
const END: u64 = 52;

/// Trains the network on the molecules of a corpus.
pub(crate) fn pretrain(params: &Params, corpus: &Corpus<'_>, call: &Call<'_>) -> Result<Model> {
    let graphs = corpus.molecules.graphs()?;
    MoleculeGraphs::new(graphs)?;
    let mut task = Pretraining::new(params, graphs, call)?;
    let slots = task.slots.clone();
    let mut weights =
        train(&mut task, &slots, &params.training(), &identity(params, &graphs, call.seed), call)?;
    // What only pretraining needs is left behind.
    let own = slots_of(&task.network);
    weights.arrays.retain(|name, _| own.0.iter().any(|slot| slot.name == *name));
    Ok(Model { network: task.network, weights: Arc::new(weights) })
}

/// The settings on which a checkpoint must agree. The arena uses a folder for one corpus and configuration only; this guards
/// other callers.
fn identity(params: &Params, graphs: &Graphs<'_>, seed: u64) -> String {
    let config = serde_json::to_string(&**params).expect("plain data");
    let sum: u64 = graphs.atom_features.iter().flatten().map(|&value| value as u64).sum();
    format!(
        "seed {seed}, {} molecules of {} atoms and {} bonds, sum {sum}, {config}",
        graphs.rows(),
        graphs.atom_features.len(),
        graphs.bonds.len()
    )
}

/// An objective over the molecules of a corpus.
pub(crate) struct Pretraining<'a> {
    pub(crate) network: GraphNetwork,
    pub(crate) slots: Slots,
    objective: Box<dyn Objective>,
    train: Molecules<'a>,
    valid: Molecules<'a>,
    batch_size: usize,
    seed: u64,
    epoch: usize,
    /// The stream of this epoch's batches.
    random: Random,
    /// Whether there was nothing to learn from the last batch.
    idle: bool,
}

impl<'a> Pretraining<'a> {
    pub(crate) fn new(params: &Params, graphs: Graphs<'a>, call: &Call<'_>) -> Result<Self> {
        let rows = graphs.rows();
        let held_out = (rows as f64 * params.valid_share).round() as usize;
        if rows < held_out + 2 {
            return Err(Error::data(format!(
                "corpus: {rows} molecules, of which {held_out} are held out; training needs at least 2"
            )));
        }
        let mut order = Random::of(call.seed, 0, HELD_OUT).order(rows);
        let mut train_rows = order.split_off(held_out);
        train_rows.sort_unstable();
        let network = params.network();
        let train = Molecules::new(graphs, train_rows);
        let objective = params.objective.objective(&train)?;
        let mut slots = slots_of(&network);
        objective.slots(&network, &mut slots);
        Ok(Self {
            network,
            slots,
            objective,
            train,
            valid: Molecules::new(graphs, order),
            batch_size: params.batch_size,
            seed: call.seed,
            epoch: 0,
            random: Random::of(call.seed, 0, VALIDATION),
            idle: false,
        })
    }

    fn end_epoch(&mut self, parameters: &mut Parameters, call: &Call<'_>) -> Result<()> {
        self.objective.end_epoch(&mut EpochEnd {
            network: &self.network,
            parameters,
            slots: &self.slots,
            epochs: self.epoch + 1,
            molecules: &self.train,
            batch_size: self.batch_size,
            random: Random::of(self.seed, self.epoch as u64, END),
            call,
        })
    }
}

impl Task for Pretraining<'_> {
    fn parts(&self) -> Vec<String> {
        self.objective.parts().iter().map(|part| format!("loss_{part}")).collect()
    }

    fn rows(&self) -> usize {
        self.train.len()
    }

    fn takes(&self, _: usize, name: &str) -> bool {
        !self.idle && self.objective.takes(name)
    }

    fn start_epoch(&mut self, epoch: usize, random: &mut Random) -> Result<()> {
        (self.epoch, self.random) = (epoch, random.clone());
        Ok(())
    }

    fn loss(
        &mut self,
        pass: &mut Pass<'_>,
        rows: &[usize],
        _: usize,
    ) -> Result<(Tensor<1>, Vec<Option<Tensor<1>>>)> {
        let molecules = self.train.graphs(rows);
        let loss = self.objective.loss(&self.network, pass, &molecules, &mut self.random)?;
        self.idle = loss.is_none();
        let nothing = || (Tensor::zeros([1], pass.device()), vec![None; self.objective.parts().len()]);
        Ok(loss.unwrap_or_else(nothing))
    }

    fn state(&self) -> Arrays {
        self.objective.state()
    }

    fn restore(&mut self, state: Arrays) -> Result<()> {
        self.objective.restore(state)
    }

    /// The mean loss of the held-out molecules, which are changed in the same way after every epoch.
    fn validate(&mut self, parameters: &mut Parameters, call: &Call<'_>) -> Result<Option<f64>> {
        self.end_epoch(parameters, call)?;
        if !self.objective.is_settled() {
            return Ok(None);
        }
        let mut random = Random::of(self.seed, 0, VALIDATION);
        let (mut sum, mut count) = (0.0, 0);
        let all: Vec<usize> = (0..self.valid.len()).collect();
        for rows in all.chunks(self.batch_size) {
            call.check()?;
            let (molecules, mut pass) = (self.valid.graphs(rows), Pass::evaluate(parameters));
            if let Some((loss, _)) = self.objective.loss(&self.network, &mut pass, &molecules, &mut random)? {
                sum += f64::from(loss.into_scalar::<f32>()) * rows.len() as f64;
                count += rows.len();
            }
        }
        Ok((count > 0).then(|| sum / count as f64))
    }
}
