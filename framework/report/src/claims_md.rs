//! A report on a paper's claims as Markdown that reads well as text, too.

use molarena_evaluate::claims::{
    ClaimComparison, ClaimCounts, ClaimOnDataset, ClaimResult, ClaimVerdict, ClaimsReport, JudgedClaim,
    MissingRow,
};

use crate::comparison_md::p;
use crate::md::escape;
use crate::table::markdown;
use crate::units::{NONE, points, score, signed_points};

/// A report on a paper's claims as Markdown.
pub fn claims_as_markdown(report: &ClaimsReport) -> String {
    let mut lines = head(report);
    lines.extend(summary(report));
    for claim in &report.claims {
        lines.push(String::new());
        lines.extend(section(claim, report));
    }
    lines.extend(missing(&report.missing));
    lines.join("\n") + "\n"
}

fn head(report: &ClaimsReport) -> Vec<String> {
    let ClaimsReport { paper, command, confidence, resamples, counts, claims, .. } = report;
    let count = claims.len();
    vec![
        format!("# What holds of \"{}\"", escape(&paper.title)),
        String::new(),
        format!(
            "The paper is at <{}>. This page is generated from stored predictions; the command that makes it again is",
            paper.url
        ),
        String::new(),
        format!("    {command}"),
        String::new(),
        format!(
            "{count} claim{} on {}: {}.",
            if count == 1 { "" } else { "s" },
            match report.datasets.len() {
                1 => "1 dataset".to_owned(),
                datasets => format!("{datasets} datasets"),
            },
            tally(*counts)
        ),
        String::new(),
        format!(
            "A claim is about a row and says that it is better than others, worse, or equal to them within a margin. The paired \
             bootstrap over molecules and seeds ({resamples} resamples) compares the rows on the same test molecules and seeds. \
             With a {:.0} % interval of the difference:",
            confidence * 100.0
        ),
        String::new(),
        "- **holds**: the difference goes the way that the paper says and the interval excludes 0; of equal rows, the interval \
         lies within the margin."
            .to_owned(),
        "- **does not hold**: the difference goes the other way and the interval excludes 0; of equal rows, the interval lies \
         outside of the margin."
            .to_owned(),
        "- **open**: these data cannot tell.".to_owned(),
        "- **not measured**: a row is missing, or the rows cannot be compared.".to_owned(),
        String::new(),
        format!(
            "A claim against several rows holds where every comparison holds. It does not hold where one comparison goes the \
             other way with a p value, corrected by Holm's method for their number, of at most {:.2}. No correction is made for \
             the number of claims and datasets. Scores are means over tasks, x100, then mean±sample standard deviation over seeds; a \
             difference is the claim's row less the other.",
            1.0 - confidence
        ),
    ]
}

/// Verdicts and their numbers: `2 hold, 1 does not hold, 0 are open, 1 is not measured`.
fn tally(counts: ClaimCounts) -> String {
    let said =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    format!(
        "of {}, {}, {}, {}, {}",
        said(counts.all(), "verdict", "verdicts"),
        said(counts.holds, "holds", "hold"),
        said(counts.does_not_hold, "does not hold", "do not hold"),
        said(counts.open, "is open", "are open"),
        said(counts.not_measured, "is not measured", "are not measured")
    )
}

fn summary(report: &ClaimsReport) -> Vec<String> {
    let mut head = vec!["claim".to_owned(), "source".to_owned()];
    head.extend(report.datasets.iter().map(|dataset| escape(dataset)));
    head.push("holds on".to_owned());
    let row = |claim: &JudgedClaim| {
        let mut cells = vec![claim.name.clone(), escape(&claim.source)];
        cells.extend(report.datasets.iter().map(|dataset| {
            let on = claim.datasets.iter().find(|on| on.dataset == *dataset);
            on.map_or_else(|| NONE.to_owned(), |on| on.verdict.to_string())
        }));
        cells.push(holds_on(claim.counts));
        cells
    };
    let rows: Vec<Vec<String>> = report.claims.iter().map(row).collect();
    let mut lines = vec![String::new(), "## Summary".to_owned(), String::new()];
    lines.extend(markdown(&head, &rows));
    if !report.notes.is_empty() {
        lines.push(String::new());
        lines.extend(report.notes.iter().map(|note| format!("- {}", escape(note.trim()))));
    }
    lines
}

