//! `molarena compare`

use molarena_evaluate::{
    Labels, Row,
    compare::{CompareOptions, Comparison, ReferenceComparison, compare, compare_with_reference},
};
use molarena_host::{Error, Store};
use molarena_record::cell::Record;
use molarena_report::{board_rows, comparisons_as_markdown, keep_datasets, references_as_markdown};

use super::{
    board::{again, in_group},
    own, print_document, warn_of_store, writable,
};
use crate::{args::CompareArgs, exit_code::ExitCode};

pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let store = writable(&args.store.store)?;
    let other_store = args.other_store.as_deref().map(writable).transpose()?;
    let catalog = own::catalog_of(&args.data)?;
    let mut labels = Labels::new(&catalog, &args.data.places.data_dir, &store);
    let records = records_of(args, &store, &mut labels)?;
    let options = CompareOptions { resampling: args.resampling(), margin: args.margin };
    if let Some(reference) = &args.reference {
        let comparisons = with_reference(reference, &records, &store, &mut labels, options)?;
        return finish(args, &comparisons, references_as_markdown);
    }
    let other_records = other_store.as_ref().map(|store| records_of(args, store, &mut labels)).transpose()?;
    let (Some(first), Some(second)) = (&args.first, &args.second) else {
        return Err(Error::Request("name two rows, or one with --reference".into()).into());
    };
    let first = rows_named(first, &records, &store)?;
    let (records, store) = match (&other_records, &other_store) {
        (Some(records), Some(store)) => (records, store),
        _ => (&records, &store),
    };
    let second = rows_named(second, records, store)?;
    let comparisons = pairs(&first, &second, &mut labels, options)?;
    finish(args, &comparisons, |comparisons| comparisons_as_markdown(comparisons, args.all_tasks))
}

fn finish<C: serde::Serialize>(
    args: &CompareArgs,
    comparisons: &[C],
    markdown: impl Fn(&[C]) -> String,
) -> anyhow::Result<ExitCode> {
    if comparisons.is_empty() {
        say!("error: nothing can be compared; the warnings say why");
        return Ok(ExitCode::BadData);
    }
    print_document(args.format, ("Comparison", "molarena compare"), &comparisons, || markdown(comparisons))?;
    Ok(ExitCode::Ok)
}

fn records_of(args: &CompareArgs, store: &Store, labels: &mut Labels<'_>) -> anyhow::Result<Vec<Record>> {
    let mut records = store.records()?;
    warn_of_store(store);
    keep_datasets(&mut records, &args.datasets);
    records = again(store, labels, args.metric, args.profiled.as_ref(), records)?;
    if let Some(group) = &args.group {
        records = in_group(labels, group, records)?;
    }
    Ok(records)
}

/// The rows of this name, one of each board that has it.
fn rows_named<'a>(name: &str, records: &'a [Record], store: &'a Store) -> anyhow::Result<Vec<Row<'a>>> {
    let boards = board_rows(records);
    let mut known: Vec<&str> =
        boards.iter().flat_map(|(_, rows)| rows.iter().map(|row| row.name.as_str())).collect();
    known.sort_unstable();
    known.dedup();
    if !known.contains(&name) {
        let place = store.root().display();
        let rows = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let what = format!("the store {place} has no row `{name}`; its rows: {rows}");
        return Err(Error::NothingSelected(what).into());
    }
    let named = boards.into_iter().flat_map(|(_, rows)| rows).filter(|row| row.name == name);
    Ok(named.map(|row| row.in_store(store)).collect())
}

/// A comparison of each board that both rows are on.
fn pairs(
    first: &[Row<'_>],
    second: &[Row<'_>],
    labels: &mut Labels<'_>,
    options: CompareOptions,
) -> anyhow::Result<Vec<Comparison>> {
    let mut comparisons = Vec::new();
    let mut reasons = Vec::new();
    for one in first {
        let dataset = &one.records[0].dataset;
        for other in second.iter().filter(|other| other.is_beside(one)) {
            match compare(one, other, labels, options) {
                Ok(comparison) => comparisons.push(comparison),
                Err(why) => reasons.push(format!("{dataset}: {why}")),
            }
        }
    }
    for why in &reasons {
        say!("warning: not compared: {why}");
    }
    if comparisons.is_empty() && reasons.is_empty() {
        let what = format!("{} and {} are on no board together", first[0].name, second[0].name);
        return Err(Error::NothingSelected(what).into());
    }
    Ok(comparisons)
}

fn with_reference(
    reference: &str,
    records: &[Record],
    store: &Store,
    labels: &mut Labels<'_>,
    options: CompareOptions,
) -> anyhow::Result<Vec<ReferenceComparison>> {
    rows_named(reference, records, store)?;
    let mut comparisons = Vec::new();
    for (dataset, rows) in board_rows(records) {
        if !rows.iter().any(|row| row.name == reference) {
            continue;
        }
        // Rows that boards do not rank are not compared, but for the reference itself.
        let rows: Vec<Row<'_>> = rows
            .into_iter()
            .filter(|row| row.is_ranked() || row.name == reference)
            .map(|row| row.in_store(store))
            .collect();
        match compare_with_reference(&rows, reference, labels, options) {
            Ok(comparison) => comparisons.push(comparison),
            Err(why) => say!("warning: {dataset} is not compared: {why}"),
        }
    }
    Ok(comparisons)
}
