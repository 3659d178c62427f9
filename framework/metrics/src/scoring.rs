//! What a classification metric is given: the predicted probability, or the class made from it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a classification metric reads predictions. Regression metrics are the same under both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scoring {
    /// Predictions as they are. What the arena uses.
    #[default]
    Probability,
    /// Predictions turned into classes first: above 0.5 is 1, anything else is 0, as scikit-learn's
    /// `classes_[argmax(predict_proba)]`, whose argmax gives an exact tie to class 0. It throws the ranking away; it
    /// is here to reproduce the random forest and Gaussian process rows of arXiv 2406.12056.
    Hard,
}

/// No scoring has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scoring `{0}`: expected probability or hard")]
pub struct UnknownScoring(pub String);

impl Scoring {
    /// The name in files and on the command line: `probability`, `hard`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::Hard => "hard",
        }
    }

    /// What a classification metric sees of this prediction.
    pub(crate) fn apply(self, prediction: f32) -> f32 {
        match self {
            Self::Probability => prediction,
            Self::Hard => f32::from(u8::from(prediction > 0.5)),
        }
    }
}

impl fmt::Display for Scoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scoring {
    type Err = UnknownScoring;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Probability, Self::Hard]
            .into_iter()
            .find(|scoring| scoring.name() == name)
            .ok_or_else(|| UnknownScoring(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_name_in_display_from_str_and_serde() {
        for scoring in [Scoring::Probability, Scoring::Hard] {
            let name = scoring.to_string();
            assert_eq!(name.parse(), Ok(scoring));
            assert_eq!(serde_json::to_value(scoring).unwrap(), name);
        }
        assert_eq!(Scoring::default(), Scoring::Probability);
        assert!("soft".parse::<Scoring>().unwrap_err().to_string().contains("`soft`"));
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
