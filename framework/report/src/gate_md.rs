//! A gate as Markdown that reads well as text, too, and as JUnit XML for CI.

use std::fmt::Write;

use molarena_evaluate::gate::{Gate, GateCheck, GateScores, GateVerdict, TimeCheck};
use molarena_record::text::visible;

use crate::md::escape;
use crate::table::markdown;
use crate::units::{NONE, points, signed_points};

/// A gate as Markdown.
pub fn gate_as_markdown(gate: &Gate) -> String {
    let count = |verdict: GateVerdict| gate.checks.iter().filter(|check| check.verdict == verdict).count();
    let said = match gate.verdict {
        GateVerdict::Ok => "no row got worse",
        GateVerdict::Regressed => "regressed",
        GateVerdict::Inconclusive => "inconclusive",
        GateVerdict::NotComparable => "not comparable",
    };
    let mut lines = vec![
        format!("## Gate: {said}"),
        String::new(),
        format!(
            "{} rows of the baseline: {} ok, {} regressed, {} inconclusive, {} not comparable.",
            gate.checks.len(),
            count(GateVerdict::Ok),
            count(GateVerdict::Regressed),
            count(GateVerdict::Inconclusive),
            count(GateVerdict::NotComparable)
        ),
        String::new(),
    ];
    let mut checks: Vec<&GateCheck> = gate.checks.iter().collect();
    // What needs a reader first.
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let head = ["row", "dataset", "gate", "baseline", "now", "gain", "interval", "margin", "seeds"];
    let rows: Vec<Vec<String>> = checks.iter().map(|check| row(check)).collect();
    lines.extend(markdown(&head.map(str::to_owned), &rows));
    let told = checks.iter().filter(|check| check.verdict != GateVerdict::Ok).map(|check| told(check));
    let notes: Vec<String> = told.chain(gate.times.iter().filter_map(time)).chain(new_rows(gate)).collect();
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes.into_iter().map(|note| format!("- {}", escape(&note))));
    }
    lines.join("\n") + "\n"
}

fn row(check: &GateCheck) -> Vec<String> {
    let scores = check.scores.as_ref();
    let number = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), points);
    let interval =
        scores.map(|scores| format!("{} to {}", signed_points(scores.low), signed_points(scores.high)));
    vec![
        escape(&check.row),
        escape(&check.dataset),
        check.verdict.to_string(),
        number(scores.map(|scores| scores.baseline)),
        number(scores.map(|scores| scores.store)),
        scores.map_or_else(|| NONE.to_owned(), |scores| signed_points(scores.gain)),
        interval.unwrap_or_else(|| NONE.to_owned()),
        number(scores.map(|scores| scores.margin)),
        scores.map_or_else(|| NONE.to_owned(), |scores| scores.seeds.to_string()),
    ]
}

/// Why a row is not ok, and what would settle it.
fn told(check: &GateCheck) -> String {
    let GateCheck { dataset, row, verdict, reason, scores, .. } = check;
    let mut text = format!("{dataset}, {row}: {verdict}: {reason}.");
    if let Some(GateScores { needed: Some(needed), .. }) = scores {
        let counts = [(needed.molecules, "test molecules"), (needed.seeds, "seeds")];
        let counts: Vec<String> =
            counts.iter().filter_map(|(count, what)| Some(format!("{} {what}", (*count)?))).collect();
        if !counts.is_empty() {
            let _ = write!(text, " If the loss is as large as it looks, {} would tell.", counts.join(" or "));
        }
    }
    text
}

fn time(check: &TimeCheck) -> Option<String> {
    let TimeCheck { dataset, row, baseline, store, second, is_slower, is_unconfirmed } = check;
    let said = if *is_slower {
        "slower in both runs"
    } else if *is_unconfirmed {
        "slower in one run; a second run would confirm it"
    } else {
        return None;
    };
    let second = second.map_or_else(String::new, |second| format!(" and {second:.2}"));
    Some(format!(
        "{dataset}, {row}: {said}: {store:.2}{second} times the reference's time, before {baseline:.2}."
    ))
}

fn new_rows(gate: &Gate) -> Option<String> {
    (!gate.new_rows.is_empty())
        .then(|| format!("Not in the baseline, and not checked: {}.", gate.new_rows.join("; ")))
}

