//! The trained networks: molecule encoder, profile encoder, and what belongs to them.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use molarena_nn::{
    Arrays, Parameters, Pass, Random, Slots, Stack, Start, Style,
    gnn::{Convolution, GraphBatch, GraphNetwork, MoleculeGraphs, Readout},
};
use molarena_sdk::{Bits, Call, Dense, Error, Inputs, Matrix, Result};
use serde::{Deserialize, Serialize};

use crate::{
    config::{InfoCoreLoss, LossKind, MoleculeKind, Params},
    losses::normalised,
    scale::Scale,
};

/// Shape of the networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) molecule: MoleculeShape,
    /// Linear map from a molecule's vector to the shared space; without it, the vector itself is there.
    pub(crate) head: Option<Stack>,
    /// The profile encoder; `None` before training.
    pub(crate) profile: Option<ProfileShape>,
    /// Batch classifiers of molecules and of profiles.
    pub(crate) classifiers: Option<[Stack; 2]>,
    /// Whether the logarithm of the inverse temperature is a parameter, and where it starts.
    pub(crate) temperature: Option<f64>,
}

/// The molecule encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MoleculeShape {
    /// A perceptron on fingerprints.
    Bits(Stack),
    /// A graph network.
    Graphs(GraphNetwork),
}

/// The profile encoder and the space that it reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProfileShape {
    pub(crate) space: String,
    pub(crate) network: Stack,
}

/// Name of the parameter that is the logarithm of the inverse temperature.
pub(crate) const LOG_INVERSE: &str = "log_inverse_temperature";
/// Prefix of the names of the batch classifiers.
pub(crate) const CLASSIFIERS: &str = "classifier";

impl Shape {
    /// The networks for molecules as in `molecules`, without a profile encoder.
    pub(crate) fn of(params: &Params, molecules: &Inputs<'_>) -> Result<Self> {
        let style = match params.loss {
            LossKind::Cloome { .. } => Style::BatchNorm,
            LossKind::InfoCore(_) => Style::LayerNorm,
        };
        let molecule = match params.molecules {
            MoleculeKind::Graphs => MoleculeShape::Graphs(GraphNetwork {
                convolution: Convolution::Gin,
                layers: params.molecule_layers,
                width: params.width,
                virtual_node: false,
                readout: Readout::Mean,
                dropout: params.dropout,
            }),
            MoleculeKind::Bits => MoleculeShape::Bits(Stack {
                name: "molecule".to_owned(),
                inputs: molecules.bits()?.n_bits,
                layers: params.molecule_layers,
                hidden: params.molecule_width,
                outputs: params.width,
                style,
                dropout: params.dropout,
            }),
        };
        let head = match params.loss {
            LossKind::Cloome { .. } => None,
            LossKind::InfoCore(_) => Some(linear("head", params.width, params.width)),
        };
        let temperature = match params.loss {
            LossKind::Cloome { inverse_temperature, learn_temperature: true, .. } => {
                Some(inverse_temperature.ln())
            }
            _ => None,
        };
        Ok(Self { molecule, head, profile: None, classifiers: None, temperature })
    }

    /// Adds the encoder of profiles of the space `space` and, for `batches` batches, the classifiers.
    pub(crate) fn with_profiles(
        mut self,
        params: &Params,
        space: &str,
        columns: usize,
        batches: Option<(usize, &InfoCoreLoss)>,
    ) -> Self {
        let style = match params.loss {
            LossKind::Cloome { .. } => Style::BatchNorm,
            LossKind::InfoCore(_) => Style::LayerNorm,
        };
        let network = Stack {
            name: "profile".to_owned(),
            inputs: columns,
            layers: params.profile_layers,
            hidden: params.profile_width,
            outputs: params.width,
            style,
            dropout: params.dropout,
        };
        self.profile = Some(ProfileShape { space: space.to_owned(), network });
        self.classifiers = batches.map(|(batches, loss)| {
            ["molecule", "profile"].map(|side| Stack {
                name: format!("{CLASSIFIERS}.{side}"),
                inputs: params.width,
                layers: 1,
                hidden: loss.classifier_width,
                outputs: batches,
                style: Style::LayerNorm,
                dropout: params.dropout,
            })
        });
        self
    }

    /// All parameters.
    pub(crate) fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        match &self.molecule {
            MoleculeShape::Bits(network) => network.slots(&mut slots),
            MoleculeShape::Graphs(network) => network.slots(&mut slots),
        }
        let profile = self.profile.as_ref().map(|profile| &profile.network);
        for stack in self.head.iter().chain(profile).chain(self.classifiers.iter().flatten()) {
            stack.slots(&mut slots);
        }
        if let Some(start) = self.temperature {
            slots.push(LOG_INVERSE, &[1], true, Start::Constant(start as f32));
        }
        slots
    }

    /// Width of a molecule's vector.
    pub(crate) fn width(&self) -> usize {
        match &self.molecule {
            MoleculeShape::Bits(network) => network.outputs,
            MoleculeShape::Graphs(network) => network.width,
        }
    }

    /// A molecule's place in the shared space, of length 1.
    pub(crate) fn place(&self, pass: &mut Pass<'_>, vectors: Tensor<2>) -> Tensor<2> {
        normalised(match &self.head {
            Some(head) => head.forward(pass, vectors),
            None => vectors,
        })
    }

    /// A standardised profile's place in the shared space, of length 1.
    ///
    /// # Panics
    /// If there is no profile encoder.
    pub(crate) fn place_profile(&self, pass: &mut Pass<'_>, profiles: Tensor<2>) -> Tensor<2> {
        let profile = self.profile.as_ref().expect("a trained network has one");
        normalised(profile.network.forward(pass, profiles))
    }
}

