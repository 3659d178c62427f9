//! Boards as CSV: one line per board and method.

use molarena_evaluate::SeenCorpus;
use molarena_record::text::visible;

use crate::{Board, Boards, Row, match_md};

/// The columns, the same for all boards; a value that a board or a row lacks is an empty cell.
const COLUMNS: [&str; 49] = [
    "dataset",
    "split",
    "split_seed",
    "split_sha256",
    "data_sha256",
    "task_type",
    "metric",
    "tasks",
    "undefined_tasks",
    "method",
    "scoring",
    "shuffled_labels",
    "confined",
    "seeds",
    "mean",
    "std",
    "gt80",
    "gt80_std",
    "gt85",
    "gt85_std",
    "gt90",
    "gt90_std",
    "failed",
    "failed_reasons",
    "simulated",
    "wall_s",
    "peak_rss_mb",
    "corpus",
    "left_out",
    "pretrain_wall_s",
    "pretrain_peak_rss_mb",
    "rank",
    "coverage",
    "selected_on",
    "settings",
    "confidence",
    "low",
    "high",
    "rank_best",
    "rank_worst",
    "ties",
    "twins",
    "without_twins",
    "without_twins_std",
    "own",
    "verified",
    "imported",
    "seen",
    "profiled",
];

/// Matching boards have other columns, so they are written only if there are no other boards.
pub(crate) fn render(boards: &Boards) -> String {
    if boards.boards.is_empty() && !boards.matches.is_empty() {
        return match_md::csv(&boards.matches);
    }
    let rows = boards.boards.iter().flat_map(|board| board.rows.iter().map(|row| cells(board, row)));
    table(&COLUMNS, rows)
}

/// A CSV text of the columns `head`. Cells are data as they are, but visible and on one line.
pub(crate) fn table<R: AsRef<[String]>>(head: &[&str], rows: impl Iterator<Item = R>) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(head).expect("a Vec takes every write");
    for row in rows {
        let cells = row.as_ref().iter().map(|cell| visible(cell).into_owned());
        writer.write_record(cells.collect::<Vec<_>>()).expect("a Vec takes every write");
    }
    let bytes = writer.into_inner().expect("a Vec takes every write");
    String::from_utf8(bytes).expect("every cell is UTF-8")
}

/// The cells of a row, in the order of [`COLUMNS`].
fn cells(board: &Board, row: &Row) -> [String; COLUMNS.len()] {
    let pretraining = row.pretraining.as_ref();
    let statistics = row.statistics.as_ref();
    let reasons: Vec<String> = row.failed.iter().map(|(reason, count)| format!("{reason}:{count}")).collect();
    [
        board.dataset.clone(),
        board.split.clone(),
        board.split_seed.to_string(),
        board.split_sha256.clone(),
        board.data_sha256.clone(),
        board.task_type.to_string(),
        board.metric.to_string(),
        board.tasks.len().to_string(),
        board.undefined_tasks.len().to_string(),
        row.method.clone(),
        row.scoring.to_string(),
        row.shuffled_labels.to_string(),
        row.confined.to_string(),
        row.seeds.to_string(),
        number(row.mean),
        number(row.std),
        number(row.gt80),
        number(row.gt80_std),
        number(row.gt85),
        number(row.gt85_std),
        number(row.gt90),
        number(row.gt90_std),
        row.failed.values().sum::<usize>().to_string(),
        reasons.join(";"),
        board.simulated.to_string(),
        number(row.wall_s),
        number(row.peak_rss_mb),
        pretraining.map(|pretraining| pretraining.corpus.clone()).unwrap_or_default(),
        pretraining.map(|pretraining| pretraining.left_out.to_string()).unwrap_or_default(),
        number(pretraining.and_then(|pretraining| pretraining.wall_s)),
        number(pretraining.and_then(|pretraining| pretraining.peak_rss_mb)),
        count(row.rank),
        number(Some(row.coverage)),
        row.selected_on.to_string(),
        row.settings.to_string(),
        number(board.uncertainty.as_ref().map(|uncertainty| uncertainty.confidence)),
        number(statistics.map(|statistics| statistics.low)),
        number(statistics.map(|statistics| statistics.high)),
        count(statistics.and_then(|statistics| statistics.rank_best)),
        count(statistics.and_then(|statistics| statistics.rank_worst)),
        statistics.map(|statistics| statistics.ties.join(" ")).unwrap_or_default(),
        count(board.uncertainty.as_ref().map(|uncertainty| uncertainty.twins)),
        number(statistics.and_then(|statistics| statistics.without_twins)),
        number(statistics.and_then(|statistics| statistics.without_twins_std)),
        board.own.to_string(),
        row.verified.to_string(),
        row.imported.to_string(),
        statistics.map(|statistics| seen(&statistics.corpora)).unwrap_or_default(),
        number(row.profiled),
    ]
}

