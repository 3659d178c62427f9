//! JOAO: `GraphCL` with the augmentations that are hardest at this time (You, Chen, Shen and Wang 2021, arXiv 2106.07594,
//! Algorithm 1).
//!
//! The augmentations are those of `GraphCL` and the identity; a pair of views is drawn from a distribution p over their 25 pairs,
//! which starts uniform. After each epoch the loss l of each pair is estimated on a share of the molecules, and p moves up
//! its gradient, `p + step (l - prior (p - 1/25))`, back to the nearest distribution (Duchi et al. 2008).
//!
//! Each molecule draws its own pair. Losses are estimated as the encoder is used, with running statistics and without dropout;
//! pairs are compared on the same views. Held-out molecules draw uniformly, so that their loss can be compared between epochs.

use molarena_nn::{Array, Arrays, Pass, Random, Slots, gnn::GraphNetwork};
use molarena_sdk::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    EpochEnd, Loss, Objective, Settings,
    graphcl::{contrast, projected, projection_slots},
};
use crate::{
    augment::{Augmentation, part},
    config::{not_negative, open_share, positive},
    graphs::{Graph, Molecules},
};

/// JOAO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Joao {
    /// Share of a graph that an augmentation touches, in (0, 1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Temperature, above 0.
    pub temperature: f64,
    /// Strength gamma of the prior, which is uniform, at least 0.
    #[schemars(range(min = 0.0))]
    pub prior: f64,
    /// Length of a step of the distribution, above 0.
    pub step: f64,
    /// Share of the molecules on which the loss of a pair is estimated, in (0, 1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub estimated_on: f64,
}

impl Default for Joao {
    fn default() -> Self {
        Self { share: 0.2, temperature: 0.1, prior: 0.1, step: 1.0, estimated_on: 0.1 }
    }
}

impl Settings for Joao {
    const READS_ATOMS: bool = false;

    fn check(&self, _: usize) -> Result<()> {
        open_share("objective.share", self.share)?;
        positive("objective.temperature", self.temperature)?;
        not_negative("objective.prior", self.prior)?;
        positive("objective.step", self.step)?;
        open_share("objective.estimated_on", self.estimated_on)
    }

    fn objective(&self, _: &Molecules<'_>) -> Result<Box<dyn Objective>> {
        Ok(Box::new(Adversary { settings: self.clone(), pairs: uniform() }))
    }
}

const KINDS: usize = Augmentation::ALL.len();
const PAIRS: usize = KINDS * KINDS;

fn uniform() -> Vec<f32> {
    vec![1.0 / PAIRS as f32; PAIRS]
}

/// The objective with the distribution of this time.
#[derive(Debug)]
struct Adversary {
    settings: Joao,
    /// Probability of each pair; the second augmentation counts fastest.
    pairs: Vec<f32>,
}

/// A number drawn from a distribution.
fn draw(distribution: &[f32], random: &mut Random) -> usize {
    let mut left = random.unit();
    for (number, &probability) in distribution.iter().enumerate() {
        left -= f64::from(probability);
        if left < 0.0 {
            return number;
        }
    }
    // Rounding left a little: the last that is possible.
    distribution.iter().rposition(|&probability| probability > 0.0).unwrap_or(0)
}

/// The distribution nearest to `point` (Duchi, Shalev-Shwartz, Singer and Chandra 2008, Figure 1).
pub(crate) fn to_distribution(point: &[f64]) -> Vec<f64> {
    let mut sorted = point.to_vec();
    sorted.sort_by(|one, other| other.total_cmp(one));
    let (mut sum, mut shift) = (0.0, 0.0);
    for (count, value) in sorted.iter().enumerate() {
        sum += value;
        let candidate = (sum - 1.0) / (count + 1) as f64;
        if value - candidate > 0.0 {
            shift = candidate;
        }
    }
    point.iter().map(|value| (value - shift).max(0.0)).collect()
}

/// The distribution after a step up the gradient of the losses of all pairs.
pub(crate) fn stepped(pairs: &[f32], losses: &[f64], prior: f64, step: f64) -> Vec<f32> {
    let even = 1.0 / pairs.len() as f64;
    let moved = |(&now, loss): (&f32, &f64)| f64::from(now) + step * (loss - prior * (f64::from(now) - even));
    let point: Vec<f64> = pairs.iter().zip(losses).map(moved).collect();
    to_distribution(&point).into_iter().map(|probability| probability as f32).collect()
}

impl Adversary {
    /// The mean loss of each pair over random molecules; `None` if there are too few.
    fn losses(&self, end: &mut EpochEnd<'_>) -> Result<Option<Vec<f64>>> {
        let order = end.random.order(end.molecules.len());
        let count = part(order.len(), self.settings.estimated_on).max(end.batch_size.min(order.len()));
        let (mut sums, mut batches) = (vec![0.0; PAIRS], 0usize);
        for rows in order[..count].chunks(end.batch_size).filter(|rows| rows.len() > 1) {
            end.call.check()?;
            let molecules = end.molecules.graphs(rows);
            let mut pass = Pass::evaluate(end.parameters);
            let mut views = |random: &mut Random| -> Result<Vec<_>> {
                let all = Augmentation::ALL.into_iter().map(|augmentation| {
                    let view = |graph| augmentation.apply(graph, self.settings.share, random);
                    projected(end.network, &mut pass, &molecules.iter().map(view).collect::<Vec<_>>())
                });
                all.collect()
            };
            let (first, second) = (views(&mut end.random)?, views(&mut end.random)?);
            for (pair, sum) in sums.iter_mut().enumerate() {
                let (one, other) = (first[pair / KINDS].clone(), second[pair % KINDS].clone());
                *sum += f64::from(contrast(one, other, self.settings.temperature).into_scalar::<f32>());
            }
            batches += 1;
        }
        Ok((batches > 0).then(|| sums.into_iter().map(|sum| sum / batches as f64).collect()))
    }
}

const DISTRIBUTION: &str = "pairs";

impl Objective for Adversary {
    fn parts(&self) -> &'static [&'static str] {
        &["contrast"]
    }

    fn slots(&self, network: &GraphNetwork, slots: &mut Slots) {
        projection_slots(network, slots);
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
        let even = uniform();
        let pairs = if pass.random().is_some() { &self.pairs } else { &even };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for graph in molecules {
            let pair = draw(pairs, random);
            for (kind, views) in [(pair / KINDS, &mut first), (pair % KINDS, &mut second)] {
                views.push(Augmentation::ALL[kind].apply(graph, self.settings.share, random));
            }
        }
        let [first, second] = [projected(network, pass, &first)?, projected(network, pass, &second)?];
        let loss = contrast(first, second, self.settings.temperature);
        Ok(Some((loss.clone(), vec![Some(loss)])))
    }

    fn end_epoch(&mut self, end: &mut EpochEnd<'_>) -> Result<()> {
        if let Some(losses) = self.losses(end)? {
            self.pairs = stepped(&self.pairs, &losses, self.settings.prior, self.settings.step);
        }
        Ok(())
    }

    fn state(&self) -> Arrays {
        let mut arrays = Arrays::default();
        arrays.arrays.insert(DISTRIBUTION.to_owned(), Array::new(&[PAIRS], self.pairs.clone()));
        arrays
    }

    fn restore(&mut self, mut state: Arrays) -> Result<()> {
        let pairs = state.take(DISTRIBUTION, &[PAIRS])?;
        if pairs.iter().any(|probability| !(0.0..=1.0).contains(probability)) {
            return Err(Error::data("the checkpoint's distribution of augmentations is none"));
        }
        self.pairs = pairs;
        Ok(())
    }
}
