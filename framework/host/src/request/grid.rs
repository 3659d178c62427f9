//! A small grid of settings, from which the worker chooses on the validation molecules.

use molarena_record::parts::Tune;
use serde_json::Value;

use crate::request::product::{combinations, count};

/// Largest number of combinations of a grid: choosing among hundreds on one validation set selects noise.
const MAX_COMBINATIONS: usize = 64;

/// Checks the grid; `Err` says what is wrong.
pub(crate) fn check(tune: &Tune) -> Result<(), String> {
    if let Some((key, _)) = tune.grid.iter().find(|(_, values)| values.is_empty()) {
        return Err(format!("tune.grid.{key} has no values"));
    }
    match count(&tune.grid) {
        Some(2..=MAX_COMBINATIONS) => Ok(()),
        _ => Err(format!("tune.grid must have 2 to {MAX_COMBINATIONS} combinations of values")),
    }
}

/// `base` with each combination of values; the values of the last key change fastest.
pub(crate) fn configurations(tune: &Tune, base: &Value) -> Vec<Value> {
    let with = |combination: Vec<(&str, &Value)>| {
        let mut config = base.clone();
        for (key, value) in combination {
            config[key] = value.clone();
        }
        config
    };
    combinations(&tune.grid).into_iter().map(with).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tune_of(grid: &Value) -> Tune {
        serde_json::from_value(json!({ "grid": grid })).unwrap()
    }

    #[test]
    fn combinations_extend_and_override_the_base() {
        let tune = tune_of(&json!({"noise": [0.1, 1.0], "kernel": ["a", "b"]}));
        check(&tune).unwrap();
        let configurations = configurations(&tune, &json!({"noise": 5, "jitter": 0}));
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
            let error = check(&tune_of(&grid)).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
