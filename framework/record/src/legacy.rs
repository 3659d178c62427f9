//! Step records from the formats before `molarena.step/1`: `molarena.fit/2`, `molarena.encoder/1` and
//! `molarena.match/1`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    encoder::EncoderRecord,
    fit::Fit,
    matching::{MatchOutcome, MatchRecord, RANKS_FILE},
    parts::{Cost, Failure},
    step::{Kind, STEP_SCHEMA, StepOutcome, StepRecord},
};

fn outcome(failure: Option<Failure>, files: BTreeMap<String, String>) -> StepOutcome {
    failure.map_or(StepOutcome::Made { files }, StepOutcome::Failed)
}

fn step(key: String, kind: Kind, outcome: StepOutcome, confined: bool, cost: Cost) -> StepRecord {
    let (schema, of) = (STEP_SCHEMA.to_owned(), Value::Null);
    StepRecord {
        schema,
        key,
        kind,
        of,
        outcome,
        search: None,
        corpus: None,
        libraries: BTreeMap::new(),
        confined,
        missing_layers: Vec::new(),
        device: None,
        finished: None,
        cost,
    }
}

impl From<Fit> for StepRecord {
    fn from(fit: Fit) -> Self {
        let files = fit.predictions.map(|hashes| {
            [("test.npy".to_owned(), hashes.test), ("valid.npy".to_owned(), hashes.valid)].into()
        });
        let outcome = outcome(fit.failure, files.unwrap_or_default());
        Self { search: fit.search, ..step(fit.fit_key, Kind::Fit, outcome, fit.confined, fit.cost) }
    }
}

impl From<EncoderRecord> for StepRecord {
    fn from(encoder: EncoderRecord) -> Self {
        let files = encoder.state_sha256.map(|sha256| [("state".to_owned(), sha256)].into());
        let outcome = outcome(encoder.failure, files.unwrap_or_default());
        let made = step(encoder.key, Kind::Pretrain, outcome, encoder.confined, encoder.cost.into());
        Self { corpus: Some(encoder.corpus), ..made }
    }
}

impl From<MatchRecord> for StepRecord {
    fn from(record: MatchRecord) -> Self {
        let outcome = match record.outcome {
            MatchOutcome::Scored { ranks_sha256, .. } => {
                StepOutcome::Made { files: [(RANKS_FILE.to_owned(), ranks_sha256)].into() }
            }
            MatchOutcome::Failed(failure) => StepOutcome::Failed(failure),
        };
        step(record.key, Kind::Rank, outcome, record.confined, record.cost)
    }
}
