//! Random walks on a context graph (section 4.1).

use molarena_nn::Random;
use molarena_sdk::{Call, Corpus, Error, Result};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a walk chooses the next node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transition {
    /// Each neighbour with probability 1 / degree (`DeepWalk`, Perozzi et al. 2014, which the paper names).
    Uniform,
    /// In proportion to the weight of the edge.
    Weight,
    /// In proportion to the degree of the neighbour.
    Degree,
}

/// A walk: the nodes visited after the start, each with the product alpha of the edge weights up to it.
pub type Path = Vec<(u32, f32)>;

/// A context graph in compressed rows, ready for walks.
#[derive(Clone, Debug)]
pub struct ContextWalks {
    /// Neighbours of node v are `starts[v]..starts[v + 1]`.
    starts: Vec<usize>,
    neighbours: Vec<u32>,
    weights: Vec<f32>,
    /// Cumulative chance up to each neighbour of a row, not normalised; empty if all neighbours are equally likely.
    cumulated: Vec<f32>,
}

impl ContextWalks {
    /// The graph of `corpus`. Edges of weight 0 are ignored, because alpha is 0 beyond them.
    pub fn new(corpus: &Corpus<'_>, transition: Transition) -> Result<Self> {
        let nodes = corpus.node_kinds.len();
        let edges = || {
            let ends = corpus.edge_sources.iter().zip(corpus.edge_targets);
            let edges =
                ends.zip(corpus.edge_weights).map(|((&source, &target), &weight)| (source, target, weight));
            edges.filter(|&(.., weight)| weight != 0.0)
        };
        if u32::try_from(nodes).is_err() {
            return Err(Error::unsupported(format!(
                "corpus: {nodes} nodes, at most 4294967295 can be walked"
            )));
        }
        let mut starts = vec![0usize; nodes + 1];
        for (index, (source, target, weight)) in edges().enumerate() {
            if source.max(target) >= nodes as u64 {
                return Err(Error::invalid_argument(format!(
                    "corpus: edge {index} joins {source} and {target}, but there are {nodes} nodes"
                )));
            }
            if !(0.0..=1.0).contains(&weight) {
                return Err(Error::invalid_argument(format!(
                    "corpus: edge {index} has the weight {weight}, must be in [0, 1]"
                )));
            }
            starts[source as usize + 1] += 1;
            starts[target as usize + 1] += usize::from(target != source);
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let (mut neighbours, mut weights) = (vec![0; starts[nodes]], vec![0.0; starts[nodes]]);
        for (source, target, weight) in edges() {
            for (here, there) in
                [(source, target), (target, source)].into_iter().take(1 + usize::from(source != target))
            {
                let place = &mut next[here as usize];
                (neighbours[*place], weights[*place]) = (there as u32, weight);
                *place += 1;
            }
        }
        let mut this = Self { starts, neighbours, weights, cumulated: Vec::new() };
        this.cumulated = match transition {
            Transition::Uniform => Vec::new(),
            Transition::Weight => this.cumulate(|place| this.weights[place]),
            Transition::Degree => this.cumulate(|place| this.degree(this.neighbours[place] as usize) as f32),
        };
        Ok(this)
    }

    fn cumulate(&self, share: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut cumulated = Vec::with_capacity(self.neighbours.len());
        for pair in self.starts.windows(2) {
            let mut sum = 0.0f64;
            cumulated.extend((pair[0]..pair[1]).map(|place| {
                sum += f64::from(share(place));
                sum as f32
            }));
        }
        cumulated
    }

    /// Number of neighbours of a node.
    pub fn degree(&self, node: usize) -> usize {
        self.starts[node + 1] - self.starts[node]
    }

    /// Takes one step of a walk; does nothing at a node without neighbours.
    fn step(&self, walk: &mut Walk) {
        let row = self.starts[walk.node]..self.starts[walk.node + 1];
        if row.is_empty() {
            return;
        }
        let place = if self.cumulated.is_empty() {
            row.start + walk.random.below(row.len())
        } else {
            let shares = &self.cumulated[row.clone()];
            let drawn = walk.random.unit() as f32 * shares[shares.len() - 1];
            // A draw may round up to the last cumulative chance.
            row.start + shares.partition_point(|&share| share <= drawn).min(shares.len() - 1)
        };
        walk.node = self.neighbours[place] as usize;
        walk.alpha *= self.weights[place];
        walk.path.push((walk.node as u32, walk.alpha));
    }

    /// A walk of `length` steps from each of `starts`. It is shorter if it meets a node without neighbours, so an
    /// isolated molecule visits nothing. Walk i depends only on `seed` and i.
    pub fn walks(&self, starts: &[u64], length: usize, seed: u64, call: &Call<'_>) -> Result<Vec<Path>> {
        call.check()?;
        let block = |(block, starts): (usize, &[u64])| {
            let begin = |(index, &start): (usize, &u64)| Walk {
                node: start as usize,
                alpha: 1.0,
                random: Random::of(seed, (block * BLOCK + index) as u64, WALK),
                path: Vec::with_capacity(length),
            };
            let mut walks: Vec<Walk> = starts.iter().enumerate().map(begin).collect();
            for _ in 0..length {
                for walk in &mut walks {
                    self.step(walk);
                }
            }
            walks.into_iter().map(|walk| walk.path)
        };
        Ok(starts.par_chunks(BLOCK).enumerate().flat_map_iter(block).collect())
    }
}

/// A walk in progress.
struct Walk {
    node: usize,
    /// Product of the weights so far.
    alpha: f32,
    random: Random,
    path: Path,
}

/// Number of walks that advance side by side, so that their waits for memory overlap.
const BLOCK: usize = 256;

/// Purpose of the walks' random streams.
const WALK: u64 = 20;

#[cfg(test)]
mod tests {
    use molarena_sdk::Inputs;

