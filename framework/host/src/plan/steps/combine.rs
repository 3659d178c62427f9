//! Ensembles: the predictions of other fits as one, made by the host.
//!
//! A member whose features some molecules lack (profiles) does not predict those, nor tasks of which the others say nothing.
//!
//! Rule `first`: the prediction of the first member that predicts, as it is.
//!
//! Rule `greedy`: as `mean`, where each member counts as often as it was chosen. From none on, the member is added with which the
//! mean predicts the validation molecules best, by the dataset's metric, [`GREEDY_ROUNDS`] times, members as often as they are best; the
//! best of these means is taken (Caruana et al. 2004, 10.1145/1015330.1015432). File `weights.npy` has the share of each member.
//!
//! Rule `mean`, over the members that predict. Regression: the plain mean, in the labels' units. Classification: members give probabilities on scales of
//! their own (a forest's vote shares, a Gaussian process's cautious probabilities), so each member's
//! predictions of a task are standardised by their mean and standard deviation on the *validation* molecules,
//! then averaged; the average is mapped back to the members' mean location and mean scale. It ranks the
//! molecules; it is close to a probability but may lie slightly outside 0 to 1. A member with constant
//! validation predictions for a task adds 0 there. The scaling uses no labels and no test molecules, so a
//! prediction does not depend on the other test molecules.

use std::sync::Arc;

use molarena_data::TaskType;
use molarena_features::select_rows;
use molarena_record::{
    parts::{Cost, Failure, GREEDY_ROUNDS, Reason, Rule},
    step::{Kind, StepRecord},
};
use serde_json::Value;

use crate::{
    error::Result,
    files::npy::to_npy,
    inputs::shuffle::shuffle_labels,
    job::Output,
    plan::{
        step::{Context, Judged, Prepared, Work},
        steps::{Predicts, another_question},
    },
    store::Artifact,
    worker::choice::{is_better, valid_score},
};

/// What the ensembles of all seeds share.
#[derive(Clone, Debug)]
pub(crate) struct CombineShared {
    pub(crate) predicts: Predicts,
    /// Classes of the members' devices.
    pub(crate) devices: std::collections::BTreeSet<String>,
}

impl CombineShared {
    /// Everything that determines the ensemble with `seed`.
    pub(crate) fn material(&self, seed: u64) -> Value {
        // Members on different devices make a different ensemble than members on one device.
        let device = self.devices.iter().map(String::as_str).collect::<Vec<_>>().join("+");
        self.predicts.material(seed, &device)
    }
}

/// One ensemble.
#[derive(Clone, Debug)]
pub(crate) struct CombineWork {
    pub(crate) shared: Arc<CombineShared>,
    pub(crate) seed: u64,
}

/// File of the share of each member, `f32[1, members]`.
pub(crate) const WEIGHTS: &str = "weights.npy";

impl CombineWork {
    /// The share of each member by the rule `greedy`.
    fn chosen(&self, members: &[MemberPredictions]) -> Vec<f32> {
        let Predicts { dataset, split, shuffle_labels: shuffled, .. } = &self.shared.predicts;
        let tasks = dataset.dataset.tasks.len();
        let mut labels = select_rows(&dataset.dataset.labels, tasks, &split.valid);
        if *shuffled {
            shuffle_labels(&mut labels, tasks, self.seed);
        }
        let metric = dataset.manifest.protocol.metric;
        let scored = |weights: &[f32]| {
            let predictions = combine(members, weights, tasks, dataset.dataset.task_type).valid;
            valid_score(metric, &labels, &predictions, tasks)
        };
        greedy(members.len(), &scored, &|score, best| is_better(metric, score, best))
    }
}

