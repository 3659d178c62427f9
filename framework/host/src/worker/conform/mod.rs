//! Conformance: what every plugin must do, case by case. Each case runs in a worker of its own.

mod baselines;
mod data;
mod decoders;
mod encoders;
mod remains;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use molarena_abi as abi;
use molarena_sdk::{Call, ComponentDescription, ComponentKind, Determinism, Hooks, Matrix};
use serde_json::Value;

use crate::{
    job::{ConformJob, Output, Verdict, WorkerFailure},
    plugin::loader::{LoadError, LoadedPlugin},
    request::config_schema::violation,
    worker::{
        Place,
        calls::{open, read},
    },
};

/// How long a cancelled call may take to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time in which processes that a component started may end, or start others.
const SETTLING: Duration = Duration::from_millis(200);
/// Instances that are made and dropped.
const INSTANCES: usize = 50;
/// Resident memory by which the worker may grow meanwhile, in bytes.
const GROWTH: u64 = 32 << 20;

/// A case of the conformance suite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// Name of the case.
    pub(crate) name: &'static str,
    /// What a component must do.
    pub(crate) demand: &'static str,
    /// Kinds of components that it is for.
    pub(crate) kinds: &'static [ComponentKind],
    run: fn(&Subject<'_>) -> Verdict,
}

impl Case {
    /// Whether it is for a component; of encoders, those cases that train them on labels are for those that offer it.
    pub(crate) fn is_for(&self, component: &ComponentDescription) -> bool {
        let of_models = self.name.starts_with(FINETUNE);
        self.kinds.contains(&component.kind) && (!of_models || component.finetune.is_some())
    }
}

/// How the names of cases of fine-tuning begin.
const FINETUNE: &str = "finetune";

const ALL: &[ComponentKind] = &[ComponentKind::Encoder, ComponentKind::Decoder, ComponentKind::Baseline];
const ENCODERS: &[ComponentKind] = &[ComponentKind::Encoder];
const DECODERS: &[ComponentKind] = &[ComponentKind::Decoder];
const BASELINES: &[ComponentKind] = &[ComponentKind::Baseline];

/// The case that comes before all others.
pub(crate) const SCHEMA_CASE: Case = Case {
    name: "schema",
    demand: "its JSON Schema accepts its configuration and refuses unknown keys",
    kinds: ALL,
    run: schema,
};

/// The host adds the system calls that it refused meanwhile.
pub(crate) const CONFINED_CASE: Case = Case {
    name: "confined",
    demand: "does its work without other processes, networks and files, which a worker cannot reach",
    kinds: ALL,
    run: confined,
};

