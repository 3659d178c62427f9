//! Products of sparse rows with a dense matrix: the first layer of a network on fingerprints, in which about one value
//! in forty is not zero.

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
        ops::FloatTensorOps,
        tensor::FloatTensor,
    },
    tensor::{Tensor, TensorData},
};
use rayon::prelude::*;

use super::is_on_processor;

/// A matrix in compressed rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseRows {
    columns: usize,
    /// Entries of row r are `starts[r]..starts[r + 1]`.
    starts: Vec<usize>,
    /// Column of each entry, in increasing order within a row.
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl SparseRows {
    /// A matrix without rows.
    pub fn new(columns: usize) -> Self {
        Self { columns, starts: vec![0], ..Self::default() }
    }

    /// Appends a row of (column, value) in increasing order of the column.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (column, value) in row {
            debug_assert!((column as usize) < self.columns);
            self.indices.push(column);
            self.values.push(value);
        }
        self.starts.push(self.indices.len());
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of stored values.
    pub fn entries(&self) -> usize {
        self.indices.len()
    }

    /// The entries of a row: columns and values.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let entries = self.starts[row]..self.starts[row + 1];
        (&self.indices[entries.clone()], &self.values[entries])
    }

    /// The rows `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut selected = Self::new(self.columns);
        for &row in rows {
            let (indices, values) = self.row(row);
            selected.push(indices.iter().copied().zip(values.iter().copied()));
        }
        selected
    }

    /// `f32[rows, columns]`, row-major.
    fn dense(&self) -> Vec<f32> {
        let mut dense = vec![0.0; self.rows() * self.columns];
        for (row, values) in dense.chunks_exact_mut(self.columns).enumerate() {
            let (indices, entries) = self.row(row);
            indices.iter().zip(entries).for_each(|(&column, &value)| values[column as usize] = value);
        }
        dense
    }

    /// The matrix with rows and columns exchanged.
    fn transposed(&self) -> Self {
        let mut starts = vec![0; self.columns + 1];
        for &column in &self.indices {
            starts[column as usize + 1] += 1;
        }
        for column in 0..self.columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let (mut indices, mut values) = (vec![0; self.entries()], vec![0.0; self.entries()]);
        for row in 0..self.rows() {
            let (columns, row_values) = self.row(row);
            for (&column, &value) in columns.iter().zip(row_values) {
                let place = next[column as usize];
                next[column as usize] += 1;
                (indices[place], values[place]) = (row as u32, value);
            }
        }
        Self { columns: self.rows(), starts, indices, values }
    }

    /// This matrix times `dense`, `f32[columns, width]`, into `f32[rows, width]`. Each value is summed in the order of
    /// the columns, so it depends neither on the other rows nor on the number of threads.
    fn times(&self, dense: &[f32], width: usize) -> Vec<f32> {
        let mut product = vec![0.0; self.rows() * width];
        product.par_chunks_exact_mut(width).with_min_len(16).enumerate().for_each(|(row, sums)| {
            let (indices, values) = self.row(row);
            pulp::Arch::new().dispatch(|| add_rows(sums, indices, values, dense));
        });
        product
    }
}

/// Adds to `sums` each value times the row of `dense` given by its index. It processes four rows at a time, since
/// reading and writing the sums takes as long as reading a row.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the instructions of the machine are chosen outside")]
fn add_rows(sums: &mut [f32], indices: &[u32], values: &[f32], dense: &[f32]) {
    let width = sums.len();
    let row = |index: u32| &dense[index as usize * width..][..width];
    let (fours, rest) = indices.as_chunks::<4>();
    let (value_fours, value_rest) = values.as_chunks::<4>();
    for (index, value) in fours.iter().zip(value_fours) {
        let [a, b, c, d] = index.map(row);
        for (column, sum) in sums.iter_mut().enumerate() {
            *sum +=
                (value[0] * a[column] + value[1] * b[column]) + (value[2] * c[column] + value[3] * d[column]);
        }
    }
    for (&index, &value) in rest.iter().zip(value_rest) {
        sums.iter_mut().zip(row(index)).for_each(|(sum, &x)| *sum += value * x);
    }
}

/// The product of `sparse`, [n, d], and `weight`, `f32[d, width]`: `f32[n, width]`. The gradient goes to the weight.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn sparse_product(sparse: &Arc<SparseRows>, weight: Tensor<2>) -> Tensor<2> {
    assert_eq!(sparse.columns(), weight.dims()[0], "columns of the rows and rows of the weight");
    if is_on_processor(&weight) {
        return Tensor::from_dispatch(Dispatch::sparse_product(weight.into_dispatch(), Arc::clone(sparse)));
    }
    let shape = [sparse.rows(), sparse.columns()];
    Tensor::<2>::from_data(TensorData::new(sparse.dense(), shape), &weight.device()).matmul(weight)
}

/// The product as an operation of a backend.
#[backend_extension(Flex, Autodiff)]
trait SparseProduct: Backend {
    /// `sparse` times `weight`.
    fn sparse_product(weight: FloatTensor<Self>, sparse: Arc<SparseRows>) -> FloatTensor<Self>;
}

