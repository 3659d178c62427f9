//! Boards as narrow tables for a terminal.

use crate::columns::{Column, columns};
use crate::md::title;
use crate::table;
use crate::{Board, Boards, Row};

/// A title and a table for each board, then what a reader must know. Boards of matching are as in Markdown.
pub(crate) fn render(boards: &Boards) -> String {
    let mut parts: Vec<String> = boards.boards.iter().map(section).collect();
    if !boards.matches.is_empty() {
        let matches = Boards { boards: Vec::new(), ..boards.clone() };
        parts.push(crate::md::render(&matches));
    }
    if parts.is_empty() { "No records.\n".to_owned() } else { parts.join("\n") }
}

fn section(board: &Board) -> String {
    let narrow: Vec<(Column<'_>, String)> = columns(board)
        .into_iter()
        .filter_map(|column| column.narrow.clone().map(|head| (column, head)))
        .collect();
    let head: Vec<&str> =
        std::iter::once("method").chain(narrow.iter().map(|(_, head)| head.as_str())).collect();
    let row = |row: &Row| -> Vec<String> {
        let cells = narrow.iter().map(|(column, _)| column.of(row).as_str().to_owned());
        std::iter::once(row.method.clone()).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = board.rows.iter().map(row).collect();
    let mut text = format!("{}\n", title(board));
    text += &table::columns(&head, &rows);
    let failures =
        board.rows.iter().flat_map(|row| row.failures.iter().map(|failure| failure.line(&row.method)));
    for note in board.notes.iter().cloned().chain(failures) {
        text.push_str(&molarena_chem::shorten(&note, 200, "…"));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use crate::{BoardOptions, build};

    #[test]
    fn snapshot() {
        insta::assert_snapshot!(render(&build(&sample(), BoardOptions { cost: true })), @r###"
        biogen3k (own data), infoalign split: regression, mae
        method     rank  seeds  MAE x100  time
        morgan-rf  1     1      47.1±–    4.1 min
        constant   2     1      70.6±–    4.1 min

        chembl2k (own data), infoalign split: classification, roc_auc
        method              rank  seeds  coverage  AUC x100  time
        morgan-rf           1     2      67 %      85.9±2.2  2.0 s
        morgan-rf-hard      –     1      100 %     56.2±–    2.0 s
        morgan-rf+shuffled  –     1      100 %     50.0±–    2.0 s
        slow|plugin         –     0      0 %       timeout   2.0 s
        Not confined, so that a worker could have read the data folder: morgan-rf+shuffled.
        Trained on shuffled labels, as a check for leaks: morgan-rf+shuffled.
        Scored on predicted classes, not on probabilities: morgan-rf-hard.
        Ranked only on the seeds that it and each other row have scored: morgan-rf (2 of 3 seeds).
        1 of 3 tasks undefined (nothing to learn from in training or to score in the test part, such as a single class), and in no mean: task 3.
        Failed: morgan-rf, seed 3, panic: index 7 is out of bounds (store show morgan-r)
        Failed: slow|plugin, seeds 1, 2, timeout: wall-clock limit of 600 s passed (store show slow|plu)
        "###);
    }

    #[test]
    fn tables_are_narrow() {
        let text = render(&build(&sample(), BoardOptions { cost: true }));
        let tables = text.lines().filter(|line| line.contains("  "));
        assert!(tables.clone().count() > 6, "{text}");
        assert!(tables.clone().all(|line| line.chars().count() <= 80), "{text}");
    }
}
