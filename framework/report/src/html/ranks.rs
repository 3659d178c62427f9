//! Ranks with what the data allow, and tie groups as bands.

use std::collections::BTreeMap;

use super::Page;
use super::svg::{at, figure, fit, label};
use super::text::text;
use crate::Row;

/// Height of a row, and where the axis of ranks starts and ends.
const ROW: f64 = 20.0;
const LEFT: f64 = 200.0;
const RIGHT: f64 = 620.0;
/// Distance of one band from the next.
const BAND: f64 = 18.0;

pub(super) fn view(page: &Page<'_>, index: usize) -> String {
    let board = &page.boards[index];
    let rows: Vec<(&Row, usize, (usize, usize))> = board.rows.iter().filter_map(with_interval).collect();
    if rows.is_empty() {
        return "<p>No row of this board has an interval of its rank.</p>\n".to_owned();
    }
    let worst = rows.iter().map(|(_, rank, (_, worst))| *worst.max(rank)).max().unwrap_or(1).max(2);
    let x = |rank: usize| LEFT + (rank - 1) as f64 * (RIGHT - LEFT) / (worst - 1) as f64;
    let y = |row: usize| 10.0 + (row as f64 + 0.5) * ROW;
    let bottom = 10.0 + rows.len() as f64 * ROW;
    let mut body = String::new();
    let step = worst.div_ceil(15);
    for rank in (1..=worst).step_by(step) {
        push!(body, "<path class=g d=\"M{} 8V{}\"/>", at(x(rank)), at(bottom));
        body += &label(x(rank), bottom + 16.0, "m", &rank.to_string());
    }
    for (row, (of, rank, (low, high))) in rows.iter().enumerate() {
        body += &label(LEFT - 16.0, y(row) + 4.0, "e", &text(&fit(&of.method, 26)));
        push!(body, "<path class=i d=\"M{} {}H{}\"/>", at(x(*low)), at(y(row)), at(x(*high)));
        push!(body, "<circle class=a cx={} cy={} r=5 />", at(x(*rank)), at(y(row)));
    }
    let groups = groups(&rows);
    for (band, (letter, members)) in groups.iter().enumerate() {
        let place = RIGHT + 24.0 + band as f64 * BAND;
        let (first, last) = (members[0], members[members.len() - 1]);
        push!(body, "<path class=w d=\"M{} {}V{}\"/>", at(place), at(y(first) - 9.0), at(y(last) + 9.0));
        for member in members {
            body += &label(place, y(*member) + 4.0, "u", &text(letter));
        }
    }
    body += &label(f64::midpoint(LEFT, RIGHT), bottom + 34.0, "m", "rank");
    let width = RIGHT + 40.0 + groups.len() as f64 * BAND;
    let name = format!(
        "Ranks of {} with intervals, and tie groups; the numbers are in the table of the board",
        page.labels[index]
    );
    "<p>A dot is the rank, its line the ranks that the data allow. Rows with a letter in common, on one band, cannot be told apart.</p>\n".to_owned()
        + &figure(&format!("b{index}-ranks-f"), &text(&name), width, bottom + 42.0, &body)
}

fn with_interval(row: &Row) -> Option<(&Row, usize, (usize, usize))> {
    let statistics = row.statistics.as_ref()?;
    Some((row, row.rank?, (statistics.rank_best?, statistics.rank_worst?)))
}

/// The rows of each tie group, by letter.
fn groups<'a>(rows: &[(&'a Row, usize, (usize, usize))]) -> BTreeMap<&'a str, Vec<usize>> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, (row, ..)) in rows.iter().enumerate() {
        for letter in row.statistics.iter().flat_map(|statistics| &statistics.ties) {
            groups.entry(letter).or_default().push(index);
        }
    }
    groups
}
