//! `molarena gate`

use std::path::Path;

use molarena_evaluate::{
    Labels, Resampling, Row,
    gate::{GateOptions, GateVerdict, TimeRule, gate},
};
use molarena_host::{Error, Store};
use molarena_record::cell::Record;
use molarena_report::{board_rows, gate_as_junit, gate_as_markdown, keep_datasets};

use super::{own, print_document, warn_of_store, writable};
use crate::{
    args::GateArgs,
    exit_code::ExitCode,
    output::{Existing, Inputs, check_file},
    suite_cells::SuiteCells,
};

pub(crate) fn run(args: &GateArgs) -> anyhow::Result<ExitCode> {
    check_output(args)?;
    let suite = args.suite.as_deref().map(|path| SuiteCells::load(path, args.methods_dir.as_deref()));
    let suite = suite.transpose()?;
    let read = |root: &Path| -> anyhow::Result<(Store, Vec<Record>)> {
        let store = writable(root)?;
        let mut records = store.records()?;
        warn_of_store(&store);
        keep_datasets(&mut records, &args.datasets);
        records.retain(|record| suite.as_ref().is_none_or(|suite| suite.has(record)));
        Ok((store, records))
    };
    let (baseline, baseline_records) = read(&args.baseline)?;
    let (store, records) = read(&args.store.store)?;
    let second = args.second.as_deref().map(read).transpose()?;
    let baseline_rows = rows(&baseline_records, &baseline);
    if baseline_rows.is_empty() {
        let what = format!("the baseline {} has no such row", baseline.root().display());
        return Err(Error::NothingSelected(what).into());
    }
    let store_rows = rows(&records, &store);
    let second_rows = second.as_ref().map_or_else(Vec::new, |(store, records)| rows(records, store));
    let time = time_rule(args, &baseline_rows)?;
    let catalog = own::catalog_of(&args.data)?;
    let mut labels = Labels::new(&catalog, &args.data.places.data_dir, &store);
    let resampling = Resampling { confidence: args.confidence, ..Resampling::default() };
    let options = GateOptions { resampling, margin: args.margin, time };
    let gate = gate(&baseline_rows, &store_rows, &second_rows, &mut labels, &options);
    if let Some(path) = &args.junit {
        fs_err::write(path, gate_as_junit(&gate))?;
    }
    print_document(args.format, ("Gate", "molarena gate"), &gate, || gate_as_markdown(&gate))?;
    Ok(match gate.verdict {
        GateVerdict::Ok => ExitCode::Ok,
        GateVerdict::Regressed => ExitCode::Regressed,
        GateVerdict::Inconclusive => ExitCode::Inconclusive,
        GateVerdict::NotComparable => ExitCode::NotComparable,
    })
}

/// Refuses a file that takes the place of an input, before anything is computed.
fn check_output(args: &GateArgs) -> anyhow::Result<()> {
    let Some(path) = &args.junit else { return Ok(()) };
    let stores = [Some(&args.baseline), Some(&args.store.store), args.second.as_ref()];
    let inputs = Inputs::of_scored(&args.data)?
        .and_all_in(args.methods_dir.as_deref())
        .and(args.suite.as_deref())
        .and_folder(stores.into_iter().flatten().map(std::path::PathBuf::as_path));
    check_file(path, Existing::WriteInto, &inputs)
}

/// The rows of a store's boards that are ranked; shuffled labels and hard scores are no methods.
fn rows<'a>(records: &'a [Record], store: &'a Store) -> Vec<Row<'a>> {
    let boards = board_rows(records).into_iter();
    let ranked = boards.flat_map(|(_, rows)| rows).filter(molarena_report::RowRecords::is_ranked);
    ranked.map(|row| row.in_store(store)).collect()
}

fn time_rule(args: &GateArgs, baseline: &[Row<'_>]) -> anyhow::Result<Option<TimeRule>> {
    let Some(reference) = args.time_reference.clone() else { return Ok(None) };
    if !baseline.iter().any(|row| row.name == reference) {
        let what = format!("the baseline has no row `{reference}` for --time-reference");
        return Err(Error::NothingSelected(what).into());
    }
    Ok(Some(TimeRule { reference, factor: args.time_factor, is_error: args.time_error }))
}
