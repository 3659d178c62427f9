//! Trains a method on a dataset and predicts molecules that are not in it.
//!
//! The new molecules take the place of the test part, with labels that nobody knows, so that everything runs as in
//! [`run`](crate::execute::run()): confined workers, choice of settings on validation, ensembles. Nothing of it is kept.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use molarena_chem::Molecule;
use molarena_data::{
    Dataset, PreparedDataset, Protocol, Role, RowFailure, SmilesInput, TaskColumns,
    own::{OwnDataset, Part as OwnPart, Parts},
    sha256_hex,
};
use parquet::data_type::FloatType;

use crate::{
    arena::Arena,
    error::{Error, Result},
    execute::{RunOptions, event::Observer, execute},
    files::parquet::{ParquetFile, column, rows_and_smiles, rows_smiles_and},
    plan::{
        missing::{Missing, forget_failures},
        plan,
        select::{PlanLimits, Selection},
    },
    request::{
        limits::Limits,
        suite::{CellGroup, Seeds},
        sweep::Vary,
    },
};

/// Rows that are read at a time.
const CHUNK: usize = 1 << 14;

/// What is to be predicted.
#[derive(Debug)]
pub struct Prediction<'a> {
    /// The training dataset, in the arena's catalog.
    pub dataset: &'a str,
    /// The method, by name or as a file.
    pub method: &'a str,
    /// Seed of the method.
    pub seed: u64,
    /// CSV, lines of SMILES or Parquet; `-` is standard input.
    pub input: &'a Path,
    /// Column of SMILES in `input`.
    pub smiles: Option<&'a str>,
    /// The device, where it is not the method's own.
    pub device: Option<String>,
}

/// Predictions of new molecules.
#[derive(Clone, Debug)]
pub struct Predicted {
    /// `[t]`: names of the tasks.
    pub tasks: Vec<String>,
    /// `[n]`: SMILES of the input, in its order.
    pub smiles: Vec<String>,
    /// `[n, t]`, row-major: probabilities of a positive, or numbers in the labels' units; NaN in rows that cannot be read.
    pub values: Vec<f32>,
    /// Rows of the input that cannot be read.
    pub failures: Vec<RowFailure>,
}