fn holds_on(counts: ClaimCounts) -> String {
    format!("{} of {}", counts.holds, counts.all())
}

fn section(claim: &JudgedClaim, report: &ClaimsReport) -> Vec<String> {
    let mut lines = vec![
        format!("## {}", claim.name),
        String::new(),
        format!("> {} ({})", escape(&claim.text), escape(&claim.source)),
        String::new(),
        expectation(claim),
    ];
    if claim.datasets.is_empty() {
        return lines;
    }
    lines.push(String::new());
    let several_stores = report.stores.len() > 1;
    let mut head: Vec<String> = ["dataset", "against"].map(str::to_owned).into();
    head.push(escape(&claim.method));
    let rest = [
        "the other",
        "difference",
        "interval",
        "p",
        "p (Holm)",
        "p (Wilcoxon)",
        "win/tie/loss",
        "seeds",
        "verdict",
    ];
    head.extend(rest.map(str::to_owned));
    if several_stores {
        head.push("stores".to_owned());
    }
    let rows: Vec<Vec<String>> = claim
        .datasets
        .iter()
        .flat_map(|on| on.comparisons.iter().map(move |comparison| (on, comparison)))
        .map(|(on, comparison)| row(&on.dataset, comparison, several_stores))
        .collect();
    lines.extend(markdown(&head, &rows));
    let notes = notes(claim);
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes.into_iter().map(|note| format!("- {note}")));
    }
    lines
}

/// What the claim expects, and on how many datasets it holds, in two sentences.
fn expectation(claim: &JudgedClaim) -> String {
    let names: Vec<String> = claim.against.iter().map(|name| escape(name)).collect();
    let (others, each) = match names.as_slice() {
        [one] if claim.is_published => (format!("the printed figure of {one}"), ""),
        [one] => (one.clone(), ""),
        names => (names.join(", "), "each of "),
    };
    let how = match claim.within {
        Some(within) => format!("equal to {each}{others} within {}", points(within)),
        None => format!("{} than {each}{others}", claim.expect),
    };
    let ClaimCounts { does_not_hold, open, not_measured, .. } = claim.counts;
    let rest: Vec<String> =
        [(does_not_hold, "does not hold"), (open, "is open"), (not_measured, "is not measured")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{what} on {count}"))
            .collect();
    let datasets = if claim.counts.all() == 1 { "dataset" } else { "datasets" };
    let found = match (claim.counts.all(), rest.is_empty()) {
        (0, _) => "It is not measured: no dataset has rows of both sides.".to_owned(),
        (_, true) => format!("It holds on {} {datasets}.", holds_on(claim.counts)),
        (_, false) => format!("It holds on {} {datasets}, {}.", holds_on(claim.counts), rest.join(", ")),
    };
    format!("{} should be {how}. {found}", escape(&claim.method))
}

fn row(dataset: &str, comparison: &ClaimComparison, several_stores: bool) -> Vec<String> {
    let ClaimComparison { against, verdict, result, .. } = comparison;
    let mut cells = vec![escape(dataset), escape(against)];
    match result {
        Some(result) => cells.extend(result_cells(result)),
        None => cells.extend(std::iter::repeat_n(NONE.to_owned(), 9)),
    }
    cells.push(verdict.to_string());
    if several_stores {
        let stores = result.as_ref().map(|result| {
            let names = [&result.first.store, &result.second.store].into_iter().flatten();
            let mut names: Vec<String> = names.map(|name| escape(name)).collect();
            names.dedup();
            names.join(", ")
        });
        cells.push(stores.unwrap_or_else(|| NONE.to_owned()));
    }
    cells
}

fn result_cells(result: &ClaimResult) -> [String; 9] {
    let ClaimResult { metric, first, second, .. } = result;
    let p_cell = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), p);
    [
        score(*metric, Some(first.mean), first.std),
        score(*metric, Some(second.mean), second.std),
        signed_points(result.difference),
        format!("{} to {}", signed_points(result.low), signed_points(result.high)),
        p_cell(result.p_value),
        p_cell(result.p_holm),
        p_cell(result.wilcoxon_p_value),
        result.tasks.map_or_else(
            || NONE.to_owned(),
            |tasks| format!("{}/{}/{}", tasks.wins, tasks.ties, tasks.losses),
        ),
        result.seeds.len().to_string(),
    ]
}

