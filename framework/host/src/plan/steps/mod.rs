//! The kinds of steps, one file for each: what determines the outcome, what the worker gets, and how its
//! output is checked.

pub(crate) mod combine;
pub(crate) mod encode;
pub(crate) mod fit;
pub(crate) mod pretrain;
pub(crate) mod rank;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use molarena_data::Split;
use molarena_record::{
    key::FitKey,
    parts::{Composition, Cost, Reason},
    shared::Shared,
    step::{Kind, StepRecord},
};
use serde_json::Value;

use crate::{
    error::Error,
    files::{
        npy::from_npy,
        plain::{check_plain, read_plain},
    },
    inputs::dataset::ArenaDataset,
    job,
    plan::{component::Component, step::Context},
    store::Artifact,
};

/// Largest state of a component in bytes.
const STATE_LIMIT: u64 = 8 << 30;
/// Largest matrix of a worker in bytes.
const MATRIX_LIMIT: u64 = 8 << 30;

/// What a fit or an ensemble predicts, whatever the seed.
#[derive(Clone, Debug)]
pub(crate) struct Predicts {
    pub(crate) dataset: Arc<ArenaDataset>,
    pub(crate) split: Arc<Split>,
    /// sha256 of the split's index lists.
    pub(crate) split_sha256: String,
    pub(crate) composition: Shared<Composition>,
    pub(crate) shuffle_labels: bool,
}

impl Predicts {
    /// Everything that determines the predictions; `device` is a class.
    fn material(&self, seed: u64, device: &str) -> Value {
        let key = FitKey {
            composition: &self.composition,
            split_sha256: &self.split_sha256,
            tasks: &self.dataset.dataset.tasks,
            task_type: self.dataset.dataset.task_type,
            seed,
            shuffle_labels: self.shuffle_labels,
            metric: self.dataset.manifest.protocol.metric,
            device,
        };
        key.material()
    }
}

/// Bytes and values of an `.npy` file that a worker wrote. It must hold finite numbers, `rows` rows and, if
/// given, `columns` columns.
///
/// # Errors
/// Why the step made nothing: the file is not there or no matrix, has another shape, or a value that is not finite.
pub fn matrix(
    path: &Path,
    rows: usize,
    columns: Option<usize>,
) -> Result<(Vec<u8>, Vec<f32>), (Reason, String)> {
    let bytes = read_plain(path, MATRIX_LIMIT).map_err(|error| (Reason::NoResult, error.to_string()))?;
    let name = path.file_name().unwrap_or_default().display();
    let (found_rows, found_columns, values) =
        from_npy(&bytes).map_err(|message| (Reason::NoResult, format!("{name}: {message}")))?;
    let columns = columns.unwrap_or(found_columns);
    if (found_rows, found_columns) != (rows, columns) {
        let message = format!("{name}: expected {rows} x {columns}, found {found_rows} x {found_columns}");
        return Err((Reason::WrongShape, message));
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Err((Reason::NotFinite, format!("{name} has NaN or infinite values")));
    }
    Ok((bytes, values))
}

/// The state that a step's encoder starts from: that of its pretraining, or its weights.
fn start_of(encoder: &Component, context: &Context<'_>) -> Result<Option<PathBuf>, Error> {
    match context.need(Kind::Pretrain) {
        Some(record) => context.arena.store_of(Kind::Pretrain).artifact(record, "state").map(Some),
        None => Ok(encoder.weights.clone()),
    }
}

/// The state file that a worker saved.
fn state(folder: &Path) -> Result<Artifact, (Reason, String)> {
    let path = job::state_file(folder);
    check_plain(&path, STATE_LIMIT).map_err(|error| (Reason::NoResult, error.to_string()))?;
    Ok(Artifact::File(path, STATE_LIMIT))
}

/// The failure of a worker whose output does not fit its task.
fn another_question() -> (Reason, String) {
    (Reason::NoResult, "the worker answered another question".into())
}

/// The cost of a step that uses an encoder: the encoding and its own work, although other steps may share the
/// encoding.
fn with_encoding(own: Cost, needs: &[StepRecord]) -> Cost {
    let encodings = needs.iter().filter(|record| record.kind == Kind::Encode).map(|record| record.cost);
    let Some(encoding) = encodings.reduce(Cost::then) else { return own };
    let (encode_s, threads) = (encoding.wall_s, own.threads);
    Cost { encode_s, threads, workers: 0, ..encoding.then(own) }
}
