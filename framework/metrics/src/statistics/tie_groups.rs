//! Groups of rows that are not separated, and intervals of ranks.

use std::ops::Range;

use super::friedman::ranks_of;
use super::interval::check_confidence;

/// The bands of a board: maximal runs of rows, in the order of the ranks, in which no pair is separated.
///
/// `separated` is symmetric, `[rows, rows]`, with the rows from the best to the worst. A row that is separated from
/// both neighbours is a band of its own. Bands overlap where separation is not transitive; each begins and ends after
/// the one before it, and together they cover every row. The bars of Demšar's diagrams are the bands of two rows or
/// more (Demšar 2006, *Journal of Machine Learning Research* 7, 1, figure 1).
///
/// # Panics
///
/// If `separated` does not have rows x rows entries or is not symmetric.
pub fn tie_bands(separated: &[bool], rows: usize) -> Vec<Range<usize>> {
    check_square(separated, rows);
    let mut bands: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for end in 0..rows {
        // The earliest start of a run that `end` can join.
        while (start..end).any(|row| separated[row * rows + end]) {
            start += 1;
        }
        match bands.last_mut() {
            Some(last) if last.start == start => last.end = end + 1,
            _ => bands.push(start..end + 1),
        }
    }
    bands
}

/// The compact letter display of the bands: the letters of each row. Two rows share a letter only if no pair in
/// their run is separated.
///
/// Letters run a to z, then aa, ab and so on. Piepho 2004, *Journal of Computational and Graphical Statistics* 13, 456,
/// restricted to runs of consecutive rows. See [`tie_bands`] for arguments and panics.
pub fn compact_letters(separated: &[bool], rows: usize) -> Vec<Vec<String>> {
    let mut letters = vec![Vec::new(); rows];
    for (band, members) in tie_bands(separated, rows).into_iter().enumerate() {
        for row in members {
            letters[row].push(letter(band));
        }
    }
    letters
}

/// The name of a band: a, b, ..., z, aa, ab, ...
fn letter(mut band: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.push(char::from(b'a' + (band % 26) as u8));
        if band < 26 {
            return name.iter().rev().collect();
        }
        band = band / 26 - 1;
    }
}

fn check_square(separated: &[bool], rows: usize) {
    assert_eq!(separated.len(), rows * rows, "separations of {rows} rows are {rows} x {rows}");
    let symmetric = (0..rows)
        .all(|row| (0..row).all(|other| separated[row * rows + other] == separated[other * rows + row]));
    assert!(symmetric, "separations are not symmetric");
}

/// The ranks that a row has in most resamples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankInterval {
    /// Mean rank over resamples.
    pub mean: f64,
    /// Lower end, the better one.
    pub low: f64,
    /// Upper end, the worse one.
    pub high: f64,
}

