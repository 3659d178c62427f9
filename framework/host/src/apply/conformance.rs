//! The conformance suite: what every plugin must do, whatever its language, each case in a worker of its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use molarena_record::{key::canonical_json, text::visible};
use molarena_sdk::{ComponentDescription, ComponentKind};
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::{Error, Result},
    files::folder::Temporary,
    job::{ConformJob, Job, JobComponent, JobFineTune, JobTask, Output, Verdict, envelope, relative},
    launch::{self, Launcher},
    plan::describe::describe,
    plugin::{
        manifest::{is_program, readable},
        search::Plugin,
    },
    request::limits::Limits,
    worker::conform::{CASES, CONFINED_CASE, Case, SCHEMA_CASE},
};

/// Time in which a library, and a program, should be opened and describe itself, with the start of the worker.
const QUICK: [Duration; 2] = [Duration::from_millis(400), Duration::from_secs(3)];

/// System calls that say where memory and threads should be: numerical libraries make them when they are loaded, and go on
/// without.
const PLACEMENT: [&str; 3] = ["mbind", "sched_setaffinity", "set_mempolicy"];

/// What to check.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// Names of cases; all if empty.
    pub cases: Vec<String>,
    /// Components by id or `KIND/ID`; all if empty.
    pub components: Vec<String>,
    /// Configurations by component id or `KIND/ID`, and those of fine-tunings by `finetune/ID`, for those that have required
    /// keys.
    pub configs: BTreeMap<String, Value>,
    /// Files of weights by component id or `KIND/ID`, which encoders load first.
    pub weights: BTreeMap<String, PathBuf>,
    /// Time limit of a case.
    pub wall: Duration,
}

impl CheckOptions {
    fn config(&self, kind: ComponentKind, id: &str) -> String {
        named(&self.configs, kind, id).map_or_else(|| "{}".to_owned(), canonical_json)
    }

    fn finetune_config(&self, id: &str) -> String {
        self.configs.get(&finetune_name(id)).map_or_else(|| "{}".to_owned(), canonical_json)
    }

    fn wants(&self, component: &ComponentDescription) -> bool {
        let names = names(component.kind, &component.id);
        self.components.is_empty() || self.components.iter().any(|name| names.contains(name))
    }
}

/// What is said of a component under one of its names.
fn named<'a, T>(said: &'a BTreeMap<String, T>, kind: ComponentKind, id: &str) -> Option<&'a T> {
    names(kind, id).iter().find_map(|name| said.get(name))
}

/// What a component may be called, the more exact name first.
fn names(kind: ComponentKind, id: &str) -> [String; 2] {
    [format!("{kind}/{id}"), id.to_owned()]
}

/// What the configuration of an encoder's fine-tuning is called.
fn finetune_name(id: &str) -> String {
    format!("finetune/{id}")
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseStatus {
    /// The plugin does what it must.
    Passed,
    /// It does, but not well.
    Warning,
    /// It does not.
    Failed,
    /// Its process died, hung or took too much.
    Crashed,
    /// The case does not apply.
    Skipped,
}

/// The result of a case.
#[derive(Clone, Debug, Serialize)]
pub struct CaseResult {
    /// Id of the component; empty for cases of the whole plugin.
    pub component: String,
    /// Kind of the component.
    pub kind: Option<ComponentKind>,
    /// Name of the case.
    pub case: String,
    /// What is demanded.
    pub demand: String,
    /// How it ended.
    pub status: CaseStatus,
    /// Why, and what to do; empty if it passed.
    pub message: String,
    /// Seconds.
    pub seconds: f64,
}

/// The names of all cases.
pub fn case_names() -> Vec<&'static str> {
    let mut names = vec!["describe", "start", SCHEMA_CASE.name];
    for case in CASES {
        if !names.contains(&case.name) {
            names.push(case.name);
        }
    }
    names
}

