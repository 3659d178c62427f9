//! Methods measured in the same blocks: the table behind the tests of repeated measures.

use crate::squares::square;

/// One value of each method in each block; at least 2 of both, all finite.
pub(crate) struct Blocks<'a> {
    /// Row-major `[count, methods]`.
    pub(crate) values: &'a [f64],
    pub(crate) methods: usize,
    pub(crate) count: usize,
}

impl<'a> Blocks<'a> {
    /// `None` for fewer than 2 methods or blocks, and where a value is not finite. Panics if the shape is wrong.
    pub(crate) fn of(values: &'a [f64], methods: usize) -> Option<Self> {
        assert!(methods > 0, "a block has at least one method");
        assert!(
            values.len().is_multiple_of(methods),
            "{} values do not make blocks of {methods}",
            values.len()
        );
        let count = values.len() / methods;
        (methods >= 2 && count >= 2 && values.iter().all(|value| value.is_finite())).then_some(Self {
            values,
            methods,
            count,
        })
    }

    pub(crate) fn rows(&self) -> std::slice::ChunksExact<'a, f64> {
        self.values.chunks_exact(self.methods)
    }

    /// Mean of each method.
    pub(crate) fn means(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.methods];
        for row in self.rows() {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        sums.iter().map(|sum| sum / self.count as f64).collect()
    }

    /// Mean square and degrees of freedom of the residuals of the two-way analysis of variance without replication.
    pub(crate) fn residual(&self) -> (f64, f64) {
        let means = self.means();
        let grand = means.iter().sum::<f64>() / self.methods as f64;
        let squares: f64 = self
            .rows()
            .map(|row| {
                let mean = row.iter().sum::<f64>() / self.methods as f64;
                row.iter().zip(&means).map(|(value, of)| square(value - mean - of + grand)).sum::<f64>()
            })
            .sum();
        let df = ((self.methods - 1) * (self.count - 1)) as f64;
        (squares / df, df)
    }
}

/// Mean square and degrees of freedom within independent groups. `None` where a group is empty or a value not finite,
/// or where no degree of freedom is left.
pub(crate) fn within(groups: &[&[f64]]) -> Option<(f64, f64)> {
    if groups.iter().any(|group| group.is_empty() || !group.iter().all(|value| value.is_finite())) {
        return None;
    }
    let df = groups.iter().map(|group| group.len() - 1).sum::<usize>();
    let squares: f64 = groups
        .iter()
        .map(|group| {
            let mean = group.iter().sum::<f64>() / group.len() as f64;
            group.iter().map(|value| square(value - mean)).sum::<f64>()
        })
        .sum();
    (df > 0).then(|| (squares / df as f64, df as f64))
}

/// Every pair (first, second) with first < second, by first and then by second.
pub(crate) fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)))
}
