//! Row-major matrices as vectors and as arrays.

use ndarray::Array2;

/// Rows `indices` of a row-major matrix of `columns` columns.
pub fn select_rows<T: Copy>(values: &[T], columns: usize, indices: &[usize]) -> Vec<T> {
    indices.iter().flat_map(|&index| &values[index * columns..(index + 1) * columns]).copied().collect()
}

/// A row-major vector of `rows` x `columns` values as a matrix.
pub fn matrix<T>(rows: usize, columns: usize, values: Vec<T>) -> Array2<T> {
    Array2::from_shape_vec((rows, columns), values).expect("rows x columns values")
}

/// A matrix as a row-major vector.
pub fn flat<T: Copy>(matrix: Array2<T>) -> Vec<T> {
    if matrix.is_standard_layout() {
        matrix.into_raw_vec_and_offset().0
    } else {
        matrix.iter().copied().collect()
    }
}
