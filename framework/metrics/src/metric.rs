//! The metrics by name: the one list through which everything else finds them.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::metrics::{
    average_precision, balanced_accuracy, brier, ece, kendall, mae, r2, rmse, roc_auc, spearman,
};
use crate::names::{closest, listed};
use crate::{Description, MetricKind};

/// A score of one task: labels against predictions.
///
/// Its name in manifests, suites, records and on the command line is the one that [`Metric::name`] gives.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(
    serialize_all = "snake_case",
    parse_err_ty = UnknownMetric,
    parse_err_fn = UnknownMetric::new
)]
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
    /// Mean of sensitivity and specificity, in `[0, 1]`, where a prediction above 0.5 is class 1. Undefined unless both
    /// classes are present.
    BalancedAccuracy,
    /// Mean squared difference between the predicted probability and the label, 0 for a perfect prediction.
    Brier,
    /// Expected calibration error, in `[0, 1]`: how far predicted probabilities are from the shares of positives, in 15
    /// bins of equal width.
    Ece,
    /// Kendall's rank correlation tau-b, in `[-1, 1]`. Undefined when all labels or all predictions are equal.
    Kendall,
}

impl Metric {
    /// Title, kind, direction and source of the metric.
    pub const fn description(self) -> &'static Description {
        match self {
            Self::RocAuc => &roc_auc::DESCRIPTION,
            Self::AveragePrecision => &average_precision::DESCRIPTION,
            Self::Mae => &mae::DESCRIPTION,
            Self::Rmse => &rmse::DESCRIPTION,
            Self::R2 => &r2::DESCRIPTION,
            Self::Spearman => &spearman::DESCRIPTION,
            Self::BalancedAccuracy => &balanced_accuracy::DESCRIPTION,
            Self::Brier => &brier::DESCRIPTION,
            Self::Ece => &ece::DESCRIPTION,
            Self::Kendall => &kendall::DESCRIPTION,
        }
    }

    /// Every metric, in the order of declaration.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in files and on the command line, such as `roc_auc`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether a greater value is a better one.
    pub const fn higher_is_better(self) -> bool {
        self.description().higher_is_better
    }

    /// Whether the labels are classes, 0 or 1.
    pub const fn is_classification(self) -> bool {
        matches!(self.description().kind, MetricKind::Classification)
    }

    /// The metrics of labels of this kind, in the order of declaration.
    pub fn of_kind(kind: MetricKind) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |metric| metric.description().kind == kind)
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
        (self.description().compute)(labels, predictions)
    }
}

/// No metric has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown metric `{0}`{hint}: expected {expected}", hint = suggestion(.0), expected = listed(Metric::ALL))]
pub struct UnknownMetric(pub String);

impl UnknownMetric {
    fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// A suggestion for an unknown name, by the metrics' names and abbreviations.
fn suggestion(name: &str) -> String {
    let spellings = Metric::ALL
        .iter()
        .flat_map(|metric| [(metric.name(), *metric), (metric.description().abbreviation, *metric)]);
    closest(name, spellings).map(|metric| format!(" (did you mean `{metric}`?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_display_from_str_and_serde() {
        for metric in Metric::ALL {
            let name = metric.to_string();
            assert_eq!(metric.name(), name);
            assert_eq!(name.parse(), Ok(*metric));
            assert_eq!(serde_json::to_value(metric).unwrap(), name);
            assert_eq!(serde_json::from_value::<Metric>(name.into()).unwrap(), *metric);
        }
        // Stored records have these names.
        let names: Vec<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        assert_eq!(
            names,
            [
                "roc_auc",
                "average_precision",
                "mae",
                "rmse",
                "r2",
                "spearman",
                "balanced_accuracy",
                "brier",
                "ece",
                "kendall"
            ]
        );
        assert_eq!(format!("[{:>5}]", Metric::Mae), "[  mae]", "padding is kept");
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_every_name_and_suggests_one() {
        assert_eq!(
            "ROC-AUC".parse::<Metric>().unwrap_err().to_string(),
            "unknown metric `ROC-AUC` (did you mean `roc_auc`?): expected roc_auc, average_precision, mae, rmse, r2, \
             spearman, balanced_accuracy, brier, ece or kendall"
        );
        for (name, meant) in
            [("auc", "roc_auc"), ("AP", "average_precision"), ("speerman", "spearman"), ("R²", "r2")]
        {
            let message = name.parse::<Metric>().unwrap_err().to_string();
            assert!(message.contains(&format!("did you mean `{meant}`?")), "{message}");
        }
        let message = "log loss".parse::<Metric>().unwrap_err().to_string();
        assert!(message.starts_with("unknown metric `log loss`: expected roc_auc, "), "{message}");
    }

    #[test]
    fn errors_are_better_when_lower() {
        let lower: Vec<_> = Metric::ALL.iter().copied().filter(|metric| !metric.higher_is_better()).collect();
        assert_eq!(lower, [Metric::Mae, Metric::Rmse, Metric::Brier, Metric::Ece]);
    }

    #[test]
    fn a_perfect_prediction_is_best() {
        for &metric in Metric::ALL {
            let labels = [0.0, 1.0, 1.0, 0.0, 1.0];
            let perfect = metric.compute(&labels, &labels).unwrap();
            let other = metric.compute(&labels, &[0.6, 0.4, 0.5, 0.2, 0.7]).unwrap();
            assert_eq!(perfect > other, metric.higher_is_better(), "{metric}: {perfect}, {other}");
            assert_eq!(perfect, f64::from(u8::from(metric.higher_is_better())), "{metric}");
        }
    }

    #[test]
    fn a_metric_has_a_kind_and_a_board_of_its_own() {
        assert!(Metric::of_kind(MetricKind::Classification).all(Metric::is_classification));
        assert!(!Metric::of_kind(MetricKind::Regression).any(Metric::is_classification));
        let mut heads: Vec<_> = Metric::ALL.iter().map(|metric| metric.description().abbreviation).collect();
        heads.sort_unstable();
        heads.dedup();
        assert_eq!(heads.len(), Metric::ALL.len());
        assert!(Metric::ALL.iter().all(|metric| !metric.description().source.is_empty()));
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
