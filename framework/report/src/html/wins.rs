//! Share of the tasks on which each row is the best, in the form of Figure 3 of arXiv 2406.12056.

use super::glossary::Term;
use super::svg::at;
use super::table::{Cell, Head, Table};
use super::tasks::of;
use super::{Page, is_compared};
use crate::{Board, Row};

/// Length of the bar of a row that wins every task.
const LONGEST: f64 = 240.0;

/// The share of each ranked row, in their order; tasks that no row has a score for do not count. `None` without tasks.
pub(super) fn shares(board: &Board) -> Option<Vec<(&Row, f64)>> {
    let rows: Vec<&Row> = board.rows.iter().filter(|row| is_compared(row)).collect();
    let mut won = vec![0.0; rows.len()];
    let mut counted = 0.0;
    for task in &board.tasks {
        let scores: Vec<Option<f64>> = rows.iter().map(|row| of(row, task)).collect();
        let better = |one: f64, other: f64| {
            if board.metric.higher_is_better() { one.max(other) } else { one.min(other) }
        };
        let Some(best) = scores.iter().flatten().copied().reduce(better) else { continue };
        counted += 1.0;
        let is_best = |score: &Option<f64>| score.is_some_and(|score| score.total_cmp(&best).is_eq());
        let winners = scores.iter().filter(|score| is_best(score)).count();
        for (row, _) in scores.iter().enumerate().filter(|(_, score)| is_best(score)) {
            won[row] += 1.0 / winners as f64;
        }
    }
    (counted > 0.0).then(|| rows.into_iter().zip(won).map(|(row, won)| (row, won / counted)).collect())
}

pub(super) fn view(page: &Page<'_>, index: usize) -> String {
    let Some(mut shares) = shares(&page.boards[index]) else {
        return "<p>No task of this board has a score of a ranked row.</p>\n".to_owned();
    };
    shares.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let row = |(row, share): &(&Row, f64)| {
        let bar = format!(
            "<svg class=bar width={LONGEST} height=12 aria-hidden=true><path class=x d=\"M0 6h{LONGEST}\"/><path class=z d=\"M0 6h{}\"/></svg>",
            at(share * LONGEST)
        );
        let mut name = page.row(&row.method);
        if row.coverage < 1.0 {
            push!(name, " <small>({:.0} % of seeds)</small>", row.coverage * 100.0);
        }
        vec![Cell::html(name), Cell::number(format!("{:.1} %", share * 100.0), Some(*share)), Cell::html(bar)]
    };
    Table {
        id: format!("b{index}-wins-t"),
        caption: format!("Share of the tasks of {} that each ranked row wins", page.label(index)),
        is_text: false,
        head: vec![Head::of("row", Term::Row), Head::of("tasks won", Term::Best), Head::plain("0 to 100 %")],
        rows: shares.iter().map(row).collect(),
    }
    .render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{classification, regression};
    use crate::{BoardOptions, build};

    #[test]
    fn equal_rows_share_a_task() {
        let records = [
            classification("a", 0, &[Some(0.9), Some(0.5), None, Some(0.5)]),
            classification("b", 0, &[Some(0.8), Some(0.5), None, Some(0.4)]),
        ];
        let boards = build(&records, BoardOptions::default()).boards;
        let shares: Vec<f64> = shares(&boards[0]).unwrap().into_iter().map(|(_, share)| share).collect();
        // Tasks 1 and 4, and half of task 2, of the three that are defined.
        assert_eq!(shares, [2.5 / 3.0, 0.5 / 3.0]);
    }

    #[test]
    fn the_smallest_error_wins() {
        let records = [regression("a", 0, &[0.9]), regression("b", 0, &[0.8])];
        let boards = build(&records, BoardOptions::default()).boards;
        let won: Vec<(String, f64)> =
            shares(&boards[0]).unwrap().into_iter().map(|(row, share)| (row.method.clone(), share)).collect();
        assert_eq!(won, [("b".to_owned(), 1.0), ("a".to_owned(), 0.0)]);
    }
}
