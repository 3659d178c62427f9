//! Cholesky factors.

use faer::{
    Mat, MatMut, Par, Spec,
    dyn_stack::{MemBuffer, MemStack},
    linalg::{
        cholesky::llt::factor::{LltParams, LltRegularization, cholesky_in_place, cholesky_in_place_scratch},
        triangular_inverse::invert_lower_triangular,
        triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place},
    },
};
use molarena_sdk::{Error, Result};

/// Shares of the mean diagonal that are added to the diagonal, tried in this order until a factor exists.
const JITTERS: [f64; 5] = [0.0, 1e-10, 1e-8, 1e-6, 1e-4];

/// Number of columns filled at a time, so that both reads and writes stay local.
const FILL_COLUMNS: usize = 32;

/// The lower triangular L of a positive definite matrix L L^T.
pub(crate) struct Factor(Mat<f64>);

impl Factor {
    /// Factor of the matrix of `size` rows whose lower triangle is `entry(row)(column)`. A matrix that is singular up
    /// to rounding (for example because of equal molecules without noise) gets a small addition to its diagonal, at
    /// most 1e-4 of the diagonal's mean. If it is still not positive definite, that is an error.
    pub(crate) fn new<R: Fn(usize) -> f64>(size: usize, entry: impl Fn(usize) -> R) -> Result<Self> {
        let mut matrix = Mat::zeros(size, size);
        for jitter in JITTERS {
            let diagonal = fill(&mut matrix, &entry);
            if !diagonal.is_finite() {
                return Err(Error::internal("a matrix has a value that is not finite"));
            }
            for row in 0..size {
                matrix[(row, row)] += jitter * diagonal / size as f64;
            }
            if factor(matrix.as_mut()) {
                return Ok(Self(matrix));
            }
        }
        Err(Error::data(format!(
            "a matrix of {size} rows is not positive definite, even with 1e-4 of its diagonal added: choose a larger \
             `noise` or `alpha`"
        )))
    }

    /// Number of rows.
    pub(crate) fn size(&self) -> usize {
        self.0.nrows()
    }

    /// L^-1 b for each column b, in place.
    pub(crate) fn half_solve(&self, right: &mut Mat<f64>) {
        solve_lower_triangular_in_place(self.0.as_ref(), right.as_mut(), Par::Seq);
    }

    /// L^-T b for each column b, in place.
    pub(crate) fn other_half_solve(&self, right: &mut Mat<f64>) {
        solve_upper_triangular_in_place(self.0.transpose(), right.as_mut(), Par::Seq);
    }

    /// Logarithm of the matrix's determinant.
    pub(crate) fn log_determinant(&self) -> f64 {
        2.0 * (0..self.size()).map(|row| self.0[(row, row)].ln()).sum::<f64>()
    }

    /// Diagonal of the matrix's inverse.
    pub(crate) fn inverse_diagonal(&self) -> Vec<f64> {
        let mut inverse = Mat::zeros(self.size(), self.size());
        invert_lower_triangular(inverse.as_mut(), self.0.as_ref(), Par::Seq);
        (0..self.size()).map(|column| inverse.col(column).iter().skip(column).map(|x| x * x).sum()).collect()
    }
}

/// Fills the lower triangle; returns the sum of the diagonal.
fn fill<R: Fn(usize) -> f64>(matrix: &mut Mat<f64>, entry: &impl Fn(usize) -> R) -> f64 {
    let size = matrix.nrows();
    for start in (0..size).step_by(FILL_COLUMNS) {
        for row in start..size {
            let entry = entry(row);
            for column in start..(start + FILL_COLUMNS).min(row + 1) {
                matrix[(row, column)] = entry(column);
            }
        }
    }
    (0..size).map(|row| matrix[(row, row)]).sum()
}

/// Replaces the lower triangle by its factor; returns whether a factor exists.
fn factor(matrix: MatMut<'_, f64>) -> bool {
    let parameters = Spec::<LltParams, f64>::default();
    let mut memory = MemBuffer::new(cholesky_in_place_scratch::<f64>(matrix.nrows(), Par::Seq, parameters));
    let stack = MemStack::new(&mut memory);
    cholesky_in_place(matrix, LltRegularization::default(), Par::Seq, stack, parameters).is_ok()
}

/// The columns of a matrix.
pub(crate) fn columns(rows: usize, columns: &[Vec<f64>]) -> Mat<f64> {
    Mat::from_fn(rows, columns.len(), |row, column| columns[column][row])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factor of [[4, 2, 1], [2, 3, 0], [1, 0, 2]], whose determinant is 13.
    fn three() -> Factor {
        let rows = [[4.0, 2.0, 1.0], [2.0, 3.0, 0.0], [1.0, 0.0, 2.0]];
        Factor::new(3, |row| move |column| rows[row][column]).unwrap()
    }

    #[test]
    fn systems_are_solved() {
        let factor = three();
        assert!((factor.log_determinant() - 13f64.ln()).abs() < 1e-12);
        let mut right = columns(3, &[vec![9.0, 8.0, 3.0], vec![1.0, 0.0, 0.0]]);
        factor.half_solve(&mut right);
        factor.other_half_solve(&mut right);
        // [1, 2, 1], and the first column of the inverse: the cofactors over 13.
        let expected = [[1.0, 6.0 / 13.0], [2.0, -4.0 / 13.0], [1.0, -3.0 / 13.0]];
        for (row, expected) in expected.iter().enumerate() {
            for (column, expected) in expected.iter().enumerate() {
                assert!((right[(row, column)] - expected).abs() < 1e-12);
            }
        }
        for (value, expected) in factor.inverse_diagonal().iter().zip([6.0, 7.0, 8.0]) {
            assert!((value - expected / 13.0).abs() < 1e-12);
        }
    }

    #[test]
    fn singular_matrices_are_helped_and_indefinite_ones_refused() {
        let factor = Factor::new(100, |_| |_| 1.0).unwrap();
        assert!(factor.log_determinant().is_finite());
        let error = Factor::new(2, |row| move |column| if row == column { 1.0 } else { 2.0 }).err().unwrap();
        assert!(error.to_string().contains("not positive definite"), "{error}");
        let error = Factor::new(2, |_| |_| f64::NAN).err().unwrap();
        assert!(error.to_string().contains("not finite"), "{error}");
    }
}
