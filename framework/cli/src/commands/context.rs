//! `molarena data info` of a context graph.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use molarena_data::{
    Catalog, PreparedDataset,
    context::{ContextGraph, ContextManifest, ContextSummary, Counts as Counted, Progress},
};
use molarena_report::table::columns;

use super::{data::titled, print, print_json};
use crate::{
    args::Places,
    display::{Counts, Display},
    exit_code::ExitCode,
};

/// Builds a graph and prints its summary.
pub(super) fn info(
    catalog: &Catalog,
    manifest: &ContextManifest,
    leave_out: &[String],
    cache: Option<&Path>,
    json: bool,
    places: &Places,
) -> anyhow::Result<ExitCode> {
    let mut identities = BTreeSet::new();
    for id in leave_out {
        let dataset = PreparedDataset::new(catalog.dataset(id, &places.data_dir)?)?;
        identities.extend(dataset.identities());
    }
    let display = Display::new(Counts::Stages);
    let graph = ContextGraph::build(manifest, &places.data_dir, &identities, cache, 0, &mut |progress| {
        show(&display, progress);
    });
    display.close();
    let summary = ContextSummary::new(&graph?);
    if json {
        let mut value = serde_json::to_value(&summary)?;
        value["schema"] = "molarena.context-info/1".into();
        value["leave_out"] = leave_out.into();
        print_json(&value)?;
    } else {
        print(&describe(&summary, leave_out))?;
    }
    Ok(ExitCode::Ok)
}

/// Whether all files of a context graph exist.
pub(super) fn ready(manifest: &ContextManifest, places: &Places) -> bool {
    manifest.files.iter().all(|file| file.locate(&places.data_dir).is_file())
}

/// Whether any file of a context graph exists.
pub(super) fn begun(manifest: &ContextManifest, places: &Places) -> bool {
    manifest.files.iter().any(|file| file.locate(&places.data_dir).is_file())
}

fn describe(summary: &ContextSummary, leave_out: &[String]) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string does not fail");
    line(format!("{}: {}", summary.id, titled(&summary.title, summary.simulated)));
    if summary.simulated {
        line("simulated data: says nothing about chemistry".into());
    }
    line(format!("key {}", summary.key));
    line(format!("{} nodes, {} edges", summary.nodes, summary.edges));
    if leave_out.is_empty() {
        line("no dataset is left out".into());
    } else {
        line(format!(
            "left out with {}: {} molecules, {} profiles",
            leave_out.join(", "),
            summary.left_out,
            summary.counts.left_out_profiles
        ));
    }
    line(String::new());
    line(node_table(summary));
    line(edge_table(summary));
    line(space_table(summary));
    for note in notes(summary) {
        line(format!("note: {note}"));
    }
    for (path, got) in &summary.unverified {
        line(format!("warning: {path} is unverified: the manifest states no sha256; it is {got}"));
    }
    for failure in &summary.failures {
        line(format!(
            "warning: {}: row {} ({}) is left out: \"{}\": {}",
            failure.file, failure.row, failure.name, failure.smiles, failure.reason
        ));
    }
    text
}

fn node_table(summary: &ContextSummary) -> String {
    let row = |kind: &molarena_data::context::NodeSummary| {
        vec![
            kind.kind.to_string(),
            kind.nodes.to_string(),
            format!("{:.2}", kind.mean_degree),
            kind.max_degree.to_string(),
            kind.isolated.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = summary.node_kinds.iter().map(row).collect();
    columns(&["nodes", "count", "mean degree", "max degree", "without an edge"], &rows)
}

fn edge_table(summary: &ContextSummary) -> String {
    let row = |kind: &molarena_data::context::EdgeSummary| {
        vec![
            kind.kind.to_string(),
            format!("{} - {}", kind.ends[0], kind.ends[1]),
            kind.edges.to_string(),
            format!("{:.3}", kind.mean_weight),
            format!("{:.3} to {:.3}", kind.min_weight, kind.max_weight),
        ]
    };
    let rows: Vec<Vec<String>> = summary.edge_kinds.iter().map(row).collect();
    columns(&["edges", "between", "count", "mean weight", "weights"], &rows)
}

fn space_table(summary: &ContextSummary) -> String {
    let fingerprint = format!("morgan radius {}", summary.fingerprint_radius);
    let molecules =
        summary.node_kinds.iter().find(|kind| kind.kind == molarena_data::context::NodeKind::Molecule);
    let molecules = molecules.map_or(0, |kind| kind.nodes).to_string();
    let bits = summary.fingerprint_bits.to_string();
    let zero = || "0".to_owned();
    let mut rows =
        vec![vec![fingerprint, "molecule".into(), molecules.clone(), molecules, bits, zero(), zero()]];
    rows.extend(summary.spaces.iter().map(|space| {
        let missing = 100.0 * space.missing as f64 / (space.rows * space.columns).max(1) as f64;
        vec![
            space.name.clone(),
            space.kind.to_string(),
            space.rows.to_string(),
            space.owners.to_string(),
            space.columns.to_string(),
            if space.missing == 0 { zero() } else { format!("{} ({missing:.2} %)", space.missing) },
            space.constant_columns.to_string(),
        ]
    }));
    let header =
        ["features", "of", "rows", "molecules or genes", "columns", "missing values", "constant columns"];
    columns(&header, &rows)
}

/// What was left out or changed, other than the molecules and profiles of left-out datasets.
fn notes(summary: &ContextSummary) -> Vec<String> {
    let Counted {
        molecule_rows,
        merged_molecules,
        repeated_molecule_ids,
        cut_smiles,
        left_out_profiles: _,
        profiles_without_molecule,
        repeated_gene_rows,
        edges_of_left_molecules,
        edges_without_node,
        void_edges,
        repeated_edges,
        constant_columns,
        emptied_columns,
    } = &summary.counts;
    let notes = [
        (*merged_molecules, "rows repeat a molecule or are its stereoisomers, and share its node"),
        (*repeated_molecule_ids, "rows repeat an id and do not count"),
        (*cut_smiles, "SMILES had an extension or a name after a blank, which was cut off"),
        (summary.failures.len(), "rows have SMILES that cannot be read"),
        (*profiles_without_molecule, "profiles have no readable molecule and are no nodes"),
        (*repeated_gene_rows, "rows repeat a gene of a space and do not count"),
        (*edges_of_left_molecules, "listed edges ended at a molecule that left or cannot be read"),
        (*edges_without_node, "edges named no node"),
        (*void_edges, "edges joined a node to itself or had weight 0"),
        (*repeated_edges, "edges joined nodes that another one joins; the largest weight stays"),
        (*constant_columns, "columns have one value only and are 0"),
        (*emptied_columns, "columns lost all their values with the molecules that left"),
    ];
    let mut texts = vec![format!("{molecule_rows} rows of molecules were read")];
    texts.extend(notes.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    texts
}

/// Shows a bar on a terminal; elsewhere, only notes.
fn show(display: &Display, progress: Progress<'_>) {
    match progress {
        Progress::Note(note) => display.line(note),
        Progress::At { step, done, total } => display.stage(None, &step.to_string(), done, total),
    }
}