/// Checks the library or plugin folder at `path`; `add` takes the result of each case as it ends.
///
/// # Errors
/// [`Error::Plugin`] if it cannot be opened, [`Error::Request`] for a component that it does not have, and
/// [`Error::Interrupted`].
pub fn check_plugin(
    launcher: &Launcher,
    path: &Path,
    work_dir: &Path,
    options: &CheckOptions,
    interrupted: &AtomicBool,
    add: &mut dyn FnMut(CaseResult),
) -> Result<Plugin> {
    let started = Instant::now();
    let plugin = describe(launcher, path, work_dir)?;
    let took = started.elapsed();
    let wanted = |name: &str| options.cases.is_empty() || options.cases.iter().any(|case| case == name);
    let of_plugin = |case: &str, demand: &str, verdict: Verdict| CaseResult {
        component: String::new(),
        kind: None,
        case: case.to_owned(),
        demand: demand.to_owned(),
        seconds: took.as_secs_f64(),
        ..ended(verdict)
    };
    if wanted("describe") {
        add(of_plugin("describe", "describes itself and its components", described(&plugin)));
    }
    if wanted("start") {
        let quick = QUICK[usize::from(is_program(path))];
        let verdict = if took <= quick {
            Verdict::Passed
        } else {
            Verdict::Warning(format!(
                "it took {:.2} s to open and describe it; load weights and heavy packages when a component is made",
                took.as_secs_f64()
            ))
        };
        add(of_plugin("start", "is opened quickly", verdict));
    }
    let all = &plugin.description.components;
    let known: Vec<[String; 2]> = all.iter().map(|component| names(component.kind, &component.id)).collect();
    let asked = options.components.iter().map(|name| ("--component", name));
    let asked = asked.chain(options.configs.keys().map(|name| ("--config", name)));
    let mut asked = asked.chain(options.weights.keys().map(|name| ("--weights", name)));
    let tunable: Vec<String> = all
        .iter()
        .filter(|component| component.finetune.is_some())
        .map(|component| finetune_name(&component.id))
        .collect();
    let is_known = |option: &str, name: &String| {
        known.as_flattened().contains(name) || option == "--config" && tunable.contains(name)
    };
    if let Some((option, name)) = asked.find(|(option, name)| !is_known(option, name)) {
        let exact: Vec<&str> = known.iter().map(|[exact, _]| exact.as_str()).collect();
        return Err(Error::Request(format!(
            "{option} {name}: the plugin {} has no such component; it has {}",
            plugin.description.id,
            exact.join(", ")
        )));
    }
    for component in all.iter().filter(|component| options.wants(component)) {
        let of_case = |case: &Case, made: Option<CaseResult>| -> Result<CaseResult> {
            let started = Instant::now();
            let result = match made {
                Some(result) => result,
                None => Runner { launcher, plugin: &plugin, work_dir, options, interrupted }
                    .run(component, case.name)?,
            };
            Ok(CaseResult {
                component: component.id.clone(),
                kind: Some(component.kind),
                case: case.name.to_owned(),
                demand: case.demand.to_owned(),
                seconds: started.elapsed().as_secs_f64(),
                ..result
            })
        };
        // Nothing else can be said of a component whose configuration its schema refuses.
        let schema = of_case(&SCHEMA_CASE, None)?;
        let refused = match schema.status {
            CaseStatus::Skipped => Some(schema.message.clone()),
            CaseStatus::Failed | CaseStatus::Crashed => {
                Some("its schema refuses its configuration".to_owned())
            }
            CaseStatus::Passed | CaseStatus::Warning => None,
        };
        if wanted(SCHEMA_CASE.name) {
            add(schema);
        }
        for case in CASES.iter().filter(|case| case.is_for(component) && wanted(case.name)) {
            let made = refused.as_ref().map(|why| ended(Verdict::Skipped(why.clone())));
            let result = of_case(case, made)?;
            add(result);
        }
    }
    Ok(plugin)
}

