//! The arena's own leak-free default.

use super::generator::{shuffle, upper_halves};

type Group = Vec<usize>;

/// See [`super::Protocol::Scaffold`].
pub(super) fn split(mut groups: Vec<Group>, seed: u64) -> [Vec<usize>; 3] {
    shuffle(&mut groups, upper_halves(seed));
    let most = (groups.iter().map(Vec::len).sum::<usize>() / 10).max(1);
    let [mut train, mut valid, mut test] = [const { Vec::<Group>::new() }; 3];
    for group in groups {
        let fits = |part: &[Group]| 2 * group.len() <= most && molecules(part) + group.len() <= most;
        let part = if fits(&test) {
            &mut test
        } else if fits(&valid) {
            &mut valid
        } else {
            &mut train
        };
        part.push(group);
    }
    for part in [&mut test, &mut valid] {
        if part.is_empty() && train.len() > 1 {
            part.push(take_smallest(&mut train));
        }
    }
    [train, valid, test].map(|part| part.concat())
}

fn molecules(part: &[Group]) -> usize {
    part.iter().map(Vec::len).sum()
}

/// Removes the smallest group, the last one among equals.
fn take_smallest(groups: &mut Vec<Group>) -> Group {
    let (_, smallest) = groups
        .iter()
        .enumerate()
        .rev()
        .map(|(index, group)| (group.len(), index))
        .min_by_key(|&(size, _)| size)
        .unwrap_or_default();
    groups.remove(smallest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_last_of_the_smallest() {
        let mut groups = vec![vec![0], vec![1, 2], vec![3], vec![4, 5]];
        assert_eq!(take_smallest(&mut groups), [3]);
        assert_eq!(groups, [vec![0], vec![1, 2], vec![4, 5]]);
    }

    #[test]
    fn a_group_above_half_a_part_goes_to_train() {
        // Forty molecules, so that test and valid hold four: a group of three is too large for either.
        let mut groups = vec![vec![0, 1, 2]];
        groups.extend((3..40).map(|molecule| vec![molecule]));
        for seed in 0..20 {
            let [train, valid, test] = split(groups.clone(), seed);
            assert!(train.contains(&0), "seed {seed}");
            assert_eq!((valid.len(), test.len()), (4, 4));
        }
    }
}
