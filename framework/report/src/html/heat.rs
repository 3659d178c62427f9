//! All rows on all tasks as a map. A cell is a few bytes: neighbours of one colour are one stroke.

use molarena_metrics::Metric;

use super::Page;
use super::svg::{at, figure, fit, label, tick};
use super::tasks::{of, ordered, scored};
use super::text::text;
use crate::Row;

const LEFT: f64 = 200.0;
const WIDTH: f64 = 640.0;
const ROW: f64 = 16.0;
/// Number of colours.
const COLOURS: usize = 9;

/// How scores become colours, 0 for the worst.
enum Colours {
    /// By equal steps between two values.
    Absolute(f64, f64),
    /// By the place between the worst and the best row of the task, since errors of tasks have units of their own.
    WithinTask,
}

impl Colours {
    const fn of(metric: Metric) -> Self {
        match metric {
            Metric::RocAuc | Metric::BalancedAccuracy => Self::Absolute(0.5, 0.95),
            Metric::AveragePrecision | Metric::Spearman | Metric::Kendall | Metric::R2 => {
                Self::Absolute(0.0, 0.9)
            }
            Metric::Mae | Metric::Rmse | Metric::Brier | Metric::Ece => Self::WithinTask,
        }
    }

    /// The colour of a score, among the `scores` of its task.
    fn colour(&self, score: f64, scores: &[Option<f64>]) -> usize {
        let (worst, best) = match self {
            Self::Absolute(low, high) => (*low, *high),
            // Of these metrics the smaller value is the better one.
            Self::WithinTask => {
                let defined = || scores.iter().flatten().copied();
                (defined().fold(f64::NEG_INFINITY, f64::max), defined().fold(f64::INFINITY, f64::min))
            }
        };
        let share = (score - worst) / (best - worst);
        if share.is_nan() {
            return COLOURS / 2;
        }
        ((share * COLOURS as f64).clamp(0.0, COLOURS as f64 - 1.0)) as usize
    }

    fn legend(&self) -> (String, String, &'static str) {
        match self {
            Self::Absolute(low, high) => (
                format!("{} and less", tick((low + (high - low) / COLOURS as f64) * 100.0)),
                format!(
                    "{} and more",
                    tick((low + (high - low) * (COLOURS - 1) as f64 / COLOURS as f64) * 100.0)
                ),
                "Colours are equal steps of the score.",
            ),
            Self::WithinTask => (
                "worst row of the task".to_owned(),
                "best row of the task".to_owned(),
                "Colours are places between the worst and the best row of each task, since each has a unit of its own.",
            ),
        }
    }
}

pub(super) fn view(page: &Page<'_>, index: usize) -> String {
    let board = &page.boards[index];
    let rows = scored(board);
    let tasks = ordered(board);
    if rows.is_empty() || tasks.is_empty() {
        return "<p>No row of this board has a score.</p>\n".to_owned();
    }
    let colours = Colours::of(board.metric);
    let (worst, best, how) = colours.legend();
    let strokes = strokes(&rows, &tasks, &colours);
    let height = rows.len() as f64 * ROW;
    let mut body = String::new();
    for (row, of) in rows.iter().enumerate() {
        body += &label(LEFT - 8.0, (row as f64 + 0.5) * ROW + 4.0, "e", &text(&fit(&of.method, 27)));
    }
    let paths: Vec<String> = strokes
        .iter()
        .enumerate()
        .filter(|(_, path)| !path.is_empty())
        .map(|(colour, path)| format!("<path class=h{colour} d=\"{path}\"/>"))
        .collect();
    push!(
        body,
        "<svg class=map x={LEFT} width={WIDTH} height={} viewBox=\"0 -.5 {} {}\" preserveAspectRatio=none data-tasks=\"b{index}-tasks-t\">{}</svg>",
        at(height),
        tasks.len(),
        rows.len(),
        paths.concat(),
    );
    let below = height + 26.0;
    body += &label(LEFT, below + 4.0, "b", &worst);
    for colour in 0..COLOURS {
        push!(
            body,
            "<path class=\"h{colour} k\" d=\"M{} {}h20\"/>",
            at(LEFT + 150.0 + colour as f64 * 20.0),
            at(below)
        );
    }
    body += &label(LEFT + 160.0 + COLOURS as f64 * 20.0, below + 4.0, "b", &best);
    let name = format!(
        "Map of all rows of {} on all tasks; the numbers are in the table of all tasks",
        page.labels[index]
    );
    format!(
        "<p>A column is a task, the best one on the left; a row is a row. {how} What is blank has no score. \
         <a href=\"#b{index}-tasks\">The numbers</a> are in the table of all tasks.</p>\n{}\
         <p class=j><output id=\"b{index}-heat-o\">Point at a cell to read it.</output></p>\n",
        figure(&format!("b{index}-heat-f"), &text(&name), LEFT + WIDTH + 10.0, below + 14.0, &body)
    )
}

/// The strokes of each colour: a row is a unit high and a task a unit wide.
fn strokes(rows: &[&Row], tasks: &[&str], colours: &Colours) -> Vec<String> {
    let columns: Vec<Vec<Option<usize>>> = tasks
        .iter()
        .map(|task| {
            let scores: Vec<Option<f64>> = rows.iter().map(|row| of(row, task)).collect();
            scores.iter().map(|score| score.map(|score| colours.colour(score, &scores))).collect()
        })
        .collect();
    let mut paths = vec![String::new(); COLOURS];
    for row in 0..rows.len() {
        let mut start = 0;
        while start < columns.len() {
            let colour = columns[start][row];
            let length = columns[start..].iter().take_while(|column| column[row] == colour).count();
            if let Some(colour) = colour {
                push!(paths[colour], "M{start} {row}h{length}");
            }
            start += length;
        }
    }
    paths
}

/// The colour of each score of a board, for tests.
#[cfg(test)]
fn colour_of(board: &crate::Board, row: usize, task: &str) -> Option<usize> {
    let rows = scored(board);
    let scores: Vec<Option<f64>> = rows.iter().map(|row| of(row, task)).collect();
    scores[row].map(|score| Colours::of(board.metric).colour(score, &scores))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{classification, regression};
    use crate::{BoardOptions, build};

    #[test]
    fn colours_by_hand() {
        let record =
            classification("a", 0, &[Some(0.1), Some(0.54), Some(0.56), Some(0.92), Some(1.0), None]);
        let board = &build(&[record], BoardOptions::default()).boards[0];
        let colours: Vec<_> = board.tasks.iter().map(|task| colour_of(board, 0, task)).collect();
        assert_eq!(colours, [Some(0), Some(0), Some(1), Some(8), Some(8), None]);
        let records = [regression("a", 0, &[0.1, 1.0]), regression("b", 0, &[0.2, 1.0])];
        let board = &build(&records, BoardOptions::default()).boards[0];
        assert_eq!(colour_of(board, 0, "task 1"), Some(8));
        assert_eq!(colour_of(board, 1, "task 1"), Some(0));
        assert_eq!(colour_of(board, 1, "task 2"), Some(4), "equal rows are in the middle");
    }

    #[test]
    fn neighbours_of_one_colour_are_one_stroke() {
        let record = classification("a", 0, &[Some(0.1), Some(0.2), None, Some(1.0)]);
        let board = &build(&[record], BoardOptions::default()).boards[0];
        let paths = strokes(&scored(board), &ordered(board), &Colours::of(board.metric));
        assert_eq!((paths[8].as_str(), paths[0].as_str()), ("M0 0h1", "M1 0h2"));
    }
}
