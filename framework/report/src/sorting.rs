//! Orders of the rows of boards.

use crate::{Boards, Row};

/// What the rows of a board are sorted by.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display, strum::EnumString, strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum SortBy {
    /// The mean score, best first.
    #[default]
    Score,
    /// The name.
    Name,
    /// The mean time of a seed, shortest first.
    Time,
    /// The peak memory, smallest first.
    Memory,
    /// The score on the test molecules without a twin in training, best first.
    NoTwins,
}

/// Sorts the rows of each board; rows that lack the value come last, equal ones stay in the order of the score.
pub fn sort_rows(boards: &mut Boards, by: SortBy) {
    for board in &mut boards.boards {
        let higher = board.metric.higher_is_better();
        let least_first = |value: Option<f64>| value.unwrap_or(f64::INFINITY);
        let key = |row: &Row| match by {
            SortBy::Score | SortBy::Name => 0.0,
            SortBy::Time => least_first(row.wall_s),
            SortBy::Memory => least_first(row.peak_rss_mb),
            SortBy::NoTwins => {
                let score = row.statistics.as_ref().and_then(|statistics| statistics.without_twins);
                least_first(score.map(|score| if higher { -score } else { score }))
            }
        };
        match by {
            SortBy::Name => board.rows.sort_by(|one, other| one.method.cmp(&other.method)),
            _ => board.rows.sort_by(|one, other| key(one).total_cmp(&key(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BoardOptions, build, testing::classification};

    #[test]
    fn rows_are_sorted_and_what_lacks_a_value_is_last() {
        let mut records = [
            classification("b", 1, &[Some(0.9)]),
            classification("c", 1, &[Some(0.8)]),
            classification("a", 1, &[Some(0.7)]),
        ];
        (records[0].cost.wall_s, records[1].cost.wall_s, records[2].cost.wall_s) = (f64::NAN, 2.0, 1.0);
        let sorted = |by: SortBy| {
            let mut boards = build(&records, BoardOptions::default());
            sort_rows(&mut boards, by);
            boards.boards[0].rows.iter().map(|row| row.method.clone()).collect::<Vec<_>>()
        };
        assert_eq!(sorted(SortBy::Score), ["b", "c", "a"]);
        assert_eq!(sorted(SortBy::Name), ["a", "b", "c"]);
        assert_eq!(sorted(SortBy::Time), ["a", "c", "b"]);
        assert_eq!(sorted(SortBy::NoTwins), ["b", "c", "a"], "there are none");
        assert_eq!("no-twins".parse(), Ok(SortBy::NoTwins));
    }
}
