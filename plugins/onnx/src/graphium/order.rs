//! An order of atoms that does not depend on how the molecule was written.

use super::Molecule;

/// The atoms in an order that depends on the graph only, up to its symmetries.
///
/// Atoms are told apart by their features and, round by round, by the atoms around them (Weisfeiler and Leman 1968). Where all
/// rounds leave atoms alike, one of them comes first and the rounds go on. Among atoms that look alike in this way and are not
/// exchanged by a symmetry, which no molecule of a test has shown, the order would depend on the spelling.
pub(super) fn canonical(molecule: &Molecule<'_>) -> Vec<usize> {
    let neighbours = molecule.neighbours();
    // But for the chirality, whose two values change places with the order of neighbours.
    let features: Vec<[i8; 8]> = molecule
        .atoms
        .iter()
        .map(|&[element, _, rest @ ..]| {
            let mut features = [element; 8];
            features[1..].copy_from_slice(&rest);
            features
        })
        .collect();
    let mut ranks = ranked(&features);
    loop {
        ranks = refined(molecule, &neighbours, ranks);
        let mut members = vec![0; ranks.len()];
        for &rank in &ranks {
            members[rank] += 1;
        }
        let Some(alike) = (0..ranks.len()).find(|&rank| members[rank] > 1) else {
            break;
        };
        // One of them stays at its rank, the others move behind it.
        let first = ranks.iter().position(|&rank| rank == alike).expect("it has members");
        for (atom, rank) in ranks.iter_mut().enumerate() {
            if *rank == alike && atom != first {
                *rank += 1;
            }
        }
    }
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    order.sort_by_key(|&atom| ranks[atom]);
    order
}

/// For each key, how many keys are smaller.
fn ranked<K: Ord>(keys: &[K]) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..keys.len()).collect();
    sorted.sort_by(|&one, &other| keys[one].cmp(&keys[other]));
    let mut ranks = vec![0; keys.len()];
    for (place, pair) in sorted.windows(2).enumerate() {
        let same = keys[pair[0]] == keys[pair[1]];
        ranks[pair[1]] = if same { ranks[pair[0]] } else { place + 1 };
    }
    ranks
}

fn refined(molecule: &Molecule<'_>, neighbours: &[Vec<(usize, usize)>], mut ranks: Vec<usize>) -> Vec<usize> {
    loop {
        let keys: Vec<_> = neighbours
            .iter()
            .zip(&ranks)
            .map(|(neighbours, &rank)| {
                let around = |&(atom, bond): &(usize, usize)| (ranks[atom], molecule.kinds[bond]);
                let mut around: Vec<_> = neighbours.iter().map(around).collect();
                around.sort_unstable();
                (rank, around)
            })
            .collect();
        let next = ranked(&keys);
        if next == ranks {
            return ranks;
        }
        ranks = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_does_not_depend_on_the_spelling() {
        // Propanol from either end, whose atoms differ in their hydrogens.
        let element = |number: i8, hydrogens: i8| [number, 0, 4, 5, hydrogens, 0, 2, 0, 0];
        let atoms = [element(5, 3), element(5, 2), element(5, 2), element(7, 1)];
        let kinds = [[0; 3]; 3];
        let one = Molecule { atoms: &atoms, bonds: &[[0, 1], [1, 2], [2, 3]], kinds: &kinds };
        let turned = [atoms[3], atoms[2], atoms[1], atoms[0]];
        let other = Molecule { atoms: &turned, bonds: &[[0, 1], [1, 2], [2, 3]], kinds: &kinds };
        let (order, turned) = (canonical(&one), canonical(&other));
        assert_eq!(order, turned.into_iter().map(|atom| 3 - atom).collect::<Vec<_>>());
        // The carbon beside the oxygen is not the one beside the methyl group.
        assert_eq!(order.len(), 4);
        assert!(order.iter().position(|&atom| atom == 1) != order.iter().position(|&atom| atom == 2));
    }

    #[test]
    fn atoms_that_a_symmetry_exchanges_follow_each_other() {
        let ring: Vec<[u32; 2]> = (0..6).map(|atom| [atom, (atom + 1) % 6]).collect();
        let molecule = Molecule { atoms: &[[5; 9]; 6], bonds: &ring, kinds: &[[3, 0, 1]; 6] };
        let mut order = canonical(&molecule);
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2, 3, 4, 5]);
        assert!(canonical(&Molecule { atoms: &[], bonds: &[], kinds: &[] }).is_empty());
    }
}
