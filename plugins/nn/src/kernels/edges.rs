//! Messages along bonds: gather, add the bond's embedding, rectify, sum at the receiver.

use std::sync::Arc;

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData, activation::relu},
};
use rayon::prelude::*;

use super::{CHUNK, Rows, There, add_into, is_on_processor, register, tensor};

/// Bonds between n atoms as messages: both directions of each bond, sorted by the receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// Neighbours of atom a are `starts[a]..starts[a + 1]`.
    starts: Vec<u32>,
    others: Vec<u32>,
    /// Kind of each message's bond: a row of the table of bond embeddings.
    kinds: Vec<u8>,
    /// Factor of each atom; a message is weighted by the product of both ends' factors. If empty, all factors are 1.
    factors: Vec<f32>,
    there: There<Messages>,
}

/// All messages on a device, sorted by the receiver.
#[derive(Clone, Debug)]
struct Messages {
    receivers: Tensor<1, Int>,
    senders: Tensor<1, Int>,
    kinds: Tensor<1, Int>,
    /// Weights, `f32[messages, 1]`; `None` if all are 1.
    factors: Option<Tensor<2>>,
}

impl Neighbours {
    /// The bonds of `atoms` atoms, each listed once with both ends and its kind. The neighbours of an atom keep the
    /// order of the bonds.
    pub fn new(atoms: usize, bonds: impl Iterator<Item = ([u32; 2], u8)> + Clone) -> Self {
        let mut starts = vec![0u32; atoms + 1];
        for ([one, other], _) in bonds.clone() {
            starts[one as usize + 1] += 1;
            starts[other as usize + 1] += 1;
        }
        for atom in 0..atoms {
            starts[atom + 1] += starts[atom];
        }
        let mut next = starts.clone();
        let count = starts[atoms] as usize;
        let (mut others, mut kinds) = (vec![0; count], vec![0; count]);
        for ([one, other], kind) in bonds {
            for (here, there) in [(one, other), (other, one)] {
                let place = &mut next[here as usize];
                (others[*place as usize], kinds[*place as usize]) = (there, kind);
                *place += 1;
            }
        }
        Self { starts, others, kinds, factors: Vec::new(), there: There::default() }
    }

    /// The same with messages weighted by 1 / sqrt((1 + degree of one end) (1 + degree of the other)), as in a graph
    /// convolutional network (Kipf and Welling 2017).
    #[must_use]
    pub fn normalised(mut self) -> Self {
        self.factors =
            (0..self.atoms()).map(|atom| 1.0 / (1.0 + self.range(atom).len() as f32).sqrt()).collect();
        self.there = There::default();
        self
    }

    /// Number of atoms n.
    pub fn atoms(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of neighbours of each atom.
    pub fn degrees(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.atoms()).map(|atom| self.range(atom).len())
    }

    fn range(&self, atom: usize) -> std::ops::Range<usize> {
        self.starts[atom] as usize..self.starts[atom + 1] as usize
    }

    /// All messages on a device.
    fn messages_on(&self, device: &Device) -> Messages {
        self.there.on(device, || {
            let count = self.others.len();
            let index = |values: Vec<i32>| Tensor::from_data(TensorData::new(values, [count]), device);
            let receivers =
                (0..self.atoms()).flat_map(|atom| std::iter::repeat_n(atom as i32, self.range(atom).len()));
            let factors = || {
                let all = (0..self.atoms()).flat_map(|atom| self.messages(atom)).map(|(.., factor)| factor);
                Tensor::from_data(TensorData::new(all.collect::<Vec<f32>>(), [count, 1]), device)
            };
            Messages {
                receivers: index(receivers.collect()),
                senders: index(self.others.iter().map(|&other| other as i32).collect()),
                kinds: index(self.kinds.iter().map(|&kind| i32::from(kind)).collect()),
                factors: (!self.factors.is_empty()).then(factors),
            }
        })
    }

