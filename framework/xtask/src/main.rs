//! `cargo xtask`: the workspace's own chores.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use xtask::{Mode, check, header, licences, slow, wheel};

/// The workspace's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask check              everything that has to pass before a commit
  cargo xtask header             write framework/abi/include/molarena.h after a change of the ABI
  cargo xtask header --check     fail where the committed header is out of date
  cargo xtask licences           check all licences and write docs/src/dependencies.md
  cargo xtask slow               run the tests that take minutes, which other runs leave out
  cargo xtask wheel              build target/wheel/made/molarena-*.whl";

#[derive(Subcommand)]
enum Chore {
    /// Run every check, cheapest first, and stop at the first that fails
    Check {
        /// Leave out cargo-deny, which has to be installed
        #[arg(long)]
        without_deny: bool,
    },
    /// Write the C header of the plugin ABI
    Header {
        /// Write nothing; fail where the committed header differs
        #[arg(long)]
        check: bool,
    },
    /// Check the dependencies' licences and write the table of them
    Licences {
        /// Write nothing; fail where the committed table differs
        #[arg(long)]
        check: bool,
    },
    /// Run the ignored tests whose names begin with `slow`
    Slow,
    /// Build the wheel: the program, the plugins and the Python package
    Wheel {
        /// The maturin to build it with
        #[arg(long, default_value = "maturin")]
        maturin: PathBuf,
    },
}

fn main() -> ExitCode {
    let mode = |check| if check { Mode::Check } else { Mode::Write };
    let result = match Arguments::parse().chore {
        Chore::Check { without_deny } => check::run(check::Options { without_deny }),
        Chore::Header { check } => header::run(mode(check)),
        Chore::Licences { check } => licences::run(mode(check)),
        Chore::Slow => slow::run(),
        Chore::Wheel { maturin } => wheel::run(&maturin).map(drop),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
