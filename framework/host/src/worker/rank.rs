//! Lets a decoder score the candidates of each space for the queries.

use std::time::Instant;

use molarena_data::Part;
use molarena_features::{Features, select_rows};
use molarena_record::parts::Reason;
use molarena_sdk::{Dense, Matrix};

use crate::{
    files::npy::read_matrix,
    job::{self, Output, RankJob, WorkerFailure},
    plugin::loader::LoadedDecoder,
    worker::{
        Place,
        calls::{called, check_finite, internal, open, read, write},
    },
};

pub(super) fn rank(job: &RankJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let features =
        Features::read(&job::features_file(place.folder, Part::Test), job.input).map_err(internal)?;
    let Features::Dense { columns, values, .. } = features.into_dense() else {
        let message = "worker: the features are no vectors for a decoder".into();
        return Err(WorkerFailure { reason: Reason::NoResult, message });
    };
    let started = Instant::now();
    let mut decoder = decoder(job, place)?;
    for (index, space) in job.spaces.iter().enumerate() {
        let (rows, width, candidates) =
            read_matrix(&job::candidates_file(place.folder, index)).map_err(internal)?;
        let z = Matrix {
            rows: space.queries.len(),
            columns,
            values: select_rows(&values, columns, &space.queries),
        };
        let candidates = Dense::new(&candidates, rows, width).expect("rows x columns values");
        let scores = decoder
            .score(&z.view(), &candidates, &space.name, &place.call)
            .map_err(|error| called(&error))?;
        check_finite(&scores)?;
        write(&job::scores_file(place.folder, index), scores)?;
    }
    let predict_s = started.elapsed().as_secs_f64();
    Ok(Output::Timings { fit_s: 0.0, predict_s, search: None })
}

/// The decoder, loaded with the encoder's state if both are from one plugin.
fn decoder(job: &RankJob, place: &Place<'_>) -> Result<LoadedDecoder, WorkerFailure> {
    let decoder = open(&job.decoder, place)?.decoder(&job.decoder.component, &job.decoder.config);
    let mut decoder = decoder.map_err(|error| called(&error))?;
    if let Some(state) = &job.state {
        decoder.load(&read(state, place)?).map_err(|error| called(&error))?;
    }
    Ok(decoder)
}
