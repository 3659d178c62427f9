//! Checks configurations, in workers: against the plugin's schema, which may take any time, and by making the components.

use std::{sync::atomic::AtomicBool, time::Duration};

use molarena_record::key::{canonical_json, key_of};
use molarena_sdk::{ComponentDescription, ComponentKind};
use serde_json::Value;

use crate::{
    arena::Arena,
    error::{Error, Result},
    job::{Job, JobTask, MakeJob, Output, SchemaJob, WorkerFailure},
    launch,
    plan::planner::Planner,
    plugin::search::Plugin,
    request::{
        component::ComponentSpec,
        config_schema::with_integers,
        method::{Method, Recipe},
    },
    sandbox::Envelope,
};

/// Wall-clock limit of a check.
const LIMIT: Duration = Duration::from_secs(20);
/// Memory limit of a check in bytes.
const MEMORY: u64 = 4 << 30;
/// Characters kept of a message.
const MESSAGE_KEPT: usize = 2000;

impl Planner<'_> {
    /// Checks configurations of a component, those of each call once.
    pub(crate) fn check_configs(
        &mut self,
        method: &Method,
        spec: &ComponentSpec,
        (plugin, component): (&Plugin, &ComponentDescription),
        configs: &[Value],
    ) -> Result<()> {
        let asked = key_of(&(component.kind.to_string(), &spec.component, configs));
        if self.checked.contains(&asked) {
            return Ok(());
        }
        if let Some(message) = refusal(self.arena, plugin, component, configs, self.interrupted)? {
            let (method, component) = (method.name.clone(), spec.component.clone());
            return Err(Error::Config { method, component, message });
        }
        self.checked.insert(asked);
        Ok(())
    }

    /// The method with [integers](with_integers) where its components want them. Of a plugin that is not there, nothing
    /// is changed: it is missed when the method is checked.
    ///
    /// # Errors
    /// A plugin cannot be described.
    pub(crate) fn settled(&mut self, mut method: Method) -> Result<Method> {
        let Recipe::Model(model) = &mut method.recipe else { return Ok(method) };
        let model = &mut **model;
        let specs = [
            (ComponentKind::Encoder, model.encoder.as_mut()),
            (ComponentKind::Decoder, model.decoder.as_mut()),
            (ComponentKind::Baseline, model.baseline.as_mut()),
        ];
        for (kind, spec) in specs {
            let Some(spec) = spec else { continue };
            let (plugin, id) = match self.plugin(&method.name, spec) {
                Ok(found) => found,
                Err(Error::UnknownPlugin { .. }) => continue,
                Err(error) => return Err(error),
            };
            let mut components = plugin.description.components.iter();
            let Some(component) = components.find(|known| known.kind == kind && known.id == id) else {
                continue;
            };
            with_integers(&mut spec.config, &component.config_schema);
            let tuned = model.tune.as_mut().filter(|_| kind == ComponentKind::Baseline);
            for (key, values) in tuned.into_iter().flat_map(|tune| &mut tune.grid) {
                for value in values {
                    let mut config = serde_json::json!({ key: value.take() });
                    with_integers(&mut config, &component.config_schema);
                    *value = config[key].take();
                }
            }
        }
        Ok(method)
    }
}

/// What is wrong with the first of the configurations that the component does not take.
///
/// A plugin that ends its worker or does not answer while a component is made says nothing about the configuration; its
/// cells are run, and say why they fail.
///
/// # Errors
/// A worker cannot be started; [`Error::Interrupted`].
fn refusal(
    arena: &Arena,
    plugin: &Plugin,
    component: &ComponentDescription,
    configs: &[Value],
    interrupted: &AtomicBool,
) -> Result<Option<String>> {
    let job = SchemaJob { schema: component.config_schema.clone(), configs: configs.to_vec() };
    let checked = run(arena, JobTask::CheckSchema(job), Vec::new(), interrupted)?;
    let wrong = checked.unwrap_or_else(|failure| {
        Some(format!(
            "it cannot be checked with the plugin's schema: {}: {}",
            failure.reason, failure.message
        ))
    });
    if wrong.is_some() {
        return Ok(wrong);
    }
    let job = MakeJob {
        library: plugin.path.clone(),
        kind: component.kind,
        component: component.id.clone(),
        configs: configs.iter().map(canonical_json).collect(),
    };
    Ok(run(arena, JobTask::Make(job), vec![plugin.path.clone()], interrupted)?.unwrap_or_default())
}

fn run(
    arena: &Arena,
    task: JobTask,
    readable: Vec<std::path::PathBuf>,
    interrupted: &AtomicBool,
) -> Result<Result<Option<String>, WorkerFailure>> {
    let folder = tempfile::Builder::new().prefix("check-").tempdir_in(arena.store.work_dir())?;
    let envelope =
        Envelope { memory: MEMORY, processors: Vec::new(), confine: true, readable, ..Envelope::default() };
    let job = Job { envelope, seed: 0, threads: 1, task };
    let ending = launch::run(&arena.launcher, &job, folder.path(), LIMIT, interrupted, &|_| ())?;
    Ok(ending.result.map(|output| match output {
        Output::Checked(refusal) => refusal.map(|message| on_one_line(&message)),
        // What answers another question answers none.
        _ => None,
    }))
}

/// A plugin's message without control characters, and not longer than people read.
fn on_one_line(message: &str) -> String {
    let visible: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    molarena_chem::shorten(&visible, MESSAGE_KEPT, "...").into_owned()
}
