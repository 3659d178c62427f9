//! Tables of text in columns that line up.

use comfy_table::{CellAlignment, ColumnConstraint, Table, Width, presets};
use molarena_record::text::visible;

/// A Markdown table that reads well as text, too: the first column to the left, the others to the right. Cells must be
/// escaped and on one line.
pub(crate) fn markdown(head: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let mut table = table(head, rows, presets::ASCII_MARKDOWN);
    for (index, column) in table.column_iter_mut().enumerate() {
        // The rule below the head has at least three characters, beside the padding of one on each side.
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(5)));
        column.set_cell_alignment(if index == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    let mut lines: Vec<String> = table.lines().collect();
    // The crate draws the rule without the colons that say how Markdown aligns.
    let columns = lines[1].split('|').filter(|dashes| !dashes.is_empty()).enumerate();
    let rule = columns.map(|(index, dashes)| {
        let dashes = &dashes[1..];
        if index == 0 { format!(":{dashes}") } else { format!("{dashes}:") }
    });
    lines[1] = format!("|{}|", rule.collect::<Vec<_>>().join("|"));
    lines
}

/// Columns for a terminal, all to the left, two spaces apart; each cell is visible and on one line.
pub fn columns(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = table(head, rows, presets::NOTHING);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn table<S: ToString>(head: &[S], rows: &[Vec<String>], preset: &str) -> Table {
    let mut table = Table::new();
    let rows = rows.iter().map(|row| row.iter().map(|cell| visible(cell)));
    table.load_preset(preset).set_header(head.iter().map(ToString::to_string)).add_rows(rows);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(row: &[&str]) -> Vec<String> {
        row.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn markdown_is_padded_to_the_widest_cell_and_to_three() {
        let lines = markdown(&cells(&["a", "wide head", "b"]), &[cells(&["four", "–", "0.5±0.1"])]);
        assert_eq!(
            lines,
            [
                "| a    | wide head |       b |",
                "|:-----|----------:|--------:|",
                "| four |         – | 0.5±0.1 |"
            ]
        );
        assert_eq!(markdown(&cells(&["a"]), &[]), ["| a   |", "|:----|"]);
    }

    #[test]
    fn columns_end_without_spaces() {
        let rows = [cells(&["a", "1,000 kB", ""]), cells(&["分子", "2", "x"])];
        let text = columns(&["name", "size", "note"], &rows);
        assert_eq!(columns(&["x"], &[cells(&["a\u{1b}[2J\nb"])]), "x\na\\u{1b}[2J\\nb\n");
        assert_eq!(text, "name  size      note\na     1,000 kB\n分子  2         x\n");
    }
}
