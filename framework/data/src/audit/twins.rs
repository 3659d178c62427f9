//! Rows of one molecule under another spelling, tautomer, charge, salt or stereoisomer.

use std::collections::{BTreeMap, HashMap, HashSet};

use molarena_chem::Molecule;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::groups::{Joined, repeated};
use super::keys::Keys;
use super::{EXAMPLES, PartOfRow};
use crate::prepared::PreparedDataset;
use crate::split::Part;

/// How two rows are of one molecule. A pair of rows has one kind: the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TwinKind {
    /// The same SMILES text.
    Repeat,
    /// Another SMILES text with the same canonical SMILES.
    Spelling,
    /// Other isotopes.
    Isotope,
    /// Another stereoisomer, or one without stereo: the same canonical SMILES without stereo.
    Stereoisomer,
    /// Another tautomer: the same first block of the `InChIKey` with equal formal charges, or the same canonical
    /// tautomer by `RDKit`'s rules.
    Tautomer,
    /// Another charge form, such as an acid and its ion or a zwitterion, or a bond to a metal that is drawn or not: the
    /// same first block of the `InChIKey` with other formal charges.
    Charge,
    /// Another salt, solvate or mixture: the same first block of the `InChIKey` of the parent fragment.
    Salt,
}

impl TwinKind {
    /// All kinds, the closest first.
    pub const ALL: [Self; 7] = [
        Self::Repeat,
        Self::Spelling,
        Self::Isotope,
        Self::Stereoisomer,
        Self::Tautomer,
        Self::Charge,
        Self::Salt,
    ];
}

/// Kinds of the levels at which rows are joined, the closest first. What `InChI` unites comes before what it does not,
/// so tautomers have two levels.
const LEVELS: [TwinKind; 8] = [
    TwinKind::Repeat,
    TwinKind::Spelling,
    TwinKind::Isotope,
    TwinKind::Stereoisomer,
    TwinKind::Tautomer,
    TwinKind::Charge,
    TwinKind::Tautomer,
    TwinKind::Salt,
];

/// Rows of one molecule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Twins {
    /// Distinct identity keys (first block of the `InChIKey`).
    pub distinct: usize,
    /// Rows of the test part whose identity key a training row has.
    pub test_rows_with_training_twin: usize,
    /// The same as a share of the rows of the test part, from 0 to 1.
    pub share: f64,
    /// At most this many examples are listed of each kind.
    pub examples_at_most: usize,
    /// Each kind, the closest first.
    pub kinds: Vec<TwinsOfKind>,
}

/// Twins of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TwinsOfKind {
    /// The kind.
    pub kind: TwinKind,
    /// Pairs of rows.
    pub pairs: PairCounts,
    /// Rows of the test part whose closest training row is a twin of this kind.
    pub test_rows: usize,
    /// Examples, one for each molecule, those between training and test part first.
    pub examples: Vec<TwinExample>,
}

/// Pairs of rows by the parts that they are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairCounts {
    /// Both in the training part.
    pub train: u64,
    /// Both in the validation part.
    pub valid: u64,
    /// Both in the test part.
    pub test: u64,
    /// In the training and the validation part.
    pub train_valid: u64,
    /// In the training and the test part.
    pub train_test: u64,
    /// In the validation and the test part.
    pub valid_test: u64,
}

impl PairCounts {
    /// Pairs within parts.
    pub fn within(&self) -> u64 {
        self.train + self.valid + self.test
    }

    /// Pairs across parts.
    pub fn across(&self) -> u64 {
        self.train_valid + self.train_test + self.valid_test
    }

