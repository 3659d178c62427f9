//! `molarena board`

use molarena_data::Catalog;
use molarena_evaluate::{Labels, under_metric};
use molarena_host::{Error, Store};
use molarena_metrics::Metric;
use molarena_record::cell::Record;
use molarena_report::{BoardOptions, Boards, build, build_matches, keep_datasets, render};

use super::{arena::create_store, print, wanted, warn_of_store};
use crate::{args::BoardArgs, exit_code::ExitCode};

pub(crate) fn run(args: &BoardArgs) -> anyhow::Result<ExitCode> {
    let store = Store::open(&args.store.store)?;
    let mut records = store.records()?;
    if args.matches {
        records.clear();
    }
    keep_datasets(&mut records, &args.datasets);
    records.retain(|record| wanted(&args.methods, &record.method));
    if let Some(metric) = args.metric {
        records = under(args, metric, records)?;
    }
    let mut matches = store.match_records()?;
    matches.retain(|record| wanted(&args.datasets, &record.context) && wanted(&args.methods, &record.method));
    if args.metric.is_some() {
        matches.clear();
    }
    warn_of_store(&store);
    if records.is_empty() && matches.is_empty() {
        let what = format!("the store {} holds no such record", store.root().display());
        return Err(Error::NothingSelected(what).into());
    }
    let options = BoardOptions { cost: !args.no_cost };
    let boards = Boards { matches: build_matches(&matches, options), ..build(&records, options) };
    print(&render(&boards, args.format))?;
    Ok(ExitCode::Ok)
}

/// Scores the records by another metric, from stored predictions and the labels of the data folder.
fn under(args: &BoardArgs, metric: Metric, records: Vec<Record>) -> anyhow::Result<Vec<Record>> {
    let store = create_store(&args.store.store)?;
    let catalog = Catalog::with_dir(args.places.datasets_dir.as_deref())?;
    let mut labels = Labels::new(&catalog, &args.places.data_dir, &store);
    let (records, skipped) = under_metric(&store, &mut labels, records, metric)?;
    for (key, why) in &skipped {
        say!("warning: record {key} is left out: {why}");
    }
    Ok(records)
}
