//! Arguments of `store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::StorePlace;

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// List the rows of a store: every build of every method, also those that boards leave out
    #[command(after_help = "Examples:\n  molarena store ls\n  molarena store ls --dataset chembl2k --keys")]
    Ls {
        /// A line for each record, with its key
        #[arg(long)]
        keys: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        chosen: ChosenCells,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Show a record: scores or failure with the worker's output, composition, costs
    #[command(after_help = "Example:\n  molarena store show 3f2a9c01")]
    Show {
        /// Key of a record, or its first digits
        #[arg(value_name = "KEY")]
        key: String,
        /// Print the record and its step as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Remove records, and the steps that no other record scores
    #[command(
        after_help = "Examples:\n  molarena store rm --method my-method --dry-run\n  molarena store rm --failed\n  molarena store rm 3f2a9c01\n\nWhat the steps made stays until `store gc`."
    )]
    Rm {
        /// Keys of records, or their first digits
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
        /// Say what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        chosen: ChosenCells,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Remove what no record names
    #[command(visible_alias = "clean", after_help = "Example:\n  molarena store gc --caches --dry-run")]
    Gc {
        /// Also steps that no record scores, such as those of members of ensembles
        #[arg(long)]
        steps: bool,
        /// Also caches: features, molecules, resampled scores, copies of plugins
        #[arg(long)]
        caches: bool,
        /// Say what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Add the records of other stores, such as those of other machines
    #[command(
        after_help = "Example:\n  molarena store merge machine-a machine-b --store all\n\nWhere both have a record, this store's stays; the exit code is 5 if the outcomes differ."
    )]
    Merge {
        /// Stores to add
        #[arg(value_name = "DIR", required = true)]
        others: Vec<PathBuf>,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Write what boards, comparisons, gates and replays need into one file, DIR/SHA256.tar.gz
    #[command(
        after_help = "Example:\n  molarena store pack --output archives\n\nTrained encoders, vectors and caches are left out. Equal stores give equal bytes."
    )]
    Pack {
        /// Folder of the archive
        #[arg(long, short, value_name = "DIR")]
        output: PathBuf,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Add the records of archives that `store pack` wrote
    #[command(
        after_help = "Example:\n  molarena store unpack archives/*.tar.gz --store unpacked\n\nThe name of an archive is the sha256 of its bytes, and is checked."
    )]
    Unpack {
        /// Archives
        #[arg(value_name = "FILE", required = true)]
        archives: Vec<PathBuf>,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Upload records and steps to an object store, such as a bucket of S3
    #[command(
        after_help = "Examples:\n  molarena store push s3://bucket/arena\n  molarena store push file:///mnt/shared/arena\n\nWhat is there stays. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL\nsay who asks, and where.\n\nNeeds a molarena from `cargo build --release -p molarena --features object-store`."
    )]
    Push {
        /// Folder of a bucket, `s3://BUCKET/FOLDER`, or of this machine, `file:///FOLDER`
        #[arg(value_name = "URL")]
        url: String,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Add the records and steps of an object store
    #[command(
        after_help = "Example:\n  molarena store pull s3://bucket/arena --store all\n\nWhere both have a record, this store's stays. Every file is hashed; what has other bytes than its name\nsays is refused, and the exit code is 5. The environment and the build are those of `store push`."
    )]
    Pull {
        /// Folder of a bucket, `s3://BUCKET/FOLDER`, or of this machine, `file:///FOLDER`
        #[arg(value_name = "URL")]
        url: String,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Read every record, compare its name with its content, and hash every file that a step made
    #[command(
        after_help = "Example:\n  molarena store verify --store molarena-store\n\nThe exit code is 5 if something does not fit."
    )]
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StorePlace,
    },
}

/// Which records.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct ChosenCells {
    /// Of this dataset, or context of matching (again for more); * stands for any text
    #[arg(long = "dataset", value_name = "ID")]
    pub(crate) datasets: Vec<String>,
    /// Of this method (again for more); * stands for any text
    #[arg(long = "method", value_name = "NAME")]
    pub(crate) methods: Vec<String>,
    /// That failed
    #[arg(long)]
    pub(crate) failed: bool,
}
