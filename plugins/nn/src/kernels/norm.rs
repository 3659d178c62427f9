//! Batch norm with the steps that follow it in a block: rectifier, dropout, residual.

#[cfg(feature = "libtorch")]
mod libtorch;

use std::sync::{Arc, OnceLock};

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Tensor, TensorData, activation::relu},
};
use rayon::prelude::*;

use super::{CHUNK, Rows, add_into, is_on_processor, register, tensor};

/// Added to a variance, as in `PyTorch`.
pub(crate) const EPSILON: f32 = 1e-5;

/// Dropout in training (Srivastava et al. 2014).
///
/// A hash of a value's position and of the seeds decides whether the value is dropped, so the backward pass need not
/// store it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    seeds: [u32; 2],
    /// Values with a hash below this are dropped.
    bound: u32,
    /// Factor of the values that are kept.
    keep: f32,
}

impl Dropout {
    /// Drops values with this probability, below 1.
    pub fn new(probability: f64, seeds: [u32; 2]) -> Self {
        Self { seeds, bound: (probability * 2f64.powi(32)) as u32, keep: (1.0 / (1.0 - probability)) as f32 }
    }

    /// Factor of the value at position `place`: 0 or 1 / (1 - probability).
    ///
    /// The hash is a 32-bit multiply-and-shift finaliser (Wellons 2018, "lowbias32").
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the innermost loop")]
    fn factor(self, place: u32) -> f32 {
        let mut hash = place ^ self.seeds[0];
        hash = (hash ^ hash >> 16).wrapping_mul(0x7feb_352d);
        hash = (hash ^ hash >> 15 ^ self.seeds[1]).wrapping_mul(0x846c_a68b);
        hash ^= hash >> 16;
        if hash < self.bound { 0.0 } else { self.keep }
    }

    /// The factors of the first `count` positions.
    pub fn factors(self, count: usize) -> Vec<f32> {
        let mut factors = vec![0.0; count];
        factors.par_chunks_mut(1 << 14).enumerate().for_each(|(chunk, factors)| {
            pulp::Arch::new().dispatch(|| {
                for (factor, place) in factors.iter_mut().zip((chunk << 14) as u32..) {
                    *factor = self.factor(place);
                }
            });
        });
        factors
    }
}

/// Mean and variance (divided by the number of rows) of each column.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Means.
    pub mean: Vec<f32>,
    /// Variances.
    pub variance: Vec<f32>,
}

impl Moments {
    /// Computes both in one pass, from sums of the differences to the first row, in chunks.
    fn of(rows: &[f32], width: usize) -> Self {
        let count = (rows.len() / width).max(1) as f64;
        let first = &rows[..width.min(rows.len())];
        let sums: Vec<[Vec<f32>; 2]> = rows
            .par_chunks(CHUNK * width)
            .map(|chunk| pulp::Arch::new().dispatch(|| sums(chunk, first)))
            .collect();
        let total = |which: usize, column: usize| {
            sums.iter().map(|chunk| f64::from(chunk[which][column])).sum::<f64>() / count
        };
        let means: Vec<f64> = (0..width).map(|column| total(0, column)).collect();
        let variance = |column: usize| (total(1, column) - means[column].powi(2)).max(0.0) as f32;
        Self {
            mean: first.iter().zip(&means).map(|(first, mean)| (f64::from(*first) + mean) as f32).collect(),
            variance: (0..width).map(variance).collect(),
        }
    }
}

/// Sums of each column's differences to `first`, and of their squares.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the instructions of the machine are chosen outside")]
fn sums(rows: &[f32], first: &[f32]) -> [Vec<f32>; 2] {
    let width = first.len();
    let [mut sums, mut squares] = [vec![0.0; width], vec![0.0; width]];
    for row in rows.chunks_exact(width) {
        for ((value, first), (sum, square)) in row.iter().zip(first).zip(sums.iter_mut().zip(&mut squares)) {
            let difference = value - first;
            *sum += difference;
            *square += difference * difference;
        }
    }
    [sums, squares]
}

/// One application of a batch norm in training.
#[derive(Clone, Debug, Default)]
pub struct BatchNorm {
    /// Whether a rectifier follows.
    pub rectified: bool,
    /// Dropout after the rectifier, if any.
    pub dropout: Option<Dropout>,
    /// Mean and variance of the batch, set after a pass on the processor.
    pub moments: Arc<OnceLock<Moments>>,
    /// Mean and variance of the batch, `f32[1, d]` without gradients, set after a pass on another device. They stay
    /// there, so that nobody waits for the device.
    pub elsewhere: Arc<OnceLock<[Tensor<2>; 2]>>,
}

