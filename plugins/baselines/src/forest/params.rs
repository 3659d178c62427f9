//! Options of a random forest.

use molarena_sdk::{Error, Result, TaskKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of the random forest. The defaults are scikit-learn's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ForestConfig {
    /// Number of trees of each task's forest, at least 1.
    #[schemars(range(min = 1))]
    pub n_trees: usize,
    /// Number of features tried at each split: "sqrt", "all" or a fraction in (0, 1]. Default: "sqrt" for classes,
    /// "all" for numbers.
    pub max_features: Option<MaxFeatures>,
    /// Maximum number of splits above a leaf, at least 1. Default: no limit.
    pub max_depth: Option<u32>,
    /// Minimum number of draws in a leaf, at least 1; a row that the bootstrap draws twice counts twice.
    pub min_samples_leaf: u32,
    /// Whether each tree learns from a bootstrap sample (as many draws with replacement as there are rows) or from the
    /// rows themselves.
    pub bootstrap: bool,
}

/// Number of features tried at each split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MaxFeatures {
    /// A named rule.
    Rule(Rule),
    /// A share of the features, in (0, 1].
    Fraction(f64),
}

/// A named number of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// The square root of the number of features, rounded down.
    Sqrt,
    /// Every feature.
    All,
}

impl Default for ForestConfig {
    fn default() -> Self {
        Self { n_trees: 100, max_features: None, max_depth: None, min_samples_leaf: 1, bootstrap: true }
    }
}

impl ForestConfig {
    /// Checks the values; the error names the invalid parameter.
    pub fn check(self) -> Result<Params> {
        let wrong = |parameter: &str, value: String, wanted: &str| {
            Err(Error::invalid_config(format!("`{parameter}` is {value}, must be {wanted}")))
        };
        if !(1..=100_000).contains(&self.n_trees) {
            return wrong("n_trees", self.n_trees.to_string(), "in 1..=100000");
        }
        if let Some(MaxFeatures::Fraction(fraction)) = self.max_features
            && !(fraction > 0.0 && fraction <= 1.0)
        {
            return wrong("max_features", fraction.to_string(), "\"sqrt\", \"all\" or in (0, 1]");
        }
        if self.max_depth == Some(0) {
            return wrong("max_depth", "0".to_owned(), "at least 1");
        }
        if self.min_samples_leaf == 0 {
            return wrong("min_samples_leaf", "0".to_owned(), "at least 1");
        }
        Ok(Params(self))
    }
}

/// A checked [`ForestConfig`].
#[derive(Clone, Debug, PartialEq)]
pub struct Params(ForestConfig);

impl Params {
    /// Number of trees.
    pub fn n_trees(&self) -> usize {
        self.0.n_trees
    }

    /// Number of features tried at each split, out of `features`: at least 1.
    pub fn max_features(&self, features: usize, kind: TaskKind) -> usize {
        let by_kind = match kind {
            TaskKind::Classification => MaxFeatures::Rule(Rule::Sqrt),
            TaskKind::Regression => MaxFeatures::Rule(Rule::All),
        };
        let wanted = match self.0.max_features.unwrap_or(by_kind) {
            MaxFeatures::Rule(Rule::Sqrt) => features.isqrt(),
            MaxFeatures::Rule(Rule::All) => features,
            MaxFeatures::Fraction(fraction) => (fraction * features as f64) as usize,
        };
        wanted.max(1)
    }

    /// Maximum depth of a leaf.
    pub fn max_depth(&self) -> u32 {
        self.0.max_depth.unwrap_or(u32::MAX)
    }

    /// Minimum number of draws in a leaf.
    pub fn min_samples_leaf(&self) -> u64 {
        u64::from(self.0.min_samples_leaf)
    }

    /// Whether rows are drawn with replacement.
    pub fn bootstrap(&self) -> bool {
        self.0.bootstrap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_read_and_checked() {
        let read = |json: &str| serde_json::from_str::<ForestConfig>(json);
        assert_eq!(read("{}").unwrap(), ForestConfig::default());
        let features = |json: &str, kind| read(json).unwrap().check().unwrap().max_features(2048, kind);
        assert_eq!(features("{}", TaskKind::Classification), 45);
        assert_eq!(features("{}", TaskKind::Regression), 2048);
        assert_eq!(features(r#"{"max_features": "all"}"#, TaskKind::Classification), 2048);
        assert_eq!(features(r#"{"max_features": "sqrt"}"#, TaskKind::Regression), 45);
        assert_eq!(features(r#"{"max_features": 0.1}"#, TaskKind::Regression), 204);
        assert_eq!(features(r#"{"max_features": 1e-9}"#, TaskKind::Regression), 1);
        assert!(read(r#"{"max_features": "log2"}"#).is_err());
        assert!(read(r#"{"trees": 3}"#).is_err());
    }

    #[test]
    fn errors_name_the_parameter() {
        let message =
            |json: &str| serde_json::from_str::<ForestConfig>(json).unwrap().check().unwrap_err().to_string();
        assert_eq!(message(r#"{"n_trees": 0}"#), "`n_trees` is 0, must be in 1..=100000");
        assert_eq!(
            message(r#"{"max_features": 1.5}"#),
            "`max_features` is 1.5, must be \"sqrt\", \"all\" or in (0, 1]"
        );
        assert_eq!(message(r#"{"max_depth": 0}"#), "`max_depth` is 0, must be at least 1");
        assert_eq!(message(r#"{"min_samples_leaf": 0}"#), "`min_samples_leaf` is 0, must be at least 1");
    }
}
