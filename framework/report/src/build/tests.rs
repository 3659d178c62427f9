use molarena_metrics::Scoring;
use molarena_record::parts::Reason;
use proptest::prelude::*;

use super::*;
use crate::testing::{classification, failed, regression, sample};
use crate::{Format, render};

type Change = fn(&mut Record);

fn baseline(record: &mut Record) -> &mut molarena_record::parts::ComponentUse {
    record.composition.baseline.as_mut().expect("made with one")
}

const WITHOUT_COST: BoardOptions = BoardOptions { cost: false };

fn methods(board: &Board) -> Vec<&str> {
    board.rows.iter().map(|row| row.method.as_str()).collect()
}

#[test]
fn best_first_then_failed_ties_by_name() {
    let mut records = [
        failed("a", 1, Reason::Load, "no such file"),
        classification("c", 1, &[Some(0.5), Some(0.5)]),
        classification("d", 1, &[Some(0.9), Some(0.9)]),
        classification("b", 1, &[Some(0.5), Some(0.5)]),
    ];
    assert_eq!(methods(&build(&records, WITHOUT_COST).boards[0]), ["d", "b", "c", "a"]);
    for record in &mut records {
        (record.task_type, record.metric) = (TaskType::Regression, Metric::Mae);
    }
    assert_eq!(methods(&build(&records, WITHOUT_COST).boards[0]), ["b", "c", "d", "a"]);
}

/// Distinctions of the boards of two records after `change` to the second, which must set them apart.
fn distinctions_after(change: Change) -> Vec<Option<String>> {
    let mut records = [classification("m", 1, &[Some(0.5)]), classification("m", 2, &[Some(0.5)])];
    assert_eq!(build(&records, WITHOUT_COST).boards.len(), 1);
    change(&mut records[1]);
    let boards = build(&records, WITHOUT_COST).boards;
    assert_eq!(boards.len(), 2);
    assert!(boards.iter().all(|board| board.rows.len() == 1 && board.rows[0].seeds == 1));
    boards.into_iter().map(|board| board.distinction).collect()
}

#[test]
fn what_differs_in_its_data_or_labels_is_another_board() {
    let named = |names: [&str; 2]| names.map(|name| Some(name.to_owned())).to_vec();
    let by_data = distinctions_after(|record| record.composition.data_sha256 = "d".repeat(64));
    assert_eq!(by_data, named(["data aaaaaaaa", "data dddddddd"]));
    let by_split = distinctions_after(|record| record.split.sha256 = "e".repeat(64));
    assert_eq!(by_split, named(["split bbbbbbbb", "split eeeeeeee"]));
    let by_sizes = distinctions_after(|record| record.split.test = 24);
    assert_eq!(by_sizes, named(["60/15/24 molecules", "60/15/25 molecules"]));
    let by_tasks = distinctions_after(|record| {
        record.tasks.push("task 2".to_owned());
    });
    assert!(by_tasks[0].as_ref().unwrap().starts_with("1 tasks "), "{by_tasks:?}");
    assert!(by_tasks[1].as_ref().unwrap().starts_with("2 tasks "), "{by_tasks:?}");
}

#[test]
fn what_a_heading_shows_needs_no_other_distinction() {
    let changes: [Change; 5] = [
        |record| {
            record.dataset = "broad6k".to_owned();
            record.composition.data_sha256 = "d".repeat(64);
        },
        |record| record.split.protocol = "scaffold".to_owned(),
        |record| record.split.seed = 4,
        |record| record.task_type = TaskType::Regression,
        |record| record.metric = Metric::AveragePrecision,
    ];
    for change in changes {
        assert_eq!(distinctions_after(change), [None, None]);
    }
}

#[test]
fn what_is_made_of_other_things_is_another_row() {
    let changes: [(&str, Change); 6] = [
        ("baseline", |record| baseline(record).config = json!({"trees": 500})),
        ("encoder", |record| record.composition.encoder = record.composition.baseline.clone()),
        ("features", |record| record.composition.features = json!({"morgan": {"radius": 3}})),
        ("chemistry", |record| record.composition.chemistry = "2".to_owned()),
        ("scoring", |record| record.scoring = Scoring::Hard),
        ("shuffled labels", |record| record.shuffled_labels = true),
    ];
    for (part, change) in changes {
        let mut records = [classification("m", 1, &[Some(0.5)]), classification("m", 2, &[Some(0.9)])];
        change(&mut records[1]);
        let board = &build(&records, WITHOUT_COST).boards[0];
        assert_eq!(board.rows.len(), 2, "{part}");
        assert_eq!((board.rows[0].mean, board.rows[1].mean), (Some(0.9), Some(0.5)));
        for row in &board.rows {
            assert_eq!(row.method.len(), "m@01234567".len(), "{}", row.method);
        }
        let note = format!(
            "The records of m are of 2 compositions, which differ in {part}; each has a row, named by its hash."
        );
        assert_eq!(board.notes[0], note);
    }
}

#[test]
fn a_new_build_of_a_plugin_is_the_same_row_changed() {
    let mut records = [classification("m", 1, &[Some(0.5)]), classification("m", 2, &[Some(0.9)])];
    baseline(&mut records[1]).sha256 = "f".repeat(64);
    records[1].finished = Some(1);
    let board = &build(&records, WITHOUT_COST).boards[0];
    assert_eq!((board.rows.len(), board.rows[0].method.as_str()), (1, "m"));
    assert_eq!((board.rows[0].seeds, board.rows[0].mean), (1, Some(0.9)), "the newest build's seeds");
    assert!(
        board.notes[0].starts_with("The records of m are of 2 builds of its plugins"),
        "{:?}",
        board.notes
    );
}