/// What is said below a claim's table; lines are escaped.
fn notes(claim: &JudgedClaim) -> Vec<String> {
    let results: Vec<(&ClaimOnDataset, &ClaimResult)> = claim
        .datasets
        .iter()
        .flat_map(|on| on.comparisons.iter().filter_map(move |c| Some((on, c.result.as_ref()?))))
        .collect();
    let mut notes: Vec<String> = claim.note.iter().map(|note| escape(note.trim())).collect();
    // Metrics of errors are named: there a negative difference is a gain.
    let mut errors: Vec<String> = results
        .iter()
        .filter(|(_, result)| !result.metric.higher_is_better())
        .map(|(on, result)| format!("{} ({})", escape(&on.dataset), result.metric))
        .collect();
    errors.dedup();
    if !errors.is_empty() {
        notes.push(format!("Lower is better on {}.", errors.join(", ")));
    }
    if claim.is_published && !results.is_empty() {
        notes.push(
            "The interval is that of the t test over the row's seeds: both figures are of the same test molecules, and the printed \
             one, which has no predictions, counts as exact."
                .to_owned(),
        );
    }
    for on in &claim.datasets {
        let unmeasured = on.comparisons.iter().filter(|c| c.verdict == ClaimVerdict::NotMeasured);
        for comparison in unmeasured {
            let reason = comparison.reason.as_deref().unwrap_or("there is no result");
            let (dataset, against) = (escape(&on.dataset), escape(&comparison.against));
            notes.push(format!("{dataset}, {against}: not measured: {}.", escape(reason)));
        }
    }
    notes
}

/// Rows that no store has, and the commands that make them.
fn missing(rows: &[MissingRow]) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let head = ["row", "no store has it on", "command"].map(str::to_owned);
    let row = |row: &MissingRow| {
        let (datasets, named) = if row.datasets.is_empty() {
            ("any dataset".to_owned(), " --dataset ID".to_owned())
        } else {
            let named = row.datasets.iter().map(|dataset| format!(" --dataset {dataset}"));
            (escape(&row.datasets.join(", ")), named.collect())
        };
        let command = format!("`molarena run{named} --method {} --seeds 5`", row.row);
        vec![escape(&row.row), datasets, command.replace('|', "\\|")]
    };
    let table: Vec<Vec<String>> = rows.iter().map(row).collect();
    let mut lines = vec![
        String::new(),
        "## Rows that are missing".to_owned(),
        String::new(),
        "Claims name these rows, and no store of the command has them.".to_owned(),
        String::new(),
    ];
    lines.extend(markdown(&head, &table));
    lines
}

#[cfg(test)]
mod tests {
    use molarena_evaluate::claims::{CLAIMS_REPORT_SCHEMA, ClaimSide, ClaimedPaper, TaskCounts};
    use molarena_metrics::Metric;

    use super::*;

    fn result(metric: Metric, difference: f64, printed: bool) -> ClaimResult {
        let side =
            |mean, store: Option<&str>| ClaimSide { mean, std: Some(0.012), store: store.map(str::to_owned) };
        ClaimResult {
            split: "infoalign".into(),
            metric,
            seeds: vec![0, 1, 2],
            first: side(0.7543 + difference, Some("one")),
            second: side(0.7543, (!printed).then_some("two")),
            difference,
            low: difference - 0.01,
            high: difference + 0.01,
            p_value: (!printed).then_some(0.00005),
            p_holm: (!printed).then_some(0.02),
            wilcoxon_p_value: (!printed).then_some(0.3),
            tasks: (!printed).then_some(TaskCounts { wins: 3, ties: 0, losses: 2 }),
        }
    }

