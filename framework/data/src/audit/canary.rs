//! Methods that were trained on shuffled labels: what they score above chance, they did not learn from labels.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Standard errors above chance from which on a leak is suspected.
const LIMIT: f64 = 3.0;

/// The scores of one cell that was trained on shuffled labels.
#[derive(Clone, Debug, PartialEq)]
pub struct CanaryCell {
    /// Id of the dataset.
    pub dataset: String,
    /// The split, in words.
    pub split: String,
    /// Name of the method, with whatever else tells its rows apart.
    pub method: String,
    /// Name of the metric.
    pub metric: String,
    /// What a method without knowledge scores; `None` if that depends on the data.
    pub chance: Option<f64>,
    /// The defined scores of the cell's tasks.
    pub scores: Vec<f64>,
}

/// A method that was trained on shuffled labels, over all its seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// Id of the dataset.
    pub dataset: String,
    /// The split, in words.
    pub split: String,
    /// Name of the method.
    pub method: String,
    /// Name of the metric.
    pub metric: String,
    /// Number of seeds.
    pub seeds: usize,
    /// Number of scores: tasks x seeds.
    pub scores: usize,
    /// Their mean; `null` without scores.
    pub mean: Option<f64>,
    /// Standard error of the mean, s / sqrt(scores); `null` below two scores.
    pub standard_error: Option<f64>,
    /// What a method without knowledge scores; `null` if that depends on the data.
    pub chance: Option<f64>,
    /// Whether the mean is above chance by more than three standard errors; `null` if it cannot be told.
    pub leaks: Option<bool>,
}

/// Compares cells of shuffled labels with chance, by dataset, split, method and metric.
pub fn canary(cells: &[CanaryCell]) -> Vec<Canary> {
    let mut groups: BTreeMap<[&str; 4], Vec<&CanaryCell>> = BTreeMap::new();
    for cell in cells {
        groups.entry([&cell.dataset, &cell.split, &cell.method, &cell.metric]).or_default().push(cell);
    }
    groups.into_values().map(|cells| judge(&cells)).collect()
}

fn judge(cells: &[&CanaryCell]) -> Canary {
    let CanaryCell { dataset, split, method, metric, chance, .. } = cells[0].clone();
    let scores: Vec<f64> = cells.iter().flat_map(|cell| &cell.scores).copied().collect();
    let count = scores.len() as f64;
    let mean = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / count);
    let standard_error = mean.filter(|_| scores.len() > 1).map(|mean| {
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        (squares / (count - 1.0) / count).sqrt()
    });
    let leaks = match (mean, standard_error, chance) {
        (Some(mean), Some(error), Some(chance)) => Some(mean - chance > LIMIT * error),
        _ => None,
    };
    Canary {
        dataset,
        split,
        method,
        metric,
        seeds: cells.len(),
        scores: scores.len(),
        mean,
        standard_error,
        chance,
        leaks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(method: &str, chance: Option<f64>, scores: &[f64]) -> CanaryCell {
        CanaryCell {
            dataset: "d".into(),
            split: "random".into(),
            method: method.into(),
            metric: "roc_auc".into(),
            chance,
            scores: scores.to_vec(),
        }
    }

    #[test]
    fn only_scores_well_above_chance_leak() {
        let found = canary(&[
            cell("leak", Some(0.5), &[0.7, 0.72]),
            cell("leak", Some(0.5), &[0.71, 0.69]),
            cell("below", Some(0.5), &[0.3, 0.31, 0.29]),
            cell("sound", Some(0.5), &[0.45, 0.58, 0.5, 0.51]),
            cell("constant", Some(0.5), &[0.5, 0.5]),
            cell("one", Some(0.5), &[0.9]),
            cell("other", None, &[0.9, 0.91]),
        ]);
        let told: Vec<_> = found.iter().map(|canary| (canary.method.as_str(), canary.leaks)).collect();
        let expected = [
            ("below", Some(false)),
            ("constant", Some(false)),
            ("leak", Some(true)),
            ("one", None),
            ("other", None),
            ("sound", Some(false)),
        ];
        assert_eq!(told, expected);
        let leak = &found[2];
        assert_eq!((leak.seeds, leak.scores), (2, 4));
        // s = 0.0129099, divided by the root of 4.
        assert!((leak.standard_error.unwrap() - 0.006_454_972).abs() < 1e-8);
    }
}
