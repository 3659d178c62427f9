//! Scores of a task's predictions, and the statistics that boards are made of.
//!
//! Pure functions: no files, no clock, no threads, and no randomness beyond the seed that [`statistics::Bootstrap`] is
//! given. Every sum is accumulated in `f64`, in the order of the input, with no operation beyond those that IEEE 754
//! rounds exactly (`+ - * / sqrt`), so the same stored predictions give the same scores, to the byte, on every machine;
//! the logarithm of [`ndcg_at`] alone may differ in its last bit, and so may p values and intervals of [`statistics`].
//!
//! **A task is undefined (`None`) because of its labels, never because of its predictions.** An undefined
//! task is left out of the mean, so a method that could make a task undefined could drop the tasks it is bad
//! at. See [`score_tasks`] for how this is ensured.
//!
//! ```
//! use molarena_metrics::{Metric, Scoring, mean_defined, score_tasks};
//!
//! // Three molecules, two tasks; the third molecule has no label for the first task.
//! let labels = [0.0, 1.0, /**/ 1.0, 0.0, /**/ f32::NAN, 1.0];
//! let predictions = [0.2, 0.9, /**/ 0.7, 0.4, /**/ 0.1, 0.3];
//! let scores = score_tasks(Metric::RocAuc, Scoring::Probability, &labels, &predictions, 2);
//! assert_eq!(scores, [Some(1.0), Some(0.5)]);
//! assert_eq!(mean_defined(&scores), Some(0.75));
//! ```

mod classes;
mod description;
mod metric;
mod metrics;
mod names;
mod ranking;
mod ranks;
mod scoring;
mod squares;
pub mod statistics;
mod summary;
mod tasks;
mod threshold_share;

pub use description::{Description, MetricKind};
pub use metric::{Metric, UnknownMetric};
pub use ranking::{hit_at, ndcg_at, reciprocal_rank, relevant_ranks};
pub use scoring::{Scoring, UnknownScoring};
pub use summary::{mean_and_std, mean_defined};
pub use tasks::score_tasks;
pub use threshold_share::{AUC_THRESHOLDS, threshold_share};
