//! Probes what the aligners learn in the demo world, and times their pretraining; `contrastive_vs_torch.py` drives the latter.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use molarena_benches::data_folder;
use molarena_chem::{Molecule, Morgan, morgan_matrix};
use molarena_contrastive::{Cloome, Cosine, InfoCore, NoOptions};
use molarena_data::{
    Catalog,
    context::{ContextGraph, MatrixFile, Space},
};
use molarena_metrics::mean_and_std;
use molarena_sdk::{
    Bits, Call, Component, Corpus, Decoder, Dense, Encoder, Inputs, Matrix, NodeKind, Profiles,
};
use serde_json::{Value, json};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What vectors of the demo world's labelled molecules, which no aligner saw, say of pathways and of batches, as JSON
    Probe {
        /// Component: cloome or infocore
        #[arg(long)]
        component: String,
        /// Configuration of the encoder, as JSON
        #[arg(long, default_value = "{}")]
        config: String,
        /// Space of the context graph
        #[arg(long)]
        space: String,
        /// The world: demo, or another in the data folder, such as demo-s7
        #[arg(long, default_value = "demo")]
        world: String,
        /// Number of pretraining seeds
        #[arg(long, default_value_t = 5)]
        seeds: u64,
        /// Threads
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Pretrain on random pairs and print the seconds as a line of JSON
    Time {
        /// Component: cloome or infocore
        #[arg(long)]
        component: String,
        /// Configuration of the encoder, as JSON
        #[arg(long, default_value = "{}")]
        config: String,
        /// Number of pairs
        #[arg(long, default_value_t = 4096)]
        pairs: usize,
        /// Number of profile columns
        #[arg(long, default_value_t = 978)]
        columns: usize,
        /// Number of batches
        #[arg(long, default_value_t = 20)]
        batches: u32,
        /// Threads
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Probe { component, config, space, world, seeds, threads } => {
            let world = World::read(&world, &space)?;
            let call = |seed| Call::new(seed, threads);
            let probes =
                (0..seeds).map(|seed| world.probe(aligner(&component, &config)?.as_mut(), &call(seed)));
            println!("{}", summary(&probes.collect::<Result<Vec<_>>>()?));
            Ok(())
        }
        Command::Time { component, config, pairs, columns, batches, threads } => {
            let mut encoder = aligner(&component, &config)?;
            println!("{}", time(encoder.as_mut(), pairs, columns, batches, &Call::new(0, threads))?);
            Ok(())
        }
    }
}

fn aligner(component: &str, config: &str) -> Result<Box<dyn Encoder>> {
    Ok(match component {
        "cloome" => Box::new(Cloome::new(serde_json::from_str(config).context("`--config`")?)?),
        "infocore" => Box::new(InfoCore::new(serde_json::from_str(config).context("`--config`")?)?),
        other => anyhow::bail!("`--component` is {other}, must be cloome or infocore"),
    })
}

const BITS: usize = 1024;

/// The demo world's context graph without the labelled molecules, and these.
struct World {
    graph: ContextGraph,
    space: String,
    /// Bits of the graph's molecules, and of the labelled ones.
    words: Vec<u64>,
    labelled: Vec<u64>,
    /// The labelled molecules' standardised pathway activities, `f32[600, 8]`.
    truth: Matrix,
    /// A profile of each labelled molecule, on the scale of the graph's, and its batch.
    profiles: Matrix,
    batches: Vec<usize>,
}

fn bits(smiles: impl Iterator<Item = String>) -> Result<Vec<u64>> {
    let molecules: Vec<Molecule> = smiles.map(|smiles| Molecule::parse(&smiles)).collect::<Result<_, _>>()?;
    Ok(morgan_matrix(&molecules, &Morgan::new(3, BITS, true)?).words)
}

