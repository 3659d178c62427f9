//! Canonical JSON and the keys made from it.

use molarena_data::TaskType;
use molarena_metrics::{Metric, Scoring};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cell::Record,
    matching::{Candidates, MatchComposition, MatchRecord},
    parts::{ComponentUse, Composition, Rule, SplitInfo},
};

/// Part of the keys of cells and of matching since the first version of the metrics. It is frozen: a change
/// of a metric changes its own version, not the keys.
const METRICS_IN_KEYS: u32 = 1;

/// JSON text with sorted object keys and no spaces, so that equal values give equal text.
pub fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let body: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical_json(value)))
                .collect();
            format!("{{{}}}", body.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical_json).collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// sha256 of the canonical JSON of `parts`, 64 lower-case hex digits.
pub fn key_of(parts: &impl Serialize) -> String {
    let value = serde_json::to_value(parts).expect("keys are made of plain data");
    molarena_data::sha256_hex(canonical_json(&value).as_bytes())
}

/// The material of the key of a fit or a combination. The metric is part of it only if it chooses between
/// settings.
#[derive(Debug)]
pub struct FitKey<'a> {
    /// Composition of the method.
    pub composition: &'a Composition,
    /// sha256 of the split's index lists.
    pub split_sha256: &'a str,
    /// Names of the tasks.
    pub tasks: &'a [String],
    /// Classification or regression.
    pub task_type: TaskType,
    /// Seed of the fit; 0 if it has no effect.
    pub seed: u64,
    /// Whether the training and validation labels are shuffled.
    pub shuffle_labels: bool,
    /// The dataset's metric.
    pub metric: Metric,
    /// Class of the device; `cpu` is left out of the material.
    pub device: &'a str,
}

impl FitKey<'_> {
    /// The JSON value whose hash is the key.
    pub fn material(&self) -> Value {
        let chooses = self.composition.tune.is_some() || self.composition.rule == Rule::Greedy;
        let decides = chooses.then_some((self.metric, METRICS_IN_KEYS));
        on_device(
            json!({
                "schema": "molarena.fit/2",
                "composition": self.composition,
                "split": self.split_sha256,
                "tasks": self.tasks,
                "task_type": self.task_type,
                "seed": self.seed,
                "shuffle_labels": self.shuffle_labels,
                "decides": decides,
            }),
            self.device,
        )
    }
}

/// The material of the key of a cell.
pub fn cell_material(step: &str, seed: u64, method: &str, metric: Metric, scoring: Scoring) -> Value {
    json!({
        "schema": "molarena.record/1",
        "fit": step,
        "seed": seed,
        "method": method,
        "metric": metric,
        "metrics_version": METRICS_IN_KEYS,
        "scoring": scoring,
    })
}

/// The material of the key of a matching cell, which is also the key of its ranking step.
#[derive(Debug)]
pub struct MatchKey<'a> {
    /// Hash of the context graph's content.
    pub context_key: &'a str,
    /// The spaces, in the order of the suite.
    pub spaces: &'a [String],
    /// Those whose profiles are ranked, if they are not all.
    pub ranked: Option<&'a [String]>,
    /// Which profiles are ranked.
    pub candidates: Candidates,
    /// The split of the molecules.
    pub split: &'a SplitInfo,
    /// Name of the method.
    pub method: &'a str,
    /// Components of the method.
    pub composition: &'a MatchComposition,
    /// Seed of the method.
    pub seed: u64,
    /// Class of the device; `cpu` is left out of the material.
    pub device: &'a str,
}

impl MatchKey<'_> {
    /// The JSON value whose hash is the key.
    pub fn material(&self) -> Value {
        let mut material = json!({
            "schema": "molarena.match/1",
            "context": self.context_key,
            "spaces": self.spaces,
            "candidates": self.candidates,
            "split": self.split,
            "method": self.method,
            "composition": self.composition,
            "seed": self.seed,
            "metrics_version": METRICS_IN_KEYS,
        });
        if let Some(ranked) = self.ranked {
            material["ranked"] = json!(ranked);
        }
        on_device(material, self.device)
    }
}

/// The material of the key of a pretraining.
pub fn pretrain_material(
    corpus_key: &str,
    encoder: &ComponentUse,
    features: &Value,
    chemistry: &str,
    seed: u64,
    device: &str,
) -> Value {
    on_device(
        json!({
            "schema": "molarena.encoder/1",
            "corpus": corpus_key,
            "encoder": encoder,
            "features": features,
            "chemistry": chemistry,
            "seed": seed,
        }),
        device,
    )
}

/// The material of the key of an encoding. `pretraining` is the key of the trained state; `molecules` is the
/// sha256 of the SMILES, one per line.
pub fn encode_material(
    encoder: &ComponentUse,
    pretraining: Option<&str>,
    features: &Value,
    chemistry: &str,
    molecules: &str,
    seed: u64,
    device: &str,
) -> Value {
    on_device(
        json!({
            "schema": "molarena.encode/1",
            "encoder": encoder,
            "pretraining": pretraining,
            "features": features,
            "chemistry": chemistry,
            "molecules": molecules,
            "seed": seed,
        }),
        device,
    )
}

fn on_device(mut material: Value, device: &str) -> Value {
    if device != "cpu" {
        material["device"] = device.into();
    }
    material
}

impl Record {
    /// The key computed from its content.
    pub fn content_key(&self) -> String {
        key_of(&cell_material(&self.fit_key, self.seed, &self.method, self.metric, self.scoring))
    }
}

impl MatchRecord {
    /// The key computed from its content.
    pub fn content_key(&self) -> String {
        let material = MatchKey {
            context_key: &self.context_key,
            spaces: &self.spaces,
            ranked: self.ranked.as_deref(),
            candidates: self.candidates,
            split: &self.split,
            method: &self.method,
            composition: &self.composition,
            seed: self.seed,
            device: self.device.as_deref().unwrap_or("cpu"),
        };
        key_of(&material.material())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_of_keys_does_not_matter() {
        let text = canonical_json(&json!({"b": [1, {"d": null, "c": "x\n"}], "a": 0.5}));
        assert_eq!(text, r#"{"a":0.5,"b":[1,{"c":"x\n","d":null}]}"#);
        assert_eq!(key_of(&json!({"a": 1, "b": 2})), key_of(&json!({"b": 2, "a": 1})));
        assert_ne!(key_of(&json!({"a": 1})), key_of(&json!({"a": 1.5})));
    }
}