/// The share of each of `members`, from the score of weights and whether a score is better than another.
fn greedy(
    members: usize,
    scored: &dyn Fn(&[f32]) -> Option<f64>,
    is_better: &dyn Fn(Option<f64>, Option<f64>) -> bool,
) -> Vec<f32> {
    let mut counts = vec![0f32; members];
    // Without any score, all count the same.
    let (mut best, mut best_counts) = (None, vec![1f32; members]);
    for _ in 0..GREEDY_ROUNDS {
        let mut round: Option<(Option<f64>, usize)> = None;
        for member in 0..members {
            counts[member] += 1.0;
            let score = scored(&counts);
            counts[member] -= 1.0;
            if round.is_none_or(|(found, _)| is_better(score, found)) {
                round = Some((score, member));
            }
        }
        let Some((score, member)) = round else { break };
        counts[member] += 1.0;
        if is_better(score, best) {
            (best, best_counts) = (score, counts.clone());
        }
    }
    let sum: f32 = best_counts.iter().sum();
    best_counts.into_iter().map(|count| count / sum).collect()
}

impl Work for CombineWork {
    fn kind(&self) -> Kind {
        Kind::Combine
    }

    fn of(&self) -> Value {
        self.shared.material(self.seed)
    }

    fn prepare(&self, context: &Context<'_>) -> Result<Prepared> {
        let Predicts { dataset, split, .. } = &self.shared.predicts;
        let store = &context.arena.store;
        let mut members = Vec::new();
        for member in context.needs {
            members.push(MemberPredictions {
                valid: store.matrix(member, "valid.npy")?.2,
                test: store.matrix(member, "test.npy")?.2,
            });
        }
        let tasks = dataset.dataset.tasks.len();
        let rule = self.shared.predicts.composition.rule;
        let task_type = dataset.dataset.task_type;
        let weights = match rule {
            Rule::Greedy => Some(self.chosen(&members)),
            Rule::Mean | Rule::First => None,
        };
        let combined = match (rule, &weights) {
            (Rule::First, _) => first(&members),
            (_, Some(weights)) => combine(&members, weights, tasks, task_type),
            (_, None) => combine(&members, &vec![1.0; members.len()], tasks, task_type),
        };
        if let Some(missing) = combined.test.iter().position(|value| value.is_nan()) {
            let (molecule, task) = (missing / tasks, &dataset.dataset.tasks[missing % tasks]);
            let message = format!("no member predicts test molecule {molecule}, task {task}");
            return Ok(Prepared::Done(Err(Failure {
                reason: Reason::NotFinite,
                message,
                output: String::new(),
            })));
        }
        let MemberPredictions { valid, test } = combined;
        let npy = |rows, values| Artifact::Bytes(to_npy(rows, tasks, values));
        let made = [("test.npy", npy(split.test.len(), test)), ("valid.npy", npy(split.valid.len(), valid))];
        let weights = weights.map(|weights| (WEIGHTS, Artifact::Bytes(to_npy(1, weights.len(), weights))));
        Ok(Prepared::Done(Ok(made.into_iter().chain(weights).collect())))
    }

    fn judge(&self, _context: &Context<'_>, _output: &Output) -> Judged {
        Err(another_question())
    }

    /// The summed times of all members, and the memory of the largest.
    fn cost(&self, _own: Cost, needs: &[StepRecord]) -> Cost {
        needs.iter().map(|member| member.cost).fold(Cost::default(), Cost::then)
    }
}

/// The prediction of the first member that predicts, for each molecule and task.
pub(crate) fn first(members: &[MemberPredictions]) -> MemberPredictions {
    let first = |part: fn(&MemberPredictions) -> &[f32]| {
        let of_cell =
            |cell: usize| members.iter().map(|member| part(member)[cell]).find(|value| !value.is_nan());
        (0..part(&members[0]).len()).map(|cell| of_cell(cell).unwrap_or(f32::NAN)).collect()
    };
    MemberPredictions { valid: first(|member| &member.valid), test: first(|member| &member.test) }
}

/// Predictions of one member, `f32[molecules, tasks]`, row-major; NaN where it does not predict.
#[derive(Clone, Debug)]
pub(crate) struct MemberPredictions {
    pub(crate) valid: Vec<f32>,
    pub(crate) test: Vec<f32>,
}

