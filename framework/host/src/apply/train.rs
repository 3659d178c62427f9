//! Trains a method on a dataset and saves the model: a folder with `model.json` and the states of its
//! components.

use std::{path::Path, sync::atomic::AtomicBool};

use molarena_data::TaskType;
use molarena_features::FeatureSpec;
use molarena_record::{
    parts::ComponentUse,
    step::{Kind, StepRecord},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    apply::{
        embed::partial_path,
        learn::{HeldOut, Learning, join, learn},
    },
    arena::Arena,
    error::{Error, Result},
    execute::event::Observer,
    plan::{step::Step, steps::combine::WEIGHTS},
    request::{
        limits::Limits,
        method::{Beside, Encoded},
    },
};

/// Schema name of `model.json`.
pub const MODEL_SCHEMA: &str = "molarena.model/1";

/// A trained method: the content of `model.json`. File names are relative to its folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedModel {
    /// [`MODEL_SCHEMA`].
    pub schema: String,
    /// Name of the method.
    pub method: String,
    /// Id of the training dataset.
    pub dataset: String,
    /// sha256 of the dataset's file.
    pub data_sha256: String,
    /// Names of the tasks.
    pub tasks: Vec<String>,
    /// Classification or regression.
    pub task_type: TaskType,
    /// Chemistry version that computed the features.
    pub chemistry: String,
    /// The one model, or the members of an ensemble.
    pub members: Vec<TrainedMember>,
    /// The weight of each member, if they were chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f32>>,
}

/// One fitted model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedMember {
    /// Name of its method.
    pub method: String,
    /// The features computed for each molecule.
    pub features: FeatureSpec,
    /// The encoder whose vectors the baseline gets, if the method has one.
    pub encoder: Option<TrainedComponent>,
    /// What stands beside the encoder's vectors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub join: Vec<TrainedBeside>,
    /// The baseline, with its chosen configuration; or the encoder that was fine-tuned, whose state has the head, too.
    pub baseline: TrainedComponent,
    /// The chosen configuration of the fine-tuning; `None` for a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finetune: Option<Value>,
    /// File of the predictions `f32[validation molecules, tasks]`, by which an ensemble scales its members.
    pub valid: String,
}

/// What stands beside an encoder's vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TrainedBeside {
    /// The vectors of another encoder.
    Encoded {
        /// The features that it gets.
        features: FeatureSpec,
        /// The encoder.
        encoder: Box<TrainedComponent>,
    },
    /// Features.
    Features(FeatureSpec),
}

/// A component and its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedComponent {
    /// The component, as records name it.
    pub used: ComponentUse,
    /// State file; `None` for an encoder that is used untrained.
    pub state: Option<String>,
    /// sha256 of that file.
    pub state_sha256: Option<String>,
    /// Seed of its calls.
    pub seed: u64,
}

/// What to train, and where to save it.
#[derive(Debug)]
pub struct Training<'a> {
    /// Id of the training dataset in the arena's catalog.
    pub dataset: &'a str,
    /// Name of the method, or path of its file.
    pub method: &'a str,
    /// Seed of the method.
    pub seed: u64,
    /// The device, if it is not the method's own.
    pub device: Option<String>,
    /// The folder to create.
    pub output: &'a Path,
}

