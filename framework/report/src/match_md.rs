//! Matching boards as Markdown, in the form of Table 4 of arXiv 2406.12056, and as CSV.

use molarena_data::Protocol;

use crate::csv::table;
use crate::md::escape;
use crate::table::markdown;
use crate::units::{NONE, duration, hundredfold, memory};
use crate::{MatchBoard, MatchRow, MeanSd};

/// The text above the matching boards.
pub(crate) const LEGEND: &str = "\
For matching, each query molecule ranks profiles; all of its own are relevant, and ties count against the method. NDCG,
HIT and the reciprocal rank (MRR) are means over queries, x100, then mean±sample standard deviation over seeds; 95 %: percentile
interval over queries and seeds, where the records have the ranks.
";

pub(crate) fn section(board: &MatchBoard) -> String {
    let costs = board.rows.iter().any(|row| row.wall_s.is_some());
    let intervals = board.has_intervals();
    let rows: Vec<_> = board.rows.iter().map(|row| cells(row, intervals, costs)).collect();
    let mut lines = vec![String::new(), heading(board), String::new(), facts(board), String::new()];
    lines.extend(markdown(&head(intervals, costs), &rows));
    let failures =
        board.rows.iter().flat_map(|row| row.failures.iter().map(|failure| failure.line(&row.method)));
    let below: Vec<String> = board.notes.iter().cloned().chain(failures).map(|note| escape(&note)).collect();
    if !below.is_empty() {
        lines.push(String::new());
    }
    lines.extend(below.into_iter().map(|line| format!("- {line}")));
    lines.join("\n") + "\n"
}

fn heading(board: &MatchBoard) -> String {
    format!("## {}", escape(&title(board)))
}

/// What the board is of, as text that is not escaped.
pub(crate) fn title(board: &MatchBoard) -> String {
    let seeded = board.split.parse::<Protocol>().is_ok_and(Protocol::uses_seed);
    let seed = if seeded { format!(" (seed {})", board.split_seed) } else { String::new() };
    let simulated = if board.simulated { " (simulated)" } else { "" };
    format!("{}{simulated}, {} profiles, {} split{seed}: match", board.context, board.space, board.split)
}

fn facts(board: &MatchBoard) -> String {
    let simulated = if board.simulated { " **Simulated data: says nothing about chemistry.**" } else { "" };
    let [context, split] = board.hashes();
    let which = if board.candidates == "test" { "of the queries" } else { "of the context" };
    format!(
        "{} query molecules with {} profiles of their own; {} candidates, all profiles {which}. Molecules with a profile \
         in {} are split. Context `{context}`, split `{split}`.{simulated}",
        board.queries,
        board.relevant,
        board.profiles,
        escape(&board.spaces.join(" or ")),
    )
}

fn head(intervals: bool, costs: bool) -> Vec<String> {
    let mut head = vec!["method", "seeds", "NDCG@1", "NDCG@10", "HIT@1", "HIT@10"];
    head.extend(intervals.then_some("95 %"));
    head.push("MRR");
    head.extend(intervals.then_some("95 %"));
    head.push("median rank");
    if costs {
        head.extend(["time", "peak memory"]);
    }
    head.push("failed");
    head.into_iter().map(ToOwned::to_owned).collect()
}

fn cells(row: &MatchRow, intervals: bool, costs: bool) -> Vec<String> {
    let mut name = escape(&row.method);
    if !row.confined {
        name += " (not confined)";
    }
    let mut cells = vec![name, row.seeds.to_string()];
    let scored = |MeanSd { mean, std }: MeanSd| hundredfold(mean, std);
    cells.extend([row.ndcg_1, row.ndcg_10, row.hit_1, row.hit_10].map(scored));
    cells.extend(intervals.then(|| range(row.hit_10_interval)));
    cells.push(scored(row.mrr));
    cells.extend(intervals.then(|| range(row.mrr_interval)));
    cells.push(row.median_rank.mean.map_or(NONE.to_owned(), |rank| format!("{rank:.0}")));
    if costs {
        cells.extend([duration(row.wall_s), memory(row.peak_rss_mb)]);
    }
    let failed: usize = row.failures.iter().map(|failure| failure.seeds.len()).sum();
    cells.push(if failed == 0 { NONE.to_owned() } else { failed.to_string() });
    cells
}

/// An interval, x100.
pub(crate) fn range(interval: Option<[f64; 2]>) -> String {
    interval.map_or(NONE.to_owned(), |[low, high]| format!("{:.1}–{:.1}", 100.0 * low, 100.0 * high))
}

