//! Manifests of the simulated datasets.

use std::path::PathBuf;

use molarena_metrics::Metric;

use super::assays::{CLASS_TASKS, VALUE_TASKS};
use super::parameters::{DEFAULT_ID, Parameters};
use crate::manifest::{
    FileSpec, Manifest, ProtocolSpec, Role, SCHEMA, TableSpec, TaskColumns, TaskSpec, TaskType,
};
use crate::split::Protocol;

/// The manifest of one of a world's datasets; `files` are all files of the world.
pub(super) fn manifest(parameters: &Parameters, kind: TaskType, files: &[FileSpec]) -> Manifest {
    let world = parameters.id();
    let id = dataset_id(&world, kind);
    let assays = format!("{id}/assays.csv");
    let (columns, units, metric): (Vec<&str>, _, _) = match kind {
        TaskType::Classification => (CLASS_TASKS.to_vec(), Vec::new(), Metric::RocAuc),
        TaskType::Regression => (
            VALUE_TASKS.iter().map(|task| task.0).collect(),
            VALUE_TASKS.iter().map(|task| (task.0.to_owned(), task.1.to_owned())).collect(),
            Metric::Mae,
        ),
    };
    let other = world.strip_prefix(DEFAULT_ID).unwrap_or_default().trim_start_matches('-');
    Manifest {
        schema: SCHEMA.to_owned(),
        title: match (kind, other) {
            (TaskType::Classification, "") => "Demo".to_owned(),
            (TaskType::Regression, "") => "Demo, regression".to_owned(),
            (TaskType::Classification, _) => format!("Demo {other}"),
            (TaskType::Regression, _) => format!("Demo {other}, regression"),
        },
        description: format!(
            "Simulated molecules, profiles and assays with a known truth, made by `molarena data simulate` with seed \
             {}. Says nothing about chemistry. The model is in the book, chapter \"The demo world\".",
            parameters.seed
        ),
        licence: "CC0-1.0".to_owned(),
        citation: Vec::new(),
        simulated: true,
        source: None,
        table: TableSpec { smiles: "smiles".to_owned(), rows: parameters.molecules },
        tasks: TaskSpec {
            kind,
            count: columns.len(),
            columns: TaskColumns::Named(columns.into_iter().map(str::to_owned).collect()),
            ignore: Vec::new(),
            units: units.into_iter().collect(),
        },
        protocol: ProtocolSpec { split: Protocol::Scaffold, metric, seeds: None },
        files: files
            .iter()
            .filter(|file| file.role == Role::Companion || file.path == assays)
            .cloned()
            .collect(),
        origin: PathBuf::from(format!("datasets/{id}/dataset.toml")),
        id,
    }
}

/// The dataset's id: the world's for classification.
pub(super) fn dataset_id(world: &str, kind: TaskType) -> String {
    match kind {
        TaskType::Classification => world.to_owned(),
        TaskType::Regression => format!("{world}-regression"),
    }
}