/// Trains and predicts. `arena` gets a dataset that holds the training and the new molecules; its store is where workers
/// have their folders, and keeps the fit.
///
/// # Errors
/// Those of reading `input`, of planning and of running; [`Error::MethodFailed`] if the method gives no predictions;
/// [`Error::Features`] if it needs companion vectors, which new molecules do not have.
pub fn predict(
    arena: &mut Arena,
    prediction: &Prediction<'_>,
    limits: Limits,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<(Predicted, HeldOut)> {
    let input = read_input(prediction.input, prediction.smiles)?;
    let data_dir = arena.data_dir.clone();
    let (joined, held_out) = join(arena, prediction.dataset, &input.readable(), &data_dir)?;
    let tasks = joined.dataset.tasks.clone();
    let id = arena.catalog.insert_own(joined);
    let values = fit(arena, prediction, id, limits, interrupted, observer)?;
    Ok((Predicted::of_rows(tasks, input, &values), held_out))
}

/// The molecules of an input.
#[derive(Debug)]
pub(super) struct NewMolecules {
    /// `[rows]`: SMILES.
    pub(super) smiles: Vec<String>,
    /// `[rows]`: whether the row can be read.
    pub(super) there: Vec<bool>,
    /// The molecules of the rows that can be read.
    pub(super) molecules: Vec<Molecule>,
    pub(super) failures: Vec<RowFailure>,
}

impl NewMolecules {
    /// SMILES of the rows that can be read.
    pub(super) fn readable(&self) -> Vec<String> {
        let rows = self.smiles.iter().zip(&self.there);
        rows.filter(|(_, there)| **there).map(|(smiles, _)| smiles.clone()).collect()
    }
}

/// Reads and parses an input.
pub(super) fn read_input(path: &Path, column: Option<&str>) -> Result<NewMolecules> {
    let mut input = SmilesInput::open(path, column)?;
    let mut read =
        NewMolecules { smiles: Vec::new(), there: Vec::new(), molecules: Vec::new(), failures: Vec::new() };
    loop {
        let chunk = input.next_chunk(CHUNK)?;
        if chunk.is_empty() {
            break;
        }
        for (smiles, result) in chunk.iter().zip(molarena_chem::parse_all(&chunk)) {
            read.there.push(result.is_ok());
            match result {
                Ok(molecule) => read.molecules.push(molecule),
                Err(error) => {
                    let (row, reason) = (read.there.len(), error.to_string());
                    read.failures.push(RowFailure { row, smiles: smiles.clone(), reason });
                }
            }
        }
        read.smiles.extend(chunk);
    }
    if read.molecules.is_empty() {
        let first = read.failures.first();
        let reason = first.map_or_else(|| "there are no rows".to_owned(), |first| first.reason.clone());
        let (id, rows) = (path.display().to_string(), read.smiles.len());
        return Err(molarena_data::Error::NoMolecules { id, rows, reason }.into());
    }
    Ok(read)
}

/// Which molecules of a dataset a method learns from, and which it chooses its settings with.
#[derive(Clone, Debug)]
pub struct HeldOut {
    /// Molecules that the method learns from.
    pub train: usize,
    /// Molecules that are held out, for it to choose its settings with.
    pub valid: usize,
    /// How they are chosen: by scaffold, unless there are too few of them.
    pub by: Protocol,
    /// Molecules of the dataset that cannot be read.
    pub unparsed: usize,
    /// sha256 of the dataset's file.
    pub data_sha256: String,
}

/// The molecules of a dataset with their labels, followed by new ones without any, which are the test part.
pub(super) fn join(
    arena: &Arena,
    id: &str,
    new: &[String],
    data_dir: &Path,
) -> Result<(OwnDataset, HeldOut)> {
    let mut manifest = arena.catalog.get(id)?.clone();
    let known = PreparedDataset::new(arena.catalog.dataset(id, data_dir)?)?;
    let mut by = Protocol::Scaffold;
    let mut split = by.split(&known.scaffolds, 0);
    if split.valid.is_empty() {
        by = Protocol::Random;
        split = by.split(&known.scaffolds, 0);
    }
    let held_out = HeldOut {
        train: split.train.len() + split.test.len(),
        valid: split.valid.len(),
        by,
        unparsed: known.failures.len(),
        data_sha256: known.dataset.sha256.clone(),
    };
    let (file, known) = (manifest.assays().locate(data_dir), known.dataset);
    let width = known.tasks.len();
    let mut of_row = vec![OwnPart::Train; known.len()];
    for &index in &split.valid {
        of_row[index] = OwnPart::Valid;
    }
    of_row.resize(known.len() + new.len(), OwnPart::Test);
    let mut labels = known.labels;
    labels.resize(labels.len() + new.len() * width, f32::NAN);
    let mut smiles = known.smiles;
    smiles.extend(new.iter().cloned());
    let sha256 = sha256_hex(format!("{}\n{}", known.sha256, smiles.join("\n")).as_bytes());
    manifest.id.push_str("-and-new");
    // New molecules have no companion vectors.
    manifest.files.retain(|file| file.role == Role::Assays);
    manifest.table.rows = smiles.len();
    manifest.tasks.columns = TaskColumns::Named(known.tasks.clone());
    let dataset = Dataset {
        id: manifest.id.clone(),
        title: known.title,
        rows: (1..=smiles.len()).collect(),
        smiles,
        tasks: known.tasks,
        units: known.units,
        task_type: known.task_type,
        labels,
        sha256,
    };
    let parts = Parts { column: "predict".to_owned(), of_row };
    Ok((OwnDataset { manifest, dataset, parts: Some(parts), file }, held_out))
}

/// Predictions of the new molecules that can be read, `[n, tasks]`.
fn fit(
    arena: &Arena,
    prediction: &Prediction<'_>,
    id: String,
    limits: Limits,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<Vec<f32>> {
    let group = CellGroup {
        datasets: vec![id],
        methods: vec![prediction.method.to_owned()],
        seeds: Seeds::List(vec![prediction.seed]),
        split: None,
        split_seed: 0,
        vary: Vary::new(),
    };
    let selection = Selection {
        groups: vec![group],
        // The same corpus as in a run on the dataset: nothing is evaluated on the new molecules.
        leave_out_of: Some(prediction.dataset.to_owned()),
        limits: PlanLimits { cells: limits, pretraining: limits },
        device: prediction.device.clone(),
        ..Selection::default()
    };
    let plan = plan(&selection, arena, interrupted)?;
    let failed = |message: String| Error::MethodFailed { method: prediction.method.to_owned(), message };
    let cell = plan.cells.first().ok_or_else(|| failed("no cell".into()))?;
    forget_failures(plan.cells.iter(), arena)?;
    let missing = Missing::of(plan.cells.iter(), arena)?;
    execute(&missing.steps, arena, RunOptions { threads: limits.threads }, interrupted, observer)?;
    let record = arena.store.step(&cell.step.key)?.ok_or_else(|| failed("its fit is gone".into()))?;
    if let Some(failure) = record.failure() {
        return Err(failed(format!("{}: {}", failure.reason, failure.message)));
    }
    Ok(arena.store.matrix(&record, "test.npy")?.2)
}

impl Predicted {
    /// The predictions `[readable rows, t]` of an input's molecules.
    pub(super) fn of_rows(tasks: Vec<String>, input: NewMolecules, values: &[f32]) -> Self {
        let mut rows = values.chunks(tasks.len());
        let missing = vec![f32::NAN; tasks.len()];
        let mut row = |there: &bool| if *there { rows.next().unwrap_or(&missing) } else { &missing };
        let values = input.there.iter().flat_map(|there| row(there).to_vec()).collect();
        Self { tasks, smiles: input.smiles, values, failures: input.failures }
    }

    /// These predictions and those of `other` tasks for the same molecules.
    #[must_use]
    pub fn beside(mut self, other: Self) -> Self {
        let (left, right) = (self.values.chunks(self.tasks.len()), other.values.chunks(other.tasks.len()));
        self.values = left.zip(right).flat_map(|(left, right)| [left, right].concat()).collect();
        self.tasks.extend(other.tasks);
        self
    }

    /// Writes `row`, `smiles` and a column for each task, as Parquet if the name ends so, else as CSV; the file appears
    /// under its name when it is whole. Rows that cannot be read have no values.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Request`] if a task has the name of another column.
    pub fn write(&self, path: &Path) -> Result<()> {
        if let Some(task) = self.tasks.iter().find(|task| ["row", "smiles"].contains(&task.as_str())) {
            let message = format!("task \"{task}\" has the name of a column of the predictions; rename it");
            return Err(Error::Request(message));
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
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
