//! Predictions that were made elsewhere, as records.

use std::collections::HashMap;

use molarena_chem::CHEMISTRY_VERSION;
use molarena_data::{Dataset, Manifest, Predictions, Split, TaskType, sha256_hex};
use molarena_metrics::Scoring;
use molarena_record::{
    cell::{IMPORTED, RECORD_SCHEMA, Record},
    key::{FitKey, key_of},
    parts::{ComponentUse, Composition, Cost, Rule, SplitInfo},
    step::{Kind, STEP_SCHEMA, StepOutcome, StepRecord},
};
use serde_json::json;

use crate::score::outcome_of_predictions;

/// Where predictions belong.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The dataset's manifest.
    pub manifest: &'a Manifest,
    /// Its readable molecules.
    pub dataset: &'a Dataset,
    /// Number of molecules that cannot be read.
    pub unparsed: usize,
    /// The split; the predictions are of its test part.
    pub split: &'a Split,
    /// Name of the row on boards.
    pub method: &'a str,
    /// Seed of the method.
    pub seed: u64,
}

/// The predictions of the test molecules, `f32[molecules, tasks]`, in the order of the test part. Rows of other molecules
/// are ignored; where a molecule has no label, a missing prediction becomes 0, which nothing reads.
///
/// # Errors
/// Says which molecule has no prediction, several, or one that cannot be.
pub fn in_order(place: Place<'_>, given: &Predictions) -> Result<Vec<f32>, String> {
    let Place { dataset, split, .. } = place;
    let tasks = dataset.tasks.len();
    let labels = dataset.labels_to_score(split);
    let mut by_row: HashMap<usize, usize> = HashMap::new();
    let mut by_smiles: HashMap<&str, Vec<usize>> = HashMap::new();
    for (line, smiles) in given.smiles.iter().enumerate() {
        match &given.rows {
            Some(rows) => {
                if let Some(first) = by_row.insert(rows[line], line) {
                    return Err(format!(
                        "row {} of the dataset is in the table twice, in its rows {} and {}",
                        rows[line], given.lines[first], given.lines[line]
                    ));
                }
            }
            None => by_smiles.entry(smiles).or_default().push(line),
        }
    }
    let row_of = |line: usize| &given.values[line * tasks..(line + 1) * tasks];
    let mut ordered = Vec::with_capacity(labels.len());
    for (place_in_test, &molecule) in split.test.iter().enumerate() {
        let (row, smiles) = (dataset.rows[molecule], dataset.smiles[molecule].as_str());
        let named = format!("row {row} of the dataset, `{}`", molarena_chem::shorten_smiles(smiles));
        let line = if given.rows.is_some() {
            let line = *by_row.get(&row).ok_or_else(|| format!("{named}: the table has no prediction"))?;
            if given.smiles[line] != smiles {
                let other = molarena_chem::shorten_smiles(&given.smiles[line]);
                return Err(format!("{named}: the table has `{other}` for this row"));
            }
            line
        } else {
            let lines = by_smiles.get(smiles).map(Vec::as_slice).unwrap_or_default();
            let &[first, ref others @ ..] = lines else {
                return Err(format!("{named}: the table has no prediction for this SMILES"));
            };
            let same = |line: &usize| {
                row_of(*line).iter().zip(row_of(first)).all(|(one, other)| one.to_bits() == other.to_bits())
            };
            if !others.iter().all(same) {
                return Err(format!(
                    "{named}: the table has several predictions for this SMILES; name a column of the dataset's row numbers with --row-column"
                ));
            }
            first
        };
        let labels = &labels[place_in_test * tasks..(place_in_test + 1) * tasks];
        for ((&value, &label), task) in row_of(line).iter().zip(labels).zip(&dataset.tasks) {
            if value.is_nan() && !label.is_nan() {
                return Err(format!("{named}: no prediction for {task}, which has a label"));
            }
            if dataset.task_type == TaskType::Classification
                && !value.is_nan()
                && !(0.0..=1.0).contains(&value)
            {
                return Err(format!("{named}: {task} is {value}, and a probability is between 0 and 1"));
            }
            ordered.push(if value.is_nan() { 0.0 } else { value });
        }
    }
    Ok(ordered)
}

/// The step that predictions are of, and the record that scores them, which says that they were imported.
pub fn records(place: Place<'_>, predictions: &[f32]) -> (StepRecord, Record) {
    let Place { manifest, dataset, unparsed, split, method, seed } = place;
    let metric = manifest.protocol.metric;
    let baseline = ComponentUse {
        component: IMPORTED.to_owned(),
        version: String::new(),
        // The same for all seeds of a method: the predictions are in the key of the step.
        sha256: sha256_hex(IMPORTED.as_bytes()),
        config: json!({}),
        weights: None,
    };
    let composition = Composition {
        data_sha256: dataset.sha256.clone(),
        features: json!(null),
        chemistry: CHEMISTRY_VERSION.to_owned(),
        encoder: None,
        pretraining: None,
        finetune: None,
        baseline: Some(baseline),
        tune: None,
        members: Vec::new(),
        join: serde_json::Value::Null,
        rule: Rule::Mean,
    };
    let bytes: Vec<u8> = predictions.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut of = FitKey {
        composition: &composition,
        split_sha256: &split.sha256(),
        tasks: &dataset.tasks,
        task_type: dataset.task_type,
        seed,
        shuffle_labels: false,
        metric,
        device: "cpu",
    }
    .material();
    of["predictions"] = json!(sha256_hex(&bytes));
    let finished = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok();
    let step = StepRecord {
        schema: STEP_SCHEMA.to_owned(),
        key: key_of(&of),
        kind: Kind::Fit,
        of,
        outcome: StepOutcome::Made { files: std::collections::BTreeMap::new() },
        search: None,
        corpus: None,
        libraries: std::collections::BTreeMap::new(),
        confined: false,
        missing_layers: Vec::new(),
        device: None,
        finished: finished.map(|since| since.as_secs()),
        cost: Cost::default(),
    };
    let labels = dataset.labels_to_score(split);
    let outcome = outcome_of_predictions(metric, Scoring::Probability, &dataset.tasks, &labels, predictions);
    let mut record = Record {
        schema: RECORD_SCHEMA.to_owned(),
        key: String::new(),
        fit_key: step.key.clone(),
        method: method.to_owned(),
        dataset: dataset.id.clone(),
        simulated: manifest.simulated,
        split: SplitInfo::of(split).into(),
        seed,
        task_type: dataset.task_type,
        metric,
        scoring: Scoring::Probability,
        shuffled_labels: false,
        tasks: dataset.tasks.clone().into(),
        composition: composition.into(),
        unparsed_molecules: unparsed,
        confined: false,
        bitwise: Some(false),
        corpora: Vec::new(),
        profiled: None,
        outcome,
        search: None,
        cost: Cost::default(),
        pretrain_cost: None,
        finished: step.finished,
        device: None,
        varied: std::collections::BTreeMap::new(),
    };
    record.key = record.content_key();
    (step, record)
}
