//! `molarena reproduce`

use std::sync::atomic::AtomicBool;

use molarena_data::Protocol;
use molarena_evaluate::{
    Options,
    reproduce::{compare_again, compare_matches_again},
};
use molarena_host::{
    Arena, CellGroup, Error, Limits, MatchGroup, Method, PlanLimits, Seeds, Selection, Store, Temporary, Vary,
};
use molarena_record::{
    cell::{Outcome, Record},
    matching::{MatchOutcome, MatchRecord},
    parts::Cost,
    reproduction::Reproduction,
};
use molarena_report::{short, with_decimals};

use super::{
    arena::arena, existing, interruption, no_such_record, own, print, print_json, store::chosen_cells,
    warn_of_store,
};
use crate::{
    args::ReproduceArgs,
    display::{Counts, Watch},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &ReproduceArgs) -> anyhow::Result<ExitCode> {
    let interrupted = interruption()?;
    let store = existing(&args.store.store)?;
    let records = chosen(&store, args)?;
    let folder = match &args.into {
        Some(_) => None,
        None => Some(Temporary::make("molarena-reproduce-", &std::env::temp_dir())?),
    };
    let into = args.into.as_deref().or_else(|| folder.as_ref().map(Temporary::path)).expect("one is there");
    let mut arena = arena(into, None, &args.data.places, &args.plugins)?;
    if arena.store.root() == store.root() {
        return Err(Error::Request("--into: name another store than the one of the records".into()).into());
    }
    if args.reuse_encoders {
        arena.encoders = store.clone();
    }
    arena.catalog = own::catalog_of(&args.data)?;
    let mut reproductions = Vec::new();
    for (index, record) in records.iter().enumerate() {
        say!("{} of {}: {} ({})", index + 1, records.len(), record.title(), short(record.key()));
        let key = make_again(record, &store, &mut arena, args, &interrupted)?;
        let reproduction = record.compared(&store, &key, &arena.store)?;
        store.put_reproduction(&reproduction)?;
        if !args.json {
            print(&said(record, &reproduction))?;
        }
        reproductions.push(reproduction);
    }
    conclude(args, &reproductions)
}

/// A record to make again.
enum Chosen {
    Task(Box<Record>),
    Match(Box<MatchRecord>),
}

impl Chosen {
    fn key(&self) -> &str {
        match self {
            Self::Task(record) => &record.key,
            Self::Match(record) => &record.key,
        }
    }

    fn title(&self) -> String {
        match self {
            Self::Task(record) => format!("{} on {}, seed {}", record.method, record.dataset, record.seed),
            Self::Match(record) => {
                let spaces = record.ranked_spaces().join(", ");
                format!("{} on {} ({spaces}), seed {}", record.method, record.context, record.seed)
            }
        }
    }

    fn cost(&self) -> Cost {
        match self {
            Self::Task(record) => record.cost,
            Self::Match(record) => record.cost,
        }
    }

    /// Key of the step that made what was scored.
    fn step_key(&self) -> &str {
        match self {
            Self::Task(record) => &record.fit_key,
            Self::Match(record) => &record.key,
        }
    }

    /// What the score is called, and the score.
    fn score(&self) -> Option<(&'static str, f64)> {
        match self {
            Self::Task(record) => match &record.outcome {
                Outcome::Scored { mean, .. } => mean.map(|mean| ("score", mean)),
                Outcome::Failed(_) => None,
            },
            Self::Match(record) => {
                let MatchOutcome::Scored { spaces, .. } = &record.outcome else { return None };
                let sum: f64 = spaces.iter().map(|space| space.mrr).sum();
                (!spaces.is_empty()).then(|| ("reciprocal rank", sum / spaces.len() as f64))
            }
        }
    }

    /// Makes the methods of the description known.
    fn teach(&self, arena: &mut Arena) -> Result<(), Error> {
        match self {
            Self::Task(record) => {
                let (method, members) = Method::of_record(record)?;
                members.into_iter().chain([method]).for_each(|method| arena.methods.insert(method));
            }
            Self::Match(record) => arena.methods.insert(Method::of_match(record)?),
        }
        Ok(())
    }

