//! `molarena export`

use std::path::Path;

use molarena_data::{Catalog, Part, Protocol};
use molarena_evaluate::{Labels, Row, export};
use molarena_host::{ArenaDataset, Store, Table, Values, check_table_name};
use molarena_record::cell::Record;
use molarena_report::{board_rows, keep_datasets};

use super::{no_such_record, own, print, warn_of_store, writable};
use crate::{
    args::{ExportArgs, ExportCommand, ExportOutput},
    exit_code::ExitCode,
    output::{Existing, Inputs, check_file},
};

pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        ExportCommand::Scores { datasets, methods, store, output } => {
            check(output, &Inputs::default().and_folder([store.store.as_path()]))?;
            let store = Store::open(&store.store)?;
            let records = chosen(&store, datasets, methods)?;
            write(&export::scores(&records), output)
        }
        ExportCommand::Predictions { datasets, methods, store, data, output } => {
            check(output, &Inputs::of_scored(data)?.and_folder([store.store.as_path()]))?;
            let store = writable(&store.store)?;
            let records = chosen(&store, datasets, methods)?;
            let catalog = own::catalog_of(data)?;
            let mut labels = Labels::new(&catalog, &data.places.data_dir, &store);
            let rows: Vec<Row<'_>> = board_rows(&records)
                .into_iter()
                .flat_map(|(_, rows)| rows)
                .map(|row| Row { name: row.name, records: row.records, store: &store })
                .collect();
            match export::predictions(&rows, &mut labels) {
                Ok(table) => write(&table, output),
                Err(why) => {
                    say!("error: {why}");
                    Ok(ExitCode::BadData)
                }
            }
        }
        ExportCommand::Split { dataset, split, split_seed, places, output } => {
            check(output, &Inputs::of_places(places, None, None)?)?;
            let catalog = Catalog::with_dir(places.datasets_dir.as_deref())?;
            let table = split_of(&catalog, dataset, *split, *split_seed, &places.data_dir)?;
            write(&table, output)
        }
    }
}

/// Refuses a file that takes the place of an input, before anything is read.
fn check(output: &ExportOutput, inputs: &Inputs) -> anyhow::Result<()> {
    let Some(path) = &output.output else { return Ok(()) };
    check_table_name(path)?;
    check_file(path, Existing::with_force(output.force), inputs)
}

fn write(table: &Table, output: &ExportOutput) -> anyhow::Result<ExitCode> {
    match &output.output {
        Some(path) => {
            table.write(path)?;
            say!("{}: {} rows", path.display(), table.rows());
        }
        None => print(&table.to_csv())?,
    }
    Ok(ExitCode::Ok)
}

fn chosen(store: &Store, datasets: &[String], methods: &[String]) -> anyhow::Result<Vec<Record>> {
    let mut records = store.records()?;
    warn_of_store(store);
    keep_datasets(&mut records, datasets);
    records.retain(|record| super::wanted(methods, &record.method));
    if records.is_empty() {
        return Err(no_such_record(store).into());
    }
    Ok(records)
}

/// Row of the table (from 1), SMILES, scaffold and part of each readable molecule.
fn split_of(
    catalog: &Catalog,
    id: &str,
    protocol: Option<Protocol>,
    seed: u64,
    data_dir: &Path,
) -> anyhow::Result<Table> {
    // Nothing is kept: the cache of a store is another command's.
    let folder = molarena_host::Temporary::make("molarena-export-", &std::env::temp_dir())?;
    let store = Store::create(folder.path())?;
    let manifest = catalog.get(id)?;
    let dataset = ArenaDataset::prepare(manifest, &catalog.dataset(id, data_dir)?, data_dir, &store)?;
    let split = dataset.split(protocol.unwrap_or(manifest.protocol.split), seed)?;
    let mut parts = vec![String::new(); dataset.dataset.len()];
    for (part, molecules) in
        [(Part::Train, &split.train), (Part::Valid, &split.valid), (Part::Test, &split.test)]
    {
        for &molecule in molecules {
            parts[molecule] = part.to_string();
        }
    }
    Ok(Table::default()
        .with("row", Values::Integers(dataset.dataset.rows.iter().map(|&row| row as i64).collect()))
        .with("smiles", Values::Text(dataset.dataset.smiles.clone()))
        .with("scaffold", Values::Text(dataset.scaffolds.clone()))
        .with("part", Values::Text(parts)))
}