/// A linear map.
fn linear(name: &str, inputs: usize, outputs: usize) -> Stack {
    let name = name.to_owned();
    Stack { name, inputs, layers: 0, hidden: 1, outputs, style: Style::LayerNorm, dropout: 0.0 }
}

/// Molecules as a network reads them.
#[derive(Clone, Debug)]
pub(crate) enum Molecules<'a> {
    Bits(Bits<'a>),
    Graphs(MoleculeGraphs<'a>),
}

/// A batch of them.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made and read for each step of a training")]
pub(crate) enum MoleculeBatch {
    Bits(Tensor<2>),
    Graphs(GraphBatch),
}

impl<'a> Molecules<'a> {
    /// The molecules in `inputs` for `shape`; the error says what is missing.
    pub(crate) fn new(inputs: &Inputs<'a>, shape: &MoleculeShape) -> Result<Self> {
        match shape {
            MoleculeShape::Bits(network) => {
                let bits = inputs.bits()?;
                if bits.n_bits == network.inputs {
                    return Ok(Self::Bits(bits));
                }
                let message =
                    format!("fingerprints have {} bits, the encoder reads {}", bits.n_bits, network.inputs);
                Err(Error::invalid_argument(message))
            }
            MoleculeShape::Graphs(_) => Ok(Self::Graphs(MoleculeGraphs::new(inputs.graphs()?)?)),
        }
    }

    /// The molecules `rows`.
    pub(crate) fn batch(&self, rows: &[usize], device: &Device) -> MoleculeBatch {
        match self {
            Self::Bits(bits) => MoleculeBatch::Bits(dense(bits, rows, rows.len(), device)),
            Self::Graphs(graphs) => MoleculeBatch::Graphs(graphs.batch(rows, 0, 0)),
        }
    }
}

/// Bits as 0 and 1, padded with rows of zeros up to `height` rows.
fn dense(bits: &Bits<'_>, rows: &[usize], height: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0f32; height * bits.n_bits];
    for (target, &row) in values.chunks_exact_mut(bits.n_bits).zip(rows) {
        let words = bits.row(row);
        for (column, value) in target.iter_mut().enumerate() {
            *value = (words[column / 64] >> (column % 64) & 1) as f32;
        }
    }
    Tensor::from_data(TensorData::new(values, [height, bits.n_bits]), device)
}

impl Shape {
    /// The vectors of a batch.
    ///
    /// # Panics
    /// If the batch is for another kind of network.
    pub(crate) fn vectors(&self, pass: &mut Pass<'_>, batch: &MoleculeBatch) -> Tensor<2> {
        match (&self.molecule, batch) {
            (MoleculeShape::Bits(network), MoleculeBatch::Bits(bits)) => network.forward(pass, bits.clone()),
            (MoleculeShape::Graphs(network), MoleculeBatch::Graphs(graphs)) => network.forward(pass, graphs),
            _ => unreachable!("batches are made for the network"),
        }
    }
}

/// Number of rows in a batch of molecules or profiles that are encoded. It is fixed, because products of another height may sum
/// in another order, and a vector must not depend on the other rows.
const HEIGHT: usize = 256;

/// Networks and their weights.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) shape: Shape,
    /// The scale of the profiles; `None` before training.
    pub(crate) scale: Option<Scale>,
    pub(crate) weights: Arc<Arrays>,
}

/// Key of the shape in the notes of a safetensors file.
const SHAPE: &str = "contrastive";

impl Model {
    /// A molecule encoder with random weights.
    pub(crate) fn random(params: &Params, molecules: &Inputs<'_>, seed: u64) -> Result<Self> {
        let shape = Shape::of(params, molecules)?;
        let weights = shape.slots().random(&mut Random::of(seed, 0, 0));
        Ok(Self { shape, scale: None, weights: Arc::new(weights) })
    }

