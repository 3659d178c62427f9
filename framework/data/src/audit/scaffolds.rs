//! Scaffolds in several parts.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::split::{Part, Split};

/// Murcko scaffolds, with stereo, in several parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scaffolds {
    /// Distinct scaffolds; molecules without a ring have none.
    pub distinct: usize,
    /// Scaffolds that are in more than one part.
    pub straddling: usize,
    /// Molecules without a ring in the training, validation and test part.
    pub acyclic: [usize; 3],
    /// Test in training, validation in training, test in validation part.
    pub overlaps: Vec<ScaffoldOverlap>,
}

/// Rows of a part whose scaffold another part has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaffoldOverlap {
    /// The part whose rows are counted.
    pub part: Part,
    /// The part that has their scaffold, too.
    pub with: Part,
    /// Rows of `part` with a ring.
    pub cyclic_rows: usize,
    /// Those whose scaffold `with` has.
    pub shared_rows: usize,
    /// Their distinct scaffolds.
    pub shared_scaffolds: usize,
    /// Rows whose scaffold without stereo `with` has: a split by scaffolds with stereo may part stereoisomers.
    pub shared_rows_without_stereo: usize,
}

/// Finds scaffolds in several parts; an empty scaffold means that there is no ring. `flat` are those without stereo.
pub(super) fn find(scaffolds: &[String], flat: &[String], split: &Split) -> Scaffolds {
    let rows = |part: Part| rows(split, part);
    let cyclic = |part: Part| {
        rows(part).iter().map(|&row| scaffolds[row].as_str()).filter(|scaffold| !scaffold.is_empty())
    };
    let set = |part: Part| cyclic(part).collect::<HashSet<&str>>();
    let [train, valid, test] = [Part::Train, Part::Valid, Part::Test].map(set);
    let all: HashSet<&&str> = train.iter().chain(&valid).chain(&test).collect();
    let straddles =
        |scaffold: &&&str| [&train, &valid, &test].iter().filter(|set| set.contains(**scaffold)).count() > 1;
    let overlap = |part: Part, with: Part, others: &HashSet<&str>| {
        let flat_of = |part| rows(part).iter().map(|&row| flat[row].as_str()).filter(|flat| !flat.is_empty());
        let flat_others: HashSet<&str> = flat_of(with).collect();
        let shared: Vec<&str> = cyclic(part).filter(|scaffold| others.contains(scaffold)).collect();
        ScaffoldOverlap {
            part,
            with,
            cyclic_rows: cyclic(part).count(),
            shared_rows: shared.len(),
            shared_scaffolds: shared.iter().collect::<HashSet<_>>().len(),
            shared_rows_without_stereo: flat_of(part).filter(|flat| flat_others.contains(flat)).count(),
        }
    };
    Scaffolds {
        distinct: all.len(),
        straddling: all.iter().filter(|scaffold| straddles(scaffold)).count(),
        acyclic: [Part::Train, Part::Valid, Part::Test].map(|part| rows(part).len() - cyclic(part).count()),
        overlaps: vec![
            overlap(Part::Test, Part::Train, &train),
            overlap(Part::Valid, Part::Train, &train),
            overlap(Part::Test, Part::Valid, &valid),
        ],
    }
}

fn rows(split: &Split, part: Part) -> &[usize] {
    match part {
        Part::Train => &split.train,
        Part::Valid => &split.valid,
        Part::Test => &split.test,
    }
}
