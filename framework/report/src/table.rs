//! Tables of text in columns that line up.

use comfy_table::{CellAlignment, ColumnConstraint, Table, Width, presets};

/// A Markdown table that reads well as text, too: the first column to the left, the others to the right. The first row
/// is the head. Cells must be escaped and on one line.
pub(crate) fn markdown(rows: &[Vec<String>]) -> Vec<String> {
    let mut table = table(rows, presets::ASCII_MARKDOWN);
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

/// Columns for a terminal, all to the left, two spaces apart. The first row is the head.
pub fn columns(rows: &[Vec<String>]) -> String {
    let mut table = table(rows, presets::NOTHING);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn table(rows: &[Vec<String>], preset: &str) -> Table {
    let mut table = Table::new();
    table.load_preset(preset);
    if let Some((head, body)) = rows.split_first() {
        table.set_header(head).add_rows(body);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn markdown_is_padded_to_the_widest_cell_and_to_three() {
        let lines = markdown(&rows(&[&["a", "wide head", "b"], &["four", "–", "0.5±0.1"]]));
        assert_eq!(
            lines,
            [
                "| a    | wide head |       b |",
                "|:-----|----------:|--------:|",
                "| four |         – | 0.5±0.1 |"
            ]
        );
        assert_eq!(markdown(&rows(&[&["a"]])), ["| a   |", "|:----|"]);
    }

    #[test]
    fn columns_end_without_spaces() {
        let text = columns(&rows(&[&["name", "size", "note"], &["a", "1,000 kB", ""], &["分子", "2", "x"]]));
        assert_eq!(text, "name  size      note\na     1,000 kB\n分子  2         x\n");
    }
}