    /// The pairs of groups of rows.
    fn of(numbers: &[usize], parts: &PartOfRow) -> Self {
        let mut counts: HashMap<usize, [u64; 3]> = HashMap::new();
        for (row, number) in numbers.iter().enumerate() {
            if let Some(part) = parts.of(row) {
                counts.entry(*number).or_default()[part as usize] += 1;
            }
        }
        counts.values().fold(Self::default(), |sum, &[train, valid, test]| Self {
            train: sum.train + train * train.saturating_sub(1) / 2,
            valid: sum.valid + valid * valid.saturating_sub(1) / 2,
            test: sum.test + test * test.saturating_sub(1) / 2,
            train_valid: sum.train_valid + train * valid,
            train_test: sum.train_test + train * test,
            valid_test: sum.valid_test + valid * test,
        })
    }

    /// `self + more - less`, of each count.
    fn changed(self, more: Self, less: Self) -> Self {
        Self {
            train: self.train + more.train - less.train,
            valid: self.valid + more.valid - less.valid,
            test: self.test + more.test - less.test,
            train_valid: self.train_valid + more.train_valid - less.train_valid,
            train_test: self.train_test + more.train_test - less.train_test,
            valid_test: self.valid_test + more.valid_test - less.valid_test,
        }
    }
}

/// Two rows of one molecule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TwinExample {
    /// The rows, from 1; the training row first, else the smaller.
    pub rows: [usize; 2],
    /// Their parts.
    pub parts: [Part; 2],
    /// Their SMILES as in the file.
    pub smiles: [String; 2],
}

/// Finds the twins of a dataset.
pub(super) fn find(prepared: &PreparedDataset, parts: &PartOfRow, keys: &[Keys]) -> Twins {
    let levels = levels(&prepared.molecules, keys);
    let mut kinds: BTreeMap<TwinKind, TwinsOfKind> = TwinKind::ALL
        .into_iter()
        .map(|kind| {
            let (pairs, examples) = (PairCounts::default(), Vec::new());
            (kind, TwinsOfKind { kind, pairs, test_rows: 0, examples })
        })
        .collect();
    let mut closer: Vec<usize> = (0..keys.len()).collect();
    let mut found = HashSet::new();
    for (kind, numbers) in LEVELS.iter().zip(&levels) {
        let of_kind = kinds.get_mut(kind).expect("all kinds are there");
        of_kind.pairs = of_kind.pairs.changed(PairCounts::of(numbers, parts), PairCounts::of(&closer, parts));
        let new: Vec<usize> =
            test_rows(numbers, parts).into_iter().filter(|row| found.insert(*row)).collect();
        of_kind.test_rows += new.len();
        of_kind.examples.extend(examples(prepared, parts, numbers, &closer));
        closer.clone_from(numbers);
    }
    for kind in kinds.values_mut() {
        // The sort is stable: equals stay in the order of their rows.
        kind.examples.sort_by_key(|example| preference(example.parts));
        kind.examples.truncate(EXAMPLES);
    }
    let identities: Vec<&str> = keys.iter().map(|keys| keys.identity.as_str()).collect();
    let numbers = super::groups::numbered(&identities);
    let twins = test_rows(&numbers, parts).len();
    let tests = parts.0.iter().filter(|part| **part == Some(Part::Test)).count();
    Twins {
        distinct: numbers.iter().max().map_or(0, |most| most + 1),
        test_rows_with_training_twin: twins,
        share: super::share(twins, tests),
        examples_at_most: EXAMPLES,
        kinds: kinds.into_values().collect(),
    }
}

/// The group of each row, level by level; groups only grow.
fn levels(molecules: &[Molecule], keys: &[Keys]) -> Vec<Vec<usize>> {
    let mut joined = Joined::new(keys.len());
    let mut levels = Vec::with_capacity(LEVELS.len());
    joined.join(keys.iter().map(|keys| &keys.text));
    levels.push(joined.numbers());
    joined.join(keys.iter().map(|keys| &keys.canonical));
    levels.push(joined.numbers());
    joined.join(keys.iter().map(|keys| &keys.without_isotopes));
    levels.push(joined.numbers());
    joined.join(keys.iter().map(|keys| &keys.flat));
    levels.push(joined.numbers());
    joined.join(keys.iter().map(|keys| (&keys.identity, &keys.charges)));
    levels.push(joined.numbers());
    joined.join(keys.iter().map(|keys| &keys.identity));
    levels.push(joined.numbers());
    let tautomers = tautomers(molecules, keys, &joined.numbers());
    joined.join(tautomers.iter().enumerate().map(|(row, tautomer)| tautomer.as_ref().ok_or(row)));
    levels.push(joined.numbers());
    joined.join(keys.iter().map(|keys| &keys.parent));
    levels.push(joined.numbers());
    levels
}

