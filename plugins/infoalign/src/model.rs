//! The trained network: encoder, Gaussian and decoders.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, activation::sigmoid};
use molarena_nn::{
    Arrays, Decoder, Gaussian, Parameters, Pass, Random, Slots,
    gnn::{GraphBatch, GraphNetwork, MoleculeGraphs},
    supervised::GraphEncoder,
};
use molarena_sdk::{Call, Error, Inputs, Matrix, Result};
use serde::{Deserialize, Serialize};

use crate::config::{Modality, Params};

/// A feature space with a decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Space {
    /// Name, as in the context graph; `molecule` for fingerprints.
    pub name: String,
    /// The kind of node that has these features.
    pub modality: Modality,
    /// Number of columns.
    pub columns: usize,
}

/// Shape of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// The graph network.
    pub network: GraphNetwork,
    /// Number of hidden units of a decoder per dimension of the representation.
    pub decoder_times: usize,
    /// The decoded spaces, one decoder each.
    pub spaces: Vec<Space>,
}

impl Shape {
    /// All parameters.
    pub fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        self.network.slots(&mut slots);
        Gaussian::slots(&mut slots, self.network.width);
        for number in 0..self.spaces.len() {
            self.decoder(number).slots(&mut slots);
        }
        slots
    }

    /// The decoder of a space.
    pub fn decoder(&self, number: usize) -> Decoder {
        Decoder {
            name: format!("decoder_list.{number}"),
            inputs: self.network.width,
            hidden: self.decoder_times * self.network.width,
            outputs: self.spaces[number].columns,
        }
    }

    /// The Gaussians of molecules.
    pub fn encode(&self, pass: &mut Pass<'_>, batch: &GraphBatch) -> Gaussian {
        let vectors = self.network.forward(pass, batch);
        Gaussian::of(pass, vectors)
    }
}

/// The part of a network that makes vectors of molecules: the graph network, and the means of the Gaussian.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Means(GraphNetwork);

impl Means {
    /// That of a network without weights.
    pub(crate) fn of(params: &Params) -> Self {
        Self(params.network())
    }
}

impl GraphEncoder for Means {
    fn width(&self) -> usize {
        self.0.width
    }

    fn layers(&self) -> usize {
        self.0.layers
    }

    fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        self.0.slots(&mut slots);
        Gaussian::slots(&mut slots, self.0.width);
        slots
    }

    fn forward(&self, pass: &mut Pass<'_>, batch: &GraphBatch) -> Tensor<2> {
        let vectors = self.0.forward(pass, batch);
        Gaussian::of(pass, vectors).mu
    }

    fn with_dropout(self, dropout: f64) -> Self {
        Self(GraphNetwork { dropout, ..self.0 })
    }
}

/// A network and its weights.
#[derive(Clone, Debug)]
pub struct Model {
    /// Shape of the network.
    pub shape: Shape,
    /// Weights, under the names of the reference implementation.
    pub weights: Arc<Arrays>,
}

/// Key of the shape in the notes of a safetensors file.
const SHAPE: &str = "infoalign";

/// Decoders of the released checkpoint, in its order (section 5 of the paper and the published data).
const PUBLISHED: [(&str, Modality); 6] = [
    ("molecule", Modality::Molecule),
    ("gene-crispr", Modality::Gene),
    ("gene-orf", Modality::Gene),
    ("morphology-bray", Modality::Morphology),
    ("morphology-jump", Modality::Morphology),
    ("expression", Modality::Expression),
];

/// Parts of the reference network that do not affect its output.
const UNUSED: &str = "graph_encoder.bond_encoder.";

impl Model {
    /// A network with random weights and without decoders.
    pub(crate) fn random(params: &Params, seed: u64) -> Self {
        let shape =
            Shape { network: params.network(), decoder_times: params.decoder_times, spaces: Vec::new() };
        let weights = shape.slots().random(&mut Random::of(seed, 0, 0));
        Self { shape, weights: Arc::new(weights) }
    }

