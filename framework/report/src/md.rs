//! Boards as Markdown, in the form of Tables 2 (classification) and 3 (regression) of arXiv 2406.12056.

use molarena_data::Protocol;
use molarena_record::text::visible;

use crate::columns::{Column, Shown, columns, shows_costs, shows_tasks};
use crate::published::sources;
use crate::table::markdown;
use crate::units::{NONE, score, signed_points};
use crate::{Board, Boards, PublishedRow, Row, match_md};

/// Most published rows without a row of ours that are shown.
const MOST_PUBLISHED: usize = 3;
/// If a task name is longer than this, tasks are numbered and a legend below the table names them.
const LONGEST_TASK_HEAD: usize = 16;

const SCORE_LEGEND: &str = "\
Scores are means over the tasks of a dataset, x100, then mean±sample standard deviation over seeds; `–` where there is
none.
";
const RANK_LEGEND: &str = "\
A rank is 1 and the number of rows that are better; rows scored on predicted classes or trained on shuffled labels have
none.
";
const UNCERTAINTY_LEGEND: &str = "\
Intervals, behind a score or in brackets behind a rank, are of the bootstrap over test molecules and seeds. Rows with a
letter of `ties` in common cannot be told apart. `no twins` is the score on the test molecules whose skeleton (first
block of the InChIKey) is not in training.
";
const COST_LEGEND: &str = "\
Time is the mean wall-clock time of a seed, peak memory the largest of any seed.
";

pub(crate) fn render(boards: &Boards) -> String {
    if boards.boards.is_empty() && boards.matches.is_empty() {
        return "No records.\n".to_owned();
    }
    let mut text = if boards.boards.is_empty() { String::new() } else { SCORE_LEGEND.to_owned() };
    if !boards.boards.is_empty() {
        text += RANK_LEGEND;
    }
    if boards.boards.iter().any(|board| board.uncertainty.is_some()) {
        text += UNCERTAINTY_LEGEND;
    }
    if boards.boards.iter().any(shows_costs) {
        text += COST_LEGEND;
    }
    for board in &boards.boards {
        text += &section(board);
    }
    if !boards.matches.is_empty() {
        if !text.is_empty() {
            text += "\n";
        }
        text += match_md::LEGEND;
    }
    for board in &boards.matches {
        text += &match_md::section(board);
    }
    text
}

fn section(board: &Board) -> String {
    let mut lines = vec![String::new(), heading(board), String::new(), facts(board), String::new()];
    let columns = columns(board);
    let rows: Vec<_> = board.rows.iter().map(|row| cells(&columns, row)).collect();
    lines.extend(markdown(&head(board, &columns), &rows));
    let below =
        [task_legend(board), board.notes.iter().map(|note| escape(note)).collect(), failures(board)].concat();
    if !below.is_empty() {
        lines.push(String::new());
    }
    lines.extend(below.into_iter().map(|line| format!("- {line}")));
    lines.extend(published(board));
    lines.join("\n") + "\n"
}

/// What papers print: the rows that the board has, too, and the best others.
fn published(board: &Board) -> Vec<String> {
    let best = board.published.iter().filter(|row| row.ours.is_none()).take(MOST_PUBLISHED);
    let beside = board.published.iter().filter(|row| row.ours.is_some());
    let mut shown: Vec<&PublishedRow> = best.chain(beside).collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let place = |row: &PublishedRow| board.published.iter().position(|other| other == row);
    shown.sort_by_key(|row| place(row));
    let head = ["published, not ranked", "printed", "ours", "difference", "what is wrong with it"];
    let row = |row: &&PublishedRow| {
        vec![
            format!("{} ({})", escape(&row.method), escape(&row.paper)),
            score(board.metric, Some(row.mean), row.std),
            row.ours.as_ref().map_or_else(|| NONE.to_owned(), |ours| escape(ours)),
            row.difference.map_or_else(|| NONE.to_owned(), signed_points),
            row.note.as_ref().map_or_else(|| NONE.to_owned(), |note| escape(note)),
        ]
    };
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    let mut lines = vec![String::new()];
    lines.extend(markdown(&head.map(str::to_owned), &rows));
    lines.push(String::new());
    let (count, all) = (rows.len(), board.published.len());
    lines.push(format!("{count} of {all} published rows; the JSON has all. {}.", sources(board)));
    lines
}

fn heading(board: &Board) -> String {
    format!("## {}", escape(&title(board)))
}

