//! Computes features or vectors of molecules, from an input of any length into a file, in bounded memory.
//!
//! One thread reads chunks of SMILES, the calling thread computes them with its thread pool, and a third one
//! writes. The file is written as `OUTPUT.partial` and renamed once it is complete. Unreadable rows keep
//! their place and are listed in `OUTPUT.failures.csv`.

mod block;
mod encoder;
mod output;
mod parquet;

use std::{
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use molarena_chem::Parsed;
use molarena_data::SmilesInput;

use self::{
    block::Block,
    output::{Failures, Output},
};
pub use self::{
    block::Layout,
    encoder::Encoder,
    output::{OutputFormat, failures_path, partial_path, write_failures},
};
use crate::{
    error::{Error, Result},
    execute::event::{Event, Observer},
};
use molarena_features::{FeatureSpec, SmilesForm};

/// Rows per chunk; a molecule takes about 10 KiB of memory.
const CHUNK: usize = 4096;

/// What to compute, and where to write it.
#[derive(Debug)]
pub struct Embedding<'a> {
    /// CSV, one SMILES per line, or Parquet; `-` is standard input.
    pub input: &'a Path,
    /// Name of the SMILES column; if `None`, the column is recognised by its name.
    pub smiles: Option<&'a str>,
    /// The features to compute for each molecule.
    pub features: &'a FeatureSpec,
    /// Turns the features into vectors, if given.
    pub encoder: Option<&'a Encoder>,
    /// Path of the output file.
    pub output: &'a Path,
    /// Format of the output file.
    pub format: OutputFormat,
    /// Whether each bit becomes a byte or number of its own, instead of packing eight to a byte.
    pub unpacked: bool,
}

/// The result of an embedding.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// Number of rows written.
    pub rows: u64,
    /// Number of rows that could not be read.
    pub failed: u64,
    /// The recognised format of the input, in words.
    pub input: String,
    /// Layout of the output rows; `None` if no row was written.
    pub layout: Option<Layout>,
    /// Wall-clock time from the first byte read to the last byte written.
    pub wall: Duration,
    /// The partial file, if the work was interrupted: valid, but without the remaining rows.
    pub partial: Option<PathBuf>,
}

/// A chunk as read.
struct Chunk {
    first_row: u64,
    smiles: Vec<String>,
}

/// A chunk ready to be written.
struct Computed {
    chunk: Chunk,
    block: Block,
    failures: Vec<(usize, String)>,
}

/// Reads, computes and writes all rows, and reports the rows done to `observer`. If `interrupted` is set, the
/// rows written so far form a valid file `OUTPUT.partial`.
///
/// # Errors
/// [`Error::Request`] if the features are not vectors; errors of reading the input and writing the output;
/// [`Error::Data`] if no row can be read. After an error no output is left.
pub fn embed(
    embedding: &Embedding<'_>,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<Embedded> {
    let started = Instant::now();
    let mut input = SmilesInput::open(embedding.input, embedding.smiles)?;
    let what = input.what().to_owned();
    let partial = partial_path(embedding.output);
    let (read, chunks) = sync_channel::<Result<Chunk>>(2);
    let (computed, blocks) = sync_channel::<Computed>(1);
    let written = thread::scope(|scope| {
        let reader = scope.spawn(move || read_all(&mut input, &read, interrupted));
        let partial = &partial;
        let writer = scope.spawn(move || write_all(embedding, partial, &blocks, observer));
        if let Some(encoder) = embedding.encoder {
            scope.spawn(|| encoder.work(interrupted));
        }
        let result = compute_all(embedding, chunks, &computed);
        let result = result.and(embedding.encoder.map_or(Ok(()), Encoder::finish));
        drop(computed);
        let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let read_to_the_end = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // A failed writer stops the computation without an error there, so its own error comes first.
        let written = written?;
        match result {
            Ok(()) => Ok((written, read_to_the_end)),
            Err(Error::Interrupted) if written.rows > 0 => Ok((written, false)),
            Err(error) => Err(error),
        }
    });
    let (written, whole) = written.inspect_err(|_| output::discard(embedding.output))?;
    if !whole && written.rows == 0 {
        return Err(Error::Interrupted);
    }
    if written.rows == written.failed {
        output::discard(embedding.output);
        let reason = written.first_failure.unwrap_or_else(|| "there are no rows".to_owned());
        let (id, rows) = (embedding.input.display().to_string(), written.rows as usize);
        return Err(molarena_data::Error::NoMolecules { id, rows, reason }.into());
    }
    if whole {
        fs_err::rename(&partial, embedding.output)?;
    }
    Ok(Embedded {
        rows: written.rows,
        failed: written.failed,
        input: what,
        layout: written.layout,
        wall: started.elapsed(),
        partial: (!whole).then_some(partial),
    })
}

/// Sends all chunks; returns whether it reached the end of the input.
fn read_all(input: &mut SmilesInput, read: &SyncSender<Result<Chunk>>, interrupted: &AtomicBool) -> bool {
    let mut first_row = 1;
    while !interrupted.load(Ordering::Relaxed) {
        let chunk = input.next_chunk(CHUNK).map(|smiles| Chunk { first_row, smiles });
        let (rows, failed) = chunk.as_ref().map_or((0, true), |chunk| (chunk.smiles.len(), false));
        if rows == 0 && !failed {
            return true;
        }
        first_row += rows as u64;
        // The receiver is gone once writing has failed.
        if read.send(chunk.map_err(Error::from)).is_err() || failed {
            return false;
        }
    }
    false
}

