//! Descriptors of the graph alone: connectivity, shape, distances, complexity.

use std::collections::HashMap;

use chematic_core::BondOrder;

use super::skeleton::{Skeleton, outer_electrons};

/// `RDKit`'s distance between atoms that no path joins.
const APART: f64 = 1e8;
/// Number of an atom's distances that determine its symmetry class (`BertzCT`'s `cutoff`).
const CLASS_DISTANCES: usize = 100;

/// Sums over the paths of a graph, one entry per path length in bonds (entries 0 and 1 are unused).
#[derive(Default)]
struct PathSums {
    /// Number of paths.
    count: [f64; 5],
    /// Products of the atoms' simple terms.
    simple: [f64; 5],
    /// Products of the atoms' valence terms.
    valence: [f64; 5],
}

/// Chi0, Chi0n, Chi0v, Chi1, Chi1n, Chi1v, Chi2n, Chi2v, Chi3n, Chi3v, Chi4n, Chi4v (Hall and Kier 1991) and the
/// numbers of paths of two and three bonds.
pub(super) fn connectivity(skeleton: &Skeleton) -> ([f64; 12], [f64; 2]) {
    let terms = connectivity_terms(skeleton);
    let mut sums = PathSums::default();
    let mut path = Vec::with_capacity(5);
    for start in (0..skeleton.atoms()).filter(|atom| skeleton.elements[*atom] != 1) {
        path.push(start);
        extend_path(skeleton, &terms, &mut path, [1.0, terms[start][0], terms[start][1]], &mut sums);
        path.pop();
    }
    let inverse_root = |product: usize| if product == 0 { 0.0 } else { (1.0 / product as f64).sqrt() };
    let degree = |atom: usize| skeleton.degree(atom);
    let over_atoms = |kind: usize| terms.iter().map(|term| term[kind]).sum::<f64>();
    let over_bonds =
        |kind: usize| skeleton.bonds.iter().map(|[a, b]| terms[*a][kind] * terms[*b][kind]).sum::<f64>();
    let chi0 = (0..skeleton.atoms()).map(|atom| inverse_root(degree(atom))).sum();
    let chi1 = skeleton.bonds.iter().map(|[a, b]| inverse_root(degree(*a) * degree(*b))).sum();
    let PathSums { count, simple, valence } = sums;
    let chi = [
        chi0,
        over_atoms(0),
        over_atoms(1),
        chi1,
        over_bonds(0),
        over_bonds(1),
        simple[2],
        valence[2],
        simple[3],
        valence[3],
        simple[4],
        valence[4],
    ];
    (chi, [count[2], count[3]])
}

/// `[atoms]`: an atom's terms in the simple and the valence indices, each the inverse square root of its delta (0 for a
/// delta of 0).
fn connectivity_terms(skeleton: &Skeleton) -> Vec<[f64; 2]> {
    let term = |delta: f64| if delta == 0.0 { 0.0 } else { 1.0 / delta.sqrt() };
    let of_atom = |atom: usize| {
        let element = skeleton.elements[atom];
        let outer = outer_electrons(element);
        let simple = f64::from(outer) - f64::from(skeleton.hydrogens[atom]);
        let valence = match element {
            0 | 1 => 0.0,
            2..=10 => simple,
            _ => simple / (f64::from(element) - f64::from(outer) - 1.0),
        };
        [term(simple), term(valence)]
    };
    (0..skeleton.atoms()).map(of_atom).collect()
}

/// Adds all paths of two to four bonds that extend `path`.
///
/// As in `RDKit`, the last step may return to the path. A ring then counts as one path that holds its first atom once,
/// and so does a ring with a tail, which holds the atom between them twice. A path without a ring is found from both
/// ends, a ring of n atoms 2n times.
fn extend_path(
    skeleton: &Skeleton,
    terms: &[[f64; 2]],
    path: &mut Vec<usize>,
    product: [f64; 3],
    sums: &mut PathSums,
) {
    let bonds = path.len();
    let mut add = |product: [f64; 3], times: usize| {
        let share = 1.0 / times as f64;
        sums.count[bonds] += product[0] * share;
        sums.simple[bonds] += product[1] * share;
        sums.valence[bonds] += product[2] * share;
    };
    let last = path[bonds - 1];
    let mut onward = Vec::new();
    for (next, _) in &skeleton.neighbours[last] {
        if skeleton.elements[*next] == 1 {
            continue;
        }
        let longer = [product[0], product[1] * terms[*next][0], product[2] * terms[*next][1]];
        match path.iter().position(|atom| atom == next) {
            None => {
                if bonds >= 2 {
                    add(longer, 2);
                }
                onward.push((*next, longer));
            }
            Some(0) if bonds >= 3 => add(product, 2 * bonds),
            Some(place) if place > 0 && place + 2 < bonds => add(longer, 2),
            Some(_) => {}
        }
    }
    if bonds < 4 {
        for (next, longer) in onward {
            path.push(next);
            extend_path(skeleton, terms, path, longer, sums);
            path.pop();
        }
    }
}