/// Trains a method on all molecules of a dataset except the validation molecules, and writes the model's
/// folder, which gets its name once it is complete.
///
/// # Errors
/// Errors of planning and execution; [`MethodFailed`](crate::error::Error::MethodFailed) if the method fails or its
/// baseline cannot be saved; [`Io`](crate::error::Error::Io).
pub fn train(
    arena: &mut Arena,
    training: &Training<'_>,
    limits: Limits,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<(TrainedModel, HeldOut)> {
    let (joined, held_out) = join(arena, training.dataset, &[])?;
    let (tasks, task_type) = (joined.dataset.tasks.clone(), joined.dataset.task_type);
    let Training { dataset, method, seed, .. } = *training;
    let learning = Learning { dataset, method, seed, device: training.device.clone(), keep: true };
    let cell = learn(arena, joined, learning, limits, interrupted, observer)?.cell;
    let partial = partial_path(training.output);
    if partial.exists() {
        fs_err::remove_dir_all(&partial)?;
    }
    fs_err::create_dir_all(&partial)?;
    let steps: Vec<&Step> = match cell.step.kind() {
        Kind::Combine => cell.step.needs.iter().map(|step| &**step).collect(),
        _ => vec![&cell.step],
    };
    let members = steps.iter().enumerate().map(|(index, step)| member(index, step, arena, &partial));
    let model = TrainedModel {
        schema: MODEL_SCHEMA.into(),
        method: cell.method.name.clone(),
        dataset: training.dataset.to_owned(),
        data_sha256: held_out.data_sha256.clone(),
        tasks,
        task_type,
        chemistry: molarena_chem::CHEMISTRY_VERSION.into(),
        members: members.collect::<Result<_>>()?,
        weights: match cell.step.stored(arena)? {
            record if record.sha256_of(WEIGHTS).is_some() => Some(arena.store.matrix(&record, WEIGHTS)?.2),
            _ => None,
        },
    };
    let text = serde_json::to_string_pretty(&model).expect("plain data");
    fs_err::write(partial.join("model.json"), text + "\n")?;
    fs_err::rename(partial, training.output)?;
    Ok((model, held_out))
}

/// Copies the states of one fit into the model's folder.
fn member(index: usize, step: &Step, arena: &Arena, folder: &Path) -> Result<TrainedMember> {
    let record = step.stored(arena)?;
    let fit = step.work.as_fit().expect("an ensemble is made of fits");
    let copy = |record: &StepRecord, kind: Kind, file: &str, name: String| -> Result<(String, String)> {
        fs_err::copy(arena.store_of(kind).artifact(record, file)?, folder.join(&name))?;
        Ok((name, record.sha256_of(file).unwrap_or_default().to_owned()))
    };
    let encoder = |encode: &Step, name: String| -> Result<TrainedComponent> {
        let state = match (encode.needs.first(), encode.work.weights()) {
            (Some(pretrain), _) => Some(copy(&pretrain.stored(arena)?, Kind::Pretrain, "state", name)?),
            (None, Some(weights)) => {
                fs_err::copy(weights, folder.join(&name))?;
                let sha256 = molarena_data::sha256_file(weights).map_err(|error| Error::Weights {
                    path: weights.to_owned(),
                    message: error.to_string(),
                })?;
                Some((name, sha256))
            }
            (None, None) => None,
        };
        Ok(component(encode.work.components()[0].used.clone(), state, encode.seed))
    };
    let mut encodings = step.needs.iter().filter(|need| need.kind() == Kind::Encode);
    let first =
        encodings.next().map(|encode| encoder(encode, format!("encoder-{index}.state"))).transpose()?;
    let mut join = Vec::new();
    for (place, part) in fit.shared.join.iter().enumerate() {
        join.push(match part {
            Beside::Features(features) => TrainedBeside::Features(features.clone()),
            Beside::Encoded(Encoded { features, .. }) => {
                let encoding = encodings.next().expect("one for each encoder");
                let joined = encoder(encoding, format!("encoder-{index}-{}.state", place + 1))?;
                TrainedBeside::Encoded { features: features.clone(), encoder: Box::new(joined) }
            }
        });
    }
    let mut used = fit.shared.predictor.used.clone();
    let mut finetune = fit.shared.predicts.composition.finetune.clone();
    if let Some(search) = &record.search {
        *finetune.as_mut().unwrap_or(&mut used.config) = search.candidates[search.chosen].config.clone();
    }
    let state = copy(&record, Kind::Fit, "state", format!("baseline-{index}.state"))?;
    let (valid, _) = copy(&record, Kind::Fit, "valid.npy", format!("valid-{index}.npy"))?;
    Ok(TrainedMember {
        method: step.method.clone(),
        features: fit.shared.features.clone(),
        encoder: first,
        join,
        baseline: component(used, Some(state), step.seed),
        finetune,
        valid,
    })
}

fn component(used: ComponentUse, state: Option<(String, String)>, seed: u64) -> TrainedComponent {
    let (state, state_sha256) = state.unzip();
    TrainedComponent { used, state, state_sha256, seed }
}
