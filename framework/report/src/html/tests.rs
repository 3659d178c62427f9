//! The page as a whole.

use std::collections::BTreeSet;

use molarena_evaluate::SeenCorpus;
use molarena_record::{cell::Outcome, cell::Record, key::key_of, parts::Reason};

use super::*;
use crate::testing::{classification, failed, matched, regression, sample};
use crate::{BoardOptions, RowUncertainty, Uncertainty, build, build_matches};

/// Tags without an end.
const VOID: [&str; 4] = ["meta", "br", "input", "!DOCTYPE"];

/// Tags whose end may be left out, and the tags that end them.
fn ends(open: &str, next: &str) -> bool {
    match open {
        "td" | "th" => matches!(next, "td" | "th" | "tr" | "/tr" | "/thead" | "/tbody" | "/table"),
        "tr" => matches!(next, "tr" | "/thead" | "/tbody" | "/table"),
        "li" => matches!(next, "li" | "/ul"),
        _ => false,
    }
}

/// A tag of the page: its name, with a `/` before it for an end, and its attributes.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

/// The tags of a page, and whether they fit into one another. Style and script must have been taken out.
fn parse(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "a stray > in {:?}", &rest[..start]);
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = tag(&rest[start + 1..end]);
        rest = &rest[end + 1..];
        while open.last().is_some_and(|last| ends(last, &tag.name)) {
            open.pop();
        }
        let is_closed = tag.attributes.iter().any(|(name, _)| name == "/");
        if let Some(name) = tag.name.strip_prefix('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(name),
                "an end without its start, before {:?}",
                rest.get(..80)
            );
        } else if !is_closed && !VOID.contains(&tag.name.as_str()) {
            open.push(tag.name.clone());
        }
        tags.push(tag);
    }
    assert_eq!(open, [""; 0], "tags that do not end");
    tags
}

fn tag(inside: &str) -> Tag {
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    if let Some(name) = name.strip_suffix('/') {
        return Tag { name: name.to_owned(), attributes: vec![("/".to_owned(), String::new())] };
    }
    let mut attributes = Vec::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let attribute = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            (value, rest) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').expect("a value ends with its quote"),
                None => after.split_at(after.find(' ').unwrap_or(after.len())),
            };
            assert!(!value.contains(['<', '>']), "{inside}");
        }
        attributes.push((attribute, value.to_owned()));
    }
    Tag { name: name.to_owned(), attributes }
}

/// The page without the content of its style and script, which must be the ones of the program.
fn without_code(html: &str) -> String {
    for code in [format!("<style>{STYLE}</style>"), format!("<script>{SCRIPT}</script>")] {
        assert_eq!(html.matches(&code).count(), 1);
    }
    html.replacen(STYLE, "", 1).replacen(SCRIPT, "", 1)
}

/// Holds for every page.
fn check(html: &str) -> Vec<Tag> {
    let html = without_code(html);
    assert!(!html.contains(|character| character != '\n' && molarena_record::text::is_hidden(character)));
    let tags = parse(&html);
    for name in ["script", "style", "main", "h1", "nav"] {
        assert_eq!(tags.iter().filter(|tag| tag.name == name).count(), 1, "{name}");
    }
    let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.get("id")).collect();
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), distinct.len(), "ids occur once");
    for tag in &tags {
        for (name, value) in &tag.attributes {
            // What the content policy would refuse, or what would load something.
            assert!(!name.starts_with("on") && name != "style" && name != "src", "{} {name}", tag.name);
            match (name.as_str(), value.strip_prefix('#')) {
                ("href", Some(id)) => assert!(distinct.contains(id), "a link to nothing: {id}"),
                ("href", None) => {
                    assert!(value.starts_with("data:") && tag.get("download").is_some(), "{value}");
                }
                ("aria-labelledby" | "data-tasks", _) => {
                    assert!(distinct.contains(value.as_str()), "{value}");
                }
                _ => {}
            }
        }
    }
    tags
}

fn sample_page() -> String {
    let records = sample();
    page(&with_statistics(build(&records, BoardOptions::default())), &records)
}

/// Intervals, ranks and two overlapping tie groups for every ranked row.
fn with_statistics(mut boards: Boards) -> Boards {
    for board in &mut boards.boards {
        board.uncertainty = Some(Uncertainty { confidence: 0.95, resamples: 1000, twins: 7 });
        for row in &mut board.rows {
            let (Some(rank), Some(mean)) = (row.rank, row.mean) else { continue };
            let letter = |group: usize| char::from(b'a' + group as u8).to_string();
            row.statistics = Some(RowUncertainty {
                low: mean - 0.02,
                high: mean + 0.02,
                rank_best: Some(rank.saturating_sub(2).max(1)),
                rank_worst: Some(rank + 2),
                ties: vec![letter(rank / 4), letter(rank / 4 + 1)],
                without_twins: Some(mean - 0.01),
                without_twins_std: Some(0.01),
                corpora: vec![SeenCorpus { corpus: "graph<1>".to_owned(), share: Some(0.392) }],
            });
        }
    }
    boards
}