/// The other cases, in the order in which they are run.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "create",
        demand: "is made under its configuration, and refused under an unknown name",
        kinds: ALL,
        run: create,
    },
    Case {
        name: "instances",
        demand: "50 instances come and go without a growing memory",
        kinds: ALL,
        run: instances,
    },
    Case {
        name: "remains",
        demand: "leaves no process, file or other working folder behind",
        kinds: ALL,
        run: remains::remains,
    },
    CONFINED_CASE,
    Case {
        name: "encode",
        demand: "gives a finite vector for each molecule and leaves its inputs alone",
        kinds: ENCODERS,
        run: encoders::encode,
    },
    Case { name: "few", demand: "encodes one molecule, and none", kinds: ENCODERS, run: encoders::few },
    Case {
        name: "company",
        demand: "a vector depends on its molecule alone, not on others in the call or their order",
        kinds: ENCODERS,
        run: encoders::company,
    },
    Case {
        name: "seed",
        demand: "equal seeds give what the declared determinism says",
        kinds: ENCODERS,
        run: encoders::seed,
    },
    Case {
        name: "threads",
        demand: "the thread budget changes no result that is declared bitwise",
        kinds: ENCODERS,
        run: encoders::threads,
    },
    Case {
        name: "pretraining",
        demand: "is pretrained on a context graph, ends when it is cancelled, and keeps its state",
        kinds: ENCODERS,
        run: encoders::pretraining,
    },
    Case {
        name: "damaged-state",
        demand: "refuses a state that is cut off or random",
        kinds: ENCODERS,
        run: encoders::damaged_state,
    },
    Case {
        name: "gaps",
        demand: "learns from tasks with missing labels, none, or one class, and gives probabilities",
        kinds: BASELINES,
        run: baselines::gaps,
    },
    Case {
        name: "values",
        demand: "learns values with missing labels",
        kinds: BASELINES,
        run: baselines::values,
    },
    Case { name: "few", demand: "predicts one molecule", kinds: BASELINES, run: baselines::few },
    Case {
        name: "company",
        demand: "a prediction depends on its molecule alone, not on others in the call or their order",
        kinds: BASELINES,
        run: baselines::company,
    },
    Case {
        name: "seed",
        demand: "equal seeds give what the declared determinism says",
        kinds: BASELINES,
        run: baselines::seed,
    },
    Case {
        name: "threads",
        demand: "the thread budget changes no result that is declared bitwise",
        kinds: BASELINES,
        run: baselines::threads,
    },
    Case {
        name: "state",
        demand: "a fitted baseline is saved and restored",
        kinds: BASELINES,
        run: baselines::state,
    },
    Case {
        name: "damaged-state",
        demand: "refuses a state that is cut off or random",
        kinds: BASELINES,
        run: baselines::damaged_state,
    },
    Case {
        name: "cancel",
        demand: "a cancelled fit ends within 5 seconds",
        kinds: BASELINES,
        run: baselines::cancel,
    },
    Case {
        name: "finetune",
        demand: "is fine-tuned on classes and values with missing labels, and predicts",
        kinds: ENCODERS,
        run: baselines::finetune,
    },
    Case {
        name: "finetune-company",
        demand: "a prediction depends on its molecule alone, not on others in the call or their order",
        kinds: ENCODERS,
        run: baselines::company,
    },
    Case {
        name: "finetune-seed",
        demand: "equal seeds give what the declared determinism says, on one thread and two",
        kinds: ENCODERS,
        run: baselines::finetune_seed,
    },
    Case {
        name: "finetune-state",
        demand: "a fine-tuned model is saved and restored, and refuses a state that is cut off or random",
        kinds: ENCODERS,
        run: baselines::finetune_state,
    },
    Case {
        name: "finetune-cancel",
        demand: "a cancelled fine-tuning ends within 5 seconds",
        kinds: ENCODERS,
        run: baselines::cancel,
    },
    Case {
        name: "score",
        demand: "gives a finite score for each candidate, whatever their order",
        kinds: DECODERS,
        run: decoders::score,
    },
];

/// The component that a case is about.
struct Subject<'a> {
    plugin: LoadedPlugin,
    description: ComponentDescription,
    config: &'a str,
    /// The configuration of an encoder's fine-tuning, if it offers one.
    finetune: Option<&'a str>,
    /// The encoder of a decoder's id: the decoder loads its state.
    encoder: Option<&'a Self>,
    /// Weights that an encoder loads first.
    weights: Option<&'a [u8]>,
    is_program: bool,
}

impl Subject<'_> {
    fn id(&self) -> &str {
        &self.description.id
    }

    /// Whether two results agree as the component declares.
    fn agree(&self, one: &Matrix, other: &Matrix) -> bool {
        match self.description.determinism {
            Determinism::Bitwise => bits(one) == bits(other),
            Determinism::Tolerance => close(one, other),
            Determinism::None => (one.rows, one.columns) == (other.rows, other.columns),
        }
    }
}

