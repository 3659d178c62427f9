//! Predicts new molecules with a saved model.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use molarena_chem::{Molecule, ParseError, Parsed};
use molarena_data::{Part, RowFailure};
use molarena_features::{FeatureSpec, Features};
use molarena_record::key::canonical_json;
use molarena_sdk::InputKind;

use crate::{
    apply::{
        predict::{Predicted, no_molecules, read_smiles},
        train::{MODEL_SCHEMA, TrainedBeside, TrainedComponent, TrainedMember, TrainedModel},
    },
    arena::Arena,
    error::{Error, Result},
    files::{
        folder::Temporary,
        npy::from_npy,
        plain::{hash_stored, read_plain, read_stored},
    },
    inputs::corpus::computed_of,
    job::{self, EncodeJob, Job, JobComponent, JobFineTune, JobTask, PredictJob},
    launch,
    plan::{
        check_hidden_from,
        describe::describe,
        device::CPU,
        steps::combine::{MemberPredictions, combine},
    },
    plugin::manifest::readable,
    request::limits::Limits,
};

/// Largest prediction or vector file in bytes.
const MATRIX_LIMIT: u64 = 8 << 30;

/// New molecules and a trained model.
#[derive(Debug)]
pub struct ModelPrediction<'a> {
    /// Folder of the model.
    pub model: &'a Path,
    /// CSV, one SMILES per line, or Parquet; `-` is standard input.
    pub input: &'a Path,
    /// Name of the SMILES column of `input`; if `None`, the column is recognised by its name.
    pub smiles: Option<&'a str>,
    /// The device; `cpu` if `None`.
    pub device: Option<String>,
}

/// Reads `model.json` in a folder.
///
/// # Errors
/// [`Error::Document`] if it is missing or invalid, or has another schema or chemistry version.
pub fn load_model(folder: &Path) -> Result<TrainedModel> {
    let path = folder.join("model.json");
    let failed = |message: String| Error::Document { path: path.clone(), message };
    let text = read_stored(&path)
        .map_err(|error| failed(format!("this is no model that `molarena train` made: {error}")))?;
    let model: TrainedModel = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
    if model.schema != MODEL_SCHEMA {
        return Err(failed(format!("schema is `{}`, expected `{MODEL_SCHEMA}`", model.schema)));
    }
    if model.chemistry != molarena_chem::CHEMISTRY_VERSION {
        let message = format!("it was trained with {}; train it again", model.chemistry);
        return Err(failed(message));
    }
    Ok(model)
}

/// Predicts the molecules of the input. Workers have their job folders in the arena's store.
///
/// # Errors
/// Errors of reading the model and the input; [`Error::UnknownPlugin`] if a plugin is missing;
/// [`Error::Plugin`] if it is another build than the model's; [`Error::MethodFailed`] if a component fails.
pub fn predict_with_model(
    arena: &Arena,
    prediction: &ModelPrediction<'_>,
    limits: Limits,
    interrupted: &AtomicBool,
) -> Result<Predicted> {
    let model = load_model(prediction.model)?;
    let smiles = read_smiles(prediction.input, prediction.smiles)?;
    let Parsed { kept, molecules, failures } = Parsed::new(&smiles);
    let input = Readable { smiles: kept.iter().map(|&row| smiles[row].clone()).collect(), molecules };
    let failure = |(index, error): (usize, ParseError)| RowFailure {
        row: index + 1,
        smiles: smiles[index].clone(),
        reason: error.to_string(),
    };
    let mut failures: Vec<RowFailure> = failures.into_iter().map(failure).collect();
    if input.molecules.is_empty() {
        let first = failures.swap_remove(0);
        return Err(no_molecules(prediction.input, smiles.len(), first.reason));
    }
    let device = prediction.device.clone().unwrap_or_else(|| CPU.to_owned());
    let user = User { arena, folder: prediction.model, model: &model, limits, device, interrupted };
    let tasks = model.tasks.len();
    let mut members = Vec::new();
    for member in &model.members {
        members.push(MemberPredictions { valid: user.valid(member)?, test: user.predict(member, &input)? });
    }
    let values = if let [only] = members.as_mut_slice() {
        std::mem::take(&mut only.test)
    } else {
        let weights = model.weights.clone().unwrap_or_else(|| vec![1.0; members.len()]);
        combine(&members, &weights, tasks, model.task_type).test
    };
    Ok(Predicted::of_rows(model.tasks.clone(), smiles, failures, &values))
}

/// The readable molecules of an input.
struct Readable {
    smiles: Vec<String>,
    molecules: Vec<Molecule>,
}

/// A model in use.
struct User<'a> {
    arena: &'a Arena,
    folder: &'a Path,
    model: &'a TrainedModel,
    limits: Limits,
    device: String,
    interrupted: &'a AtomicBool,
}

