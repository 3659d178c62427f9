//! `molarena store`

use molarena_host::Store;

use super::{print, print_json};
use crate::{
    args::{StoreArgs, StoreCommand},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &StoreArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        StoreCommand::Verify { json, store } => verify(&Store::open(&store.store)?, *json),
    }
}

fn verify(store: &Store, json: bool) -> anyhow::Result<ExitCode> {
    let verified = store.verify()?;
    if json {
        print_json(&serde_json::json!({
            "schema": "molarena.store-verify/1",
            "cells": verified.cells,
            "steps": verified.steps,
            "artifacts": verified.artifacts,
            "problems": verified.problems,
        }))?;
    } else {
        for problem in &verified.problems {
            print(&format!("{problem}\n"))?;
        }
        print(&format!(
            "{} scored cells, {} steps, {} files: {} problems\n",
            verified.cells,
            verified.steps,
            verified.artifacts,
            verified.problems.len()
        ))?;
    }
    Ok(if verified.problems.is_empty() { ExitCode::Ok } else { ExitCode::BadData })
}
