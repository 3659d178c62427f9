//! Checks configurations: against the schemas of plugins, without a plugin, and by creating the components.

use molarena_abi as abi;
use molarena_sdk::ComponentKind;

use crate::{
    job::{CheckJob, CreateJob, Output, WorkerFailure},
    plugin::loader::LoadError,
    request::config_schema::violation,
    worker::{Place, calls::open},
};

pub(super) fn check(job: &CheckJob) -> Output {
    let found = job.checks.iter().map(|(schema, config)| match job.schemas.get(*schema) {
        Some(schema) => violation(config, schema),
        None => Some("the job has no such schema".into()),
    });
    Output::Checked(found.collect())
}

/// Creates each component and drops it. A plugin that panics here is no matter of its configuration.
pub(super) fn create(job: &CreateJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let mut found = Vec::new();
    // All are of one plugin.
    let Some((_, first)) = job.components.first() else { return Ok(Output::Checked(found)) };
    let plugin = open(first, place)?;
    for (kind, component) in &job.components {
        let (id, config) = (&component.component, &component.config);
        let created = match kind {
            ComponentKind::Encoder => plugin.encoder(id, config).and_then(|encoder| {
                let finetune = component.finetune.as_ref();
                finetune.map_or(Ok(()), |finetune| encoder.finetune(&finetune.config).map(drop))
            }),
            ComponentKind::Decoder => plugin.decoder(id, config).map(drop),
            ComponentKind::Baseline => plugin.baseline(id, config).map(drop),
        };
        found.push(match created {
            Err(LoadError::Call { status, message }) if blames_the_configuration(status) => Some(message),
            _ => None,
        });
    }
    Ok(Output::Checked(found))
}

const fn blames_the_configuration(status: i32) -> bool {
    matches!(
        status,
        abi::MOLARENA_ERROR_INVALID_CONFIG
            | abi::MOLARENA_ERROR_INVALID_ARGUMENT
            | abi::MOLARENA_ERROR_UNSUPPORTED
    )
}