    /// Neighbour, kind of bond and weight of each message between `atom` and its neighbours.
    pub fn messages(&self, atom: usize) -> impl Iterator<Item = (usize, usize, f32)> + '_ {
        let factor = |atom: usize| self.factors.get(atom).copied().unwrap_or(1.0);
        let own = factor(atom);
        self.range(atom).map(move |place| {
            let neighbour = self.others[place] as usize;
            (neighbour, usize::from(self.kinds[place]), own * factor(neighbour))
        })
    }
}

/// Returns `f32[n, d]`: `share` h\[a\] + the sum over neighbours b of a of `factor` ReLU(h\[b\] + table\[kind of the
/// bond\]), for h `f32[n, d]`, a table `f32[kinds, d]` and a share `f32[1, 1]`.
///
/// With `share` = 1 + epsilon this is the sum of a graph isomorphism network with bond embeddings (Xu et al. 2019, Eq.
/// 4.1; Hu et al. 2020).
///
/// # Panics
///
/// If the shapes do not fit.
pub fn edge_sum(
    atoms: Tensor<2>,
    table: Tensor<2>,
    share: Tensor<2>,
    neighbours: &Arc<Neighbours>,
) -> Tensor<2> {
    assert_eq!(atoms.dims()[0], neighbours.atoms(), "rows and atoms");
    assert_eq!(atoms.dims()[1], table.dims()[1], "columns of the atoms and of the bond embeddings");
    if !is_on_processor(&atoms) {
        return composed(atoms, table, share, neighbours);
    }
    let [atoms, table, share] = [atoms, table, share].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::edge_sum(atoms, table, share, Arc::clone(neighbours)))
}

/// The step as tensor operations.
fn composed(atoms: Tensor<2>, table: Tensor<2>, share: Tensor<2>, neighbours: &Neighbours) -> Tensor<2> {
    let messages = neighbours.messages_on(&atoms.device());
    let own = atoms.clone() * share;
    if neighbours.others.is_empty() {
        // The table gets a gradient too, even if it is zero.
        return own + table.narrow(0, 0, 1) * 0.0;
    }
    let mut sent = relu(atoms.select(0, messages.senders) + table.select(0, messages.kinds));
    if let Some(factors) = messages.factors {
        sent = sent * factors;
    }
    own.select_assign(0, messages.receivers, sent, IndexingUpdateOp::Add)
}

/// The step as an operation of a backend.
#[backend_extension(Flex, Autodiff)]
trait EdgeSum: Backend {
    /// See [`edge_sum`].
    fn edge_sum(
        atoms: FloatTensor<Self>,
        table: FloatTensor<Self>,
        share: FloatTensor<Self>,
        neighbours: Arc<Neighbours>,
    ) -> FloatTensor<Self>;
}

impl EdgeSum for Flex {
    fn edge_sum(
        atoms: FloatTensor<Self>,
        table: FloatTensor<Self>,
        share: FloatTensor<Self>,
        neighbours: Arc<Neighbours>,
    ) -> FloatTensor<Self> {
        State::new(&atoms, &table, &share, neighbours).forward()
    }
}

/// The values of the forward pass that the backward pass needs.
#[derive(Clone, Debug)]
struct State {
    atoms: Rows,
    table: Rows,
    share: f32,
    neighbours: Arc<Neighbours>,
}

impl State {
    fn new(
        atoms: &FloatTensor<Flex>,
        table: &FloatTensor<Flex>,
        share: &FloatTensor<Flex>,
        neighbours: Arc<Neighbours>,
    ) -> Self {
        Self {
            atoms: Rows::new(atoms),
            table: Rows::new(table),
            share: Rows::new(share).values()[0],
            neighbours,
        }
    }

    fn forward(&self) -> FloatTensor<Flex> {
        let shape @ [rows, width] = self.atoms.shape();
        let mut sums = vec![0.0; rows * width];
        sums.par_chunks_mut(CHUNK * width).enumerate().for_each(|(chunk, sums)| {
            pulp::Arch::new().dispatch(|| self.sum_chunk(chunk * CHUNK, sums));
        });
        tensor(sums, shape)
    }

