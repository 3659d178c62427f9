//! The `molarena` binary: argument types, exit codes, and what is printed.

/// Prints a line to standard error with hidden characters made visible: parts of it may be a plugin's or a file's.
macro_rules! say {
    ($($text:tt)*) => { crate::commands::say(&format!($($text)*)) };
}

mod args;
mod commands;
mod display;
mod exit_code;
#[cfg(test)]
mod named_options;
mod output;
mod split_choice;
mod suite_cells;

use clap::Parser;

use crate::{
    args::{Cli, Command},
    exit_code::ExitCode,
};

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Run(args) => commands::run::run(&args),
        Command::Board(args) => commands::board::run(&args),
        Command::Serve(args) => commands::serve::run(&args),
        Command::Compare(args) => commands::compare::run(&args),
        Command::Claims(args) => commands::claims::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Gate(args) => commands::gate::run(&args),
        Command::Plot(args) => commands::plot::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Reproduce(args) => commands::reproduce::run(&args),
        Command::Import(args) => commands::import::run(&args),
        Command::Store(args) => commands::store::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Train(args) => commands::train::run(&args),
        Command::Predict(args) => commands::predict::run(&args),
        Command::Embed(args) => commands::embed::run(&args),
        Command::Data(args) => commands::data::run(&args),
        Command::Audit(args) => commands::audit::run(&args),
        Command::Method(args) => commands::method::run(&args),
        Command::Plugin(args) => commands::plugin::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Completions(args) => commands::completions(&args),
        Command::Worker(args) => commands::worker(&args),
        Command::Step(args) => commands::step(&args),
    };
    outcome
        .unwrap_or_else(|error| {
            if is_broken_pipe(&error) {
                return ExitCode::Ok;
            }
            let code = ExitCode::of(&error);
            complain(&error);
            code
        })
        .into()
}

/// A closed pipe, as in `molarena … | head`, is not an error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn complain(error: &anyhow::Error) {
    let code = None
        .or_else(|| Some(error.downcast_ref::<molarena_host::Error>()?.code()))
        .or_else(|| Some(error.downcast_ref::<molarena_world::Error>()?.code()))
        .or_else(|| Some(error.downcast_ref::<molarena_data::Error>()?.code()))
        .map_or_else(String::new, |code| format!(" [{code}]"));
    say!("error{code}: {error:#}");
}
