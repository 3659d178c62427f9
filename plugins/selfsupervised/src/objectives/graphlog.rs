//! `GraphLoG`: local instances and global prototypes in a hierarchy (Xu, Wang, Ni, Guo and Tang 2021, arXiv 2106.04113).
//!
//! Both levels of the network go through one perceptron. With cosines s and temperature t, the loss is the sum of
//!
//! - atoms (the local-instance structure): for each masked atom m of a masked molecule, `-log` of the share of `exp(s(m, m) / t)`
//!   among those of all atoms of the same molecule, unmasked, with the masked one;
//! - molecules: the same for a masked molecule among all molecules of the batch;
//! - prototypes (the global-semantic structure), times `prototype_weight`, once they exist: a molecule goes down the hierarchy
//!   to the nearest prototype and then the nearest of its children (the E-step); at each level `-log` of the share of that
//!   prototype among those to choose from, and for each prototype that of its parent among all of the next level.
//!
//! The first `local_epochs` train without prototypes. Then molecules are clustered: lowest prototypes move towards the mean of a
//! batch's nearest molecules, keeping `decay` of themselves, and those with fewer than two molecules are dropped; higher ones are
//! found by rival penalised competitive learning (Xu, Krzyzak and Oja 1993) of those below. All are trained parameters from then on
//! (the M-step), normalised over all prototypes as in the released code, where the paper samples.
//!
//! Departures: lowest prototypes start at random molecules and higher ones, half as many as those below, at random prototypes of
//! the level below, where the released code draws random numbers for all; nearest is by cosine at every level.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use molarena_nn::{
    Array, Arrays, Parameters, Pass, Random, Slots, Stack, Start,
    gnn::GraphNetwork,
    kernels::{Segments, segment_sum},
};
use molarena_sdk::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EpochEnd, Loss, Objective, Settings, attrmask::Masked};
use crate::{
    augment::sample,
    auxiliary::perceptron,
    config::{at_least, not_negative, open_share, positive, share},
    graphs::{Graph, GraphList, Molecules},
    losses::{cross_entropy, dot, normalised, select},
    network::{atoms, molecules, read_out},
};

/// `GraphLoG`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GraphLog {
    /// Share of a molecule's atoms that are masked, in (0, 1); one more than the whole part of it.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Temperature, above 0.
    pub temperature: f64,
    /// Number of epochs before there are prototypes, at least 1 and below `epochs`.
    #[schemars(range(min = 1))]
    pub local_epochs: usize,
    /// Number of prototypes at the lowest level before some are dropped, at least 2.
    #[schemars(range(min = 2))]
    pub prototypes: usize,
    /// Number of levels, at least 1.
    #[schemars(range(min = 1))]
    pub levels: usize,
    /// Share in [0, 1) that a prototype keeps of itself in a step of the clustering.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub decay: f64,
    /// Weight of the prototypes, at least 0.
    #[schemars(range(min = 0.0))]
    pub prototype_weight: f64,
}

impl Default for GraphLog {
    fn default() -> Self {
        Self {
            share: 0.3,
            temperature: 0.04,
            local_epochs: 1,
            prototypes: 50,
            levels: 3,
            decay: 0.95,
            prototype_weight: 0.1,
        }
    }
}

impl Settings for GraphLog {
    const READS_ATOMS: bool = true;

    fn check(&self, epochs: usize) -> Result<()> {
        open_share("objective.share", self.share)?;
        positive("objective.temperature", self.temperature)?;
        at_least("objective.local_epochs", self.local_epochs, 1)?;
        at_least("objective.prototypes", self.prototypes, 2)?;
        at_least("objective.levels", self.levels, 1)?;
        share("objective.decay", self.decay)?;
        not_negative("objective.prototype_weight", self.prototype_weight)?;
        if self.local_epochs < epochs {
            return Ok(());
        }
        Err(Error::invalid_config(format!(
            "`objective.local_epochs` is {}, must be below `epochs`, which is {}",
            self.local_epochs, epochs
        )))
    }

    fn objective(&self, _: &Molecules<'_>) -> Result<Box<dyn Objective>> {
        Ok(Box::new(Hierarchy { settings: self.clone(), levels: Vec::new() }))
    }
}

/// A level of prototypes; their vectors are parameters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Level {
    /// The prototypes that were not dropped.
    pub(crate) used: Vec<bool>,
    /// The parent of each prototype at the next level; 0 at the highest one and for those that were dropped.
    pub(crate) parents: Vec<usize>,
}

/// The objective with the prototypes of this time; without levels before there are any.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    pub(crate) settings: GraphLog,
    /// The lowest first.
    pub(crate) levels: Vec<Level>,
}

