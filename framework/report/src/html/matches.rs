//! Boards of matching.

use super::glossary::Term;
use super::table::{Cell, Head, Table};
use super::text::{download, text};
use crate::match_md::range;
use crate::units::{NONE, duration, hundredfold, memory};
use crate::{MatchBoard, MatchRow, MeanSd};

pub(super) fn section(boards: &[MatchBoard]) -> String {
    if boards.is_empty() {
        return String::new();
    }
    let mut html = "<section id=matches aria-labelledby=matches-h><h2 id=matches-h>Matching</h2>\n\
        <p>Each query molecule ranks profiles; all of its own are relevant, and ties count against the method. NDCG, HIT and \
        the reciprocal rank (MRR) are means over queries, x100, then mean ± sample standard deviation over seeds; 95 % is the \
        percentile interval over queries and seeds.</p>\n"
        .to_owned();
    for (index, board) in boards.iter().enumerate() {
        html += &one(index, board);
    }
    let csv = crate::match_md::csv(boards);
    html + &format!(
        "<p class=d>Save these boards: {}.</p></section>\n",
        download("matching.csv", "text/csv", &csv)
    )
}

fn one(index: usize, board: &MatchBoard) -> String {
    let title = text(&crate::match_md::title(board));
    let mark = if board.simulated { " <b class=s>simulated</b>" } else { "" };
    let mut html = format!("<h3 id=m{index}>{title}{mark}</h3>\n");
    push!(
        html,
        "<p>{} query molecules with {} profiles of their own, among {} candidates.</p>\n",
        board.queries,
        board.relevant,
        board.profiles
    );
    let mut head = vec![Head::of("method", Term::Row), Head::of("seeds", Term::Seeds)];
    let intervals = board.has_intervals();
    head.extend(["NDCG@1", "NDCG@10", "HIT@1", "HIT@10"].map(Head::plain));
    head.extend(intervals.then(|| Head::plain("95 % of HIT@10")));
    head.push(Head::plain("MRR"));
    head.extend(intervals.then(|| Head::plain("95 % of MRR")));
    head.push(Head::plain("median rank"));
    let costs = board.rows.iter().any(|row| row.wall_s.is_some());
    if costs {
        head.extend([Head::of("time", Term::Time), Head::of("peak memory", Term::Memory)]);
    }
    head.push(Head::of("failed", Term::Failed));
    let caption = format!("Board of {title}");
    let rows = board.rows.iter().map(|row| cells(row, intervals, costs)).collect();
    html += &Table { id: format!("m{index}-t"), caption, is_text: false, head, rows }.render();
    let failures =
        board.rows.iter().flat_map(|row| row.failures.iter().map(|failure| failure.line(&row.method)));
    let notes: Vec<String> =
        board.notes.iter().cloned().chain(failures).map(|note| format!("<li>{}", text(&note))).collect();
    if !notes.is_empty() {
        push!(html, "<ul class=n>{}</ul>\n", notes.join("\n"));
    }
    html
}

fn cells(row: &MatchRow, intervals: bool, costs: bool) -> Vec<Cell> {
    let mut name = text(&row.method);
    if !row.confined {
        name += " <small>(not confined)</small>";
    }
    let mut cells = vec![Cell::html(name), Cell::number(row.seeds.to_string(), Some(row.seeds as f64))];
    let scored = |of: MeanSd| Cell::number(hundredfold(of.mean, of.std), of.mean);
    let interval = |of: Option<[f64; 2]>| Cell::number(range(of), of.map(|[low, _]| low));
    cells.extend([row.ndcg_1, row.ndcg_10, row.hit_1, row.hit_10].map(scored));
    cells.extend(intervals.then(|| interval(row.hit_10_interval)));
    cells.push(scored(row.mrr));
    cells.extend(intervals.then(|| interval(row.mrr_interval)));
    let median = row.median_rank.mean;
    cells.push(Cell::number(median.map_or(NONE.to_owned(), |rank| format!("{rank:.0}")), median));
    if costs {
        cells.push(Cell::number(duration(row.wall_s), row.wall_s));
        cells.push(Cell::number(memory(row.peak_rss_mb), row.peak_rss_mb));
    }
    let failed: usize = row.failures.iter().map(|failure| failure.seeds.len()).sum();
    cells.push(Cell::number(
        if failed == 0 { NONE.to_owned() } else { failed.to_string() },
        Some(failed as f64),
    ));
    cells
}