/// A gate as JUnit XML: one test suite for each dataset, one test case for each row of the baseline. What regressed is a
/// failure, what is not comparable an error, what is inconclusive is skipped.
pub fn gate_as_junit(gate: &Gate) -> String {
    let mut datasets: Vec<&str> = gate.checks.iter().map(|check| check.dataset.as_str()).collect();
    datasets.dedup();
    let mut text =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"molarena gate\">\n");
    for dataset in datasets {
        let checks: Vec<&GateCheck> = gate.checks.iter().filter(|check| check.dataset == dataset).collect();
        let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            xml(dataset),
            checks.len(),
            count(GateVerdict::Regressed),
            count(GateVerdict::NotComparable),
            count(GateVerdict::Inconclusive)
        );
        for check in checks {
            let _ = write!(
                text,
                "    <testcase classname=\"{}\" name=\"{}\"",
                xml(&format!("{dataset}.{}", check.split)),
                xml(&check.row)
            );
            let element = match check.verdict {
                GateVerdict::Ok => {
                    text += "/>\n";
                    continue;
                }
                GateVerdict::Regressed => "failure",
                GateVerdict::NotComparable => "error",
                GateVerdict::Inconclusive => "skipped",
            };
            let _ = writeln!(text, "><{element} message=\"{}\"/></testcase>", xml(&told(check)));
        }
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

/// Text of an XML attribute, with hidden characters made visible.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use molarena_evaluate::{compare::Needs, gate::GATE_SCHEMA};
    use molarena_metrics::Metric;

    use super::*;

    fn check(row: &str, verdict: GateVerdict) -> GateCheck {
        let needed =
            (verdict == GateVerdict::Inconclusive).then_some(Needs { molecules: Some(900), seeds: None });
        GateCheck {
            dataset: "chembl2k".into(),
            split: "infoalign".into(),
            metric: Metric::RocAuc,
            row: row.into(),
            verdict,
            reason: "for a \"reason\" & another".into(),
            scores: (verdict != GateVerdict::NotComparable).then_some(GateScores {
                baseline: 0.7543,
                store: 0.7411,
                gain: -0.0132,
                low: -0.0301,
                high: 0.0027,
                margin: 0.01,
                seeds: 3,
                needed,
            }),
        }
    }

    fn gate() -> Gate {
        let checks = [
            ("morgan-rf", GateVerdict::Ok),
            ("a|b<c>", GateVerdict::Regressed),
            ("knn", GateVerdict::Inconclusive),
            ("gone", GateVerdict::NotComparable),
        ];
        Gate {
            schema: GATE_SCHEMA.into(),
            verdict: GateVerdict::Regressed,
            checks: checks.map(|(row, verdict)| check(row, verdict)).into(),
            times: vec![TimeCheck {
                dataset: "chembl2k".into(),
                row: "knn".into(),
                baseline: 0.5,
                store: 1.25,
                second: None,
                is_slower: false,
                is_unconfirmed: true,
            }],
            new_rows: vec!["chembl2k: new".into()],
        }
    }

    #[test]
    fn markdown_snapshot() {
        insta::assert_snapshot!(gate_as_markdown(&gate()), @r###"
        ## Gate: regressed

        4 rows of the baseline: 1 ok, 1 regressed, 1 inconclusive, 1 not comparable.

        | row       |  dataset |           gate | baseline |   now |  gain |       interval | margin | seeds |
        |:----------|---------:|---------------:|---------:|------:|------:|---------------:|-------:|------:|
        | a\|b\<c\> | chembl2k |      regressed |    75.43 | 74.11 | -1.32 | -3.01 to +0.27 |   1.00 |     3 |
        | gone      | chembl2k | not-comparable |        – |     – |     – |              – |      – |     – |
        | knn       | chembl2k |   inconclusive |    75.43 | 74.11 | -1.32 | -3.01 to +0.27 |   1.00 |     3 |
        | morgan-rf | chembl2k |             ok |    75.43 | 74.11 | -1.32 | -3.01 to +0.27 |   1.00 |     3 |

        - chembl2k, a\|b\<c\>: regressed: for a "reason" \& another.
        - chembl2k, gone: not-comparable: for a "reason" \& another.
        - chembl2k, knn: inconclusive: for a "reason" \& another. If the loss is as large as it looks, 900 test molecules would tell.
        - chembl2k, knn: slower in one run; a second run would confirm it: 1.25 times the reference's time, before 0.50.
        - Not in the baseline, and not checked: chembl2k: new.
        "###);
    }

    #[test]
    fn junit_snapshot() {
        insta::assert_snapshot!(gate_as_junit(&gate()), @r###"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="molarena gate">
          <testsuite name="chembl2k" tests="4" failures="1" errors="1" skipped="1">
            <testcase classname="chembl2k.infoalign" name="morgan-rf"/>
            <testcase classname="chembl2k.infoalign" name="a|b&lt;c&gt;"><failure message="chembl2k, a|b&lt;c&gt;: regressed: for a &quot;reason&quot; &amp; another."/></testcase>
            <testcase classname="chembl2k.infoalign" name="knn"><skipped message="chembl2k, knn: inconclusive: for a &quot;reason&quot; &amp; another. If the loss is as large as it looks, 900 test molecules would tell."/></testcase>
            <testcase classname="chembl2k.infoalign" name="gone"><error message="chembl2k, gone: not-comparable: for a &quot;reason&quot; &amp; another."/></testcase>
          </testsuite>
        </testsuites>
        "###);
    }
}
