//! Molecules as directed bonds, and batches of them.

use std::{ops::Range, sync::Arc};

use molarena_nn::{SparseRows, kernels::Segments};
use molarena_sdk::{Graphs, graph};

use super::features::{ATOM_COLUMNS, BOND_COLUMNS, atom, bond};

/// Columns of a message: those of the atom that sends it, and those of the bond.
pub(super) const MESSAGE_COLUMNS: usize = ATOM_COLUMNS + BOND_COLUMNS;

/// Molecules with the features of their atoms and directed bonds.
#[derive(Debug)]
pub struct Molecules {
    /// `[atoms, 72]`.
    atoms: SparseRows,
    /// `[messages, 86]`: each bond from its first atom to its second, then from its second to its first.
    messages: SparseRows,
    /// Sender and receiver of each message, numbered within the molecule.
    ends: Vec<[u32; 2]>,
    /// Where the atoms and the messages of each molecule are.
    places: Vec<[Range<usize>; 2]>,
}

impl Molecules {
    /// The molecules of graphs.
    pub fn new(graphs: &Graphs<'_>) -> Self {
        let mut this = Self {
            atoms: SparseRows::new(ATOM_COLUMNS),
            messages: SparseRows::new(MESSAGE_COLUMNS),
            ends: Vec::new(),
            places: Vec::with_capacity(graphs.rows()),
        };
        for row in 0..graphs.rows() {
            let (atoms, bonds) = (&graphs.atom_features[graphs.atom_range(row)], graphs.bond_range(row));
            let (ends, kinds) = (&graphs.bonds[bonds.clone()], &graphs.bond_features[bonds]);
            let atoms: Vec<Vec<(u32, f32)>> = atoms.iter().map(atom).collect();
            let first = [this.atoms.rows(), this.messages.rows()];
            let in_ring = graph::bonds_in_rings(atoms.len(), ends);
            for ((&[one, other], kind), in_ring) in ends.iter().zip(kinds).zip(in_ring) {
                for [sender, receiver] in [[one, other], [other, one]] {
                    let of_bond =
                        bond(*kind, in_ring).into_iter().map(|column| (ATOM_COLUMNS as u32 + column, 1.0));
                    this.messages.push(atoms[sender as usize].iter().copied().chain(of_bond));
                    this.ends.push([sender, receiver]);
                }
            }
            for columns in atoms {
                this.atoms.push(columns);
            }
            let [atoms, messages] = first;
            this.places.push([atoms..this.atoms.rows(), messages..this.messages.rows()]);
        }
        this
    }

    /// Number of molecules.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// Numbers of atoms and of messages of a molecule.
    pub(super) fn size(&self, row: usize) -> [usize; 2] {
        self.places[row].clone().map(|range| range.len())
    }

    /// The molecules `rows`, in that order, with rows of zeros up to so many atoms and messages, and empty molecules up to so many.
    pub(super) fn batch(&self, rows: &[usize], [atoms, messages, molecules]: [usize; 3]) -> Batch {
        let places = || rows.iter().map(|&row| &self.places[row]);
        let all = |kind: usize| places().flat_map(|ranges| ranges[kind].clone()).collect::<Vec<usize>>();
        let mut batch_atoms = self.atoms.select(&all(0));
        let mut batch_messages = self.messages.select(&all(1));
        let own = [batch_atoms.rows(), batch_messages.rows()];
        (own[0]..atoms).for_each(|_| batch_atoms.push([]));
        (own[1]..messages).for_each(|_| batch_messages.push([]));
        let count = [batch_atoms.rows(), batch_messages.rows()];

        let mut received = vec![Vec::new(); own[0]];
        let mut ends = Vec::with_capacity(own[1]);
        let mut first = 0;
        for [atoms, messages] in places() {
            for &[sender, receiver] in &self.ends[messages.clone()] {
                received[first + receiver as usize].push(ends.len() as u32);
                ends.push(first + sender as usize);
            }
            first += atoms.len();
        }
        // What the sender of a message has received, but for what its receiver sent: the other direction of the same bond.
        let mut before = SparseRows::new(count[1]);
        for (message, &sender) in ends.iter().enumerate() {
            let back = (message ^ 1) as u32;
            before.push(received[sender].iter().filter(|&&other| other != back).map(|&other| (other, 1.0)));
        }
        (own[1]..count[1]).for_each(|_| before.push([]));
        let mut at_atoms = SparseRows::new(count[1]);
        for messages in received {
            at_atoms.push(messages.into_iter().map(|message| (message, 1.0)));
        }
        (own[0]..count[0]).for_each(|_| at_atoms.push([]));
        let padding = count[0] - own[0];
        let lengths = places().map(|ranges| ranges[0].len()).chain((padding > 0).then_some(padding));
        let filled = rows.len() + usize::from(padding > 0);
        let lengths = lengths.chain(std::iter::repeat_n(0, molecules.saturating_sub(filled)));
        Batch {
            atoms: Arc::new(batch_atoms),
            messages: Arc::new(batch_messages),
            before: Arc::new(before),
            at_atoms: Arc::new(at_atoms),
            molecules: Arc::new(Segments::new(lengths)),
        }
    }
}

/// A batch of molecules.
pub(super) struct Batch {
    /// Features of the atoms, `[atoms, 72]`.
    pub atoms: Arc<SparseRows>,
    /// Features of the messages, `[messages, 86]`.
    pub messages: Arc<SparseRows>,
    /// `[messages, messages]`: 1 for the messages that a message passes on.
    pub before: Arc<SparseRows>,
    /// `[atoms, messages]`: 1 for the messages that an atom receives.
    pub at_atoms: Arc<SparseRows>,
    /// The atoms of each molecule.
    pub molecules: Arc<Segments>,
}