const PROTOTYPES: &str = "objective.prototypes.";

fn prototypes(level: usize) -> String {
    format!("{PROTOTYPES}{level}")
}

/// Added to what must not be chosen.
const EXCLUDED: f32 = -1e9;

impl Hierarchy {
    /// Number of prototypes of a level, dropped ones included.
    fn size(&self, level: usize) -> usize {
        (0..level).fold(self.settings.prototypes, |size, _| size.div_ceil(2))
    }

    fn projection(width: usize) -> Stack {
        perceptron("objective.projection", 1, width, width, width)
    }

    /// The loss of molecules and the same ones masked, at least two.
    pub(crate) fn loss_of(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        whole: &GraphList,
        masked: &Masked,
    ) -> Result<Loss> {
        let segments = whole.segments();
        let head = Self::projection(network.width);
        let mut encoded = |list: &GraphList| -> Result<[Tensor<2>; 2]> {
            let atoms = atoms(network, pass, list)?;
            let molecules = read_out(network, atoms.clone(), &segments);
            Ok([atoms, molecules].map(|rows| normalised(head.forward(pass, rows))))
        };
        let ([atoms, molecules], [masked_atoms, masked_molecules]) =
            (encoded(whole)?, encoded(&masked.list)?);
        let of_atoms = self.of_atoms(&atoms, &masked_atoms, &masked.atoms, &segments);
        let similar = masked_molecules.matmul(molecules.clone().transpose()) / self.temperature();
        let rows: Vec<usize> = (0..whole.len()).collect();
        let of_molecules = cross_entropy(similar, &rows);
        let local = of_atoms.clone() + of_molecules.clone();
        let (loss, of_prototypes) = if self.levels.is_empty() {
            (local, None)
        } else {
            let loss = self.of_prototypes(pass, &molecules);
            (local + loss.clone() * self.settings.prototype_weight as f32, Some(loss))
        };
        Ok((loss, vec![Some(of_atoms), Some(of_molecules), of_prototypes]))
    }

    fn temperature(&self) -> f32 {
        self.settings.temperature as f32
    }

    /// The mean over masked atoms, among the atoms of the same molecules.
    fn of_atoms(
        &self,
        whole: &Tensor<2>,
        masked: &Tensor<2>,
        hidden: &[usize],
        molecules: &Segments,
    ) -> Tensor<1> {
        let ends = molecules.lengths().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        let ends: Vec<usize> = ends.collect();
        let (mut atoms, mut anchors, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for &atom in hidden {
            let molecule = ends.partition_point(|end| *end <= atom);
            let first = if molecule == 0 { 0 } else { ends[molecule - 1] };
            atoms.extend(first..ends[molecule]);
            anchors.extend(std::iter::repeat_n(atom, ends[molecule] - first));
            lengths.push(ends[molecule] - first);
        }
        let scores = dot(select(whole, &atoms), select(masked, &anchors)) / self.temperature();
        // No cosine is above 1, so this is never above 1 and needs no maximum of each segment.
        let largest = 1.0 / self.temperature();
        let sums = segment_sum((scores - largest).exp(), &Arc::new(Segments::new(lengths.into_iter())));
        let own = dot(select(whole, hidden), select(masked, hidden)) / self.temperature();
        (sums.log() + largest - own).mean()
    }

    /// The loss of molecules' paths and of the prototypes' parents.
    fn of_prototypes(&self, pass: &Pass<'_>, molecules: &Tensor<2>) -> Tensor<1> {
        let vectors: Vec<Tensor<2>> =
            (0..self.levels.len()).map(|level| normalised(pass.parameter(&prototypes(level)))).collect();
        let mut loss = Tensor::zeros([1], pass.device());
        let mut chosen: Option<Vec<usize>> = None;
        for (number, level) in self.levels.iter().enumerate().rev() {
            let scores = molecules.clone().matmul(vectors[number].clone().transpose()) / self.temperature();
            let may = |row: usize, place: usize| {
                level.used[place] && chosen.as_ref().is_none_or(|chosen| level.parents[place] == chosen[row])
            };
            let scores = scores.clone() + excluded(scores.dims(), &may, pass);
            let nearest = largest(&scores);
            loss = loss + cross_entropy(scores, &nearest);
            if let Some(above) = self.levels.get(number + 1) {
                let own: Vec<usize> = (0..level.used.len()).filter(|&place| level.used[place]).collect();
                let scores = vectors[number].clone().matmul(vectors[number + 1].clone().transpose());
                let scores = select(&(scores / self.temperature()), &own);
                let scores = scores.clone() + excluded(scores.dims(), &|_, place| above.used[place], pass);
                let parents: Vec<usize> = own.iter().map(|&place| level.parents[place]).collect();
                loss = loss + cross_entropy(scores, &parents);
            }
            chosen = Some(nearest);
        }
        loss
    }
}

/// 0 where a choice is possible, and a large negative number elsewhere.
fn excluded(shape: [usize; 2], may: &dyn Fn(usize, usize) -> bool, pass: &Pass<'_>) -> Tensor<2> {
    let value = |row, place| if may(row, place) { 0.0 } else { EXCLUDED };
    let values: Vec<f32> =
        (0..shape[0]).flat_map(|row| (0..shape[1]).map(move |place| (row, place))).map(|(row, place)| value(row, place)).collect();
    Tensor::from_data(TensorData::new(values, shape), pass.device())
}

/// The place of the largest value of each row.
fn largest(rows: &Tensor<2>) -> Vec<usize> {
    let columns = rows.dims()[1];
    let values: Vec<f32> = rows.clone().into_data().try_into_vec().expect("scores are f32");
    let best = |row: &[f32]| (1..columns).fold(0, |best, place| if row[place] > row[best] { place } else { best });
    values.chunks_exact(columns).map(best).collect()
}

/// Vectors of one width, one after the other.
type Points = Vec<Vec<f32>>;

/// Number of passes over the molecules that find the lowest prototypes.
const PASSES: usize = 5;
/// Number of passes over a level's prototypes that find those above.
const COMPETITIONS: usize = 20;

/// The cosine of two vectors.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let product = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f32>();
    product(one, other) / (product(one, one) * product(other, other)).sqrt().max(1e-12)
}

