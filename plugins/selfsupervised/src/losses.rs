//! What losses of several objectives are made of. Means are over rows; all of them are `f32[1]`.

use burn::tensor::{
    Device, Int, Tensor, TensorData,
    activation::{log_sigmoid, log_softmax},
};

/// The smallest length that a vector is divided by, as in `PyTorch`'s `normalize`.
const LEAST_LENGTH: f32 = 1e-12;

/// Rows divided by their Euclidean lengths.
pub(crate) fn normalised(rows: Tensor<2>) -> Tensor<2> {
    let lengths = rows.clone().powi_scalar(2).sum_dim(1).clamp_min(LEAST_LENGTH * LEAST_LENGTH).sqrt();
    rows / lengths
}

/// Whole numbers on a device.
pub(crate) fn indices(values: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = values.iter().map(|&value| value as i32).collect();
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// The rows `rows` of a matrix, in that order.
pub(crate) fn select(matrix: &Tensor<2>, rows: &[usize]) -> Tensor<2> {
    matrix.clone().select(0, indices(rows, &matrix.device()))
}

/// Mean cross-entropy of `logits`, `f32[n, classes]`, with a class for each row.
pub(crate) fn cross_entropy(logits: Tensor<2>, classes: &[usize]) -> Tensor<1> {
    let classes = indices(classes, &logits.device()).reshape([classes.len(), 1]);
    -log_softmax(logits, 1).gather(1, classes).mean()
}

/// Mean binary cross-entropy of logits that should be large.
pub(crate) fn positives(logits: Tensor<2>) -> Tensor<1> {
    -log_sigmoid(logits).mean()
}

/// Mean binary cross-entropy of logits that should be small.
pub(crate) fn negatives(logits: Tensor<2>) -> Tensor<1> {
    -log_sigmoid(-logits).mean()
}

/// The dot product of each row of one matrix with the same row of another, `f32[n, 1]`.
pub(crate) fn dot(one: Tensor<2>, other: Tensor<2>) -> Tensor<2> {
    (one * other).sum_dim(1)
}

/// 1 on the diagonal and 0 elsewhere, `f32[n, n]`.
pub(crate) fn identity(count: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0f32; count * count];
    values.iter_mut().step_by(count + 1).for_each(|value| *value = 1.0);
    Tensor::from_data(TensorData::new(values, [count, count]), device)
}