/// The shortest decimal that reads back as the same number, `1e30` for a large one.
fn number(value: Option<f64>) -> String {
    let text = |value: f64| if value.abs() < 1e17 { value.to_string() } else { format!("{value:e}") };
    value.map(text).unwrap_or_default()
}

/// Each corpus and its share: `context-open:0;pcba:`, with nothing for a share that is not known.
fn seen(corpora: &[SeenCorpus]) -> String {
    let one = |seen: &SeenCorpus| format!("{}:{}", seen.corpus, number(seen.share));
    corpora.iter().map(one).collect::<Vec<_>>().join(";")
}

fn count(value: Option<usize>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use crate::{BoardOptions, build};

    #[test]
    fn snapshot() {
        let boards = build(&sample(), BoardOptions { cost: true });
        insta::assert_snapshot!(render(&boards), @r###"
        dataset,split,split_seed,split_sha256,data_sha256,task_type,metric,tasks,undefined_tasks,method,scoring,shuffled_labels,confined,seeds,mean,std,gt80,gt80_std,gt85,gt85_std,gt90,gt90_std,failed,failed_reasons,simulated,wall_s,peak_rss_mb,corpus,left_out,pretrain_wall_s,pretrain_peak_rss_mb,rank,coverage,selected_on,settings,confidence,low,high,rank_best,rank_worst,ties,twins,without_twins,without_twins_std,own,verified,imported,seen,profiled
        biogen3k,infoalign,3,bbbbbbbbbbbbbbbb,aaaaaaaaaaaaaaaa,regression,mae,2,0,morgan-rf,probability,false,true,1,0.471,,,,,,,,0,,false,246,1536,,,,,1,1,none,0,,,,,,,,,,true,0,false,,
        biogen3k,infoalign,3,bbbbbbbbbbbbbbbb,aaaaaaaaaaaaaaaa,regression,mae,2,0,constant,probability,false,true,1,0.706,,,,,,,,0,,false,246,1536,,,,,2,1,none,0,,,,,,,,,,true,0,false,,
        chembl2k,infoalign,3,bbbbbbbbbbbbbbbb,aaaaaaaaaaaaaaaa,classification,roc_auc,3,1,morgan-rf,probability,false,true,2,0.859375,0.02209708691207961,0.75,0.3535533905932738,0.5,0,0.25,0.3535533905932738,1,panic:1,false,2,200,,,,,1,0.6666666666666666,none,0,,,,,,,,,,true,0,false,,
        chembl2k,infoalign,3,bbbbbbbbbbbbbbbb,aaaaaaaaaaaaaaaa,classification,roc_auc,3,1,morgan-rf-hard,hard,false,true,1,0.5625,,0,,0,,0,,0,,false,2,200,,,,,,1,none,0,,,,,,,,,,true,0,false,,
        chembl2k,infoalign,3,bbbbbbbbbbbbbbbb,aaaaaaaaaaaaaaaa,classification,roc_auc,3,1,morgan-rf+shuffled,probability,true,false,1,0.5,,0,,0,,0,,0,,false,2,200,,,,,,1,none,0,,,,,,,,,,true,0,false,,
        chembl2k,infoalign,3,bbbbbbbbbbbbbbbb,aaaaaaaaaaaaaaaa,classification,roc_auc,3,1,slow|plugin,probability,false,true,0,,,,,,,,,2,timeout:2,false,2,200,,,,,,0,none,0,,,,,,,,,,true,0,false,,
        "###);
    }

    #[test]
    fn without_costs_their_cells_are_empty() {
        let text = render(&build(&sample(), BoardOptions { cost: false }));
        assert!(text.lines().skip(1).all(|line| line.contains(",,,,,,,")), "{text}");
    }

    #[test]
    fn without_records_there_are_still_columns() {
        let text = render(&build(&[], BoardOptions::default()));
        assert_eq!(text.lines().collect::<Vec<_>>(), [COLUMNS.join(",")]);
    }

    #[test]
    fn numbers_read_back_as_they_were() {
        for value in [0.1 + 0.2, 1e-300, 0.0, -7.0 / 3.0, f64::MAX] {
            assert_eq!(number(Some(value)).parse(), Ok(value));
        }
    }
}