    fn comparison(against: &str, verdict: ClaimVerdict, result: Option<ClaimResult>) -> ClaimComparison {
        let reason = result.is_none().then(|| format!("no store has a row {against} on x"));
        ClaimComparison { against: against.into(), verdict, reason, result }
    }

    fn claim(name: &str, against: &[&str], datasets: Vec<ClaimOnDataset>) -> JudgedClaim {
        JudgedClaim {
            name: name.into(),
            text: "A is better than <B> | C.".into(),
            source: "Table 2".into(),
            method: "a".into(),
            against: against.iter().map(ToString::to_string).collect(),
            is_published: false,
            expect: "better".into(),
            within: None,
            counts: ClaimCounts::of(datasets.iter().map(|on| on.verdict)),
            datasets,
            note: None,
        }
    }

    fn on(dataset: &str, verdict: ClaimVerdict, comparisons: Vec<ClaimComparison>) -> ClaimOnDataset {
        ClaimOnDataset { dataset: dataset.into(), verdict, comparisons }
    }

    fn report() -> ClaimsReport {
        use ClaimVerdict::{DoesNotHold, Holds, NotMeasured, Open};
        let first = on(
            "chembl2k",
            Open,
            vec![
                comparison("b", Holds, Some(result(Metric::RocAuc, 0.03, false))),
                comparison("c", NotMeasured, None),
            ],
        );
        let second = on(
            "biogen3k",
            DoesNotHold,
            vec![
                comparison("b", DoesNotHold, Some(result(Metric::Mae, 0.03, false))),
                comparison("c", NotMeasured, None),
            ],
        );
        let printed =
            on("chembl2k", Holds, vec![comparison("a", Holds, Some(result(Metric::RocAuc, 0.001, true)))]);
        let claims = vec![
            claim("ahead", &["b", "c"], vec![first, second]),
            JudgedClaim {
                is_published: true,
                expect: "equal".into(),
                within: Some(0.015),
                note: Some("As printed.".into()),
                ..claim("reproduced", &["a"], vec![printed])
            },
            claim("nowhere", &["d"], Vec::new()),
        ];
        let missing = [("c", vec!["chembl2k", "biogen3k"]), ("d", vec![])];
        ClaimsReport {
            schema: CLAIMS_REPORT_SCHEMA.into(),
            paper: ClaimedPaper { title: "A *paper*".into(), url: "https://arxiv.org/abs/1".into() },
            command: "molarena claims claims.toml --store one --store two".into(),
            confidence: 0.95,
            resamples: 2000,
            stores: vec!["one".into(), "two".into()],
            datasets: vec!["chembl2k".into(), "biogen3k".into()],
            counts: ClaimCounts::of(
                claims.iter().flat_map(|claim| claim.datasets.iter().map(|on| on.verdict)),
            ),
            claims,
            missing: missing
                .map(|(row, datasets)| MissingRow {
                    row: row.into(),
                    datasets: datasets.into_iter().map(str::to_owned).collect(),
                })
                .into(),
            notes: vec!["Matching is elsewhere.".into()],
        }
    }

