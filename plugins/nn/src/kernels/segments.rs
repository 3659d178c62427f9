//! Rows in consecutive segments: the atoms of each molecule of a batch.

use std::sync::Arc;

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind, unary},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData},
};
use rayon::prelude::*;

use super::{Rows, There, add_into, is_on_processor, register, tensor};

/// Consecutive segments of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Segments {
    /// Rows of segment s are `starts[s]..starts[s + 1]`.
    starts: Vec<usize>,
    owners: There<Tensor<1, Int>>,
}

impl Segments {
    /// Segments with these lengths.
    pub fn new(lengths: impl Iterator<Item = usize>) -> Self {
        let mut starts = vec![0];
        starts.extend(lengths.scan(0, |end, length| {
            *end += length;
            Some(*end)
        }));
        Self { starts, owners: There::default() }
    }

    /// Number of segments.
    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of rows in all segments together.
    pub fn rows(&self) -> usize {
        self.starts[self.count()]
    }

    /// Number of rows of each segment.
    pub fn lengths(&self) -> impl Iterator<Item = usize> + '_ {
        self.starts.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// The segment of each row.
    fn owners(&self, device: &Device) -> Tensor<1, Int> {
        self.owners.on(device, || {
            let lengths = self.lengths().enumerate();
            let owners: Vec<i32> =
                lengths.flat_map(|(segment, length)| std::iter::repeat_n(segment as i32, length)).collect();
            Tensor::from_data(TensorData::new(owners, [self.rows()]), device)
        })
    }

    fn sum(&self, rows: &Rows) -> FloatTensor<Flex> {
        let [_, width] = rows.shape();
        let mut sums = vec![0.0; self.count() * width];
        sums.par_chunks_exact_mut(width).enumerate().with_min_len(8).for_each(|(segment, sums)| {
            let range = self.starts[segment] * width..self.starts[segment + 1] * width;
            rows.values()[range].chunks_exact(width).for_each(|row| add_into(sums, row));
        });
        tensor(sums, [self.count(), width])
    }

    /// Expands `values`: row s for each row of segment s, added to `rows` if they are given.
    fn spread(&self, values: &Rows, rows: Option<&Rows>) -> FloatTensor<Flex> {
        let [_, width] = values.shape();
        let mut spread = match rows {
            Some(rows) => rows.values().to_vec(),
            None => vec![0.0; self.rows() * width],
        };
        for (value, pair) in values.values().chunks_exact(width).zip(self.starts.windows(2)) {
            spread[pair[0] * width..pair[1] * width]
                .chunks_exact_mut(width)
                .for_each(|row| add_into(row, value));
        }
        tensor(spread, [self.rows(), width])
    }
}

/// The sum of each segment's rows: `f32[rows, d]` to `f32[segments, d]`; 0 for an empty segment.
///
/// # Panics
///
/// If the numbers of rows differ.
pub fn segment_sum(rows: Tensor<2>, segments: &Arc<Segments>) -> Tensor<2> {
    let [count, width] = rows.dims();
    assert_eq!(count, segments.rows(), "rows and segments");
    if is_on_processor(&rows) {
        return Tensor::from_dispatch(Dispatch::segment_sum(rows.into_dispatch(), Arc::clone(segments)));
    }
    let device = rows.device();
    Tensor::zeros([segments.count(), width], &device).select_assign(
        0,
        segments.owners(&device),
        rows,
        IndexingUpdateOp::Add,
    )
}

/// The mean of each segment's rows: `f32[rows, d]` to `f32[segments, d]`; 0 for an empty segment.
///
/// # Panics
///
/// If the numbers of rows differ.
pub fn segment_mean(rows: Tensor<2>, segments: &Arc<Segments>) -> Tensor<2> {
    let shares: Vec<f32> = segments.lengths().map(|length| 1.0 / length.max(1) as f32).collect();
    let shape = [shares.len(), 1];
    let shares = Tensor::from_data(TensorData::new(shares, shape), &rows.device());
    segment_sum(rows, segments) * shares
}

