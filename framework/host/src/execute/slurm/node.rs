//! The node's side: runs one submitted job as the local executor would, and writes how it ended.
//!
//! | file of the folder | written by | what |
//! |---|---|---|
//! | `order.json` | the run | [`Order`] |
//! | `job/` | the run, then the worker | the [job folder](crate::job); the worker may write nowhere else |
//! | `claim` | the node | taken by the first job that starts here, so that no second one runs in the same folder |
//! | `log` | the node | what this program prints |
//! | `ending.json` | the node | [`End`], last |

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    execute::executor::Local,
    files::json::{read_json, write_json},
    job::{Job, JobTask},
    launch::{Ending, Launcher},
};

/// The subfolder that the worker works in.
pub(super) const JOB: &str = "job";
const ORDER: &str = "order.json";
const CLAIM: &str = "claim";
const ENDING: &str = "ending.json";
/// What this program prints.
pub(super) const LOG: &str = "log";

/// How often the node checks that the run still wants the job.
const CHECK: Duration = Duration::from_secs(5);
/// How long after a worker's failure a signal of Slurm may still come: it goes to the worker and to this process in turn.
const SIGNALS: Duration = Duration::from_millis(500);

/// What a node is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// Version of the molarena that wrote it.
    version: String,
    job: Job,
    /// Wall-clock limit of the worker.
    wall: Duration,
}

/// How a job ended on its node.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct End {
    /// The node's name.
    pub(super) node: String,
    /// How the worker ended, or why it could not be started.
    pub(super) result: Result<Ending, String>,
}

/// Writes the order of a job into its folder.
pub(super) fn order(folder: &Path, job: Job, wall: Duration) -> Result<()> {
    write_json(folder, ORDER, &Order { version: env!("CARGO_PKG_VERSION").into(), job, wall })
}

/// How the job of a folder ended, if it has; a file that cannot be read yet may be on its way.
pub(super) fn end_of(folder: &Path) -> Option<End> {
    read_json(folder, ENDING).ok()
}

/// Whether a job has started in the folder.
pub(super) fn was_claimed(folder: &Path) -> bool {
    folder.join(CLAIM).exists()
}

/// Runs the job that a run submitted in `folder`, for the hidden command `step`.
///
/// # Errors
/// [`Error::Interrupted`] if Slurm or the run ends the job; the outcome cannot be written.
pub fn run_submitted(folder: &Path) -> Result<()> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    let folder = fs_err::canonicalize(folder)?;
    if let Err(error) = fs_err::File::create_new(folder.join(CLAIM)) {
        let why = format!("another job has started here already, or none may: {error}");
        return Err(Error::Store { path: folder, message: why });
    }
    let result = while_wanted(&folder, &interrupted, || ended(&folder, &interrupted));
    match &result {
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Ok(Ending { result: Err(_), .. }) => {
            // What looks like the plugin's failure may be the end of the job.
            thread::sleep(SIGNALS);
            if interrupted.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
        }
        _ => {}
    }
    let node = std::env::var("SLURMD_NODENAME").ok();
    let node =
        node.unwrap_or_else(|| nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned());
    write_json(&folder, ENDING, &End { node, result: result.map_err(|error| error.to_string()) })
}

/// Does `work`, and interrupts it once the order is gone: the run took the job for lost and has started another one.
fn while_wanted<T>(folder: &Path, interrupted: &AtomicBool, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if !folder.join(ORDER).exists() {
                    interrupted.store(true, Ordering::Relaxed);
                }
                thread::park_timeout(CHECK);
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        result
    })
}

fn ended(folder: &Path, interrupted: &AtomicBool) -> Result<Ending> {
    let Order { version, mut job, wall } = read_json(folder, ORDER)?;
    if version != env!("CARGO_PKG_VERSION") {
        let here = env!("CARGO_PKG_VERSION");
        return Err(Error::Slurm(format!(
            "the run is by molarena {version}, but this node has {here}; name the same one as executor.program"
        )));
    }
    let place = folder.join(JOB);
    check_seen(&job, &place)?;
    if let Some(device) = device_here(&job.envelope.device, std::env::var("SLURM_JOB_GPUS").ok().as_deref()) {
        job.envelope.device = device;
    }
    let launcher = Launcher::of_this_binary()?;
    Local { launcher: &launcher }.run_in(job, &place, wall, interrupted, &|_| ())
}

/// Checks that this node sees what the job needs: the plugin, trained states, its folders.
fn check_seen(job: &Job, place: &Path) -> Result<()> {
    let library: Option<&PathBuf> = match &job.task {
        JobTask::Pretrain(task) => Some(&task.encoder.library),
        JobTask::Encode(task) => Some(&task.encoder.library),
        JobTask::Fit(task) => task.candidates.first().map(|candidate| &candidate.library),
        JobTask::Rank(task) => Some(&task.decoder.library),
        _ => None,
    };
    let mut needed = job.envelope.readable.iter().chain(&job.envelope.writable).chain(library);
    match needed.find(|path| !place.join(path).exists()) {
        None => Ok(()),
        Some(path) => Err(Error::Slurm(format!(
            "this node does not see {}; plugins and the store must be on a file system that all nodes share",
            std::path::absolute(place.join(path)).unwrap_or_else(|_| path.clone()).display()
        ))),
    }
}

/// The device as this node names it: on the first of the cards that Slurm gave to the job. `None` if it gave none.
fn device_here(device: &str, cards: Option<&str>) -> Option<String> {
    let (class, _) = device.split_once(':')?;
    let card: u32 = cards?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some(format!("{class}:{card}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_the_card_that_the_job_was_given() {
        assert_eq!(device_here("cuda:0", Some("3,5")).as_deref(), Some("cuda:3"));
        assert_eq!(device_here("libtorch-cuda:1", Some("0")).as_deref(), Some("libtorch-cuda:0"));
        assert_eq!(device_here("cuda:0", Some("2-3")).as_deref(), Some("cuda:2"));
        assert_eq!((device_here("cuda:0", None), device_here("cpu", Some("1"))), (None, None));
    }

    #[test]
    fn work_is_interrupted_once_its_order_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let interrupted = AtomicBool::new(false);
        fs_err::write(folder.path().join(ORDER), "").unwrap();
        while_wanted(folder.path(), &interrupted, || thread::sleep(Duration::from_millis(50)));
        assert!(!interrupted.load(Ordering::Relaxed));
        fs_err::remove_file(folder.path().join(ORDER)).unwrap();
        while_wanted(folder.path(), &interrupted, || {
            while !interrupted.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
            }
        });
    }
}