    /// The network as safetensors.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut arrays = (*self.weights).clone();
        let shape = serde_json::to_string(&self.shape).expect("plain data");
        arrays.notes.insert(SHAPE.to_owned(), shape);
        arrays.to_safetensors()
    }

    /// Reads the bytes of [`to_bytes`](Self::to_bytes), or a `PyTorch` checkpoint of the reference implementation whose
    /// shape `params` gives. The error for a missing, misshapen or unknown tensor names it.
    pub(crate) fn from_bytes(bytes: &[u8], params: Option<&Params>) -> Result<Self> {
        let (mut arrays, shape) = if bytes.starts_with(b"PK") {
            let arrays = Arrays::from_pytorch_bytes(bytes)?;
            let params = params.ok_or_else(|| {
                Error::unsupported(
                    "a PyTorch checkpoint is loaded by the encoder, whose configuration gives its shape",
                )
            })?;
            let shape = published_shape(&arrays, params)?;
            (arrays, shape)
        } else {
            let mut arrays = Arrays::from_safetensors(bytes)?;
            let Some(text) = arrays.notes.remove(SHAPE) else {
                return Err(Error::data("weights are safetensors, but not of an InfoAlign network"));
            };
            let shape = serde_json::from_str(&text)
                .map_err(|error| Error::data(format!("weights do not say their shape: {error}")))?;
            (arrays, shape)
        };
        arrays.arrays.retain(|name, _| !name.starts_with(UNUSED));
        let this = Self { shape, weights: Arc::new(arrays.clone()) };
        this.parameters_of(&mut arrays, &Device::flex())?;
        match arrays.arrays.keys().next() {
            None => Ok(this),
            Some(name) => Err(Error::data(format!("weights have a tensor `{name}` that is unknown"))),
        }
    }

    fn parameters_of(&self, arrays: &mut Arrays, device: &Device) -> Result<Parameters> {
        Parameters::take(&self.shape.slots(), arrays, device)
    }

    /// The weights on a device.
    pub fn parameters(&self, device: &Device) -> Result<Parameters> {
        self.parameters_of(&mut (*self.weights).clone(), device)
    }

    /// The means mu of molecules, `f32[n, d]`.
    pub fn encode(&self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let graphs = molecules.graphs.ok_or_else(|| Error::invalid_argument("the encoder needs `graphs`"))?;
        let graphs = MoleculeGraphs::new(graphs)?;
        let device = molarena_nn::device(call.device)?;
        let mut parameters = self.parameters(&device)?;
        graphs.encode(self.shape.network.width, call, |batch| {
            self.shape.encode(&mut Pass::evaluate(&mut parameters), batch).mu
        })
    }

    /// The part that makes vectors.
    pub(crate) fn means(&self) -> Means {
        Means(self.shape.network.clone())
    }

    /// Index of the space called `name`; the error names the available spaces.
    pub fn space(&self, name: &str) -> Result<usize> {
        self.shape.spaces.iter().position(|space| space.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.shape.spaces.iter().map(|space| space.name.as_str()).collect();
            Error::invalid_argument(format!("space `{name}` has no decoder; there are: {}", known.join(", ")))
        })
    }

    /// Decodes vectors to profiles in [0, 1], `f32[n, columns]`.
    pub fn decode(&self, vectors: Tensor<2>, space: usize) -> Result<Tensor<2>> {
        let mut parameters = self.parameters(&vectors.device())?;
        let mut pass = Pass::evaluate(&mut parameters);
        let decoder = self.shape.decoder(space);
        let hidden = decoder.hidden(&mut pass, vectors);
        Ok(sigmoid(decoder.logits(&pass, hidden)))
    }
}

fn published_shape(arrays: &Arrays, params: &Params) -> Result<Shape> {
    let mut spaces = Vec::new();
    for (number, (name, modality)) in PUBLISHED.into_iter().enumerate() {
        let tensor = format!("decoder_list.{number}.fc2.bias");
        let Some(array) = arrays.arrays.get(&tensor) else {
            return Err(Error::data(format!(
                "weights have no tensor `{tensor}`: a released checkpoint has six decoders ({name}, ...)"
            )));
        };
        spaces.push(Space { name: name.to_owned(), modality, columns: array.values().len() });
    }
    Ok(Shape { network: params.network(), decoder_times: params.decoder_times, spaces })
}