#[test]
fn what_corpora_have_of_the_test_molecules_is_in_every_form() {
    let boards = with_statistics(build(&sample(), BoardOptions::default()));
    let markdown = crate::render(&boards, crate::Format::Md);
    assert!(markdown.contains(r"graph\<1\> 39.2 %"), "{markdown}");
    assert!(page(&boards, &[]).contains("graph&lt;1&gt; 39.2 %"));
    assert!(crate::render(&boards, crate::Format::Csv).contains("graph<1>:0.392"));
    assert!(crate::render(&boards, crate::Format::Json).contains("\"share\": 0.392"));
}

#[test]
fn pages_are_well_formed() {
    check(&sample_page());
    check(&page(&build(&[], BoardOptions::default()), &[]));
    let records = sample();
    check(&page(&build(&records, BoardOptions { cost: false }), &[]));
    let mut other = records.clone();
    for record in &mut other {
        "other".clone_into(&mut record.composition.data_sha256);
    }
    let html = page(&build(&records, BoardOptions::default()), &other);
    check(&html);
    assert!(
        html.contains("The records behind this row are not at hand.") && !html.contains("Composition on")
    );
    let mut boards = build(&[], BoardOptions::default());
    boards.matches = build_matches(&[matched("m", 0, 0.5)], &BTreeSet::new(), BoardOptions::default());
    assert!(check(&page(&boards, &[])).iter().any(|tag| tag.get("id") == Some("m0-t")));
}

#[test]
fn equal_records_are_equal_bytes_in_any_order() {
    let mut records = sample();
    records[0].finished = Some(1_795_896_719);
    let first = page(&build(&records, BoardOptions::default()), &records);
    records.reverse();
    assert!(page(&build(&records, BoardOptions::default()), &records) == first);
}