    /// The selection of this cell alone.
    fn selection(&self, limits: Limits, device: Option<String>) -> Result<Selection, Error> {
        let limits = PlanLimits { cells: limits, pretraining: limits };
        let base = Selection { limits, device, ..Selection::default() };
        match self {
            Self::Task(record) => {
                let group = CellGroup {
                    datasets: vec![record.dataset.clone()],
                    methods: vec![record.method.clone()],
                    seeds: Seeds::List(vec![record.seed]),
                    // The split of an own table's column has no protocol, and the catalog knows it.
                    split: record.split.protocol.parse::<Protocol>().ok(),
                    split_seed: record.split.seed,
                    vary: Vary::new(),
                };
                Ok(Selection { groups: vec![group], ..base })
            }
            Self::Match(record) => {
                let split = record.split.protocol.parse().map_err(|error| {
                    Error::Request(format!("record {}: split: {error}", short(&record.key)))
                })?;
                let group = MatchGroup {
                    context: record.context.clone(),
                    spaces: record.spaces.clone(),
                    ranked: record.ranked.clone().unwrap_or_default(),
                    methods: vec![record.method.clone()],
                    seeds: Seeds::List(vec![record.seed]),
                    split,
                    split_seed: record.split.seed,
                    candidates: record.candidates,
                    vary: Vary::new(),
                };
                Ok(Selection { matches: vec![group], ..base })
            }
        }
    }

    /// Compares it with the record that the second run left in `other` under `key`.
    fn compared(&self, store: &Store, key: &str, other: &Store) -> Result<Reproduction, Error> {
        let absent =
            || Error::NothingSelected(format!("the second run of {} left no record", short(self.key())));
        Ok(match self {
            Self::Task(record) => {
                compare_again(record, store, &other.record(key)?.ok_or_else(absent)?, other)
            }
            Self::Match(record) => {
                compare_matches_again(record, store, &other.match_record(key)?.ok_or_else(absent)?, other)
            }
        })
    }
}

/// The records to make again.
fn chosen(store: &Store, args: &ReproduceArgs) -> anyhow::Result<Vec<Chosen>> {
    let cells = chosen_cells(store, &args.chosen, &args.keys)?;
    warn_of_store(store);
    let mut records = Vec::new();
    for cell in &cells {
        records.extend(match store.record(&cell.key)? {
            Some(record) => Some(Chosen::Task(Box::new(record))),
            None => store.match_record(&cell.key)?.map(|record| Chosen::Match(Box::new(record))),
        });
    }
    if records.is_empty() {
        return Err(no_such_record(store).into());
    }
    Ok(records)
}

/// Runs the cell of a record from the record's own description; the key of the new record.
fn make_again(
    record: &Chosen,
    store: &Store,
    arena: &mut Arena,
    args: &ReproduceArgs,
    interrupted: &AtomicBool,
) -> anyhow::Result<String> {
    if let Chosen::Task(task) = record
        && task.is_imported()
    {
        let message =
            format!("record {} was imported: nothing here made its predictions", short(record.key()));
        return Err(Error::Request(message).into());
    }
    record.teach(arena)?;
    let limits = args.worker.limits(record.cost().threads.max(1))?;
    let device = match &args.device {
        Some(device) => Some(device.clone()),
        None => store.step(record.step_key())?.and_then(|step| step.device),
    };
    let selection = record.selection(limits, device)?;
    let plan = molarena_host::plan(&selection, arena, interrupted)?;
    let watch = Watch::new(Counts::Steps, None)?;
    let options = Options { threads: limits.threads, slurm: None, retry_failed: false };
    let ran = molarena_evaluate::run(&plan, arena, options, interrupted, &watch);
    watch.display.close();
    ran?;
    Ok(plan.cells[0].key.clone())
}

/// The lines on one record.
fn said(record: &Chosen, reproduction: &Reproduction) -> String {
    let mut parts = vec![format!("{}: {}", short(record.key()), reproduction.agreement)];
    if let Some(difference) = reproduction.largest_difference {
        parts.push(match record {
            Chosen::Task(_) => format!("largest difference of predictions {}", with_decimals(difference, 4)),
            Chosen::Match(_) => format!("largest difference of ranks {difference}"),
        });
    }
    if let (Some(difference), Some((name, score))) = (reproduction.score_difference, record.score()) {
        let [score, difference] = [score, difference].map(|value| with_decimals(value, 4));
        parts.push(format!("{name} {score}, difference {difference}"));
    }
    let notes = reproduction.notes.iter().map(|line| format!("  {line}"));
    let changed = reproduction.changed.iter().map(|line| format!("  made from other {line}"));
    let lines: Vec<String> = [parts.join(", ")].into_iter().chain(notes).chain(changed).collect();
    lines.join("\n") + "\n"
}

fn conclude(args: &ReproduceArgs, reproductions: &[Reproduction]) -> anyhow::Result<ExitCode> {
    let different = reproductions.iter().filter(|found| !found.agreement.verifies()).count();
    if args.json {
        print_json(&serde_json::json!({
            "schema": "molarena.reproduce/1",
            "verified": reproductions.len() - different,
            "different": different,
            "reproductions": reproductions,
        }))?;
    } else {
        let verified = reproductions.len() - different;
        print(&format!("{verified} records verified, {different} came out different\n"))?;
    }
    Ok(if different > 0 { ExitCode::SomeCellsFailed } else { ExitCode::Ok })
}