impl SparseProduct for Flex {
    fn sparse_product(weight: FloatTensor<Self>, sparse: Arc<SparseRows>) -> FloatTensor<Self> {
        product(&weight, &sparse)
    }
}

fn product(dense: &FloatTensor<Flex>, sparse: &SparseRows) -> FloatTensor<Flex> {
    let dense = dense.to_contiguous();
    let shape = dense.layout().shape();
    let (height, width) = (shape[0], shape[1]);
    let start = dense.layout().start_offset();
    let values = &dense.storage::<f32>()[start..start + height * width];
    let data = TensorData::new(sparse.times(values, width), [sparse.rows(), width]);
    Flex::float_from_data(data, &burn::backend::flex::FlexDevice)
}

impl<C: CheckpointStrategy> SparseProduct for Autodiff<Flex, C> {
    fn sparse_product(weight: FloatTensor<Self>, sparse: Arc<SparseRows>) -> FloatTensor<Self> {
        /// The gradient of the weight is the transposed rows times the gradient of the product.
        #[derive(Debug)]
        struct Gradient;

        impl Backward<Flex, 1> for Gradient {
            type State = Arc<SparseRows>;

            fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
                let transposed = ops.state.transposed();
                unary::<Flex, _>(ops.parents, ops.node, gradients, |gradient| {
                    product(&gradient, &transposed)
                });
            }
        }

        match Gradient.prepare::<C>([weight.node()]).compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let output = product(&weight.into_primitive(), &sparse);
                operation.finish(sparse, output)
            }
            OpsKind::UnTracked(operation) => operation.finish(product(&weight.into_primitive(), &sparse)),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    /// Five rows with up to six entries; one row is empty, and no row uses one of the columns.
    fn example() -> (Arc<SparseRows>, Vec<f32>) {
        let dense = vec![
            1.0, 0.0, -2.0, 0.0, 0.5, 0.0, 0.0, /**/ 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, /**/
            3.0, 1.0, 1.0, 1.0, -1.0, 0.0, 2.0, /**/ 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, /**/
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0,
        ];
        let mut sparse = SparseRows::new(7);
        for row in dense.chunks_exact(7) {
            sparse.push((0..).zip(row.iter().copied()).filter(|&(_, value)| value != 0.0));
        }
        (Arc::new(sparse), dense)
    }

    #[test]
    fn the_product_and_its_gradient_are_those_of_the_dense_rows() {
        let (sparse, dense) = example();
        assert_eq!((sparse.rows(), sparse.entries()), (5, 14));
        for device in crate::device::all() {
            let device = device.autodiff();
            same_as_dense(&sparse, TensorData::new(dense.clone(), [5, 7]), &device);
        }
    }

    fn same_as_dense(sparse: &Arc<SparseRows>, dense: TensorData, device: &Device) {
        let values: Vec<f32> = (0..21).map(|value| (value as f32 * 0.37).sin()).collect();
        let weight =
            || Tensor::<2>::from_data(TensorData::new(values.clone(), [7, 3]), device).require_grad();
        let (left, right) = (weight(), weight());
        let dense = Tensor::<2>::from_data(dense, device);
        let (one, two) = (sparse_product(sparse, left.clone()), dense.matmul(right.clone()));
        one.clone()
            .into_data()
            .assert_approx_eq(&two.clone().into_data(), burn::tensor::Tolerance::<f32>::absolute(1e-6));
        // A gradient with different values.
        let (one, two) = (one.clone().mul(one).sum().backward(), two.clone().mul(two).sum().backward());
        let (one, two) = (left.grad(&one).unwrap(), right.grad(&two).unwrap());
        one.into_data().assert_approx_eq(&two.into_data(), burn::tensor::Tolerance::<f32>::absolute(1e-5));
    }

    #[test]
    fn without_gradients_and_of_a_view_it_is_the_same() {
        let (sparse, _) = example();
        let device = Device::flex();
        let values: Vec<f32> = (0..21).map(|value| value as f32).collect();
        let weight = Tensor::<2>::from_data(TensorData::new(values, [3, 7]), &device).transpose();
        let product = sparse_product(&sparse, weight).into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(product[..3], [0.0 - 4.0 + 2.0, 7.0 - 18.0 + 5.5, 14.0 - 32.0 + 9.0]);
    }

    #[test]
    fn rows_are_selected_and_transposed() {
        let (sparse, _) = example();
        assert_eq!(sparse.select(&[4, 1]).row(0), (&[6][..], &[7.0][..]));
        assert_eq!(sparse.select(&[4, 1]).row(1), (&[][..], &[][..]));
        let transposed = sparse.transposed();
        assert_eq!((transposed.rows(), transposed.columns()), (7, 5));
        assert_eq!(transposed.row(6), (&[2, 3, 4][..], &[2.0, 1.0, 7.0][..]));
        assert_eq!(transposed.transposed(), *sparse);
    }
}
