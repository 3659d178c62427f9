//! Molecules at random.

use super::generator::{shuffle, upper_halves};

/// See [`super::Protocol::Random`].
pub(super) fn split(count: usize, seed: u64) -> [Vec<usize>; 3] {
    let mut test: Vec<usize> = (0..count).collect();
    shuffle(&mut test, upper_halves(seed));
    let tenth = (count / 10).max(1);
    let mut valid = test.split_off(tenth.min(test.len()));
    let train = valid.split_off(tenth.min(valid.len()));
    [train, valid, test]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_their_shares() {
        assert_eq!(split(105, 0).map(|part| part.len()), [85, 10, 10]);
        assert_eq!(split(3, 0).map(|part| part.len()), [1, 1, 1]);
        assert_eq!(split(0, 0).map(|part| part.len()), [0, 0, 0]);
        assert_ne!(split(105, 0), split(105, 1));
    }
}
