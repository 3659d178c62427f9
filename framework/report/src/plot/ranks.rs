//! Ranks that methods give the true candidates (the right-hand figures of Table 4 of arXiv 2406.12056).

use std::collections::BTreeSet;

use molarena_record::matching::MatchRecord;

use super::{Axis, Figure, Intervals, Panel, Point, Scale, Series, Shape, Stroke};
use crate::BoardOptions;
use crate::match_board::{board, grouped, named, scores_of};

/// The ranks that a method gave to the true candidates.
#[derive(Clone, Debug, PartialEq)]
pub struct RankGroup {
    /// Name of the method.
    pub name: String,
    /// One per query, in percent of the candidates: 0 is the first, 100 the last.
    pub percent: Vec<f64>,
}

/// For each matching board, the file name without extension and a figure of each query's best rank, seeds
/// pooled. Methods are in the board's order; the place of a method without a score stays empty.
///
/// `ranks` returns the best rank of each query of a record in a space, from 1.
///
/// # Errors
/// Those of `ranks`.
pub fn rank_figures<E>(
    records: &[MatchRecord],
    ranks: impl Fn(&MatchRecord, &str) -> Result<Vec<usize>, E>,
) -> Result<Vec<(String, Figure)>, E> {
    let mut figures: Vec<(String, Figure)> = Vec::new();
    for (space, rows) in grouped(records) {
        let board = board(space, &rows, &BTreeSet::new(), BoardOptions { cost: false });
        let mut groups = Vec::new();
        for (key, records) in &rows {
            let mut percent = Vec::new();
            for record in records {
                let Ok(scores) = scores_of(record, space) else { continue };
                let last = scores.candidates.saturating_sub(1).max(1) as f64;
                percent
                    .extend(ranks(record, space)?.into_iter().map(|rank| 100.0 * (rank - 1) as f64 / last));
            }
            groups.push(RankGroup { name: named(&rows, key).0, percent });
        }
        let place = |group: &RankGroup| board.rows.iter().position(|row| row.method == group.name);
        groups.sort_by_key(place);
        let simulated = if board.simulated { " (simulated)" } else { "" };
        let title = format!(
            "{}{simulated}, {}: {} profiles, {} split",
            board.context, board.space, board.profiles, board.split
        );
        let stem = format!("{}-{}-ranks", board.context, board.space);
        let taken = figures.iter().filter(|(name, _)| name.starts_with(&stem)).count();
        let name = if taken == 0 { stem } else { format!("{stem}-{}", taken + 1) };
        figures.push((name, ranks_figure(&title, &groups)));
    }
    Ok(figures)
}

/// Number of bins; each is 5 % wide.
const BINS: usize = 20;
/// Half the width of the widest bin, where methods are 1 apart.
const HALF_WIDTH: f64 = 0.42;

/// A mirrored histogram of ranks for each method: its width at a height is the share of queries with that
/// rank, so all areas are equal. The marker is the median, the bar goes from the first to the third quartile.
/// A random ranking has a straight outline. Methods without ranks stay empty.
pub fn ranks_figure(title: &str, groups: &[RankGroup]) -> Figure {
    let densities: Vec<Vec<f64>> = groups.iter().map(|group| histogram(&group.percent)).collect();
    let widest = densities.iter().flatten().copied().fold(0.0, f64::max);
    let mut series = Vec::new();
    for (colour, (group, density)) in groups.iter().zip(&densities).enumerate() {
        if group.percent.is_empty() {
            continue;
        }
        let middle = colour as f64;
        let half = |bin: usize| HALF_WIDTH * density[bin] / widest;
        let height = |bin: usize| 100.0 * bin as f64 / BINS as f64;
        let right = (0..BINS).flat_map(|bin| [bin, bin + 1].map(|edge| (middle + half(bin), height(edge))));
        let left =
            (0..BINS).rev().flat_map(|bin| [bin + 1, bin].map(|edge| (middle - half(bin), height(edge))));
        series.push(Series { name: String::new(), colour, shape: Shape::Area(right.chain(left).collect()) });
        let [lower, median, upper] = [0.25, 0.5, 0.75].map(|share| quantile(&group.percent, share));
        series.push(Series {
            name: group.name.clone(),
            colour,
            shape: Shape::Line {
                points: vec![Point { x: middle, y: median, interval: Some((lower, upper)) }],
                stroke: Stroke::None,
                markers: true,
                intervals: Intervals::Bars,
            },
        });
    }
    let counts =
        groups.iter().enumerate().map(|(place, group)| (place as f64, group.percent.len().to_string()));
    let x = Axis {
        label: "queries of the method, seeds together".to_owned(),
        scale: Scale::Linear,
        ticks: Some(counts.collect()),
        range: Some((-0.5, groups.len() as f64 - 0.5)),
    };
    let y = Axis {
        range: Some((-2.0, 102.0)),
        ..Axis::new("rank of the true candidate (% of candidates)", Scale::Linear)
    };
    Figure {
        title: title.to_owned(),
        notes: vec![
            "Lower is better. Marker: median; bar: first to third quartile; width: share of queries."
                .to_owned(),
        ],
        panels: vec![Panel { x, y, series }],
    }
}

/// Share of ranks in each bin.
fn histogram(percent: &[f64]) -> Vec<f64> {
    let mut shares = vec![0.0; BINS];
    for rank in percent {
        let bin = (rank / 100.0 * BINS as f64) as usize;
        shares[bin.min(BINS - 1)] += 1.0 / percent.len() as f64;
    }
    shares
}

/// Quantile by linear interpolation between the sorted values, as numpy's default.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::matched;

    #[test]
    fn bins_and_quantiles_by_hand() {
        let shares = histogram(&[0.0, 4.9, 5.0, 100.0]);
        assert_eq!((shares[0], shares[1], shares[19]), (0.5, 0.25, 0.25));
        assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
        assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.25), 1.75);
        assert_eq!(quantile(&[7.0], 0.75), 7.0);
    }

    #[test]
    fn a_figure_for_each_board_with_the_best_method_first() {
        let records = [matched("random", 0, 0.01), matched("m", 0, 0.5), matched("m", 1, 0.25)];
        let ranks = |_: &MatchRecord, _: &str| Ok::<_, ()>(vec![1, 40]);
        let figures = rank_figures(&records, ranks).unwrap();
        assert_eq!(
            figures.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["c-e-ranks", "c-m-ranks"]
        );
        let figure = &figures[0].1;
        assert_eq!(figure.title, "c, e: 40 profiles, scaffold split");
        // Two queries of each seed.
        let counts = figure.panels[0].x.ticks.as_ref().unwrap();
        assert_eq!(counts[..], [(0.0, "4".to_owned()), (1.0, "2".to_owned())]);
        let names: Vec<_> = figure.panels[0].series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["", "m", "", "random"]);
        let Shape::Line { points, .. } = &figure.panels[0].series[1].shape else { panic!("the median") };
        assert_eq!((points[0].y, points[0].interval), (50.0, Some((0.0, 100.0))));
        assert!(rank_figures(&records, |_, _| Err::<Vec<usize>, _>("none")).is_err());
    }

    #[test]
    fn a_uniform_ranking_has_a_straight_outline() {
        let percent = (0..200).map(|rank| f64::from(rank) / 2.0).collect();
        let figure = ranks_figure("t", &[RankGroup { name: "random".to_owned(), percent }]);
        let Shape::Area(corners) = &figure.panels[0].series[0].shape else { panic!("an area") };
        assert!(corners.iter().all(|(x, _)| (x.abs() - HALF_WIDTH).abs() < 1e-9), "{corners:?}");
    }
}
