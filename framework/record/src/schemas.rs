//! JSON Schemas of the public formats.

use serde_json::Value;

use crate::{
    cell::{RECORD_SCHEMA, Record},
    encoder::{ENCODER_SCHEMA, EncoderRecord},
    fit::{FIT_SCHEMA, Fit},
    matching::{MATCH_SCHEMA, MatchRecord},
    reproduction::{REPRODUCTION_SCHEMA, Reproduction},
    step::{STEP_SCHEMA, StepRecord},
};

/// Name, description and JSON Schema of each format.
pub fn all() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (STEP_SCHEMA, "outcome of a step", schemars::schema_for!(StepRecord).to_value()),
        (RECORD_SCHEMA, "scored cell of a prediction task", schemars::schema_for!(Record).to_value()),
        (MATCH_SCHEMA, "scored matching cell", schemars::schema_for!(MatchRecord).to_value()),
        (
            REPRODUCTION_SCHEMA,
            "what came of making a record again",
            schemars::schema_for!(Reproduction).to_value(),
        ),
        (FIT_SCHEMA, "outcome of a fit, before molarena.step/1", schemars::schema_for!(Fit).to_value()),
        (
            ENCODER_SCHEMA,
            "outcome of a pretraining, before molarena.step/1",
            schemars::schema_for!(EncoderRecord).to_value(),
        ),
    ]
}