    /// Sums of a chunk of atoms that starts at `first`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the instructions of the machine are chosen outside")]
    fn sum_chunk(&self, first: usize, sums: &mut [f32]) {
        let (atoms, table, width) = (self.atoms.values(), self.table.values(), self.table.shape()[1]);
        for (atom, sums) in (first..).zip(sums.chunks_exact_mut(width)) {
            let own = &atoms[atom * width..][..width];
            sums.iter_mut().zip(own).for_each(|(sum, own)| *sum = self.share * own);
            for (neighbour, kind, factor) in self.neighbours.messages(atom) {
                let (sender, bond) = (&atoms[neighbour * width..][..width], &table[kind * width..][..width]);
                for ((sum, sender), bond) in sums.iter_mut().zip(sender).zip(bond) {
                    *sum += factor * (sender + bond).max(0.0);
                }
            }
        }
    }

    /// Gradients of the atoms, of the table and of the share.
    fn backward(&self, gradient: &Rows) -> [FloatTensor<Flex>; 3] {
        let shape @ [rows, width] = self.atoms.shape();
        let mut atoms = vec![0.0; rows * width];
        let chunks = atoms.par_chunks_mut(CHUNK * width).enumerate();
        let sums: Vec<(Vec<f32>, f64)> = chunks
            .map(|(chunk, atoms)| {
                pulp::Arch::new().dispatch(|| self.backward_chunk(chunk * CHUNK, gradient.values(), atoms))
            })
            .collect();
        let mut table = vec![0.0; self.table.values().len()];
        for (chunk, _) in &sums {
            add_into(&mut table, chunk);
        }
        let of_share = sums.iter().map(|(_, part)| part).sum::<f64>() as f32;
        [tensor(atoms, shape), tensor(table, self.table.shape()), tensor(vec![of_share], [1, 1])]
    }

    /// Writes the gradients of a chunk of atoms that starts at `first` into `atoms`, and returns what these atoms, as
    /// senders, contribute to the gradients of the table and of the share.
    ///
    /// The message from b to a is rectified at b, so each atom reads the gradients of its neighbours, the receivers.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the instructions of the machine are chosen outside")]
    fn backward_chunk(&self, first: usize, gradient: &[f32], atoms: &mut [f32]) -> (Vec<f32>, f64) {
        let (values, table, width) = (self.atoms.values(), self.table.values(), self.table.shape()[1]);
        let mut table_gradient = vec![0.0f32; table.len()];
        let mut share_gradient = 0.0;
        for (atom, sums) in (first..).zip(atoms.chunks_exact_mut(width)) {
            let (own, handed) = (&values[atom * width..][..width], &gradient[atom * width..][..width]);
            sums.iter_mut().zip(handed).for_each(|(sum, handed)| *sum = self.share * handed);
            share_gradient +=
                f64::from(own.iter().zip(handed).map(|(own, handed)| own * handed).sum::<f32>());
            for (receiver, kind, factor) in self.neighbours.messages(atom) {
                let (handed, bond) =
                    (&gradient[receiver * width..][..width], &table[kind * width..][..width]);
                let bond_sums = &mut table_gradient[kind * width..][..width];
                let sent = own.iter().zip(bond).zip(handed);
                for ((sum, bond_sum), ((own, bond), handed)) in sums.iter_mut().zip(bond_sums).zip(sent) {
                    let part = if own + bond > 0.0 { factor * handed } else { 0.0 };
                    *sum += part;
                    *bond_sum += part;
                }
            }
        }
        (table_gradient, share_gradient)
    }
}

