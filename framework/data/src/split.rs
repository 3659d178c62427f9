//! Splits of a dataset into training, validation and test parts, one file per protocol.
//!
//! The protocols take scaffolds, not molecules: element `i` is the scaffold of molecule `i`, usually a Murcko
//! scaffold SMILES with stereo kept; the empty string means that there is no ring. Molecules with equal
//! scaffolds form a group; groups are numbered in the order of their first molecule.

mod generator;
mod infoalign;
mod ogb;
mod part;
mod random;
mod scaffold;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::hash::Hasher;

pub use part::Part;

/// A way to split molecules into three parts.
///
/// `n` is the number of molecules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The split of the `InfoAlign` paper (arXiv 2406.12056; 0.6/0.15/0.25), kept exactly so that its figures
    /// can be reproduced. The groups are shuffled by numpy's legacy `RandomState(3).shuffle`, laid end to
    /// end, and cut after `floor(0.6 n)` and a further `floor(0.15 n)` molecules. **A group may straddle a
    /// cut**, so one scaffold can be in two parts. The seed is not used.
    Infoalign,
    /// The scaffold split of Open Graph Benchmark and `DeepChem` (0.8/0.1/0.1). Groups, largest first (ties: the later
    /// first molecule first), go to train while it stays within `0.8 n`, else to valid while train and valid together
    /// stay within `0.9 n`, else to test. No group straddles. The seed is not used.
    Ogb,
    /// The arena's own default for new datasets (0.8/0.1/0.1): no group straddles, different seeds give
    /// different splits, and small and medium scaffolds both reach the test part. With
    /// `k = max(1, floor(0.1 n))`:
    ///
    /// 1. The groups are shuffled with the seed.
    /// 2. Each group in turn, unless it holds more than `k / 2` molecules: to test while test stays within
    ///    `k`, else to valid while valid stays within `k`, else to train. Larger groups go to train, so that
    ///    test and valid never depend on one scaffold.
    /// 3. If test, then valid, is still empty and train has more than one group, the smallest group of train (the
    ///    last one in shuffled order among equals) moves there. With three groups or more, no part stays empty.
    Scaffold,
    /// Molecules shuffled with the seed, regardless of scaffold (0.8/0.1/0.1): test is `max(1, floor(0.1 n))` of them,
    /// valid as many, train the rest. Similar molecules are on both sides, so scores are too good; for contrast only.
    Random,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 4] = [Self::Infoalign, Self::Ogb, Self::Scaffold, Self::Random];

    /// The protocol's name in manifests, suites and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Infoalign => "infoalign",
            Self::Ogb => "ogb",
            Self::Scaffold => "scaffold",
            Self::Random => "random",
        }
    }

    /// Whether the split depends on the seed.
    pub fn uses_seed(self) -> bool {
        matches!(self, Self::Scaffold | Self::Random)
    }

    /// Splits `scaffolds.len()` molecules. Equal arguments give equal splits on every machine.
    ///
    /// Parts may be empty when there are few molecules or scaffolds. The recorded seed is 0 where none is used.
    pub fn split(self, scaffolds: &[String], seed: u64) -> Split {
        let [mut train, mut valid, mut test] = match self {
            Self::Infoalign => infoalign::split(groups(scaffolds)),
            Self::Ogb => ogb::split(groups(scaffolds)),
            Self::Scaffold => scaffold::split(groups(scaffolds), seed),
            Self::Random => random::split(scaffolds.len(), seed),
        };
        for part in [&mut train, &mut valid, &mut test] {
            part.sort_unstable();
        }
        let seed = if self.uses_seed() { seed } else { 0 };
        Split { protocol: self.name().to_owned(), seed, train, valid, test }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Protocol {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|protocol| protocol.name() == name);
        known.ok_or_else(|| Error::UnknownProtocol { name: name.to_owned() })
    }
}

/// A partition of the molecules `0..n` of a dataset into three parts, each in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Name of the protocol that made it.
    pub protocol: String,
    /// The seed it was made with; 0 if the protocol uses none.
    pub seed: u64,
    /// Molecules that a method may learn from.
    pub train: Vec<usize>,
    /// Molecules that a method may choose its settings with.
    pub valid: Vec<usize>,
    /// Molecules that a method is scored on.
    pub test: Vec<usize>,
}

impl Split {
    /// The parts with their molecules, in the order train, valid, test.
    pub fn parts(&self) -> [(Part, &[usize]); 3] {
        [(Part::Train, &self.train), (Part::Valid, &self.valid), (Part::Test, &self.test)]
    }

    /// Returns the split if no part is empty. `id` names the dataset in the error.
    ///
    /// # Errors
    /// [`Error::EmptyPart`] if a part has no molecules.
    pub fn without_empty_part(self, id: &str) -> Result<Self> {
        let Some((part, _)) = self.parts().into_iter().find(|(_, part)| part.is_empty()) else {
            return Ok(self);
        };
        let molecules = self.len();
        Err(Error::EmptyPart { id: id.to_owned(), protocol: self.protocol, part, molecules })
    }

    /// Number of molecules in all parts.
    pub fn len(&self) -> usize {
        self.train.len() + self.valid.len() + self.test.len()
    }

