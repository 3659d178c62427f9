//! The tasks of a board: a table of all rows, and one row against another, in the form of Figures 6 and 7 of
//! arXiv 2406.12056: the score of each on every task.

use std::cmp::Ordering;

use super::Page;
use super::glossary::Term;
use super::svg::{at, figure, fit, label, tick, ticks};
use super::table::{Cell, Head, Table};
use super::text::text;
use crate::units::{NONE, points};
use crate::{Board, Row};

const LEFT: f64 = 270.0;
const RIGHT: f64 = 760.0;
const TOP: f64 = 26.0;
/// Height of a task.
const TASK: f64 = 14.0;
/// Longest name of a task beside the chart, in characters.
const LONGEST: usize = 38;

/// The rows with scores, in the order of the board.
pub(super) fn scored(board: &Board) -> Vec<&Row> {
    board.rows.iter().filter(|row| !row.per_task.is_empty()).collect()
}

/// The score of a row on a task.
pub(super) fn of(row: &Row, task: &str) -> Option<f64> {
    row.per_task.get(task)?.mean.filter(|mean| mean.is_finite())
}

/// The tasks, the one with the best mean over the rows first, those without a score last; ties by their order in the data.
pub(super) fn ordered(board: &Board) -> Vec<&str> {
    let rows = scored(board);
    let mean = |task: &str| {
        let scores: Vec<f64> = rows.iter().filter_map(|row| of(row, task)).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    };
    let mut tasks: Vec<(&str, Option<f64>)> =
        board.tasks.iter().map(|task| (task.as_str(), mean(task))).collect();
    let better = |one: f64, other: f64| {
        let ascending = one.total_cmp(&other);
        if board.metric.higher_is_better() { ascending.reverse() } else { ascending }
    };
    tasks.sort_by(|(_, one), (_, other)| match (one, other) {
        (Some(one), Some(other)) => better(*one, *other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    tasks.into_iter().map(|(task, _)| task).collect()
}

/// A line for each task, with the score of every row as a fraction of 1, or in the labels' unit, in six digits.
pub(super) fn csv(board: &Board) -> String {
    let rows = scored(board);
    let head: Vec<&str> = std::iter::once("task").chain(rows.iter().map(|row| row.method.as_str())).collect();
    let six = |value: f64| format!("{value:.5e}").parse().unwrap_or(value).to_string();
    let lines = board.tasks.iter().map(|task| -> Vec<String> {
        let scores = rows.iter().map(|row| of(row, task).map(six).unwrap_or_default());
        std::iter::once(task.clone()).chain(scores).collect()
    });
    crate::csv::table(&head, lines)
}

pub(super) fn view(page: &Page<'_>, index: usize) -> String {
    let board = &page.boards[index];
    let rows = scored(board);
    let tasks = ordered(board);
    if rows.is_empty() {
        return "<p>No row of this board has a score.</p>\n".to_owned();
    }
    let ranked: Vec<&Row> = rows.iter().copied().filter(|row| row.rank.is_some()).collect();
    let chosen = ranked.first().copied().unwrap_or(rows[0]);
    let reference = ranked.get(1).or_else(|| rows.get(1)).copied().unwrap_or(chosen);
    let mut html = format!(
        "<p>● <strong class=n1>{}</strong> against ❘ <strong class=n2>{}</strong>, on each task; the grey line spans all rows. \
         Tasks are sorted by the mean of all rows, the best first. <span class=j>The script lets you choose any two rows here.</span></p>\n",
        text(&chosen.method),
        text(&reference.method)
    );
    html += &chart(page, index, &tasks, [chosen, reference]);
    let table = Table {
        id: format!("b{index}-tasks-t"),
        caption: format!("Scores x100 of all rows on the tasks of {}, means over seeds", page.label(index)),
        is_text: false,
        head: std::iter::once(Head::plain("task"))
            .chain(rows.iter().map(|row| Head::plain(&row.method)))
            .collect(),
        rows: tasks
            .iter()
            .map(|task| {
                let scores = rows.iter().map(|row| Cell::html(of(row, task).map_or(NONE.to_owned(), points)));
                std::iter::once(Cell::text(task)).chain(scores).collect()
            })
            .collect(),
    };
    push!(
        html,
        "<details><summary>All {} tasks as a table</summary>\n{}</details>\n",
        tasks.len(),
        table.render()
    );
    format!(
        "<div class=pair data-tasks=\"b{index}-tasks-t\" data-duel=\"b{index}-duel-t\" data-up={} data-term=\"{}\">{html}</div>\n",
        u8::from(board.metric.higher_is_better()),
        Term::Versus.id(),
    )
}

/// The chart of two rows. The script moves the two marks: it reads the scale from the attributes of their group.
fn chart(page: &Page<'_>, index: usize, tasks: &[&str], pair: [&Row; 2]) -> String {
    let board = &page.boards[index];
    let rows = scored(board);
    let spans: Vec<Option<(f64, f64)>> = tasks
        .iter()
        .map(|task| {
            let scores = rows.iter().filter_map(|row| of(row, task)).map(|score| score * 100.0);
            scores.fold(None, |span: Option<(f64, f64)>, score| {
                Some(span.map_or((score, score), |(low, high)| (low.min(score), high.max(score))))
            })
        })
        .collect();
    let defined = spans.iter().flatten();
    let (low, high) = defined
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (from, to)| (low.min(*from), high.max(*to)));
    if !low.is_finite() || !high.is_finite() {
        return "<p>No task of this board has a score.</p>\n".to_owned();
    }
    let scale = (RIGHT - LEFT) / (high - low).max(high.abs() * 1e-9).max(1e-300);
    let x = |score: f64| LEFT + (score - low) * scale;
    let y = |task: usize| TOP + (task as f64 + 0.5) * TASK;
    let bottom = TOP + tasks.len() as f64 * TASK;
    let mut body = String::new();
    for value in ticks(low, high) {
        push!(body, "<path class=g d=\"M{} {}V{}\"/>", at(x(value)), at(TOP), at(bottom));
        body += &label(x(value), TOP - 8.0, "m", &tick(value));
    }
    let mut lines = String::new();
    for (task, span) in spans.iter().enumerate() {
        body += &label(LEFT - 12.0, y(task) + 4.0, "e", &text(&fit(tasks[task], LONGEST)));
        if let Some((from, to)) = span {
            push!(lines, "M{} {}H{}", at(x(*from)), at(y(task)), at(x(*to)));
        }
    }
    push!(body, "<path class=r d=\"{lines}\"/>");
    let marks = |row: &Row, shift: f64, drawn: &str| -> String {
        let marks = tasks.iter().enumerate().filter_map(|(task, name)| {
            let score = of(row, name)? * 100.0;
            Some(format!("M{} {}{drawn}", at(x(score)), at(y(task) + shift)))
        });
        marks.collect()
    };
    push!(
        body,
        "<g class=marks data-scale=\"{LEFT} {low} {scale} {TOP} {TASK}\"><path class=c2 d=\"{}\"/><path class=c1 d=\"{}\"/></g>",
        marks(pair[1], -5.0, "v10"),
        marks(pair[0], 0.0, "h0")
    );
    let name = format!(
        "Scores x100 of two rows of {} on each task; the numbers are in the table of all tasks",
        page.labels[index]
    );
    let chart = figure(&format!("b{index}-tasks-f"), &text(&name), RIGHT + 20.0, bottom + 8.0, &body);
    format!("<div class=y>{chart}</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use crate::{BoardOptions, build};

    #[test]
    fn tasks_are_sorted_and_saved_in_full() {
        let boards = build(&sample(), BoardOptions::default()).boards;
        assert_eq!(ordered(&boards[1]), ["task 2", "task 1", "task 3"]);
        assert_eq!(ordered(&boards[0])[0], "LOG HLM_CLint (mL/min/kg)");
        let csv = csv(&boards[1]);
        assert_eq!(
            csv.lines().take(2).collect::<Vec<_>>(),
            ["task,morgan-rf,morgan-rf-hard,morgan-rf+shuffled", "task 1,0.78125,0.5,0.5"]
        );
        assert!(csv.ends_with("task 3,,,\n"));
    }
}