    use super::*;

    /// A hub with three neighbours, the last of which has one more neighbour, and an isolated node.
    const EDGES: [(u64, u64, f32); 4] = [(0, 1, 1.0), (0, 2, 0.5), (3, 0, 0.25), (3, 4, 0.5)];

    fn walks(edges: &[(u64, u64, f32)], transition: Transition) -> Result<ContextWalks> {
        let sources: Vec<u64> = edges.iter().map(|edge| edge.0).collect();
        let targets: Vec<u64> = edges.iter().map(|edge| edge.1).collect();
        let weights: Vec<f32> = edges.iter().map(|edge| edge.2).collect();
        let corpus = Corpus {
            node_kinds: &[0; 6],
            molecules: Inputs::default(),
            molecule_nodes: &[],
            spaces: Vec::new(),
            edge_sources: &sources,
            edge_targets: &targets,
            edge_weights: &weights,
        };
        ContextWalks::new(&corpus, transition)
    }

    /// How often 30,000 walks visit each neighbour of node 0 first.
    fn shares(transition: Transition) -> [f64; 3] {
        let graph = walks(&EDGES, transition).unwrap();
        let paths = graph.walks(&vec![0; 30_000], 1, 7, &Call::new(0, 1)).unwrap();
        [1, 2, 3].map(|node| paths.iter().filter(|path| path[0].0 == node).count() as f64 / 30_000.0)
    }

    #[test]
    fn transitions_have_their_chances() {
        // Standard deviations are below 0.003.
        let close = |found: [f64; 3], wanted: [f64; 3]| {
            assert!(
                found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 0.015),
                "{found:?}"
            );
        };
        close(shares(Transition::Uniform), [1.0 / 3.0; 3]);
        close(shares(Transition::Weight), [1.0 / 1.75, 0.5 / 1.75, 0.25 / 1.75]);
        close(shares(Transition::Degree), [0.25, 0.25, 0.5]);
    }

    #[test]
    fn alpha_is_the_product_of_the_weights() {
        let graph = walks(&EDGES, Transition::Uniform).unwrap();
        for seed in 0..50 {
            let path = &graph.walks(&[4], 3, seed, &Call::new(0, 1)).unwrap()[0];
            assert_eq!((path.len(), path[0]), (3, (3, 0.5)));
            let weight = |one: u32, other: u32| {
                let ends = |edge: &&(u64, u64, f32)| {
                    [(edge.0, edge.1), (edge.1, edge.0)].contains(&(u64::from(one), u64::from(other)))
                };
                EDGES.iter().find(ends).unwrap().2
            };
            assert!((path[1].1 - 0.5 * weight(3, path[1].0)).abs() < 1e-7);
            assert!((path[2].1 - path[1].1 * weight(path[1].0, path[2].0)).abs() < 1e-7);
        }
    }

    #[test]
    fn a_node_alone_visits_nothing_and_threads_do_not_matter() {
        let graph = walks(&EDGES, Transition::Weight).unwrap();
        assert!(graph.walks(&[5], 4, 0, &Call::new(0, 1)).unwrap()[0].is_empty());
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| graph.walks(&[0, 1, 2, 3, 4, 5].repeat(300), 4, 1, &Call::new(0, 1)).unwrap())
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn edges_without_weight_are_not_walked_and_wrong_ones_are_named() {
        let graph = walks(&[(0, 1, 0.0), (0, 2, 0.5), (4, 4, 1.0)], Transition::Uniform).unwrap();
        assert_eq!([0, 1, 2, 4].map(|node| graph.degree(node)), [1, 0, 1, 1]);
        let message = |edges: &[_]| walks(edges, Transition::Uniform).unwrap_err().to_string();
        assert!(message(&[(0, 6, 1.0)]).contains("edge 0 joins 0 and 6, but there are 6 nodes"));
        assert!(message(&[(0, 1, 1.5)]).contains("edge 0 has the weight 1.5"));
    }
}
