//! `molarena board`

use std::io::IsTerminal;

use molarena_data::Catalog;
use molarena_evaluate::{
    Labels, ProfileSpace, Resampling, Row, board_statistics, scored_again, within_group,
};
use molarena_host::Store;
use molarena_metrics::Metric;
use molarena_record::cell::Record;
use molarena_report::{
    BoardOptions, Boards, Format, RowRecords, build, build_matches, build_with_statistics, keep_datasets,
    keep_latest, keep_latest_matches, mark_verified, of_some_molecules, page, render, sort_rows,
};

use super::{no_such_record, own, print, wanted, warn_of_store, writable};
use crate::{
    args::{BoardArgs, BoardSelection},
    exit_code::ExitCode,
    output::{Existing, Inputs, check_file},
    suite_cells::SuiteCells,
};

pub(crate) fn run(args: &BoardArgs) -> anyhow::Result<ExitCode> {
    if let Some(path) = &args.html {
        let selection = &args.selection;
        let inputs = Inputs::of_scored(&selection.data)?.and_folder([selection.store.store.as_path()]);
        check_file(path, Existing::WriteInto, &inputs)?;
    }
    let catalog = own::catalog_of(&args.selection.data)?;
    let (boards, records) = selected(&args.selection, &catalog)?;
    match &args.html {
        Some(path) => {
            fs_err::write(path, page(&boards, &records))?;
            say!("wrote {}", path.display());
        }
        None => print(&render(&boards, format(args)))?,
    }
    Ok(ExitCode::Ok)
}

/// The format that is asked for, else one that fits where the output goes.
fn format(args: &BoardArgs) -> Format {
    let fitting = || if std::io::stdout().is_terminal() { Format::Text } else { Format::Md };
    args.format.unwrap_or_else(fitting)
}

/// The boards of a selection, and the records that they are built from; `catalog` has the data that were scored on.
///
/// # Errors
/// [`NothingSelected`](molarena_host::Error::NothingSelected) if the store holds no such record, and errors of reading it.
pub(crate) fn selected(args: &BoardSelection, catalog: &Catalog) -> anyhow::Result<(Boards, Vec<Record>)> {
    let store = writable(&args.store.store)?;
    let mut records = store.records()?;
    if args.matches {
        records.clear();
    }
    keep_datasets(&mut records, &args.datasets);
    records.retain(|record| wanted(&args.methods, &record.method));
    let suite = args.suite.as_deref().map(|suite| SuiteCells::load(suite, args.methods_dir.as_deref()));
    let suite = suite.transpose()?;
    if let Some(suite) = &suite {
        records.retain(|record| suite.has(record));
    }
    if args.latest {
        keep_latest(&mut records);
    }
    let mut labels = Labels::new(catalog, &args.data.places.data_dir, &store);
    records = again(&store, &mut labels, args.metric, args.profiled.as_ref(), records)?;
    if let Some(group) = &args.group {
        records = in_group(&labels, group, records)?;
    }
    let mut matches = store.match_records()?;
    matches.retain(|record| wanted(&args.datasets, &record.context) && wanted(&args.methods, &record.method));
    if let Some(suite) = &suite {
        matches.retain(|record| suite.has_match(record));
    }
    if args.latest {
        keep_latest_matches(&mut matches);
    }
    if args.metric.is_some() || args.group.is_some() || args.profiled.is_some() {
        matches.clear();
    }
    warn_of_store(&store);
    if records.is_empty() && matches.is_empty() {
        return Err(no_such_record(&store).into());
    }
    let options = BoardOptions { cost: !args.no_cost };
    let mut boards = if args.no_intervals {
        build(&records, options)
    } else {
        boards_with_intervals(&records, options, &store, &mut labels)
    };
    if let Some(group) = &args.group {
        for board in &mut boards.boards {
            board
                .notes
                .insert(0, format!("Only the tasks of the group {group}: {}.", board.tasks.join(", ")));
        }
    }
    if let Some(space) = &args.profiled {
        for board in &mut boards.boards {
            of_some_molecules(board, &format!("with a profile in {space}"));
        }
    }
    let verified = store.reproductions()?.into_iter().filter(|found| found.agreement.verifies());
    let verified = verified.map(|found| found.key).collect();
    mark_verified(&mut boards, &records, &verified);
    boards.matches = build_matches(&matches, &verified, options);
    sort_rows(&mut boards, args.sort);
    Ok((boards, records))
}

/// Boards with intervals, ranks and ties, or notes that say why there are none.
pub(crate) fn boards_with_intervals<'a>(
    records: &'a [Record],
    options: BoardOptions,
    store: &'a Store,
    labels: &mut Labels<'_>,
) -> Boards {
    build_with_statistics(records, options, |rows| statistics(rows, store, labels))
}

/// Intervals, ranks and ties of the rows of one board.
fn statistics<'a>(
    rows: &[RowRecords<'a>],
    store: &'a Store,
    labels: &mut Labels<'_>,
) -> Result<molarena_evaluate::BoardStatistics, String> {
    let rows: Vec<Row<'_>> = rows.iter().map(|row| row.in_store(store)).collect();
    board_statistics(&rows, labels, Resampling::default())
}

/// The records of datasets that name a group of tasks, cut to it.
pub(crate) fn in_group(
    labels: &Labels<'_>,
    group: &str,
    records: Vec<Record>,
) -> anyhow::Result<Vec<Record>> {
    let (records, without) = within_group(labels, group, records);
    if records.is_empty() && !without.is_empty() {
        let message = format!("no dataset here names a group of tasks `{group}`: {}", without.join(", "));
        return Err(molarena_host::Error::NothingSelected(message).into());
    }
    for dataset in &without {
        say!("warning: {dataset} is left out: it names no group of tasks `{group}`");
    }
    Ok(records)
}

/// Scores the records again, if another metric or only the molecules with a profile are asked for, from stored predictions and
/// the labels of the data folder.
pub(crate) fn again(
    store: &Store,
    labels: &mut Labels<'_>,
    metric: Option<Metric>,
    profiled: Option<&ProfileSpace>,
    records: Vec<Record>,
) -> anyhow::Result<Vec<Record>> {
    if let Some(space) = profiled {
        labels.only_profiled(space.clone(), |what| say!("{what}"));
    }
    if metric.is_none() && profiled.is_none() {
        return Ok(records);
    }
    let (records, skipped) = scored_again(store, labels, records, metric)?;
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for (key, why) in &skipped {
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, keys)) => keys.push(key),
            None => reasons.push((why.clone(), vec![key])),
        }
    }
    for (why, keys) in &reasons {
        match keys.as_slice() {
            [key] => say!("warning: record {key} is left out: {why}"),
            keys => say!("warning: {} records are left out, such as {}: {why}", keys.len(), keys[0]),
        }
    }
    Ok(records)
}
