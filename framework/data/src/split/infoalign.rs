//! The split of the `InfoAlign` paper.

use super::generator::{MersenneTwister, shuffle};

/// The seed fixed in the paper's code; its ten runs differ only in the method's seed.
const SEED: u32 = 3;

/// See [`super::Protocol::Infoalign`].
pub(super) fn split(mut groups: Vec<Vec<usize>>) -> [Vec<usize>; 3] {
    let mut generator = MersenneTwister::new(SEED);
    shuffle(&mut groups, || generator.next_u32());
    let mut train = groups.concat();
    let count = train.len() as f64;
    let mut valid = train.split_off((0.6 * count) as usize);
    let test = valid.split_off(((0.15 * count) as usize).min(valid.len()));
    [train, valid, test]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_may_go_through_a_group() {
        let [train, valid, test] = split(vec![(0..20).collect()]);
        assert_eq!((train.len(), valid.len(), test.len()), (12, 3, 5));
    }
}
