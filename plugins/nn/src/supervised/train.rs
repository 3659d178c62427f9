//! Training on molecules with labels, which the validation molecules end.

use burn::tensor::Tensor;
use molarena_metrics::{Metric, Scoring, mean_defined, score_tasks};
use molarena_sdk::{Call, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Predictor;
use crate::{
    Arrays, Loss, Parameters, Pass, Random, Targets,
    training::{self, Schedule, Task, Training},
};

/// Parameters of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Learning rate of Adam, at its highest.
    pub learning_rate: f64,
    /// Schedule of the learning rate.
    pub schedule: Schedule,
    /// Weight decay of Adam, which is added to the gradient.
    pub weight_decay: f64,
    /// Number of molecules in a batch, at least 1.
    pub batch_size: usize,
    /// Maximum number of passes over the training molecules, at least 1; the exact number without validation labels.
    pub max_epochs: usize,
    /// Number of epochs without a better validation score after which training ends, at least 1.
    pub patience: usize,
    /// The loss function.
    pub loss: Loss,
    /// Criterion that chooses the epoch.
    pub selection: Selection,
}

/// Criterion on the validation molecules that chooses the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    /// The smallest mean loss.
    Loss,
    /// The best mean score of the tasks: area under the ROC curve or mean absolute error. If no task has a score, the
    /// loss.
    Score,
}

/// Molecules with labels.
#[derive(Debug)]
pub struct Data<'a, M> {
    /// The molecules, as the network takes them.
    pub molecules: &'a M,
    /// Labels, on the scale of the network's outputs.
    pub targets: &'a Targets,
}

impl<M> Clone for Data<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Data<'_, M> {}

/// A trained network.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Weights of the best epoch; of the last epoch without validation labels.
    pub weights: Arrays,
    /// Value of the criterion after each epoch, lower is better; none without validation labels.
    pub values: Vec<f64>,
}

/// Trains a network; the seed of `call` determines its initial weights, the order of the molecules and the dropout. It returns
/// the weights of the epoch that was best on the validation molecules, which have no other use. Molecules without a label take
/// no part.
pub fn train<'m, P: Predictor>(
    network: &P,
    options: &Options,
    (train, valid): (Data<'_, P::Molecules<'m>>, Option<Data<'_, P::Molecules<'m>>>),
    call: &Call<'_>,
) -> Result<Trained> {
    let tasks = train.targets.tasks();
    let labelled = |row: &usize| {
        let labels = &train.targets.values()[row * tasks..(row + 1) * tasks];
        labels.iter().any(|label| !label.is_nan())
    };
    let rows = (0..P::count(train.molecules)).filter(labelled).collect();
    let mut task = Labelled { network, options, train, valid, rows, values: Vec::new() };
    let training = Training {
        learning_rate: options.learning_rate,
        schedule: options.schedule,
        weight_decay: options.weight_decay,
        batch_size: options.batch_size,
        epochs: options.max_epochs,
        patience: options.patience,
    };
    let weights = training::train(&mut task, &network.slots(), &training, P::NAME, call)?;
    Ok(Trained { weights, values: task.values })
}

struct Labelled<'a, 'm, P: Predictor> {
    network: &'a P,
    options: &'a Options,
    train: Data<'a, P::Molecules<'m>>,
    valid: Option<Data<'a, P::Molecules<'m>>>,
    /// The training molecules that have a label.
    rows: Vec<usize>,
    values: Vec<f64>,
}

impl<P: Predictor> Task for Labelled<'_, '_, P> {
    fn parts(&self) -> Vec<String> {
        Vec::new()
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn start_epoch(&mut self, _: usize, _: &mut Random) -> Result<()> {
        Ok(())
    }

    fn start(&self) -> Arrays {
        self.network.start()
    }

    fn rate(&self, name: &str) -> f64 {
        self.network.rate(name)
    }

    fn loss(
        &mut self,
        pass: &mut Pass<'_>,
        rows: &[usize],
        _: usize,
    ) -> Result<(Tensor<1>, Vec<Option<Tensor<1>>>)> {
        let rows: Vec<usize> = rows.iter().map(|&row| self.rows[row]).collect();
        let outputs = self.network.forward(pass, self.train.molecules, &rows);
        let loss = self.options.loss.mean(outputs, self.train.targets, &rows);
        Ok((loss.expect("each of these molecules has a label"), Vec::new()))
    }

    fn validate(&mut self, parameters: &mut Parameters, call: &Call<'_>) -> Result<Option<f64>> {
        let Some(valid) = self.valid else { return Ok(None) };
        let outputs = self.network.predict(parameters, valid.molecules, call)?.values;
        if outputs.iter().any(|output| !output.is_finite()) {
            return Err(Error::data(format!(
                "training diverged in epoch {}: an output is not finite; lower the learning rate, or standardize the \
                 features",
                self.values.len() + 1
            )));
        }
        let value = self.options.selection.value(&outputs, valid.targets, self.options.loss);
        self.values.extend(value);
        Ok(value)
    }
}

impl Selection {
    /// Value of the criterion, lower is better; `None` without labels.
    fn value(self, outputs: &[f32], targets: &Targets, loss: Loss) -> Option<f64> {
        let score = |metric| {
            mean_defined(&score_tasks(
                metric,
                Scoring::Probability,
                targets.values(),
                outputs,
                targets.tasks(),
            ))
        };
        let score = match (self, loss) {
            (Self::Loss, _) => None,
            (Self::Score, Loss::BinaryCrossEntropy) => score(Metric::RocAuc).map(|area| -area),
            (Self::Score, Loss::Absolute | Loss::Squared) => score(Metric::Mae),
        };
        score.or_else(|| mean_loss(outputs, targets, loss))
    }
}

fn mean_loss(outputs: &[f32], targets: &Targets, loss: Loss) -> Option<f64> {
    let labelled = outputs.iter().zip(targets.values()).filter(|(_, label)| !label.is_nan());
    let losses: f64 = labelled
        .map(|(&output, &label)| (f64::from(output), f64::from(label)))
        .map(|(output, label)| match loss {
            Loss::BinaryCrossEntropy => output.max(0.0) - output * label + (-output.abs()).exp().ln_1p(),
            Loss::Absolute => (output - label).abs(),
            Loss::Squared => (output - label).powi(2),
        })
        .sum();
    let count = targets.count();
    (count > 0).then(|| losses / count as f64)
}

#[cfg(test)]
mod tests;