    #[test]
    fn json_is_as_the_schema_says() {
        let schemas = molarena_evaluate::schemas::all();
        let (_, _, schema) = schemas.iter().find(|(name, ..)| *name == CLAIMS_REPORT_SCHEMA).unwrap();
        let validator = jsonschema::validator_for(schema).unwrap();
        let mut document = serde_json::to_value(report()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        document["claims"][0]["datasets"][0]["verdict"] = "perhaps".into();
        assert!(!validator.is_valid(&document));
    }

    #[test]
    fn markdown_snapshot() {
        insta::assert_snapshot!(claims_as_markdown(&report()), @r###"
        # What holds of "A \*paper\*"

        The paper is at <https://arxiv.org/abs/1>. This page is generated from stored predictions; the command that makes it again is

            molarena claims claims.toml --store one --store two

        3 claims on 2 datasets: of 3 verdicts, 1 holds, 1 does not hold, 1 is open, 0 are not measured.

        A claim is about a row and says that it is better than others, worse, or equal to them within a margin. The paired bootstrap over molecules and seeds (2000 resamples) compares the rows on the same test molecules and seeds. With a 95 % interval of the difference:

        - **holds**: the difference goes the way that the paper says and the interval excludes 0; of equal rows, the interval lies within the margin.
        - **does not hold**: the difference goes the other way and the interval excludes 0; of equal rows, the interval lies outside of the margin.
        - **open**: these data cannot tell.
        - **not measured**: a row is missing, or the rows cannot be compared.

        A claim against several rows holds where every comparison holds. It does not hold where one comparison goes the other way with a p value, corrected by Holm's method for their number, of at most 0.05. No correction is made for the number of claims and datasets. Scores are means over tasks, x100, then mean±sample standard deviation over seeds; a difference is the claim's row less the other.

        ## Summary

        | claim      |  source | chembl2k |      biogen3k | holds on |
        |:-----------|--------:|---------:|--------------:|---------:|
        | ahead      | Table 2 |     open | does not hold |   0 of 2 |
        | reproduced | Table 2 |    holds |             – |   1 of 1 |
        | nowhere    | Table 2 |        – |             – |   0 of 0 |

        - Matching is elsewhere.

        ## ahead

        > A is better than \<B\> \| C. (Table 2)

        a should be better than each of b, c. It holds on 0 of 2 datasets, does not hold on 1, is open on 1.

        | dataset  | against |        a | the other | difference |       interval |       p | p (Holm) | p (Wilcoxon) | win/tie/loss | seeds |       verdict |   stores |
        |:---------|--------:|---------:|----------:|-----------:|---------------:|--------:|---------:|-------------:|-------------:|------:|--------------:|---------:|
        | chembl2k |       b | 78.4±1.2 |  75.4±1.2 |      +3.00 | +2.00 to +4.00 | <0.0001 |   0.0200 |       0.3000 |        3/0/2 |     3 |         holds | one, two |
        | chembl2k |       c |        – |         – |          – |              – |       – |        – |            – |            – |     – |  not measured |        – |
        | biogen3k |       b | 78.4±1.2 |  75.4±1.2 |      +3.00 | +2.00 to +4.00 | <0.0001 |   0.0200 |       0.3000 |        3/0/2 |     3 | does not hold | one, two |
        | biogen3k |       c |        – |         – |          – |              – |       – |        – |            – |            – |     – |  not measured |        – |

        - Lower is better on biogen3k (mae).
        - chembl2k, c: not measured: no store has a row c on x.
        - biogen3k, c: not measured: no store has a row c on x.

        ## reproduced

        > A is better than \<B\> \| C. (Table 2)

        a should be equal to the printed figure of a within 1.50. It holds on 1 of 1 dataset.

        | dataset  | against |        a | the other | difference |       interval |   p | p (Holm) | p (Wilcoxon) | win/tie/loss | seeds | verdict | stores |
        |:---------|--------:|---------:|----------:|-----------:|---------------:|----:|---------:|-------------:|-------------:|------:|--------:|-------:|
        | chembl2k |       a | 75.5±1.2 |  75.4±1.2 |      +0.10 | -0.90 to +1.10 |   – |        – |            – |            – |     3 |   holds |    one |

        - As printed.
        - The interval is that of the t test over the row's seeds: both figures are of the same test molecules, and the printed one, which has no predictions, counts as exact.

        ## nowhere

        > A is better than \<B\> \| C. (Table 2)

        a should be better than d. It is not measured: no dataset has rows of both sides.

        ## Rows that are missing

        Claims name these rows, and no store of the command has them.

        | row | no store has it on |                                                                   command |
        |:----|-------------------:|--------------------------------------------------------------------------:|
        | c   | chembl2k, biogen3k | `molarena run --dataset chembl2k --dataset biogen3k --method c --seeds 5` |
        | d   |        any dataset |                          `molarena run --dataset ID --method d --seeds 5` |
        "###);
    }
}
