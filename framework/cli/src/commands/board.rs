//! `molarena board`

use molarena_host::{Error, Store};
use molarena_report::{BoardOptions, build, render};

use super::print;
use crate::{args::BoardArgs, exit_code::ExitCode};

pub(crate) fn run(args: &BoardArgs) -> anyhow::Result<ExitCode> {
    let store = Store::open(&args.store.store)?;
    let mut records = store.records()?;
    let wanted = |names: &[String], name: &String| names.is_empty() || names.contains(name);
    records.retain(|record| wanted(&args.datasets, &record.dataset) && wanted(&args.methods, &record.method));
    if records.is_empty() {
        let what = format!("the store {} holds no such record", store.root().display());
        return Err(Error::NothingSelected(what).into());
    }
    print(&render(&build(&records, BoardOptions { cost: !args.no_cost }), args.format))?;
    Ok(ExitCode::Ok)
}
