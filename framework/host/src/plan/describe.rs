//! Asks a plugin, in a worker, what it offers.

use std::{path::Path, sync::atomic::AtomicBool, time::Duration};

use crate::{
    error::{Error, Result},
    files::folder::Temporary,
    job::{Job, JobTask, Output},
    launch::{self, Launcher},
    plugin::identity::identity,
    plugin::search::{Plugin, file_name, plugin_id},
    sandbox::Envelope,
};

/// Describes the library at `path`, which a worker opens.
///
/// # Errors
/// [`Error::Plugin`] that says what is wrong with it.
pub fn describe(launcher: &Launcher, path: &Path, work_dir: &Path) -> Result<Plugin> {
    let failed = |message: String| Error::Plugin { path: path.to_owned(), message };
    let sha256 = molarena_data::sha256_file(path)?;
    let folder = Temporary::make("describe-", work_dir)?;
    let job = Job {
        envelope: Envelope {
            memory: 4 << 30,
            processors: Vec::new(),
            confine: true,
            readable: vec![path.to_owned()],
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
            let expected = plugin_id(path).unwrap_or_default();
            if description.id != expected {
                let message = format!(
                    "it calls itself `{}`, but its file name says `{expected}`; rename it to {}",
                    description.id,
                    file_name(&description.id)
                );
                return Err(failed(message));
            }
            let identity = identity(&description, &sha256);
            Ok(Plugin { path: path.to_owned(), sha256, identity, description })
        }
        Ok(_) => Err(failed("the worker answered another question".into())),
        Err(failure) => {
            // The loader's messages name the library already.
            let named = format!("plugin {} ", path.display());
            let mut message = failure.message.strip_prefix(&named).unwrap_or(&failure.message).to_owned();
            if !ending.output.is_empty() {
                message = format!("{message}; it printed: {}", ending.output);
            }
            Err(failed(message))
        }
    }
}
