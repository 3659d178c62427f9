//! Minimises a smooth convex function by its gradient.

use std::collections::VecDeque;

use molarena_sdk::Result;

/// Number of past steps that are remembered.
const MEMORY: usize = 10;
/// A step must achieve at least this share of the decrease that the slope predicts.
const DECREASE: f64 = 1e-4;

/// A past step: the change of the point, the change of the gradient, and the inverse of their inner product.
struct Step {
    moved: Vec<f64>,
    bent: Vec<f64>,
    inverse_product: f64,
}

/// Minimises from `point` until the largest absolute value of the gradient is at most `tolerance`, for at most `most`
/// iterations: limited-memory BFGS with a backtracking line search (Nocedal and Wright 2006, algorithms 7.5 and 3.1).
/// `function` writes the gradient and returns the value. Returns the minimum and whether it was reached.
pub(super) fn minimise(
    mut point: Vec<f64>,
    most: usize,
    tolerance: f64,
    mut function: impl FnMut(&[f64], &mut [f64]) -> Result<f64>,
) -> Result<(Vec<f64>, bool)> {
    let mut gradient = vec![0.0; point.len()];
    let mut value = function(&point, &mut gradient)?;
    let mut steps: VecDeque<Step> = VecDeque::with_capacity(MEMORY);
    let (mut next, mut next_gradient) = (point.clone(), gradient.clone());
    for _ in 0..most {
        if gradient.iter().all(|slope| slope.abs() <= tolerance) {
            return Ok((point, true));
        }
        let direction = direction(&gradient, &steps);
        let slope = dot(&direction, &gradient);
        let mut length = if steps.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let next_value = loop {
            for (next, (point, direction)) in next.iter_mut().zip(point.iter().zip(&direction)) {
                *next = point + length * direction;
            }
            let next_value = function(&next, &mut next_gradient)?;
            if next_value <= value + DECREASE * length * slope {
                break next_value;
            }
            length *= 0.5;
            if length < 1e-12 {
                // Rounding hides any further decrease.
                return Ok((point, true));
            }
        };
        let moved: Vec<f64> = next.iter().zip(&point).map(|(next, point)| next - point).collect();
        let bent: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(next, old)| next - old).collect();
        let product = dot(&moved, &bent);
        if product > 0.0 {
            if steps.len() == MEMORY {
                steps.pop_front();
            }
            steps.push_back(Step { moved, bent, inverse_product: 1.0 / product });
        }
        std::mem::swap(&mut point, &mut next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        value = next_value;
    }
    Ok((point, false))
}

/// The two-loop recursion.
fn direction(gradient: &[f64], steps: &VecDeque<Step>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let share = step.inverse_product * dot(&step.moved, &direction);
        add(&mut direction, -share, &step.bent);
        shares.push(share);
    }
    if let Some(last) = steps.back() {
        let scale = 1.0 / (last.inverse_product * dot(&last.bent, &last.bent));
        for value in &mut direction {
            *value *= scale;
        }
    }
    for (step, share) in steps.iter().zip(shares.into_iter().rev()) {
        let back = step.inverse_product * dot(&step.bent, &direction);
        add(&mut direction, share - back, &step.moved);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], scale: f64, vector: &[f64]) {
    to.iter_mut().zip(vector).for_each(|(to, value)| *to += scale * value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretched_bowl() {
        // Sum of 10^i (x_i - i)^2.
        let function = |x: &[f64], gradient: &mut [f64]| {
            let mut value = 0.0;
            for (i, (x, gradient)) in x.iter().zip(gradient.iter_mut()).enumerate() {
                let weight = 10f64.powi(i as i32);
                value += weight * (x - i as f64).powi(2);
                *gradient = 2.0 * weight * (x - i as f64);
            }
            Ok(value)
        };
        let (found, reached) = minimise(vec![5.0; 6], 500, 1e-9, function).unwrap();
        assert!(reached);
        assert!(found.iter().enumerate().all(|(i, x)| (x - i as f64).abs() < 1e-8), "{found:?}");
        let (_, reached) = minimise(vec![5.0; 6], 2, 1e-9, function).unwrap();
        assert!(!reached);
    }
}
