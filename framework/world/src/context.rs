//! The context graph's files, laid out like real ones: a table for each kind of node, its features, lists of
//! edges.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write;

use molarena_data::npz::MatrixWriter;

use crate::error::Result;
use crate::files::Staging;
use crate::latent::Activities;
use crate::profiles::{Instrument, Loading, Modality, Sample, Table, cell_count, loading};
use crate::progress::{Progress, Step};
use crate::random::{Purpose, Stream};
use crate::world::World;

/// Profiles held in memory at a time.
const BLOCK: usize = 1_024;
/// Numbers of simulated genes begin above those of real ones.
const FIRST_GENE: usize = 900_000_001;
/// Probability that a gene's partner is drawn from its own pathway, if it has one.
const SAME_PATHWAY: f64 = 0.8;

/// The number that stands for an Entrez gene id.
fn gene_id(gene: usize) -> usize {
    FIRST_GENE + gene
}

/// Writes all files of the context graph.
pub(crate) fn write(world: &World, staging: &mut Staging, progress: &mut dyn FnMut(Progress)) -> Result<()> {
    write_molecules(world, staging)?;
    write_genes(world, staging)?;
    write_morphology(world, staging, progress)?;
    write_expression(world, staging, progress)
}

fn write_molecules(world: &World, staging: &mut Staging) -> Result<()> {
    let mut table = staging.table("molecules.csv", "molecule nodes of the context graph")?;
    writeln!(table, "mol_id,smiles,inchikey14")?;
    for (node, &molecule) in world.context.iter().enumerate() {
        let drug = &world.drugs[molecule];
        writeln!(table, "m{node},{},{}", drug.smiles, drug.identity)?;
    }
    Ok(table.flush()?)
}

fn write_genes(world: &World, staging: &mut Staging) -> Result<()> {
    let parameters = &world.parameters;
    let mut table = staging.table("genes.csv", "gene nodes of the context graph")?;
    writeln!(table, "entrez_gene_id,symbol")?;
    for gene in 0..parameters.genes {
        writeln!(table, "{},SIM{}", gene_id(gene), gene + 1)?;
    }
    table.flush()?;
    let mut table = staging.table("expression_genes.csv", "the gene of each expression column")?;
    writeln!(table, "column,entrez_gene_id,symbol")?;
    for gene in 0..parameters.expression_columns {
        writeln!(table, "{gene},{},SIM{}", gene_id(gene), gene + 1)?;
    }
    table.flush()?;
    let mut table = staging.table("edges-gene-gene.csv", "edges between genes")?;
    writeln!(table, "source,target,kind")?;
    for ([source, target], kind) in gene_edges(world) {
        writeln!(table, "{},{},{kind}", gene_id(source), gene_id(target))?;
    }
    Ok(table.flush()?)
}

/// Distinct pairs of genes, the smaller number first, with their kind.
fn gene_edges(world: &World) -> Vec<([usize; 2], &'static str)> {
    let parameters = &world.parameters;
    let loadings: Vec<Loading> =
        (0..parameters.genes).map(|gene| loading(parameters.seed, Modality::Expression, gene)).collect();
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); crate::latent::PATHWAYS];
    for (gene, loading) in loadings.iter().enumerate() {
        if let Some(pathway) = loading.pathway {
            members[pathway].push(gene);
        }
    }
    let mut stream = Stream::new(parameters.seed, Purpose::GeneEdge, 0);
    let mut seen = HashSet::new();
    let mut edges = Vec::with_capacity(parameters.gene_edges);
    while edges.len() < parameters.gene_edges {
        let one = stream.below(parameters.genes);
        let same = stream.uniform() < SAME_PATHWAY;
        let other = match loadings[one].pathway {
            Some(pathway) if same => members[pathway][stream.below(members[pathway].len())],
            _ => stream.below(parameters.genes),
        };
        let kind = if stream.uniform() < 0.7 { "interacts" } else { "regulates" };
        let pair = [one.min(other), one.max(other)];
        if one != other && seen.insert(pair) {
            edges.push((pair, kind));
        }
    }
    edges
}

/// The molecule of each row of a profile table: all molecules in random order, then again as replicates.
struct Rows {
    order: Vec<usize>,
    count: usize,
}

impl Rows {
    fn new(world: &World, modality: Modality, count: usize) -> Self {
        let mut stream = Stream::new(world.parameters.seed, Purpose::Order, modality as u64);
        Self { order: stream.order(world.context.len()), count }
    }