/// What the board is of, as text that is not escaped.
pub(crate) fn title(board: &Board) -> String {
    let distinction = board.distinction.as_ref().map(|text| format!(" [{text}]")).unwrap_or_default();
    // Records of splits without a seed have seed 0.
    let seeded = board.split.parse::<Protocol>().is_ok_and(Protocol::uses_seed);
    let seed = if seeded { format!(" (seed {})", board.split_seed) } else { String::new() };
    let simulated = match board {
        Board { simulated: true, .. } => " (simulated)",
        Board { own: true, .. } => " (own data)",
        _ => "",
    };
    format!(
        "{}{simulated}, {} split{seed}: {}, {}{distinction}",
        board.dataset, board.split, board.task_type, board.metric
    )
}

fn facts(board: &Board) -> String {
    let simulated = if board.simulated { " **Simulated data: says nothing about chemistry.**" } else { "" };
    let twins = board.uncertainty.as_ref().map_or_else(String::new, |uncertainty| {
        let count = if uncertainty.twins == 0 { "None".to_owned() } else { uncertainty.twins.to_string() };
        format!(" {count} of the test molecules have a twin in training.")
    });
    format!(
        "{} tasks; {} training, {} validation and {} test molecules.{twins} {} is better. Data `{}`, split `{}`.{simulated}",
        board.tasks.len(),
        board.train,
        board.valid,
        board.test,
        if board.metric.higher_is_better() { "Higher" } else { "Lower" },
        board.data_sha256.get(..12).unwrap_or(&board.data_sha256),
        board.split_sha256.get(..12).unwrap_or(&board.split_sha256),
    )
}

/// The heads of a table: of the row's name and of the columns.
fn head(board: &Board, columns: &[Column<'_>]) -> Vec<String> {
    let numbered = numbers_tasks(board);
    let mut tasks = 0;
    let of = |column: &Column<'_>| {
        if column.term.is_some() {
            return column.head.clone();
        }
        tasks += 1;
        if numbered { tasks.to_string() } else { escape(&column.head) }
    };
    std::iter::once("method".to_owned()).chain(columns.iter().map(of)).collect()
}

fn cells(columns: &[Column<'_>], row: &Row) -> Vec<String> {
    let of = |column: &Column<'_>| match column.of(row) {
        Shown::Text(text) => escape(&text),
        Shown::Number(number, _) => number,
    };
    std::iter::once(method(row)).chain(columns.iter().map(of)).collect()
}

/// The rank with its interval: `3 (2–5)`.
pub(crate) fn rank(row: &Row) -> String {
    let Some(rank) = row.rank else { return NONE.to_owned() };
    let ends = row.statistics.as_ref().and_then(|statistics| statistics.rank_best.zip(statistics.rank_worst));
    match ends {
        Some((best, worst)) if best == worst => format!("{rank} ({best})"),
        Some((best, worst)) => format!("{rank} ({best}–{worst})"),
        None => rank.to_string(),
    }
}

fn method(row: &Row) -> String {
    let mut name = escape(&row.method);
    if row.shuffled_labels {
        name += " (shuffled labels)";
    }
    if !row.confined {
        name += " (not confined)";
    }
    name
}

fn numbers_tasks(board: &Board) -> bool {
    board.tasks.iter().any(|task| task.chars().count() > LONGEST_TASK_HEAD)
}

fn task_legend(board: &Board) -> Vec<String> {
    if !shows_tasks(board) || !numbers_tasks(board) {
        return Vec::new();
    }
    let tasks: Vec<String> = board
        .tasks
        .iter()
        .enumerate()
        .map(|(column, task)| format!("{} {}", column + 1, escape(task)))
        .collect();
    vec![format!("Tasks: {}.", tasks.join("; "))]
}

fn failures(board: &Board) -> Vec<String> {
    let of_row = |row: &Row| -> Vec<String> {
        row.failures.iter().map(|failure| escape(&failure.line(&row.method))).collect()
    };
    board.rows.iter().flat_map(of_row).collect()
}

