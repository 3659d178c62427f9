use super::super::graph::NodeKind;
use super::*;
use rand_xoshiro::{
    SplitMix64,
    rand_core::{Rng, SeedableRng},
};

const SPEC: SimilaritySpec = SimilaritySpec {
    threshold: 0.5,
    sparsity: 0.0,
    molecules: Measure::Tanimoto,
    scaffold_stereo: false,
    components: 2,
    clusters: 1,
};

fn space(columns: usize, values: Vec<f32>) -> Space {
    let rows = values.len() / columns;
    Space {
        name: "x".to_owned(),
        kind: NodeKind::Expression,
        columns,
        names: Vec::new(),
        nodes: (0..rows as u64).collect(),
        values,
        bounds: vec![[0.0, 1.0]; columns],
        rows: (1..=rows as u64).collect(),
        batches: Vec::new(),
        batch_names: Vec::new(),
        cell_counts: Vec::new(),
    }
}

fn uniform(seed: u64, count: usize) -> Vec<f32> {
    let mut generator = SplitMix64::seed_from_u64(seed);
    (0..count).map(|_| (generator.next_u64() >> 40) as f32 / (1_u32 << 24) as f32).collect()
}

#[test]
fn molecules_are_compared_within_their_scaffold() {
    // Four common bits of six each: Tanimoto 4 / 8, cosine 4 / 6.
    let fingerprints = [0b0011_1111_u64, 0b1101_1111 & !1, 0b0011_1111];
    let groups = scaffold_groups(&[0, 0, 1], &fingerprints, 1);
    assert_eq!(groups.len(), 1, "a scaffold of one molecule has no pairs");
    let of = |spec: &SimilaritySpec| alike_molecules(&groups[0], &fingerprints, 1, spec);
    let common = (fingerprints[0] & fingerprints[1]).count_ones();
    let bits = [fingerprints[0].count_ones(), fingerprints[1].count_ones()];
    assert_eq!((common, bits), (4, [6, 6]));
    assert_eq!(of(&SPEC), [], "4 / 8 is not above 0.5");
    let spec = SimilaritySpec { threshold: 0.49, ..SPEC };
    assert_eq!(of(&spec), [Pair { similarity: 0.5, one: 0, other: 1 }]);
    let found = of(&SimilaritySpec { molecules: Measure::Cosine, ..SPEC });
    assert!((found[0].similarity - 4.0 / 6.0).abs() < 1e-6);
}

#[test]
fn skipping_by_the_number_of_bits_skips_no_pair() {
    let mut generator = SplitMix64::seed_from_u64(3);
    let fingerprints: Vec<u64> = (0..120)
        .map(|row| generator.next_u64() & if row % 3 == 0 { generator.next_u64() } else { !0xff00 })
        .collect();
    let groups = scaffold_groups(&[0; 120], &fingerprints, 1);
    for measure in [Measure::Tanimoto, Measure::Cosine] {
        let spec = SimilaritySpec { threshold: 0.45, molecules: measure, ..SPEC };
        let mut found: Vec<(u32, u32)> = (0..120)
            .flat_map(|place| alike_molecules(&groups[0][place..], &fingerprints, 1, &spec))
            .map(|pair| (pair.one, pair.other))
            .collect();
        found.sort_unstable();
        let mut expected = Vec::new();
        for (one, first) in fingerprints.iter().enumerate() {
            for (other, second) in fingerprints.iter().enumerate().skip(one + 1) {
                let common = f64::from((first & second).count_ones());
                let (a, b) = (f64::from(first.count_ones()), f64::from(second.count_ones()));
                let similarity = match measure {
                    Measure::Tanimoto => common / (a + b - common),
                    _ => common / (a * b).sqrt(),
                };
                if similarity > 0.45 {
                    expected.push((one as u32, other as u32));
                }
            }
        }
        assert!(expected.len() > 30, "{}", expected.len());
        assert_eq!(found, expected);
    }
}

