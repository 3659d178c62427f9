//! Checks configurations before a plan is run.

use molarena_abi as abi;
use molarena_sdk::ComponentKind;

use crate::{
    job::{MakeJob, Output, SchemaJob, WorkerFailure},
    plugin::loader::{LoadError, LoadedPlugin},
    request::config_schema::check_configs,
    worker::{
        Place,
        calls::{absolute, opened},
    },
};

pub(super) fn schema(job: &SchemaJob) -> Output {
    Output::Checked(check_configs(&job.schema, &job.configs).err())
}

/// Makes the component under each configuration. Only a refusal of the configuration is one; another failure may be of
/// this moment.
pub(super) fn make(job: &MakeJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let plugin = LoadedPlugin::open(&absolute(&job.library, place)).map_err(|error| opened(&error))?;
    let refusal = |config: &String| {
        let made = match job.kind {
            ComponentKind::Encoder => plugin.encoder(&job.component, config).map(drop),
            ComponentKind::Decoder => plugin.decoder(&job.component, config).map(drop),
            ComponentKind::Baseline => plugin.baseline(&job.component, config).map(drop),
        };
        match made {
            Err(LoadError::Call { status: abi::MOLARENA_ERROR_INVALID_CONFIG, message }) => Some(message),
            _ => None,
        }
    };
    Ok(Output::Checked(job.configs.iter().find_map(refusal)))
}
