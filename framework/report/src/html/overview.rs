//! All rows on all boards in one table.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Page;
use super::glossary::Term;
use super::table::{Cell, Head, Table};
use super::text::{download, text};
use crate::builds::without_builds;
use crate::units::{NONE, interval, score};
use crate::{Boards, Row};

pub(super) fn section(page: &Page<'_>) -> String {
    let mut html =
        "<section id=overview aria-labelledby=overview-h><h2 id=overview-h>Overview</h2>\n".to_owned();
    if page.boards.is_empty() {
        let what = if page.matches.is_empty() { "No records." } else { "Only boards of matching." };
        return html + "<p>" + what + "</p></section>\n";
    }
    html += "<p>Each cell has the score times 100, its interval where there is one, and the rank with the ranks that the \
             data allow. A mean of ranks is given only for rows that are ranked on every board.</p>\n";
    if page.boards.iter().any(|board| board.simulated) {
        html += "<p><b class=s>simulated</b> Boards with this mark say nothing about chemistry.</p>\n";
    }
    html += &table(page).render();
    html += "<p class=d>Save all boards: ";
    let boards =
        Boards { schema: crate::BOARD_SCHEMA.to_owned(), boards: page.boards.to_vec(), matches: Vec::new() };
    html += &download("boards.csv", "text/csv", &crate::csv::render(&boards));
    html + ". With the script on, every table can be saved as CSV and JSON, too. <code>molarena board --format json</code> writes everything in full precision.</p></section>\n"
}

fn table(page: &Page<'_>) -> Table {
    let standing = averages(page);
    let mut names = page.rows.clone();
    let place = |name: &str| standing[name].as_ref().ok().copied().unwrap_or(f64::INFINITY);
    names.sort_by(|one, other| place(one).total_cmp(&place(other)).then_with(|| one.cmp(other)));
    let mut head = vec![Head::of("row", Term::Row), Head::of("average rank", Term::AverageRank)];
    head.extend(page.boards.iter().enumerate().map(|(index, board)| {
        let simulated = if board.simulated { " (simulated)" } else { "" };
        let metric = board.metric.description().abbreviation;
        Head::of(&format!("{}{simulated}, {metric}", page.labels[index]), Term::Score)
    }));
    let rows = names.into_iter().map(|name| {
        let mut cells = vec![Cell::html(page.row(name))];
        cells.push(match &standing[name] {
            Ok(rank) => Cell::number(format!("{rank:.2}"), Some(*rank)),
            Err(why) => Cell::number(format!("<small>{}</small>", text(why)), None),
        });
        cells.extend(page.boards.iter().map(|board| {
            let row = board.rows.iter().find(|row| row.method == name);
            row.map_or_else(|| Cell::number("<small>not run</small>", None), |row| cell(board, row))
        }));
        cells
    });
    Table {
        id: "overview-t".to_owned(),
        caption: "Rows and boards".to_owned(),
        is_text: false,
        head,
        rows: rows.collect(),
    }
}

fn cell(board: &crate::Board, row: &Row) -> Cell {
    let Some(mean) = row.mean else {
        let reasons: Vec<&str> = row.failed.keys().map(String::as_str).collect();
        return Cell::number(format!("<small>no score {}</small>", text(&reasons.join(", "))), None);
    };
    let mut html = score(board.metric, Some(mean), row.std);
    if let Some(statistics) = &row.statistics {
        push!(html, "<br><small>{}</small>", interval(board.metric, statistics.low, statistics.high));
    }
    let rank = crate::md::rank(row);
    if rank == NONE {
        html += "<br><small>not ranked</small>";
    } else {
        push!(html, "<br><small>rank {rank}</small>");
    }
    if row.coverage < 1.0 {
        push!(html, "<br><small>{:.0} % of seeds</small>", row.coverage * 100.0);
    }
    Cell::number(html, Some(mean))
}

/// The mean rank of each row among the rows that are ranked on all boards, or why it has none.
fn averages<'a>(page: &Page<'a>) -> BTreeMap<&'a str, Result<f64, String>> {
    let whole: Vec<Result<(), String>> = page.rows.iter().map(|name| is_whole(page, name)).collect();
    let complete: Vec<&str> =
        page.rows.iter().zip(&whole).filter(|(_, whole)| whole.is_ok()).map(|(name, _)| *name).collect();
    let rank_on = |board: &crate::Board, name: &str| -> Option<usize> {
        board.rows.iter().find(|row| row.method == name)?.rank
    };
    let average = |name: &str| {
        let ranks = page.boards.iter().map(|board| {
            let own = rank_on(board, name);
            let better = complete.iter().filter(|other| rank_on(board, other) < own).count();
            1.0 + better as f64
        });
        ranks.sum::<f64>() / page.boards.len() as f64
    };
    let one = |(name, whole): (&&'a str, Result<(), String>)| (*name, whole.map(|()| average(name)));
    page.rows.iter().zip(whole).map(one).collect()
}

/// Whether a row is ranked on all boards, and is the same method there.
fn is_whole(page: &Page<'_>, name: &str) -> Result<(), String> {
    let missing: Vec<&str> = page
        .boards
        .iter()
        .enumerate()
        .filter(|(_, board)| !board.rows.iter().any(|row| row.method == name && row.rank.is_some()))
        .map(|(index, _)| page.labels[index].as_str())
        .collect();
    match missing.as_slice() {
        [] => {}
        [one] => return Err(format!("none: not ranked on {one}")),
        many => return Err(format!("none: not ranked on {} of {} boards", many.len(), page.boards.len())),
    }
    let made: Vec<Value> = (0..page.boards.len())
        .filter_map(|board| page.source(board, name).first().copied())
        .map(|record| without_data(without_builds(serde_json::json!(crate::build::composition(record)))))
        .collect();
    if made.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err("none: of another composition on each board".to_owned());
    }
    Ok(())
}

/// A composition without what belongs to a dataset: hashes of its files, and whose molecules left a pretraining.
fn without_data(mut composition: Value) -> Value {
    match &mut composition {
        Value::Object(members) => {
            for member in ["sha256", "data_sha256", "leave_out", "left_out"] {
                members.remove(member);
            }
            members.values_mut().for_each(|value| *value = without_data(value.take()));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = without_data(value.take())),
        _ => {}
    }
    composition
}