    /// Node number of the molecule, and number of the replicate, from 0.
    fn of(&self, row: usize) -> (usize, usize) {
        (self.order[row % self.order.len()], row / self.order.len())
    }
}

/// Measures a block of rows; returns the batch of each row and the values.
fn measure(world: &World, instrument: &Instrument, rows: &Rows, first: usize) -> (Vec<usize>, Vec<f32>) {
    let block = first..(first + BLOCK).min(rows.count);
    let batches: Vec<usize> = block.clone().map(|row| instrument.batch(Table::Context, row)).collect();
    let activities = |row| -> &Activities { &world.activities[world.context[rows.of(row).0]] };
    let samples: Vec<Sample> =
        block.zip(&batches).map(|(row, &batch)| Sample { activities: activities(row), batch }).collect();
    let values = instrument.measure(Table::Context, first, &samples);
    (batches, values)
}

fn write_morphology(world: &World, staging: &mut Staging, progress: &mut dyn FnMut(Progress)) -> Result<()> {
    let instrument = world.instrument(Modality::Morphology);
    let rows = Rows::new(world, Modality::Morphology, world.parameters.morphology_profiles);
    let mut names = staging.table("morphology.features.txt", "names of the morphology columns")?;
    for column in 0..instrument.columns() {
        writeln!(names, "simulated_feature_{}", column + 1)?;
    }
    names.flush()?;
    let mut table = staging.table("morphology.csv", "morphology nodes of the context graph")?;
    writeln!(table, "morphology_id,mol_id,batch,cells")?;
    let path = staging.path("morphology.npz", "their profiles: one row for each row of morphology.csv")?;
    let mut matrix = MatrixWriter::create(&path, rows.count, instrument.columns())?;
    for first in (0..rows.count).step_by(BLOCK) {
        progress(Progress { step: Step::Morphology, done: first, total: rows.count });
        let (batches, values) = measure(world, &instrument, &rows, first);
        matrix.write(&values)?;
        for (row, batch) in (first..).zip(batches) {
            let node = rows.of(row).0;
            let activities = &world.activities[world.context[node]];
            let cells = cell_count(world.parameters.seed, Table::Context, row, activities);
            writeln!(table, "p{row},m{node},b{batch},{cells}")?;
        }
    }
    matrix.finish()?;
    Ok(table.flush()?)
}

fn write_expression(world: &World, staging: &mut Staging, progress: &mut dyn FnMut(Progress)) -> Result<()> {
    let instrument = world.instrument(Modality::Expression);
    let rows = Rows::new(world, Modality::Expression, world.parameters.expression_profiles);
    let mut table = staging.table("expression.csv", "expression nodes of the context graph")?;
    writeln!(table, "expression_id,mol_id,source,source_id,batch")?;
    let mut edges = staging
        .table("edges-molecule-gene.csv", "the genes that each molecule's first profile changes most")?;
    writeln!(edges, "mol_id,entrez_gene_id,z_score,direction")?;
    let path = staging.path("expression.npz", "their profiles: one row for each row of expression.csv")?;
    let mut matrix = MatrixWriter::create(&path, rows.count, instrument.columns())?;
    for first in (0..rows.count).step_by(BLOCK) {
        progress(Progress { step: Step::Expression, done: first, total: rows.count });
        let (batches, values) = measure(world, &instrument, &rows, first);
        matrix.write(&values)?;
        let profiles = values.chunks_exact(instrument.columns());
        for ((row, batch), profile) in (first..).zip(batches).zip(profiles) {
            let (node, replicate) = rows.of(row);
            writeln!(table, "e{row},m{node},simulated,replicate-{replicate},b{batch}")?;
            if replicate == 0 {
                edges
                    .write_all(strongest(node, profile, world.parameters.genes_of_a_molecule()).as_bytes())?;
            }
        }
    }
    matrix.finish()?;
    table.flush()?;
    Ok(edges.flush()?)
}

/// The lines of a molecule's edges to the `count` genes with the largest absolute values, by gene.
fn strongest(node: usize, profile: &[f32], count: usize) -> String {
    let mut genes: Vec<usize> = (0..profile.len()).collect();
    genes.sort_by(|&one, &other| profile[other].abs().total_cmp(&profile[one].abs()).then(one.cmp(&other)));
    genes.truncate(count);
    genes.sort_unstable();
    genes.into_iter().fold(String::new(), |mut lines, gene| {
        let value = profile[gene];
        let direction = if value > 0.0 { "up" } else { "down" };
        writeln!(lines, "m{node},{},{value:.3},{direction}", gene_id(gene))
            .expect("a String takes every write");
        lines
    })
}
