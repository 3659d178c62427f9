//! Opens the folder of jobs, and finds what earlier runs left there and in the queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Condvar, Mutex},
    time::Instant,
};

use crate::{
    arena::Arena,
    error::{Error, Result},
    execute::slurm::{
        Place, Slurm, Tasks,
        array::Array,
        client::{Fault, Question},
        node,
        queue::{self, FORMAT, Fate, Row},
    },
    files::folder::{remove_tree, warn_of},
    request::executor::SlurmOptions,
};

/// A job that an earlier run submitted.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) folder: PathBuf,
    place: Place,
    /// Whether its ending is there.
    pub(super) ended: bool,
}

/// The jobs of a store that are still in the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queued {
    /// Waiting jobs.
    pub pending: usize,
    /// Running jobs.
    pub running: usize,
}

impl Slurm {
    /// Checks that Slurm is there with the partitions that `options` name, and finds the jobs that earlier runs on the
    /// arena's store left. If it `collects`, nothing is submitted.
    ///
    /// # Errors
    /// [`Error::Request`] if Slurm's programs or a partition are not there, or another run submits jobs of the store;
    /// [`Error::Slurm`] if the controller gives no answer.
    pub fn open(options: SlurmOptions, arena: &Arena, collects: bool) -> Result<Self> {
        options.check().map_err(|message| Error::Request(format!("executor.{message}")))?;
        let folder = arena.store.jobs()?;
        if folder.to_str().is_none_or(|path| path.contains(['\n', '%', '\\'])) {
            let message = "sbatch takes no such path; put the store in a folder with a plain name";
            return Err(Error::Store { path: folder, message: message.into() });
        }
        let lock = arena.store.lock_jobs()?;
        let name = arena.store.name_of_jobs()?;
        let most = most_in_array(&ask("scontrol", &["show", "config"])?).min(options.max_jobs);
        if !collects {
            check_partitions(&options, &ask("sinfo", &["--all", "--noheader", "--format=%R"])?)?;
        }
        let rows = queue(&name, &|| false).map_err(|fault| failed("squeue", &fault))?;
        let left = found(&folder, &rows, arena)?;
        Ok(Self {
            program: options.program.clone().unwrap_or_else(|| arena.launcher.program.clone()),
            options,
            folder,
            name,
            most: most.max(1),
            collects,
            left: Mutex::new(left),
            tasks: Mutex::new(Tasks::default()),
            changed: Condvar::new(),
            _lock: lock,
        })
    }

    /// The jobs of earlier runs that are still in the queue, as it was when this was opened.
    pub fn queued(&self) -> Queued {
        let mut queued = Queued::default();
        for left in self.lock_left().values().filter(|left| !left.ended) {
            if left.place.runs { queued.running += 1 } else { queued.pending += 1 }
        }
        queued
    }

    /// The place in the queue of the job that was left in `folder`.
    pub(super) fn take_left(&self, folder: &Path) -> Place {
        let mut left = self.lock_left();
        let key = left.iter().find(|(_, left)| left.folder == folder).map(|(key, _)| key.clone());
        let taken = key.and_then(|key| left.remove(&key));
        taken.expect("the folder is that of a job that was left").place
    }

    /// Number of jobs that were in the queue when the run was interrupted or failed.
    pub fn unfinished(&self) -> usize {
        self.lock_tasks().unfinished.len()
    }

    /// Cancels the jobs that were in the queue when the run was interrupted, and removes their folders. Returns their
    /// number.
    ///
    /// # Errors
    /// [`Error::Slurm`] if the controller gives no answer.
    pub fn cancel(&self) -> Result<usize> {
        let unfinished = std::mem::take(&mut self.lock_tasks().unfinished);
        let rows = queue(&self.name, &|| false).map_err(|fault| failed("squeue", &fault))?;
        let ours: BTreeSet<(&str, usize)> =
            unfinished.iter().map(|(place, _)| (place.array.as_str(), place.index)).collect();
        let alive = rows.iter().filter(|row| {
            matches!(row.fate(), Fate::Pending | Fate::Running)
                && ours.contains(&(row.array.as_str(), row.index))
        });
        let jobs: Vec<&str> = alive.map(|row| row.job.as_str()).collect();
        if !jobs.is_empty() {
            ask("scancel", &jobs)?;
        }
        for (_, folder) in &unfinished {
            // What a job that is still ending puts there, the next run removes.
            let _filled = remove_tree(folder);
        }
        Ok(jobs.len())
    }
}

impl Drop for Slurm {
    /// Removes the lists whose jobs are all done.
    fn drop(&mut self) {
        let arrays = Array::all_in(&self.folder).unwrap_or_default();
        for array in arrays.iter().filter(|array| is_done(array)) {
            if let Err(Error::Io(error)) = array.remove() {
                warn_of(&error);
            }
        }
    }
}

fn is_done(array: &Array) -> bool {
    array.jobs().is_ok_and(|jobs| !jobs.iter().any(|job| job.exists()))
}