/// Places of the nearest and the second nearest prototype.
fn nearest_two(prototypes: &[Vec<f32>], point: &[f32]) -> (usize, Option<usize>) {
    let mut order: Vec<(usize, f32)> =
        prototypes.iter().map(|prototype| cosine(prototype, point)).enumerate().collect();
    order.sort_by(|one, other| other.1.total_cmp(&one.1));
    (order[0].0, order.get(1).map(|second| second.0))
}

/// Moves a prototype by `rate` of the way to a point; a negative rate moves it away.
fn pull(prototype: &mut [f32], point: &[f32], rate: f32) {
    prototype.iter_mut().zip(point).for_each(|(value, target)| *value += rate * (target - *value));
}

/// The lowest prototypes of points, and which of them have at least two.
pub(crate) fn lowest(points: &Points, size: usize, decay: f32, batch: usize, random: &mut Random) -> (Points, Vec<bool>) {
    let mut found: Points = sample(random, points.len(), size).into_iter().map(|row| points[row].clone()).collect();
    let mut counts = vec![0usize; size];
    for _ in 0..PASSES {
        for part in points.chunks(batch) {
            let mut means = vec![(0usize, vec![0f32; part[0].len()]); found.len()];
            for point in part {
                let (count, sum) = &mut means[nearest_two(&found, point).0];
                *count += 1;
                sum.iter_mut().zip(point).for_each(|(sum, value)| *sum += value);
            }
            for (place, (count, sum)) in means.into_iter().enumerate().filter(|(_, (count, _))| *count > 0) {
                let mean: Vec<f32> = sum.into_iter().map(|sum| sum / count as f32).collect();
                pull(&mut found[place], &mean, 1.0 - decay);
                counts[place] += count;
            }
        }
    }
    // Points that are fewer than the prototypes leave some without a vector.
    found.resize(size, vec![0.0; points.first().map_or(0, Vec::len)]);
    (found, counts.into_iter().map(|count| count >= 2).collect())
}

/// The prototypes above those of `points` that are used, which of them are somebody's parent, and the parents.
pub(crate) fn above(
    points: &Points,
    used: &[bool],
    size: usize,
    decay: f32,
    random: &mut Random,
) -> (Points, Vec<bool>, Vec<usize>) {
    let own: Vec<usize> = (0..points.len()).filter(|&place| used[place]).collect();
    let start = sample(random, own.len(), size.min(own.len().div_ceil(2)));
    let mut found: Points = start.into_iter().map(|place| points[own[place]].clone()).collect();
    for _ in 0..COMPETITIONS {
        for &place in &own {
            let (winner, rival) = nearest_two(&found, &points[place]);
            pull(&mut found[winner], &points[place], 1.0 - decay);
            if let Some(rival) = rival {
                pull(&mut found[rival], &points[place], decay - 1.0);
            }
        }
    }
    let (mut parents, mut is_parent) = (vec![0; points.len()], vec![false; size]);
    for &place in &own {
        parents[place] = nearest_two(&found, &points[place]).0;
        is_parent[parents[place]] = true;
    }
    found.resize(size, vec![0.0; points.first().map_or(0, Vec::len)]);
    (found, is_parent, parents)
}