/// Batch norm with the batch's own mean and variance (Ioffe and Szegedy 2015), then rectifier and dropout as `norm`
/// says, then addition of `residual` if there is one. The input is `f32[n, d]`, gamma and beta are `f32[1, d]`.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn batch_norm(
    rows: Tensor<2>,
    [gamma, beta]: [Tensor<2>; 2],
    residual: Option<Tensor<2>>,
    norm: &BatchNorm,
) -> Tensor<2> {
    assert_eq!([1, rows.dims()[1]], gamma.dims(), "columns and factors");
    assert_eq!(gamma.dims(), beta.dims(), "factors and addends");
    #[cfg(feature = "libtorch")]
    if crate::device::is_libtorch(&rows.device()) {
        return libtorch::batch_norm(rows, [gamma, beta], residual, norm);
    }
    if !is_on_processor(&rows) {
        return composed(rows, [gamma, beta], residual, norm);
    }
    let [rows, gamma, beta] = [rows, gamma, beta].map(Tensor::into_dispatch);
    Tensor::from_dispatch(match residual {
        None => Dispatch::batch_norm(rows, gamma, beta, norm.clone()),
        Some(residual) => {
            Dispatch::batch_norm_residual(rows, gamma, beta, residual.into_dispatch(), norm.clone())
        }
    })
}

/// The step as tensor operations.
fn composed(
    rows: Tensor<2>,
    [gamma, beta]: [Tensor<2>; 2],
    residual: Option<Tensor<2>>,
    norm: &BatchNorm,
) -> Tensor<2> {
    let (device, shape) = (rows.device(), rows.dims());
    let mean = rows.clone().mean_dim(0);
    let centred = rows - mean.clone();
    let variance = centred.clone().powi_scalar(2).mean_dim(0);
    norm.elsewhere.get_or_init(|| [mean.detach(), variance.clone().detach()]);
    let mut output = centred / (variance + EPSILON).sqrt() * gamma + beta;
    if norm.rectified {
        output = relu(output);
    }
    if let Some(dropout) = norm.dropout {
        let factors = dropout.factors(shape[0] * shape[1]);
        output = output * Tensor::from_data(TensorData::new(factors, shape), &device);
    }
    match residual {
        Some(residual) => output + residual,
        None => output,
    }
}

/// The steps as operations of a backend.
#[backend_extension(Flex, Autodiff)]
trait BatchNormSteps: Backend {
    /// See [`batch_norm`].
    fn batch_norm(
        rows: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        norm: BatchNorm,
    ) -> FloatTensor<Self>;

    /// See [`batch_norm`].
    fn batch_norm_residual(
        rows: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        norm: BatchNorm,
    ) -> FloatTensor<Self>;
}

impl BatchNormSteps for Flex {
    fn batch_norm(
        rows: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        norm: BatchNorm,
    ) -> FloatTensor<Self> {
        State::new(&rows, &gamma, &beta, norm).forward(None)
    }

    fn batch_norm_residual(
        rows: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        norm: BatchNorm,
    ) -> FloatTensor<Self> {
        State::new(&rows, &gamma, &beta, norm).forward(Some(&Rows::new(&residual)))
    }
}

/// The values of the forward pass that the backward pass needs.
#[derive(Clone, Debug)]
struct State {
    rows: Rows,
    norm: BatchNorm,
    mean: Vec<f32>,
    /// 1 / sqrt(variance + epsilon)
    scale: Vec<f32>,
    /// gamma times `scale`
    factor: Vec<f32>,
    /// The output before the rectifier is value times `factor` plus this.
    addend: Vec<f32>,
}

impl State {
    fn new(
        rows: &FloatTensor<Flex>,
        gamma: &FloatTensor<Flex>,
        beta: &FloatTensor<Flex>,
        norm: BatchNorm,
    ) -> Self {
        let (rows, gamma, beta) = (Rows::new(rows), Rows::new(gamma), Rows::new(beta));
        let moments = norm.moments.get_or_init(|| Moments::of(rows.values(), gamma.values().len()));
        let mean = moments.mean.clone();
        let scale: Vec<f32> =
            moments.variance.iter().map(|variance| 1.0 / (variance + EPSILON).sqrt()).collect();
        let factor: Vec<f32> =
            gamma.values().iter().zip(&scale).map(|(gamma, scale)| gamma * scale).collect();
        let addend = beta.values().iter().zip(mean.iter().zip(&factor));
        let addend = addend.map(|(beta, (mean, factor))| beta - mean * factor).collect();
        Self { rows, norm, mean, scale, factor, addend }
    }

