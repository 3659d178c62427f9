//! One module for each command.

pub(crate) mod arena;
pub(crate) mod audit;
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
    io::{ErrorKind, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::CommandFactory;
use molarena_host::Error;
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

/// Whether a selection by name includes `name`; an empty one includes everything.
fn wanted(names: &[String], name: &String) -> bool {
    names.is_empty() || names.contains(name)
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

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&visible_json(&text))
}
