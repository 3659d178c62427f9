//! Which records make a row: those of one method and composition. Builds of a plugin share a row, but only
//! the newest build's records count, so that no mean mixes builds.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::units::short;

/// A composition without what identifies a plugin's build: file hashes, versions, and the pretraining key,
/// which depends on them.
pub(crate) fn without_builds(mut composition: Value) -> Value {
    match &mut composition {
        Value::Object(members) => {
            if members.contains_key("component") {
                members.remove("sha256");
                members.remove("version");
            }
            if members.contains_key("corpus") {
                members.remove("key");
            }
            for value in members.values_mut() {
                *value = without_builds(value.take());
            }
        }
        Value::Array(values) => {
            for value in values {
                *value = without_builds(value.take());
            }
        }
        _ => {}
    }
    composition
}

/// The records of the newest build, and a note that names the row if there are others; `build` is its hash. Records without
/// a finishing time count as the oldest.
pub(crate) fn newest_build<'a, R>(
    row: &str,
    records: Vec<&'a R>,
    build: impl Fn(&R) -> String,
    finished: impl Fn(&R) -> Option<u64>,
) -> (Vec<&'a R>, Option<String>) {
    let mut builds: BTreeMap<String, Vec<&R>> = BTreeMap::new();
    for record in records {
        builds.entry(build(record)).or_default().push(record);
    }
    let count = builds.len();
    let latest = |records: &[&R]| records.iter().filter_map(|record| finished(record)).max();
    let newest = builds.into_iter().max_by_key(|(hash, records)| (latest(records), hash.clone()));
    let (hash, records) = newest.unwrap_or_default();
    let note = (count > 1).then(|| {
        let newest = short(&hash);
        format!(
            "The records of {row} are of {count} builds of its plugins; those of the newest, {newest}, count."
        )
    });
    (records, note)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_build_is_no_part_of_a_composition() {
        let of = |sha256: &str, k: u64| {
            json!({
                "encoder": [{"component": "p/e", "version": sha256, "sha256": sha256, "config": {"key": k}},
                            {"key": sha256, "corpus": "c", "seed": 0}],
                "data": {"sha256": "data"},
            })
        };
        assert_eq!(without_builds(of("a", 1)), without_builds(of("b", 1)));
        assert_ne!(without_builds(of("a", 1)), without_builds(of("a", 2)));
        assert_eq!(without_builds(of("a", 1))["data"]["sha256"], "data");
    }

    #[test]
    fn the_newest_build_counts() {
        let records = [("old", 1, Some(10)), ("new", 1, Some(20)), ("older", 2, None), ("old", 3, Some(15))];
        let (kept, note) =
            newest_build("m", records.iter().collect(), |record| record.0.to_owned(), |record| record.2);
        assert_eq!(kept, [&("new", 1, Some(20))]);
        assert!(note.unwrap().starts_with("The records of m are of 3 builds"));
        let (kept, note) =
            newest_build("m", vec![&records[0], &records[3]], |record| record.0.to_owned(), |_| None);
        assert_eq!((kept.len(), note), (2, None));
    }
}
