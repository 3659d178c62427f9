//! The metrics by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::average_precision::average_precision;
use crate::mae::mae;
use crate::r2::r2;
use crate::rmse::rmse;
use crate::roc_auc::roc_auc;
use crate::spearman::spearman;

/// A score of one task: labels against predictions.
///
/// Its name in manifests, suites, records and on the command line is the one that [`Metric::name`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Area under the ROC curve, in `[0, 1]`: the probability that a positive is predicted above a negative, ties
    /// counting one half. Undefined unless both classes are present.
    RocAuc,
    /// Average precision, in `(0, 1]`: precision at each threshold weighted by the rise in recall, not interpolated
    /// (scikit-learn's definition). Undefined unless both classes are present.
    AveragePrecision,
    /// Mean absolute error, in the labels' unit.
    Mae,
    /// Root mean squared error, in the labels' unit.
    Rmse,
    /// Coefficient of determination, at most 1. Undefined when all labels are equal.
    R2,
    /// Spearman's rank correlation, in `[-1, 1]`, ties by midranks. Undefined when all labels or all predictions are
    /// equal.
    Spearman,
}

/// No metric has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown metric `{0}`: expected roc_auc, average_precision, mae, rmse, r2 or spearman")]
pub struct UnknownMetric(pub String);

impl Metric {
    /// Every metric, in the order of declaration.
    pub const ALL: [Self; 6] =
        [Self::RocAuc, Self::AveragePrecision, Self::Mae, Self::Rmse, Self::R2, Self::Spearman];

    /// The name in files and on the command line: `roc_auc`, `average_precision`, `mae`, `rmse`, `r2`, `spearman`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RocAuc => "roc_auc",
            Self::AveragePrecision => "average_precision",
            Self::Mae => "mae",
            Self::Rmse => "rmse",
            Self::R2 => "r2",
            Self::Spearman => "spearman",
        }
    }

    /// Whether a greater value is a better one: true for all but [`Metric::Mae`] and [`Metric::Rmse`].
    pub const fn higher_is_better(self) -> bool {
        !matches!(self, Self::Mae | Self::Rmse)
    }

    /// Whether the labels are classes, 0 or 1: [`Metric::RocAuc`] and [`Metric::AveragePrecision`].
    pub const fn is_classification(self) -> bool {
        matches!(self, Self::RocAuc | Self::AveragePrecision)
    }

    /// The score of one task. Row i of `labels` and of `predictions` is the same molecule.
    ///
    /// `None` where the metric is undefined (see the variants), where there are no rows, where a value is not finite,
    /// and where a classification metric meets a label other than 0 or 1. The caller leaves out rows with no label
    /// and guarantees finite predictions; [`score_tasks`](crate::score_tasks) does both for a whole table.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn compute(self, labels: &[f32], predictions: &[f32]) -> Option<f64> {
        assert_eq!(labels.len(), predictions.len(), "labels and predictions differ in length");
        if labels.is_empty() || !labels.iter().chain(predictions).all(|value| value.is_finite()) {
            return None;
        }
        match self {
            Self::RocAuc => roc_auc(labels, predictions),
            Self::AveragePrecision => average_precision(labels, predictions),
            Self::Mae => Some(mae(labels, predictions)),
            Self::Rmse => Some(rmse(labels, predictions)),
            Self::R2 => r2(labels, predictions),
            Self::Spearman => spearman(labels, predictions),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.name() == name)
            .ok_or_else(|| UnknownMetric(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_display_from_str_and_serde() {
        for metric in Metric::ALL {
            let name = metric.to_string();
            assert_eq!(name.parse(), Ok(metric));
            assert_eq!(serde_json::to_value(metric).unwrap(), name);
            assert_eq!(serde_json::from_value::<Metric>(name.into()).unwrap(), metric);
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_every_name() {
        let message = "ROC-AUC".parse::<Metric>().unwrap_err().to_string();
        assert!(message.contains("`ROC-AUC`"));
        for metric in Metric::ALL {
            assert!(message.contains(metric.name()), "{metric} is missing from: {message}");
        }
    }

    #[test]
    fn only_errors_are_better_when_lower() {
        let lower: Vec<_> = Metric::ALL.into_iter().filter(|metric| !metric.higher_is_better()).collect();
        assert_eq!(lower, [Metric::Mae, Metric::Rmse]);
    }

    #[test]
    fn nothing_is_defined_on_no_rows_or_on_values_that_are_not_finite() {
        for metric in Metric::ALL {
            assert_eq!(metric.compute(&[], &[]), None);
            assert_eq!(metric.compute(&[0.0, 1.0, 1.0], &[0.1, f32::NAN, 0.3]), None);
            assert_eq!(metric.compute(&[0.0, 1.0, 1.0], &[0.1, f32::INFINITY, 0.3]), None);
            assert_eq!(metric.compute(&[0.0, f32::NAN, 1.0], &[0.1, 0.2, 0.3]), None);
        }
    }

    #[test]
    #[should_panic(expected = "differ in length")]
    fn lengths_must_agree() {
        Metric::Mae.compute(&[1.0, 2.0], &[1.0]);
    }
}