/// The columns of the CSV of matching boards.
const COLUMNS: [&str; 32] = [
    "context",
    "space",
    "split",
    "split_seed",
    "split_sha256",
    "context_key",
    "candidates",
    "queries",
    "profiles",
    "relevant",
    "method",
    "confined",
    "seeds",
    "ndcg_1",
    "ndcg_1_std",
    "ndcg_10",
    "ndcg_10_std",
    "hit_1",
    "hit_1_std",
    "hit_10",
    "hit_10_std",
    "mrr",
    "mrr_std",
    "median_rank",
    "failed",
    "simulated",
    "wall_s",
    "verified",
    "hit_10_low",
    "hit_10_high",
    "mrr_low",
    "mrr_high",
];

/// The CSV of matching boards: one line per board and method.
pub(crate) fn csv(boards: &[MatchBoard]) -> String {
    let mut lines = Vec::new();
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for board in boards {
        for row in &board.rows {
            let mut cells = vec![
                board.context.clone(),
                board.space.clone(),
                board.split.clone(),
                board.split_seed.to_string(),
                board.split_sha256.clone(),
                board.context_key.clone(),
                board.candidates.clone(),
                board.queries.to_string(),
                board.profiles.to_string(),
                board.relevant.to_string(),
                row.method.clone(),
                row.confined.to_string(),
                row.seeds.to_string(),
            ];
            for score in [row.ndcg_1, row.ndcg_10, row.hit_1, row.hit_10, row.mrr] {
                cells.extend([number(score.mean), number(score.std)]);
            }
            let failed: usize = row.failures.iter().map(|failure| failure.seeds.len()).sum();
            cells.extend([number(row.median_rank.mean), failed.to_string(), board.simulated.to_string()]);
            cells.extend([number(row.wall_s), row.verified.to_string()]);
            for interval in [row.hit_10_interval, row.mrr_interval] {
                let [low, high] = interval.map_or([None, None], |ends| ends.map(Some));
                cells.extend([number(low), number(high)]);
            }
            lines.push(cells);
        }
    }
    table(&COLUMNS, lines.into_iter())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::{match_failed, matched};
    use crate::{BoardOptions, build_matches};

    #[test]
    fn snapshots() {
        let records = [matched("m", 0, 0.5), matched("m", 1, 0.25), match_failed("slow", 0)];
        let boards = build_matches(&records, &BTreeSet::new(), BoardOptions::default());
        insta::assert_snapshot!(section(&boards[0]), @r###"
        ## c, e profiles, scaffold split (seed 0): match

        4 query molecules with 5 profiles of their own; 40 candidates, all profiles of the context. Molecules with a profile in m or e are split. Context `aaaaaaaa`, split `bbbbbbbb`.

        | method | seeds |   NDCG@1 |  NDCG@10 |    HIT@1 |   HIT@10 |       95 % |       MRR |      95 % | median rank |  time | peak memory | failed |
        |:-------|------:|---------:|---------:|---------:|---------:|-----------:|----------:|----------:|------------:|------:|------------:|-------:|
        | m      |     2 | 25.0±0.0 | 50.0±0.0 | 25.0±0.0 | 75.0±0.0 | 25.0–100.0 | 37.5±17.7 | 17.0–81.2 |           2 | 2.0 s |     200 MiB |      – |
        | slow   |     0 |        – |        – |        – |        – |          – |         – |         – |           – | 2.0 s |     200 MiB |      1 |

        - Pretrained on c without 7 molecules of it (leave out: queries of e, m), once for all seeds in 2.0 min (4.0 min of processors, 300 MiB): m, slow.
        - Failed: slow, seed 0, timeout: over the limit of 1s (store show slow-0)
        "###);
        let text = csv(&boards);
        let lines: Vec<&str> = text.lines().collect();
        let hashes = format!("{},{}", "b".repeat(64), "a".repeat(64));
        let scores = "0.25,0,0.5,0,0.25,0,0.75,0,0.375,0.1767766952966369,2,0,false,2,0,0.25,1,0.17045454680919647,0.8125";
        assert_eq!(lines[0], COLUMNS.join(","));
        assert_eq!(lines[1], format!("c,e,scaffold,0,{hashes},all,4,40,5,m,true,2,{scores}"));
        assert_eq!(
            lines[2],
            format!("c,e,scaffold,0,{hashes},all,4,40,5,slow,true,0,,,,,,,,,,,,1,false,2,0,,,,")
        );
    }
}
