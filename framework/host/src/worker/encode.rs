//! Encodes molecules, all at once or chunk by chunk.

use std::{path::Path, thread, time::Duration};

use molarena_data::Part;
use molarena_features::Features;

use crate::{
    job::{self, EncodeJob, Output, WorkerFailure},
    plugin::loader::LoadedEncoder,
    worker::{
        Place,
        calls::{called, check_finite, encoder, internal, open, write},
    },
};

/// How often the worker checks for the next chunk.
const POLL: Duration = Duration::from_millis(2);

pub(super) fn encode(job: &EncodeJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let mut encoder = loaded(job, place)?;
    let (from, to) = (job::features_file(place.folder, Part::Test), job::vectors_file(place.folder));
    encode_file(&mut encoder, job, place, &from, &to)?;
    Ok(Output::Encoded)
}

/// Encodes the chunks of a stream in order. A vector file gets its name once it is complete; then the chunk's
/// features are removed.
pub(super) fn stream(job: &EncodeJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let mut encoder = loaded(job, place)?;
    let mut next = 0;
    loop {
        let from = job::chunk_file(place.folder, next);
        // Check this first: the host marks the end after the last chunk.
        let ended = job::end_of_stream_file(place.folder).exists();
        if from.exists() {
            let to = job::chunk_vectors_file(place.folder, next);
            let unfinished = to.with_extension("tmp");
            encode_file(&mut encoder, job, place, &from, &unfinished)?;
            fs_err::rename(unfinished, to).map_err(internal)?;
            fs_err::remove_file(from).map_err(internal)?;
            next += 1;
        } else if ended || place.call.cancelled() {
            return Ok(Output::Encoded);
        } else {
            thread::sleep(POLL);
        }
    }
}

fn loaded(job: &EncodeJob, place: &Place<'_>) -> Result<LoadedEncoder, WorkerFailure> {
    encoder(&open(&job.encoder, place)?, &job.encoder, job.state.as_deref(), place)
}

fn encode_file(
    encoder: &mut LoadedEncoder,
    job: &EncodeJob,
    place: &Place<'_>,
    from: &Path,
    to: &Path,
) -> Result<(), WorkerFailure> {
    let features = Features::read(from, job.input).map_err(internal)?;
    let vectors = encoder.encode(&features.inputs(), &place.call).map_err(|error| called(&error))?;
    check_finite(&vectors)?;
    write(to, vectors)
}
