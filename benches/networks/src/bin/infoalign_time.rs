//! Times `InfoAlign`'s pretraining and encoding on the molecules of a dataset; `infoalign_vs_torch.py` drives it.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use molarena_benches::data_folder;
use molarena_chem::{Graphs as ChemGraphs, Morgan, morgan_matrix};
use molarena_data::{Catalog, Dataset, PreparedDataset};
use molarena_infoalign::{ContextWalks, EncoderConfig, InfoAlign, Transition};
use molarena_nn::with_threads;
use molarena_sdk::{Bits, Call, Component, Corpus, Encoder, Graphs, Inputs};
use ndarray::{Array1, Array2};
use ndarray_npy::{NpzReader, NpzWriter};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a dataset's molecular graphs and 1024 Morgan bits as arrays
    Export {
        /// File to write
        #[arg(long)]
        arrays: PathBuf,
        /// Name of the dataset
        #[arg(long)]
        dataset: String,
    },
    /// Pretrain on the molecules' own bits, then encode them, and print the seconds of both as a line of JSON
    Run {
        /// File of arrays
        #[arg(long)]
        arrays: PathBuf,
        /// Configuration of the encoder, as JSON
        #[arg(long, default_value = "{}")]
        config: String,
        /// At most so many molecules
        #[arg(long)]
        molecules: Option<usize>,
        /// Seed
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Threads
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// Device
        #[arg(long, default_value = "cpu")]
        device: String,
    },
    /// Print the devices of this build that this machine has, as a line of JSON
    Devices,
    /// Walk on a graph and print steps and seconds as a line of JSON
    Walk(Walks),
}

/// Walks on a random graph of the paper's size.
#[derive(clap::Args)]
struct Walks {
    /// File of the edges: `sources`, `targets` (u64) and `weights` (f32)
    #[arg(long)]
    edges: PathBuf,
    /// Number of nodes; walks start at each of the first `starts`
    #[arg(long)]
    nodes: usize,
    /// Number of walks
    #[arg(long)]
    starts: usize,
    /// Steps of a walk
    #[arg(long, default_value_t = 4)]
    length: usize,
    /// uniform, weight or degree
    #[arg(long, default_value = "uniform")]
    transition: String,
    /// Threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// Molecules as graphs and fingerprints.
struct Molecules {
    atom_offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atom_features: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    bond_features: Vec<[i8; 3]>,
    /// 16 words per molecule.
    words: Vec<u64>,
}

const BITS: usize = 1024;

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Export { arrays, dataset } => export(&arrays, &dataset),
        Command::Run { arrays, config, molecules, seed, threads, device } => {
            let config = serde_json::from_str(&config).context("`--config`")?;
            let molecules = Molecules::read(&arrays, molecules)?;
            let call = Call { device: &device, ..Call::new(seed, threads) };
            run(&molecules, config, &call)
        }
        Command::Devices => {
            println!("{}", serde_json::json!({ "devices": molarena_nn::devices_found() }));
            Ok(())
        }
        Command::Walk(options) => walk(&options),
    }
}

fn export(path: &PathBuf, name: &str) -> Result<()> {
    let prepared = PreparedDataset::new(Dataset::load(Catalog::builtin()?.get(name)?, &data_folder())?)?;
    let graphs = ChemGraphs::new(&prepared.molecules);
    let bits = morgan_matrix(&prepared.molecules, &Morgan::new(2, BITS, false)?);
    let mut file = NpzWriter::new(fs_err::File::create(path)?.into_parts().0);
    file.add_array("atom_offsets", &Array1::from(graphs.atom_ptr))?;
    file.add_array("bond_offsets", &Array1::from(graphs.bond_ptr))?;
    let rows = graphs.atom_features.len();
    file.add_array("atom_features", &Array2::from_shape_vec((rows, 9), graphs.atom_features.concat())?)?;
    let rows = graphs.bonds.len();
    file.add_array("bonds", &Array2::from_shape_vec((rows, 2), graphs.bonds.concat())?)?;
    file.add_array("bond_features", &Array2::from_shape_vec((rows, 3), graphs.bond_features.concat())?)?;
    file.add_array("words", &Array2::from_shape_vec((bits.rows, BITS / 64), bits.words)?)?;
    file.finish()?;
    Ok(())
}