/// External text on one line and visible, with Markdown's special characters escaped.
pub(crate) fn escape(text: &str) -> String {
    let line: String =
        text.chars().map(|character| if character.is_whitespace() { ' ' } else { character }).collect();
    let mut escaped = String::with_capacity(line.len());
    for character in visible(&line).chars() {
        if matches!(character, '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::testing::{regression, sample};
    use crate::{BoardOptions, build};

    #[test]
    fn snapshot() {
        let boards = build(&sample(), BoardOptions { cost: true });
        insta::assert_snapshot!(render(&boards), @r###"
        Scores are means over the tasks of a dataset, x100, then mean±sample standard deviation over seeds; `–` where there is
        none.
        A rank is 1 and the number of rows that are better; rows scored on predicted classes or trained on shuffled labels have
        none.
        Time is the mean wall-clock time of a seed, peak memory the largest of any seed.

        ## biogen3k (own data), infoalign split: regression, mae

        2 tasks; 60 training, 15 validation and 25 test molecules. Lower is better. Data `aaaaaaaaaaaa`, split `bbbbbbbbbbbb`.

        | method    | rank | seeds | MAE (x100) mean±sd |      1 |      2 |    time | peak memory | failed |
        |:----------|-----:|------:|-------------------:|-------:|-------:|--------:|------------:|-------:|
        | morgan-rf |    1 |     1 |             47.1±– | 44.2±– | 50.0±– | 4.1 min |     1.5 GiB |      – |
        | constant  |    2 |     1 |             70.6±– | 66.2±– | 75.0±– | 4.1 min |     1.5 GiB |      – |

        - Tasks: 1 LOG HLM_CLint (mL/min/kg); 2 task 2.

        ## chembl2k (own data), infoalign split: classification, roc_auc

        3 tasks; 60 training, 15 validation and 25 test molecules. Higher is better. Data `aaaaaaaaaaaa`, split `bbbbbbbbbbbb`.

        | method                                              | rank | seeds | coverage | AUC (x100) mean±sd |     >80 % |    >85 % |     >90 % |  time | peak memory |    failed |
        |:----------------------------------------------------|-----:|------:|---------:|-------------------:|----------:|---------:|----------:|------:|------------:|----------:|
        | morgan-rf                                           |    1 |     2 |     67 % |           85.9±2.2 | 75.0±35.4 | 50.0±0.0 | 25.0±35.4 | 2.0 s |     200 MiB |   panic 1 |
        | morgan-rf-hard                                      |    – |     1 |    100 % |             56.2±– |     0.0±– |    0.0±– |     0.0±– | 2.0 s |     200 MiB |         – |
        | morgan-rf+shuffled (shuffled labels) (not confined) |    – |     1 |    100 % |             50.0±– |     0.0±– |    0.0±– |     0.0±– | 2.0 s |     200 MiB |         – |
        | slow\|plugin                                        |    – |     0 |      0 % |            timeout |         – |        – |         – | 2.0 s |     200 MiB | timeout 2 |

        - Not confined, so that a worker could have read the data folder: morgan-rf+shuffled.
        - Trained on shuffled labels, as a check for leaks: morgan-rf+shuffled.
        - Scored on predicted classes, not on probabilities: morgan-rf-hard.
        - Ranked only on the seeds that it and each other row have scored: morgan-rf (2 of 3 seeds).
        - 1 of 3 tasks undefined (nothing to learn from in training or to score in the test part, such as a single class), and in no mean: task 3.
        - Failed: morgan-rf, seed 3, panic: index 7 is out of bounds (store show morgan-r)
        - Failed: slow\|plugin, seeds 1, 2, timeout: wall-clock limit of 600 s passed (store show slow\|plu)
        "###);
    }

    #[test]
    fn without_costs_there_is_no_word_of_them() {
        let text = render(&build(&sample(), BoardOptions { cost: false }));
        assert!(!text.contains(" time ") && !text.contains("memory"), "{text}");
    }

    #[test]
    fn simulated_data_are_said_to_be_so_in_every_format() {
        let mut record = regression("m", 1, &[0.5]);
        record.simulated = true;
        let boards = build(&[record], BoardOptions { cost: false });
        let text = render(&boards);
        assert!(text.contains("## biogen3k (simulated), infoalign split"), "{text}");
        assert!(text.contains("**Simulated data: says nothing about chemistry.**"), "{text}");
        assert!(crate::render(&boards, crate::Format::Csv).contains(",0,,true,"));
        assert!(crate::render(&boards, crate::Format::Json).contains("\"simulated\": true"));
    }

    #[test]
    fn no_records_are_no_tables() {
        assert_eq!(render(&build(&[], BoardOptions::default())), "No records.\n");
    }

    #[test]
    fn many_tasks_have_no_columns() {
        let record = regression("m", 1, &[0.5; 13]);
        let text = render(&build(&[record], BoardOptions { cost: false }));
        assert!(text.contains("| MAE (x100) mean±sd | failed |"), "{text}");
    }

    #[test]
    fn text_of_others_stays_text() {
        assert_eq!(escape("a|b\n*c* <d> [e] `f` \\ &lt;"), r"a\|b \*c\* \<d\> \[e\] \`f\` \\ \&lt;");
        assert_eq!(escape("\u{1b}[2J\u{202e}\u{2028}"), r"\\u{1b}\[2J\\u{202e} ");
    }
}
