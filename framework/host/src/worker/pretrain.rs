//! Trains an encoder on the corpus in the job folder and writes its state.

use molarena_record::parts::Reason;

use crate::{
    job::{self, Output, PretrainJob, WorkerFailure, corpus::OwnedCorpus},
    worker::{
        Place,
        calls::{absolute, called, internal, open, read},
    },
};

pub(super) fn pretrain(job: &PretrainJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let corpus = OwnedCorpus::read(place.folder).map_err(internal)?;
    let view = corpus.view().map_err(|error| WorkerFailure {
        reason: Reason::NoResult,
        message: format!("worker: corpus: {error}"),
    })?;
    let plugin = open(&job.encoder, place)?;
    let encoder = plugin.encoder(&job.encoder.component, &job.encoder.config);
    let mut encoder = encoder.map_err(|error| called(&error))?;
    if let Some(weights) = &job.weights {
        encoder.load(&read(weights, place)?).map_err(|error| called(&error))?;
    }
    let folder = absolute(&job.folder, place);
    encoder.fit(&view, &place.call.with_folder(&folder)).map_err(|error| called(&error))?;
    let state = encoder.save().map_err(|error| called(&error))?;
    fs_err::write(job::state_file(place.folder), state).map_err(internal)?;
    Ok(Output::Pretrained)
}
