//! What the corpora of a row have of the test molecules: how much of them its encoder may have seen.

use std::collections::{BTreeMap, HashSet};

use molarena_record::{cell::Record, parts::Pretrained};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::labels::{Labels, TestPart};

/// A corpus that an encoder of a row was pretrained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeenCorpus {
    /// Its id, or the name by which a plugin declares it.
    pub corpus: String,
    /// Share of the test molecules that it has, from 0 to 1, by the first block of the `InChIKey`; null if its molecules
    /// cannot be read here.
    pub share: Option<f64>,
}

/// The corpora of a record, by name. Of several pretrainings on one corpus the one that saw most counts.
///
/// # Errors
/// The identity keys of the test molecules cannot be had.
pub(crate) fn seen(
    record: &Record,
    test: &TestPart,
    labels: &mut Labels<'_>,
) -> Result<Vec<SeenCorpus>, String> {
    let pretrainings: Vec<&Pretrained> = record.composition.pretrainings().collect();
    if pretrainings.is_empty() && record.corpora.is_empty() {
        return Ok(Vec::new());
    }
    let keys = test.identities(labels.store()).map_err(|error| error.to_string())?;
    let mut found: BTreeMap<&str, Option<f64>> = BTreeMap::new();
    let mut add = |corpus, share: Option<f64>| {
        let known = found.entry(corpus).or_insert(share);
        *known = known.zip(share).map(|(one, other)| one.max(other));
    };
    for corpus in &record.corpora {
        add(corpus, share(corpus, &[], &keys, labels));
    }
    for pretrained in pretrainings {
        // What the arena leaves out, it leaves out by these keys.
        let share = if pretrained.leave_out.contains(&record.dataset) {
            Some(0.0)
        } else {
            share(&pretrained.corpus, &pretrained.leave_out, &keys, labels)
        };
        add(&pretrained.corpus, share);
    }
    Ok(found.into_iter().map(|(corpus, share)| SeenCorpus { corpus: corpus.to_owned(), share }).collect())
}

/// The share of the keys that a corpus has without the datasets that were left out of it, as far as these can be read.
fn share(corpus: &str, leave_out: &[String], keys: &[String], labels: &mut Labels<'_>) -> Option<f64> {
    let corpus = labels.identities(corpus).ok()?;
    let left: Vec<_> = leave_out.iter().filter_map(|id| labels.identities(id).ok()).collect();
    let left: HashSet<&str> = left.iter().flat_map(|keys| keys.iter().map(String::as_str)).collect();
    let seen = |key: &&String| corpus.contains(*key) && !left.contains(key.as_str());
    Some(keys.iter().filter(seen).count() as f64 / keys.len() as f64)
}
