//! The pretraining of a row's encoder.

use std::collections::BTreeSet;

use molarena_record::{cell::Record, matching::MatchRecord, parts::PretrainCost, parts::Pretrained};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BoardOptions;
use crate::units::{duration, memory};

/// The pretraining of a row's encoder, once for all seeds; of an ensemble, those of its members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowPretraining {
    /// Ids of the context graphs, with commas between.
    pub corpus: String,
    /// Whose molecules were to leave them.
    pub leave_out: Vec<String>,
    /// Distinct molecules that left; the most, where there are several corpora.
    pub left_out: usize,
    /// Wall-clock seconds of the workers. Absent from boards without costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_s: Option<f64>,
    /// Processor seconds of the workers. Absent from boards without costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_s: Option<f64>,
    /// Largest peak resident memory of a worker in MiB. Absent from boards without costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rss_mb: Option<f64>,
}

impl RowPretraining {
    pub(crate) fn of(record: &Record, options: BoardOptions) -> Option<Self> {
        Self::new(&record.composition.pretrainings().collect::<Vec<_>>(), record.pretrain_cost, options)
    }

    pub(crate) fn of_match(record: &MatchRecord, options: BoardOptions) -> Option<Self> {
        Self::new(&record.composition.pretraining.iter().collect::<Vec<_>>(), record.pretrain_cost, options)
    }

    fn new(all: &[&Pretrained], cost: Option<PretrainCost>, options: BoardOptions) -> Option<Self> {
        let corpora: BTreeSet<&str> = all.iter().map(|one| one.corpus.as_str()).collect();
        let leave_out: BTreeSet<&String> = all.iter().flat_map(|one| &one.leave_out).collect();
        let cost = cost.filter(|_| options.cost);
        Some(Self {
            left_out: all.iter().map(|one| one.left_out).max()?,
            corpus: corpora.into_iter().collect::<Vec<_>>().join(", "),
            leave_out: leave_out.into_iter().cloned().collect(),
            wall_s: cost.map(|cost| cost.wall_s),
            cpu_s: cost.map(|cost| cost.cpu_s),
            peak_rss_mb: cost.map(|cost| cost.peak_rss_mb),
        })
    }

    /// A sentence on the rows of a board that were pretrained alike.
    pub(crate) fn note(&self, rows: &str) -> String {
        let cost = match (self.wall_s, self.cpu_s, self.peak_rss_mb) {
            (Some(wall), Some(cpu), Some(peak)) => format!(
                " in {} ({} of processors, {})",
                duration(Some(wall)),
                duration(Some(cpu)),
                memory(Some(peak))
            ),
            _ => String::new(),
        };
        format!(
            "Pretrained on {} without {} molecules of it (leave out: {}), once for all seeds{cost}: {rows}.",
            self.corpus,
            self.left_out,
            self.leave_out.join(", ")
        )
    }
}

/// Notes on pretrained rows, by name.
pub(crate) fn notes<'a>(rows: impl Iterator<Item = (&'a str, Option<&'a RowPretraining>)>) -> Vec<String> {
    let mut alike: Vec<(&RowPretraining, Vec<&str>)> = Vec::new();
    for (name, pretraining) in rows {
        let Some(pretraining) = pretraining else { continue };
        match alike.iter_mut().find(|(known, _)| *known == pretraining) {
            Some((_, names)) => names.push(name),
            None => alike.push((pretraining, vec![name])),
        }
    }
    alike.iter().map(|(pretraining, names)| pretraining.note(&names.join(", "))).collect()
}
