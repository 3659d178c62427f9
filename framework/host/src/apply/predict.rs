//! Trains a method on a dataset and predicts molecules that are not in it.
//!
//! The new molecules form the test part, without labels, so everything runs as it does for cells: confined
//! workers, tuning on the validation molecules, ensembles. The steps are stored; nothing is scored.

use std::{collections::BTreeSet, path::Path, sync::atomic::AtomicBool};

use molarena_chem::Molecule;
use molarena_data::{RowFailure, SmilesInput};
use parquet::data_type::FloatType;

use crate::{
    apply::{
        embed::partial_path,
        learn::{HeldOut, Learning, join, learn},
    },
    arena::Arena,
    error::{Error, Result},
    execute::event::Observer,
    files::parquet::{ParquetFile, column, rows_and_smiles, rows_smiles_and},
    request::limits::Limits,
};

/// Rows read at a time.
const CHUNK: usize = 1 << 14;

/// What to train on, and what to predict.
#[derive(Debug)]
pub struct Prediction<'a> {
    /// Id of the training dataset in the arena's catalog.
    pub dataset: &'a str,
    /// Name of the method, or path of its file.
    pub method: &'a str,
    /// Seed of the method.
    pub seed: u64,
    /// CSV, one SMILES per line, or Parquet; `-` is standard input.
    pub input: &'a Path,
    /// Name of the SMILES column of `input`; if `None`, the column is recognised by its name.
    pub smiles: Option<&'a str>,
    /// The device, if it is not the method's own.
    pub device: Option<String>,
}

/// Predictions of new molecules.
#[derive(Clone, Debug)]
pub struct Predicted {
    /// `[t]`: names of the tasks.
    pub tasks: Vec<String>,
    /// `[n]`: SMILES in the order of the input.
    pub smiles: Vec<String>,
    /// `[n, t]`, row-major: probabilities of the positive class, or values in the labels' units; NaN in
    /// unreadable rows.
    pub values: Vec<f32>,
    /// Rows of the input that cannot be read.
    pub failures: Vec<RowFailure>,
}