#[test]
fn the_policy_lets_only_this_style_and_script_be() {
    let html = sample_page();
    let policy =
        "default-src 'none'; style-src 'STYLE'; script-src 'SCRIPT'; base-uri 'none'; form-action 'none'"
            .replace("STYLE", &hash(STYLE))
            .replace("SCRIPT", &hash(SCRIPT));
    assert!(html.contains(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")));
    // FIPS 180-2, appendix B.1, in base64.
    assert_eq!(hash("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    let records = sample();
    let live = live_page(&build(&records, BoardOptions::default()), &records, "a\"b");
    assert!(live.contains(&format!("script-src '{}' '{}'; connect-src 'self';", hash(SCRIPT), hash(LIVE))));
    assert!(
        live.contains("<html lang=en data-state=\"a&quot;b\">")
            && live.contains(&format!("<script>{LIVE}</script>"))
    );
    assert!(!html.contains("connect-src") && !html.contains(LIVE));
    assert!(SCRIPT.len() < 15_000 && !SCRIPT.contains("</"), "the script is small and ends where it ends");
    assert!(!STYLE.contains("</") && !STYLE.contains("url(") && !STYLE.contains("@import"));
}

#[test]
fn text_of_others_stays_text_everywhere() {
    let evil = "\"><script>alert('x')</script>\u{202e}\u{1b}[2J&lt;";
    let mut records = vec![
        classification(evil, 0, &[Some(0.5), Some(0.75)]),
        classification("honest", 0, &[Some(0.5), Some(0.25)]),
        failed(evil, 1, Reason::Panic, evil),
    ];
    for record in &mut records {
        record.dataset = evil.to_owned();
        record.split.protocol = evil.to_owned();
        record.key = evil.to_owned();
        record.device = Some(evil.to_owned());
        record.composition.chemistry = evil.to_owned();
        record.composition.features = serde_json::json!({ evil: evil });
        record.composition.data_sha256 = evil.to_owned();
        record.tasks[0] = evil.to_owned();
        record.varied.insert(evil.to_owned(), evil.into());
        if let Some(used) = &mut record.composition.baseline {
            (used.component, used.version, used.sha256) = (evil.to_owned(), evil.to_owned(), evil.to_owned());
        }
        if let Outcome::Scored { scores, .. } = &mut record.outcome {
            let score = scores.remove("task 1").flatten();
            scores.insert(evil.to_owned(), score);
        }
    }
    let mut boards = with_statistics(build(&records, BoardOptions::default()));
    boards.boards[0].rows[0].statistics.as_mut().unwrap().ties = vec![evil.to_owned()];
    let mut matches = matched(evil, 0, 0.5);
    (matches.context, matches.spaces[0]) = (evil.to_owned(), evil.to_owned());
    boards.matches = build_matches(&[matches], &BTreeSet::new(), BoardOptions::default());
    let html = page(&boards, &records);
    check(&html);
    assert!(!without_code(&html).contains("alert('"), "quotes are replaced");
    assert!(
        html.contains("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\\u{202e}\\u{1b}[2J&amp;lt;")
    );
}

#[test]
fn what_a_reader_must_know_is_there() {
    let html = sample_page();
    for text in [
        "simulated</dt>",
        "wall-clock limit of 600 s passed",
        "none: not ranked on chembl2k",
        "<td data-v=\"0.471\">47.1±–",
        "Trained on shuffled labels",
        "&quot;radius&quot;: 2",
        &"c".repeat(64),
        "<th scope=row>1 morgan-rf <small>(67 % of seeds)</small>",
    ] {
        assert!(html.contains(text), "{text}");
    }
    let mut records = sample();
    for record in &mut records {
        record.simulated = true;
    }
    let html = page(&build(&records, BoardOptions::default()), &records);
    assert!(html.contains("<h2 id=b0-h>biogen3k <b class=s>simulated</b></h2>"));
    assert!(html.contains("<caption id=\"b1-t-c\">Board of chembl2k <b class=s>simulated</b></caption>"));
}

#[test]
fn the_mean_of_ranks_is_over_rows_that_are_everywhere() {
    let mut records = vec![
        classification("a", 0, &[Some(0.9)]),
        classification("b", 0, &[Some(0.8)]),
        classification("only-here", 0, &[Some(0.85)]),
        regression("a", 0, &[0.5]),
        regression("b", 0, &[0.4]),
    ];
    let average = |records: &[Record], row: &str| {
        let html = page(&build(records, BoardOptions::default()), records);
        let start =
            html.find(&format!(">{row}</a>\n<td")).or_else(|| html.find(&format!(">{row}</a><td"))).unwrap();
        let cell = html[start..].split("<td").nth(1).unwrap();
        cell.split_once('>').unwrap().1.replace("<small>", "").replace("</small>", "")
    };
    // Of the two rows that are on both boards, each is first once and second once.
    assert_eq!([average(&records, "a"), average(&records, "b")], ["1.50", "1.50"]);
    assert_eq!(average(&records, "only-here"), "none: not ranked on biogen3k");
    // Another method under the same name.
    records[3].composition.features = serde_json::json!("other");
    assert_eq!(average(&records, "a"), "none: of another composition on each board");
}

/// Thirty rows on four boards like those of the paper, and 10,020 records.
fn many() -> Vec<Record> {
    let mut records = Vec::new();
    for (dataset, tasks, seeds) in
        [("toxcast", 617, 10), ("chembl2k", 41, 100), ("broad6k", 32, 100), ("biogen3k", 6, 124)]
    {
        for method in 0..30_usize {
            for seed in 0..seeds {
                let score = |task: usize| 0.5 + ((task * 7 + method * 13 + seed * 3) % 491) as f64 / 1000.123;
                let name = format!("morgan-method-{method}");
                let mut record = if dataset == "biogen3k" {
                    regression(&name, seed as u64, &(0..tasks).map(score).collect::<Vec<_>>())
                } else {
                    let scores: Vec<_> =
                        (0..tasks).map(|task| (task % 97 != 5).then(|| score(task))).collect();
                    classification(&name, seed as u64, &scores)
                };
                record.dataset = dataset.to_owned();
                record.composition.data_sha256 = key_of(&dataset);
                record.cost.wall_s = 0.5 * 1.4_f64.powi(i32::try_from((method * 11) % 30).unwrap());
                record.key = key_of(&(dataset, method, seed));
                record.finished = Some(1_795_000_000 + 6_000 * seed as u64);
                let rename = |task: &str| format!("ASSAY_{}_Component_up", task.trim_start_matches("task "));
                record.tasks = record.tasks.iter().map(|task| rename(task)).collect::<Vec<_>>().into();
                if let Outcome::Scored { scores, .. } = &mut record.outcome {
                    *scores = std::mem::take(scores)
                        .into_iter()
                        .map(|(task, score)| (rename(&task), score))
                        .collect();
                }
                records.push(record);
            }
        }
    }
    records
}

/// The browser's test opens this page, too: `MOLARENA_TEST_PAGE` names a file to write it to.
#[test]
fn a_page_of_thirty_rows_and_ten_thousand_records_is_small() {
    let records = many();
    assert!(records.len() > 10_000);
    let html = page(&with_statistics(build(&records, BoardOptions::default())), &records);
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    check(&html);
    if let Some(path) = std::env::var_os("MOLARENA_TEST_PAGE") {
        fs_err::write(path, html).unwrap();
    }
}
