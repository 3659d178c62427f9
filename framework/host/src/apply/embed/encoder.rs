//! An encoder of a plugin that turns features into vectors, a chunk at a time, in confined workers.

use std::sync::atomic::AtomicBool;

use molarena_sdk::{ComponentKind, InputKind};

use crate::files::plain::read_plain;
use crate::plan::describe::describe;
use crate::{
    error::{Error, Result},
    files::npy::from_npy,
    job,
    job::{EncodeJob, Job, JobComponent, JobState, JobTask, TEST},
    launch,
    launch::Launcher,
    plugin::search,
    plugin::search::SearchPath,
    request::component::ComponentSpec,
    request::config_schema::check_config,
    request::limits::Limits,
    request::method::Method,
    sandbox::Envelope,
};
use molarena_features::{FeatureSpec, Features};
use molarena_record::key::canonical_json;

/// An encoder whose plugin and configuration were checked.
#[derive(Debug)]
pub struct Encoder<'a> {
    launcher: &'a Launcher,
    interrupted: &'a AtomicBool,
    limits: Limits,
    method: String,
    component: JobComponent,
    state: Option<JobState>,
    input: InputKind,
    work: tempfile::TempDir,
}

impl<'a> Encoder<'a> {
    /// The encoder `spec` of `method` on top of `features`.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::Plugin`], [`Error::UnknownComponent`], [`Error::Inputs`], [`Error::Config`].
    pub fn new(
        method: &Method,
        features: &FeatureSpec,
        spec: &ComponentSpec,
        plugins: &SearchPath,
        launcher: &'a Launcher,
        limits: Limits,
        interrupted: &'a AtomicBool,
    ) -> Result<Self> {
        let work = tempfile::Builder::new().prefix("molarena-embed-").tempdir()?;
        let (plugin, id) = spec.split().expect("method files are checked when they are read");
        let path = plugins.find(plugin).ok_or_else(|| Error::UnknownPlugin {
            method: method.name.clone(),
            plugin: plugin.to_owned(),
            file: search::file_name(plugin),
            searched: plugins.describe(),
        })?;
        let described = describe(launcher, &path, work.path())?;
        let components = &described.description.components;
        let encoders = || components.iter().filter(|component| component.kind == ComponentKind::Encoder);
        let component =
            encoders().find(|component| component.id == id).ok_or_else(|| Error::UnknownComponent {
                method: method.name.clone(),
                path: path.clone(),
                kind: ComponentKind::Encoder.to_string(),
                component: id.to_owned(),
                known: encoders().map(|component| component.id.as_str()).collect::<Vec<_>>().join(", "),
            })?;
        let input = features.input();
        if !component.inputs.contains(&input) {
            let wanted: Vec<String> = component.inputs.iter().map(|input| format!("`{input}`")).collect();
            return Err(Error::Inputs {
                method: method.name.clone(),
                component: spec.component.clone(),
                wanted: wanted.join(" or "),
                given: format!("`{input}`"),
            });
        }
        check_config(method, spec, &component.config_schema)?;
        let component =
            JobComponent { library: path, component: id.to_owned(), config: canonical_json(&spec.config) };
        let method = method.name.clone();
        Ok(Self { launcher, interrupted, limits, method, component, state: None, input, work })
    }

    /// The same encoder with a trained state, as [`crate::trained_state`] gives it.
    #[must_use]
    pub fn with_state(self, state: Option<JobState>) -> Self {
        Self { state, ..self }
    }

    /// The vectors of molecules with these features.
    ///
    /// # Errors
    /// [`Error::MethodFailed`] if the plugin or its worker fails; [`Error::Interrupted`].
    pub(super) fn encode(&self, features: &Features) -> Result<Features> {
        let folder = tempfile::Builder::new().prefix("job-").tempdir_in(self.work.path())?;
        features.write(&job::features_file(folder.path(), TEST))?;
        let job = Job {
            envelope: Envelope {
                memory: self.limits.memory,
                disk: self.limits.disk,
                processors: Vec::new(),
                confine: true,
                readable: [Some(&self.component.library), self.state.as_ref().map(|state| &state.path)]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect(),
                ..Envelope::default()
            },
            task: JobTask::Encode(Box::new(EncodeJob {
                encoder: self.component.clone(),
                state: self.state.clone(),
                input: self.input,
                threads: self.limits.threads,
            })),
        };
        let (limit, interrupted) = (self.limits.wall, self.interrupted);
        let ending = launch::run(self.launcher, &job, folder.path(), limit, interrupted, &|_| ())?;
        let failed = |message: String| Error::MethodFailed { method: self.method.clone(), message };
        ending.result.map_err(|failure| failed(format!("{}: {}", failure.reason, failure.message)))?;
        let bytes = read_plain(&job::predictions_file(folder.path(), TEST), 4 << 30)?;
        let (rows, columns, values) = from_npy(&bytes).map_err(failed)?;
        if rows != features.rows() || values.iter().any(|value| !value.is_finite()) {
            return Err(failed(format!("{rows} vectors of {} molecules, or not finite", features.rows())));
        }
        Ok(Features::Dense { columns, values, rows })
    }
}