#[test]
fn the_cosine_is_that_of_the_columns_that_both_have() {
    let mut values = uniform(5, 6 * 37);
    for missing in [3, 37 + 3, 37 + 20, 2 * 37 + 36] {
        values[missing] = f32::NAN;
    }
    let space = space(37, values);
    let standard = Standard::new(&space);
    let rows = Rows::new(&space, &standard, &[0, 1, 2, 3, 4, 5]);
    let mut standardised = vec![vec![0.0_f32; 37]; 6];
    standardised.iter_mut().enumerate().for_each(|(row, target)| standard.write(space.row(row), target));
    for one in 0..6 {
        for other in one + 1..6 {
            let shared = (0..37)
                .filter(|column| !space.row(one)[*column].is_nan() && !space.row(other)[*column].is_nan());
            let (mut product, mut first, mut second) = (0.0, 0.0, 0.0);
            for column in shared {
                let (a, b) = (f64::from(standardised[one][column]), f64::from(standardised[other][column]));
                (product, first, second) = (product + a * b, first + a * a, second + b * b);
            }
            let expected = product / (first * second).sqrt();
            let found = f64::from(rows.cosine(one, other).unwrap());
            assert!((found - expected).abs() < 1e-5, "{one} {other}: {found} {expected}");
        }
    }
}

#[test]
fn rows_without_a_common_column_are_not_alike() {
    let nan = f32::NAN;
    let space = space(2, vec![0.1, nan, nan, 0.9, 0.5, 0.2, 0.9, 0.4]);
    let rows = Rows::new(&space, &Standard::new(&space), &[0, 1, 2, 3]);
    assert_eq!(rows.cosine(0, 1), None);
    assert!(rows.cosine(2, 3).is_some());
}

#[test]
fn the_most_alike_pairs_stay_and_ties_go_by_number() {
    let spec = SimilaritySpec { sparsity: 0.8, ..SPEC };
    let pair = |similarity, one, other| Pair { similarity, one, other };
    // Five things have ten pairs: two may stay.
    let mut best = Best::new(5, &spec);
    assert_eq!(best.most, 2);
    best.extend(vec![pair(0.9, 1, 2), pair(0.6, 0, 3)]);
    best.extend(vec![pair(0.9, 0, 4), pair(0.9, 0, 1), pair(0.7, 2, 3)]);
    let mut edges = Vec::new();
    best.finish(&mut edges, |node| u64::from(node) + 10);
    let mut ends: Vec<_> = edges.iter().map(|edge| (edge.source, edge.target, edge.weight)).collect();
    ends.sort_by_key(|edge| (edge.0, edge.1));
    assert_eq!(ends, [(10, 11, 0.9), (10, 14, 0.9)]);
    assert_eq!(Best::new(1, &spec).most, 0);
    assert_eq!(Best::new(0, &spec).most, 0);
}

#[test]
fn pruning_on_the_way_changes_nothing() {
    let values = uniform(11, 3 * (SLACK + 10));
    let pairs = |from: usize, to: usize| -> Vec<Pair> {
        (from..to).map(|n| Pair { similarity: values[n], one: n as u32, other: n as u32 + 1 }).collect()
    };
    let spec = SimilaritySpec { sparsity: 0.9, ..SPEC };
    let (mut once, mut often) = (Best::new(300, &spec), Best::new(300, &spec));
    once.pairs = pairs(0, values.len());
    (0..values.len()).step_by(99_991).for_each(|n| often.extend(pairs(n, (n + 99_991).min(values.len()))));
    let sorted = |best: Best| {
        let mut edges = Vec::new();
        best.finish(&mut edges, u64::from);
        edges.sort_by_key(|edge| edge.source);
        edges
    };
    let once = sorted(once);
    assert_eq!(once.len(), 4485);
    assert_eq!(once, sorted(often));
}
