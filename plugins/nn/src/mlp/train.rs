//! Training with early stopping.

use burn::{module::Module, optim::GradientsParams, tensor::Device};
use molarena_metrics::{Metric, Scoring, mean_defined, score_tasks};
use molarena_sdk::{Call, Error, Result};

use super::{
    network::{Mlp, predict},
    weights::{Architecture, Weights},
};
use crate::{Features, Loss, Random, Targets, adam, training::batches};

/// Training parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// Learning rate of Adam.
    pub learning_rate: f64,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The smallest mean loss.
    Loss,
    /// The best mean score of the tasks: area under the ROC curve or mean absolute error. If no task has a score, the
    /// loss.
    Score,
}

/// Molecules with labels.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// Features.
    pub features: &'a Features,
    /// Labels, on the scale of the network's outputs.
    pub targets: &'a Targets,
}

/// A trained network.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Weights of the best epoch; of the last epoch without validation labels.
    pub weights: Weights,
    /// Value of the criterion after each epoch, lower is better; `None` where it is not defined.
    pub values: Vec<Option<f64>>,
    /// Number of the epoch of these weights, from 0.
    pub best: usize,
}

/// Purposes of random streams.
const WEIGHTS: u64 = 0;
const ORDER: u64 = 1;
const DROPOUT: u64 = 2;

/// Trains a network; `seed` and `member` determine its initial weights, the order of the molecules and the dropout. It
/// returns the weights of the epoch that was best on the validation molecules, which have no other use. After each
/// epoch it calls `epoch` with the epoch's number.
pub fn train(
    architecture: &Architecture,
    training: &Training,
    (train, valid): (Data<'_>, Option<Data<'_>>),
    (seed, member): (u64, u64),
    device: &Device,
    call: &Call<'_>,
    mut epoch: impl FnMut(usize),
) -> Result<Trained> {
    let stream = |purpose| Random::of(seed, member, purpose);
    let learner = device.clone().autodiff();
    let start = Weights::random(architecture, &mut stream(WEIGHTS));
    let mut network = Mlp::new(architecture, &start, &learner)?;
    let mut optimiser = adam(training.weight_decay as f32);
    let (mut order, mut dropout) = (stream(ORDER), stream(DROPOUT));
    let mut trained = Trained { weights: start, values: Vec::new(), best: 0 };
    for number in 0..training.max_epochs {
        for batch in batches(&order.order(train.features.rows()), training.batch_size) {
            call.check()?;
            let input = train.features.batch(batch, 0, &learner);
            let output = network.forward(&input, Some(&mut dropout));
            let Some(loss) = training.loss.mean(output, train.targets, batch) else { continue };
            check_finite(&[loss.clone().into_scalar()], number)?;
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimiser.step(training.learning_rate, network, gradients);
        }
        let value = match valid {
            Some(valid) => {
                let outputs = predict(&network.valid(), valid.features, device, call)?;
                check_finite(&outputs.values, number)?;
                training.selection.value(&outputs.values, valid.targets, training.loss)
            }
            None => None,
        };
        trained.values.push(value);
        epoch(number);
        let best = trained.values[trained.best];
        // Without labels for the choice, each epoch replaces the previous one.
        if number == 0 || value.is_none_or(|value| best.is_none_or(|best| value < best)) {
            (trained.best, trained.weights) = (number, network.weights());
        } else if number - trained.best >= training.patience {
            break;
        }
    }
    Ok(trained)
}

fn check_finite(values: &[f32], epoch: usize) -> Result<()> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(Error::data(format!(
        "training diverged in epoch {epoch}: the loss or an output is not finite; lower the learning rate, or \
         standardize the features"
    )))
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
            (Self::Score, Loss::Absolute) => score(Metric::Mae),
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
        })
        .sum();
    let count = targets.count();
    (count > 0).then(|| losses / count as f64)
}

#[cfg(test)]
mod tests;