/// Percentile intervals of the rank of each row (from 1, the best) over resamples that the rows share.
///
/// `replicates` has the same number of finite values for each row, such as `Replicates::values` of one `Bootstrap`.
/// Tied rows share the mean of their ranks. The ends are ranks that occur: the smallest with at least a share of
/// (1 - confidence)/2 of resamples at or below it, and the smallest with (1 + confidence)/2 (Goldstein & Spiegelhalter
/// 1996, *Journal of the Royal Statistical Society* A 159, 385). `None` for no resamples.
///
/// # Panics
///
/// If the rows differ in their number of replicates, or `confidence` is not between 0 and 1.
pub fn rank_intervals(
    replicates: &[&[f64]],
    higher_is_better: bool,
    confidence: f64,
) -> Option<Vec<RankInterval>> {
    check_confidence(confidence);
    let resamples = replicates.first().map_or(0, |row| row.len());
    assert!(replicates.iter().all(|row| row.len() == resamples), "rows differ in their number of replicates");
    if resamples == 0 {
        return None;
    }
    let mut ranks = vec![Vec::with_capacity(resamples); replicates.len()];
    let mut values = vec![0.0; replicates.len()];
    for resample in 0..resamples {
        values.iter_mut().zip(replicates).for_each(|(value, row)| *value = row[resample]);
        ranks.iter_mut().zip(ranks_of(&values, higher_is_better)).for_each(|(row, rank)| row.push(rank));
    }
    let place = |share: f64| ((share * resamples as f64).ceil() as usize).clamp(1, resamples) - 1;
    let (low, high) = (place((1.0 - confidence) / 2.0), place(f64::midpoint(1.0, confidence)));
    let of_row = |mut row: Vec<f64>| {
        let mean = row.iter().sum::<f64>() / resamples as f64;
        row.sort_by(f64::total_cmp);
        RankInterval { mean, low: row[low], high: row[high] }
    };
    Some(ranks.into_iter().map(of_row).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matrix(rows: usize, pairs: &[(usize, usize)]) -> Vec<bool> {
        let mut separated = vec![false; rows * rows];
        for &(one, other) in pairs {
            separated[one * rows + other] = true;
            separated[other * rows + one] = true;
        }
        separated
    }

    #[test]
    fn bands_overlap_where_separation_is_not_transitive() {
        // 0-2, 0-3, 0-4, 1-4 and 2-4 are separated: 0 1, 1 2 3, 3 4.
        let separated = matrix(5, &[(0, 2), (0, 3), (0, 4), (1, 4), (2, 4)]);
        assert_eq!(tie_bands(&separated, 5), [0..2, 1..4, 3..5]);
        assert_eq!(
            compact_letters(&separated, 5),
            [vec!["a"], vec!["a", "b"], vec!["b"], vec!["b", "c"], vec!["c"]]
        );
        // A pair inside splits a run though its ends are not separated: 0 1, 2 3.
        assert_eq!(tie_bands(&matrix(4, &[(1, 2)]), 4), [0..2, 2..4]);
        assert_eq!(tie_bands(&matrix(3, &[]), 3), [0..3; 1]);
        assert_eq!(tie_bands(&[], 0), []);
        assert_eq!(
            [0, 25, 26, 27, 51, 52, 701, 702].map(letter),
            ["a", "z", "aa", "ab", "az", "ba", "zz", "aaa"]
        );
    }

    #[test]
    fn ranks_of_resamples_by_hand() {
        // Row 0 is best in 3 of 4 resamples; rows 1 and 2 are tied in the last: ranks 2 1 2 1.5 | 3 3 3 ...
        let rows: [&[f64]; 3] = [&[3.0, 3.0, 3.0, 0.0], &[2.0, 2.0, 1.0, 5.0], &[1.0, 1.0, 2.0, 5.0]];
        let intervals = rank_intervals(&rows, true, 0.5).unwrap();
        assert_eq!(intervals[0], RankInterval { mean: 1.5, low: 1.0, high: 1.0 });
        assert_eq!(intervals[1], RankInterval { mean: 2.125, low: 1.5, high: 2.0 });
        assert_eq!(intervals[2], RankInterval { mean: 2.375, low: 1.5, high: 3.0 });
        assert_eq!(rank_intervals(&rows, false, 0.99).unwrap()[0].high, 3.0);
        assert_eq!(rank_intervals(&[&[], &[]], true, 0.9), None);
    }

    proptest! {
        #[test]
        fn bands_are_the_maximal_runs(
            (rows, separated) in (0_usize..9).prop_flat_map(|rows| {
                let pairs = prop::collection::vec((0..rows.max(1), 0..rows.max(1)), 0..6);
                pairs.prop_map(move |pairs| {
                    let pairs: Vec<_> = pairs.into_iter().filter(|(a, b)| a != b && rows > 0).collect();
                    (rows, matrix(rows, &pairs))
                })
            }),
        ) {
            let free = |run: &Range<usize>| {
                run.clone().all(|a| run.clone().all(|b| !separated[a * rows + b]))
            };
            let mut runs = Vec::new();
            for start in 0..rows {
                for end in start + 1..=rows {
                    let run = start..end;
                    let wider = (start > 0 && free(&(start - 1..end))) || (end < rows && free(&(start..end + 1)));
                    if free(&run) && !wider {
                        runs.push(run);
                    }
                }
            }
            prop_assert_eq!(tie_bands(&separated, rows), runs);
        }
    }
}
