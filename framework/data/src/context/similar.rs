//! Similarity edges: between molecules of one scaffold by their bits, between rows of a space by their
//! cosine.

use rayon::prelude::*;

use super::build::Builder;
use super::cluster::{Standard, groups};
use super::edges::edge;
use super::graph::{Edge, EdgeKind, Space, Step};
use super::manifest::{Measure, SimilaritySpec};
use super::nodes::Molecules;

/// Pairs collected beyond twice the maximum before the least similar are dropped.
const SLACK: usize = 1 << 20;
/// Molecules compared between two progress reports.
const MOLECULES: usize = 8_192;
/// Partial sums of a dot product, so that it can be vectorised; always added in the same order.
const LANES: usize = 16;

/// Two similar molecules or rows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pair {
    similarity: f32,
    one: u32,
    other: u32,
}

/// The most similar pairs found so far.
struct Best {
    threshold: f32,
    /// Maximum number of pairs that stay.
    most: usize,
    pairs: Vec<Pair>,
}

impl Best {
    /// Selects among all pairs of `count` molecules or rows.
    fn new(count: usize, spec: &SimilaritySpec) -> Self {
        let pairs = count as f64 * count.saturating_sub(1) as f64 / 2.0;
        let most = (pairs - (pairs * spec.sparsity).ceil()) as usize;
        Self { threshold: spec.threshold as f32, most, pairs: Vec::new() }
    }

    fn extend(&mut self, pairs: Vec<Pair>) {
        self.pairs.extend(pairs);
        if self.pairs.len() > 2 * self.most + SLACK {
            self.prune();
        }
    }

    /// Drops all but the most similar pairs; among equally similar ones, those with smaller numbers stay.
    fn prune(&mut self) {
        if self.pairs.len() <= self.most {
            return;
        }
        self.pairs.select_nth_unstable_by(self.most, |one, other| {
            let order = other.similarity.total_cmp(&one.similarity);
            order.then((one.one, one.other).cmp(&(other.one, other.other)))
        });
        self.pairs.truncate(self.most);
    }

    /// Adds the pairs that stay to `edges`; `node` maps a molecule or row to its node.
    fn finish(mut self, edges: &mut Vec<Edge>, node: impl Fn(u32) -> u64) {
        self.prune();
        edges.extend(
            self.pairs.iter().map(|pair| {
                edge(node(pair.one), node(pair.other), pair.similarity.min(1.0), EdgeKind::Similar)
            }),
        );
    }
}

/// Adds edges between similar molecules of one scaffold.
pub(super) fn molecules(builder: &mut Builder<'_>, molecules: &Molecules, edges: &mut Vec<Edge>) {
    let spec = builder.manifest.similarity;
    let words = builder.manifest.fingerprint.bits / 64;
    let groups = scaffold_groups(&molecules.scaffolds, &molecules.fingerprints, words);
    // Group and place in the group of each molecule.
    let places: Vec<[usize; 2]> = (groups.iter().enumerate())
        .flat_map(|(group, members)| (0..members.len()).map(move |place| [group, place]))
        .collect();
    let mut best = Best::new(molecules.list.len(), &spec);
    if best.most == 0 || spec.molecules == Measure::None {
        return;
    }
    for (block, places_of_block) in places.chunks(MOLECULES).enumerate() {
        builder.at(Step::Similarity, block * MOLECULES, places.len());
        let alike = |[group, place]: &[usize; 2]| {
            alike_molecules(&groups[*group][*place..], &molecules.fingerprints, words, &spec)
        };
        let found = builder.pool.install(|| places_of_block.par_iter().flat_map_iter(alike).collect());
        best.extend(found);
    }
    best.finish(edges, u64::from);
}

/// A molecule and the number of its bits that are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sized {
    bits: u32,
    molecule: u32,
}

/// Molecules of each scaffold that several share, sorted by number of bits.
fn scaffold_groups(scaffolds: &[usize], fingerprints: &[u64], words: usize) -> Vec<Vec<Sized>> {
    let mut groups = vec![Vec::new(); scaffolds.iter().max().map_or(0, |last| last + 1)];
    for ((molecule, scaffold), bits) in scaffolds.iter().enumerate().zip(fingerprints.chunks_exact(words)) {
        let bits = bits.iter().map(|word| word.count_ones()).sum();
        groups[*scaffold].push(Sized { bits, molecule: molecule as u32 });
    }
    groups.retain(|group| group.len() > 1);
    for group in &mut groups {
        group.sort_unstable();
    }
    groups
}

