//! Arguments of `plugin`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum, builder::PossibleValuesParser};
use molarena_host::parse_duration;

use super::PluginPlaces;

#[derive(Debug, Args)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a new plugin: a folder with a working example, its tests and a CI file
    #[command(after_help = NEW_EXAMPLES)]
    New {
        /// Name of the plugin: small letters and digits, with - between words
        #[arg(value_name = "NAME")]
        name: String,
        /// What it adds
        #[arg(long, value_enum)]
        kind: PluginKind,
        /// The language that it is written in
        #[arg(long, value_enum)]
        lang: PluginLanguage,
        /// Folder to make [default: NAME]
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
        /// Checkout of molarena whose SDK or Python package the plugin uses [default: the one this program was built in, if
        /// it is still there, else the repository]
        #[arg(long, value_name = "DIR")]
        sdk: Option<PathBuf>,
    },
    /// List the plugins that are found, and their components
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        plugins: PluginPlaces,
    },
    /// Describe a plugin: components, inputs, devices, determinism, configuration
    #[command(after_help = "Example:\n  molarena plugin info baselines")]
    Info {
        /// Id of the plugin
        #[arg(value_name = "ID")]
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        plugins: PluginPlaces,
    },
    /// Run the conformance suite on a library or plugin folder, each case in a worker of its own
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// The library or the plugin folder, or the id of a plugin that is found
        #[arg(value_name = "PATH")]
        plugin: PathBuf,
        /// Only this case (again for more)
        #[arg(long = "case", value_name = "NAME", value_parser = PossibleValuesParser::new(molarena_host::case_names()))]
        cases: Vec<String>,
        /// Only this component, ID or KIND/ID (again for more)
        #[arg(long = "component", value_name = "COMPONENT")]
        components: Vec<String>,
        /// Configuration of a component, ID or KIND/ID, or of an encoder's fine-tuning, finetune/ID, where it has required
        /// keys (again for more)
        #[arg(long = "config", value_name = "COMPONENT=JSON")]
        configs: Vec<String>,
        /// Weights of an encoder, where it needs some (again for more)
        #[arg(long = "weights", value_name = "ID=FILE")]
        weights: Vec<String>,
        /// Time limit of a case
        #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = parse_duration)]
        wall_limit: Duration,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        plugins: PluginPlaces,
    },
    /// Install a library, a plugin folder or an archive of one into the user's plugin folder, once it could be opened
    #[command(after_help = INSTALL_EXAMPLES)]
    Install {
        /// The library, the plugin folder, or a .tar.gz of one
        #[arg(value_name = "PATH")]
        plugin: PathBuf,
        /// Replace a plugin of the same id that has other files
        #[arg(long)]
        force: bool,
        /// Make the plugin's environment from its lock file, with python3 and pip
        #[arg(long)]
        with_environment: bool,
    },
    /// Remove a plugin from the user's plugin folder
    #[command(after_help = "Example:\n  molarena plugin remove my-counts")]
    Remove {
        /// Id of the plugin
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// What a new plugin adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PluginKind {
    /// From molecules to vectors
    Encoder,
    /// From vectors to scores of profiles
    Decoder,
    /// From features or vectors to predictions
    Baseline,
}

/// The language of a new plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PluginLanguage {
    /// A program, with an environment of its own
    Python,
    /// A library, with the SDK
    Rust,
    /// A library, of one file and a header
    C,
}

const NEW_EXAMPLES: &str = "\
Examples:
  molarena plugin new my-counts --kind encoder --lang python
  molarena plugin new my-centroid --kind baseline --lang rust --into ~/plugins/my-centroid

It prints the three commands that come next: build, check, run.";

const INSTALL_EXAMPLES: &str = "\
Examples:
  molarena plugin install target/release/libmolarena_mine.so
  molarena plugin install my-counts --with-environment
  molarena plugin install my-counts-0.2.0.tar.gz --with-environment --force

The folder is $XDG_DATA_HOME/molarena/plugins, or ~/.local/share/molarena/plugins.";

const CHECK_EXAMPLES: &str = "\
Examples:
  molarena plugin check my-plugin
  molarena plugin check target/release/libmolarena_mine.so --case company
  molarena plugin check my-plugin --config 'my-encoder={\"weights\": \"w.bin\"}' --json

The exit code is 3 if a case failed or crashed.";
