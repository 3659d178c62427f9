//! The columns of a board: one list for Markdown, narrow text and the page. The name of a row is not among them, since each
//! form writes it in its own way.

use molarena_data::TaskType;
use molarena_evaluate::SeenCorpus;
use molarena_metrics::Metric;

use crate::html::glossary::Term;
use crate::units::{NONE, duration, hundredfold, interval, memory, score, short_number};
use crate::{Board, Row, RowUncertainty, SelectedOn, TaskScore};

/// Regression boards show each task if there are at most this many.
const MOST_TASK_COLUMNS: usize = 12;

/// A column of a board.
pub(crate) struct Column<'a> {
    /// Its head; text of others if it has no term.
    pub(crate) head: String,
    /// Its head in narrow tables; `None` if they leave it out.
    pub(crate) narrow: Option<String>,
    /// What explains it; `None` for a task.
    pub(crate) term: Option<Term>,
    shown: Box<dyn Fn(&Row) -> Shown + 'a>,
}

/// What a column shows of a row.
pub(crate) enum Shown {
    /// Text of others.
    Text(String),
    /// A number as it is written, and in full precision; `None` where there is none.
    Number(String, Option<f64>),
}

impl Shown {
    /// As it is written.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text, _) => text,
        }
    }

    fn none() -> Self {
        Self::Number(NONE.to_owned(), None)
    }
}

impl<'a> Column<'a> {
    fn new(head: &str, term: Term, shown: impl Fn(&Row) -> Shown + 'a) -> Self {
        Self { head: head.to_owned(), narrow: None, term: Some(term), shown: Box::new(shown) }
    }

    /// A column of what the predictions say of a row.
    fn uncertain(head: &str, term: Term, shown: impl Fn(&RowUncertainty) -> Shown + 'a) -> Self {
        Self::new(head, term, move |row| row.statistics.as_ref().map_or_else(Shown::none, &shown))
    }

    /// Narrow tables have the column, too.
    fn and_narrow(self) -> Self {
        let head = self.head.clone();
        self.narrow_as(&head)
    }

    fn narrow_as(self, head: &str) -> Self {
        Self { narrow: Some(head.to_owned()), ..self }
    }

    /// What it shows of a row.
    pub(crate) fn of(&self, row: &Row) -> Shown {
        (self.shown)(row)
    }
}

/// The columns of a board, as far as its rows have something in them.
pub(crate) fn columns(board: &Board) -> Vec<Column<'_>> {
    let mut columns = vec![
        Column::new("rank", Term::Rank, |row| {
            Shown::Number(crate::md::rank(row), row.rank.map(|rank| rank as f64))
        })
        .and_narrow(),
        Column::new("seeds", Term::Seeds, |row| Shown::Number(row.seeds.to_string(), Some(row.seeds as f64)))
            .and_narrow(),
    ];
    if shows_coverage(board) {
        let shown = |row: &Row| Shown::Number(format!("{:.0} %", row.coverage * 100.0), Some(row.coverage));
        columns.push(Column::new("coverage", Term::Coverage, shown).and_narrow());
    }
    if board.rows.iter().any(|row| row.profiled.is_some()) {
        let shown = |row: &Row| match row.profiled {
            Some(share) => Shown::Number(format!("{:.0} %", share * 100.0), row.profiled),
            None => Shown::Number(String::new(), None),
        };
        columns.push(Column::new("profiled", Term::Profiled, shown).and_narrow());
    }
    columns.extend(scores(board));
    if shows_tasks(board) {
        columns.extend(board.tasks.iter().map(|task| of_task(board, task)));
    }
    if shows_costs(board) {
        let time = |row: &Row| Shown::Number(duration(row.wall_s), row.wall_s);
        columns.push(Column::new("time", Term::Time, time).and_narrow());
        columns.push(Column::new("peak memory", Term::Memory, |row| {
            Shown::Number(memory(row.peak_rss_mb), row.peak_rss_mb)
        }));
        if shows_pretraining(board) {
            columns.push(Column::new("pretraining", Term::Pretraining, |row| {
                let wall = row.pretraining.as_ref().and_then(|pretraining| pretraining.wall_s);
                Shown::Number(duration(wall), wall)
            }));
        }
    }
    if shows_seen(board) {
        columns.push(Column::uncertain("seen", Term::Seen, |of| seen(&of.corpora)));
    }
    if shows_selection(board) {
        columns.push(Column::new("selected on", Term::SelectedOn, |row| {
            Shown::Text(match row.selected_on {
                SelectedOn::None => "none".to_owned(),
                SelectedOn::Validation => format!("validation, of {}", row.settings),
            })
        }));
    }
    columns.push(Column::new("failed", Term::Failed, |row| {
        let reasons: Vec<String> =
            row.failed.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let failed: usize = row.failed.values().sum();
        let reasons = if reasons.is_empty() { NONE.to_owned() } else { reasons.join(", ") };
        Shown::Number(reasons, Some(failed as f64))
    }));
    columns
}

