//! Fits a baseline, or fine-tunes an encoder, under each configuration to choose from, and predicts with the best.

use std::{path::Path, time::Instant};

use molarena_data::{Part, TaskType};
use molarena_features::Features;
use molarena_record::parts::{Candidate, Search};
use molarena_sdk::{Labels, Matrix, OwnedLabels, TaskKind};

use crate::{
    error::{Error, Result},
    files::npy::from_npy,
    job::{self, FitJob, Output, WorkerFailure},
    plugin::loader::LoadedBaseline,
    worker::{
        Place,
        calls::{called, internal, open, predictor, write},
        choice::{is_better, valid_score},
        predict::predict_part,
    },
};

pub(super) fn fit(job: &FitJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let features =
        |part| Features::read(&job::features_file(place.folder, part), job.input).map_err(internal);
    let parts = [features(Part::Train)?, features(Part::Valid)?, features(Part::Test)?];
    let labels = |part| read_labels(job, place.folder, part).map_err(internal);
    let (train_labels, valid_labels) = (labels(Part::Train)?, labels(Part::Valid)?);
    let Chosen { mut baseline, valid_predictions, fit_s, search } =
        choose(job, &parts, [&train_labels, &valid_labels], place)?;
    let started = Instant::now();
    let predictions = predict_part(&mut baseline, &parts[2], job.tasks, &place.call)?;
    let predict_s = started.elapsed().as_secs_f64();
    for (part, predictions) in [(Part::Test, predictions), (Part::Valid, valid_predictions)] {
        write(&job::predictions_file(place.folder, part), predictions)?;
    }
    if job.keep {
        let state = baseline.save().map_err(|error| called(&error))?;
        fs_err::write(job::state_file(place.folder), state).map_err(internal)?;
    }
    Ok(Output::Timings { fit_s, predict_s, search })
}

/// The best candidate, fitted.
struct Chosen {
    baseline: LoadedBaseline,
    valid_predictions: Matrix,
    fit_s: f64,
    search: Option<Search>,
}

/// Fits every candidate and keeps the one that scores best on the validation molecules; of equals, the first.
fn choose(
    job: &FitJob,
    parts: &[Features; 3],
    labels: [&OwnedLabels; 2],
    place: &Place<'_>,
) -> Result<Chosen, WorkerFailure> {
    let [train, valid, _] = parts;
    let [train_labels, valid_labels] = labels.map(OwnedLabels::view);
    let gaps = with_gaps(&valid_labels);
    let mut best: Option<(Option<f64>, LoadedBaseline, Matrix)> = None;
    let (mut candidates, mut chosen, mut fit_s) = (Vec::new(), 0, 0.0);
    let plugin = open(job.candidates.first().expect("a job has at least one candidate"), place)?;
    for (index, candidate) in job.candidates.iter().enumerate() {
        let started = Instant::now();
        let mut baseline = predictor(&plugin, candidate, place)?;
        baseline
            .fit(&train.inputs(), &train_labels, &valid.inputs(), &valid_labels, &place.call)
            .map_err(|error| called(&error))?;
        fit_s += started.elapsed().as_secs_f64();
        let valid_predictions = predict_part(&mut baseline, valid, job.tasks, &place.call)?;
        let score = valid_score(job.metric, &gaps, &valid_predictions.values, job.tasks);
        candidates.push(Candidate {
            config: serde_json::from_str(candidate.chosen_config()).expect("canonical JSON of the plan"),
            valid_score: score,
            seconds: started.elapsed().as_secs_f64(),
        });
        if best.as_ref().is_none_or(|(best, ..)| is_better(job.metric, score, *best)) {
            best = Some((score, baseline, valid_predictions));
            chosen = index;
        }
    }
    let (_, baseline, valid_predictions) = best.expect("a job has at least one candidate");
    let search = (candidates.len() > 1).then_some(Search { candidates, chosen });
    Ok(Chosen { baseline, valid_predictions, fit_s, search })
}

/// Labels `[molecules, tasks]`, NaN where missing.
fn with_gaps(labels: &Labels<'_>) -> Vec<f32> {
    let cells = (0..labels.rows).flat_map(|row| (0..labels.tasks).map(move |task| (row, task)));
    cells.map(|(row, task)| labels.get(row, task).unwrap_or(f32::NAN)).collect()
}

fn read_labels(job: &FitJob, folder: &Path, part: Part) -> Result<OwnedLabels> {
    let path = job::labels_file(folder, part);
    let failed = |message: String| Error::Store { path: path.clone(), message };
    let (rows, tasks, values) = from_npy(&fs_err::read(&path)?).map_err(failed)?;
    let kind = match job.task_type {
        TaskType::Classification => TaskKind::Classification,
        TaskType::Regression => TaskKind::Regression,
    };
    OwnedLabels::from_nan(kind, rows, tasks, values).map_err(|error| failed(error.to_string()))
}