/// Combines the members' predictions as the module documentation says; a member without weight plays no part.
pub(crate) fn combine(
    members: &[MemberPredictions],
    weights: &[f32],
    tasks: usize,
    task_type: TaskType,
) -> MemberPredictions {
    let weighted = members.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    let (members, weights): (Vec<_>, Vec<_>) =
        weighted.map(|(member, weight)| (member, f64::from(*weight))).unzip();
    let scales = members.iter().map(|member| match task_type {
        TaskType::Regression => vec![Scale { mean: 0.0, deviation: 1.0 }; tasks],
        TaskType::Classification => (0..tasks).map(|task| Scale::of(&member.valid, task, tasks)).collect(),
    });
    let scales: Vec<Vec<Scale>> = scales.collect();
    let mean_over_members = |task: usize, value: fn(&Scale) -> f64| {
        mean_of(scales.iter().map(|scales| value(&scales[task])).zip(weights.iter().copied()))
    };
    let common: Vec<Scale> = (0..tasks)
        .map(|task| Scale {
            mean: mean_over_members(task, |scale| scale.mean),
            deviation: mean_over_members(task, |scale| scale.deviation),
        })
        .collect();
    let combine = |part: fn(&MemberPredictions) -> &[f32]| {
        let cells = members.first().map_or(0, |member| part(member).len());
        (0..cells)
            .map(|cell| {
                let task = cell % tasks;
                let standardised = members
                    .iter()
                    .zip(&scales)
                    .map(|(member, scales)| scales[task].standardise(f64::from(part(member)[cell])));
                let mean = mean_of(standardised.zip(weights.iter().copied()));
                (common[task].mean + common[task].deviation * mean) as f32
            })
            .collect()
    };
    MemberPredictions { valid: combine(|member| &member.valid), test: combine(|member| &member.test) }
}

/// The weighted mean of the values that are not NaN; NaN if there is none.
fn mean_of(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let known = values.filter(|(value, _)| !value.is_nan());
    let (sum, weights) =
        known.fold((0.0, 0.0), |(sum, weights), (value, weight)| (sum + weight * value, weights + weight));
    sum / weights
}

