//! Training that survives a kill: it resumes from a checkpoint after each epoch and reaches the same weights as without
//! the kill.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

use burn::tensor::Tensor;
use molarena_sdk::{Call, Error, Result};
use serde::{Deserialize, Serialize};

use crate::{Arrays, Optimiser, Parameters, Pass, Random, Slots};

/// Training parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// Learning rate of Adam in the first epoch.
    pub learning_rate: f64,
    /// Schedule of the learning rate.
    pub schedule: Schedule,
    /// Weight decay of Adam, which is added to the gradient.
    pub weight_decay: f64,
    /// Number of rows in a batch, at least 2.
    pub batch_size: usize,
    /// Number of passes over the rows, at least 1.
    pub epochs: usize,
    /// Number of epochs without a smaller validation loss after which training ends; 0: never. It needs validation
    /// rows.
    pub patience: usize,
}

/// Schedule of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// Stays constant.
    Constant,
    /// Falls along half a cosine to 0 (Loshchilov and Hutter 2017, without restarts).
    Cosine,
    /// Rises in a line from a tenth to the whole over this share of all steps, then falls exponentially to a tenth: the
    /// schedule of chemprop, after Vaswani et al. 2017.
    WarmUp(f64),
}

impl Schedule {
    /// The learning rate after the share `done` of all steps, in [0, 1).
    pub fn rate(self, learning_rate: f64, done: f64) -> f64 {
        match self {
            Self::Constant => learning_rate,
            Self::Cosine => learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            Self::WarmUp(share) if done < share => learning_rate * (0.1 + 0.9 * done / share),
            Self::WarmUp(share) => learning_rate * 0.1f64.powf((done - share) / (1.0 - share)),
        }
    }
}

/// A training task: rows and their loss.
pub trait Task {
    /// Names of the parts of the loss, for the log.
    fn parts(&self) -> Vec<String>;

    /// Number of training rows, at least 2.
    fn rows(&self) -> usize;

    /// Number of turns of a step, each with a loss and an update of its own.
    fn turns(&self) -> usize {
        1
    }

    /// Whether the parameter called `name` is updated in a turn.
    fn takes(&self, _turn: usize, _name: &str) -> bool {
        true
    }

    /// Prepares an epoch. It is called before the epoch's first step, in the order of the epochs, and again for the
    /// first epoch after a kill.
    fn start_epoch(&mut self, epoch: usize, random: &mut Random) -> Result<()>;

    /// The loss of training rows in a turn, which training minimises, and, of the first turn, its parts (`None` for a part
    /// without a target); each `f32[1]`.
    fn loss(
        &mut self,
        pass: &mut Pass<'_>,
        rows: &[usize],
        turn: usize,
    ) -> Result<(Tensor<1>, Vec<Option<Tensor<1>>>)>;

    /// Follows all turns of a step.
    fn after_step(&mut self, _parameters: &mut Parameters) -> Result<()> {
        Ok(())
    }

    /// Weights that training starts from, by the names of their parameters; those without are random.
    fn start(&self) -> Arrays {
        Arrays::default()
    }

    /// Factor of the learning rate of the parameter called `name`.
    fn rate(&self, _name: &str) -> f64 {
        1.0
    }

    /// What a task changes from step to step, for checkpoints.
    fn state(&self) -> Arrays {
        Arrays::default()
    }

    /// Restores what [`state`](Self::state) returned.
    fn restore(&mut self, _state: Arrays) -> Result<()> {
        Ok(())
    }

    /// The mean loss of the validation rows; `None` if there are none.
    fn validate(&mut self, parameters: &mut Parameters, call: &Call<'_>) -> Result<Option<f64>>;
}

/// The results of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Learning rate of its first step.
    pub learning_rate: f64,
    /// Mean loss of the steps.
    pub loss: f64,
    /// Mean of each part over the steps in which it had a target.
    pub parts: Vec<Option<f64>>,
    /// Loss of the validation rows.
    pub valid_loss: Option<f64>,
    /// Duration in seconds.
    pub seconds: f64,
}

/// Purposes of random streams.
const WEIGHTS: u64 = 10;
const ORDER: u64 = 11;
const DROPOUT: u64 = 12;
const ROWS: u64 = 13;

const CHECKPOINT: &str = "checkpoint.safetensors";
const LOG: &str = "training.csv";
const STATE: &str = "training";
const BEST: &str = "best.";
const TASK: &str = "task.";

/// Trains the network of `slots` from random weights, or those of the task's [start](Task::start), and returns its weights: those of the epoch with the smallest
/// validation loss, or of the last epoch without validation rows.
///
/// If `call` has a folder, it writes `checkpoint.safetensors` and `training.csv` there after each epoch. A later call
/// with the same `identity` resumes from the checkpoint, which is removed at the end.
pub fn train(
    task: &mut impl Task,
    slots: &Slots,
    training: &Training,
    identity: &str,
    call: &Call<'_>,
) -> Result<Arrays> {
    let device = crate::device(call.device)?.autodiff();
    let mut run = Run::start(task, slots, training, identity, &device, call)?;
    for epoch in run.state.epochs.len()..training.epochs {
        if run.has_stopped(training) {
            break;
        }
        let started = Instant::now();
        let mut outcome = run.epoch(task, training, epoch, call)?;
        outcome.valid_loss = task.validate(&mut run.parameters, call)?;
        outcome.seconds = started.elapsed().as_secs_f64();
        let text = describe(epoch, training.epochs, &outcome);
        run.finish_epoch(outcome, task)?;
        call.progress((epoch + 1) as f64 / training.epochs as f64, &text);
    }
    run.end()
}