pub(super) fn conform(job: &ConformJob, place: &Place<'_>) -> Result<Output, WorkerFailure> {
    let plugin = open(&job.component, place)?;
    let of = |component: &&ComponentDescription| {
        component.kind == job.kind && component.id == job.component.component
    };
    let found = plugin.description().components.iter().find(of).cloned();
    let mut cases = std::iter::once(&SCHEMA_CASE).chain(CASES);
    let case = cases.find(|case| case.name == job.case && found.as_ref().is_some_and(|of| case.is_for(of)));
    let (Some(description), Some(case)) = (found, case) else {
        let message =
            format!("there is no case `{}` of {} `{}`", job.case, job.kind, job.component.component);
        return Ok(Output::Conformed(Verdict::Skipped(message)));
    };
    let weights = job.weights.as_ref().map(|weights| read(weights, place)).transpose()?;
    let weights = weights.as_deref();
    let encoder = |component: &&ComponentDescription| {
        component.kind == ComponentKind::Encoder && component.id == description.id
    };
    let encoder = job.encoder.as_deref().and_then(|config| {
        let description = plugin.description().components.iter().find(encoder)?.clone();
        Some(Subject {
            plugin: plugin.clone(),
            description,
            config,
            finetune: None,
            encoder: None,
            weights,
            is_program: job.is_program,
        })
    });
    let config = &job.component.config;
    let encoder = encoder.as_ref();
    let finetune = job.component.finetune.as_ref().map(|finetune| finetune.config.as_str());
    let subject = Subject {
        plugin: plugin.clone(),
        description,
        config,
        finetune,
        encoder,
        weights,
        is_program: job.is_program,
    };
    Ok(Output::Conformed((case.run)(&subject)))
}

/// The verdict of a case that ends early: `Err` is one.
type Checked = Result<(), Verdict>;

fn verdict(checked: Checked) -> Verdict {
    checked.err().unwrap_or(Verdict::Passed)
}

fn failed(message: impl Into<String>) -> Verdict {
    Verdict::Failed(message.into())
}

fn demand(holds: bool, message: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(failed(message())) }
}

/// A call that must succeed; one that the component does not offer skips the case.
fn done<T>(result: Result<T, LoadError>, what: &str) -> Result<T, Verdict> {
    result.map_err(|error| {
        if is_unsupported(&error) {
            Verdict::Skipped(format!("it does not offer `{what}`: {error}"))
        } else {
            failed(format!("`{what}` failed: {error}"))
        }
    })
}

fn is_unsupported(error: &LoadError) -> bool {
    matches!(error, LoadError::Call { status: abi::MOLARENA_ERROR_UNSUPPORTED, .. })
}

fn bits(matrix: &Matrix) -> (usize, usize, Vec<u32>) {
    (matrix.rows, matrix.columns, matrix.values.iter().map(|value| value.to_bits()).collect())
}

/// Within 1e-4 of the larger of 1 and the largest value.
fn close(one: &Matrix, other: &Matrix) -> bool {
    let largest = one.values.iter().fold(1f32, |largest, value| largest.max(value.abs()));
    (one.rows, one.columns) == (other.rows, other.columns)
        && one.values.iter().zip(&other.values).all(|(one, other)| (one - other).abs() <= 1e-4 * largest)
}

fn finite(matrix: &Matrix, what: &str) -> Checked {
    let first = matrix.values.iter().position(|value| !value.is_finite());
    let place = |index: usize| format!("row {}, column {}", index / matrix.columns, index % matrix.columns);
    first.map_or(Ok(()), |index| Err(failed(format!("{what} is not finite in {}", place(index)))))
}

/// Asks for a result, then cancels before the next report.
struct Canceller(AtomicBool);

impl Canceller {
    fn new() -> Self {
        Self(AtomicBool::new(false))
    }
}

impl Hooks for Canceller {
    fn progress(&self, _: f64, _: &str) {}

    fn cancelled(&self) -> bool {
        self.0.store(true, Ordering::Relaxed);
        true
    }
}

