//! Parts of the objectives by hand.

use molarena_chem::Molecule;
use molarena_nn::Random;

use crate::{
    Dsla,
    augment::{Augmentation, MASKED_ATOM, connected_part, move_bonds, part},
    graphs::{Graph, GraphList},
    motifs::{MotifTree, Step},
    objectives::{
        attrmask::Masked,
        contextpred::Pairs,
        dsla::Candidates,
        graphlog::{above, lowest},
        joao::to_distribution,
        mgssl::{Plan, vocabulary},
    },
};

fn graph(smiles: &str) -> Graph {
    let graph = Molecule::parse(smiles).unwrap().graph();
    Graph { atoms: graph.atom_features, bonds: graph.bonds, bond_features: graph.bond_features }
}

#[test]
fn distances_and_subgraphs() {
    // Propylbenzene and a lone ion: the atoms of the chain first.
    let molecule = graph("CCCc1ccccc1.[Na+]");
    let distances = molecule.distances(0);
    assert_eq!(distances[..5], [Some(0), Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!((distances[6], distances[9]), (Some(6), None));
    let part = molecule.induced(&[3, 2, 0]);
    assert_eq!((part.atoms.len(), &part.bonds[..]), (3, &[[1, 0]][..]));
    assert_eq!(part.atoms[0], molecule.atoms[3]);
    // Of ten pairs of five atoms of a ring with its chain, four are bonds.
    let free = molecule.unbonded(&[2, 3, 4, 5, 0]);
    assert_eq!(free, [[2, 4], [2, 5], [0, 2], [3, 5], [0, 3], [0, 4], [0, 5]]);
}

#[test]
fn contexts_surround_neighbourhoods() {
    let mut pairs = Pairs::default();
    // From the first atom of octane, three bonds are atom 3; the context of two goes from atom 3 to atom 4.
    pairs.push(&graph("CCCCCCCC"), 0, 3, 2);
    assert_eq!(pairs.neighbourhoods[0].atoms.len(), 4);
    assert_eq!((pairs.contexts[0].atoms.len(), &pairs.contexts[0].bonds[..]), (2, &[[0, 1]][..]));
    assert_eq!((&pairs.anchors[..], &pairs.centres[..]), (&[vec![0]][..], &[0][..]));
    // No atom of propane is three bonds away.
    pairs.push(&graph("CCC"), 1, 3, 2);
    assert_eq!(pairs.centres.len(), 1);
}

#[test]
fn masks_hide_a_share_and_remember_it() {
    let molecules = [graph("CCN"), graph("OCCCCCCCCCCCCCCCCCCC")];
    let masked = Masked::new(&molecules, 0.15, true, &mut Random::of(1, 0, 0));
    // 0.15 x 3 + 1 and 0.15 x 20 + 1, rounded down.
    assert_eq!(masked.atoms.len(), 1 + 4);
    for (&atom, &element) in masked.atoms.iter().zip(&masked.elements) {
        assert_eq!(masked.list.atoms()[atom], MASKED_ATOM);
        let original = if atom < 3 { molecules[0].atoms[atom] } else { molecules[1].atoms[atom - 3] };
        assert_eq!(original[0] as usize, element);
    }
    let hidden = |atom: &usize| masked.atoms.contains(atom);
    let ends = masked.ends[0].iter().zip(&masked.ends[1]);
    assert!(!masked.types.is_empty() && ends.into_iter().all(|(one, other)| hidden(one) || hidden(other)));
    let unmasked = masked.list.atoms().iter().filter(|atom| **atom != MASKED_ATOM).count();
    assert_eq!(unmasked, 23 - 5);
}

#[test]
fn augmentations_touch_their_share() {
    let molecule = graph("CCCCc1ccccc1");
    for seed in 0..20 {
        let apply =
            |augmentation: Augmentation| augmentation.apply(&molecule, 0.2, &mut Random::of(seed, 0, 0));
        assert_eq!(apply(Augmentation::NodeDropping).atoms.len(), 8);
        let masked = apply(Augmentation::AttributeMasking);
        assert_eq!(masked.atoms.iter().filter(|atom| **atom == MASKED_ATOM).count(), 2);
        let moved = apply(Augmentation::EdgePerturbation);
        let same = moved.bonds.iter().zip(&molecule.bonds).filter(|(one, other)| one == other).count();
        assert_eq!((moved.bonds.len(), same), (10, 8));
        let subgraph = apply(Augmentation::Subgraph);
        assert_eq!(subgraph.atoms.len(), 8);
        assert!(subgraph.distances(0).iter().all(Option::is_some), "it is connected");
        assert_eq!(apply(Augmentation::Identity), molecule);
    }
    assert_eq!((part(10, 0.3), part(3, 0.2)), (3, 0));
    // A part is no larger than its component.
    let salt = graph("[Na+].[Cl-]");
    assert_eq!(connected_part(&salt, 2, &mut Random::of(0, 0, 0)).len(), 1);
}

#[test]
fn moved_bonds_are_new_ones() {
    for seed in 0..20 {
        let molecule = graph("CCCC1CCC1");
        let mut moved = molecule.clone();
        // Four bonds of a ring with one free diagonal besides the other.
        let ring = [3, 4, 5, 6];
        let count = move_bonds(&mut moved, &ring, 5, &mut Random::of(seed, 0, 0));
        assert_eq!(count, 2);
        let new: Vec<_> = moved.bonds.iter().filter(|bond| !molecule.bonds.contains(bond)).collect();
        assert_eq!(new.len(), 2);
        assert!(new.contains(&&[3, 5]) && new.contains(&&[4, 6]), "{new:?}");
    }
}

/// Number of pairs of atoms that are bonded in one of two graphs only.
fn edits(one: &Graph, other: &Graph) -> usize {
    let bonds = |graph: &Graph| {
        let sorted = graph.bonds.iter().map(|&[one, other]| [one.min(other), one.max(other)]);
        sorted.collect::<std::collections::BTreeSet<_>>()
    };
    bonds(one).symmetric_difference(&bonds(other)).count()
}

#[test]
fn edit_distances_are_known_by_construction() {
    let molecule = graph("CC(=O)Nc1ccc(OCC2CCCC2)cc1");
    let settings = Dsla::default();
    for seed in 0..20 {
        let mut candidates = Candidates::default();
        settings.perturb(&molecule, &mut Random::of(seed, 0, 0), &mut candidates);
        assert_eq!(candidates.graphs.len(), 5);
        for (candidate, (graph, &distance)) in candidates.graphs.iter().zip(&candidates.distances).enumerate()
        {
            assert_eq!(edits(graph, &molecule), distance);
            assert_eq!(distance > 0, candidate > 0);
            assert!(graph.atoms.contains(&MASKED_ATOM));
        }
        let weak = &candidates.distances[1..4];
        assert!(weak.is_sorted() && weak[2] > weak[0] && candidates.distances[4] > weak[2], "{weak:?}");
        // 0.8 of its 18 bonds.
        assert_eq!(candidates.distances[4], 2 * 14);
    }
    let mut none = Candidates::default();
    settings.perturb(&graph("C"), &mut Random::of(0, 0, 0), &mut none);
    settings.perturb(&graph("CC"), &mut Random::of(0, 0, 0), &mut none);
    assert!(none.graphs.is_empty(), "nothing can be moved");
}

fn motifs(smiles: &str) -> Vec<Vec<usize>> {
    MotifTree::new(&graph(smiles)).motifs.into_iter().map(|motif| motif.atoms).collect()
}

#[test]
fn molecules_fall_apart_at_acyclic_single_bonds() {
    // A ring keeps no arm, and two rings are two motifs; fused rings are one.
    assert_eq!(motifs("Cc1ccccc1"), [vec![0], (1..7).collect()]);
    assert_eq!(motifs("C1CCC1C1CC1"), [(0..4).collect::<Vec<_>>(), (4..7).collect()]);
    assert_eq!(motifs("c1ccc2ccccc2c1").len(), 1);
    // Ether and amide, but not the end of a chain, a chain of carbons or a double bond.
    assert_eq!(motifs("CCOCC"), [vec![0, 1], vec![2], vec![3, 4]]);
    assert_eq!(motifs("CCCCO"), [(0..5).collect::<Vec<_>>()]);
    assert_eq!(motifs("CC(=O)NCC"), [vec![0], vec![1, 2], vec![3], vec![4, 5]]);
    // A branching atom stands alone.
    assert_eq!(motifs("CC(C)C"), [vec![0], vec![1], vec![2], vec![3]]);
    // The walk goes to each motif and back, in the order of the bonds.
    let walk = MotifTree::new(&graph("CC(=O)NCC")).walk();
    let down = |from, to| Step { from, to, down: true };
    let back = |from, to| Step { from, to, down: false };
    assert_eq!(walk, [down(0, 1), down(1, 2), down(2, 3), back(3, 2), back(2, 1), back(1, 0)]);
    assert_eq!(MotifTree::new(&graph("CC(C)C")).walk().len(), 6);
    assert!(MotifTree::new(&graph("C.CCOC")).walk().is_empty(), "the other component is left out");
}

#[test]
fn equal_motifs_have_equal_keys() {
    let keys = |smiles: &str| -> Vec<u64> {
        MotifTree::new(&graph(smiles)).motifs.iter().map(|motif| motif.key).collect()
    };
    // Phenyl in two molecules and two orders; pyridine, another place of nitrogen, another ring size, a charge.
    let phenyl = keys("Cc1ccccc1")[1];
    assert_eq!(phenyl, keys("c1ccc(CO)cc1")[0]);
    for other in ["Cc1ccncc1", "Cc1cccnc1", "CC1CCCCC1", "CC1=CC=CC1", "Cc1cc[nH+]cc1"] {
        assert_ne!(phenyl, keys(other)[1], "{other}");
    }
    assert_ne!(keys("Cc1ccncc1")[1], keys("Cc1cc[nH+]cc1")[1]);
    // Ortho and para bonds are not inside of the motif.
    assert_eq!(keys("Cc1ccccc1C")[1], keys("Cc1ccc(C)cc1")[1]);
    let molecules = ["Cc1ccccc1", "Cc1ccccc1C", "CCOCC"].map(graph);
    let all = molecules.iter().flat_map(|graph| MotifTree::new(graph).motifs).map(|motif| motif.key);
    let classes = vocabulary(&all.collect::<Vec<_>>(), 2);
    // Methyl three times, phenyl twice; ethyl, twice too, has the larger or the smaller key.
    assert_eq!(classes[&keys("Cc1ccccc1")[0]], 0);
    assert_eq!(classes.len(), 2);
    let plan = Plan::new(&molecules, &classes);
    assert_eq!((plan.molecules, plan.motifs.len()), (3, 2 + 3 + 3));
    // Each motif but the first of each molecule is predicted once; each step and each end asks what follows.
    assert_eq!((plan.labels.len(), plan.follows.len()), (5, 10 + 3));
    assert_eq!(plan.follows.iter().filter(|(.., follows)| *follows).count(), 5);
    assert_eq!(plan.sent.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 2, 2]);
}

#[test]
fn a_point_goes_to_the_nearest_distribution() {
    assert_eq!(to_distribution(&[0.2, 0.3, 0.5]), [0.2, 0.3, 0.5]);
    assert_eq!(to_distribution(&[1.0, 1.0]), [0.5, 0.5]);
    assert_eq!(to_distribution(&[3.0, 0.0, 1.0]), [1.0, 0.0, 0.0]);
    let near = to_distribution(&[0.6, 0.8, -1.0]);
    assert!(near.iter().zip([0.4, 0.6, 0.0]).all(|(one, other)| (one - other).abs() < 1e-12), "{near:?}");
}

#[test]
fn clusters_have_prototypes_and_empty_ones_are_dropped() {
    let mut random = Random::of(2, 0, 0);
    // Three directions with little noise.
    let axes = [[1.0f32, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let points: Vec<Vec<f32>> = (0..90)
        .map(|row| axes[row % 3].iter().map(|value| value + 0.1 * (random.unit() - 0.5) as f32).collect())
        .collect();
    let (found, used) = lowest(&points, 12, 0.8, 30, &mut random);
    let near = |prototype: &[f32], axis: usize| prototype[axis] > 0.9;
    let used_ones: Vec<&Vec<f32>> =
        found.iter().zip(&used).filter(|(_, used)| **used).map(|pair| pair.0).collect();
    for axis in 0..3 {
        assert!(used_ones.iter().any(|prototype| near(prototype, axis)), "axis {axis}: {used_ones:?}");
    }
    let (_, is_parent, parents) = above(&found, &used, 6, 0.9, &mut random);
    let children = (0..12).filter(|&place| used[place]);
    assert!(children.clone().all(|place| is_parent[parents[place]]));
    // Fewer points than prototypes leave some unused.
    let (found, used) = lowest(&points[..3].to_vec(), 5, 0.9, 2, &mut random);
    assert_eq!((found.len(), used.iter().filter(|used| **used).count()), (5, 3));
}

#[test]
fn lists_number_atoms_over_all_graphs() {
    let list = GraphList::new(&[graph("CCO"), graph("C"), graph("CN")]);
    assert_eq!((list.len(), list.first_atom(2), list.bonds()), (3, 4, vec![[0, 1], [1, 2], [4, 5]]));
    assert_eq!(list.segments().lengths().collect::<Vec<_>>(), [3, 1, 2]);
    let atoms = list.batch_of_atoms().unwrap();
    assert_eq!((atoms.molecules(), atoms.atoms()), (6, 6));
    assert_eq!(atoms.neighbours().degrees().collect::<Vec<_>>(), [1, 2, 1, 0, 1, 1]);
}
