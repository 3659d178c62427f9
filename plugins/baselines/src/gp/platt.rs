//! Turns scores into probabilities.

use serde::{Deserialize, Serialize};

use crate::logistic::{log_one_plus_exp, logistic};

const ITERATIONS: usize = 100;
/// Minimum slope, which preserves the order of the scores.
const LEAST_SLOPE: f64 = 1e-3;

/// The probability `1 / (1 + exp(-(slope score + offset)))` of class 1 (Platt 1999).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Platt {
    slope: f64,
    offset: f64,
}

impl Platt {
    /// Fits slope and offset to scores and classes by maximum likelihood: Newton's method with step halving (Lin, Lin
    /// and Weng 2007). As in Platt's method, one pseudo-label of each class keeps the targets away from 0 and 1. The
    /// slope is at least 0.001, so that probabilities rank as the scores do.
    pub(super) fn fit(scores: &[f64], classes: &[f32]) -> Self {
        let ones = classes.iter().filter(|&&class| class == 1.0).count() as f64;
        let zeros = classes.len() as f64 - ones;
        let (high, low) = ((ones + 1.0) / (ones + 2.0), 1.0 / (zeros + 2.0));
        let targets: Vec<f64> = classes.iter().map(|&class| if class == 1.0 { high } else { low }).collect();
        let start = Self { slope: 1.0, offset: ((ones + 1.0) / (zeros + 1.0)).ln() };
        let fitted = start.descend(scores, &targets, true);
        if fitted.slope >= LEAST_SLOPE {
            return fitted;
        }
        Self { slope: LEAST_SLOPE, ..start }.descend(scores, &targets, false)
    }

    /// Newton steps on both parameters, or on the offset alone.
    fn descend(mut self, scores: &[f64], targets: &[f64], both: bool) -> Self {
        let mut loss = self.loss(scores, targets);
        for _ in 0..ITERATIONS {
            let (mut gradient, mut hessian) = ([0.0; 2], [1e-12, 0.0, 1e-12]);
            for (&score, &target) in scores.iter().zip(targets) {
                let probability = self.probability(score);
                let (slack, curve) = (probability - target, probability * (1.0 - probability));
                gradient[0] += slack * score;
                gradient[1] += slack;
                hessian[0] += curve * score * score;
                hessian[1] += curve * score;
                hessian[2] += curve;
            }
            let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
            let (slope, offset) = if both && determinant > 0.0 {
                (
                    (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
                    (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
                )
            } else {
                (0.0, gradient[1] / hessian[2])
            };
            let mut step = 1.0;
            let improved = loop {
                let next = Self { slope: self.slope - step * slope, offset: self.offset - step * offset };
                let next_loss = next.loss(scores, targets);
                if next_loss < loss {
                    break Some((next, next_loss));
                }
                step *= 0.5;
                if step < 1e-10 {
                    break None;
                }
            };
            let Some((next, next_loss)) = improved else { break };
            let done = loss - next_loss < 1e-10 * loss;
            (self, loss) = (next, next_loss);
            if done {
                break;
            }
        }
        self
    }

    fn loss(self, scores: &[f64], targets: &[f64]) -> f64 {
        let one = |(&score, &target): (&f64, &f64)| {
            let z = self.slope * score + self.offset;
            log_one_plus_exp(z) - target * z
        };
        scores.iter().zip(targets).map(one).sum()
    }

    /// Probability of class 1.
    pub(super) fn probability(self, score: f64) -> f64 {
        logistic(self.slope * score + self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_scores_give_their_own_shares() {
        // 30 of 40 at score 1 and 10 of 40 at score -1 are of class 1: two parameters can match both shares.
        let scores: Vec<f64> = (0..80).map(|i| if i < 40 { 1.0 } else { -1.0 }).collect();
        let classes: Vec<f32> = (0..80).map(|i| f32::from(u8::from(!(30..70).contains(&i)))).collect();
        let platt = Platt::fit(&scores, &classes);
        let (high, low) = (41.0 / 42.0, 1.0 / 42.0);
        assert!((platt.probability(1.0) - (30.0 * high + 10.0 * low) / 40.0).abs() < 1e-6);
        assert!((platt.probability(-1.0) - (10.0 * high + 30.0 * low) / 40.0).abs() < 1e-6);
    }

    #[test]
    fn useless_and_perfect_scores_keep_their_order() {
        let classes: Vec<f32> = (0..50).map(|i| f32::from(u8::from(i < 10))).collect();
        for sign in [1.0, -1.0, 0.0] {
            let scores: Vec<f64> = (0..50).map(|i| sign * f64::from(25 - i)).collect();
            let platt = Platt::fit(&scores, &classes);
            assert!(platt.slope >= LEAST_SLOPE && platt.slope.is_finite());
            let mean = scores.iter().map(|&score| platt.probability(score)).sum::<f64>() / 50.0;
            assert!((mean - 0.2).abs() < 0.03, "{sign} {mean}");
        }
    }
}
