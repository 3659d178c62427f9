//! `.npy` files, in memory and on disk.

use std::{
    io::{BufReader, BufWriter},
    path::Path,
};

use molarena_data::context::read_npy;
use molarena_features::{flat, matrix};
use ndarray::{Array1, Array2, ArrayBase, Data, Dimension};
use ndarray_npy::{ReadNpyExt, ReadableElement, WritableElement, WriteNpyExt};

use crate::error::{Error, Result};

/// A row-major f32 matrix as the bytes of a `.npy` file.
pub(crate) fn to_npy(rows: usize, columns: usize, values: Vec<f32>) -> Vec<u8> {
    let mut bytes = Vec::new();
    ndarray_npy::WriteNpyExt::write_npy(&matrix(rows, columns, values), &mut bytes)
        .expect("writing to memory does not fail");
    bytes
}

/// Rows, columns and values of the `.npy` bytes of an f32 matrix, which a worker may have written: a header that states
/// more than there is takes no memory.
pub(crate) fn from_npy(bytes: &[u8]) -> Result<(usize, usize, Vec<f32>), String> {
    read_npy(bytes).map_err(|reason| format!("not an f32 matrix: {reason}"))
}

/// Writes an array as a `.npy` file.
pub(crate) fn write_npy<T: WritableElement, S: Data<Elem = T>, D: Dimension>(
    path: &Path,
    array: &ArrayBase<S, D>,
) -> Result<()> {
    let failed = |message: String| Error::Store { path: path.to_owned(), message };
    let file = BufWriter::new(fs_err::File::create(path)?);
    array.write_npy(file).map_err(|error| failed(error.to_string()))
}

pub(crate) fn read_vector<T: ReadableElement>(path: &Path) -> Result<Vec<T>> {
    let file = BufReader::new(fs_err::File::open(path)?);
    let array = Array1::<T>::read_npy(file)
        .map_err(|error| Error::Store { path: path.to_owned(), message: error.to_string() })?;
    Ok(array.into_raw_vec_and_offset().0)
}

/// Rows, columns and values of an f32 matrix.
pub(crate) fn read_matrix(path: &Path) -> Result<(usize, usize, Vec<f32>)> {
    let file = BufReader::new(fs_err::File::open(path)?);
    let array = Array2::<f32>::read_npy(file)
        .map_err(|error| Error::Store { path: path.to_owned(), message: error.to_string() })?;
    Ok((array.nrows(), array.ncols(), flat(array)))
}