/// The canonical tautomer of each row whose skeleton a row of another group has; `None` for the others, which have no
/// tautomer among the rows. It is costly, so it is computed once for each canonical SMILES without stereo.
fn tautomers(molecules: &[Molecule], keys: &[Keys], numbers: &[usize]) -> Vec<Option<String>> {
    let mut groups: HashMap<u64, HashSet<usize>> = HashMap::new();
    for (keys, number) in keys.iter().zip(numbers) {
        groups.entry(keys.skeleton).or_default().insert(*number);
    }
    let asked = |row: &usize| groups[&keys[*row].skeleton].len() > 1;
    let mut first: HashMap<&str, usize> = HashMap::new();
    for row in (0..keys.len()).filter(asked) {
        first.entry(&keys[row].flat).or_insert(row);
    }
    let computed: HashMap<&str, Option<String>> =
        first.into_par_iter().map(|(flat, row)| (flat, molecules[row].canonical_tautomer())).collect();
    keys.iter().map(|keys| computed.get(keys.flat.as_str()).cloned().flatten()).collect()
}

/// Test rows whose group has a training row.
fn test_rows(numbers: &[usize], parts: &PartOfRow) -> Vec<usize> {
    let of = |part| move |row: &usize| parts.of(*row) == Some(part);
    let trained: HashSet<usize> =
        (0..numbers.len()).filter(of(Part::Train)).map(|row| numbers[row]).collect();
    (0..numbers.len()).filter(of(Part::Test)).filter(|&row| trained.contains(&numbers[row])).collect()
}

/// One pair of rows of each group that has several closer groups: the pair with the most telling parts.
fn examples<'a>(
    prepared: &'a PreparedDataset,
    parts: &'a PartOfRow,
    numbers: &'a [usize],
    closer: &'a [usize],
) -> impl Iterator<Item = TwinExample> + 'a {
    repeated(numbers).into_iter().filter_map(move |rows| {
        // The first row of each closer group and part stands for the others.
        let mut seen = HashSet::new();
        let rows: Vec<(usize, Part)> = rows
            .into_iter()
            .filter_map(|row| Some((row, parts.of(row)?)))
            .filter(|(row, part)| seen.insert((closer[*row], *part)))
            .collect();
        let pairs = rows.iter().enumerate().flat_map(|(index, one)| {
            rows[..index]
                .iter()
                .filter(|other| closer[other.0] != closer[one.0])
                .map(move |other| (*other, *one))
        });
        let (mut one, mut other) = pairs.min_by_key(|((_, one), (_, other))| preference([*one, *other]))?;
        if other.1 < one.1 {
            std::mem::swap(&mut one, &mut other);
        }
        let dataset = &prepared.dataset;
        let [(one, part), (other, other_part)] = [one, other];
        Some(TwinExample {
            rows: [dataset.rows[one], dataset.rows[other]],
            parts: [part, other_part],
            smiles: [dataset.smiles[one].clone(), dataset.smiles[other].clone()],
        })
    })
}

/// Training and test part come first, then other parts, then one part.
fn preference(parts: [Part; 2]) -> u8 {
    match parts {
        [Part::Train, Part::Test] | [Part::Test, Part::Train] => 0,
        [one, other] if one != other => 1,
        _ => 2,
    }
}