/// Location and spread of predictions.
#[derive(Clone, Copy, Debug)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// Mean and population standard deviation of one task, where it is predicted; NaN and NaN where it is not, and 0 and 0
    /// where there is no molecule.
    fn of(predictions: &[f32], task: usize, tasks: usize) -> Self {
        let of_task = || predictions.iter().skip(task).step_by(tasks);
        let values = || of_task().filter(|value| !value.is_nan()).map(|&value| f64::from(value));
        let count = if predictions.is_empty() { 1.0 } else { values().count() as f64 };
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        Self { mean, deviation: variance.sqrt() }
    }

    fn standardise(self, value: f64) -> f64 {
        // Equal predictions differ by rounding at most.
        if self.deviation > 1e-9 || value.is_nan() { (value - self.mean) / self.deviation } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use molarena_metrics::Metric;

    use super::*;

    fn equally(members: &[MemberPredictions], tasks: usize, task_type: TaskType) -> MemberPredictions {
        combine(members, &vec![1.0; members.len()], tasks, task_type)
    }

    fn member(valid: &[f32], test: &[f32]) -> MemberPredictions {
        MemberPredictions { valid: valid.to_vec(), test: test.to_vec() }
    }

    #[test]
    fn regression_is_the_plain_mean() {
        let members = [member(&[1.0, 10.0], &[2.0, 20.0]), member(&[3.0, 30.0], &[4.0, 60.0])];
        let combined = equally(&members, 2, TaskType::Regression);
        assert_eq!((combined.valid, combined.test), (vec![2.0, 20.0], vec![3.0, 40.0]));
    }

    #[test]
    fn classification_weighs_members_equally_whatever_their_scale() {
        // Member 1: mean 0.5, deviation 0.1. Member 2: mean 0.2, deviation 0.01. Test: +1 and -2, -1 and +3 deviations.
        let members = [member(&[0.4, 0.6], &[0.6, 0.3]), member(&[0.19, 0.21], &[0.19, 0.23])];
        let combined = equally(&members, 1, TaskType::Classification);
        // Their means are 0 and 0.5, on mean location 0.35 and mean scale 0.055.
        for (value, expected) in combined.test.iter().zip([0.35, 0.35 + 0.5 * 0.055]) {
            assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        }
    }

    #[test]
    fn a_member_that_knows_nothing_of_a_task_adds_nothing() {
        let members = [member(&[0.5, 0.5], &[0.9, 0.1]), member(&[0.2, 0.4], &[0.2, 0.4])];
        let combined = equally(&members, 1, TaskType::Classification);
        assert!(combined.test[0] < combined.test[1]);
    }

    #[test]
    fn a_member_that_does_not_predict_does_not_count() {
        const NO: f32 = f32::NAN;
        // The first member predicts molecule 0 only, and nothing of task 1.
        let members = [
            member(&[0.4, NO, 0.6, NO, NO, NO], &[0.6, NO, NO, NO]),
            member(&[0.2, 0.1, 0.4, 0.3, 0.9, 0.9], &[0.3, 0.2, 0.5, 0.7]),
        ];
        assert_eq!(first(&members).test, [0.6, 0.2, 0.5, 0.7]);
        let of_values = equally(&members, 2, TaskType::Regression);
        assert_eq!(of_values.test, [f32::midpoint(0.6, 0.3), 0.2, 0.5, 0.7]);
        let classes = equally(&members, 2, TaskType::Classification).test;
        assert!((classes[1] - 0.2).abs() < 1e-6 && (classes[3] - 0.7).abs() < 1e-6, "{classes:?}");
        // Molecule 1 is the mean of the second member's predictions of task 0; here only that member predicts it.
        let scale = Scale::of(&members[1].valid, 0, 2);
        let z = (0.5 - scale.mean) / scale.deviation;
        let (mean, deviation) = (f64::midpoint(0.5, scale.mean), f64::midpoint(0.1, scale.deviation));
        assert!((f64::from(classes[2]) - (mean + deviation * z)).abs() < 1e-6, "{classes:?}");
        let nobody = member(&[NO; 6], &[NO; 4]);
        assert!(
            equally(&[nobody.clone(), nobody], 2, TaskType::Classification)
                .test
                .iter()
                .all(|value| value.is_nan())
        );
    }

    #[test]
    fn a_prediction_does_not_depend_on_the_other_test_molecules() {
        let valid = [[0.1, 0.3, 0.7], [0.4, 0.2, 0.9]];
        let all = equally(
            &[member(&valid[0], &[0.2, 0.5]), member(&valid[1], &[0.3, 0.6])],
            1,
            TaskType::Classification,
        );
        let one =
            equally(&[member(&valid[0], &[0.5]), member(&valid[1], &[0.6])], 1, TaskType::Classification);
        assert_eq!(all.test[1], one.test[0]);
    }

    #[test]
    fn a_member_counts_by_its_weight() {
        let members = [member(&[1.0], &[2.0]), member(&[3.0], &[6.0]), member(&[f32::NAN], &[f32::NAN])];
        assert_eq!(combine(&members, &[3.0, 1.0, 5.0], 1, TaskType::Regression).test, [3.0]);
        assert_eq!(combine(&members, &[0.0, 1.0, 0.0], 1, TaskType::Regression).test, [6.0]);
    }

    #[test]
    fn the_greedy_choice_finds_the_best_shares() {
        // The closer the mean of 0, 10 and 100 is to 4, the better: four parts of 10 in ten.
        let scored = |weights: &[f32]| {
            let sum: f32 = weights.iter().sum();
            let mean =
                weights.iter().zip([0.0, 10.0, 100.0]).map(|(weight, value)| weight * value).sum::<f32>()
                    / sum;
            Some(f64::from((mean - 4.0).abs()))
        };
        let smaller = |score: Option<f64>, best: Option<f64>| is_better(Metric::Mae, score, best);
        let shares = greedy(3, &scored, &smaller);
        assert!((shares[1] - 0.4).abs() < 1e-6 && shares[2] == 0.0, "{shares:?}");
        assert_eq!(greedy(2, &|_| None, &smaller), [0.5, 0.5]);
    }
}
