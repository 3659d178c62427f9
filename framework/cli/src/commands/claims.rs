//! `molarena claims`

use std::path::Path;

use molarena_data::Catalog;
use molarena_evaluate::{
    Labels, Resampling,
    claims::{ClaimsOptions, StoreRow, judge_claims},
};
use molarena_host::{Against, Claims, Error, Store, shell_word};
use molarena_record::cell::Record;
use molarena_report::{board_rows, claims_as_markdown, keep_latest, printed_figure, printed_names};

use super::{own, print_document, warn_of_store, writable};
use crate::{args::ClaimsArgs, exit_code::ExitCode};

pub(crate) fn run(args: &ClaimsArgs) -> anyhow::Result<ExitCode> {
    let claims = Claims::load(&args.file)?;
    check_figures(&claims, &args.file)?;
    let stores: Vec<Store> = args.stores.iter().map(|path| writable(path)).collect::<Result<_, Error>>()?;
    let read = |store: &Store| -> anyhow::Result<Vec<Record>> {
        let mut records = store.records()?;
        warn_of_store(store);
        keep_latest(&mut records);
        Ok(records)
    };
    let records: Vec<Vec<Record>> = stores.iter().map(read).collect::<anyhow::Result<_>>()?;
    let catalog = own::catalog_of(&args.data)?;
    check_datasets(&claims, &args.file, &catalog, &records)?;
    let names: Vec<String> = args.stores.iter().map(|path| shown(path)).collect();
    let mut rows = Vec::new();
    for ((store, records), name) in stores.iter().zip(&records).zip(&names) {
        let of_boards = board_rows(records).into_iter().flat_map(|(_, rows)| rows);
        rows.extend(of_boards.map(|row| StoreRow { store: name.clone(), row: row.in_store(store) }));
    }
    let Some(first) = stores.first().filter(|_| !rows.is_empty()) else {
        let what = format!("there is no record in {}", names.join(", "));
        return Err(Error::NothingSelected(what).into());
    };
    let mut labels = Labels::new(&catalog, &args.data.places.data_dir, first);
    let paper = claims.paper.name.as_deref();
    let printed = |name: &str, record: &Record| printed_figure(paper?, name, record);
    let options =
        ClaimsOptions { resampling: Resampling::default(), command: command(args, &names), stores: names };
    let report = judge_claims(&claims, &rows, &mut labels, &printed, options);
    print_document(args.format, ("Claims", "molarena claims"), &report, || claims_as_markdown(&report))?;
    Ok(ExitCode::Ok)
}

/// A path as a report shows it: as it was given, or its last part if it is absolute and so of one machine only.
fn shown(path: &Path) -> String {
    let last = path.file_name().filter(|_| path.is_absolute());
    last.map_or_else(|| path.display().to_string(), |last| last.to_string_lossy().into_owned())
}

/// The command as a report shows it.
fn command(args: &ClaimsArgs, stores: &[String]) -> String {
    let word = |text: &str| shell_word(Path::new(text));
    let stores: Vec<String> = stores.iter().map(|store| format!(" --store {}", word(store))).collect();
    format!("molarena claims {}{}", word(&shown(&args.file)), stores.concat())
}

/// Refuses claims about figures that no paper prints.
fn check_figures(claims: &Claims, file: &Path) -> Result<(), Error> {
    let failed = |message: String| Error::Document { path: file.to_owned(), message };
    let Some(paper) = &claims.paper.name else { return Ok(()) };
    let Some(known) = printed_names(paper) else {
        return Err(failed(format!("paper.name: there are no published figures of `{paper}`")));
    };
    for claim in &claims.claims {
        let Against::Published(name) = &claim.against else { continue };
        if !known.contains(&name.as_str()) {
            let known = known.join(", ");
            let name = format!("`{paper}` prints no figure of `{name}`, only of {known}");
            return Err(failed(format!("claim `{}`: against: {name}", claim.name)));
        }
    }
    Ok(())
}

/// Refuses claims about datasets that are neither known nor in a store.
fn check_datasets(
    claims: &Claims,
    file: &Path,
    catalog: &Catalog,
    records: &[Vec<Record>],
) -> Result<(), Error> {
    for claim in &claims.claims {
        for dataset in &claim.datasets {
            let is_stored = records.iter().flatten().any(|record| record.dataset == *dataset);
            if let (Err(why), false) = (catalog.get(dataset), is_stored) {
                let message = format!("claim `{}`: datasets: {why}", claim.name);
                return Err(Error::Document { path: file.to_owned(), message });
            }
        }
    }
    Ok(())
}
