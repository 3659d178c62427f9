//! MGSSL: a molecule's tree of motifs, generated motif by motif (Zhang, Liu, Wang, Lu and Lee 2021, arXiv 2110.00987, section 3.2,
//! in depth-first order).
//!
//! A walk goes through the tree of motifs and back, from the motif of the first atom. Each of its steps sends a message, a gated
//! recurrent unit of the motif it leaves (the sum of the vectors of its atoms) and the messages that this motif got, except that
//! of the motif it goes to. Before each step, and when the walk is over, a perceptron of the motif and all its messages
//! predicts whether a new motif follows; a perceptron of the message to a new motif predicts which. The loss is the sum of
//! the binary cross-entropies of the former and the cross-entropies of the latter, both for a molecule.
//!
//! Departures: motifs are cut by the rules in `motifs.rs`, without BRICS patterns; the `vocabulary` has the most frequent motifs
//! of the training molecules, and all others are one class; the first motif is not predicted, as in the released code; of a
//! molecule of several components the one with the first atom counts; the paper's breadth-first order and its masking of
//! atoms beside the motifs (section 3.3) are left out.

use std::{collections::BTreeMap, sync::Arc};

use burn::tensor::{
    Tensor,
    activation::{log_sigmoid, log_softmax, sigmoid, tanh},
};
use molarena_nn::{
    Pass, Random, Slots, SparseRows, Stack, Start,
    gnn::GraphNetwork,
    kernels::{Segments, segment_sum},
    sparse_product,
};
use molarena_sdk::Result;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loss, Objective, Settings};
use crate::{
    auxiliary::perceptron,
    config::at_least,
    graphs::{Graph, GraphList, Molecules},
    losses::{indices, select},
    motifs::MotifTree,
    network::atoms,
};

/// MGSSL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mgssl {
    /// Number of motifs that have a class of their own, at least 1.
    #[schemars(range(min = 1))]
    pub vocabulary: usize,
}

impl Default for Mgssl {
    fn default() -> Self {
        Self { vocabulary: 500 }
    }
}

impl Settings for Mgssl {
    const READS_ATOMS: bool = true;

    fn check(&self, _: usize) -> Result<()> {
        at_least("objective.vocabulary", self.vocabulary, 1)
    }

    fn objective(&self, molecules: &Molecules<'_>) -> Result<Box<dyn Objective>> {
        let of_molecule = |place| MotifTree::new(&molecules.graph(place)).motifs.into_iter().map(|motif| motif.key);
        let keys: Vec<u64> = (0..molecules.len()).into_par_iter().flat_map_iter(of_molecule).collect();
        Ok(Box::new(Generation { vocabulary: vocabulary(&keys, self.vocabulary) }))
    }
}

/// The classes of the most frequent motifs, by their keys.
pub(crate) fn vocabulary(motifs: &[u64], size: usize) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::<u64, usize>::new();
    for key in motifs {
        *counts.entry(*key).or_default() += 1;
    }
    let mut keys: Vec<u64> = counts.keys().copied().collect();
    keys.sort_by_key(|key| std::cmp::Reverse(counts[key]));
    keys.truncate(size);
    keys.into_iter().enumerate().map(|(class, key)| (key, class)).collect()
}

/// Generation of trees of motifs from a vocabulary.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) vocabulary: BTreeMap<u64, usize>,
}

/// The walks of a batch, as numbers of rows. Motifs are numbered over all molecules; messages in the order in which they are
/// sent, after a message 0 that is zero and that each motif has got.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Number of molecules.
    pub(crate) molecules: usize,
    /// The atoms of each motif, numbered over all molecules.
    pub(crate) motifs: Vec<Vec<usize>>,
    /// The messages that are sent together: the motif of each and the messages that it reads.
    pub(crate) sent: Vec<Vec<(usize, Vec<usize>)>>,
    /// Each prediction of what follows: the motif, the messages that it got, and whether a new motif follows.
    pub(crate) follows: Vec<(usize, Vec<usize>, bool)>,
    /// The messages to new motifs, and the motifs' classes.
    pub(crate) labels: Vec<(usize, usize)>,
}

impl Plan {
    /// The walks through the trees of molecules.
    pub(crate) fn new(molecules: &[Graph], vocabulary: &BTreeMap<u64, usize>) -> Self {
        let mut plan = Self { molecules: molecules.len(), ..Self::default() };
        let (mut walks, mut first_atom) = (Vec::new(), 0);
        let mut classes = Vec::new();
        for graph in molecules.iter().filter(|graph| !graph.atoms.is_empty()) {
            let tree = MotifTree::new(graph);
            walks.push((plan.motifs.len(), tree.walk()));
            for motif in &tree.motifs {
                plan.motifs.push(motif.atoms.iter().map(|atom| first_atom + atom).collect());
                classes.push(vocabulary.get(&motif.key).copied().unwrap_or(vocabulary.len()));
            }
            first_atom += graph.atoms.len();
        }
        // What each motif got: the sender and the message.
        let mut got = vec![vec![(usize::MAX, 0)]; plan.motifs.len()];
        let mut message = 0;
        for step in 0..walks.iter().map(|(_, walk)| walk.len()).max().unwrap_or(0) {
            let mut together = Vec::new();
            for (first, walk) in walks.iter().filter(|(_, walk)| step < walk.len()) {
                let (from, to) = (first + walk[step].from, first + walk[step].to);
                let others = got[from].iter().filter(|(sender, _)| *sender != to);
                together.push((from, others.map(|&(_, message)| message).collect()));
                let all = got[from].iter().map(|&(_, message)| message).collect();
                plan.follows.push((from, all, walk[step].down));
                message += 1;
                if walk[step].down {
                    plan.labels.push((message, classes[to]));
                }
                got[to].push((from, message));
            }
            plan.sent.push(together);
        }
        for (first, _) in &walks {
            plan.follows.push((*first, got[*first].iter().map(|&(_, message)| message).collect(), false));
        }
        plan
    }
}