    /// Whether all parts are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 of the index lists: for train, valid and test in turn, the part's length and then its indices, each as
    /// 8 bytes, least significant first. Protocol and seed are not part of it. 64 lower-case hex digits.
    pub fn sha256(&self) -> String {
        let mut hasher = Hasher::default();
        for (_, part) in self.parts() {
            hasher.update(&(part.len() as u64).to_le_bytes());
            for &index in part {
                hasher.update(&(index as u64).to_le_bytes());
            }
        }
        hasher.finish()
    }

    /// Number of groups that have molecules in more than one part: 0 in a split without leaks.
    pub fn straddling(&self, scaffolds: &[String]) -> usize {
        let mut part_of = vec![0_u8; scaffolds.len()];
        for (number, (_, part)) in self.parts().into_iter().enumerate() {
            for &index in part {
                part_of[index] = number as u8;
            }
        }
        let straddles = |group: &&Vec<usize>| group.iter().any(|&index| part_of[index] != part_of[group[0]]);
        groups(scaffolds).iter().filter(straddles).count()
    }
}

/// Molecules by scaffold: groups in the order of their first molecule, molecules in ascending order.
fn groups(scaffolds: &[String]) -> Vec<Vec<usize>> {
    let mut number_of = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (molecule, scaffold) in scaffolds.iter().enumerate() {
        let number = *number_of.entry(scaffold.as_str()).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Vec::new());
        }
        groups[number].push(molecule);
    }
    groups
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scaffolds(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn groups_keep_the_order_of_first_appearance() {
        assert_eq!(groups(&scaffolds(&["b", "", "b", "a", ""])), [vec![0, 2], vec![1, 4], vec![3]]);
    }

    #[test]
    fn names_are_read_back() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.to_string().parse::<Protocol>().unwrap(), protocol);
            assert_eq!(serde_json::to_string(&protocol).unwrap(), format!("\"{protocol}\""));
        }
        assert_eq!("scafold".parse::<Protocol>().unwrap_err().code(), "E-DATA-017");
    }

    #[test]
    fn the_digest_tells_parts_apart() {
        let split = |train: &[usize], valid: &[usize], test: &[usize]| Split {
            protocol: String::new(),
            seed: 0,
            train: train.to_vec(),
            valid: valid.to_vec(),
            test: test.to_vec(),
        };
        let digest = split(&[0, 1], &[2], &[3]).sha256();
        assert_ne!(digest, split(&[0], &[1, 2], &[3]).sha256());
        assert_ne!(digest, split(&[0, 1], &[3], &[2]).sha256());
        assert_eq!(digest, Split { seed: 7, ..split(&[0, 1], &[2], &[3]) }.sha256());
    }

    #[test]
    fn no_part_of_a_scaffold_split_is_empty_when_there_are_three_groups() {
        for names in [["a", "b", "c"].as_slice(), &["a", "a", "a", "a", "a", "b", "b", "c"]] {
            let split = Protocol::Scaffold.split(&scaffolds(names), 0);
            assert!(split.parts().iter().all(|(_, part)| !part.is_empty()), "{split:?}");
        }
        assert_eq!(Protocol::Scaffold.split(&scaffolds(&["a", "a"]), 0).train, [0, 1]);
        assert!(Protocol::Scaffold.split(&[], 0).is_empty());
    }

    #[test]
    fn a_scaffold_split_comes_close_to_its_shares_and_seeds_differ() {
        let names: Vec<String> =
            (0..1000).map(|i| if i % 4 == 0 { String::new() } else { (i / 3).to_string() }).collect();
        let split = |seed| Protocol::Scaffold.split(&names, seed);
        let sizes = |split: &Split| split.parts().map(|(_, part)| part.len());
        assert_eq!(sizes(&split(0)), [800, 100, 100]);
        assert_ne!(split(0).test, split(1).test);
        assert!(
            split(0).train.contains(&0),
            "250 molecules without a ring are too many for a test part of 100"
        );
    }

    proptest! {
        #[test]
        fn every_protocol_partitions(names in names(), seed: u64) {
            for protocol in Protocol::ALL {
                let split = protocol.split(&names, seed);
                let mut all: Vec<usize> = split.parts().iter().flat_map(|(_, part)| part.to_vec()).collect();
                all.sort_unstable();
                prop_assert_eq!(all, (0..names.len()).collect::<Vec<_>>());
                prop_assert!(split.parts().iter().all(|(_, part)| part.is_sorted()));
                prop_assert_eq!(&split, &protocol.split(&names, seed));
            }
        }

        #[test]
        fn leak_free_protocols_never_straddle(names in names(), seed: u64) {
            for protocol in [Protocol::Ogb, Protocol::Scaffold] {
                prop_assert_eq!(protocol.split(&names, seed).straddling(&names), 0);
            }
        }

        #[test]
        fn a_scaffold_split_leaves_no_part_empty(names in names(), seed: u64) {
            prop_assume!(groups(&names).len() >= 3);
            let split = Protocol::Scaffold.split(&names, seed);
            prop_assert!(split.parts().iter().all(|(_, part)| !part.is_empty()));
        }
    }

    fn names() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("[a-e]{0,2}", 0..120)
    }
}
