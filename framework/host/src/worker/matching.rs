//! The worker of a matching cell.

use std::{path::Path, sync::atomic::AtomicBool, time::Instant};

use molarena_sdk::{Call, Dense, Matrix};

use crate::{
    files::npy::{read_matrix, write_npy},
    job,
    job::{MatchJob, Output, TEST, WorkerFailure},
    plugin::loader::{LoadedDecoder, LoadedPlugin},
    worker::{Reporter, called, check_finite, encode, internal, opened},
};
use molarena_features::{Features, select_rows};
use molarena_record::parts::Reason;

/// Encodes the queries and lets the decoder score the candidates of each space.
pub(crate) fn score_candidates(
    job: &MatchJob,
    folder: &Path,
    cancelled: &AtomicBool,
) -> Result<Output, WorkerFailure> {
    let features = Features::read(&job::features_file(folder, TEST), job.input).map_err(internal)?;
    let reporter = Reporter::new(folder, cancelled);
    let call = Call::new(job.seed, job.threads).with_hooks(&reporter);
    let started = Instant::now();
    let [vectors] = match &job.encoder {
        Some(encoder) => encode(encoder, job.state.as_ref(), &[features], &call)?,
        None => [features.into_dense()],
    };
    let encode_s = started.elapsed().as_secs_f64();
    let Features::Dense { columns, values, .. } = vectors else {
        let message = "worker: the features are no vectors for a decoder".into();
        return Err(WorkerFailure { reason: Reason::NoResult, message });
    };
    let started = Instant::now();
    let mut decoder = decoder(job)?;
    for (index, space) in job.spaces.iter().enumerate() {
        let (rows, width, candidates) =
            read_matrix(&job::candidates_file(folder, index)).map_err(internal)?;
        let z = Matrix {
            rows: space.queries.len(),
            columns,
            values: select_rows(&values, columns, &space.queries),
        };
        let candidates = Dense::new(&candidates, rows, width).expect("rows x columns values");
        let scores =
            decoder.score(&z.view(), &candidates, &space.name, &call).map_err(|error| called(&error))?;
        check_finite(&scores.values, scores.columns)?;
        let scores = molarena_features::matrix(scores.rows, scores.columns, scores.values);
        write_npy(&job::scores_file(folder, index), &scores).map_err(internal)?;
    }
    let predict_s = started.elapsed().as_secs_f64();
    Ok(Output::Timings { encode_s, fit_s: 0.0, predict_s, search: None })
}

/// The decoder, with the encoder's state where both are of one plugin.
fn decoder(job: &MatchJob) -> Result<LoadedDecoder, WorkerFailure> {
    let plugin = LoadedPlugin::open(&job.decoder.library).map_err(|error| opened(&error))?;
    let decoder = plugin.decoder(&job.decoder.component, &job.decoder.config);
    let mut decoder = decoder.map_err(|error| called(&error))?;
    if let Some(state) = job.state.as_ref().filter(|_| job.decoder_loads) {
        let bytes = fs_err::read(&state.path).map_err(internal)?;
        decoder.load(&bytes).map_err(|error| called(&error))?;
    }
    Ok(decoder)
}
