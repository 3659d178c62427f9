//! The profiles of a matching task, on the scale of the encoder's corpus.

use std::collections::BTreeSet;

use molarena_data::context::{ContextGraph, Space};

use crate::{
    error::{Error, Result},
    inputs::corpus::{self, Sources},
};

/// The candidates of one space, in an order that depends on their content alone.
#[derive(Debug)]
pub(crate) struct Ordered {
    /// `[candidates]`: row of each candidate in the context's space.
    pub(crate) rows: Vec<usize>,
    pub(crate) columns: usize,
    /// `f32[candidates, columns]`.
    pub(crate) values: Vec<f32>,
}

/// The candidates of each space: rows of context graph `id`, scaled by the bounds of that graph without the
/// molecules `without`.
pub(crate) fn candidates(
    sources: &Sources<'_>,
    id: &str,
    spaces: &[(&str, &[usize])],
    without: &BTreeSet<String>,
) -> Result<Vec<Ordered>> {
    let corpus = corpus::graph(sources, id, without)?;
    let bounds = spaces.iter().map(|(name, _)| Ok(space_of(&corpus, name)?.bounds.clone()));
    let bounds = bounds.collect::<Result<Vec<_>>>()?;
    drop(corpus);
    let context = corpus::graph(sources, id, &BTreeSet::new())?;
    let all = spaces.iter().zip(&bounds);
    all.map(|((name, rows), bounds)| Ok(ordered(space_of(&context, name)?, rows, bounds))).collect()
}

fn space_of<'a>(graph: &'a ContextGraph, name: &str) -> Result<&'a Space> {
    graph.space(name).ok_or_else(|| Error::Request(format!("context `{}` has no space `{name}`", graph.id)))
}

/// Rows of `space` on the scale of `bounds`, sorted by value, so that their order does not reveal their
/// molecules.
fn ordered(space: &Space, rows: &[usize], bounds: &[[f32; 2]]) -> Ordered {
    let rescaled = |row: &usize| -> Vec<f32> {
        let values = space.row(*row).iter().zip(&space.bounds).zip(bounds);
        values.map(|((&value, &own), &bounds)| rescale(value, own, bounds)).collect()
    };
    let mut scaled: Vec<(usize, Vec<f32>)> = rows.iter().map(|row| (*row, rescaled(row))).collect();
    scaled.sort_by(|(_, one), (_, other)| {
        let pairs = one.iter().zip(other);
        pairs
            .map(|(one, other)| one.total_cmp(other))
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    Ordered {
        rows: scaled.iter().map(|(row, _)| *row).collect(),
        columns: space.columns,
        values: scaled.into_iter().flat_map(|(_, values)| values).collect(),
    }
}

/// Rescales a value from the bounds `own` to `bounds`, each mapped to [0, 1], and clips it to [0, 1]. A
/// missing value stays missing; a column with equal bounds becomes 0, one without bounds becomes missing.
fn rescale(value: f32, own: [f32; 2], bounds: [f32; 2]) -> f32 {
    let [own_low, own_high] = own.map(f64::from);
    let [low, high] = bounds.map(f64::from);
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return f32::NAN;
    }
    if own == bounds {
        return value;
    }
    if high <= low {
        return 0.0;
    }
    let raw = own_low + f64::from(value) * (own_high - own_low);
    ((raw - low) / (high - low)).clamp(0.0, 1.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::small_graph;

    #[test]
    fn values_move_from_one_scale_to_another() {
        // Between -1 and 3, 0.5 stands for 1, which is 0.5 between 0 and 2; 3 lies above and -1 below.
        let moved = [0.0, 0.5, 1.0].map(|value| rescale(value, [-1.0, 3.0], [0.0, 2.0]));
        assert_eq!(moved, [0.0, 0.5, 1.0]);
        assert_eq!(rescale(0.25, [-1.0, 3.0], [-2.0, 2.0]), 0.5);
        assert_eq!(rescale(0.3, [0.0, 1.0], [0.0, 1.0]), 0.3);
        assert_eq!(rescale(0.3, [0.0, 1.0], [0.5, 0.5]), 0.0);
        assert!(rescale(f32::NAN, [0.0, 1.0], [0.5, 0.5]).is_nan());
        assert!(rescale(0.3, [0.0, 1.0], [f32::NAN; 2]).is_nan());
        // A column with a single value in the context.
        assert_eq!(rescale(0.0, [1.0, 1.0], [0.0, 2.0]), 0.5);
    }

    #[test]
    fn the_order_of_candidates_says_nothing_of_their_owners() {
        let mut graph = small_graph();
        let space = &mut graph.spaces[1];
        let bounds = space.bounds.clone();
        let first = ordered(space, &[0, 1], &bounds);
        // The same profiles with their molecules swapped.
        space.values = [space.row(1), space.row(0)].concat();
        let swapped = ordered(space, &[0, 1], &bounds);
        let bits = |ordered: &Ordered| ordered.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&first), bits(&swapped));
        assert_eq!((first.rows, swapped.rows), (vec![0, 1], vec![1, 0]));
    }
}
