//! Uncertainty of scores, and tests of the differences between the rows of a board.
//!
//! Pure functions of their arguments: what is drawn at random comes from an explicit seed. Distribution functions need
//! logarithms and exponentials, so p values and intervals may differ between machines in their last bits.
//!
//! - One score: [`Bootstrap`] over molecules and seeds with [`percentile_interval`] and [`bca_interval`];
//!   [`DeLong`] for one area under the ROC curve.
//! - Two rows: [`paired_difference`] from shared resamples, [`delong_difference`], and over tasks [`wilcoxon`],
//!   [`paired_t`], [`cohens_d`], [`win_tie_loss`]; [`holm`] corrects for many pairs.
//! - One row against all others: [`dunnett_blocks`] over tasks, [`against_reference`] from shared resamples.
//! - All rows: [`friedman`] and then [`nemenyi`]; [`tukey_blocks`]; [`separated_pairs`] and then [`tie_bands`];
//!   [`rank_intervals`].
//! - What would be needed: [`VarianceComponents`], [`smallest_detectable_difference`], [`ranking_reliability`].
//!
//! A row against itself has a difference of exactly 0 and a p value of 1 everywhere.

mod blocks;
mod bootstrap;
mod delong;
mod distributions;
mod dunnett;
mod friedman;
mod holm;
mod interval;
mod nemenyi;
mod power;
mod quadrature;
mod separated;
mod studentized_range;
mod t;
mod tie_groups;
mod tukey;
mod wilcoxon;
mod win_tie_loss;

pub use bootstrap::{
    Bootstrap, PairedDifference, Replicates, bca_interval, paired_difference, percentile_interval,
};
pub use delong::{DeLong, DeLongDifference, delong, delong_difference};
pub use dunnett::{DunnettComparison, dunnett_blocks, dunnett_cdf, dunnett_groups};
pub use friedman::{Friedman, average_ranks, friedman};
pub use holm::holm;
pub use interval::Interval;
pub use nemenyi::{nemenyi, nemenyi_critical_difference};
pub use power::{
    Design, Needed, VarianceComponents, ranking_reliability, smallest_detectable_difference, spearman_brown,
    spearman_brown_factor,
};
pub use separated::{AgainstReference, against_reference, separated_pairs};
pub use studentized_range::{studentized_range_cdf, studentized_range_quantile, studentized_range_sf};
pub use t::{PairedT, cohens_d, paired_t};
pub use tie_groups::{RankInterval, compact_letters, rank_intervals, tie_bands};
pub use tukey::{Tukey, TukeyComparison, honestly_significant_difference, tukey_blocks, tukey_groups};
pub use wilcoxon::{Wilcoxon, wilcoxon};
pub use win_tie_loss::{WinTieLoss, win_tie_loss};
