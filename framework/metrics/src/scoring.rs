//! What a classification metric is given: the predicted probability, or the class made from it.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::names::{closest, listed};

/// How a classification metric reads predictions. Regression metrics are the same under both.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
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
    parse_err_ty = UnknownScoring,
    parse_err_fn = UnknownScoring::new
)]
pub enum Scoring {
    /// Predictions as they are; the arena's default.
    #[default]
    Probability,
    /// Predictions turned into classes first: above 0.5 is 1, anything else is 0, as scikit-learn's
    /// `classes_[argmax(predict_proba)]`, whose argmax gives an exact tie to class 0. This discards the
    /// ranking; it exists to reproduce the random forest and Gaussian process rows of arXiv 2406.12056.
    Hard,
}

impl Scoring {
    /// The name in files and on the command line: `probability`, `hard`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The prediction as a classification metric sees it.
    pub(crate) fn apply(self, prediction: f32) -> f32 {
        match self {
            Self::Probability => prediction,
            Self::Hard => f32::from(u8::from(is_class_1(prediction))),
        }
    }
}

/// Whether a probability stands for class 1. One half does not.
pub(crate) fn is_class_1(probability: f32) -> bool {
    probability > 0.5
}

/// No scoring has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scoring `{0}`{hint}: expected {expected}", hint = suggestion(.0), expected = listed(Scoring::VARIANTS))]
pub struct UnknownScoring(pub String);

impl UnknownScoring {
    fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

fn suggestion(name: &str) -> String {
    let spellings = Scoring::VARIANTS.iter().map(|scoring| (scoring.name(), scoring));
    closest(name, spellings).map(|scoring| format!(" (did you mean `{scoring}`?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_name_in_display_from_str_and_serde() {
        for scoring in [Scoring::Probability, Scoring::Hard] {
            let name = scoring.to_string();
            assert_eq!(scoring.name(), name);
            assert_eq!(name.parse(), Ok(scoring));
            assert_eq!(serde_json::to_value(scoring).unwrap(), name);
        }
        assert_eq!(Scoring::default(), Scoring::Probability);
        let message = |name: &str| name.parse::<Scoring>().unwrap_err().to_string();
        assert_eq!(message("soft"), "unknown scoring `soft`: expected probability or hard");
        assert_eq!(
            message("Hard"),
            "unknown scoring `Hard` (did you mean `hard`?): expected probability or hard"
        );
    }

    #[test]
    fn one_half_is_class_0() {
        // The smallest f32 above 0.5 is 0.5 + 2^-24.
        let classes = [0.0, 0.5, 0.500_000_06, 1.0].map(|prediction| Scoring::Hard.apply(prediction));
        assert_eq!(classes, [0.0, 0.0, 1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn hard_is_idempotent_and_probability_changes_nothing(prediction in -2.0_f32..2.0) {
            let class = Scoring::Hard.apply(prediction);
            prop_assert_eq!(Scoring::Hard.apply(class), class);
            prop_assert_eq!(Scoring::Probability.apply(prediction), prediction);
        }
    }
}