impl World {
    fn read(world: &str, space: &str) -> Result<Self> {
        let folder = data_folder();
        let catalog = Catalog::with_dir(Some(&folder))?;
        let dataset = catalog.dataset(world, &folder)?;
        let molecules: Vec<Molecule> =
            dataset.smiles.iter().map(|smiles| Molecule::parse(smiles)).collect::<Result<_, _>>()?;
        let identities: BTreeSet<String> = molecules.iter().map(Molecule::identity).collect();
        let graph = ContextGraph::build(
            catalog.context(&format!("{world}-context"))?,
            &folder,
            &identities,
            None,
            0,
            &mut |_| (),
        )?;
        let found = graph.space(space).with_context(|| format!("no space {space}"))?;
        let matrix = |name: &str| -> Result<Matrix> {
            let (mut shape, mut values) = ((0, 0), Vec::new());
            let sized = |rows, columns| {
                shape = (rows, columns);
                Ok(())
            };
            MatrixFile::open(&folder.join(world).join(name))?.read(sized, |_, row| {
                values.extend_from_slice(row);
                Ok(())
            })?;
            Ok(Matrix { rows: shape.0, columns: shape.1, values })
        };
        let mut profiles = matrix(&format!("{space}-profiles.npz"))?;
        scale(&mut profiles, found);
        Ok(Self {
            words: bits(graph.molecules.iter().map(|molecule| molecule.smiles.clone()))?,
            labelled: bits(dataset.smiles.iter().cloned())?,
            truth: matrix("truth.npz")?,
            profiles,
            batches: batches(&folder.join(world).join("profiles.csv"), space)?,
            space: space.to_owned(),
            graph,
        })
    }

    fn corpus(&self) -> Result<(Corpus<'_>, &Space)> {
        let space = self.graph.space(&self.space).expect("it was found before");
        let rows = self.graph.molecules.len();
        let kind = if self.space == "morphology" { NodeKind::Morphology } else { NodeKind::Expression };
        let profiles = Profiles {
            space: &space.name,
            kind,
            nodes: &space.nodes,
            values: Dense::new(&space.values, space.len(), space.columns)?,
            batches: Some(&space.batches),
            cell_counts: None,
        };
        let corpus = Corpus {
            node_kinds: &[],
            molecules: Inputs::from_bits(Bits::new(&self.words, rows, BITS)?),
            molecule_nodes: &[],
            spaces: vec![profiles],
            edge_sources: &[],
            edge_targets: &[],
            edge_weights: &[],
        };
        Ok((corpus, space))
    }