    fn forward(&self, residual: Option<&Rows>) -> FloatTensor<Flex> {
        let shape @ [rows, width] = self.rows.shape();
        let mut output = vec![0.0; rows * width];
        output.par_chunks_mut(CHUNK * width).enumerate().for_each(|(chunk, output)| {
            let first = chunk * CHUNK * width;
            let residual = residual.map(|rows| &rows.values()[first..first + output.len()]);
            pulp::Arch::new().dispatch(|| self.forward_chunk(first, residual, output));
        });
        tensor(output, shape)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the instructions of the machine are chosen outside")]
    fn forward_chunk(&self, first: usize, residual: Option<&[f32]>, output: &mut [f32]) {
        let width = self.factor.len();
        let input = &self.rows.values()[first..first + output.len()];
        let least = if self.norm.rectified { 0.0 } else { f32::NEG_INFINITY };
        let mut place = first as u32;
        for (row, output) in input.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
            let lines = self.factor.iter().zip(&self.addend);
            for ((output, value), (factor, addend)) in output.iter_mut().zip(row).zip(lines) {
                *output = (value * factor + addend).max(least);
            }
            if let Some(dropout) = self.norm.dropout {
                for (output, place) in output.iter_mut().zip(place..) {
                    *output *= dropout.factor(place);
                }
            }
            place = place.wrapping_add(width as u32);
        }
        if let Some(residual) = residual {
            add_into(output, residual);
        }
    }

    /// Gradients of the rows, of gamma and of beta.
    fn backward(&self, handed: &Rows) -> [FloatTensor<Flex>; 3] {
        let shape @ [count, width] = self.rows.shape();
        let chunks =
            self.rows.values().par_chunks(CHUNK * width).zip(handed.values().par_chunks(CHUNK * width));
        let sums: Vec<[Vec<f32>; 2]> = chunks
            .enumerate()
            .map(|(chunk, (rows, handed))| {
                pulp::Arch::new().dispatch(|| self.sum_chunk(chunk * CHUNK * width, rows, handed))
            })
            .collect();
        let [mut gamma, mut beta] = [vec![0.0; width], vec![0.0; width]];
        for [gamma_part, beta_part] in &sums {
            add_into(&mut gamma, gamma_part);
            add_into(&mut beta, beta_part);
        }
        let lines = self.lines(&gamma, &beta, count);
        let mut output = vec![0.0; count * width];
        output.par_chunks_mut(CHUNK * width).enumerate().for_each(|(chunk, output)| {
            let first = chunk * CHUNK * width;
            let handed = &handed.values()[first..first + output.len()];
            pulp::Arch::new().dispatch(|| self.backward_chunk(first, handed, &lines, output));
        });
        [tensor(output, shape), tensor(gamma, [1, width]), tensor(beta, [1, width])]
    }

    /// Writes into `reached` the part of a row's output gradient that reaches the normalised values: 0 where the
    /// rectifier or the dropout cuts it off. `place` is the position of the row's first value.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the instructions of the machine are chosen outside")]
    fn reach(&self, place: u32, row: &[f32], handed: &[f32], reached: &mut [f32]) {
        reached.copy_from_slice(handed);
        if self.norm.rectified {
            let lines = self.factor.iter().zip(&self.addend);
            for ((reached, value), (factor, addend)) in reached.iter_mut().zip(row).zip(lines) {
                *reached = if value * factor + addend > 0.0 { *reached } else { 0.0 };
            }
        }
        if let Some(dropout) = self.norm.dropout {
            for (reached, place) in reached.iter_mut().zip(place..) {
                *reached *= dropout.factor(place);
            }
        }
    }