/// A call that is cancelled from the start must end soon, with or without a result.
fn ends_soon<T>(run: impl FnOnce(&Call<'_>) -> Result<T, LoadError>, what: &str) -> Checked {
    let canceller = Canceller::new();
    let started = Instant::now();
    let result = run(&Call::new(0, 1).with_hooks(&canceller));
    let took = started.elapsed();
    demand(took < PATIENCE, || {
        format!("a cancelled `{what}` took {:.1} s; call `check` in its loops", took.as_secs_f64())
    })?;
    match result {
        Err(LoadError::Ended { message }) => Err(failed(message)),
        Err(error) if is_unsupported(&error) => {
            Err(Verdict::Skipped(format!("it does not offer `{what}`: {error}")))
        }
        _ => Ok(()),
    }
}

fn made(subject: &Subject<'_>) -> Result<(), LoadError> {
    let (plugin, id, config) = (&subject.plugin, subject.id(), subject.config);
    match subject.description.kind {
        ComponentKind::Encoder => plugin.encoder(id, config).map(drop),
        ComponentKind::Decoder => plugin.decoder(id, config).map(drop),
        ComponentKind::Baseline => plugin.baseline(id, config).map(drop),
    }
}

/// A key that no configuration has.
const NO_KEY: &str = "molarena-no-such-key";

fn schema(subject: &Subject<'_>) -> Verdict {
    let schema = &subject.description.config_schema;
    let text = schema.to_string();
    let mut config: Value = match serde_json::from_str(subject.config) {
        Ok(config @ Value::Object(_)) => config,
        _ => return failed("its configuration is no JSON object"),
    };
    if let Some(why) = violation(&config, &text) {
        let id = subject.id();
        return if schema["required"].as_array().is_some_and(|keys| !keys.is_empty()) {
            let kind = subject.description.kind;
            Verdict::Skipped(format!("it has required keys ({why}); give --config '{kind}/{id}={{...}}'"))
        } else {
            failed(format!("its schema refuses {config}: {why}"))
        };
    }
    config[NO_KEY] = Value::from(1);
    if violation(&config, &text).is_some() {
        return Verdict::Passed;
    }
    let message = "its schema accepts a key that it does not know; set additionalProperties to false, so that a mistyped key is no \
                   silent default";
    Verdict::Warning(message.into())
}

fn create(subject: &Subject<'_>) -> Verdict {
    let check = || {
        match made(subject) {
            Err(LoadError::Call { status: abi::MOLARENA_ERROR_INVALID_CONFIG, message }) => {
                let config = subject.config;
                return Err(failed(format!(
                    "its schema allows {config}, and it refuses it: {message}; where a schema can say what it allows (minimum, \
                     maximum, enum), say it there"
                )));
            }
            made => done(made, "create")?,
        }
        let other = Subject {
            plugin: subject.plugin.clone(),
            description: ComponentDescription {
                id: "molarena-no-such-component".into(),
                ..subject.description.clone()
            },
            ..*subject
        };
        match made(&other) {
            Ok(()) => {
                Err(failed("it makes a component `molarena-no-such-component`, which it does not describe"))
            }
            Err(LoadError::Call { .. }) => Ok(()),
            Err(error) => Err(failed(format!("for an unknown component: {error}"))),
        }
    };
    verdict(check())
}

/// Does what the component is for, once.
fn once(subject: &Subject<'_>) -> Checked {
    match subject.description.kind {
        ComponentKind::Encoder => encoders::once(subject),
        ComponentKind::Decoder => decoders::once(subject),
        ComponentKind::Baseline => baselines::once(subject),
    }
}

fn confined(subject: &Subject<'_>) -> Verdict {
    let ran = once(subject);
    // Its processes try what they will.
    std::thread::sleep(SETTLING);
    verdict(ran)
}

fn instances(subject: &Subject<'_>) -> Verdict {
    let check = || {
        // What is made once, such as a thread pool, is no growth.
        for _ in 0..2 {
            done(made(subject), "create")?;
        }
        let before = resident();
        for _ in 0..INSTANCES {
            done(made(subject), "create")?;
        }
        let growth = resident().saturating_sub(before);
        demand(subject.is_program || growth < GROWTH, || {
            format!(
                "{INSTANCES} instances that were destroyed left {} of memory; free what `create` takes",
                bytesize::ByteSize(growth)
            )
        })
    };
    verdict(check())
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    crate::sandbox::memory::kibibytes(&status, "VmRSS")
}

/// States that no component may accept: parts of its own, and random bytes.
fn damaged(own: Option<Vec<u8>>) -> Vec<Vec<u8>> {
    let own = own.filter(|state| state.len() >= 16).unwrap_or_default();
    let random = (0..4096_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cut = [own.len() / 2, own.len().saturating_sub(1)].map(|length| own[..length].to_vec());
    cut.into_iter().filter(|state| !state.is_empty()).chain([random]).collect()
}

fn accepted(state: &[u8]) -> String {
    format!(
        "it accepts {} bytes that are no state of it; check the length and a mark of your own",
        state.len()
    )
}
