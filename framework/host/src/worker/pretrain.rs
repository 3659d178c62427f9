//! Trains an encoder on the corpus in the job folder and writes its state.

use molarena_record::parts::Reason;

use crate::{
    job::{self, Output, PretrainJob, WorkerFailure, corpus::OwnedCorpus},
    worker::{
        Place,
        calls::{absolute, called, encoder, internal, open},
    },
};

pub(super) fn pretrain(job: &PretrainJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let corpus = OwnedCorpus::read(place.folder).map_err(internal)?;
    let view = corpus.view().map_err(|error| WorkerFailure {
        reason: Reason::NoResult,
        message: format!("worker: corpus: {error}"),
    })?;
    let plugin = open(&job.encoder, place)?;
    let mut encoder = encoder(&plugin, &job.encoder, job.weights.as_deref(), place)?;
    let folder = absolute(&job.folder, place);
    encoder.fit(&view, &place.call.with_folder(&folder)).map_err(|error| called(&error))?;
    let state = encoder.save().map_err(|error| called(&error))?;
    fs_err::write(job::state_file(place.folder), state).map_err(internal)?;
    Ok(Output::Pretrained)
}
