//! The network.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, pickle::Object};
use candle_nn::{
    LSTMConfig, Module, RNN, VarBuilder,
    conv::{Conv1d, Conv1dConfig},
    rnn::LSTM,
};

use super::symbols::{COUNT, LENGTH};
use crate::torch_file::TorchFile;

/// Convolutions: channels, width and step.
const CHANNELS: usize = 32;
const KERNEL: usize = 4;
const STRIDE: usize = 2;
/// Widths of the two LSTM layers.
const HIDDEN: [usize; 2] = [128, 512];

/// Width of a vector.
pub(super) const WIDTH: usize = HIDDEN[1];

/// Molecules in a pass. It is fixed, because products of another height may sum in another order, and a molecule's vector must not
/// depend on the other molecules.
pub(super) const ROWS: usize = 32;

/// In single precision, 88 steps of candle's products differ from the reference's by 4e-5.
const DTYPE: DType = DType::F64;

/// The layers of the file, in its order.
const LAYERS: [&str; 4] = ["Conv1d", "Conv1d", "LSTM", "LSTM"];

/// `ChemNet`'s layers.
#[derive(Debug)]
pub(super) struct Network {
    convolutions: [Conv1d; 2],
    recurrent: [LSTM; 2],
}

impl Network {
    /// The network of a file; the error says what is wrong with it.
    pub(super) fn read(bytes: &[u8]) -> std::result::Result<Self, String> {
        let file = TorchFile::read(bytes)?;
        let Object::List(layers) = &file.root else { return Err("it holds no list of layers".into()) };
        let mut found = Vec::new();
        let mut tensors = HashMap::new();
        for (number, layer) in layers.iter().enumerate() {
            let Object::Tuple(layer) = layer else { return Err(format!("its layer {number} is none")) };
            let [Object::Unicode(kind), Object::Tuple(parts)] = layer.as_slice() else {
                return Err(format!("its layer {number} is none"));
            };
            found.push(kind.as_str());
            let state = parts.first().ok_or_else(|| format!("its layer {number} has no tensors"))?;
            for (name, tensor) in file.state(state)? {
                tensors.insert(format!("{number}.{name}"), tensor);
            }
        }
        if found != LAYERS {
            return Err(format!("its layers are {}, must be {}", found.join(", "), LAYERS.join(", ")));
        }
        Self::new(&VarBuilder::from_tensors(tensors, DTYPE, &Device::Cpu)).map_err(|error| error.to_string())
    }

    /// A network with random weights, each uniform within the inverse root of the number of its inputs as in `PyTorch`.
    pub(super) fn random(mut uniform: impl FnMut(usize, f64) -> Vec<f32>) -> Result<Self> {
        let mut tensors = HashMap::new();
        let mut add = |name: String, shape: &[usize], inputs: usize| -> Result<()> {
            let values = uniform(shape.iter().product(), 1.0 / (inputs as f64).sqrt());
            tensors.insert(name, Tensor::from_vec(values, shape, &Device::Cpu)?);
            Ok(())
        };
        for (layer, inputs) in [COUNT, CHANNELS].into_iter().enumerate() {
            add(format!("{layer}.weight"), &[CHANNELS, inputs, KERNEL], inputs * KERNEL)?;
        }
        for (layer, (inputs, hidden)) in
            [(CHANNELS, HIDDEN[0]), (HIDDEN[0], HIDDEN[1])].into_iter().enumerate()
        {
            let layer = layer + 2;
            add(format!("{layer}.weight_ih_l0"), &[4 * hidden, inputs], hidden)?;
            add(format!("{layer}.weight_hh_l0"), &[4 * hidden, hidden], hidden)?;
            add(format!("{layer}.bias_ih_l0"), &[4 * hidden], hidden)?;
            add(format!("{layer}.bias_hh_l0"), &[4 * hidden], hidden)?;
        }
        Self::new(&VarBuilder::from_tensors(tensors, DTYPE, &Device::Cpu))
    }

    fn new(tensors: &VarBuilder<'_>) -> Result<Self> {
        let convolution = |layer: &str, inputs: usize| -> Result<Conv1d> {
            let weight = tensors.get((CHANNELS, inputs, KERNEL), &format!("{layer}.weight"))?;
            Ok(Conv1d::new(weight, None, Conv1dConfig { stride: STRIDE, ..Conv1dConfig::default() }))
        };
        let recurrent =
            |layer: &str, inputs, hidden| LSTM::new(inputs, hidden, LSTMConfig::default(), tensors.pp(layer));
        Ok(Self {
            convolutions: [convolution("0", COUNT)?, convolution("1", CHANNELS)?],
            recurrent: [recurrent("2", CHANNELS, HIDDEN[0])?, recurrent("3", HIDDEN[0], HIDDEN[1])?],
        })
    }

    /// Vectors of some molecules, at most [`ROWS`], by their symbols: row by row, each of width [`WIDTH`].
    pub(super) fn forward(&self, molecules: &[Vec<usize>]) -> Result<Vec<f32>> {
        // As in the reference, a symbol is one share of all of them, not 1.
        let mut values = vec![0.0f64; ROWS * COUNT * LENGTH];
        for (row, symbols) in molecules.iter().enumerate() {
            for (place, symbol) in symbols.iter().enumerate() {
                values[(row * COUNT + symbol) * LENGTH + place] = 1.0 / COUNT as f64;
            }
        }
        let mut rows = Tensor::from_vec(values, (ROWS, COUNT, LENGTH), &Device::Cpu)?;
        for convolution in &self.convolutions {
            let [before, after] = padding(rows.dim(2)?);
            rows = selu(&convolution.forward(&rows.pad_with_zeros(2, before, after)?)?)?;
        }
        // Both layers turn the sequence round: the first reads from its end on, the second from its start.
        let backwards = rows.transpose(1, 2)?.contiguous()?.flip(&[1])?;
        let states = self.recurrent[0].seq(&backwards)?;
        let forwards: Vec<_> = states.iter().rev().map(|state| state.h().clone()).collect();
        let states = self.recurrent[1].seq(&Tensor::stack(&forwards, 1)?)?;
        let last = states.last().expect("a sequence is not empty").h();
        let mut values = last.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        values.truncate(molecules.len() * WIDTH);
        Ok(values)
    }
}

/// Zeros before and after a sequence of this length, as in the reference.
fn padding(length: usize) -> [usize; 2] {
    let last = if length.is_multiple_of(STRIDE) { STRIDE } else { length % STRIDE };
    let pad = KERNEL.saturating_sub(last);
    let half = pad / STRIDE;
    [half, if pad % STRIDE == 0 { half } else { pad - half }]
}

/// The scaled exponential linear unit (Klambauer et al. 2017).
fn selu(rows: &Tensor) -> Result<Tensor> {
    const ALPHA: f64 = 1.673_263_242_354_377_2;
    const SCALE: f64 = 1.050_700_987_355_480_5;
    rows.elu(ALPHA)? * SCALE
}
