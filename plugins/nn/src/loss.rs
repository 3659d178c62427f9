//! Losses that skip missing labels.

use burn::tensor::{Device, Tensor, TensorData, activation::log_sigmoid};

/// The loss function that training minimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Binary cross-entropy of logits.
    BinaryCrossEntropy,
    /// Absolute error.
    Absolute,
    /// Squared error.
    Squared,
}

/// Labels of n molecules for t tasks; some may be missing.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    tasks: usize,
    /// `f32[n, t]`; NaN where a label is missing.
    values: Vec<f32>,
}

impl Targets {
    /// Takes `f32[n, t]`, row-major, with NaN for missing labels.
    ///
    /// # Panics
    ///
    /// If the number of values is not a multiple of `tasks`.
    pub fn new(tasks: usize, values: Vec<f32>) -> Self {
        assert!(tasks > 0 && values.len().is_multiple_of(tasks), "{} values, {tasks} tasks", values.len());
        Self { tasks, values }
    }

    /// Number of tasks t.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// `f32[n, t]`, row-major, with NaN for missing labels.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Number of labels that are not missing.
    pub fn count(&self) -> usize {
        self.values.iter().filter(|value| !value.is_nan()).count()
    }

    /// Labels of the molecules `rows`, 0 where missing, and the weight of each: 1 / the number of labels, or 0 where
    /// the label is missing. `None` if all are missing.
    fn batch(&self, rows: &[usize]) -> Option<[Vec<f32>; 2]> {
        let values: Vec<f32> = rows
            .iter()
            .flat_map(|row| &self.values[row * self.tasks..(row + 1) * self.tasks])
            .copied()
            .collect();
        let labelled = values.iter().filter(|value| !value.is_nan()).count();
        let weight = |value: &f32| if value.is_nan() { 0.0 } else { 1.0 / labelled as f32 };
        let weights = values.iter().map(weight).collect();
        let values = values.into_iter().map(|value| if value.is_nan() { 0.0 } else { value }).collect();
        (labelled > 0).then_some([values, weights])
    }
}

impl Loss {
    /// Mean loss, `f32[1]`, of `outputs`, `f32[rows, t]`, over the labels of the molecules `rows`; `None` if they have
    /// none.
    pub fn mean(self, outputs: Tensor<2>, targets: &Targets, rows: &[usize]) -> Option<Tensor<1>> {
        let (device, shape): (Device, _) = (outputs.device(), [rows.len(), targets.tasks]);
        let [labels, weights] = targets
            .batch(rows)?
            .map(|values| Tensor::<2>::from_data(TensorData::new(values, shape), &device));
        let losses = match self {
            // -(y log s(x) + (1 - y) log s(-x)) = (1 - y) x - log s(x)
            Self::BinaryCrossEntropy => (-labels + 1.0) * outputs.clone() - log_sigmoid(outputs),
            Self::Absolute => (outputs - labels).abs(),
            Self::Squared => (outputs - labels).powi_scalar(2),
        };
        Some((losses * weights).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(loss: Loss, outputs: &[f32], labels: &[f32], rows: &[usize]) -> Option<f32> {
        let outputs = Tensor::from_data(TensorData::new(outputs.to_vec(), [rows.len(), 2]), &Device::flex());
        let targets = Targets::new(2, labels.to_vec());
        Some(loss.mean(outputs, &targets, rows)?.into_scalar())
    }

    #[test]
    fn missing_labels_weigh_nothing() {
        let labels = [1.0, f32::NAN, /**/ f32::NAN, 0.0, /**/ 0.0, 1.0];
        let loss = Loss::BinaryCrossEntropy;
        // ln(1 + e^-2) and ln(1 + e^-1), and for the second order of rows ln(1 + e^3), ln(1 + e^-4), ln(1 + e^0.5).
        let (one, two) = ((1.0 + (-2f64).exp()).ln(), (1.0 + (-1f64).exp()).ln());
        let found = mean(loss, &[2.0, 99.0, -99.0, -1.0], &labels, &[0, 1]).unwrap();
        assert!((f64::from(found) - f64::midpoint(one, two)).abs() < 1e-6, "{found}");
        let three = (1.0 + 3f64.exp()).ln() + (1.0 + (-4f64).exp()).ln() + (1.0 + 0.5f64.exp()).ln();
        let found = mean(loss, &[3.0, 4.0, 77.0, 0.5], &labels, &[2, 1]).unwrap();
        assert!((f64::from(found) - three / 3.0).abs() < 1e-6, "{found}");
    }

    #[test]
    fn absolute_and_squared_differences() {
        let labels = [1.0, f32::NAN, /**/ f32::NAN, -3.0, /**/ f32::NAN, f32::NAN];
        assert_eq!(mean(Loss::Absolute, &[2.5, 9.0, 9.0, -2.0], &labels, &[0, 1]), Some(1.25));
        assert_eq!(mean(Loss::Absolute, &[2.5, 9.0], &labels, &[2]), None);
        assert_eq!(mean(Loss::Squared, &[2.5, 9.0, 9.0, -2.0], &labels, &[0, 1]), Some(1.625));
        assert_eq!(Targets::new(2, labels.to_vec()).count(), 2);
    }

    #[test]
    fn large_logits_stay_finite() {
        let labels = [1.0, 0.0, 0.0, 1.0];
        let found =
            mean(Loss::BinaryCrossEntropy, &[200.0, -200.0, 200.0, -200.0], &labels, &[0, 1]).unwrap();
        assert!((found - 100.0).abs() < 1e-3, "{found}");
    }
}
