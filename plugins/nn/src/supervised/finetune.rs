//! Fine-tuning: a pretrained graph network and a head on its vectors learn end to end from molecules with labels.

use std::fmt::Debug;

use burn::tensor::Tensor;
use molarena_sdk::{
    Baseline, Call, Error, Graphs, Inputs, Labels, Matrix, Result, TaskKind,
    state::{Header, fitted},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Members, Options, Predictor, Selection};
use crate::{
    Arrays, Loss, Parameters, Pass, Slots, Stack, Style,
    gnn::{GraphBatch, MoleculeGraphs},
    training::Schedule,
};

const HEADER: Header = Header { name: *b"tune", version: 1 };

/// What the names of a head's parameters begin with.
const HEAD: &str = "head";

/// A graph network whose vectors a head predicts from.
pub trait GraphEncoder:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Width d of the vectors.
    fn width(&self) -> usize;

    /// Number of layers, at least 1. No network has more layers than parameters.
    fn layers(&self) -> usize;

    /// The network's parameters; none is called `head`.
    fn slots(&self) -> Slots;

    /// The molecules, if the network has vectors for all their atoms and bonds; the error names one that it has none for.
    fn molecules<'m>(graphs: Graphs<'m>) -> Result<MoleculeGraphs<'m>> {
        MoleculeGraphs::new(graphs)
    }

    /// Vectors of the molecules, `f32[molecules, d]`.
    fn forward(&self, pass: &mut Pass<'_>, batch: &GraphBatch) -> Tensor<2>;

    /// The same network, which drops values with this probability in training.
    #[must_use]
    fn with_dropout(self, dropout: f64) -> Self;
}

/// Configuration of fine-tuning. The defaults are those of Hu et al. 2020 (arXiv 1905.12265, section 5.1, and their code): Adam
/// with a learning rate of 1e-3, batches of 32, 100 epochs, dropout of 0.5, a linear head, and the epoch with the best score of
/// the validation molecules.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FineTuneConfig {
    /// Number of hidden layers of the head; without any it is linear.
    pub layers: usize,
    /// Width of these layers, at least 1.
    #[schemars(range(min = 1))]
    pub width: usize,
    /// Probability in [0, 1) that training drops a value, after each layer of the encoder and of the head.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dropout: f64,
    /// Learning rate of the optimiser (Adam) for the encoder, above 0.
    pub learning_rate: f64,
    /// Learning rate for the head, above 0; if none is given, that of the encoder.
    pub head_learning_rate: Option<f64>,
    /// Weight decay: share of each weight that is added to its gradient, at least 0.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
    /// Number of molecules in a batch, at least 2.
    #[schemars(range(min = 2))]
    pub batch_size: usize,
    /// Number of passes over the training molecules, at least 1.
    #[schemars(range(min = 1))]
    pub epochs: usize,
    /// Number of epochs without a better validation value after which training ends, at least 1.
    #[schemars(range(min = 1))]
    pub patience: usize,
    /// Criterion on the validation molecules that chooses the epoch.
    pub select: Selection,
}

impl Default for FineTuneConfig {
    fn default() -> Self {
        Self {
            layers: 0,
            width: 300,
            dropout: 0.5,
            learning_rate: 1e-3,
            head_learning_rate: None,
            weight_decay: 0.0,
            batch_size: 32,
            epochs: 100,
            patience: 100,
            select: Selection::Score,
        }
    }
}

impl FineTuneConfig {
    fn check(&self) -> Result<()> {
        let wrong = |name: &str, value: &dyn std::fmt::Display, wanted: &str| {
            Err(Error::invalid_config(format!("`{name}` is {value}, must be {wanted}")))
        };
        for (name, value, least) in [
            ("width", self.width, 1),
            ("batch_size", self.batch_size, 2),
            ("epochs", self.epochs, 1),
            ("patience", self.patience, 1),
        ] {
            if value < least {
                return wrong(name, &value, &format!("at least {least}"));
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return wrong("dropout", &self.dropout, "in [0, 1)");
        }
        let head = self.head_learning_rate.unwrap_or(self.learning_rate);
        for (name, rate) in [("learning_rate", self.learning_rate), ("head_learning_rate", head)] {
            if !(rate.is_finite() && rate > 0.0) {
                return wrong(name, &rate, "above 0");
            }
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return wrong("weight_decay", &self.weight_decay, "at least 0");
        }
        Ok(())
    }

    fn head(&self, inputs: usize, outputs: usize) -> Stack {
        Stack {
            name: HEAD.to_owned(),
            inputs,
            layers: self.layers,
            hidden: self.width,
            outputs,
            style: Style::Rectifier,
            dropout: self.dropout,
        }
    }

    fn options(&self, kind: TaskKind) -> Options {
        Options {
            learning_rate: self.learning_rate,
            schedule: Schedule::Constant,
            weight_decay: self.weight_decay,
            batch_size: self.batch_size,
            max_epochs: self.epochs,
            patience: self.patience,
            loss: match kind {
                TaskKind::Classification => Loss::BinaryCrossEntropy,
                TaskKind::Regression => Loss::Squared,
            },
            selection: self.select,
        }
    }
}

/// A graph network and a head on its vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
struct WithHead<E: GraphEncoder> {
    encoder: E,
    head: Stack,
    /// Weights that the encoder starts from; empty: random ones.
    #[serde(skip)]
    start: Arrays,
    /// Learning rate of the head as a share of that of the encoder.
    #[serde(skip)]
    head_rate: f64,
}

impl<E: GraphEncoder> WithHead<E> {
    fn outputs_of(&self, pass: &mut Pass<'_>, batch: &GraphBatch) -> Tensor<2> {
        let vectors = self.encoder.forward(pass, batch);
        self.head.forward(pass, vectors)
    }
}

impl<E: GraphEncoder> Predictor for WithHead<E> {
    type Molecules<'a> = MoleculeGraphs<'a>;
    const NAME: &str = "finetune";