impl Hierarchy {
    /// The vectors of all training molecules.
    fn points(end: &mut EpochEnd<'_>) -> Result<Points> {
        let rows: Vec<usize> = (0..end.molecules.len()).collect();
        let mut points = Points::new();
        for rows in rows.chunks(end.batch_size) {
            end.call.check()?;
            let list = GraphList::new(&end.molecules.graphs(rows));
            let mut pass = Pass::evaluate(end.parameters);
            let vectors = molecules(end.network, &mut pass, &list)?;
            let projected = normalised(Self::projection(end.network.width).forward(&mut pass, vectors));
            let values: Vec<f32> = projected.into_data().try_into_vec().expect("vectors are f32");
            points.extend(values.chunks_exact(end.network.width).map(<[f32]>::to_vec));
        }
        Ok(points)
    }

    /// Finds all prototypes and puts them in place of the parameters.
    fn found(&mut self, end: &mut EpochEnd<'_>) -> Result<()> {
        let points = Self::points(end)?;
        let decay = self.settings.decay as f32;
        let (mut vectors, mut used) =
            lowest(&points, self.settings.prototypes, decay, end.batch_size, &mut end.random);
        let mut arrays = end.parameters.arrays();
        let mut place = |level: usize, vectors: &Points| {
            let shape = [vectors.len(), end.network.width];
            arrays.arrays.insert(prototypes(level), Array::new(&shape, vectors.concat()));
        };
        place(0, &vectors);
        let mut levels = Vec::new();
        for level in 1..self.settings.levels {
            let (next, next_used, parents) =
                above(&vectors, &used, self.size(level), decay, &mut end.random);
            levels.push(Level { used, parents });
            place(level, &next);
            (vectors, used) = (next, next_used);
        }
        levels.push(Level { parents: vec![0; used.len()], used });
        let device = end.parameters.device().clone();
        *end.parameters = Parameters::take(end.slots, &mut arrays, &device)?;
        self.levels = levels;
        Ok(())
    }
}

impl Objective for Hierarchy {
    fn parts(&self) -> &'static [&'static str] {
        &["atoms", "molecules", "prototypes"]
    }

    fn slots(&self, network: &GraphNetwork, slots: &mut Slots) {
        Self::projection(network.width).slots(slots);
        for level in 0..self.settings.levels {
            let shape = [self.size(level), network.width];
            slots.push(prototypes(level), &shape, true, Start::Constant(0.0));
        }
    }

    fn takes(&self, name: &str) -> bool {
        !self.levels.is_empty() || !name.starts_with(PROTOTYPES)
    }

    fn loss(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        molecules: &[Graph],
        random: &mut Random,
    ) -> Result<Option<Loss>> {
        if molecules.len() < 2 {
            return Ok(None);
        }
        let masked = Masked::new(molecules, self.settings.share, false, random);
        Ok(Some(self.loss_of(network, pass, &GraphList::new(molecules), &masked)?))
    }

    fn is_settled(&self) -> bool {
        !self.levels.is_empty()
    }

    fn end_epoch(&mut self, end: &mut EpochEnd<'_>) -> Result<()> {
        if end.epochs == self.settings.local_epochs { self.found(end) } else { Ok(()) }
    }

    fn state(&self) -> Arrays {
        let mut arrays = Arrays::default();
        for (number, level) in self.levels.iter().enumerate() {
            let used = level.used.iter().map(|used| f32::from(u8::from(*used))).collect();
            let parents = level.parents.iter().map(|&parent| parent as f32).collect();
            for (name, values) in [("used", used), ("parents", parents)] {
                arrays.arrays.insert(format!("{name}.{number}"), Array::new(&[level.used.len()], values));
            }
        }
        arrays
    }

    fn restore(&mut self, mut state: Arrays) -> Result<()> {
        self.levels.clear();
        for number in 0..self.settings.levels {
            if state.arrays.is_empty() {
                break;
            }
            let size = [self.size(number)];
            let used = state.take(&format!("used.{number}"), &size)?;
            let parents = state.take(&format!("parents.{number}"), &size)?;
            self.levels.push(Level {
                used: used.into_iter().map(|used| used != 0.0).collect(),
                parents: parents.into_iter().map(|parent| parent as usize).collect(),
            });
        }
        Ok(())
    }
}
