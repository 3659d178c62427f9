//! On which scaffolds and molecules a comparison is won, by a loss that every molecule has by itself.

use std::collections::BTreeMap;

use molarena_data::TaskType;

use super::{parts::GroupComparison, sides::Sides};

/// Most groups on each side.
const MOST: usize = 5;
/// Fewest molecules of a scaffold that is listed.
const FEWEST: usize = 3;

/// The scaffolds on which each row wins most, and the molecules.
///
/// The loss is the mean over labelled tasks and seeds of the squared error of a predicted probability, or of the absolute
/// error: unlike an area under the ROC curve, both are means over molecules.
pub(super) fn groups(sides: &Sides) -> (Vec<GroupComparison>, Vec<GroupComparison>) {
    let (one, other) = (losses(sides, &sides.first), losses(sides, &sides.second));
    let of = |members: &[usize], name: &str| {
        let mean = |losses: &[Option<f64>]| {
            let defined: Vec<f64> = members.iter().filter_map(|&molecule| losses[molecule]).collect();
            (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
        };
        let (first_loss, second_loss) = (mean(&one)?, mean(&other)?);
        Some(GroupComparison { group: name.to_owned(), molecules: members.len(), first_loss, second_loss })
    };
    let mut scaffolds: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (molecule, scaffold) in sides.test.scaffolds.iter().enumerate() {
        scaffolds.entry(scaffold).or_default().push(molecule);
    }
    let large = scaffolds.into_iter().filter(|(_, members)| members.len() >= FEWEST);
    // Molecules without rings have no scaffold.
    let named = |scaffold: &str| if scaffold.is_empty() { "no ring".to_owned() } else { scaffold.to_owned() };
    let by_scaffold = large.filter_map(|(scaffold, members)| of(&members, &named(scaffold))).collect();
    let by_molecule = sides
        .test
        .smiles
        .iter()
        .enumerate()
        .filter_map(|(molecule, smiles)| of(&[molecule], smiles))
        .collect();
    (extremes(by_scaffold), extremes(by_molecule))
}

/// The groups with the greatest difference on each side, those that the first row wins first.
fn extremes(mut groups: Vec<GroupComparison>) -> Vec<GroupComparison> {
    let gain = |group: &GroupComparison| group.second_loss - group.first_loss;
    groups.sort_by(|one, other| gain(other).total_cmp(&gain(one)).then_with(|| one.group.cmp(&other.group)));
    let won = groups.iter().take_while(|group| gain(group) > 0.0).count().min(MOST);
    let lost = groups.iter().rev().take_while(|group| gain(group) < 0.0).count().min(MOST);
    let behind = groups.split_off(groups.len() - lost);
    groups.truncate(won);
    groups.extend(behind);
    groups
}

/// Loss of each molecule, averaged over its labelled tasks and over seeds; `None` without a label.
fn losses(sides: &Sides, tables: &[Vec<f32>]) -> Vec<Option<f64>> {
    let record = sides.record();
    let tasks = record.tasks.len();
    let squared = record.task_type == TaskType::Classification;
    let of = |molecule: usize| {
        let range = molecule * tasks..(molecule + 1) * tasks;
        let labels = &sides.test.labels[range.clone()];
        let errors = tables.iter().flat_map(|table| {
            let pairs = labels.iter().zip(&table[range.clone()]).filter(|(label, _)| !label.is_nan());
            pairs.map(|(label, prediction)| f64::from(prediction - label))
        });
        let losses: Vec<f64> =
            errors.map(|error| if squared { error * error } else { error.abs() }).collect();
        (!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64)
    };
    (0..sides.molecules()).map(of).collect()
}
