//! Ridge regression.

use faer::{Accum, Mat, MatRef, Par, linalg::matmul::matmul};
use molarena_sdk::{Call, Result};

use super::design::Design;
use crate::factor::Factor;

/// Number of rows of the design that are in memory as a matrix at once.
const BLOCK: usize = 4096;

/// Returns, for each list of labels on the same rows, the weights of all columns and, last, the intercept.
/// They minimise the sum of squared errors plus `alpha` times the sum of the squared weights; the intercept
/// has no penalty (Hoerl and Kennard 1970). Uses a Cholesky factor of the smaller of two systems: over the
/// columns, or over the rows.
pub(super) fn fit(
    design: &Design<'_>,
    rows: &[u32],
    labels: &[&[f32]],
    alpha: f64,
    call: &Call<'_>,
) -> Result<Vec<Vec<f64>>> {
    let count = rows.len() as f64;
    let columns = design.columns();
    let mut means = vec![0.0; columns];
    for &row in rows {
        design.add(row, 1.0 / count, &mut means);
    }
    let centres: Vec<f64> =
        labels.iter().map(|labels| labels.iter().copied().map(f64::from).sum::<f64>() / count).collect();
    let right =
        Mat::from_fn(rows.len(), labels.len(), |row, task| f64::from(labels[task][row]) - centres[task]);
    let weights = if rows.len() <= columns {
        let matrix = design.centred(rows, &means);
        let mut duals = right;
        solve(&product(matrix.as_ref(), matrix.transpose()), alpha, &mut duals)?;
        product(matrix.transpose(), duals.as_ref())
    } else {
        let mut squares = Mat::zeros(columns, columns);
        let mut weights = Mat::zeros(columns, labels.len());
        for (block, chunk) in rows.chunks(BLOCK).enumerate() {
            call.check()?;
            let matrix = design.centred(chunk, &means);
            let right = right.subrows(block * BLOCK, chunk.len());
            matmul(squares.as_mut(), Accum::Add, matrix.transpose(), matrix.as_ref(), 1.0, Par::Seq);
            matmul(weights.as_mut(), Accum::Add, matrix.transpose(), right, 1.0, Par::Seq);
        }
        solve(&squares, alpha, &mut weights)?;
        weights
    };
    let task = |(task, &centre): (usize, &f64)| {
        let mut weights: Vec<f64> = weights.col(task).iter().copied().collect();
        let shift: f64 = weights.iter().zip(&means).map(|(weight, mean)| weight * mean).sum();
        weights.push(centre - shift);
        weights
    };
    Ok(centres.iter().enumerate().map(task).collect())
}

fn product(left: MatRef<'_, f64>, right: MatRef<'_, f64>) -> Mat<f64> {
    let mut product = Mat::zeros(left.nrows(), right.ncols());
    matmul(product.as_mut(), Accum::Replace, left, right, 1.0, Par::Seq);
    product
}

/// (matrix + alpha I)^-1 times each column.
fn solve(matrix: &Mat<f64>, alpha: f64, right: &mut Mat<f64>) -> Result<()> {
    let factor = Factor::new(matrix.nrows(), |row| {
        move |column| matrix[(row, column)] + if row == column { alpha } else { 0.0 }
    })?;
    factor.half_solve(right);
    factor.other_half_solve(right);
    Ok(())
}