    /// Sums over rows of the gradient that reaches the normalised values: multiplied by these values, and unchanged.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the instructions of the machine are chosen outside")]
    fn sum_chunk(&self, first: usize, rows: &[f32], handed: &[f32]) -> [Vec<f32>; 2] {
        let width = self.factor.len();
        let [mut gamma, mut beta] = [vec![0.0f32; width], vec![0.0f32; width]];
        let mut reached = vec![0.0; width];
        let mut place = first as u32;
        for (row, handed) in rows.chunks_exact(width).zip(handed.chunks_exact(width)) {
            self.reach(place, row, handed, &mut reached);
            let sums = gamma.iter_mut().zip(beta.iter_mut());
            for (((gamma, beta), reached), (value, mean)) in
                sums.zip(&reached).zip(row.iter().zip(&self.mean))
            {
                *gamma += reached * (value - mean);
                *beta += reached;
            }
            place = place.wrapping_add(width as u32);
        }
        gamma.iter_mut().zip(&self.scale).for_each(|(gamma, scale)| *gamma *= scale);
        [gamma, beta]
    }

    /// Gradients of the rows from `first` on: factor (reached - mean of reached - normalised (mean of reached times
    /// normalised)), computed as factor reached - slope value - offset.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the instructions of the machine are chosen outside")]
    fn backward_chunk(&self, first: usize, handed: &[f32], lines: &[Vec<f32>; 2], output: &mut [f32]) {
        let width = self.factor.len();
        let rows = self.rows.values()[first..].chunks_exact(width).zip(handed.chunks_exact(width));
        let [slopes, offsets] = lines;
        let mut place = first as u32;
        for ((row, handed), output) in rows.zip(output.chunks_exact_mut(width)) {
            self.reach(place, row, handed, output);
            let lines = self.factor.iter().zip(slopes.iter().zip(offsets));
            for ((output, value), (factor, (slope, offset))) in output.iter_mut().zip(row).zip(lines) {
                *output = factor * *output - slope * value - offset;
            }
            place = place.wrapping_add(width as u32);
        }
    }

    /// Slopes and offsets for [`backward_chunk`](Self::backward_chunk) from the gradients of gamma and beta.
    fn lines(&self, gamma: &[f32], beta: &[f32], count: usize) -> [Vec<f32>; 2] {
        let columns = 0..gamma.len();
        let share = |column: usize| f64::from(self.factor[column]) / count as f64;
        let slope = |column: usize| share(column) * f64::from(self.scale[column]) * f64::from(gamma[column]);
        let offset = |column: usize| {
            share(column) * f64::from(beta[column]) - slope(column) * f64::from(self.mean[column])
        };
        [
            columns.clone().map(|column| slope(column) as f32).collect(),
            columns.map(|column| offset(column) as f32).collect(),
        ]
    }
}

impl<C: CheckpointStrategy> BatchNormSteps for Autodiff<Flex, C> {
    fn batch_norm(
        rows: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        norm: BatchNorm,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Gradient;

        impl Backward<Flex, 3> for Gradient {
            type State = State;

            fn backward(self, ops: Ops<State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
                let handed = Rows::new(&gradients.consume::<Flex>(&ops.node));
                for (parent, gradient) in ops.parents.into_iter().zip(ops.state.backward(&handed)) {
                    register::<Flex>(gradients, parent.map(|node| node.id), gradient);
                }
            }
        }

        let nodes = [rows.node(), gamma.node(), beta.node()];
        let [rows, gamma, beta] = [rows, gamma, beta].map(<FloatTensor<Self>>::into_primitive);
        let state = State::new(&rows, &gamma, &beta, norm);
        let output = state.forward(None);
        match Gradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(operation) => operation.finish(state, output),
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }

    fn batch_norm_residual(
        rows: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        norm: BatchNorm,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Gradient;

        impl Backward<Flex, 4> for Gradient {
            type State = State;

            fn backward(self, ops: Ops<State, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
                let handed = gradients.consume::<Flex>(&ops.node);
                let [rows, gamma, beta, residual] = ops.parents.map(|parent| parent.map(|node| node.id));
                let own = ops.state.backward(&Rows::new(&handed));
                for (parent, gradient) in [rows, gamma, beta].into_iter().zip(own) {
                    register::<Flex>(gradients, parent, gradient);
                }
                register::<Flex>(gradients, residual, handed);
            }
        }

        let nodes = [rows.node(), gamma.node(), beta.node(), residual.node()];
        let [rows, gamma, beta, residual] =
            [rows, gamma, beta, residual].map(<FloatTensor<Self>>::into_primitive);
        let state = State::new(&rows, &gamma, &beta, norm);
        let output = state.forward(Some(&Rows::new(&residual)));
        match Gradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(operation) => operation.finish(state, output),
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }
}

#[cfg(test)]
mod tests;
