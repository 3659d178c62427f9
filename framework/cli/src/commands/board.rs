//! `molarena board`

use molarena_host::{Error, Store};
use molarena_report::{BoardOptions, Boards, build, build_matches, render};

use super::{print, wanted, warn_of_store};
use crate::{args::BoardArgs, exit_code::ExitCode};

pub(crate) fn run(args: &BoardArgs) -> anyhow::Result<ExitCode> {
    let store = Store::open(&args.store.store)?;
    let mut records = store.records()?;
    records.retain(|record| wanted(&args.datasets, &record.dataset) && wanted(&args.methods, &record.method));
    if args.matches {
        records.clear();
    }
    let mut matches = store.match_records()?;
    matches.retain(|record| wanted(&args.datasets, &record.context) && wanted(&args.methods, &record.method));
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