/// A result without its names.
fn ended(verdict: Verdict) -> CaseResult {
    let (status, message) = match verdict {
        Verdict::Passed => (CaseStatus::Passed, String::new()),
        Verdict::Warning(message) => (CaseStatus::Warning, message),
        Verdict::Failed(message) => (CaseStatus::Failed, message),
        Verdict::Skipped(message) => (CaseStatus::Skipped, message),
    };
    CaseResult {
        component: String::new(),
        kind: None,
        case: String::new(),
        demand: String::new(),
        status,
        message: visible(&message).into_owned(),
        seconds: 0.0,
    }
}

fn described(plugin: &Plugin) -> Verdict {
    let description = &plugin.description;
    if description.components.is_empty() {
        return Verdict::Failed("it describes no component".into());
    }
    for component in &description.components {
        let name = format!("{} `{}`", component.kind, component.id);
        if component.inputs.is_empty() {
            return Verdict::Failed(format!("{name} declares no form of inputs"));
        }
        if !component.devices.iter().any(|device| device == "cpu") {
            return Verdict::Warning(format!("{name} does not run on the cpu, so that few can try it"));
        }
        if component.summary.trim().is_empty() {
            return Verdict::Warning(format!("{name} has no summary; `plugin list` shows it"));
        }
    }
    Verdict::Passed
}

/// The verdict on a component that did its work without these system calls.
fn did_without(refused: &[String]) -> Verdict {
    let calls: Vec<&str> =
        refused.iter().map(String::as_str).filter(|name| !PLACEMENT.contains(name)).collect();
    if calls.is_empty() {
        return Verdict::Passed;
    }
    Verdict::Warning(format!(
        "system calls that a worker is refused: {}; what depends on them does not work in the arena",
        calls.join(", ")
    ))
}

/// Runs single cases of a plugin.
struct Runner<'a> {
    launcher: &'a Launcher,
    plugin: &'a Plugin,
    work_dir: &'a Path,
    options: &'a CheckOptions,
    interrupted: &'a AtomicBool,
}

impl Runner<'_> {
    fn run(&self, component: &ComponentDescription, case: &str) -> Result<CaseResult> {
        let Self { launcher, plugin, work_dir, options, interrupted } = *self;
        let wall = options.wall;
        let folder = Temporary::make("conform-", work_dir)?;
        let limits = Limits { wall, memory: 4 << 30, threads: 2, ..Limits::default() };
        let weights = named(&options.weights, component.kind, &component.id);
        let readable: Vec<PathBuf> = readable(&plugin.path)?.into_iter().chain(weights.cloned()).collect();
        let envelope = envelope(&limits, "cpu", folder.path(), &readable, &[]);
        let task = JobTask::Conform(ConformJob {
            component: JobComponent {
                library: relative(folder.path(), &plugin.path),
                component: component.id.clone(),
                config: options.config(component.kind, &component.id),
                finetune: component
                    .finetune
                    .as_ref()
                    .map(|_| JobFineTune { config: options.finetune_config(&component.id), state: None }),
            },
            kind: component.kind,
            case: case.to_owned(),
            encoder: (component.kind == ComponentKind::Decoder)
                .then(|| options.config(ComponentKind::Encoder, &component.id)),
            weights: weights.map(|weights| relative(folder.path(), weights)),
            is_program: is_program(&plugin.path),
        });
        let job = Job { envelope, seed: 0, threads: 2, task };
        let ending = launch::run(launcher, &job, folder.path(), wall, interrupted, &|_| ())?;
        Ok(match ending.result {
            Ok(Output::Conformed(Verdict::Passed)) if case == CONFINED_CASE.name => {
                ended(did_without(&ending.refused))
            }
            Ok(Output::Conformed(verdict)) => ended(verdict),
            Ok(_) => ended(Verdict::Failed("the worker answered another question".into())),
            Err(failure) => {
                let printed = ending.output.lines().last().unwrap_or_default();
                let printed =
                    if printed.is_empty() { String::new() } else { format!("; it printed: {printed}") };
                let message = format!("{}: {}{printed}", failure.reason, failure.message);
                CaseResult { status: CaseStatus::Crashed, ..ended(Verdict::Failed(message)) }
            }
        })
    }
}
