//! Checks the configurations of a plan in workers, before anything runs: first against the schemas of the plugins,
//! without a plugin, then by creating each component. What would fail in every cell fails here.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Duration,
};

use molarena_record::key::canonical_json;
use molarena_sdk::ComponentKind;
use serde_json::{Value, json};

use crate::{
    arena::Arena,
    error::{Error, Result},
    files::folder::Temporary,
    job::{self, CheckJob, CreateJob, Job, JobComponent, JobFineTune, JobTask, Output, WorkerFailure},
    launch,
    plugin::manifest::readable,
    request::limits::Limits,
};

/// Time limit of a check against a schema. An honest one takes milliseconds.
const SCHEMA_WALL: Duration = Duration::from_secs(10);
/// Memory limit of such a check in bytes.
const SCHEMA_MEMORY: u64 = 1 << 30;
/// Time limit of creating components.
const CREATE_WALL: Duration = Duration::from_mins(1);

/// A configuration to check.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) method: String,
    /// Plugin and component, such as `baselines/rf`.
    pub(crate) component: String,
    /// Component id inside the plugin.
    pub(crate) id: String,
    pub(crate) kind: ComponentKind,
    pub(crate) config: Value,
    /// The configuration of the fine-tuning; then it is this that is checked, with an encoder under `config`.
    pub(crate) finetune: Option<Value>,
    /// The plugin's JSON Schema of what is checked, as text.
    pub(crate) schema: String,
    pub(crate) library: PathBuf,
    pub(crate) library_sha256: String,
    pub(crate) device: String,
}

impl Check {
    fn checked(&self) -> &Value {
        self.finetune.as_ref().unwrap_or(&self.config)
    }

    fn failed(&self, message: String) -> Error {
        let message = if self.finetune.is_some() { format!("finetune: {message}") } else { message };
        Error::Config { method: self.method.clone(), component: self.component.clone(), message }
    }
}

/// Checks every configuration; equal ones of a component once.
///
/// # Errors
/// [`Error::Config`] of the first configuration, in their order, that its schema or its component refuses, or whose
/// schema takes too long or too much memory; [`Error::Interrupted`].
pub(crate) fn check(
    checks: &[Check],
    arena: &Arena,
    limits: &Limits,
    interrupted: &AtomicBool,
) -> Result<()> {
    let checker = Checker { arena, limits, interrupted };
    checker.schemas(&distinct(checks))?;
    let mut by_plugin: BTreeMap<(&str, &str), Vec<&Check>> = BTreeMap::new();
    for check in distinct(checks) {
        by_plugin.entry((&check.library_sha256, &check.device)).or_default().push(check);
    }
    by_plugin.values().try_for_each(|checks| checker.components(checks))
}

fn distinct(checks: &[Check]) -> Vec<&Check> {
    let mut seen = BTreeSet::new();
    let new = |check: &&Check| {
        let Check { library_sha256, kind, id, config, finetune, device, .. } = check;
        seen.insert(canonical_json(&json!([library_sha256, kind, id, config, finetune, device])))
    };
    checks.iter().filter(new).collect()
}

struct Checker<'a> {
    arena: &'a Arena,
    limits: &'a Limits,
    interrupted: &'a AtomicBool,
}

impl Checker<'_> {
    /// Checks all against their schemas in one worker.
    fn schemas(&self, checks: &[&Check]) -> Result<()> {
        let found = match self.found_by_schemas(checks)? {
            Ok(found) => found,
            Err(_) if checks.len() > 1 => {
                // Which of them is at fault?
                return checks.iter().try_for_each(|check| self.schemas(&[check]));
            }
            Err(failure) => {
                let message = format!("the plugin's own schema cannot be checked: {}", failure.message);
                return Err(checks[0].failed(message));
            }
        };
        refuse_the_first(checks, found)
    }

    fn found_by_schemas(&self, checks: &[&Check]) -> Result<Result<Vec<Option<String>>, WorkerFailure>> {
        let mut job = CheckJob { schemas: Vec::new(), checks: Vec::new() };
        for check in checks {
            let known = job.schemas.iter().position(|schema| *schema == check.schema);
            let schema = known.unwrap_or_else(|| {
                job.schemas.push(check.schema.clone());
                job.schemas.len() - 1
            });
            job.checks.push((schema, check.checked().clone()));
        }
        if job.checks.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let memory = SCHEMA_MEMORY.min(self.limits.memory);
        let limits = Limits { wall: SCHEMA_WALL.min(self.limits.wall), memory, ..*self.limits };
        self.run(limits, "cpu", &[], &|_| JobTask::Check(job.clone()))
    }

    /// Creates the components of one plugin in one worker. If the plugin breaks it, that is a row of each cell.
    fn components(&self, checks: &[&Check]) -> Result<()> {
        let library = self.arena.store.library(&checks[0].library, &checks[0].library_sha256)?;
        let task = |folder: &Path| {
            let components = checks.iter().map(|check| {
                let (library, component) = (job::relative(folder, &library), check.id.clone());
                let finetune = check.finetune.as_ref();
                let finetune =
                    finetune.map(|config| JobFineTune { config: canonical_json(config), state: None });
                let config = canonical_json(&check.config);
                (check.kind, JobComponent { library, component, config, finetune })
            });
            JobTask::Create(CreateJob { components: components.collect() })
        };
        let readable = readable(&library)?;
        let limits = Limits { wall: CREATE_WALL.min(self.limits.wall), ..*self.limits };
        match self.run(limits, &checks[0].device, &readable, &task)? {
            Ok(found) => refuse_the_first(checks, found),
            Err(_) => Ok(()),
        }
    }

    fn run(
        &self,
        limits: Limits,
        device: &str,
        readable: &[PathBuf],
        task: &dyn Fn(&Path) -> JobTask,
    ) -> Result<Result<Vec<Option<String>>, WorkerFailure>> {
        let folder = Temporary::make("check-", &self.arena.store.work_dir())?;
        let job = Job {
            envelope: job::envelope(&limits, device, folder.path(), readable, &[]),
            seed: 0,
            threads: 1,
            task: task(folder.path()),
        };
        let ending =
            launch::run(&self.arena.launcher, &job, folder.path(), limits.wall, self.interrupted, &|_| ())?;
        Ok(ending.result.map(|output| match output {
            Output::Checked(found) => found,
            _ => Vec::new(),
        }))
    }
}

fn refuse_the_first(checks: &[&Check], found: Vec<Option<String>>) -> Result<()> {
    let mut found = checks.iter().zip(found);
    match found.find_map(|(check, message)| Some(check.failed(launch::kept(&message?)))) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