/// Trains the method and predicts the new molecules. Adds a dataset of the training and new molecules to the
/// catalog of `arena`; its store keeps the fit.
///
/// # Errors
/// Errors of reading `input`, planning and execution; [`Error::MethodFailed`] if the method gives no
/// predictions; [`Error::Features`] if it needs companion vectors, which new molecules lack.
pub fn predict(
    arena: &mut Arena,
    prediction: &Prediction<'_>,
    limits: Limits,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<(Predicted, HeldOut)> {
    let smiles = read_smiles(prediction.input, prediction.smiles)?;
    // The molecules are parsed with those of the dataset; here only until one is found.
    let mut unreadable = smiles.iter().map(|smiles| Molecule::parse(smiles).err());
    if let Some(Some(first)) = unreadable.next()
        && unreadable.all(|error| error.is_some())
    {
        return Err(no_molecules(prediction.input, smiles.len(), first.to_string()));
    }
    let (joined, held_out) = join(arena, prediction.dataset, &smiles)?;
    let tasks = joined.dataset.tasks.clone();
    let known = joined.dataset.len() - smiles.len();
    let Prediction { dataset, method, seed, .. } = *prediction;
    let learning = Learning { dataset, method, seed, device: prediction.device.clone(), keep: false };
    let learnt = learn(arena, joined, learning, limits, interrupted, observer)?;
    let (_, _, values) = arena.store.matrix(&learnt.record, "test.npy")?;
    let failures =
        learnt.unparsed.into_iter().map(|failure| RowFailure { row: failure.row - known, ..failure });
    Ok((Predicted::of_rows(tasks, smiles, failures.collect(), &values), held_out))
}

/// Reads the SMILES of an input.
///
/// # Errors
/// Errors of reading; the input has no rows.
pub(super) fn read_smiles(path: &Path, column: Option<&str>) -> Result<Vec<String>> {
    let mut input = SmilesInput::open(path, column).map_err(|error| match error {
        // This option is the training table's; the input has another one.
        molarena_data::Error::NoSmilesColumn { path, present } => Error::NoInputColumn { path, present },
        other => other.into(),
    })?;
    let mut smiles = Vec::new();
    loop {
        let chunk = input.next_chunk(CHUNK)?;
        if chunk.is_empty() {
            break;
        }
        smiles.extend(chunk);
    }
    if smiles.is_empty() {
        return Err(no_molecules(path, 0, "there are no rows".to_owned()));
    }
    Ok(smiles)
}

/// The error for an input without a readable molecule; `reason` is that of its first row.
pub(super) fn no_molecules(path: &Path, rows: usize, reason: String) -> Error {
    molarena_data::Error::NoMolecules { id: path.display().to_string(), rows, reason }.into()
}

impl Predicted {
    /// Spreads the predictions `[readable rows, t]` over all rows of the input; `failures` are the others.
    pub(super) fn of_rows(
        tasks: Vec<String>,
        smiles: Vec<String>,
        failures: Vec<RowFailure>,
        values: &[f32],
    ) -> Self {
        let failed: BTreeSet<usize> = failures.iter().map(|failure| failure.row - 1).collect();
        let mut rows = values.chunks(tasks.len());
        let missing = vec![f32::NAN; tasks.len()];
        let mut row = |index: usize| {
            if failed.contains(&index) { &missing } else { rows.next().unwrap_or(&missing) }
        };
        let values = (0..smiles.len()).flat_map(|index| row(index).to_vec()).collect();
        Self { tasks, smiles, values, failures }
    }

    /// Adds the task columns of `other`, which are for the same molecules.
    #[must_use]
    pub fn beside(mut self, other: Self) -> Self {
        let (left, right) = (self.values.chunks(self.tasks.len()), other.values.chunks(other.tasks.len()));
        self.values = left.zip(right).flat_map(|(left, right)| [left, right].concat()).collect();
        self.tasks.extend(other.tasks);
        self
    }

    /// Writes the columns `row`, `smiles` and one per task, as Parquet if the name ends in `.parquet`, else
    /// as CSV. The file gets its name once it is complete. Unreadable rows have no values.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Request`] if a task has the name of another column.
    pub fn write(&self, path: &Path) -> Result<()> {
        if let Some(task) = self.tasks.iter().find(|task| ["row", "smiles"].contains(&task.as_str())) {
            let message = format!("task \"{task}\" has the name of a column of the predictions; rename it");
            return Err(Error::Request(message));
        }
        let partial = partial_path(path);
        let is_parquet = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
        let written = if is_parquet { self.write_parquet(&partial) } else { self.write_csv(&partial) };
        written?;
        Ok(fs_err::rename(partial, path)?)
    }

    fn write_csv(&self, path: &Path) -> Result<()> {
        let failed = |error: csv::Error| Error::Io(error.into());
        let mut writer = csv::Writer::from_writer(fs_err::File::create(path)?);
        let header = ["row", "smiles"].into_iter().chain(self.tasks.iter().map(String::as_str));
        writer.write_record(header).map_err(failed)?;
        for (index, (smiles, values)) in
            self.smiles.iter().zip(self.values.chunks(self.tasks.len())).enumerate()
        {
            let text = |value: &f32| if value.is_nan() { String::new() } else { value.to_string() };
            let record = [(index + 1).to_string(), smiles.clone()];
            writer.write_record(record.into_iter().chain(values.iter().map(text))).map_err(failed)?;
        }
        Ok(writer.flush()?)
    }

    fn write_parquet(&self, path: &Path) -> Result<()> {
        let mut file = ParquetFile::create(path, rows_smiles_and(&self.tasks))?;
        let rows: Vec<i64> = (1..=self.smiles.len() as i64).collect();
        let width = self.tasks.len();
        file.group(|group| {
            rows_and_smiles(group, &rows, &self.smiles)?;
            for task in 0..width {
                let all = || self.values.iter().skip(task).step_by(width);
                let known: Vec<f32> = all().copied().filter(|value| !value.is_nan()).collect();
                let levels: Vec<i16> = all().map(|value| i16::from(!value.is_nan())).collect();
                column::<FloatType>(group, &known, Some(&levels), None)?;
            }
            Ok(())
        })?;
        file.finish()
    }
}
