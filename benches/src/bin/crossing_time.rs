//! Times what it costs to call a component through the C table and through the process protocol, and prints a line of JSON.
//!
//! `crossing_time table LIBRARY` takes turns with `baselines/constant`, native and from the library, on data of the size of
//! `ChEMBL2K`: the cheapest real cell. `crossing_time process FOLDER SMILES.csv` starts the plugin of `benches/process` and encodes the
//! first 10,000 molecules of a file; the plugin says how long its own work took.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use molarena_baselines::Constant;
use molarena_host::plugin::loader::LoadedPlugin;
use molarena_sdk::{Baseline, Bits, Call, Component, Inputs, OwnedLabels, Smiles, TaskKind};

/// Times the crossing to a component.
#[derive(Parser)]
enum Arguments {
    /// The C table against a native call
    Table {
        /// Built library of the plugin baselines
        library: PathBuf,
        /// Rounds of a fit and a prediction
        #[arg(long, default_value_t = 300)]
        rounds: usize,
    },
    /// The process protocol against the program's own work
    Process {
        /// Plugin folder, `benches/process` with its environment
        folder: PathBuf,
        /// Table whose first column is SMILES
        molecules: PathBuf,
        /// Rounds of a start and an encoding
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
}

/// Training molecules, test molecules, bits and tasks of `ChEMBL2K`.
const TRAIN: usize = 1413;
const TEST: usize = 589;
const BITS: usize = 2048;
const TASKS: usize = 41;

fn main() -> Result<()> {
    let line = match Arguments::parse() {
        Arguments::Table { library, rounds } => table(&library, rounds)?,
        Arguments::Process { folder, molecules, rounds } => process(&folder, &molecules, rounds)?,
    };
    println!("{line}");
    Ok(())
}

fn table(library: &std::path::Path, rounds: usize) -> Result<serde_json::Value> {
    let words = vec![0x5555_5555_5555_5555u64; TRAIN * BITS / 64];
    let train = Inputs::from_bits(Bits::new(&words, TRAIN, BITS)?);
    let test = Inputs::from_bits(Bits::new(&words[..TEST * BITS / 64], TEST, BITS)?);
    let none = Inputs::from_bits(Bits::new(&[], 0, BITS)?);
    let values =
        (0..TRAIN * TASKS).map(|cell| if cell % 3 == 0 { f32::NAN } else { (cell % 2) as f32 }).collect();
    let labels = OwnedLabels::from_nan(TaskKind::Classification, TRAIN, TASKS, values)?;
    let no_labels = OwnedLabels::from_nan(TaskKind::Classification, 0, TASKS, Vec::new())?;
    let (labels, no_labels, call) = (labels.view(), no_labels.view(), Call::new(0, 1));
    let plugin = LoadedPlugin::open_for(library, 1)?;
    let (mut native, mut crossed) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let started = Instant::now();
        let mut baseline = Constant::new(serde_json::from_str("{}")?)?;
        baseline.fit(&train, &labels, &none, &no_labels, &call)?;
        let own = baseline.predict(&test, &call)?;
        native.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        let mut baseline = plugin.baseline("constant", "{}")?;
        baseline.fit(&train, &labels, &none, &no_labels, &call)?;
        let other = baseline.predict(&test, TASKS, &call)?;
        crossed.push(started.elapsed().as_secs_f64());
        ensure!(own == other, "the two predict the same");
    }
    let (native, crossed) = (median(native), median(crossed));
    Ok(serde_json::json!({ "native_s": native, "table_s": crossed, "crossing_s": crossed - native }))
}

fn process(
    folder: &std::path::Path,
    molecules: &std::path::Path,
    rounds: usize,
) -> Result<serde_json::Value> {
    let text = fs_err::read_to_string(molecules)?;
    let smiles: Vec<&str> =
        text.lines().skip(1).take(10_000).map(|line| line.split(',').next().unwrap_or_default()).collect();
    let all = smiles.concat();
    let mut offsets = vec![0i64];
    offsets.extend(smiles.iter().scan(0, |end, text| {
        *end += text.len() as i64;
        Some(*end)
    }));
    let inputs = Inputs::from_smiles(Smiles::new(&all, &offsets)?);
    let folder = fs_err::canonicalize(folder)?;
    let (mut starts, mut encodings, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let started = Instant::now();
        let plugin = LoadedPlugin::open_for(&folder, 1)?;
        let mut encoder = plugin.encoder("timed", "{}")?;
        starts.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        let vectors = encoder.encode(&inputs, &Call::new(0, 1))?;
        encodings.push(started.elapsed().as_secs_f64());
        own.push(f64::from(*vectors.values.last().context("there are molecules")?));
    }
    let (start, encoding, own) = (median(starts), median(encodings), median(own));
    Ok(serde_json::json!({
        "molecules": smiles.len(),
        "start_s": start,
        "encode_s": encoding,
        "own_s": own,
        "protocol_s": encoding - own,
        "protocol_us_per_molecule": (encoding - own) * 1e6 / smiles.len() as f64,
    }))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
