//! Keys of the store, as literals and computed again from what the files say. What makes a key is written out here, so that
//! a change of the host's own types cannot change both sides.

use std::collections::BTreeSet;

use molarena_record::key::key_of;
use serde_json::{Value, json};

use crate::{documents, encoders, fixture, pinned::PINNED};

/// The chemistry that made the store; that of today may be a later one.
const CHEMISTRY: &str = "chematic 1.2.1 + molarena-chem 1";
const METRICS_VERSION: u32 = 1;

/// Components whose results no seed changes.
const SEEDLESS: [&str; 4] = ["baselines/constant", "baselines/gp", "baselines/knn", "baselines/profile-knn"];

fn uses_seed(component: &Value) -> bool {
    component.as_object().is_some_and(|used| !SEEDLESS.contains(&used["component"].as_str().unwrap()))
}

/// The seed of a fit: that of the cell, or 0 where it changes nothing.
fn seed_of_fit(composition: &Value, record: &Value) -> u64 {
    let ensemble = composition.get("members").is_some();
    // A trained encoder is the same for all seeds.
    let untrained = composition.get("pretraining").is_none();
    let seeded = ensemble
        || record["shuffled_labels"] == true
        || uses_seed(&composition["baseline"])
        || (untrained && uses_seed(&composition["encoder"]));
    if seeded { record["seed"].as_u64().unwrap() } else { 0 }
}

/// The key of a fit of `composition`, which is that of a record or of a member of its ensemble.
fn fit_key(composition: &Value, record: &Value) -> String {
    assert_eq!(composition["chemistry"], CHEMISTRY);
    let decides = composition.get("tune").map(|_| json!([record["metric"], METRICS_VERSION]));
    key_of(&json!({
        "schema": "molarena.fit/2",
        "composition": composition,
        "split": record["split"]["sha256"],
        "tasks": record["tasks"],
        "task_type": record["task_type"],
        "seed": seed_of_fit(composition, record),
        "shuffle_labels": record["shuffled_labels"],
        "decides": decides,
    }))
}

fn record_key(record: &Value) -> String {
    key_of(&json!({
        "schema": "molarena.record/1",
        "fit": record["fit_key"],
        "seed": record["seed"],
        "method": record["method"],
        "metric": record["metric"],
        "metrics_version": METRICS_VERSION,
        "scoring": record["scoring"],
    }))
}

fn match_key(record: &Value) -> String {
    key_of(&json!({
        "schema": "molarena.match/1",
        "context": record["context_key"],
        "spaces": record["spaces"],
        "candidates": record["candidates"],
        "split": record["split"],
        "method": record["method"],
        "composition": record["composition"],
        "seed": record["seed"],
        "metrics_version": METRICS_VERSION,
    }))
}

fn encoder_key(record: &Value) -> String {
    key_of(&json!({
        "schema": "molarena.encoder/1",
        "corpus": record["corpus"]["key"],
        "encoder": record["encoder"],
        "features": record["features"],
        "chemistry": CHEMISTRY,
        "seed": record["seed"],
    }))
}

#[test]
fn every_record_has_the_key_of_its_content() {
    for (name, record) in documents("records") {
        assert_eq!(record["schema"], "molarena.record/1");
        assert_eq!((&record["key"], &record_key(&record)), (&json!(name), &name), "{record}");
    }
}

#[test]
fn every_fit_has_the_key_of_its_content() {
    let mut computed = BTreeSet::new();
    for (name, record) in documents("records") {
        let composition = &record["composition"];
        assert_eq!(record["fit_key"], fit_key(composition, &record), "record {name}");
        computed.insert(fit_key(composition, &record));
        let members = composition["members"].as_array().into_iter().flatten();
        computed.extend(members.map(|member| fit_key(&member["composition"], &record)));
    }
    let fits = documents("fits");
    for (name, fit) in &fits {
        assert_eq!((&fit["schema"], &fit["fit_key"]), (&json!("molarena.fit/2"), &json!(name)));
    }
    assert_eq!(computed, fits.into_iter().map(|(name, _)| name).collect());
}

#[test]
fn every_match_has_the_key_of_its_content() {
    for (name, record) in documents("matches") {
        assert_eq!(record["schema"], "molarena.match/1");
        assert_eq!((&record["key"], &match_key(&record)), (&json!(name), &name), "{record}");
    }
}

#[test]
fn every_encoder_has_the_key_of_its_content() {
    for (name, record) in encoders() {
        assert_eq!(
            (&record["schema"], &record["chemistry"]),
            (&json!("molarena.encoder/1"), &json!(CHEMISTRY))
        );
        assert_eq!((&record["key"], &encoder_key(&record)), (&json!(name), &name), "{record}");
    }
}

#[test]
fn a_file_of_each_shape_is_where_it_was() {
    for (shape, file, sha256) in PINNED {
        let found = molarena_data::sha256_file(fixture().join(file)).unwrap();
        assert_eq!(found, *sha256, "{shape}: {file}");
    }
}
