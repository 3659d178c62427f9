//! Several networks of one shape that predict together, and the tasks that need none.

use molarena_sdk::{
    Call, Error, Hooks, Labels, Matrix, Result, TaskKind,
    targets::{Targets as Labelled, gather, without_labels},
};
use serde::{Deserialize, Serialize};

use super::{Data, Options, Predictor, train};
use crate::{Arrays, Targets, with_threads};

/// The trained networks, whose predictions are averaged. A task whose training labels are all equal predicts that label; a task
/// without labels predicts 0.5 or 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Members<P> {
    tasks: Vec<Task>,
    /// The networks' shape and the weights of each; `None` if no task needs a network.
    pub networks: Option<(P, Vec<Arrays>)>,
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
    fn of(targets: &Labelled, kind: TaskKind, task: usize, call: &Call<'_>) -> Self {
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

impl<P: Predictor> Members<P> {
    /// Trains networks one after the other, on the threads of `call`. `network` makes the shape for this number of outputs. `plan` has
    /// the options, the number of networks, and the number of epochs without validation. `molecules` and `labels` are those of training
    /// and of validation, which chooses the epoch.
    pub fn fit<'m>(
        network: impl FnOnce(usize) -> P + Send,
        plan: (&Options, usize, usize),
        molecules: (&P::Molecules<'m>, Option<&P::Molecules<'m>>),
        labels: (&Labels<'_>, &Labels<'_>),
        call: &Call<'_>,
    ) -> Result<Self> {
        with_threads(call, || Self::fit_here(network, plan, molecules, labels, call))?
    }

    fn fit_here<'m>(
        network: impl FnOnce(usize) -> P,
        (options, members, epochs_without_validation): (&Options, usize, usize),
        (molecules, valid): (&P::Molecules<'m>, Option<&P::Molecules<'m>>),
        (labels, valid_labels): (&Labels<'_>, &Labels<'_>),
        call: &Call<'_>,
    ) -> Result<Self> {
        let kind = labels.kind;
        let rows = P::count(molecules);
        let targets = gather(labels, rows)?;
        let tasks: Vec<Task> =
            (0..).zip(&targets).map(|(task, targets)| Task::of(targets, kind, task, call)).collect();
        let mut this = Self { tasks, networks: None };
        let outputs = this.tasks.iter().filter(|task| task.has_output()).count();
        if outputs == 0 {
            return Ok(this);
        }
        let targets = this.targets(&targets, rows);
        let valid = match valid {
            Some(valid) => {
                let rows = P::count(valid);
                let targets = this.targets(&gather(valid_labels, rows)?, rows);
                (targets.count() > 0).then_some((valid, targets))
            }
            None => None,
        };
        let mut options = options.clone();
        if valid.is_none() {
            options.max_epochs = epochs_without_validation;
        }
        let network = network(outputs);
        let mut weights = Vec::with_capacity(members);
        for number in 0..members {
            let hooks = Member { call, number, members };
            // Each member has random streams of its own; nobody resumes one.
            let seed = call.seed.wrapping_add((number as u64) << 32);
            let call = Call { seed, folder: None, ..call.with_hooks(&hooks) };
            let valid = valid.as_ref().map(|(molecules, targets)| Data { molecules: *molecules, targets });
            let data = (Data { molecules, targets: &targets }, valid);
            weights.push(train(&network, &options, data, &call)?.weights);
        }
        this.networks = Some((network, weights));
        Ok(this)
    }

    /// Labels of the tasks that have an output, on the scale of the network's output.
    fn targets(&self, targets: &[Labelled], rows: usize) -> Targets {
        let with_output = || self.tasks.iter().zip(targets).filter(|(task, _)| task.has_output());
        let outputs = with_output().count();
        let mut values = vec![f32::NAN; rows * outputs];
        for (output, (task, targets)) in with_output().enumerate() {
            for (&row, &label) in targets.rows.iter().zip(&targets.values) {
                values[row as usize * outputs + output] = task.encode(label);
            }
        }
        Targets::new(outputs, values)
    }

    /// Number of tasks.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Predictions, `f32[n, tasks]`: probabilities or numbers.
    pub fn predict(&self, molecules: &P::Molecules<'_>, call: &Call<'_>) -> Result<Matrix> {
        with_threads(call, || self.predict_here(molecules, call))?
    }

    fn predict_here(&self, molecules: &P::Molecules<'_>, call: &Call<'_>) -> Result<Matrix> {
        let mut outputs = Vec::new();
        if let Some((network, members)) = &self.networks {
            let device = crate::device(call.device)?;
            for (done, weights) in members.iter().enumerate() {
                let mut parameters = network.load(weights, &device)?;
                outputs.push(network.predict(&mut parameters, molecules, call)?);
                call.progress((done + 1) as f64 / members.len() as f64, "predicting");
            }
        }
        let rows = P::count(molecules);
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

    /// Rejects stored networks whose parts do not fit together.
    pub fn check(&self) -> Result<()> {
        let outputs = self.tasks.iter().filter(|task| task.has_output()).count();
        match &self.networks {
            None if outputs == 0 => Ok(()),
            Some((network, members)) if network.outputs() == outputs && !members.is_empty() => {
                members.iter().try_for_each(|weights| network.check(weights))
            }
            _ => Err(Error::data("state of the network is damaged: tasks and outputs do not fit")),
        }
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
