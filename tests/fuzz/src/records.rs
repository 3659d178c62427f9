//! Records in a store.

use std::{collections::BTreeSet, path::Path};

use molarena_host::Store;
use molarena_record::key::key_of;
use molarena_record::{cell::Record, matching::MatchRecord, step::StepRecord};
use molarena_report::{BoardOptions, Boards, Format, build, build_matches, render};
use serde::Serialize;

/// A key by which every place of a store is asked for the input.
const KEY: &str = "raw";

/// A record of any kind: as it is in every place where a store keeps records, and with the key that its content has, as a
/// row of a board.
pub fn record(data: &[u8]) {
    let root = crate::folder().join("store");
    for place in [
        "records/ra/raw.json",
        "steps/ra/raw.json",
        "matches/raw.json",
        "fits/raw.json",
        "encoders/raw/record.json",
    ] {
        crate::place(&root.join(place), data);
    }
    read(&root);
    let keyed = |text: &str| -> (Option<Record>, Option<MatchRecord>, Option<StepRecord>) {
        let mut record: Option<Record> = serde_json::from_str(text).ok();
        if let Some(record) = &mut record {
            record.key = record.content_key();
        }
        let mut matched: Option<MatchRecord> = serde_json::from_str(text).ok();
        if let Some(matched) = &mut matched {
            matched.key = matched.content_key();
        }
        let mut step: Option<StepRecord> = serde_json::from_str(text).ok();
        if let Some(step) = step.as_mut().filter(|step| !step.of.is_null()) {
            step.key = key_of(&step.of);
        }
        (record, matched, step)
    };
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (record, matched, step) = keyed(text);
    let root = crate::folder().join("keyed");
    let _ = fs_err::remove_dir_all(&root);
    fs_err::create_dir_all(root.join("records")).expect("a folder");
    put(&root, "records", record.as_ref().map(|record| (&record.key, record)));
    put(&root, "matches", matched.as_ref().map(|record| (&record.key, record)));
    put(&root, "steps", step.as_ref().map(|record| (&record.key, record)));
    let store = Store::open(&root).expect("a store");
    let cells = store.records().expect("readable");
    let ranked = store.match_records().expect("readable");
    let boards = Boards {
        matches: build_matches(&ranked, &BTreeSet::new(), BoardOptions::default()),
        ..build(&cells, BoardOptions::default())
    };
    for format in [Format::Md, Format::Csv, Format::Json] {
        let _text = render(&boards, format);
    }
    for (kept, written) in cells.iter().zip(&record) {
        assert_eq!(kept, written, "a record that is written and read is the same");
    }
    if let Some(step) = &step {
        let _ = store.step(&step.key);
    }
    let _ = store.verify();
}

/// Asks for the input by its key and among all.
fn read(root: &Path) {
    let store = Store::open(root).expect("a store");
    let _ = (store.step(KEY), store.record(KEY), store.match_record(KEY));
    store.records().expect("an unreadable record is left out");
    store.match_records().expect("an unreadable record is left out");
    store.verify().expect("problems are listed");
    for warning in store.warnings() {
        assert!(!warning.is_empty());
    }
}

fn put<T: Serialize>(root: &Path, folder: &str, record: Option<(&String, &T)>) {
    // A key that is no hash, which only a step of an earlier format can state, may be no name of a file.
    let Some((key, record)) = record.filter(|(key, _)| key.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    else {
        return;
    };
    let text = serde_json::to_vec(record).expect("a record can be written");
    crate::place(&root.join(folder).join(format!("{key}.json")), &text);
}
