//! One module for each command.

pub(crate) mod arena;
pub(crate) mod board;
pub(crate) mod context;
pub(crate) mod data;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod learning;
pub(crate) mod own;
pub(crate) mod plot;
pub(crate) mod plugin;
pub(crate) mod predict;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod simulate;
pub(crate) mod store;
pub(crate) mod train;

use std::{
    io::Write,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use clap::CommandFactory;
use molarena_record::text::{visible_json, visible_lines};

use crate::{
    args::{Cli, CompletionsArgs, WorkerArgs},
    exit_code::ExitCode,
};

pub(crate) fn completions(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "molarena", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(ExitCode::Ok)
}

pub(crate) fn worker(args: &WorkerArgs) -> anyhow::Result<ExitCode> {
    molarena_host::worker::run(&args.folder)?;
    Ok(ExitCode::Ok)
}

/// A flag that the first SIGINT or SIGTERM sets; the second one ends the program at once.
fn interruption() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&interrupted))?;
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    Ok(interrupted)
}

/// Whether a selection by name includes `name`; an empty one includes everything.
fn wanted(names: &[String], name: &String) -> bool {
    names.is_empty() || names.contains(name)
}

/// Refuses to overwrite `output` unless `force` is set.
fn check_output(output: &Path, force: bool) -> anyhow::Result<()> {
    if output.exists() && !force {
        let message = format!("{} exists; --force overwrites it", output.display());
        return Err(molarena_host::Error::Request(message).into());
    }
    Ok(())
}

/// Prints on standard error what is wrong with the files read from a store.
fn warn_of_store(store: &molarena_host::Store) {
    for warning in store.warnings() {
        say!("warning: {warning}");
    }
}

/// Prints a line to standard error, visible.
pub(crate) fn say(line: &str) {
    // If standard error is closed, nothing can be reported.
    let _closed = writeln!(std::io::stderr(), "{}", visible_lines(line));
}

/// Prints to standard output, with hidden characters made visible; a closed pipe is an error that `main` forgives.
fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(visible_lines(text).as_bytes())?;
    Ok(())
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&visible_json(&text))
}