fn describe(epoch: usize, epochs: usize, outcome: &Epoch) -> String {
    let valid = outcome.valid_loss.map_or_else(String::new, |loss| format!(", validation {loss:.4}"));
    format!("epoch {} of {epochs}, loss {:.4}{valid}", epoch + 1, outcome.loss)
}

/// The contents of a checkpoint apart from arrays.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    identity: String,
    /// Number of steps that each parameter took.
    steps: BTreeMap<String, usize>,
    epochs: Vec<Epoch>,
    best: usize,
}

/// A training in progress.
struct Run {
    folder: Option<PathBuf>,
    seed: u64,
    parameters: Parameters,
    optimiser: Optimiser,
    best: Arrays,
    state: State,
}

impl Run {
    fn start(
        task: &mut impl Task,
        slots: &Slots,
        training: &Training,
        identity: &str,
        device: &burn::tensor::Device,
        call: &Call<'_>,
    ) -> Result<Self> {
        let mut weights = slots.random(&mut Random::of(call.seed, 0, WEIGHTS));
        weights.arrays.extend(task.start().arrays);
        let mut run = Self {
            folder: call.folder.map(Path::to_owned),
            seed: call.seed,
            parameters: Parameters::take(slots, &mut weights, device)?,
            optimiser: Optimiser::new(training.weight_decay as f32),
            best: Arrays::default(),
            state: State {
                identity: identity.to_owned(),
                steps: BTreeMap::new(),
                epochs: Vec::new(),
                best: 0,
            },
        };
        if let Some(path) = run.folder.as_deref().map(|folder| folder.join(CHECKPOINT))
            && path.exists()
        {
            run.resume(&path, task, slots, device)?;
        }
        Ok(run)
    }

    /// Resumes from a checkpoint if it belongs to this training.
    fn resume(
        &mut self,
        path: &Path,
        task: &mut impl Task,
        slots: &Slots,
        device: &burn::tensor::Device,
    ) -> Result<()> {
        let fault = |message: String| {
            Error::data(format!("{}: {message}; remove the file to train from the start", path.display()))
        };
        let bytes = fs_err::read(path).map_err(|error| Error::io(error.to_string()))?;
        let mut arrays = Arrays::from_safetensors(&bytes).map_err(|error| fault(error.message))?;
        let text = arrays.notes.remove(STATE).ok_or_else(|| fault("it is no checkpoint".into()))?;
        let state: State = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
        if state.identity != self.state.identity {
            return Err(fault("it is the checkpoint of another training".into()));
        }
        self.parameters =
            Parameters::take(slots, &mut arrays, device).map_err(|error| fault(error.message))?;
        self.optimiser
            .load(&self.parameters, &mut arrays, &state.steps)
            .map_err(|error| fault(error.message))?;
        let mut of_task = Arrays::default();
        for (name, array) in arrays.arrays {
            if let Some(name) = name.strip_prefix(BEST) {
                self.best.arrays.insert(name.to_owned(), array);
            } else if let Some(name) = name.strip_prefix(TASK) {
                of_task.arrays.insert(name.to_owned(), array);
            }
        }
        task.restore(of_task).map_err(|error| fault(error.message))?;
        self.state = state;
        Ok(())
    }

    fn has_stopped(&self, training: &Training) -> bool {
        let done = self.state.epochs.len();
        training.patience > 0
            && self.state.epochs.last().is_some_and(|epoch| epoch.valid_loss.is_some())
            && done - 1 - self.state.best >= training.patience
    }

