//! The baseline `mlp`.

use molarena_nn::{
    Arrays, Features, Loss, Targets as NetworkTargets, device,
    mlp::{Architecture, Data, Options, train},
    with_threads,
};
use molarena_sdk::{
    Baseline, Call, Component, Error, Hooks, Info, InputKind, Inputs, Labels, Matrix, Result, TaskKind,
    state::{Header, fitted},
    targets::{Targets, gather, without_labels},
};
use serde::{Deserialize, Serialize};

use crate::{
    config::{MlpConfig, Params},
    scale::Scaler,
};

const HEADER: Header = Header { name: *b"mlp ", version: 2 };

/// A multi-layer perceptron with one output for each task.
///
/// The layers are a linear map, batch norm, GELU and dropout, followed by a linear head. The loss over the labels that
/// are not missing is binary cross-entropy for classes, and the absolute error of standardised labels for numbers; the
/// optimiser is Adam. The validation molecules choose the epoch. A task whose training labels are all equal predicts
/// that label; a task without labels predicts 0.5 or 0.
#[derive(Debug)]
pub struct Perceptron {
    params: Params,
    model: Option<Model>,
}

/// The trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    scaler: Scaler,
    tasks: Vec<Task>,
    /// `None` if no task needs a network.
    networks: Option<(Architecture, Vec<Arrays>)>,
}

/// The predictor of a task.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Task {
    /// The same value for all molecules.
    Constant(f32),
    /// The probability of class 1 from the network's next output, a logit.
    Class,
    /// The network's next output times the deviation plus the mean.
    Number { mean: f64, deviation: f64 },
}

impl Task {
    fn of(targets: &Targets, kind: TaskKind, task: usize, call: &Call<'_>) -> Self {
        let Some(mean) = targets.mean() else { return Self::Constant(without_labels(kind, task, call)) };
        if targets.values.iter().all(|&value| value == targets.values[0]) {
            return Self::Constant(mean);
        }
        match kind {
            TaskKind::Classification => Self::Class,
            TaskKind::Regression => {
                let values = || targets.values.iter().copied().map(f64::from);
                let mean = values().sum::<f64>() / targets.len() as f64;
                let variance =
                    values().map(|value| (value - mean).powi(2)).sum::<f64>() / targets.len() as f64;
                Self::Number { mean, deviation: variance.sqrt() }
            }
        }
    }

    fn has_output(self) -> bool {
        !matches!(self, Self::Constant(_))
    }

    /// A label on the scale of the network's output.
    fn encode(self, label: f32) -> f32 {
        match self {
            Self::Constant(_) | Self::Class => label,
            Self::Number { mean, deviation } => ((f64::from(label) - mean) / deviation) as f32,
        }
    }

    /// A prediction from the outputs of all members.
    fn decode(self, outputs: impl ExactSizeIterator<Item = f32>) -> f32 {
        let members = outputs.len() as f64;
        match self {
            Self::Constant(value) => value,
            Self::Class => {
                (outputs.map(|output| 1.0 / (1.0 + (-f64::from(output)).exp())).sum::<f64>() / members) as f32
            }
            Self::Number { mean, deviation } => {
                (outputs.map(f64::from).sum::<f64>() / members * deviation + mean) as f32
            }
        }
    }
}

impl Component for Perceptron {
    type Config = MlpConfig;
    const INFO: Info = Info {
        id: "mlp",
        summary: "multi-layer perceptron for all tasks together, epoch chosen on validation",
        inputs: &[InputKind::Bits, InputKind::Dense],
        devices: molarena_nn::DEVICES,
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: MlpConfig) -> Result<Self> {
        Ok(Self { params: config.check()?, model: None })
    }
}

impl Baseline for Perceptron {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        valid: &Inputs<'_>,
        valid_labels: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        call.check()?;
        let (targets, valid_targets) = (gather(labels, train.rows)?, gather(valid_labels, valid.rows)?);
        let (scaler, features) = Scaler::fit(&self.params, train)?;
        let tasks: Vec<Task> =
            (0..).zip(&targets).map(|(task, targets)| Task::of(targets, labels.kind, task, call)).collect();
        let mut model = Model { scaler, tasks, networks: None };
        if model.tasks.iter().any(|task| task.has_output()) {
            let valid_features = if valid.rows == 0 { None } else { Some(model.scaler.apply(valid)?) };
            let train = (features, model.targets(&targets, train.rows));
            let valid = valid_features.map(|features| (features, model.targets(&valid_targets, valid.rows)));
            let fitted = with_threads(call, || self.params.fit(&train, valid.as_ref(), labels.kind, call))??;
            model.networks = Some(fitted);
        }
        self.model = Some(model);
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, |model| model.tasks.len())
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let model = fitted(self.model.as_ref(), "predict")?;
        let features = model.scaler.apply(inputs)?;
        with_threads(call, || model.predict(inputs.rows, &features, call))?
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model = HEADER.load(state)?;
        model.check()?;
        self.model = Some(model);
        Ok(())
    }
}