/// The jobs called `name`, alive and ended ones.
pub(super) fn queue(name: &str, stop: &dyn Fn() -> bool) -> Result<Vec<Row>, Fault> {
    let user = nix::unistd::geteuid();
    let arguments = [
        "--array".to_owned(),
        "--noheader".to_owned(),
        "--states=all".to_owned(),
        format!("--user={user}"),
        format!("--name={name}"),
        format!("--format={FORMAT}"),
    ];
    let question = Question::ask("squeue", arguments).map_err(|error| Fault::Refused(error.to_string()))?;
    Ok(queue::rows(&question.wait(stop)?))
}

/// What a program prints.
fn ask(program: &str, arguments: &[&str]) -> Result<String> {
    let answer = Question::ask(program, arguments)?.wait(&|| false);
    answer.map_err(|fault| failed(program, &fault))
}

fn failed(program: &str, fault: &Fault) -> Error {
    Error::Slurm(format!("{program}: {}", fault.message()))
}

/// The most jobs of an array, from the configuration as `scontrol` prints it.
fn most_in_array(configuration: &str) -> usize {
    let value = configuration.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "MaxArraySize").then(|| value.trim().parse().ok())?
    });
    // Slurm's own default.
    value.unwrap_or(1001)
}

/// Checks that the named partitions are among those that `sinfo` lists.
fn check_partitions(options: &SlurmOptions, listed: &str) -> Result<()> {
    let known: BTreeSet<&str> = listed.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
    for (key, named) in [("partition", &options.partition), ("gpu_partition", &options.gpu_partition)] {
        for name in named.iter().flat_map(|named| named.split(',')) {
            if !known.contains(name) {
                let known = known.iter().copied().collect::<Vec<_>>().join(", ");
                let message =
                    format!("executor.{key}: Slurm has no partition `{name}` here; it has: {known}");
                return Err(Error::Request(message));
            }
        }
    }
    Ok(())
}

/// The jobs in the lists of `folder` that ended or are in the queue. Folders of all others are removed: their steps are
/// prepared again.
fn found(folder: &Path, rows: &[Row], arena: &Arena) -> Result<BTreeMap<String, Left>> {
    let (mut left, mut kept) = (BTreeMap::<String, Left>::new(), BTreeSet::new());
    for array in Array::all_in(folder)? {
        for (index, job) in array.jobs()?.into_iter().enumerate() {
            let name = job.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some((key, _)) = name.rsplit_once('-').filter(|_| job.is_dir()) else { continue };
            let row = rows.iter().filter(|row| (row.array.as_str(), row.index) == (&array.name, index));
            let row = row.max_by_key(|row| matches!(row.fate(), Fate::Pending | Fate::Running));
            let Some(found) = take_over(&array, index, &job, row) else { continue };
            let stored = arena.store.step(key)?.is_some() || arena.encoders.step(key)?.is_some();
            // A run that was killed as it removed the folder of a stored step may have left it without its end.
            if stored && (found.ended || found.place.missing.is_some()) {
                continue;
            }
            kept.insert(name.clone());
            if !stored && (found.ended || !left.contains_key(key)) {
                left.insert(key.to_owned(), found);
            }
        }
    }
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !kept.contains(&name) {
            remove_tree(&path)?;
        }
    }
    Ok(left)
}

/// A job that was left, unless it has to be started again.
fn take_over(array: &Array, index: usize, folder: &Path, row: Option<&Row>) -> Option<Left> {
    let mut place = Place { array: array.name.clone(), index, job: None, runs: false, missing: None };
    let end = node::end_of(folder);
    match (&end, row.map(Row::fate)) {
        (Some(end), _) if end.result.is_ok() => {}
        (Some(_), _) | (None, None | Some(Fate::Lost | Fate::Cancelled)) => return None,
        (None, Some(fate)) => {
            place.runs = fate == Fate::Running;
            place.missing = (fate == Fate::Over).then(Instant::now);
            place.job = row.map(|row| row.job.clone());
        }
    }
    Some(Left { folder: folder.to_owned(), place, ended: end.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_arrays_is_the_clusters() {
        let text = "Configuration data as of x\nMaxArraySize            = 10001\nMaxJobCount = 6\n";
        assert_eq!((most_in_array(text), most_in_array("")), (10_001, 1001));
    }

    #[test]
    fn unknown_partitions_are_named_with_the_known_ones() {
        let options = |partition: &str| SlurmOptions {
            gpu_partition: Some(partition.into()),
            partition: Some("main".into()),
            ..SlurmOptions::default()
        };
        check_partitions(&options("gpu,main"), "main\ngpu\n").unwrap();
        let message = check_partitions(&options("gpu,gone"), "main\ngpu\n").unwrap_err().to_string();
        assert_eq!(message, "executor.gpu_partition: Slurm has no partition `gone` here; it has: gpu, main");
    }
}
