//! Makes one vector of each molecule of the rows of its atoms or tokens.

use molarena_sdk::{Error, Result};

use crate::config::Pool;

/// Vectors `[n, d]` of an output of `shape`. `atoms` has the number of atoms of each molecule, `tokens` the number of its tokens, where
/// they are known.
pub(crate) fn vectors(
    pool: Pool,
    shape: &[usize],
    values: &[f32],
    molecules: usize,
    atoms: Option<&[usize]>,
    tokens: Option<&[usize]>,
) -> Result<Vec<f32>> {
    let refused = |wanted: String| {
        let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
        Err(Error::data(format!(
            "the output has the shape [{}], expected {wanted}; see `pool` and `output`",
            shape.join(", ")
        )))
    };
    // The first row of each molecule, and how many of them count.
    let (groups, width): (Vec<(usize, usize)>, usize) = match (pool, shape) {
        (Pool::None, &[rows, _]) if rows == molecules => return Ok(values.to_vec()),
        (Pool::None, _) => return refused(format!("[{molecules}, columns]")),
        (_, &[rows, length, width]) if rows == molecules => {
            let count = |row: usize| tokens.map_or(length, |counts| counts[row].min(length));
            ((0..rows).map(|row| (row * length, count(row))).collect(), width)
        }
        (_, &[rows, width]) if atoms.is_some_and(|atoms| atoms.iter().sum::<usize>() == rows) => {
            let mut before = 0;
            let group = |&count: &usize| {
                before += count;
                (before - count, count)
            };
            (atoms.unwrap_or_default().iter().map(group).collect(), width)
        }
        _ => return refused(format!("[{molecules}, tokens, columns] or [atoms, columns]")),
    };
    let mut vectors = Vec::with_capacity(molecules * width);
    for (first, count) in groups {
        let rows = values[first * width..(first + count) * width].chunks_exact(width.max(1));
        let mut vector = vec![if pool == Pool::Max && count > 0 { f32::NEG_INFINITY } else { 0.0 }; width];
        let take = if pool == Pool::First { 1 } else { count };
        for row in rows.take(take) {
            for (sum, value) in vector.iter_mut().zip(row) {
                *sum = if pool == Pool::Max { sum.max(*value) } else { *sum + value };
            }
        }
        if pool == Pool::Mean {
            for sum in &mut vector {
                *sum /= count.max(1) as f32;
            }
        }
        vectors.extend(vector);
    }
    Ok(vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_after_the_last_do_not_count() {
        let values = [1.0, 2.0, 3.0, 4.0, 100.0, 100.0, 5.0, 6.0, 100.0, 100.0, 100.0, 100.0];
        let of = |pool| vectors(pool, &[2, 3, 2], &values, 2, None, Some(&[2, 1])).unwrap();
        assert_eq!(of(Pool::Mean), [2.0, 3.0, 5.0, 6.0]);
        assert_eq!(of(Pool::Sum), [4.0, 6.0, 5.0, 6.0]);
        assert_eq!(of(Pool::Max), [3.0, 4.0, 5.0, 6.0]);
        assert_eq!(of(Pool::First), [1.0, 2.0, 5.0, 6.0]);
    }

    #[test]
    fn atoms_are_pooled_by_molecule_and_one_without_is_zero() {
        let values = [1.0, 3.0, -5.0];
        let of = |pool| vectors(pool, &[3, 1], &values, 3, Some(&[2, 0, 1]), None).unwrap();
        assert_eq!(of(Pool::Mean), [2.0, 0.0, -5.0]);
        assert_eq!(of(Pool::Max), [3.0, 0.0, -5.0]);
    }

    #[test]
    fn other_shapes_are_refused_by_name() {
        let error = vectors(Pool::None, &[3, 1], &[0.0; 3], 2, None, None).unwrap_err().to_string();
        assert!(error.contains("[3, 1], expected [2, columns]"), "{error}");
        assert!(vectors(Pool::Mean, &[3, 1], &[0.0; 3], 2, None, None).is_err());
    }
}