    /// Pretrains and measures.
    fn probe(&self, encoder: &mut dyn Encoder, call: &Call<'_>) -> Result<BTreeMap<&'static str, f64>> {
        let (mut corpus, _) = self.corpus()?;
        let kinds = vec![0; self.graph.node_kinds.len()];
        let nodes: Vec<u64> = self.graph.molecules.iter().map(|molecule| molecule.node).collect();
        let [sources, targets]: [Vec<u64>; 2] = [
            self.graph.edges.iter().map(|edge| edge.source).collect(),
            self.graph.edges.iter().map(|edge| edge.target).collect(),
        ];
        let weights: Vec<f32> = self.graph.edges.iter().map(|edge| edge.weight).collect();
        (corpus.node_kinds, corpus.molecule_nodes) = (&kinds, &nodes);
        (corpus.edge_sources, corpus.edge_targets, corpus.edge_weights) = (&sources, &targets, &weights);
        encoder.fit(&corpus, call)?;
        let rows = self.truth.rows;
        let molecules = Inputs::from_bits(Bits::new(&self.labelled, rows, BITS)?);
        let vectors = encoder.encode(&molecules, call)?;
        let mut decoder = Cosine::new(NoOptions {})?;
        decoder.load(&encoder.save()?)?;
        let places = decoder.places(&self.profiles.view(), &self.space, call)?;
        let scores = decoder.score(&vectors.view(), &self.profiles.view(), &self.space, call)?;
        let pathways: &[usize] = if self.space == "morphology" { &[2, 3, 4, 5] } else { &[0, 1, 2, 3] };
        let active = |pathway: usize| -> Vec<usize> {
            let of = self.truth.values.chunks_exact(self.truth.columns);
            of.map(|row| usize::from(row[pathway] > 0.0)).collect()
        };
        let mean = |vectors: &Matrix| {
            let shares = pathways.iter().map(|&pathway| neighbours(vectors, &active(pathway), 2));
            shares.sum::<f64>() / pathways.len() as f64
        };
        let batches = self.batches.iter().max().map_or(0, |most| most + 1);
        let hits = scores.values.chunks_exact(rows).enumerate();
        let hits =
            hits.filter(|(row, scores)| scores.iter().filter(|score| **score > scores[*row]).count() < 10);
        Ok([
            ("molecule_pathways", mean(&vectors)),
            ("profile_pathways", mean(&places)),
            ("molecule_batches", neighbours(&vectors, &self.batches, batches)),
            ("profile_batches", neighbours(&places, &self.batches, batches)),
            ("hit_10_over_chance", hits.count() as f64 / 10.0),
        ]
        .into())
    }
}

/// Brings profiles to the scale of a space, as matching does: each column to [0, 1] by the bounds, cut off there.
fn scale(profiles: &mut Matrix, space: &Space) {
    for row in profiles.values.chunks_exact_mut(space.columns) {
        for (value, [low, high]) in row.iter_mut().zip(&space.bounds) {
            *value = if high > low { ((*value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        }
    }
}

/// The batches of the labelled molecules' profiles.
fn batches(path: &Path, space: &str) -> Result<Vec<usize>> {
    let mut reader = csv::Reader::from_path(path)?;
    let name = format!("{space}_batch");
    let column = reader.headers()?.iter().position(|header| header == name);
    let column = column.with_context(|| format!("{}: no column {name}", path.display()))?;
    let number = |record: csv::StringRecord| -> Result<usize> { Ok(record[column][1..].parse()?) };
    reader.records().map(|record| number(record?)).collect()
}

/// Share of the rows whose class the 15 nearest others (by cosine) name: chance is the share of the largest class.
fn neighbours(vectors: &Matrix, classes: &[usize], count: usize) -> f64 {
    const K: usize = 15;
    let length = |row: &[f32]| row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    let rows: Vec<Vec<f64>> = vectors
        .values
        .chunks_exact(vectors.columns)
        .map(|row| row.iter().map(|value| f64::from(*value) / length(row).max(1e-12)).collect())
        .collect();
    let right = rows.iter().enumerate().filter(|(index, row)| {
        let mut others: Vec<(f64, usize)> = rows
            .iter()
            .enumerate()
            .filter(|(other, _)| other != index)
            .map(|(other, values)| (row.iter().zip(values).map(|(one, two)| one * two).sum(), classes[other]))
            .collect();
        others.sort_by(|one, two| two.0.total_cmp(&one.0));
        let mut votes = vec![0; count.max(1)];
        others.iter().take(K).for_each(|(_, class)| votes[*class] += 1);
        let first = (0..votes.len()).rev().max_by_key(|&class| votes[class]);
        first == Some(classes[*index])
    });
    right.count() as f64 / rows.len().max(1) as f64
}

/// Mean and standard deviation over seeds of each measure.
fn summary(probes: &[BTreeMap<&'static str, f64>]) -> Value {
    let names: BTreeSet<&str> = probes.iter().flat_map(|probe| probe.keys().copied()).collect();
    let measures = names.into_iter().map(|name| {
        let values: Vec<f64> = probes.iter().map(|probe| probe[name]).collect();
        let (mean, std) = mean_and_std(&values).expect("at least one seed");
        (name.to_owned(), json!({ "mean": mean, "std": std, "values": values }))
    });
    Value::Object(measures.collect())
}

fn time(
    encoder: &mut dyn Encoder,
    pairs: usize,
    columns: usize,
    batches: u32,
    call: &Call<'_>,
) -> Result<Value> {
    ensure!(pairs > 1 && columns > 0 && batches > 1, "two pairs, a column and two batches are the least");
    let mut random = molarena_nn::Random::of(0, 0, 0);
    let words: Vec<u64> = (0..pairs * BITS / 64)
        .map(|_| (0..3).map(|_| 1u64 << random.below(64)).fold(0, |word, bit| word | bit))
        .collect();
    let values: Vec<f32> = (0..pairs * columns).map(|_| random.unit() as f32).collect();
    let of_rows: Vec<u32> = (0..pairs).map(|_| random.below(batches as usize) as u32).collect();
    let nodes: Vec<u64> = (0..2 * pairs as u64).collect();
    let (molecule_nodes, profile_nodes) = nodes.split_at(pairs);
    let kinds = [vec![0; pairs], vec![NodeKind::Morphology as u8; pairs]].concat();
    let corpus = Corpus {
        node_kinds: &kinds,
        molecules: Inputs::from_bits(Bits::new(&words, pairs, BITS)?),
        molecule_nodes,
        spaces: vec![Profiles {
            space: "profiles",
            kind: NodeKind::Morphology,
            nodes: profile_nodes,
            values: Dense::new(&values, pairs, columns)?,
            batches: Some(&of_rows),
            cell_counts: None,
        }],
        edge_sources: molecule_nodes,
        edge_targets: profile_nodes,
        edge_weights: &vec![1.0; pairs],
    };
    let started = Instant::now();
    encoder.fit(&corpus, call)?;
    Ok(json!({ "pairs": pairs, "fit_seconds": started.elapsed().as_secs_f64() }))
}
