//! Trains one method on all molecules of a dataset, for `predict` and `train`.

use std::{path::Path, sync::atomic::AtomicBool};

use molarena_data::{
    Dataset, Part, Protocol, Role, RowFailure, TaskColumns,
    own::{OwnDataset, Parts},
    sha256_hex,
};
use molarena_record::step::StepRecord;

use crate::{
    arena::Arena,
    error::{Error, Result},
    execute::{RunOptions, event::Observer, executed},
    inputs::dataset::ArenaDataset,
    plan::{
        cell::Cell,
        missing::forget_failures,
        plan,
        select::{PlanLimits, Selection},
    },
    request::{
        limits::Limits,
        suite::{CellGroup, Seeds},
        sweep::Vary,
    },
};

/// What to learn, and how.
#[derive(Clone, Debug)]
pub(super) struct Learning<'a> {
    /// Id of the training dataset in the arena's catalog.
    pub(super) dataset: &'a str,
    pub(super) method: &'a str,
    pub(super) seed: u64,
    /// The device, if it is not the method's own.
    pub(super) device: Option<String>,
    /// Whether to keep the state of the baseline.
    pub(super) keep: bool,
}

/// A cell that was learnt.
pub(super) struct Learnt {
    pub(super) cell: Cell,
    /// Outcome of the cell's step.
    pub(super) record: StepRecord,
    /// Rows of the dataset that cannot be read.
    pub(super) unparsed: Vec<RowFailure>,
}

/// Adds `joined`, made by [`join`], to the catalog and runs the method on it.
///
/// # Errors
/// Errors of planning and execution; [`Error::MethodFailed`] if the method fails.
pub(super) fn learn(
    arena: &mut Arena,
    joined: OwnDataset,
    learning: Learning<'_>,
    limits: Limits,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<Learnt> {
    let Learning { dataset, method, seed, device, keep } = learning;
    let group = CellGroup {
        datasets: vec![arena.catalog.insert_own(joined)],
        methods: vec![method.to_owned()],
        seeds: Seeds::List(vec![seed]),
        split: None,
        split_seed: 0,
        vary: Vary::new(),
    };
    let selection = Selection {
        groups: vec![group],
        // Pretrain on the same corpus as a run on the dataset: nothing is evaluated on the new molecules.
        leave_out_of: Some(dataset.to_owned()),
        limits: PlanLimits { cells: limits, pretraining: limits },
        device,
        keep,
        ..Selection::default()
    };
    let plan = plan(&selection, arena, interrupted)?;
    let failed = |message: String| Error::MethodFailed { method: method.to_owned(), message };
    forget_failures(plan.cells.iter(), arena)?;
    let unparsed = plan.task_rows().next().map(|row| row.dataset.unparsed.clone()).unwrap_or_default();
    let cell = plan.cells.into_iter().next().ok_or_else(|| failed("no cell".into()))?;
    let options = RunOptions { threads: limits.threads, slurm: None };
    let record = executed(&cell.step, arena, options, interrupted, observer)?;
    if let Some(failure) = record.failure() {
        return Err(failed(format!("{}: {}", failure.reason, failure.message)));
    }
    Ok(Learnt { cell, record, unparsed })
}

/// How a dataset was divided into training and validation molecules.
#[derive(Clone, Debug)]
pub struct HeldOut {
    /// Number of training molecules.
    pub train: usize,
    /// Number of validation molecules, held out to choose settings.
    pub valid: usize,
    /// The split that chose them: scaffold, or random if there are too few scaffolds.
    pub by: Protocol,
    /// Number of molecules that cannot be read.
    pub unparsed: usize,
    /// sha256 of the dataset's file.
    pub data_sha256: String,
}

/// The labelled molecules of a dataset that can be read, followed by the new, unlabelled rows as the test part.
pub(super) fn join(arena: &Arena, id: &str, new: &[String]) -> Result<(OwnDataset, HeldOut)> {
    let data_dir: &Path = &arena.data_dir;
    let mut manifest = arena.catalog.get(id)?.clone();
    let known = arena.catalog.dataset(id, data_dir)?;
    let known = ArenaDataset::prepare(&manifest, &known, data_dir, &arena.store)?;
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
        unparsed: known.unparsed.len(),
        data_sha256: known.dataset.sha256.clone(),
    };
    let (file, known) = (manifest.assays().locate(data_dir), known.dataset);
    let width = known.tasks.len();
    let mut of_row = vec![Part::Train; known.len()];
    for &index in &split.valid {
        of_row[index] = Part::Valid;
    }
    of_row.resize(known.len() + new.len(), Part::Test);
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