const UPDATE: &str = "objective.update";
const RESET: &str = "objective.reset";
const RESET_MESSAGES: &str = "objective.reset_messages.weight";
const CANDIDATE: &str = "objective.candidate";

impl Generation {
    fn follows(width: usize) -> Stack {
        perceptron("objective.follows", 1, 2 * width, width, 1)
    }

    fn labels(&self, width: usize) -> Stack {
        perceptron("objective.labels", 1, width, width, self.vocabulary.len() + 1)
    }

    /// The loss of walks of which at least one has a step.
    pub(crate) fn loss_of(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        list: &GraphList,
        plan: &Plan,
    ) -> Result<Loss> {
        let vectors = atoms(network, pass, list)?;
        let motifs = sums(list.atoms().len(), plan.motifs.iter().map(Vec::as_slice), vectors);
        let mut messages = Tensor::zeros([1, network.width], pass.device());
        for together in &plan.sent {
            let next = send(pass, &motifs, &messages, together);
            messages = Tensor::cat(vec![messages, next], 0);
        }
        let rows = messages.dims()[0];
        let got = sums(rows, plan.follows.iter().map(|(_, got, _)| got.as_slice()), messages.clone());
        let at: Vec<usize> = plan.follows.iter().map(|(motif, ..)| *motif).collect();
        let hidden = Tensor::cat(vec![select(&motifs, &at), got], 1);
        let logits = Self::follows(network.width).forward(pass, hidden);
        let signs: Vec<f32> = plan.follows.iter().map(|(.., follows)| if *follows { 1.0 } else { -1.0 }).collect();
        let shape = [signs.len(), 1];
        let signs = Tensor::<2>::from_data(burn::tensor::TensorData::new(signs, shape), pass.device());
        let molecules = plan.molecules as f32;
        let topology = -log_sigmoid(logits * signs).sum() / molecules;
        let (to_new, classes): (Vec<usize>, Vec<usize>) = plan.labels.iter().copied().unzip();
        let logits = self.labels(network.width).forward(pass, select(&messages, &to_new));
        let classes = indices(&classes, pass.device()).reshape([classes.len(), 1]);
        let labels = -log_softmax(logits, 1).gather(1, classes).sum() / molecules;
        Ok((topology.clone() + labels.clone(), vec![Some(topology), Some(labels)]))
    }
}

/// The messages that are sent together, `f32[n, d]`: gated recurrent units, as in junction trees (Jin et al. 2018, arXiv 1802.04364).
fn send(
    pass: &Pass<'_>,
    motifs: &Tensor<2>,
    messages: &Tensor<2>,
    together: &[(usize, Vec<usize>)],
) -> Tensor<2> {
    let from: Vec<usize> = together.iter().map(|(motif, _)| *motif).collect();
    let segments = Arc::new(Segments::new(together.iter().map(|(_, read)| read.len())));
    let read: Vec<usize> = together.iter().flat_map(|(_, read)| read).copied().collect();
    let readers = together.iter().enumerate().flat_map(|(row, (_, read))| std::iter::repeat_n(row, read.len()));
    let readers: Vec<usize> = readers.collect();
    let (x, read) = (select(motifs, &from), select(messages, &read));
    let sum = segment_sum(read.clone(), &segments);
    let update = sigmoid(pass.linear(UPDATE, Tensor::cat(vec![x.clone(), sum.clone()], 1)));
    let of_messages = read.clone().matmul(pass.parameter(RESET_MESSAGES).transpose());
    let reset = sigmoid(select(&pass.linear(RESET, x.clone()), &readers) + of_messages);
    let kept = segment_sum(reset * read, &segments);
    let candidate = tanh(pass.linear(CANDIDATE, Tensor::cat(vec![x, kept], 1)));
    (-update.clone() + 1.0) * sum + update * candidate
}

/// The sum of the rows `of[i]` of a matrix of `rows` rows, for each i.
fn sums<'a>(rows: usize, of: impl Iterator<Item = &'a [usize]>, matrix: Tensor<2>) -> Tensor<2> {
    let mut incidence = SparseRows::new(rows);
    of.for_each(|of| incidence.push(of.iter().map(|&row| (row as u32, 1.0))));
    sparse_product(&Arc::new(incidence), matrix)
}

impl Objective for Generation {
    fn parts(&self) -> &'static [&'static str] {
        &["topology", "labels"]
    }

    fn slots(&self, network: &GraphNetwork, slots: &mut Slots) {
        let width = network.width;
        slots.linear(UPDATE, 2 * width, width);
        slots.linear(RESET, width, width);
        slots.push(RESET_MESSAGES, &[width, width], true, Start::Uniform(1.0 / (width as f64).sqrt()));
        slots.linear(CANDIDATE, 2 * width, width);
        Self::follows(width).slots(slots);
        self.labels(width).slots(slots);
    }

    fn loss(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        molecules: &[Graph],
        _: &mut Random,
    ) -> Result<Option<Loss>> {
        let plan = Plan::new(molecules, &self.vocabulary);
        let has_steps = !plan.labels.is_empty();
        has_steps.then(|| self.loss_of(network, pass, &GraphList::new(molecules), &plan)).transpose()
    }
}