#[test]
fn a_record_that_is_there_twice_counts_once() {
    let record = classification("m", 1, &[Some(0.5)]);
    let mut elsewhere = record.clone();
    elsewhere.cost.wall_s = 99.0;
    let once = build(std::slice::from_ref(&record), WITHOUT_COST);
    assert_eq!(build(&[record, elsewhere], WITHOUT_COST), once);
}

#[test]
fn records_of_one_seed_that_differ_are_not_averaged() {
    let mut records = [classification("m", 1, &[Some(0.5)]), classification("m", 1, &[Some(0.9)])];
    (records[0].key, records[1].key) = ("bbbbbbbbb".to_owned(), "aaaaaaaaa".to_owned());
    let board = &build(&records, WITHOUT_COST).boards[0];
    assert_eq!((board.rows[0].seeds, board.rows[0].mean), (1, Some(0.9)));
    assert_eq!(board.notes, ["Seed 1 of m has 2 records that differ; the one of key aaaaaaaa counts."]);
}

#[test]
fn undefined_tasks_are_named() {
    let mut records = [
        classification("a", 1, &[Some(0.5), None, None]),
        classification("b", 1, &[Some(0.5), None, None]),
        failed("c", 1, Reason::Memory, "out of memory"),
    ];
    records[2].tasks.push("task 3".to_owned());
    let board = &build(&records, WITHOUT_COST).boards[0];
    assert_eq!(board.undefined_tasks, ["task 2", "task 3"]);
    assert_eq!(board.notes.len(), 1);
    assert!(board.notes[0].starts_with("2 of 3 tasks undefined"), "{}", board.notes[0]);

    records[0] = classification("a", 1, &[Some(0.5), None, Some(0.5)]);
    let notes = &build(&records, WITHOUT_COST).boards[0].notes;
    assert!(notes[1].starts_with("The records do not agree on which tasks"), "{notes:?}");
}

#[test]
fn molecules_left_out_are_counted() {
    let mut record = classification("m", 1, &[Some(0.5)]);
    record.unparsed_molecules = 2;
    let notes = &build(&[record], WITHOUT_COST).boards[0].notes;
    assert_eq!(notes[..], ["Molecules that could not be parsed and take part in nothing: 2."]);
}

#[test]
fn without_costs_another_clock_gives_the_same_bytes() {
    let here = sample();
    let mut there = here.clone();
    for record in &mut there {
        (record.cost.wall_s, record.cost.peak_rss_mb) = (1234.5, 6789.0);
    }
    for format in Format::ALL {
        let text = |records: &[Record], cost| render(&build(records, BoardOptions { cost }), format);
        assert_eq!(text(&here, false), text(&there, false));
        assert_ne!(text(&here, true), text(&there, true));
    }
}

/// Records that coincide in many ways: few methods, seeds, keys and hashes, and scores that are not always
/// finite.
fn any_record() -> impl Strategy<Value = Record> {
    let score = prop::option::weighted(0.9, prop_oneof![9 => 0.0..=1.0_f64, 1 => Just(f64::NAN)]);
    let flags = prop::collection::vec(prop::bool::weighted(0.2), 6);
    ("[ab]", 0..4_u64, [score.clone(), score], flags, "[kl]").prop_map(
        |(method, seed, scores, flags, key)| {
            let mut record = match (flags[0], flags[1]) {
                (true, _) => failed(&method, seed, Reason::Panic, &key),
                (_, true) => regression(&method, seed, &scores.map(|score| score.unwrap_or(f64::INFINITY))),
                _ => classification(&method, seed, &scores),
            };
            if flags[2] {
                record.composition.data_sha256 = "d".repeat(64);
            }
            if flags[3] {
                baseline(&mut record).sha256 = "f".repeat(64);
            }
            (record.confined, record.shuffled_labels, record.key) = (!flags[4], flags[5], key);
            record.cost.wall_s = scores[0].unwrap_or(f64::INFINITY);
            record
        },
    )
}

proptest! {
    #[test]
    fn the_order_of_records_does_not_matter(
        (records, shuffled) in prop::collection::vec(any_record(), 0..24)
            .prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
        cost: bool,
    ) {
        let [boards, other] = [records, shuffled].map(|records| build(&records, BoardOptions { cost }));
        for format in Format::ALL {
            let text = render(&boards, format);
            prop_assert_eq!(&text, &render(&other, format));
            prop_assert!(!text.contains("NaN") && !text.contains("inf,") && !text.contains("inf "), "{}", text);
        }
    }

    #[test]
    fn every_method_of_a_board_has_a_row(records in prop::collection::vec(any_record(), 1..24)) {
        let boards = build(&records, BoardOptions::default()).boards;
        for record in &records {
            let data = &record.composition.data_sha256;
            let has_row = |board: &&Board| {
                board.data_sha256 == *data && board.metric == record.metric
                    && board.rows.iter().any(|row| row.method.starts_with(&record.method))
            };
            prop_assert!(boards.iter().any(|board| has_row(&board)));
        }
        let seeds = |row: &Row| row.seeds + row.failed.values().sum::<usize>();
        let counted: usize = boards.iter().flat_map(|board| &board.rows).map(seeds).sum();
        prop_assert!(counted <= records.len());
    }
}
