//! Rows that repeat a molecule, and rows of several fragments.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use rayon::prelude::*;

use super::OwnTask;
use crate::manifest::TaskType;

/// What happens to rows that repeat a molecule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicatePolicy {
    /// All stay.
    #[default]
    Keep,
    /// The first row stays; the others are left out.
    First,
    /// The first row stays, with the mean of the known labels (regression) or their majority (classification;
    /// a tie makes the label missing).
    Mean,
}

impl FromStr for DuplicatePolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keep" => Ok(Self::Keep),
            "first" => Ok(Self::First),
            "mean" => Ok(Self::Mean),
            _ => Err(format!("`{text}` is no way with duplicates; write keep, first or mean")),
        }
    }
}

impl fmt::Display for DuplicatePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::First => "first",
            Self::Mean => "mean",
        })
    }
}

/// A molecule in several rows, by [`molarena_chem::Molecule::identity`], which unites stereoisomers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Data rows of the file, from 1, in ascending order.
    pub rows: Vec<usize>,
    /// SMILES of the first row.
    pub smiles: String,
    /// Whether two of the rows have different labels for the same task.
    pub conflicting: bool,
}

/// A row of several fragments: a salt, a solvate or a mixture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixtureRow {
    /// Data row of the file, from 1.
    pub row: usize,
    /// Its SMILES.
    pub smiles: String,
    /// Number of fragments.
    pub fragments: usize,
}

/// Rows that stay.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Data rows of the file, from 1.
    pub(super) rows: Vec<usize>,
    pub(super) smiles: Vec<String>,
    /// `[rows, tasks]`.
    pub(super) values: Vec<f32>,
    pub(super) sha256: String,
}

/// Molecules in several rows, and rows of several fragments. Rows whose SMILES cannot be read are in neither.
pub(super) fn find(smiles: &[String], values: &[f32], tasks: usize) -> (Vec<Repeat>, Vec<MixtureRow>) {
    let read = |text: &String| {
        let molecule = molarena_chem::Molecule::parse(text).ok()?;
        Some((molecule.identity(), molecule.fragments()))
    };
    let molecules: Vec<Option<(String, usize)>> = smiles.par_iter().map(read).collect();
    let mut number_of: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut mixtures = Vec::new();
    for (row, molecule) in molecules.iter().enumerate() {
        let Some((identity, fragments)) = molecule else { continue };
        let number = *number_of.entry(identity).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Vec::new());
        }
        groups[number].push(row);
        if *fragments > 1 {
            mixtures.push(MixtureRow { row: row + 1, smiles: smiles[row].clone(), fragments: *fragments });
        }
    }
    groups.retain(|rows| rows.len() > 1);
    let repeat = |rows: Vec<usize>| Repeat {
        smiles: smiles[rows[0]].clone(),
        conflicting: (0..tasks).any(|task| conflicts(&rows, values, tasks, task)),
        rows: rows.iter().map(|row| row + 1).collect(),
    };
    (groups.into_iter().map(repeat).collect(), mixtures)
}

/// The known labels of `rows` (from 0) in a task.
fn known<'a>(
    rows: &'a [usize],
    values: &'a [f32],
    tasks: usize,
    task: usize,
) -> impl Iterator<Item = f32> + 'a {
    rows.iter().map(move |row| values[row * tasks + task]).filter(|value| !value.is_nan())
}

fn conflicts(rows: &[usize], values: &[f32], tasks: usize, task: usize) -> bool {
    let mut labels = known(rows, values, tasks, task);
    labels.next().is_some_and(|first| labels.any(|label| label != first))
}

/// The rows that stay under `policy`.
pub(super) fn apply(
    policy: DuplicatePolicy,
    repeats: &[Repeat],
    tasks: &[OwnTask],
    smiles: Vec<String>,
    mut values: Vec<f32>,
) -> Kept {
    let width = tasks.len();
    let mut stays = vec![true; smiles.len()];
    if policy != DuplicatePolicy::Keep {
        for repeat in repeats {
            let rows: Vec<usize> = repeat.rows.iter().map(|row| row - 1).collect();
            if policy == DuplicatePolicy::Mean {
                for (task, spec) in tasks.iter().enumerate() {
                    let merged = merge(spec.kind, known(&rows, &values, width, task));
                    values[rows[0] * width + task] = merged;
                }
            }
            for &row in &rows[1..] {
                stays[row] = false;
            }
        }
    }
    let indices: Vec<usize> = (0..smiles.len()).filter(|&row| stays[row]).collect();
    Kept {
        rows: indices.iter().map(|row| row + 1).collect(),
        values: indices.iter().flat_map(|row| &values[row * width..(row + 1) * width]).copied().collect(),
        smiles: smiles.into_iter().zip(&stays).filter_map(|(text, stays)| stays.then_some(text)).collect(),
        sha256: String::new(),
    }
}

/// Merges known labels into one; NaN for none or a tie.
fn merge(kind: TaskType, labels: impl Iterator<Item = f32>) -> f32 {
    let (count, sum) = labels.fold((0_u32, 0.0), |(count, sum), label| (count + 1, sum + f64::from(label)));
    let mean = sum / f64::from(count);
    match kind {
        TaskType::Classification if mean == 0.5 => f32::NAN,
        // NaN, the mean of no labels, stays NaN.
        TaskType::Classification => mean.round() as f32,
        TaskType::Regression => mean as f32,
    }
}
