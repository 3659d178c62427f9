//! Manifests of the simulated datasets and of the context graph.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use molarena_data::context::{
    CONTEXT_SCHEMA, ColumnGenes, ContextFile, ContextManifest, EdgeEnd, EdgeKind, EdgeList, FingerprintSpec,
    GeneTable, MoleculeTable, NodeKind, RepeatedIds, SimilaritySpec, SpaceSpec, Unknown,
};
use molarena_data::{
    FileSpec, Manifest, Protocol, ProtocolSpec, Role, SCHEMA, TableSpec, TaskColumns, TaskSpec, TaskType,
};
use molarena_metrics::Metric;

use crate::assays::{CLASS_TASKS, VALUE_TASKS};
use crate::parameters::{DEFAULT_ID, Parameters};

/// The manifest of one of a world's datasets; `files` are all files of the world.
pub(crate) fn manifest(parameters: &Parameters, kind: TaskType, files: &[FileSpec]) -> Manifest {
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
            groups: BTreeMap::new(),
            names: BTreeMap::new(),
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

/// The manifest of a world's context graph; `files` are all files of the world.
pub(crate) fn context(parameters: &Parameters, files: &[FileSpec]) -> ContextManifest {
    let world = parameters.id();
    let id = format!("{world}-context");
    let mut manifest = ContextManifest {
        schema: CONTEXT_SCHEMA.to_owned(),
        title: format!("Context graph of {world}"),
        description: format!(
            "Simulated molecules, genes and profiles with a known truth, made by `molarena data simulate` with seed {}. Says \
             nothing about chemistry. The model is in the book, chapter \"The demo world\".",
            parameters.seed
        ),
        licence: "CC0-1.0".to_owned(),
        citation: Vec::new(),
        simulated: true,
        source: None,
        fingerprint: FingerprintSpec::default(),
        similarity: SimilaritySpec::default(),
        molecules: vec![MoleculeTable {
            file: format!("{world}/molecules.csv"),
            id: Some("mol_id".to_owned()),
            smiles: "smiles".to_owned(),
            sample: None,
            repeated_ids: RepeatedIds::Error,
        }],
        genes: vec![GeneTable {
            file: format!("{world}/genes.csv"),
            columns: vec!["entrez_gene_id".to_owned()],
        }],
        spaces: spaces(parameters, &world),
        edges: edge_lists(&world),
        files: Vec::new(),
        origin: PathBuf::from(format!("datasets/{id}/context.toml")),
        id,
    };
    let named: HashSet<String> = manifest.named_files().into_iter().map(str::to_owned).collect();
    let of_graph = files.iter().filter(|file| named.contains(&file.path)).cloned();
    manifest.files = of_graph.map(ContextFile::from).collect();
    manifest
}

fn spaces(parameters: &Parameters, world: &str) -> Vec<SpaceSpec> {
    let space = |kind: NodeKind, columns| SpaceSpec {
        name: kind.to_string(),
        kind,
        table: format!("{world}/{kind}.csv"),
        molecule: Some("mol_id".to_owned()),
        gene: None,
        features: format!("{world}/{kind}.npz"),
        columns,
        names: None,
        column_genes: None,
        batch: Some("batch".to_owned()),
        cell_count: None,
        similarity: true,
    };
    let column_genes = ColumnGenes {
        file: format!("{world}/expression_genes.csv"),
        gene: "entrez_gene_id".to_owned(),
        column: Some("column".to_owned()),
        // The list of edges between molecules and genes already has these edges.
        top_share: 0.0,
        unknown: Unknown::Error,
    };
    vec![
        SpaceSpec {
            column_genes: Some(column_genes),
            ..space(NodeKind::Expression, parameters.expression_columns)
        },
        SpaceSpec {
            names: Some(format!("{world}/morphology.features.txt")),
            cell_count: Some("cells".to_owned()),
            ..space(NodeKind::Morphology, parameters.morphology_columns)
        },
    ]
}

fn edge_lists(world: &str) -> Vec<EdgeList> {
    let end = |node, column: &str| EdgeEnd { node, column: column.to_owned() };
    let gene = |column| end(NodeKind::Gene, column);
    let list = |name: &str, source, target| EdgeList {
        file: format!("{world}/{name}"),
        source,
        target,
        kind: None,
        kind_column: None,
        magnitude: None,
        unknown: Unknown::Error,
    };
    vec![
        EdgeList {
            kind_column: Some("kind".to_owned()),
            ..list("edges-gene-gene.csv", gene("source"), gene("target"))
        },
        EdgeList {
            kind: Some(EdgeKind::Regulates),
            magnitude: Some("z_score".to_owned()),
            ..list("edges-molecule-gene.csv", end(NodeKind::Molecule, "mol_id"), gene("entrez_gene_id"))
        },
    ]
}

/// The dataset's id: the world's for classification.
pub(crate) fn dataset_id(world: &str, kind: TaskType) -> String {
    match kind {
        TaskType::Classification => world.to_owned(),
        TaskType::Regression => format!("{world}-regression"),
    }
}