fn compute_all(
    embedding: &Embedding<'_>,
    chunks: Receiver<Result<Chunk>>,
    computed: &SyncSender<Computed>,
) -> Result<()> {
    for chunk in chunks {
        if computed.send(compute(embedding, chunk?)?).is_err() {
            break;
        }
    }
    Ok(())
}

fn compute(embedding: &Embedding<'_>, chunk: Chunk) -> Result<Computed> {
    let Parsed { kept, molecules, failures } = Parsed::new(&chunk.smiles);
    let smiles: Vec<String> = match embedding.features {
        FeatureSpec::Smiles { form: SmilesForm::Written } => {
            kept.iter().map(|&index| chunk.smiles[index].clone()).collect()
        }
        _ => Vec::new(),
    };
    let nothing_measured =
        |part: &FeatureSpec| Err(Error::Request(format!("nothing was measured for new molecules: {part:?}")));
    let mut features = embedding.features.compute(&smiles, &molecules, &nothing_measured)?;
    if let Some(encoder) = embedding.encoder
        && !molecules.is_empty()
    {
        features = encoder.encode(&features)?;
    }
    let names = match (embedding.features, embedding.encoder) {
        (FeatureSpec::Descriptors {}, None) => Some(molarena_chem::DESCRIPTOR_NAMES),
        _ => None,
    };
    let block = Block::new(&features, &kept, chunk.smiles.len(), embedding.unpacked, names)?;
    let failures = failures.into_iter().map(|(index, error)| (index, error.to_string())).collect();
    Ok(Computed { chunk, block, failures })
}

#[derive(Default)]
struct Written {
    rows: u64,
    failed: u64,
    first_failure: Option<String>,
    layout: Option<Layout>,
}

fn write_all(
    embedding: &Embedding<'_>,
    partial: &Path,
    blocks: &Receiver<Computed>,
    observer: &dyn Observer,
) -> Result<Written> {
    let mut written = Written::default();
    let mut failures = Failures::new(embedding.output)?;
    let mut output: Option<Output> = None;
    for Computed { chunk, block, failures: failed } in blocks {
        if output.is_none() {
            written.layout = Some(block.layout());
            output = Some(Output::create(partial, embedding.format, &block)?);
        }
        if let Some(output) = &mut output {
            output.write(chunk.first_row, &chunk.smiles, &block)?;
        }
        for (index, reason) in failed {
            failures.push(chunk.first_row + index as u64, &chunk.smiles[index], &reason)?;
            written.failed += 1;
            written.first_failure.get_or_insert(reason);
        }
        written.rows += chunk.smiles.len() as u64;
        observer.event(&Event::Rows(written.rows));
    }
    if let Some(output) = output {
        output.finish(written.rows)?;
    }
    failures.finish()?;
    Ok(written)
}

/// Parses features from text such as `morgan:radius=3,bits=1024` or `morgan-counts:columns=2048+descriptors`.
///
/// # Errors
/// A one-line message that says what is wrong.
pub fn parse_features(text: &str) -> Result<FeatureSpec, String> {
    let part = |text: &str| {
        let (kind, settings) = text.split_once(':').unwrap_or((text, ""));
        let mut value = serde_json::json!({ "kind": kind.trim() });
        for setting in settings.split(',').filter(|setting| !setting.is_empty()) {
            let (key, word) = setting
                .split_once('=')
                .ok_or_else(|| format!("`{setting}` is no setting; write morgan:radius=2,bits=2048"))?;
            value[key.trim()] = serde_json::from_str(word.trim()).unwrap_or_else(|_| word.trim().into());
        }
        let spec = serde_json::from_value::<FeatureSpec>(value);
        spec.map_err(|error| format!("features `{text}`: {error}"))
    };
    let mut parts = text.split('+').map(part).collect::<Result<Vec<_>, _>>()?;
    let spec = if parts.len() == 1 { parts.remove(0) } else { FeatureSpec::Concatenated { parts } };
    spec.check()?;
    Ok(spec)
}

/// Refuses features that are not fixed-length vectors, or that new molecules lack.
///
/// # Errors
/// [`Error::Request`].
pub fn check_writable(features: &FeatureSpec, encoder: bool) -> Result<()> {
    if !features.measured().is_empty() {
        let message =
            "companion, profile and cell-count features are measured; nothing was measured for new molecules";
        return Err(Error::Request(message.into()));
    }
    if !encoder && matches!(features, FeatureSpec::Graphs {} | FeatureSpec::Smiles { .. }) {
        let message = "graphs and SMILES are no vectors; name morgan, morgan-counts or descriptors, or a method with an encoder";
        return Err(Error::Request(message.into()));
    }
    Ok(())
}

/// Rows per second.
pub fn rate(rows: u64, wall: Duration) -> f64 {
    rows as f64 / wall.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests;