    /// Networks and scale as safetensors.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut arrays = (*self.weights).clone();
        if let Some(scale) = &self.scale {
            scale.save(&mut arrays);
        }
        let shape = serde_json::to_string(&self.shape).expect("plain data");
        arrays.notes.insert(SHAPE.to_owned(), shape);
        arrays.to_safetensors()
    }

    /// Reads the bytes of [`to_bytes`](Self::to_bytes). The error for a missing, misshapen or unknown tensor names it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut arrays = Arrays::from_safetensors(bytes)?;
        let Some(text) = arrays.notes.remove(SHAPE) else {
            return Err(Error::data("weights are safetensors, but not of a contrastive aligner"));
        };
        let shape: Shape = serde_json::from_str(&text)
            .map_err(|error| Error::data(format!("weights do not say their shape: {error}")))?;
        let scale = match &shape.profile {
            Some(profile) => Some(Scale::take(&mut arrays, profile.network.inputs)?),
            None => None,
        };
        let this = Self { shape, scale, weights: Arc::new(arrays.clone()) };
        Parameters::take(&this.shape.slots(), &mut arrays, &Device::flex())?;
        match arrays.arrays.keys().next() {
            None => Ok(this),
            Some(name) => Err(Error::data(format!("weights have a tensor `{name}` that is unknown"))),
        }
    }

    fn parameters(&self, device: &Device) -> Result<Parameters> {
        Parameters::take(&self.shape.slots(), &mut (*self.weights).clone(), device)
    }

    /// Vectors of molecules, `f32[n, d]`.
    pub(crate) fn encode(&self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let device = molarena_nn::device(call.device)?;
        let mut parameters = self.parameters(&device)?;
        match Molecules::new(molecules, &self.shape.molecule)? {
            Molecules::Graphs(graphs) => graphs.encode(self.shape.width(), call, |batch| {
                let MoleculeShape::Graphs(network) = &self.shape.molecule else { unreachable!("as above") };
                network.forward(&mut Pass::evaluate(&mut parameters), batch)
            }),
            Molecules::Bits(bits) => in_blocks(bits.rows, self.shape.width(), call, |rows| {
                let batch = MoleculeBatch::Bits(dense(&bits, rows, HEIGHT, &device));
                self.shape.vectors(&mut Pass::evaluate(&mut parameters), &batch)
            }),
        }
    }

    /// Places of molecules in the shared space from their vectors, `f32[n, d]`.
    pub(crate) fn places(&self, vectors: &Dense<'_>, call: &Call<'_>) -> Result<Matrix> {
        if vectors.columns != self.shape.width() {
            return Err(Error::invalid_argument(format!(
                "z has {} columns, the encoder makes {}",
                vectors.columns,
                self.shape.width()
            )));
        }
        let device = molarena_nn::device(call.device)?;
        let mut parameters = self.parameters(&device)?;
        let width = self.shared_width();
        in_blocks(vectors.rows, width, call, |rows| {
            let block = padded(vectors.values, vectors.columns, rows, &device);
            self.shape.place(&mut Pass::evaluate(&mut parameters), block)
        })
    }

    /// Places of profiles in the shared space, `f32[n, d]`.
    ///
    /// # Errors
    /// The network was not trained.
    pub(crate) fn places_of_profiles(&self, profiles: &Dense<'_>, call: &Call<'_>) -> Result<Matrix> {
        let scale = self.scale.as_ref().ok_or_else(untrained)?;
        if profiles.columns != scale.columns() {
            return Err(Error::invalid_argument(format!(
                "candidates have {} columns, the profiles that were aligned have {}",
                profiles.columns,
                scale.columns()
            )));
        }
        let device = molarena_nn::device(call.device)?;
        let mut parameters = self.parameters(&device)?;
        let values = scale.apply(profiles.values);
        in_blocks(profiles.rows, self.shared_width(), call, |rows| {
            let block = padded(&values, profiles.columns, rows, &device);
            self.shape.place_profile(&mut Pass::evaluate(&mut parameters), block)
        })
    }

    fn shared_width(&self) -> usize {
        self.shape.head.as_ref().map_or(self.shape.width(), |head| head.outputs)
    }
}

pub(crate) fn untrained() -> Error {
    Error::invalid_argument("the networks are not trained: name a `corpus` in the method's encoder")
}

/// Rows of `values` with zeros below up to the height of a block.
fn padded(values: &[f32], columns: usize, rows: &[usize], device: &Device) -> Tensor<2> {
    let mut block = Vec::with_capacity(HEIGHT * columns);
    block.extend(rows.iter().flat_map(|row| &values[row * columns..(row + 1) * columns]));
    block.resize(HEIGHT * columns, 0.0);
    Tensor::from_data(TensorData::new(block, [HEIGHT, columns]), device)
}

/// Runs `forward` on blocks of row numbers; of its outputs only the first rows count.
fn in_blocks(
    rows: usize,
    width: usize,
    call: &Call<'_>,
    mut forward: impl FnMut(&[usize]) -> Tensor<2>,
) -> Result<Matrix> {
    let all: Vec<usize> = (0..rows).collect();
    let mut values = Vec::with_capacity(rows * width);
    for block in all.chunks(HEIGHT) {
        call.check()?;
        let output: Vec<f32> = forward(block).into_data().try_into_vec().expect("vectors are f32");
        values.extend(&output[..block.len() * width]);
    }
    Matrix::new(rows, width, values)
}