/// Kappa1, Kappa2, Kappa3 (Hall and Kier 1991) of the heavy atoms, the bonds and the paths of two and three bonds.
pub(super) fn kappa(skeleton: &Skeleton, alpha: f64, paths: [f64; 2]) -> [f64; 3] {
    let heavy = skeleton.heavy_atoms();
    let atoms = heavy as f64 + alpha;
    let ratio = |numerator: f64, paths: f64| {
        let root = paths + alpha;
        if root == 0.0 { 0.0 } else { numerator / (root * root) }
    };
    let first = if heavy % 2 == 1 { 1.0 } else { 2.0 };
    [
        ratio(atoms * (atoms - 1.0).powi(2), skeleton.bonds.len() as f64),
        ratio((atoms - 1.0) * (atoms - 2.0).powi(2), paths[0]),
        ratio((atoms - first) * (atoms - 3.0).powi(2), paths[1]),
    ]
}

/// Number of single bonds that a bond counts as.
fn order_number(order: BondOrder) -> f64 {
    match order {
        BondOrder::Aromatic => 1.5,
        BondOrder::Double => 2.0,
        BondOrder::Triple => 3.0,
        BondOrder::Quadruple => 4.0,
        _ => 1.0,
    }
}

/// `[atoms, atoms]`: lengths of the shortest paths, where the length of a bond is the inverse of its order.
pub(super) fn bond_order_distances(skeleton: &Skeleton) -> Vec<f64> {
    let atoms = skeleton.atoms();
    let mut distances = vec![APART; atoms * atoms];
    for atom in 0..atoms {
        distances[atom * atoms + atom] = 0.0;
    }
    for ([begin, end], order) in skeleton.bonds.iter().zip(&skeleton.orders) {
        let length = 1.0 / order_number(*order);
        distances[begin * atoms + end] = length;
        distances[end * atoms + begin] = length;
    }
    for middle in 0..atoms {
        let onward = distances[middle * atoms..][..atoms].to_vec();
        for row in distances.chunks_exact_mut(atoms) {
            let to_middle = row[middle];
            if to_middle < APART {
                row.iter_mut().zip(&onward).for_each(|(length, rest)| *length = length.min(to_middle + rest));
            }
        }
    }
    distances
}

/// Balaban's J (Balaban 1982) from the bond-order distances.
pub(super) fn balaban(skeleton: &Skeleton, distances: &[f64]) -> f64 {
    let (atoms, bonds) = (skeleton.atoms(), skeleton.bonds.len());
    // The number of independent rings plus 1.
    let rings = bonds as f64 - atoms as f64 + 2.0;
    if rings == 0.0 || atoms == 0 {
        return 0.0;
    }
    let sums: Vec<f64> = distances.chunks_exact(atoms).map(|row| row.iter().sum()).collect();
    let terms = skeleton.bonds.iter().map(|[begin, end]| 1.0 / (sums[*begin] * sums[*end]).sqrt());
    bonds as f64 / rings * terms.sum::<f64>()
}