/// The score and what is known of it.
fn scores(board: &Board) -> Vec<Column<'_>> {
    let metric = board.metric;
    let measure = metric.description().abbreviation;
    let mean = move |row: &Row| {
        if row.seeds == 0 {
            let reasons: Vec<&str> = row.failed.keys().map(String::as_str).collect();
            return Shown::Number(reasons.join(", "), None);
        }
        Shown::Number(score(metric, row.mean, row.std), row.mean)
    };
    let head = format!("{measure} (x100) mean±sd");
    let mut columns = vec![Column::new(&head, Term::Score, mean).narrow_as(&format!("{measure} x100"))];
    if let Some(uncertainty) = &board.uncertainty {
        let confidence = short_number((uncertainty.confidence * 100.0) as f32);
        let bounds =
            move |of: &RowUncertainty| Shown::Number(interval(metric, of.low, of.high), Some(of.low));
        columns.push(
            Column::uncertain(&format!("{confidence} % interval"), Term::Interval, bounds)
                .narrow_as("interval"),
        );
        let ties = |of: &RowUncertainty| match of.ties.as_slice() {
            [] => Shown::none(),
            ties => Shown::Text(ties.join(" ")),
        };
        columns.push(Column::uncertain("ties", Term::Ties, ties).and_narrow());
        if uncertainty.twins > 0 {
            let shown = move |of: &RowUncertainty| {
                Shown::Number(score(metric, of.without_twins, of.without_twins_std), of.without_twins)
            };
            columns.push(Column::uncertain("no twins", Term::Twins, shown).and_narrow());
        }
    }
    if metric == Metric::RocAuc {
        let above = |head: &str, share: fn(&Row) -> (Option<f64>, Option<f64>)| {
            Column::new(head, Term::Above, move |row| {
                let (share, std) = share(row);
                Shown::Number(hundredfold(share, std), share)
            })
        };
        columns.push(above(">80 %", |row| (row.gt80, row.gt80_std)));
        columns.push(above(">85 %", |row| (row.gt85, row.gt85_std)));
        columns.push(above(">90 %", |row| (row.gt90, row.gt90_std)));
    }
    columns
}

fn of_task<'a>(board: &'a Board, task: &'a str) -> Column<'a> {
    let shown = move |row: &Row| {
        let none = TaskScore { mean: None, std: None };
        let TaskScore { mean, std } = row.per_task.get(task).copied().unwrap_or(none);
        Shown::Number(score(board.metric, mean, std), mean)
    };
    Column { head: task.to_owned(), narrow: None, term: None, shown: Box::new(shown) }
}

/// The share of the test molecules that each corpus has: `context-open 0 %, pcba ?`.
fn seen(corpora: &[SeenCorpus]) -> Shown {
    if corpora.is_empty() {
        return Shown::none();
    }
    let one = |seen: &SeenCorpus| {
        let share = match seen.share {
            None => "?".to_owned(),
            Some(0.0) => "0 %".to_owned(),
            // A few of many molecules are not none of them.
            Some(share) => format!("{:.1} %", (share * 100.0).max(0.1)),
        };
        format!("{} {share}", seen.corpus)
    };
    Shown::Text(corpora.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// Whether each task has a column.
pub(crate) fn shows_tasks(board: &Board) -> bool {
    board.task_type == TaskType::Regression && board.tasks.len() <= MOST_TASK_COLUMNS
}

pub(crate) fn shows_costs(board: &Board) -> bool {
    board.rows.iter().any(|row| row.wall_s.is_some() || row.peak_rss_mb.is_some())
}

fn shows_coverage(board: &Board) -> bool {
    board.rows.iter().any(|row| row.coverage < 1.0)
}

fn shows_selection(board: &Board) -> bool {
    board.rows.iter().any(|row| row.selected_on != SelectedOn::None)
}

fn shows_seen(board: &Board) -> bool {
    let corpora =
        |row: &Row| row.statistics.as_ref().is_some_and(|statistics| !statistics.corpora.is_empty());
    board.rows.iter().any(corpora)
}

fn shows_pretraining(board: &Board) -> bool {
    board.rows.iter().any(|row| row.pretraining.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corpora_that_cannot_be_read_are_no_zero() {
        let corpus = |name: &str, share| SeenCorpus { corpus: name.to_owned(), share };
        let shown = seen(&[
            corpus("a", Some(0.0)),
            corpus("b", None),
            corpus("c", Some(0.392)),
            corpus("d", Some(1e-6)),
        ]);
        assert_eq!(shown.as_str(), "a 0 %, b ?, c 39.2 %, d 0.1 %");
        assert_eq!(seen(&[]).as_str(), NONE);
    }
}
