//! Predicts with a saved baseline or fine-tuned model.

use std::time::Instant;

use molarena_data::Part;
use molarena_features::Features;
use molarena_sdk::{Call, Matrix};

use crate::{
    job::{self, Output, PredictJob, WorkerFailure},
    plugin::loader::LoadedBaseline,
    worker::{
        Place,
        calls::{called, check_finite, internal, open, predictor, read, write},
    },
};

pub(super) fn predict(job: &PredictJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let features =
        Features::read(&job::features_file(place.folder, Part::Test), job.input).map_err(internal)?;
    let mut baseline = predictor(&open(&job.baseline, place)?, &job.baseline, place)?;
    baseline.load(&read(&job.state, place)?).map_err(|error| called(&error))?;
    let started = Instant::now();
    let predictions = predict_part(&mut baseline, &features, job.tasks, &place.call)?;
    let predict_s = started.elapsed().as_secs_f64();
    write(&job::predictions_file(place.folder, Part::Test), predictions)?;
    Ok(Output::Timings { fit_s: 0.0, predict_s, search: None })
}

/// Finite predictions `f32[molecules of the part, tasks]`.
pub(super) fn predict_part(
    baseline: &mut LoadedBaseline,
    part: &Features,
    tasks: usize,
    call: &Call<'_>,
) -> Result<Matrix, WorkerFailure> {
    if part.rows() == 0 {
        return Ok(Matrix::zeros(0, tasks));
    }
    let predictions = baseline.predict(&part.inputs(), tasks, call).map_err(|error| called(&error))?;
    check_finite(&predictions)?;
    Ok(predictions)
}
