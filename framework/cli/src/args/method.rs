//! Arguments of `method`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct MethodArgs {
    #[command(subcommand)]
    pub(crate) command: MethodCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MethodCommand {
    /// List the methods that a run can name
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Only methods with this text in their name or summary
        #[arg(value_name = "TEXT")]
        text: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Folder with further methods; they take precedence
        #[arg(long, value_name = "DIR")]
        methods_dir: Option<PathBuf>,
    },
    /// Print the file of a method, to read or to start a new one from
    #[command(after_help = "Example:\n  molarena method show morgan-rf > mine.toml")]
    Show {
        /// Name of the method
        #[arg(value_name = "NAME")]
        name: String,
        /// Folder with further methods; they take precedence
        #[arg(long, value_name = "DIR")]
        methods_dir: Option<PathBuf>,
    },
}

const LIST_EXAMPLES: &str = "\
Examples:
  molarena method list
  molarena method list minimol";
