//! `molarena schema`

use molarena_data::audit::{self, AUDIT_SCHEMA};
use molarena_host::Error;
use molarena_report::{BOARD_SCHEMA, board_json_schema, table::columns};

use super::{print, print_json};
use crate::{args::SchemaArgs, exit_code::ExitCode};

pub(crate) fn run(args: &SchemaArgs) -> anyhow::Result<ExitCode> {
    let mut schemas = molarena_record::schemas::all();
    schemas.push((
        BOARD_SCHEMA,
        "boards, as `molarena board --format json` prints them",
        board_json_schema(),
    ));
    schemas.extend(molarena_evaluate::schemas::all());
    schemas.push((
        AUDIT_SCHEMA,
        "audits of datasets, as `molarena audit --json` prints them",
        audit::json_schema(),
    ));
    let Some(name) = &args.name else {
        let rows: Vec<Vec<String>> =
            schemas.iter().map(|(name, what, _)| vec![(*name).to_owned(), (*what).to_owned()]).collect();
        print(&columns(&["schema", "what"], &rows))?;
        return Ok(ExitCode::Ok);
    };
    let bare = |schema: &str| schema.trim_start_matches("molarena.").split('/').next() == Some(name.as_str());
    let Some((_, _, schema)) = schemas.iter().find(|(schema, ..)| schema == name || bare(schema)) else {
        let known: Vec<&str> = schemas.iter().map(|(name, ..)| *name).collect();
        return Err(Error::Request(format!("no schema `{name}`; there are: {}", known.join(", "))).into());
    };
    print_json(schema)?;
    Ok(ExitCode::Ok)
}
