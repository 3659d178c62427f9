//! A small grid of settings, from which the worker chooses on the validation molecules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Largest number of combinations of a grid: a choice of hundreds on one validation set is a choice of noise.
const MAX_COMBINATIONS: usize = 64;

/// `[tune]` of a method file: values to try for keys of the baseline's configuration.
///
/// Each combination is fitted to the training molecules and scored on the validation molecules by the dataset's metric
/// (mean over the tasks where it is defined); the best, of equals the first, predicts the test molecules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tune {
    /// Values to try by key.
    pub grid: BTreeMap<String, Vec<Value>>,
}

impl Tune {
    /// Says what is wrong with the grid, if anything is.
    pub fn check(&self) -> Result<(), String> {
        if let Some((key, _)) = self.grid.iter().find(|(_, values)| values.is_empty()) {
            return Err(format!("tune.grid.{key} has no values"));
        }
        let combinations =
            self.grid.values().try_fold(1usize, |product, values| product.checked_mul(values.len()));
        match combinations {
            Some(2..=MAX_COMBINATIONS) => Ok(()),
            _ => Err(format!("tune.grid must have 2 to {MAX_COMBINATIONS} combinations of values")),
        }
    }

    /// `base` with each combination of values; the values of the last key change fastest.
    pub fn configurations(&self, base: &Value) -> Vec<Value> {
        let mut configurations = vec![base.clone()];
        for (key, values) in &self.grid {
            let extended = configurations.iter().flat_map(|config| {
                values.iter().map(move |value| {
                    let mut config = config.clone();
                    config[key] = value.clone();
                    config
                })
            });
            configurations = extended.collect();
        }
        configurations
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tune(grid: &Value) -> Tune {
        serde_json::from_value(json!({ "grid": grid })).unwrap()
    }

    #[test]
    fn combinations_extend_and_override_the_base() {
        let tune = tune(&json!({"noise": [0.1, 1.0], "kernel": ["a", "b"]}));
        tune.check().unwrap();
        let configurations = tune.configurations(&json!({"noise": 5, "jitter": 0}));
        let expected = [("a", 0.1), ("a", 1.0), ("b", 0.1), ("b", 1.0)]
            .map(|(kernel, noise)| json!({"jitter": 0, "kernel": kernel, "noise": noise}));
        assert_eq!(configurations, expected);
    }

    #[test]
    fn a_grid_is_a_choice_and_a_small_one() {
        let hundred: Vec<u32> = (0..100).collect();
        for (grid, part) in [
            (json!({"k": []}), "tune.grid.k has no values"),
            (json!({}), "2 to 64 combinations"),
            (json!({"k": [1]}), "2 to 64 combinations"),
            (json!({"k": hundred}), "2 to 64 combinations"),
        ] {
            let error = tune(&grid).check().unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
