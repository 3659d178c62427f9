//! The outcome of a pretraining before `molarena.step/1`: `encoders/<key>/record.json`, beside the encoder's
//! state.

use std::collections::BTreeMap;

use molarena_data::context::{ContextGraph, EdgeKind, NodeKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parts::{ComponentUse, Failure, PretrainCost};

/// Schema name of [`EncoderRecord`].
pub const ENCODER_SCHEMA: &str = "molarena.encoder/1";

/// Outcome of a pretraining.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EncoderRecord {
    /// [`ENCODER_SCHEMA`].
    pub schema: String,
    /// Hash of everything that determines the state; also the folder's name.
    pub key: String,
    /// The corpus that the encoder was trained on.
    pub corpus: CorpusUse,
    /// The encoder.
    pub encoder: ComponentUse,
    /// Features of the corpus's molecules, as in the method file.
    pub features: serde_json::Value,
    /// Chemistry version that computed the features.
    pub chemistry: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Why there is no state; null if there is one.
    pub failure: Option<Failure>,
    /// sha256 of the state; null if there is none.
    pub state_sha256: Option<String>,
    /// Whether every worker was confined.
    pub confined: bool,
    /// Cost of the pretraining.
    pub cost: PretrainCost,
}

/// A context graph as used: what it holds and what was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CorpusUse {
    /// Id of the context graph.
    pub id: String,
    /// Whether its data are simulated.
    pub simulated: bool,
    /// Hash of its content: manifest, files, left-out molecules, chemistry version.
    pub key: String,
    /// Whose molecules to leave out: ids of datasets, and the queries of a matching task.
    pub leave_out: Vec<String>,
    /// Number of distinct molecules of the context that were left out.
    pub left_out: usize,
    /// Number of rows of its molecule tables that cannot be read.
    pub unreadable: usize,
    /// Number of nodes by kind.
    pub nodes: BTreeMap<String, usize>,
    /// Number of edges by kind.
    pub edges: BTreeMap<String, usize>,
    /// The feature spaces.
    pub spaces: Vec<SpaceUse>,
}

/// A feature space of a context graph, as used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpaceUse {
    /// Name of the space.
    pub name: String,
    /// Kind of its nodes.
    pub kind: String,
    /// Number of nodes with a row.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
}

impl CorpusUse {
    /// Describes `graph`, from which the molecules of `leave_out` were left out.
    pub fn of(graph: &ContextGraph, leave_out: Vec<String>) -> Self {
        let node_count = |kind| graph.node_kinds.iter().filter(|&&node| node == kind).count();
        let edge_count = |kind| graph.edges.iter().filter(|edge| edge.kind == kind).count();
        Self {
            id: graph.id.clone(),
            simulated: graph.simulated,
            key: graph.key.clone(),
            leave_out,
            left_out: graph.left_out,
            unreadable: graph.failures.len(),
            nodes: NodeKind::ALL.map(|kind| (kind.to_string(), node_count(kind))).into(),
            edges: EdgeKind::ALL.map(|kind| (kind.to_string(), edge_count(kind))).into(),
            spaces: graph
                .spaces
                .iter()
                .map(|space| SpaceUse {
                    name: space.name.clone(),
                    kind: space.kind.to_string(),
                    rows: space.len(),
                    columns: space.columns,
                })
                .collect(),
        }
    }
}

impl EncoderRecord {
    /// The failure of every step that needs this encoder, if it failed.
    pub fn failure_of_dependents(&self) -> Option<Failure> {
        let failure = self.failure.as_ref()?;
        Some(Failure { message: format!("pretraining: {}", failure.message), ..failure.clone() })
    }
}