impl Params {
    /// Trains the members one after the other.
    fn fit(
        &self,
        train_data: &(Features, NetworkTargets),
        valid: Option<&(Features, NetworkTargets)>,
        kind: TaskKind,
        call: &Call<'_>,
    ) -> Result<(Architecture, Vec<Arrays>)> {
        let (features, targets) = train_data;
        let architecture = Architecture {
            inputs: features.columns(),
            hidden: self.hidden(features.columns()),
            outputs: targets.tasks(),
            batch_norm: self.batch_norm,
            dropout: self.dropout,
        };
        let valid = valid.filter(|(_, targets)| targets.count() > 0);
        let options = Options {
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            batch_size: self.batch_size,
            max_epochs: valid.map_or(self.epochs_without_validation, |_| self.max_epochs),
            patience: self.patience,
            loss: match kind {
                TaskKind::Classification => Loss::BinaryCrossEntropy,
                TaskKind::Regression => Loss::Absolute,
            },
            selection: self.selection(),
        };
        let mut members = Vec::with_capacity(self.members);
        for member in 0..self.members {
            let hooks = Member { call, number: member, members: self.members };
            // Each member has random streams of its own; nobody resumes one.
            let seed = call.seed.wrapping_add((member as u64) << 32);
            let call = Call { seed, folder: None, ..call.with_hooks(&hooks) };
            let data = |(features, targets)| Data { features, targets };
            let valid = valid.map(|(features, targets)| data((features, targets)));
            let trained = train(&architecture, &options, (data((features, targets)), valid), &call)?;
            members.push(trained.weights);
        }
        Ok((architecture, members))
    }
}

/// Passes on what the training of one member reports.
struct Member<'a> {
    call: &'a Call<'a>,
    number: usize,
    members: usize,
}

impl Hooks for Member<'_> {
    fn progress(&self, fraction: f64, message: &str) {
        let text = format!("member {} of {}, {message}", self.number + 1, self.members);
        self.call.progress((self.number as f64 + fraction) / self.members as f64, &text);
    }

    fn cancelled(&self) -> bool {
        self.call.cancelled()
    }
}

impl Model {
    /// Labels of the tasks that have an output, on the scale of the network's output.
    fn targets(&self, targets: &[Targets], rows: usize) -> NetworkTargets {
        let with_output = || self.tasks.iter().zip(targets).filter(|(task, _)| task.has_output());
        let outputs = with_output().count();
        let mut values = vec![f32::NAN; rows * outputs];
        for (output, (task, targets)) in with_output().enumerate() {
            for (&row, &label) in targets.rows.iter().zip(&targets.values) {
                values[row as usize * outputs + output] = task.encode(label);
            }
        }
        NetworkTargets::new(outputs, values)
    }

    fn predict(&self, rows: usize, features: &Features, call: &Call<'_>) -> Result<Matrix> {
        let mut outputs = Vec::new();
        if let Some((architecture, members)) = &self.networks {
            let device = device(call.device)?;
            for (done, weights) in members.iter().enumerate() {
                let mut network = architecture.load(weights, &device)?;
                outputs.push(architecture.predict(&mut network, features, call)?);
                call.progress((done + 1) as f64 / members.len() as f64, "predicting");
            }
        }
        let mut predictions = Matrix::zeros(rows, self.tasks.len());
        let mut output = 0;
        for (column, task) in self.tasks.iter().enumerate() {
            for row in 0..rows {
                let members = outputs.iter().map(|member| member.values[row * member.columns + output]);
                predictions.values[row * self.tasks.len() + column] = task.decode(members);
            }
            output += usize::from(task.has_output());
        }
        Ok(predictions)
    }

    /// Rejects a stored model whose parts do not fit together.
    fn check(&self) -> Result<()> {
        let outputs = self.tasks.iter().filter(|task| task.has_output()).count();
        match &self.networks {
            None if outputs == 0 => Ok(()),
            Some((architecture, members))
                if architecture.inputs == self.scaler.columns()
                    && architecture.outputs == outputs
                    && !members.is_empty() =>
            {
                members.iter().try_for_each(|weights| architecture.check(weights))
            }
            _ => Err(Error::data("state of the network is damaged: tasks and outputs do not fit")),
        }
    }
}

#[cfg(test)]
mod tests;
