//! `molarena audit`

mod corpora;
mod text;

use std::path::Path;

use molarena_data::{
    Catalog, PreparedDataset, Split,
    audit::{AUDIT_SCHEMA, Audit, Canary, CanaryCell, Corpus, Report, canary},
};
use molarena_host::{Error, Store};
use molarena_metrics::Metric;
use molarena_record::cell::{Outcome, Record};

use super::{data, own, print_document, warn_of_store};
use crate::{
    args::{AuditArgs, DocumentFormat},
    display::{Counts, Display},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &AuditArgs) -> anyhow::Result<ExitCode> {
    let mut catalog = Catalog::with_dir(args.places.datasets_dir.as_deref())?;
    let ids = match own::load(&args.own, args.split.as_ref())? {
        Some(own) => own::register(&own, &mut catalog),
        None => chosen(args, &catalog)?,
    };
    // What may be misspelled is looked at before work that takes a while.
    let store = args.store.as_deref().map(Store::open).transpose()?;
    let display = Display::new(Counts::Stages);
    let found = find(args, &catalog, &ids, store.as_ref(), &display);
    display.close();
    let report = found?;
    let format = if args.json { DocumentFormat::Json } else { args.format };
    print_document(format, ("Audit", "molarena audit"), &report, || text::markdown(&report))?;
    let strict = args.strict && report.datasets.iter().any(Audit::has_twins_across_parts_or_conflicts);
    Ok(if strict { ExitCode::BadData } else { ExitCode::Ok })
}

/// The named datasets, or all whose table is in the data folder.
fn chosen(args: &AuditArgs, catalog: &Catalog) -> anyhow::Result<Vec<String>> {
    let data_dir = &args.places.data_dir;
    if !args.ids.is_empty() {
        let mut ids: Vec<String> = Vec::new();
        for id in &args.ids {
            data::dataset(catalog, id)?;
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        return Ok(ids);
    }
    let there = catalog.iter().filter(|manifest| manifest.assays().locate(data_dir).is_file());
    let ids: Vec<String> = there.map(|manifest| manifest.id.clone()).collect();
    if ids.is_empty() {
        let what = format!("no dataset is in {}; molarena data fetch gets them", data_dir.display());
        return Err(Error::NothingSelected(what).into());
    }
    Ok(ids)
}

fn find(
    args: &AuditArgs,
    catalog: &Catalog,
    ids: &[String],
    store: Option<&Store>,
    display: &Display,
) -> anyhow::Result<Report> {
    let (corpora, declared) = corpora::read(args, catalog, display)?;
    let mut datasets = Vec::with_capacity(ids.len());
    for (done, id) in ids.iter().enumerate() {
        display.stage(None, &format!("auditing {id}"), done, ids.len());
        datasets.push(audit(args, catalog, id, &corpora)?);
    }
    let canaries = store.map(canaries).transpose()?;
    Ok(Report { schema: AUDIT_SCHEMA.to_owned(), datasets, declared, canaries })
}

fn audit(args: &AuditArgs, catalog: &Catalog, id: &str, corpora: &[Corpus]) -> anyhow::Result<Audit> {
    let prepared = PreparedDataset::new(catalog.dataset(id, &args.places.data_dir)?)?;
    Ok(Audit::new(&prepared, &split(args, catalog, &prepared)?, corpora))
}

/// The split that is asked for, or that of the dataset's manifest.
fn split(args: &AuditArgs, catalog: &Catalog, prepared: &PreparedDataset) -> anyhow::Result<Split> {
    let id = &prepared.dataset.id;
    if let Some(parts) = catalog.parts(id) {
        let split = parts.split(&prepared.dataset.rows, &prepared.scaffolds, args.split_seed);
        return Ok(split.without_empty_part(id)?);
    }
    let stated = args.split.as_ref().and_then(crate::split_choice::SplitChoice::protocol);
    let protocol = stated.unwrap_or(catalog.get(id)?.protocol.split);
    Ok(prepared.split(protocol, args.split_seed)?)
}

/// What the store's records of shuffled labels score, against chance.
fn canaries(store: &Store) -> anyhow::Result<Vec<Canary>> {
    let records = store.records()?;
    warn_of_store(store);
    Ok(canary(&records.iter().filter(|record| record.shuffled_labels).filter_map(cell).collect::<Vec<_>>()))
}

/// The scores of a record; `None` if its step failed.
fn cell(record: &Record) -> Option<CanaryCell> {
    let Outcome::Scored { scores, .. } = &record.outcome else { return None };
    let mut method = record.method.clone();
    if let Some(device) = &record.device {
        method = format!("{method} on {device}");
    }
    for (name, value) in &record.varied {
        method = format!("{method} {name}={value}");
    }
    Some(CanaryCell {
        dataset: record.dataset.clone(),
        split: format!("{} {}", record.split.protocol, record.split.seed),
        method,
        metric: record.metric.to_string(),
        chance: chance(record.metric),
        scores: record.tasks.iter().filter_map(|task| *scores.get(task)?).collect(),
    })
}

/// What a method without knowledge scores, if that does not depend on the data. More is better for each of these.
fn chance(metric: Metric) -> Option<f64> {
    match metric {
        Metric::RocAuc | Metric::BalancedAccuracy => Some(0.5),
        Metric::Spearman | Metric::Kendall => Some(0.0),
        _ => None,
    }
}

/// Whether a dataset's table is in the data folder.
fn is_there(catalog: &Catalog, id: &str, data_dir: &Path) -> bool {
    catalog.get(id).is_ok_and(|manifest| manifest.assays().locate(data_dir).is_file())
}