/// Bertz's complexity (Bertz 1981) from the bond-order distances: the information in the kinds of adjacent pairs of
/// bonds and in the kinds of atoms.
pub(super) fn bertz(skeleton: &Skeleton, distances: &[f64]) -> f64 {
    let atoms = skeleton.atoms();
    if atoms < 2 {
        return 0.0;
    }
    let classes = symmetry_classes(atoms, distances);
    let order = |bond: usize| order_number(skeleton.orders[bond]);
    // Keys are the outer classes and, for adjacent bonds, the class of the atom between them plus 1.
    let mut connections: HashMap<[usize; 3], f64> = HashMap::new();
    for atom in 0..atoms {
        let around = &skeleton.neighbours[atom];
        for (index, (one, bond)) in around.iter().enumerate() {
            let first = order(*bond);
            if first > 1.0 && *one > atom {
                let (low, high) = ordered(classes[atom], classes[*one]);
                *connections.entry([low, high, 0]).or_default() += first * (first - 1.0) / 2.0;
            }
            for (other, bond) in &around[index + 1..] {
                let (low, high) = ordered(classes[*one], classes[*other]);
                *connections.entry([low, high, classes[atom] + 1]).or_default() += first * order(*bond);
            }
        }
    }
    let mut kinds: Vec<f64> = connections.into_values().collect();
    kinds.sort_by(f64::total_cmp);
    let total = if kinds.is_empty() { 1.0 } else { kinds.iter().sum::<f64>() };
    let mut elements = HashMap::new();
    skeleton.elements.iter().for_each(|element| *elements.entry(*element).or_insert(0.0) += 1.0);
    let mut elements: Vec<f64> = elements.into_values().collect();
    elements.sort_by(f64::total_cmp);
    total * (entropy(&kinds) + total.log2()) + atoms as f64 * entropy(&elements)
}

fn ordered(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

/// `[atoms]`: numbers of the symmetry classes. Atoms share a class if their sorted distances agree to four decimals.
fn symmetry_classes(atoms: usize, distances: &[f64]) -> Vec<usize> {
    let mut seen = HashMap::new();
    let class = |row: &[f64]| {
        let mut key: Vec<i64> = row.iter().map(|length| (length * 1e4).round() as i64).collect();
        key.sort_unstable();
        key.truncate(CLASS_DISTANCES);
        let next = seen.len();
        *seen.entry(key).or_insert(next)
    };
    distances.chunks_exact(atoms).map(class).collect()
}

/// Shannon entropy in bits of a distribution given by its weights.
fn entropy(weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    let shares = weights.iter().map(|weight| weight / total).filter(|share| *share > 0.0);
    -shares.map(|share| share * share.log2()).sum::<f64>()
}

/// `AvgIpc` (Bonchev and Trinajstic 1977): the entropy of the coefficients of the graph's characteristic polynomial, by
/// Le Verrier's recursion in Frame's form.
pub(super) fn polynomial_information(skeleton: &Skeleton) -> f64 {
    let atoms = skeleton.atoms();
    let mut coefficients = vec![1.0];
    let mut power = vec![0.0; atoms * atoms];
    for [begin, end] in &skeleton.bonds {
        power[begin * atoms + end] = 1.0;
        power[end * atoms + begin] = 1.0;
    }
    for step in 1..=atoms {
        let diagonal: Vec<f64> = power.iter().step_by(atoms + 1).copied().collect();
        let coefficient = 1.0 / step as f64 * sum_in_lanes(&diagonal);
        coefficients.push(coefficient.abs());
        power.iter_mut().step_by(atoms + 1).for_each(|diagonal| *diagonal -= coefficient);
        let mut next = vec![0.0; atoms * atoms];
        for (row, around) in next.chunks_exact_mut(atoms).zip(&skeleton.neighbours) {
            for (other, _) in around {
                row.iter_mut().zip(&power[other * atoms..]).for_each(|(sum, term)| *sum += term);
            }
        }
        power = next;
    }
    entropy(&coefficients)
}

/// The sum in `NumPy`'s order. The recursion loses digits in large molecules, and the order of addition determines
/// which.
fn sum_in_lanes(values: &[f64]) -> f64 {
    if values.len() > 128 {
        let half = values.len() / 2;
        let (first, second) = values.split_at(half - half % 8);
        return sum_in_lanes(first) + sum_in_lanes(second);
    }
    let (eights, rest) = values.as_chunks::<8>();
    let Some((first, others)) = eights.split_first() else {
        return rest.iter().sum();
    };
    let mut lanes = *first;
    for eight in others {
        lanes.iter_mut().zip(eight).for_each(|(lane, value)| *lane += value);
    }
    let pairs: Vec<f64> = lanes.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
    let whole = (pairs[0] + pairs[1]) + (pairs[2] + pairs[3]);
    rest.iter().fold(whole, |sum, value| sum + value)
}