impl User<'_> {
    fn failed(&self, message: String) -> Error {
        Error::MethodFailed { method: self.model.method.clone(), message }
    }

    fn valid(&self, member: &TrainedMember) -> Result<Vec<f32>> {
        let path = self.folder.join(&member.valid);
        let failed = |message: String| Error::Document { path: path.clone(), message };
        Ok(from_npy(&read_stored(&path)?).map_err(failed)?.2)
    }

    /// Predictions `[n, tasks]` of the readable molecules.
    fn predict(&self, member: &TrainedMember, input: &Readable) -> Result<Vec<f32>> {
        let computed =
            |spec: &FeatureSpec| computed_of(&self.model.dataset, &input.smiles, &input.molecules, spec);
        let vectors = |encoder: &TrainedComponent, spec: &FeatureSpec| {
            self.encode(encoder, &computed(spec)?, spec.input())
        };
        let (features, kind) = match &member.encoder {
            Some(encoder) => {
                let mut parts = vec![vectors(encoder, &member.features)?];
                for part in &member.join {
                    parts.push(match part {
                        TrainedBeside::Features(spec) => computed(spec)?,
                        TrainedBeside::Encoded { features: spec, encoder } => vectors(encoder, spec)?,
                    });
                }
                (Features::beside(&parts.iter().collect::<Vec<_>>()), InputKind::Dense)
            }
            None => (computed(&member.features)?, member.features.input()),
        };
        let state =
            self.state(&member.baseline)?.ok_or_else(|| self.failed("a baseline without a state".into()))?;
        let task = |folder: &Path, component: JobComponent| {
            let finetune = member.finetune.as_ref();
            let finetune = finetune.map(|config| JobFineTune { config: canonical_json(config), state: None });
            JobTask::Predict(PredictJob {
                baseline: JobComponent { finetune, ..component },
                state: job::relative(folder, &state),
                input: kind,
                tasks: self.model.tasks.len(),
            })
        };
        let (rows, columns, values) =
            self.run(&member.baseline, &features, Some(&state), &task, |folder| {
                job::predictions_file(folder, Part::Test)
            })?;
        if (rows, columns) != (features.rows(), self.model.tasks.len()) {
            return Err(
                self.failed(format!("{rows} x {columns} predictions of {} molecules", features.rows()))
            );
        }
        Ok(values)
    }

    fn encode(&self, encoder: &TrainedComponent, features: &Features, input: InputKind) -> Result<Features> {
        let state = self.state(encoder)?;
        let task = |folder: &Path, component: JobComponent| {
            let state = state.as_ref().map(|state| job::relative(folder, state));
            JobTask::Encode(EncodeJob { encoder: component, state, input })
        };
        let (rows, columns, values) =
            self.run(encoder, features, state.as_deref(), &task, job::vectors_file)?;
        Ok(Features::Dense { columns, values, rows })
    }

    /// The state file of a component, checked against its hash in `model.json`.
    fn state(&self, component: &TrainedComponent) -> Result<Option<PathBuf>> {
        let (Some(name), Some(sha256)) = (&component.state, &component.state_sha256) else { return Ok(None) };
        let path = fs_err::canonicalize(self.folder.join(name))?;
        if hash_stored(&path)? != *sha256 {
            let message = "these are not the bytes that `model.json` names; train the model again".into();
            return Err(Error::Document { path, message });
        }
        Ok(Some(path))
    }

    /// Runs one worker on the features and reads the matrix that it writes.
    fn run(
        &self,
        component: &TrainedComponent,
        features: &Features,
        state: Option<&Path>,
        task: &dyn Fn(&Path, JobComponent) -> JobTask,
        result: impl Fn(&Path) -> PathBuf,
    ) -> Result<(usize, usize, Vec<f32>)> {
        let store = &self.arena.store;
        let (library, id) = self.library(component)?;
        let folder = Temporary::make("job-", &store.work_dir())?;
        features.write(&job::features_file(folder.path(), Part::Test))?;
        let made = JobComponent {
            library: job::relative(folder.path(), &library),
            component: id,
            config: canonical_json(&component.used.config),
            finetune: None,
        };
        let readable: Vec<PathBuf> =
            readable(&library)?.into_iter().chain(state.map(Path::to_owned)).collect();
        let job = Job {
            envelope: job::envelope(&self.limits, &self.device, folder.path(), &readable, &[]),
            seed: component.seed,
            threads: self.limits.threads,
            task: task(folder.path(), made),
        };
        let ending = launch::run(
            &self.arena.launcher,
            &job,
            folder.path(),
            self.limits.wall,
            self.interrupted,
            &|_| (),
        )?;
        ending.result.map_err(|failure| self.failed(format!("{}: {}", failure.reason, failure.message)))?;
        let bytes = read_plain(&result(folder.path()), MATRIX_LIMIT)?;
        let (rows, columns, values) = from_npy(&bytes).map_err(|message| self.failed(message))?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(self.failed("not all values are finite".into()));
        }
        Ok((rows, columns, values))
    }

    /// Library and id of a component; the library must be the build that the model was trained with.
    fn library(&self, component: &TrainedComponent) -> Result<(PathBuf, String)> {
        let (plugin, id) = component.used.component.split_once('/').unwrap_or_default();
        let path = self.arena.plugins.find(plugin).ok_or_else(|| Error::UnknownPlugin {
            method: self.model.method.clone(),
            plugin: plugin.to_owned(),
            searched: self.arena.plugins.trace(plugin),
        })?;
        check_hidden_from(&path, self.arena)?;
        let found = describe(&self.arena.launcher, &path, &self.arena.store.work_dir())?;
        if found.identity != component.used.sha256 {
            let message = "it is another build than the one that the model was trained with; train it again, or name that build with --plugin";
            return Err(Error::Plugin { path, message: message.into() });
        }
        Ok((self.arena.store.library(&path, &found.sha256)?, id.to_owned()))
    }
}