/// The first molecule's similar pairs with the molecules after it, none of which has fewer bits.
fn alike_molecules(group: &[Sized], fingerprints: &[u64], words: usize, spec: &SimilaritySpec) -> Vec<Pair> {
    let row = |sized: Sized| &fingerprints[sized.molecule as usize * words..][..words];
    let similarity = |common: u32, few: u32, many: u32| -> f64 {
        let (common, few, many) = (f64::from(common), f64::from(few), f64::from(many));
        match spec.molecules {
            Measure::Tanimoto => common / (few + many - common),
            Measure::Cosine => common / (few * many).sqrt(),
            Measure::None => 0.0,
        }
    };
    let Some((first, rest)) = group.split_first().filter(|(first, _)| first.bits > 0) else {
        return Vec::new();
    };
    let mut pairs = Vec::new();
    for other in rest {
        // At best, the other has all bits of the first.
        if similarity(first.bits, first.bits, other.bits) <= spec.threshold {
            break;
        }
        let common = row(*first).iter().zip(row(*other)).map(|(one, other)| (one & other).count_ones()).sum();
        let similarity = similarity(common, first.bits, other.bits);
        if similarity > spec.threshold {
            let (one, other) = (first.molecule.min(other.molecule), first.molecule.max(other.molecule));
            pairs.push(Pair { similarity: similarity as f32, one, other });
        }
    }
    pairs
}

/// Adds edges between similar rows of one cluster of a space.
pub(super) fn rows(builder: &mut Builder<'_>, space: &Space, edges: &mut Vec<Edge>) {
    let spec = builder.manifest.similarity;
    let mut best = Best::new(space.len(), &spec);
    if best.most == 0 {
        return;
    }
    builder.at(Step::Clusters, 0, space.len());
    let (standard, groups) = builder.pool.install(|| {
        let standard = Standard::new(space);
        let groups = groups(space, &standard, spec.components, spec.clusters);
        (standard, groups)
    });
    let mut done = 0;
    for members in groups {
        builder.at(Step::Similarity, done, space.len());
        done += members.len();
        let threshold = best.threshold;
        best.extend(builder.pool.install(|| alike_rows(space, &standard, &members, threshold)));
    }
    best.finish(edges, |row| space.nodes[row as usize]);
}

/// Standardised rows; a missing value is 0 and listed.
struct Rows {
    columns: usize,
    values: Vec<f32>,
    missing: Vec<Vec<u32>>,
    /// `[rows]`: sums of squares.
    squares: Vec<f64>,
}

impl Rows {
    fn new(space: &Space, standard: &Standard, members: &[usize]) -> Self {
        let columns = space.columns;
        let mut values = vec![0.0; members.len() * columns];
        let write = |(target, member): (&mut [f32], &usize)| {
            let row = space.row(*member);
            standard.write(row, target);
            let missing = (0..columns as u32).filter(|column| row[*column as usize].is_nan()).collect();
            (missing, dot(target, target))
        };
        let (missing, squares) = values.par_chunks_mut(columns).zip(members).map(write).unzip();
        Self { columns, values, missing, squares }
    }

    fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns..][..self.columns]
    }

    /// The sum of squares of row `one` over the columns in which row `other` has values.
    fn shared_squares(&self, one: usize, other: usize) -> f64 {
        let row = self.row(one);
        let absent = self.missing[other].iter().map(|column| f64::from(row[*column as usize]).powi(2));
        self.squares[one] - absent.sum::<f64>()
    }

    /// The cosine over the columns in which both rows have values; `None` if either is 0 there.
    fn cosine(&self, one: usize, other: usize) -> Option<f32> {
        let (first, second) = (self.shared_squares(one, other), self.shared_squares(other, one));
        // A smaller sum is rounding error.
        if first <= 1e-9 * self.squares[one] || second <= 1e-9 * self.squares[other] {
            return None;
        }
        Some((dot(self.row(one), self.row(other)) / (first * second).sqrt()) as f32)
    }
}

fn dot(one: &[f32], other: &[f32]) -> f64 {
    let mut sums = [0.0_f32; LANES];
    let (ones, others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest = ones.remainder().iter().zip(others.remainder()).map(|(one, other)| f64::from(one * other));
    let rest: f64 = rest.sum();
    for (one, other) in ones.zip(others) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    rest + sums.iter().copied().map(f64::from).sum::<f64>()
}

/// Pairs of rows of a group with a cosine above the threshold.
fn alike_rows(space: &Space, standard: &Standard, members: &[usize], threshold: f32) -> Vec<Pair> {
    let rows = Rows::new(space, standard, members);
    let alike = |one: usize| {
        let pair = |other: usize| {
            let similarity = rows.cosine(one, other).filter(|cosine| *cosine > threshold)?;
            // Members are in ascending order.
            Some(Pair { similarity, one: members[one] as u32, other: members[other] as u32 })
        };
        (one + 1..members.len()).filter_map(pair).collect::<Vec<_>>()
    };
    (0..members.len()).into_par_iter().flat_map_iter(alike).collect()
}

#[cfg(test)]
mod tests;
