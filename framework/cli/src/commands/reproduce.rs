//! `molarena reproduce`

use std::sync::atomic::AtomicBool;

use molarena_data::Protocol;
use molarena_evaluate::{Options, reproduce::compare_again};
use molarena_host::{Arena, CellGroup, Error, Method, PlanLimits, Seeds, Selection, Store, Temporary, Vary};
use molarena_record::{
    cell::{Outcome, Record},
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
        say!(
            "{} of {}: {} on {}, seed {} ({})",
            index + 1,
            records.len(),
            record.method,
            record.dataset,
            record.seed,
            short(&record.key)
        );
        let again = make_again(record, &store, &mut arena, args, &interrupted)?;
        let reproduction = compare_again(record, &store, &again, &arena.store);
        store.put_reproduction(&reproduction)?;
        if !args.json {
            print(&said(record, &reproduction))?;
        }
        reproductions.push(reproduction);
    }
    conclude(args, &reproductions)
}

/// The records to make again.
fn chosen(store: &Store, args: &ReproduceArgs) -> anyhow::Result<Vec<Record>> {
    let cells = chosen_cells(store, &args.chosen, &args.keys)?;
    warn_of_store(store);
    let mut records = Vec::new();
    for cell in &cells {
        match store.record(&cell.key)? {
            Some(record) => records.push(record),
            None => say!(
                "warning: {} ({}) is left out: records of matching cannot be made again yet",
                short(&cell.key),
                cell.method
            ),
        }
    }
    if records.is_empty() {
        return Err(no_such_record(store).into());
    }
    Ok(records)
}

/// Runs the cell of a record from the record's own description.
fn make_again(
    record: &Record,
    store: &Store,
    arena: &mut Arena,
    args: &ReproduceArgs,
    interrupted: &AtomicBool,
) -> anyhow::Result<Record> {
    let key = short(&record.key);
    if record.is_imported() {
        let message = format!("record {key} was imported: nothing here made its predictions");
        return Err(Error::Request(message).into());
    }
    let (method, members) = Method::of_record(record)?;
    members.into_iter().chain([method]).for_each(|method| arena.methods.insert(method));
    // The split of an own table's column has no protocol, and the catalog knows it.
    let protocol: Option<Protocol> = record.split.protocol.parse().ok();
    let limits = args.worker.limits(record.cost.threads.max(1))?;
    let device = match &args.device {
        Some(device) => Some(device.clone()),
        None => store.step(&record.fit_key)?.and_then(|step| step.device),
    };
    let selection = Selection {
        groups: vec![CellGroup {
            datasets: vec![record.dataset.clone()],
            methods: vec![record.method.clone()],
            seeds: Seeds::List(vec![record.seed]),
            split: protocol,
            split_seed: record.split.seed,
            vary: Vary::new(),
        }],
        limits: PlanLimits { cells: limits, pretraining: limits },
        device,
        ..Selection::default()
    };
    let plan = molarena_host::plan(&selection, arena, interrupted)?;
    let watch = Watch::new(Counts::Steps, None)?;
    let options = Options { threads: limits.threads, retry_failed: false };
    let ran = molarena_evaluate::run(&plan, arena, options, interrupted, &watch);
    watch.display.close();
    ran?;
    let made = arena.store.record(&plan.cells[0].key)?;
    Ok(made.ok_or_else(|| Error::NothingSelected(format!("the second run of {key} left no record")))?)
}

/// The lines on one record.
fn said(record: &Record, reproduction: &Reproduction) -> String {
    let mut parts = vec![format!("{}: {}", short(&record.key), reproduction.agreement)];
    if let Some(difference) = reproduction.largest_difference {
        parts.push(format!("largest difference of predictions {}", with_decimals(difference, 4)));
    }
    if let (Some(difference), Outcome::Scored { mean: Some(mean), .. }) =
        (reproduction.score_difference, &record.outcome)
    {
        parts.push(format!("score {}, difference {}", with_decimals(*mean, 4), with_decimals(difference, 4)));
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