    fn outputs(&self) -> usize {
        self.head.outputs
    }

    fn count(molecules: &MoleculeGraphs<'_>) -> usize {
        molecules.rows()
    }

    fn slots(&self) -> Slots {
        let mut slots = self.encoder.slots();
        self.head.slots(&mut slots);
        slots
    }

    fn start(&self) -> Arrays {
        self.start.clone()
    }

    fn rate(&self, name: &str) -> f64 {
        let of_head = name.strip_prefix(HEAD).is_some_and(|rest| rest.starts_with('.'));
        if of_head { self.head_rate } else { 1.0 }
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

/// A model that trains a graph network end to end with a head: all weights, with batch norm in training mode.
///
/// The loss over the labels that are not missing is binary cross-entropy for classes, and the squared error of standardised
/// labels for numbers. The validation molecules choose the epoch. The seed of a call draws the head, the order of the molecules
/// and the dropout, and the encoder where it starts from no weights.
#[derive(Debug)]
pub struct FineTuned<E: GraphEncoder> {
    config: FineTuneConfig,
    encoder: E,
    start: Arrays,
    model: Option<Members<WithHead<E>>>,
}

impl<E: GraphEncoder> FineTuned<E> {
    /// A model that starts from `weights`, or from random ones if there are none. Weights that are not of the network are left
    /// out. Returns an error if a value of the configuration is out of range.
    pub fn new(encoder: E, weights: Option<&Arrays>, config: FineTuneConfig) -> Result<Self> {
        config.check()?;
        let mut start = Arrays::default();
        for slot in encoder.slots().0 {
            if let Some(array) = weights.and_then(|weights| weights.arrays.get(&slot.name)) {
                start.arrays.insert(slot.name, array.clone());
            }
        }
        Ok(Self { encoder: encoder.with_dropout(config.dropout), start, config, model: None })
    }
}

fn molecules<'m, E: GraphEncoder>(inputs: &Inputs<'m>) -> Result<MoleculeGraphs<'m>> {
    E::molecules(inputs.graphs()?)
}

impl<E: GraphEncoder> Baseline for FineTuned<E> {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        valid: &Inputs<'_>,
        valid_labels: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        call.check()?;
        let valid = if valid.rows == 0 { None } else { Some(molecules::<E>(valid)?) };
        let train = molecules::<E>(train)?;
        let (config, encoder) = (&self.config, &self.encoder);
        let head_rate = config.head_learning_rate.unwrap_or(config.learning_rate) / config.learning_rate;
        let network = |outputs| WithHead {
            encoder: encoder.clone(),
            head: config.head(encoder.width(), outputs),
            start: self.start.clone(),
            head_rate,
        };
        let options = config.options(labels.kind);
        let plan = (&options, 1, config.epochs);
        self.model =
            Some(Members::fit(network, plan, (&train, valid.as_ref()), (labels, valid_labels), call)?);
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, Members::tasks)
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        fitted(self.model.as_ref(), "predict")?.predict(&molecules::<E>(inputs)?, call)
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Members<WithHead<E>> = HEADER.load(state)?;
        if let Some((network, members)) = &model.networks {
            // The parameters of a network are only defined from one layer on, and each layer has some.
            let arrays = members.iter().map(|weights| weights.arrays.len()).max().unwrap_or(0);
            let layers = network.encoder.layers();
            if layers == 0 || layers > arrays || network.head.layers > arrays {
                return Err(Error::data("state of the network is damaged: weights and layers do not fit"));
            }
        }
        model.check()?;
        self.model = Some(model);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