impl Molecules {
    fn read(path: &PathBuf, most: Option<usize>) -> Result<Self> {
        let mut file = NpzReader::new(fs_err::File::open(path)?.into_parts().0)?;
        let mut atom_offsets = file.by_name::<ndarray::OwnedRepr<i64>, _>("atom_offsets")?.to_vec();
        let mut bond_offsets = file.by_name::<ndarray::OwnedRepr<i64>, _>("bond_offsets")?.to_vec();
        let atoms: Array2<i8> = file.by_name("atom_features")?;
        let bonds: Array2<u32> = file.by_name("bonds")?;
        let bond_features: Array2<i8> = file.by_name("bond_features")?;
        let words: Array2<u64> = file.by_name("words")?;
        let count = most.unwrap_or(words.nrows()).min(words.nrows());
        ensure!(count > 1, "{} has too few molecules", path.display());
        atom_offsets.truncate(count + 1);
        bond_offsets.truncate(count + 1);
        let (atom_count, bond_count) = (atom_offsets[count] as usize, bond_offsets[count] as usize);
        let atoms = atoms.into_raw_vec_and_offset().0;
        let (bonds, features) =
            (bonds.into_raw_vec_and_offset().0, bond_features.into_raw_vec_and_offset().0);
        Ok(Self {
            atom_offsets,
            bond_offsets,
            atom_features: atoms.as_chunks().0[..atom_count].to_vec(),
            bonds: bonds.as_chunks().0[..bond_count].to_vec(),
            bond_features: features.as_chunks().0[..bond_count].to_vec(),
            words: words.into_raw_vec_and_offset().0[..count * BITS / 64].to_vec(),
        })
    }

    fn inputs(&self) -> Result<Inputs<'_>> {
        let rows = self.atom_offsets.len() - 1;
        let graphs = Graphs::new(
            &self.atom_offsets,
            &self.bond_offsets,
            &self.atom_features,
            &self.bonds,
            &self.bond_features,
        )?;
        Ok(Inputs {
            rows,
            graphs: Some(graphs),
            bits: Some(Bits::new(&self.words, rows, BITS)?),
            ..Inputs::default()
        })
    }
}

fn run(molecules: &Molecules, config: EncoderConfig, call: &Call<'_>) -> Result<()> {
    let inputs = molecules.inputs()?;
    let nodes: Vec<u64> = (0..inputs.rows as u64).collect();
    let corpus = Corpus {
        node_kinds: &vec![0; inputs.rows],
        molecules: inputs,
        molecule_nodes: &nodes,
        spaces: Vec::new(),
        edge_sources: &[],
        edge_targets: &[],
        edge_weights: &[],
    };
    let epochs = config.epochs;
    let mut encoder = InfoAlign::new(config)?;
    let started = Instant::now();
    encoder.fit(&corpus, call)?;
    let fit_s = started.elapsed().as_secs_f64();
    let started = Instant::now();
    encoder.encode(&inputs, call)?;
    let encode_s = started.elapsed().as_secs_f64();
    let result = serde_json::json!({
        "molecules": inputs.rows, "epochs": epochs, "fit_seconds": fit_s, "encode_seconds": encode_s,
    });
    println!("{result}");
    Ok(())
}

fn walk(options: &Walks) -> Result<()> {
    let mut file = NpzReader::new(fs_err::File::open(&options.edges)?.into_parts().0)?;
    let sources: Array1<u64> = file.by_name("sources")?;
    let targets: Array1<u64> = file.by_name("targets")?;
    let weights: Array1<f32> = file.by_name("weights")?;
    let corpus = Corpus {
        node_kinds: &vec![0; options.nodes],
        molecules: Inputs::default(),
        molecule_nodes: &[],
        spaces: Vec::new(),
        edge_sources: &sources.to_vec(),
        edge_targets: &targets.to_vec(),
        edge_weights: &weights.to_vec(),
    };
    let transition: Transition =
        serde_json::from_value(serde_json::Value::String(options.transition.clone()))
            .context("`--transition`")?;
    let graph = ContextWalks::new(&corpus, transition)?;
    let starts: Vec<u64> = (0..options.starts as u64).collect();
    let call = Call::new(0, options.threads);
    let started = Instant::now();
    let paths = with_threads(&call, || graph.walks(&starts, options.length, 0, &call))??;
    let seconds = started.elapsed().as_secs_f64();
    let steps: usize = paths.iter().map(Vec::len).sum();
    println!("{}", serde_json::json!({ "steps": steps, "seconds": seconds }));
    Ok(())
}
