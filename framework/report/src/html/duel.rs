//! Head to head of all pairs of rows: on how many tasks each wins.

use super::Page;
use super::glossary::Term;
use super::table::{Cell, Head, Table};
use super::tasks::{of, scored};
use super::text::text;
use crate::units::NONE;
use crate::{Board, Row};

/// Tasks on which `one` is better than, equal to, and worse than `other`.
fn versus(board: &Board, one: &Row, other: &Row) -> [usize; 3] {
    let mut counts = [0; 3];
    for task in &board.tasks {
        let (Some(one), Some(other)) = (of(one, task), of(other, task)) else { continue };
        let order = one.total_cmp(&other);
        let order = if board.metric.higher_is_better() { order.reverse() } else { order };
        counts[(order as i8 + 1) as usize] += 1;
    }
    counts
}

fn share_a_tie(one: &Row, other: &Row) -> bool {
    let ties =
        |row: &Row| row.statistics.as_ref().map(|statistics| statistics.ties.clone()).unwrap_or_default();
    let others = ties(other);
    ties(one).iter().any(|letter| others.contains(letter))
}

pub(super) fn view(page: &Page<'_>, index: usize) -> String {
    let board = &page.boards[index];
    let rows = scored(board);
    if rows.len() < 2 {
        return "<p>There are no two rows with a score.</p>\n".to_owned();
    }
    let name = |number: usize, row: &Row| {
        let mut name = format!("{} {}", number + 1, text(&row.method));
        if row.rank.is_none() {
            name += " <small>(not ranked)</small>";
        }
        if row.coverage < 1.0 {
            push!(name, " <small>({:.0} % of seeds)</small>", row.coverage * 100.0);
        }
        name
    };
    let mut head = vec![Head::of("row", Term::Versus)];
    head.extend((1..=rows.len()).map(|number| Head::plain(&number.to_string())));
    let body = rows.iter().enumerate().map(|(number, one)| {
        let mut cells = vec![Cell::html(name(number, one))];
        cells.extend(rows.iter().enumerate().map(|(against, other)| {
            if number == against {
                return Cell::html(NONE);
            }
            let [wins, ties, losses] = versus(board, one, other);
            let mark = if share_a_tie(one, other) { " ≈" } else { "" };
            Cell::html(format!("{wins}/{ties}/{losses}{mark}"))
        }));
        cells
    });
    let table = Table {
        id: format!("b{index}-duel-t"),
        caption: format!(
            "Wins, ties and losses of each row against each other on the tasks of {}",
            page.label(index)
        ),
        is_text: false,
        head,
        rows: body.collect(),
    };
    "<p>A cell counts the tasks on which the row of its line wins, ties and loses against the row of its column, which has \
     that row's number. ≈ marks two rows with a tie group in common: they cannot be told apart. \
     <span class=j>A click on a cell shows the two rows task by task.</span></p>\n"
        .to_owned()
        + &table.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{classification, regression};
    use crate::{BoardOptions, build};

    #[test]
    fn wins_ties_and_losses_by_hand() {
        let records = [
            classification("a", 0, &[Some(0.9), Some(0.5), None, Some(0.3)]),
            classification("b", 0, &[Some(0.8), Some(0.5), Some(1.0), Some(0.2)]),
        ];
        let board = &build(&records, BoardOptions::default()).boards[0];
        let of = |name: &str| board.rows.iter().find(|row| row.method == name).unwrap();
        assert_eq!(versus(board, of("a"), of("b")), [2, 1, 0]);
        assert_eq!(versus(board, of("b"), of("a")), [0, 1, 2]);
        let records = [regression("a", 0, &[0.9]), regression("b", 0, &[0.8])];
        let board = &build(&records, BoardOptions::default()).boards[0];
        assert_eq!(versus(board, &board.rows[0], &board.rows[1]), [1, 0, 0]);
        assert_eq!(board.rows[0].method, "b");
    }
}
