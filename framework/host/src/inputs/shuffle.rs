//! Shuffled labels: a method that learns from them must score at chance level, or labels leak.

use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

/// Permutes the labels of each task among the molecules that have one. `labels` is `f32[n, tasks]`, NaN where missing.
pub(crate) fn shuffle_labels(labels: &mut [f32], tasks: usize, seed: u64) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    for task in 0..tasks {
        let mut places: Vec<usize> = (task..labels.len()).step_by(tasks).collect();
        places.retain(|&place| !labels[place].is_nan());
        // Fisher-Yates shuffle; the modulo bias is below 2^-40 for any dataset.
        for last in (1..places.len()).rev() {
            let other = (random.next_u64() % (last as u64 + 1)) as usize;
            labels.swap(places[last], places[other]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_task_keeps_its_labels_and_its_gaps() {
        let nan = f32::NAN;
        let before: Vec<f32> =
            (0..200).flat_map(|i| [i as f32, if i % 3 == 0 { nan } else { -(i as f32) }]).collect();
        let mut after = before.clone();
        shuffle_labels(&mut after, 2, 7);
        for task in 0..2 {
            let column = |labels: &[f32]| labels.iter().skip(task).step_by(2).copied().collect::<Vec<_>>();
            let (mut old, mut new) = (column(&before), column(&after));
            assert!(old.iter().zip(&new).all(|(a, b)| a.is_nan() == b.is_nan()));
            assert_ne!(format!("{old:?}"), format!("{new:?}"));
            old.sort_by(f32::total_cmp);
            new.sort_by(f32::total_cmp);
            assert_eq!(format!("{old:?}"), format!("{new:?}"));
        }
        let mut again = before.clone();
        shuffle_labels(&mut again, 2, 7);
        assert_eq!(format!("{again:?}"), format!("{after:?}"));
    }
}