    fn epoch(
        &mut self,
        task: &mut impl Task,
        training: &Training,
        epoch: usize,
        call: &Call<'_>,
    ) -> Result<Epoch> {
        let stream = |purpose| Random::of(self.seed, epoch as u64, purpose);
        task.start_epoch(epoch, &mut stream(ROWS))?;
        let order = stream(ORDER).order(task.rows());
        let mut dropout = stream(DROPOUT);
        let batches: Vec<&[usize]> = batches(&order, training.batch_size).collect();
        let mut sum = 0.0;
        let mut parts = vec![(0.0, 0usize); task.parts().len()];
        for (step, rows) in batches.iter().enumerate() {
            call.check()?;
            let done = (epoch as f64 + step as f64 / batches.len() as f64) / training.epochs as f64;
            let rate = training.schedule.rate(training.learning_rate, done);
            let (mut read, mut values) = (Vec::new(), Vec::new());
            for turn in 0..task.turns() {
                let mut pass = Pass::train(&mut self.parameters, &mut dropout);
                let (loss, parts) = task.loss(&mut pass, rows, turn)?;
                // Waits for the device once, at the end of the step.
                read.insert(turn, loss.clone().inner());
                if turn == 0 {
                    read.extend(parts.iter().flatten().map(|value| value.clone().inner()));
                    values = parts;
                }
                let rate_of = |name: &str| task.takes(turn, name).then(|| rate * task.rate(name));
                if self.parameters.trained().any(|(name, _)| task.takes(turn, name)) {
                    self.optimiser.step(&mut self.parameters, &mut loss.backward(), rate_of)?;
                }
            }
            task.after_step(&mut self.parameters)?;
            let mut read = numbers(read).into_iter();
            for (turn, value) in read.by_ref().take(task.turns()).enumerate() {
                if !value.is_finite() {
                    return Err(Error::data(format!(
                        "training diverged in epoch {}: the loss is {value}; lower the learning rate",
                        epoch + 1
                    )));
                }
                if turn == 0 {
                    sum += value;
                }
            }
            let present = parts.iter_mut().zip(&values).filter(|(_, value)| value.is_some());
            for (((total, count), _), value) in present.zip(read) {
                *total += value;
                *count += 1;
            }
            let text =
                format!("epoch {} of {}, step {} of {}", epoch + 1, training.epochs, step + 1, batches.len());
            call.progress(done, &text);
        }
        Ok(Epoch {
            learning_rate: training
                .schedule
                .rate(training.learning_rate, epoch as f64 / training.epochs as f64),
            loss: sum / batches.len() as f64,
            parts: parts.iter().map(|&(total, count)| (count > 0).then(|| total / count as f64)).collect(),
            valid_loss: None,
            seconds: 0.0,
        })
    }

    fn finish_epoch(&mut self, outcome: Epoch, task: &impl Task) -> Result<()> {
        let number = self.state.epochs.len();
        let best = self.state.epochs.get(self.state.best).and_then(|epoch| epoch.valid_loss);
        if let Some(loss) = outcome.valid_loss
            && best.is_none_or(|best| loss < best)
        {
            (self.state.best, self.best) = (number, self.parameters.arrays());
        }
        self.state.epochs.push(outcome);
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut arrays = self.parameters.arrays();
        self.state.steps = self.optimiser.save(&self.parameters, &mut arrays);
        for (name, array) in &self.best.arrays {
            arrays.arrays.insert(format!("{BEST}{name}"), array.clone());
        }
        for (name, array) in task.state().arrays {
            arrays.arrays.insert(format!("{TASK}{name}"), array);
        }
        let state = serde_json::to_string(&self.state).expect("plain data");
        arrays.notes.insert(STATE.to_owned(), state);
        replace(&folder.join(CHECKPOINT), &arrays.to_safetensors()?)?;
        replace(&folder.join(LOG), log(&task.parts(), &self.state.epochs).as_bytes())
    }

    fn end(self) -> Result<Arrays> {
        if let Some(folder) = &self.folder {
            let path = folder.join(CHECKPOINT);
            if path.exists() {
                fs_err::remove_file(path).map_err(|error| Error::io(error.to_string()))?;
            }
        }
        Ok(if self.best.arrays.is_empty() { self.parameters.arrays() } else { self.best })
    }
}

/// Reads several numbers, each `f32[1]`, at once.
fn numbers(tensors: Vec<Tensor<1>>) -> Vec<f64> {
    let numbers: Vec<f32> = Tensor::cat(tensors, 0).into_data().try_into_vec().expect("losses are f32");
    numbers.into_iter().map(f64::from).collect()
}

/// The epochs as CSV.
fn log(parts: &[String], epochs: &[Epoch]) -> String {
    let mut text = format!("epoch,learning_rate,loss,{},valid_loss,seconds\n", parts.join(","));
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for (index, epoch) in epochs.iter().enumerate() {
        let parts: Vec<String> = epoch.parts.iter().map(|&part| number(part)).collect();
        let line = writeln!(
            text,
            "{},{},{},{},{},{:.3}",
            index + 1,
            epoch.learning_rate,
            epoch.loss,
            parts.join(","),
            number(epoch.valid_loss),
            epoch.seconds
        );
        line.expect("a String takes every write");
    }
    text
}

/// Writes a file under a temporary name, syncs it and renames it: after a kill either the old or the new file exists.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    let temporary = path.with_extension("tmp");
    let write = || {
        let mut file = fs_err::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs_err::rename(&temporary, path)
    };
    write().map_err(|error| Error::io(error.to_string()))
}

/// Splits `order` into parts of `size`. A last part with a single row joins the previous one, since a batch norm needs
/// a variance.
pub fn batches(order: &[usize], size: usize) -> impl Iterator<Item = &[usize]> {
    let count = order.len();
    let parts = if count % size == 1 && count > 1 { count / size } else { count.div_ceil(size) };
    let end = move |part| if part + 1 == parts { count } else { (part + 1) * size };
    (0..parts).map(move |part| &order[part * size..end(part)])
}

#[cfg(test)]
mod tests;