impl<C: CheckpointStrategy> EdgeSum for Autodiff<Flex, C> {
    fn edge_sum(
        atoms: FloatTensor<Self>,
        table: FloatTensor<Self>,
        share: FloatTensor<Self>,
        neighbours: Arc<Neighbours>,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Gradient;

        impl Backward<Flex, 3> for Gradient {
            type State = State;

            fn backward(self, ops: Ops<State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
                let handed = Rows::new(&gradients.consume::<Flex>(&ops.node));
                for (parent, gradient) in ops.parents.into_iter().zip(ops.state.backward(&handed)) {
                    register::<Flex>(gradients, parent.map(|node| node.id), gradient);
                }
            }
        }

        let nodes = [atoms.node(), table.node(), share.node()];
        let [atoms, table, share] = [atoms, table, share].map(<FloatTensor<Self>>::into_primitive);
        let state = State::new(&atoms, &table, &share, neighbours);
        let output = state.forward();
        match Gradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(operation) => operation.finish(state, output),
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;

    use super::*;
    use crate::kernels::testing::{pairs, random, tracked};

    /// A triangle with a tail, an isolated atom, and a pair.
    fn example() -> Neighbours {
        let bonds = [([0, 1], 0), ([1, 2], 1), ([2, 0], 2), ([2, 3], 0), ([5, 6], 2)];
        Neighbours::new(7, bonds.into_iter())
    }

    #[test]
    fn neighbours_are_listed_from_both_ends() {
        let neighbours = example();
        assert_eq!(neighbours.degrees().collect::<Vec<_>>(), [2, 2, 3, 1, 0, 1, 1]);
        let of_2: Vec<_> = neighbours.messages(2).collect();
        assert_eq!(of_2, [(1, 1, 1.0), (0, 2, 1.0), (3, 0, 1.0)]);
        let factor = neighbours.normalised().messages(2).nth(2).unwrap().2;
        assert!((factor - 1.0 / 8f32.sqrt()).abs() < 1e-7);
    }

    #[test]
    fn the_kernel_and_its_gradients_are_those_of_the_tensor_operations() {
        let examples = || [example(), example().normalised(), Neighbours::new(7, std::iter::empty())];
        for ([here, there], neighbours) in
            pairs().into_iter().flat_map(|pair| examples().map(|example| (pair.clone(), example)))
        {
            let neighbours = Arc::new(neighbours);
            let inputs =
                |device| [tracked(7, 5, 1, device), tracked(3, 5, 2, device), tracked(1, 1, 3, device)];
            let (one, two) = (inputs(&here), inputs(&there));
            let fused = edge_sum(one[0].clone(), one[1].clone(), one[2].clone(), &neighbours);
            let plain = composed(two[0].clone(), two[1].clone(), two[2].clone(), &neighbours);
            let tolerance = Tolerance::<f32>::absolute(1e-5);
            fused.clone().into_data().assert_approx_eq(&plain.clone().into_data(), tolerance);
            // A gradient with different values.
            let weights = |device| Tensor::from_data(random(7, 5, 4), device);
            let fused = (fused * weights(&here)).sum().backward();
            let plain = (plain * weights(&there)).sum().backward();
            for (one, two) in one.iter().zip(&two) {
                let (one, two) = (one.grad(&fused).unwrap(), two.grad(&plain).unwrap());
                one.into_data().assert_approx_eq(&two.into_data(), tolerance);
            }
        }
    }

    #[test]
    fn many_atoms_in_several_chunks() {
        // A chain that is longer than three chunks.
        let count = 3 * CHUNK + 7;
        let bonds = (1..count as u32).map(|atom| ([atom - 1, atom], (atom % 3) as u8));
        let neighbours = Arc::new(Neighbours::new(count, bonds));
        for [here, there] in pairs() {
            let inputs =
                |device| [tracked(count, 3, 1, device), tracked(3, 3, 2, device), tracked(1, 1, 3, device)];
            let (one, two) = (inputs(&here), inputs(&there));
            let fused = edge_sum(one[0].clone(), one[1].clone(), one[2].clone(), &neighbours);
            let plain = composed(two[0].clone(), two[1].clone(), two[2].clone(), &neighbours);
            let [fused, plain] = [fused, plain].map(|output| output.powi_scalar(2).mean().backward());
            for (one, two) in one.iter().zip(&two) {
                let (one, two) = (one.grad(&fused).unwrap(), two.grad(&plain).unwrap());
                one.into_data().assert_approx_eq(&two.into_data(), Tolerance::<f32>::absolute(1e-4));
            }
        }
    }
}
