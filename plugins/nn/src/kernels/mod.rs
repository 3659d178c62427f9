//! Network steps that read and write memory once, where a chain of tensor operations would do so many times; each has
//! its own backward pass. They run on the processor; on other devices the same step is composed of tensor operations.
//!
//! Sums over rows are computed in chunks of fixed height that are added in order, so results do not depend on the
//! number of threads.

mod edges;
mod norm;
mod segments;
mod sparse;

use std::sync::OnceLock;

use burn::{
    backend::{
        Backend, Flex,
        autodiff::{NodeId, grads::Gradients},
        flex::FlexDevice,
        ops::FloatTensorOps,
        tensor::FloatTensor,
    },
    tensor::{Device, Tensor, TensorData},
};

pub use edges::{Neighbours, edge_sum};
pub(crate) use norm::EPSILON;
pub use norm::{BatchNorm, Dropout, Moments, batch_norm};
pub use segments::{Segments, add_to_segments, segment_max, segment_mean, segment_sum};
pub use sparse::{SparseRows, sparse_product};

/// Number of rows in a chunk.
const CHUNK: usize = 512;

/// Whether the kernels run on this tensor's device.
fn is_on_processor<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.device().inner() == Device::flex()
}

/// A contiguous tensor on the processor.
#[derive(Clone, Debug)]
struct Rows(FloatTensor<Flex>);

impl Rows {
    fn new(tensor: &FloatTensor<Flex>) -> Self {
        Self(tensor.to_contiguous())
    }

    /// Numbers of rows and columns.
    fn shape(&self) -> [usize; 2] {
        let shape = self.0.layout().shape();
        [shape[0], shape[1]]
    }

    fn values(&self) -> &[f32] {
        let start = self.0.layout().start_offset();
        &self.0.storage::<f32>()[start..start + self.0.layout().num_elements()]
    }
}

/// A processor tensor `f32[rows, columns]`.
fn tensor(values: Vec<f32>, shape: [usize; 2]) -> FloatTensor<Flex> {
    Flex::float_from_data(TensorData::new(values, shape), &FlexDevice)
}

/// A value on a device that the layers of a network share. It is a cache, so it takes no part in comparing its owner.
#[derive(Clone, Debug)]
struct There<T>(OnceLock<(Device, T)>);

impl<T> Default for There<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> PartialEq for There<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T: Clone> There<T> {
    /// The cached value, or the result of `bring`, which is then cached.
    fn on(&self, device: &Device, bring: impl Fn() -> T) -> T {
        let (place, value) = self.0.get_or_init(|| (device.clone(), bring()));
        let same = place == device && place.is_autodiff() == device.is_autodiff();
        if same { value.clone() } else { bring() }
    }
}

/// Adds to the gradient of a parent, if it has one.
fn register<B: Backend>(gradients: &mut Gradients, parent: Option<NodeId>, gradient: FloatTensor<B>) {
    if let Some(node) = parent {
        gradients.register::<B>(node, gradient);
    }
}

/// Adds `other` to `sums`, element by element.
fn add_into(sums: &mut [f32], other: &[f32]) {
    sums.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
}

#[cfg(test)]
mod testing {
    use burn::tensor::{Device, Tensor, TensorData};

    use crate::Random;

    /// Numbers in [-1, 1).
    pub(super) fn random(rows: usize, columns: usize, stream: u64) -> TensorData {
        TensorData::new(Random::of(7, stream, 0).uniform(rows * columns, 1.0), [rows, columns])
    }

    /// Pairs of devices on which a step, with its gradients, must give the same result.
    pub(super) fn pairs() -> Vec<[Device; 2]> {
        let devices: Vec<Device> = crate::device::all().into_iter().map(Device::autodiff).collect();
        devices.iter().flat_map(|one| devices.iter().map(|two| [one.clone(), two.clone()])).collect()
    }

    /// Numbers in [-1, 1) that require a gradient.
    pub(super) fn tracked(rows: usize, columns: usize, stream: u64, device: &Device) -> Tensor<2> {
        Tensor::from_data(random(rows, columns, stream), device).require_grad()
    }
}
