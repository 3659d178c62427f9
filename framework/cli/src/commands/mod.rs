//! One module for each command.

pub(crate) mod arena;
pub(crate) mod audit;
pub(crate) mod board;
pub(crate) mod claims;
pub(crate) mod compare;
pub(crate) mod context;
pub(crate) mod data;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod export;
pub(crate) mod gate;
pub(crate) mod import;
pub(crate) mod learning;
pub(crate) mod method;
pub(crate) mod own;
pub(crate) mod plot;
pub(crate) mod plugin;
pub(crate) mod predict;
mod remote;
pub(crate) mod replay;
pub(crate) mod reproduce;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod simulate;
mod slurm;
pub(crate) mod store;
pub(crate) mod train;

use std::{
    io::{ErrorKind, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::CommandFactory;
use molarena_host::{Error, Store};
use molarena_record::text::{visible_json, visible_lines};
use molarena_report::document;

use crate::{
    args::{Cli, CompletionsArgs, DocumentFormat, WorkerArgs},
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

pub(crate) fn step(args: &WorkerArgs) -> anyhow::Result<ExitCode> {
    molarena_host::run_submitted(&args.folder)?;
    Ok(ExitCode::Ok)
}

/// How long the program may take to end by itself after a signal, while nothing has started that must end in order.
const PATIENCE: Duration = Duration::from_secs(1);
/// Whether work has started that ends in order when it is interrupted: workers are ended, what is finished is stored.
static WORKING: AtomicBool = AtomicBool::new(false);

/// Says that work has started that heeds [`interruption`] by itself.
pub(crate) fn work_begins() {
    WORKING.store(true, Ordering::Relaxed);
}

/// A flag that the first SIGINT or SIGTERM sets; the second one ends the program at once. Before work begins, the first
/// one does, too: whatever is read or planned then need not end in order.
fn interruption() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
    for signal in signals {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&interrupted))?;
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    let mut received = signal_hook::iterator::Signals::new(signals)?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for _ in received.forever() {
            std::thread::sleep(PATIENCE);
            if !WORKING.load(Ordering::Relaxed) {
                say!("error [{}]: {}", Error::Interrupted.code(), Error::Interrupted);
                std::process::exit(i32::from(ExitCode::Interrupted as u8));
            }
        }
    })?;
    Ok(interrupted)
}

/// Whether a selection includes `name`: it fits one of the patterns, in which `*` stands for any text. No patterns include
/// everything.
fn wanted(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| glob(pattern, name))
}

fn glob(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(after) = name.strip_prefix(start) else { return false };
    after.char_indices().map(|(at, _)| at).chain([after.len()]).any(|at| glob(rest, &after[at..]))
}

/// A store that must exist: for writing if that may be, because its cache keeps what is computed from it.
///
/// # Errors
/// There is no store.
fn writable(root: &Path) -> molarena_host::Result<Store> {
    let store = Store::open(root)?;
    Ok(Store::create(root).unwrap_or(store))
}

/// A store that must exist, for writing.
///
/// # Errors
/// There is no store, or it cannot be written to.
fn existing(root: &Path) -> molarena_host::Result<Store> {
    Store::open(root)?;
    arena::create_store(root)
}

/// The error of a selection that no record of a store is in.
fn no_such_record(store: &Store) -> Error {
    Error::NothingSelected(format!("the store {} holds no such record", store.root().display()))
}

/// Prints on standard error what is wrong with the files read from a store.
fn warn_of_store(store: &Store) {
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
    let mut output = std::io::stdout().lock();
    let written = output.write_all(visible_lines(text).as_bytes()).and_then(|()| output.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => error.into(),
        _ => Error::Io(std::io::Error::new(error.kind(), format!("standard output: {error}"))).into(),
    })
}

/// A path as text for JSON, which has no other bytes than those of UTF-8.
fn text_of(path: &Path) -> String {
    path.display().to_string()
}

/// Prints a comparison, a gate or an audit: as Markdown, as a page of that Markdown, or as JSON.
fn print_document(
    format: DocumentFormat,
    (title, command): (&str, &str),
    value: &impl serde::Serialize,
    markdown: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    match format {
        DocumentFormat::Md => print(&markdown()),
        DocumentFormat::Html => print(&document(title, command, &markdown())),
        DocumentFormat::Json => print_json(value),
    }
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&visible_json(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, name, expected) in [
            ("morgan-rf", "morgan-rf", true),
            ("morgan-rf", "morgan-rf-hard", false),
            ("morgan-*", "morgan-rf", true),
            ("*-rf", "morgan-rf", true),
            ("*rf*", "morgan-rf-hard", true),
            ("*", "", true),
            ("a*b*c", "a b b c", true),
            ("a*b*c", "a c b", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(glob(pattern, name), expected, "{pattern} {name}");
        }
    }
}
