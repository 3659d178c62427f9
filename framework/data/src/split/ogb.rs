//! The scaffold split of Open Graph Benchmark and `DeepChem`.

use std::cmp::Reverse;

/// See [`super::Protocol::Ogb`].
pub(super) fn split(mut groups: Vec<Vec<usize>>) -> [Vec<usize>; 3] {
    let count = groups.iter().map(Vec::len).sum::<usize>() as f64;
    groups.sort_by_key(|group| Reverse((group.len(), group[0])));
    let [mut train, mut valid, mut test] = [const { Vec::new() }; 3];
    for group in groups {
        let part = if (train.len() + group.len()) as f64 <= 0.8 * count {
            &mut train
        } else if (train.len() + valid.len() + group.len()) as f64 <= 0.9 * count {
            &mut valid
        } else {
            &mut test
        };
        part.extend(group);
    }
    [train, valid, test]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_groups_come_first_and_later_ones_win_ties() {
        // Ten molecules: sizes 4, 2, 2, 1, 1. In order of handling: [0..4], [6, 7], [4, 5], [9], [8].
        let groups = vec![vec![0, 1, 2, 3], vec![4, 5], vec![6, 7], vec![8], vec![9]];
        assert_eq!(split(groups), [vec![0, 1, 2, 3, 6, 7, 4, 5], vec![9], vec![8]]);
    }

    #[test]
    fn a_group_that_fits_nowhere_goes_to_test() {
        assert_eq!(split(vec![vec![0, 1, 2]]), [vec![], vec![], vec![0, 1, 2]]);
    }
}
