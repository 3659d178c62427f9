//! JSON Schemas of what evaluations are written as.

use schemars::schema_for;
use serde_json::Value;

use crate::{
    claims::{CLAIMS_REPORT_SCHEMA, ClaimsReport},
    compare::{COMPARISON_SCHEMA, Comparison, REFERENCE_SCHEMA, ReferenceComparison},
    gate::{GATE_SCHEMA, Gate},
};

/// Name, a few words on what it is, and JSON Schema of each format.
pub fn all() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            COMPARISON_SCHEMA,
            "two rows head to head, in `molarena compare --format json`",
            schema_for!(Comparison).to_value(),
        ),
        (
            REFERENCE_SCHEMA,
            "one row against all others, in `molarena compare --reference ROW --format json`",
            schema_for!(ReferenceComparison).to_value(),
        ),
        (
            GATE_SCHEMA,
            "a store against a baseline, in `molarena gate --format json`",
            schema_for!(Gate).to_value(),
        ),
        (
            CLAIMS_REPORT_SCHEMA,
            "what holds of a paper's claims, in `molarena claims --format json`",
            schema_for!(ClaimsReport).to_value(),
        ),
    ]
}
