//! Built graphs on disk, by key.
//!
//! A file is [`MAGIC`], the length of the head as 8 bytes, the head (the graph without the values of its
//! spaces, in postcard's format), the values of each space as little-endian 32-bit floats, and the SHA-256 of
//! everything before it in hex.

use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use fs_err::File;

use super::graph::ContextGraph;
use crate::error::Result;
use crate::hash::Hasher;

/// Names the format and its version.
const MAGIC: &[u8; 8] = b"MOLACTX2";
/// Hex digits of a sha256.
const DIGEST: usize = 64;
/// Values converted to bytes at a time.
const BLOCK: usize = 1 << 14;

fn place(cache: &Path, key: &str) -> PathBuf {
    cache.join(format!("{key}.context"))
}

/// Reads the graph with this key; `None` if the cache does not have it.
///
/// # Errors
/// A sentence that says what is wrong with the file; the caller then builds the graph again.
pub(super) fn read(cache: &Path, key: &str) -> Result<Option<ContextGraph>, String> {
    let path = place(cache, key);
    if !path.exists() {
        return Ok(None);
    }
    match read_file(&path, key) {
        Ok(graph) => Ok(Some(graph)),
        Err(reason) => Err(format!("{}: {reason}; the graph is built again", path.display())),
    }
}

fn read_file(path: &Path, key: &str) -> Result<ContextGraph, String> {
    let text = |error: std::io::Error| error.to_string();
    let file = File::open(path).map_err(text)?;
    let length = file.metadata().map_err(text)?.len();
    let mut reader = Checked { inner: BufReader::with_capacity(1 << 18, file), hasher: Hasher::default() };
    let mut start = [0_u8; 16];
    reader.fill(&mut start)?;
    let (magic, head) = start.split_at(8);
    if magic != MAGIC {
        return Err("is of another format".to_owned());
    }
    let head = u64::from_le_bytes(head.try_into().expect("eight bytes"));
    if head > length {
        return Err("is cut short".to_owned());
    }
    let mut bytes = vec![0_u8; head as usize];
    reader.fill(&mut bytes)?;
    let mut graph: ContextGraph = postcard::from_bytes(&bytes).map_err(|_| "is damaged".to_owned())?;
    if graph.key != key {
        return Err("holds another graph".to_owned());
    }
    for space in &mut graph.spaces {
        let cells = (space.nodes.len() as u64).saturating_mul(space.columns as u64);
        if cells.saturating_mul(4) > length {
            return Err("is cut short".to_owned());
        }
        space.values = reader.values(cells as usize)?;
    }
    let found = reader.hasher.clone().finish();
    let mut digest = [0_u8; DIGEST];
    reader.fill(&mut digest)?;
    let rest = reader.inner.read(&mut [0_u8]).map_err(text)?;
    if found.as_bytes() != digest || rest > 0 {
        return Err("is damaged: its checksum is another".to_owned());
    }
    Ok(graph)
}

struct Checked {
    inner: BufReader<File>,
    hasher: Hasher,
}

impl Checked {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        self.inner.read_exact(buffer).map_err(|error| format!("is cut short ({error})"))?;
        self.hasher.update(buffer);
        Ok(())
    }

    fn values(&mut self, count: usize) -> Result<Vec<f32>, String> {
        let mut values = Vec::with_capacity(count);
        let mut bytes = vec![0_u8; 4 * BLOCK];
        while values.len() < count {
            let block = &mut bytes[..4 * BLOCK.min(count - values.len())];
            self.fill(block)?;
            let floats = block.chunks_exact(4);
            values.extend(floats.map(|value| f32::from_le_bytes(value.try_into().expect("four bytes"))));
        }
        Ok(values)
    }
}

/// Writes a graph under its key, through a temporary file that is renamed once it is complete.
///
/// # Errors
/// The folder or the file cannot be written.
pub(super) fn write(cache: &Path, graph: &ContextGraph) -> Result<()> {
    fs_err::create_dir_all(cache)?;
    // Each process writes its own temporary file, in case two build the same graph.
    let temporary = cache.join(format!(".{}.{}.part", graph.key, std::process::id()));
    let written = write_file(&temporary, graph)
        .and_then(|()| Ok(fs_err::rename(&temporary, place(cache, &graph.key))?));
    if written.is_err() {
        // The write error is the one to report.
        let _ = fs_err::remove_file(&temporary);
    }
    written
}

fn write_file(path: &Path, graph: &ContextGraph) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut hasher = Hasher::default();
    let mut put = |bytes: &[u8]| {
        hasher.update(bytes);
        file.write_all(bytes)
    };
    let head = postcard::to_allocvec(graph).map_err(std::io::Error::other)?;
    put(MAGIC)?;
    put(&(head.len() as u64).to_le_bytes())?;
    put(&head)?;
    for block in graph.spaces.iter().flat_map(|space| space.values.chunks(BLOCK)) {
        let bytes: Vec<u8> = block.iter().flat_map(|value| value.to_le_bytes()).collect();
        put(&bytes)?;
    }
    file.write_all(hasher.finish().as_bytes())?;
    file.flush()?;
    Ok(file.get_ref().sync_all()?)
}
