//! Asks a plugin, in a worker, what it offers.

use std::{path::Path, sync::atomic::AtomicBool, time::Duration};

use molarena_record::text::visible;
use molarena_sdk::PluginDescription;

use crate::{
    error::{Error, Result},
    files::{folder::Temporary, library::library_bytes},
    job::{Job, JobTask, Output},
    launch::{self, Launcher},
    plugin::identity::identity,
    plugin::manifest::{PluginManifest, is_plugin_folder},
    plugin::search::{Plugin, file_name, plugin_id},
    sandbox::{Envelope, library_folders},
};

/// Largest schema of a component's configuration in bytes of JSON.
const SCHEMA_LIMIT: usize = 1 << 20;
/// Characters kept of each text in a description.
const TEXT_KEPT: usize = 1000;

/// Describes the library or the plugin folder at `path`, which a worker opens. Every text of the description is visible and cut; only the
/// schemas are the plugin's own.
///
/// # Errors
/// [`Error::Plugin`] that says what is wrong with it.
pub fn describe(launcher: &Launcher, path: &Path, work_dir: &Path) -> Result<Plugin> {
    let failed = |message: String| Error::Plugin { path: path.to_owned(), message };
    let manifest = is_plugin_folder(path).then(|| PluginManifest::read(path)).transpose()?;
    let sha256 = match &manifest {
        Some(manifest) => {
            manifest.check()?;
            manifest.sha256()?
        }
        None => molarena_data::sha256_hex(&library_bytes(path)?),
    };
    let mut readable = manifest.as_ref().map_or_else(|| vec![path.to_owned()], PluginManifest::readable);
    readable.extend(library_folders());
    let folder = Temporary::make("describe-", work_dir)?;
    let job = Job {
        envelope: Envelope {
            memory: 4 << 30,
            processors: Vec::new(),
            confine: true,
            readable,
            ..Envelope::default()
        },
        seed: 0,
        threads: 1,
        task: JobTask::Describe { library: path.to_owned() },
    };
    let limit = Duration::from_mins(1);
    let ending = launch::run(launcher, &job, folder.path(), limit, &AtomicBool::new(false), &|_| ())?;
    match ending.result {
        Ok(Output::Description(description)) => {
            let description = checked(description, path, manifest.as_ref())?;
            let identity = identity(&description, &sha256);
            Ok(Plugin { path: path.to_owned(), sha256, identity, description })
        }
        Ok(_) => Err(failed("the worker answered another question".into())),
        Err(failure) => {
            // The loader's messages name the library already.
            let named = format!("plugin {} ", path.display());
            let mut message = failure.message.strip_prefix(&named).unwrap_or(&failure.message).to_owned();
            if !ending.output.is_empty() {
                message = format!("{message}; it printed: {}", visible(&ending.output));
            }
            Err(failed(message))
        }
    }
}

/// The description in visible texts, if its id is the one that the file name says and no schema is too large.
fn checked(
    mut description: PluginDescription,
    path: &Path,
    manifest: Option<&PluginManifest>,
) -> Result<PluginDescription> {
    let failed = |message: String| Error::Plugin { path: path.to_owned(), message };
    let PluginDescription { id, version, licence, components, source_sha256, source_build } =
        &mut description;
    let own = [id, version, licence].into_iter().chain(source_sha256).chain(source_build);
    let theirs = components.iter_mut().flat_map(|component| {
        let texts = component.devices.iter_mut().chain(&mut component.corpora);
        texts.chain([&mut component.id, &mut component.summary])
    });
    for text in own.chain(theirs) {
        *text = molarena_chem::shorten(&visible(text), TEXT_KEPT, "…").into_owned();
    }
    let schemas = description.components.iter().flat_map(|component| {
        let of_finetune = component.finetune.iter().map(|finetune| &finetune.config_schema);
        std::iter::once(&component.config_schema).chain(of_finetune).map(move |schema| (component, schema))
    });
    for (component, schema) in schemas {
        let bytes = schema.to_string().len();
        if bytes > SCHEMA_LIMIT {
            let limit = bytesize::ByteSize(SCHEMA_LIMIT as u64);
            let id = &component.id;
            return Err(failed(format!(
                "the configuration schema of `{id}` has {bytes} bytes, more than {limit}"
            )));
        }
    }
    if manifest.is_some() {
        // The loader compared it with the manifest.
        return Ok(description);
    }
    let expected = plugin_id(path).unwrap_or_default();
    if description.id == expected {
        return Ok(description);
    }
    Err(failed(format!(
        "it calls itself `{}`, but its file name says `{}`; rename it to {}",
        description.id,
        visible(&expected),
        file_name(&description.id)
    )))
}
