//! `molarena import`

use molarena_data::{Catalog, PredictionTable};
use molarena_evaluate::import::{Place, in_order, records};
use molarena_host::{ArenaDataset, Error, Methods, Store, check_method_name};
use molarena_record::cell::{Outcome, Record};
use molarena_report::{short, with_decimals};

use super::{arena::create_store, print, print_json};
use crate::{args::ImportArgs, exit_code::ExitCode};

pub(crate) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    check_name(&args.method)?;
    let catalog = Catalog::with_dir(args.places.datasets_dir.as_deref())?;
    let manifest = catalog.get(&args.dataset)?;
    let data = catalog.dataset(&args.dataset, &args.places.data_dir)?;
    let table = PredictionTable {
        path: args.file.clone(),
        smiles: args.smiles_column.as_deref(),
        row: args.row_column.as_deref(),
        dataset: (&args.dataset, &data.tasks),
        seed: args.seed,
    };
    let given = table.load()?;
    let store = create_store(&args.store.store)?;
    let dataset = ArenaDataset::prepare(manifest, &data, &args.places.data_dir, &store)?;
    let split = dataset.split(args.split.unwrap_or(manifest.protocol.split), args.split_seed)?;
    let place = Place {
        manifest,
        dataset: &dataset.dataset,
        unparsed: dataset.unparsed.len(),
        split: &split,
        method: &args.method,
        seed: args.seed,
    };
    let predictions = match in_order(place, &given) {
        Ok(predictions) => predictions,
        Err(why) => {
            say!("error: {}: {why}", args.file.display());
            return Ok(ExitCode::BadData);
        }
    };
    let (step, record) = records(place, &predictions);
    if let Some(known) = known(&store, args, &split.sha256())?.filter(|known| known.key != record.key) {
        let message = format!(
            "the store has other predictions of {}, seed {}; remove them first: molarena store rm {}",
            args.method,
            args.seed,
            short(&known.key)
        );
        return Err(Error::Request(message).into());
    }
    store.put_predictions(&step, dataset.dataset.tasks.len(), predictions)?;
    store.put_record(&record)?;
    conclude(args, &record)
}

/// Refuses the name of one of the arena's methods, whose rows it would join.
fn check_name(name: &str) -> anyhow::Result<()> {
    check_method_name(name).map_err(|why| Error::Request(format!("--method: {why}")))?;
    if Methods::load(None)?.iter().any(|method| method.name == name) {
        let message = format!("--method {name}: the arena has a method of this name; take another");
        return Err(Error::Request(message).into());
    }
    Ok(())
}

/// A record of the same method, data, split and seed that the store has.
fn known(store: &Store, args: &ImportArgs, split: &str) -> anyhow::Result<Option<Record>> {
    let mut records = store.records()?.into_iter();
    Ok(records.find(|record| {
        record.method == args.method
            && record.dataset == args.dataset
            && record.seed == args.seed
            && record.split.sha256 == split
    }))
}

fn conclude(args: &ImportArgs, record: &Record) -> anyhow::Result<ExitCode> {
    let mean = match &record.outcome {
        Outcome::Scored { mean, .. } => *mean,
        Outcome::Failed(_) => None,
    };
    if args.json {
        print_json(&serde_json::json!({
            "schema": "molarena.import/1",
            "key": record.key,
            "metric": record.metric,
            "mean": mean,
        }))?;
    } else {
        let score = mean.map_or_else(|| "no task is defined".to_owned(), |mean| with_decimals(mean, 4));
        print(&format!(
            "{} on {}, seed {}: {} {score} ({})\nboard: molarena board --store {}\n",
            record.method,
            record.dataset,
            record.seed,
            record.metric,
            short(&record.key),
            args.store.store.display()
        ))?;
    }
    Ok(ExitCode::Ok)
}