/// Adds row s of `values`, `f32[segments, d]`, to each row of segment s in `f32[rows, d]`.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn add_to_segments(rows: Tensor<2>, values: Tensor<2>, segments: &Arc<Segments>) -> Tensor<2> {
    assert_eq!(rows.dims()[0], segments.rows(), "rows and segments");
    assert_eq!(values.dims()[0], segments.count(), "values and segments");
    if is_on_processor(&rows) {
        let (rows, values) = (rows.into_dispatch(), values.into_dispatch());
        return Tensor::from_dispatch(Dispatch::add_to_segments(rows, values, Arc::clone(segments)));
    }
    let owners = segments.owners(&rows.device());
    rows + values.select(0, owners)
}

/// The largest value of each column in each segment: `f32[rows, d]` to `f32[segments, d]`; 0 for an empty segment. The
/// gradient goes to the first row that has the largest value.
///
/// # Panics
///
/// If the numbers of rows differ.
pub fn segment_max(rows: Tensor<2>, segments: &Segments) -> Tensor<2> {
    let [count, width] = rows.dims();
    assert_eq!(count, segments.rows(), "rows and segments");
    let device = rows.device();
    let values: Vec<f32> = rows.clone().into_data().try_into_vec().expect("rows are f32");
    let mut places = Vec::with_capacity(segments.count() * width);
    let mut present = Vec::with_capacity(segments.count() * width);
    for pair in segments.starts.windows(2) {
        for column in 0..width {
            let value = |row: usize| values[row * width + column];
            let best =
                (pair[0]..pair[1]).reduce(|best, row| if value(row) > value(best) { row } else { best });
            places.push((best.unwrap_or(0) * width + column) as i32);
            present.push(f32::from(u8::from(best.is_some())));
        }
    }
    let shape = [segments.count(), width];
    if count == 0 {
        return Tensor::zeros(shape, &device);
    }
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [shape[0] * width]), &device);
    let present = Tensor::<2>::from_data(TensorData::new(present, shape), &device);
    rows.reshape([count * width]).select(0, places).reshape(shape) * present
}

/// The steps as operations of a backend.
#[backend_extension(Flex, Autodiff)]
trait SegmentSteps: Backend {
    /// See [`segment_sum`].
    fn segment_sum(rows: FloatTensor<Self>, segments: Arc<Segments>) -> FloatTensor<Self>;

    /// See [`add_to_segments`].
    fn add_to_segments(
        rows: FloatTensor<Self>,
        values: FloatTensor<Self>,
        segments: Arc<Segments>,
    ) -> FloatTensor<Self>;
}

impl SegmentSteps for Flex {
    fn segment_sum(rows: FloatTensor<Self>, segments: Arc<Segments>) -> FloatTensor<Self> {
        segments.sum(&Rows::new(&rows))
    }

    fn add_to_segments(
        rows: FloatTensor<Self>,
        values: FloatTensor<Self>,
        segments: Arc<Segments>,
    ) -> FloatTensor<Self> {
        segments.spread(&Rows::new(&values), Some(&Rows::new(&rows)))
    }
}

impl<C: CheckpointStrategy> SegmentSteps for Autodiff<Flex, C> {
    fn segment_sum(rows: FloatTensor<Self>, segments: Arc<Segments>) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Gradient;

        impl Backward<Flex, 1> for Gradient {
            type State = Arc<Segments>;

            fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
                let segments = ops.state;
                unary::<Flex, _>(ops.parents, ops.node, gradients, |gradient| {
                    segments.spread(&Rows::new(&gradient), None)
                });
            }
        }

        let node = rows.node();
        let output = Flex::segment_sum(rows.into_primitive(), Arc::clone(&segments));
        match Gradient.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(operation) => operation.finish(segments, output),
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }

    fn add_to_segments(
        rows: FloatTensor<Self>,
        values: FloatTensor<Self>,
        segments: Arc<Segments>,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Gradient;

        impl Backward<Flex, 2> for Gradient {
            type State = Arc<Segments>;

            fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
                let handed = gradients.consume::<Flex>(&ops.node);
                let [rows, values] = ops.parents.map(|parent| parent.map(|node| node.id));
                if values.is_some() {
                    register::<Flex>(gradients, values, ops.state.sum(&Rows::new(&handed)));
                }
                register::<Flex>(gradients, rows, handed);
            }
        }

        let nodes = [rows.node(), values.node()];
        let output =
            Flex::add_to_segments(rows.into_primitive(), values.into_primitive(), Arc::clone(&segments));
        match Gradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(operation) => operation.finish(segments, output),
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;

    use super::*;
    use crate::kernels::testing::{pairs, random, tracked};

    fn close(one: Tensor<2>, two: Tensor<2>) {
        one.into_data().assert_approx_eq(&two.into_data(), Tolerance::<f32>::absolute(1e-6));
    }

    #[test]
    fn segments_are_summed_and_spread() {
        let segments = Arc::new(Segments::new([2, 0, 1].into_iter()));
        assert_eq!((segments.count(), segments.rows()), (3, 3));
        for device in crate::device::all() {
            let rows = Tensor::<2>::from_data([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &device);
            close(
                segment_sum(rows.clone(), &segments),
                Tensor::from_data([[4.0, 6.0], [0.0, 0.0], [5.0, 6.0]], &device),
            );
            close(
                segment_max(rows.clone() * -1.0, &segments),
                Tensor::from_data([[-1.0, -2.0], [0.0, 0.0], [-5.0, -6.0]], &device),
            );
            let values = Tensor::<2>::from_data([[10.0, 0.0], [99.0, 99.0], [0.0, 20.0]], &device);
            close(
                add_to_segments(rows, values, &segments),
                Tensor::from_data([[11.0, 2.0], [13.0, 4.0], [5.0, 26.0]], &device),
            );
        }
    }

    #[test]
    fn gradients_are_those_of_the_tensor_operations() {
        let segments = Arc::new(Segments::new([3, 1, 0, 2].into_iter()));
        for [here, there] in pairs() {
            let weights = |device| Tensor::<2>::from_data(random(6, 4, 9), device);
            let (one, other) = (tracked(6, 4, 1, &here), tracked(4, 4, 2, &here));
            let (two, another) = (tracked(6, 4, 1, &there), tracked(4, 4, 2, &there));
            let fused = add_to_segments(one.clone(), other.clone(), &segments) * weights(&here);
            let fused = segment_sum(fused, &segments).powi_scalar(2).sum().backward();
            let owners = segments.owners(&there);
            let plain = (two.clone() + another.clone().select(0, owners.clone())) * weights(&there);
            let plain = Tensor::zeros([4, 4], &there).select_assign(0, owners, plain, IndexingUpdateOp::Add);
            let plain = plain.powi_scalar(2).sum().backward();
            close(one.grad(&fused).unwrap(), two.grad(&plain).unwrap());
            close(other.grad(&fused).unwrap(), another.grad(&plain).unwrap());
        }
    }

    #[test]
    fn the_gradient_of_a_largest_value_goes_to_its_row() {
        for device in crate::device::all() {
            let tracking = device.clone().autodiff();
            let rows = Tensor::<2>::from_data([[1.0, 7.0], [3.0, 4.0], [5.0, 6.0]], &tracking).require_grad();
            let segments = Segments::new([2, 1].into_iter());
            let gradients = segment_max(rows.clone(), &segments).powi_scalar(2).sum().backward();
            let expected = Tensor::from_data([[0.0, 14.0], [6.0, 0.0], [10.0, 12.0]], &device);
            close(rows.grad(&gradients).unwrap(), expected);
        }
    }
}
