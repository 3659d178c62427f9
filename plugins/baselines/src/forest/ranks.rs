//! The ranks that occur in a node, in increasing order.

use super::{columns::Ranked, sample::Sample, target::Stat};

/// Ranks are sorted if a node has fewer than one row per this many words of rank bits; otherwise all words are scanned.
const WORDS_PER_ROW: usize = 4;

/// Sums the statistics of a node's rows by rank.
#[derive(Clone, Debug, Default)]
pub(crate) struct RankTally {
    /// One bit per rank that occurs; zero between calls.
    words: Vec<u64>,
    /// Statistic of each rank; zero between calls.
    sums: Vec<Stat>,
    present: Vec<(u32, Stat)>,
}

impl RankTally {
    /// Makes room for columns of up to `ranks` values.
    pub(crate) fn resize(&mut self, ranks: usize) {
        self.words.resize(ranks.div_ceil(64), 0);
        self.sums.resize(ranks, 0);
    }

    /// The ranks of the samples in increasing order, each with the statistic of its rows.
    pub(crate) fn tally(&mut self, samples: &[Sample], column: &Ranked) -> &[(u32, Stat)] {
        self.present.clear();
        let words = column.values.len().div_ceil(64);
        if words > WORDS_PER_ROW * samples.len() {
            self.sort(samples, column);
        } else {
            self.scatter(samples, column, words);
        }
        &self.present
    }

    fn sort(&mut self, samples: &[Sample], column: &Ranked) {
        self.present.extend(samples.iter().map(|sample| (column.ranks[sample.row as usize], sample.stat)));
        self.present.sort_unstable_by_key(|&(rank, _)| rank);
        self.present.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
    }

    fn scatter(&mut self, samples: &[Sample], column: &Ranked, words: usize) {
        for sample in samples {
            let rank = column.ranks[sample.row as usize] as usize;
            self.words[rank / 64] |= 1 << (rank % 64);
            self.sums[rank] += sample.stat;
        }
        for (position, word) in self.words[..words].iter_mut().enumerate() {
            let mut rest = std::mem::take(word);
            while rest != 0 {
                let rank = position * 64 + rest.trailing_zeros() as usize;
                self.present.push((rank as u32, std::mem::take(&mut self.sums[rank])));
                rest &= rest - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_and_scattering_agree() {
        let ranks: Vec<u32> = (0..300).map(|row| row * 7919 % 1000 / 3).collect();
        let column = Ranked { values: (0..334).map(|value| value as f32).collect(), ranks };
        let samples: Vec<Sample> =
            (0..300).map(|row| Sample { row, code: 0, stat: u64::from(row) + 1 }).collect();
        let mut tally = RankTally::default();
        tally.resize(334);
        for samples in [&samples[..], &samples[40..41], &samples[100..120]] {
            tally.present.clear();
            tally.sort(samples, &column);
            let sorted = tally.present.clone();
            assert!(sorted.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let total: Stat = samples.iter().map(|sample| sample.stat).sum();
            assert_eq!(sorted.iter().map(|&(_, stat)| stat).sum::<Stat>(), total);
            tally.present.clear();
            tally.scatter(samples, &column, 6);
            assert_eq!(tally.present, sorted);
            assert_eq!(tally.tally(samples, &column), sorted);
        }
        assert!(tally.words.iter().all(|&word| word == 0) && tally.sums.iter().all(|&sum| sum == 0));
    }
}
