//! The one thread that talks to Slurm while a run goes on: it submits what is ready, asks about all jobs at once, and
//! reads the endings of those that left the queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use molarena_record::text::visible;

use crate::{
    error::{Error, Result},
    execute::{
        event::{Event, Observer},
        slurm::{
            Over, Phase, Place, Slurm, Tasks,
            array::Array,
            client::{Fault, Question},
            left::queue,
            node,
            queue::{Fate, Row},
            verdict::{Judge, Verdict},
        },
    },
    launch::read_progress,
};

/// How often it looks for something to do.
const TICK: Duration = Duration::from_millis(100);
/// An array is submitted once no job has come for so long,
const QUIET: Duration = Duration::from_millis(400);
/// or once its first job has waited for so long.
const LONGEST: Duration = Duration::from_secs(5);
/// Longest time until a full queue is tried again.
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);
/// Time between two messages about the same trouble.
const REMIND: Duration = Duration::from_mins(1);
/// How often the progress of a job is read.
const PROGRESS: Duration = Duration::from_secs(30);
/// Most reasons for waiting that are shown.
const MOST_REASONS: usize = 3;

/// An array that `sbatch` is submitting.
struct Submission {
    question: Question,
    array: Array,
    ids: Vec<u64>,
}

/// A trouble that may pass.
#[derive(Default)]
struct Trouble {
    since: Option<Instant>,
    told: Option<Instant>,
}

impl Trouble {
    /// How long it lasts, and whether it is time to say so.
    fn goes_on(&mut self) -> (Duration, bool) {
        let now = Instant::now();
        let tell = self.told.is_none_or(|told| told.elapsed() > REMIND);
        if tell {
            self.told = Some(now);
        }
        (self.since.get_or_insert(now).elapsed(), tell)
    }

    /// Whether it was there until now.
    fn ends(&mut self) -> bool {
        self.told = None;
        self.since.take().is_some()
    }
}

struct Broker<'a> {
    slurm: &'a Slurm,
    interrupted: &'a AtomicBool,
    observer: &'a dyn Observer,
    submission: Option<Submission>,
    next_submission: Instant,
    backoff: Duration,
    /// Most jobs of the next array: fewer after the queue was too full for more.
    most: usize,
    next_poll: Instant,
    unreachable: Trouble,
    full: Trouble,
    /// When the progress of a running job was last read.
    looked: BTreeMap<u64, Instant>,
    /// What was last said of the queue.
    shown: (usize, usize, String),
}

impl Slurm {
    /// Does `work`, whose jobs are submitted and watched meanwhile.
    pub(in crate::execute) fn serve<T>(
        &self,
        interrupted: &AtomicBool,
        observer: &dyn Observer,
        work: impl FnOnce() -> T,
    ) -> T {
        let left = self.lock_left().len();
        if left > 0 {
            let message = format!("{left} jobs of earlier runs on this store ended or are in the queue");
            observer.event(&Event::Notice(&message));
        }
        thread::scope(|scope| {
            scope.spawn(|| Broker::new(self, interrupted, observer).run());
            let result = work();
            self.lock_tasks().closed = true;
            result
        })
    }
}

/// Ends all waiting if the broker ends before the run does, for whatever reason.
struct Ends<'a>(&'a Slurm);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        let over = || Over::Failed("molarena no longer watches the queue; run again".into());
        self.0.lock_tasks().over.get_or_insert_with(over);
        self.0.changed.notify_all();
    }
}

impl<'a> Broker<'a> {
    fn new(slurm: &'a Slurm, interrupted: &'a AtomicBool, observer: &'a dyn Observer) -> Self {
        let now = Instant::now();
        Self {
            slurm,
            interrupted,
            observer,
            submission: None,
            next_submission: now,
            backoff: TICK,
            most: slurm.most,
            next_poll: now,
            unreachable: Trouble::default(),
            full: Trouble::default(),
            looked: BTreeMap::new(),
            shown: (0, 0, String::new()),
        }
    }

    fn run(mut self) {
        let _ends = Ends(self.slurm);
        loop {
            let tasks = self.slurm.lock_tasks();
            let waited = self.slurm.changed.wait_timeout(tasks, TICK).unwrap_or_else(PoisonError::into_inner);
            if waited.0.closed {
                return;
            }
            drop(waited);
            let over = if self.is_interrupted() { Err(Over::Interrupted) } else { self.tick() };
            if let Err(over) = over {
                self.slurm.lock_tasks().over = Some(over);
                return;
            }
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn tell(&self, message: &str) {
        self.observer.event(&Event::Notice(message));
    }

    fn tick(&mut self) -> Result<(), Over> {
        if let Some(mut submission) = self.submission.take() {
            match submission.question.answer() {
                None => self.submission = Some(submission),
                Some(answer) => self.submitted(&submission, answer)?,
            }
        }
        if self.submission.is_none() && Instant::now() >= self.next_submission {
            self.submit()?;
        }
        if Instant::now() >= self.next_poll {
            self.poll()?;
        }
        Ok(())
    }

    /// Starts to submit the jobs that ask for the same as the one that waits longest.
    fn submit(&mut self) -> Result<(), Over> {
        let slurm = self.slurm;
        let failed = |error: Error| Over::Failed(error.to_string());
        let Some((ids, jobs, resources)) = next_batch(&slurm.lock_tasks(), self.most) else { return Ok(()) };
        let array = Array::write(&slurm.folder, &jobs, &slurm.program).map_err(failed)?;
        // From here on the folders stay, whatever happens.
        set_phases(&mut slurm.lock_tasks(), &ids, |index| {
            Phase::Queued(Place { array: array.name.clone(), index, job: None, runs: false, missing: None })
        });
        let arguments = array.arguments(ids.len(), &slurm.name, resources, &slurm.options);
        let question = Question::ask("sbatch", arguments).map_err(failed)?;
        self.submission = Some(Submission { question, array, ids });
        Ok(())
    }

    /// Takes the answer of `sbatch`.
    fn submitted(&mut self, submission: &Submission, answer: Result<String, Fault>) -> Result<(), Over> {
        let Submission { array, ids, .. } = submission;
        let count = ids.len();
        let fault = match answer {
            Ok(printed) => {
                let id = printed.split(';').next().unwrap_or_default().trim().to_owned();
                for task in ids {
                    if let Some(place) = place_of(&mut self.slurm.lock_tasks(), *task) {
                        place.job =
                            Some(if count > 1 { format!("{id}_{}", place.index) } else { id.clone() });
                    }
                }
                self.full.ends();
                self.backoff = TICK;
                self.most = self.most.saturating_mul(2).min(self.slurm.most);
                self.tell(&format!("submitted {} as job {id}", steps(count)));
                return Ok(());
            }
            Err(fault) => fault,
        };
        match fault {
            // It may have been accepted all the same: the queue knows.
            Fault::Unreachable(message) => {
                self.next_poll = Instant::now();
                self.unreachable(&message)
            }
            Fault::Full(message) => {
                self.back_to_ready(array, ids)?;
                self.most = (count / 2).max(1);
                self.backoff = (2 * self.backoff).min(LONGEST_BACKOFF);
                self.next_submission = Instant::now() + self.backoff;
                let (since, tell) = self.full.goes_on();
                if tell {
                    self.tell(&format!(
                        "Slurm takes no more jobs now ({message}); trying again until it does"
                    ));
                }
                let queued =
                    self.slurm.lock_tasks().by_id.values().any(|task| matches!(task.phase, Phase::Queued(_)));
                if since > self.slurm.options.patience && !queued {
                    let message =
                        format!("Slurm takes no job, although none of this run is queued: {message}");
                    return Err(Over::Failed(message));
                }
                Ok(())
            }
            Fault::Refused(message) => {
                self.back_to_ready(array, ids)?;
                Err(Over::Refused(format!(
                    "sbatch refuses {}: {message}; its options are the limits of the suite and [executor]",
                    steps(count)
                )))
            }
        }
    }

    /// The jobs of an array that was not submitted wait again.
    fn back_to_ready(&self, array: &Array, ids: &[u64]) -> Result<(), Over> {
        let now = Instant::now();
        set_phases(&mut self.slurm.lock_tasks(), ids, |_| Phase::Ready(now));
        array.remove().map_err(|error| Over::Failed(error.to_string()))
    }

    fn unreachable(&mut self, message: &str) -> Result<(), Over> {
        let patience = self.slurm.options.patience;
        let (since, tell) = self.unreachable.goes_on();
        let text = |duration: Duration| {
            humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
        };
        if since > patience {
            return Err(Over::Failed(format!(
                "the controller has given no answer for {} ({message}); jobs that were submitted go on, and the same \
                 command takes them up again",
                text(patience)
            )));
        }
        if tell {
            let left = text(patience.saturating_sub(since));
            self.tell(&format!(
                "the controller of Slurm gives no answer ({message}); waiting, at most {left} more"
            ));
        }
        Ok(())
    }

    /// Asks about all jobs and decides what became of each.
    fn poll(&mut self) -> Result<(), Over> {
        let open = queued(&self.slurm.lock_tasks());
        if open.is_empty() {
            self.next_poll = Instant::now() + self.slurm.options.poll;
            return Ok(());
        }
        let rows = match queue(&self.slurm.name, &|| self.is_interrupted()) {
            Ok(rows) => {
                if self.unreachable.ends() {
                    self.tell("the controller of Slurm answers again");
                }
                Some(rows)
            }
            Err(_) if self.is_interrupted() => return Ok(()),
            Err(Fault::Unreachable(message) | Fault::Full(message)) => {
                self.unreachable(&message)?;
                None
            }
            Err(Fault::Refused(message)) => return Err(Over::Failed(format!("squeue: {message}"))),
        };
        let mut by_place: BTreeMap<(&str, usize), &Row> = BTreeMap::new();
        for row in rows.iter().flatten() {
            let place = by_place.entry((&row.array, row.index)).or_insert(row);
            // Should a job be there twice, the one that is alive counts.
            if matches!(row.fate(), Fate::Pending | Fate::Running) {
                *place = row;
            }
        }
        for (id, place, folder) in &open {
            let row = by_place.get(&(place.array.as_str(), place.index)).copied();
            // The queue says nothing of jobs that are just being submitted.
            let submitting = self.submission.as_ref().is_some_and(|with| with.array.name == place.array);
            let judge = Judge { options: &self.slurm.options, program: &self.slurm.program };
            let verdict = judge.verdict(place, folder, row, rows.is_some() && !submitting);
            self.apply(*id, verdict, row, folder);
        }
        self.slurm.changed.notify_all();
        if rows.is_some() {
            self.show(
                open.iter()
                    .filter_map(|(_, place, _)| by_place.get(&(place.array.as_str(), place.index)).copied()),
            );
        }
        self.next_poll = Instant::now() + self.slurm.options.poll;
        Ok(())
    }

    fn apply(&mut self, id: u64, verdict: Verdict, row: Option<&Row>, folder: &std::path::Path) {
        let mut progress = None;
        if row.is_some_and(|row| row.fate() == Fate::Running) {
            let looked = self.looked.entry(id).or_insert_with(Instant::now);
            if looked.elapsed() >= PROGRESS {
                *looked = Instant::now();
                progress = read_progress(&folder.join(node::JOB), 0.0);
            }
        }
        let mut tasks = self.slurm.lock_tasks();
        let Some(task) = tasks.by_id.get_mut(&id) else { return };
        if progress.is_some() {
            task.progress = progress;
        }
        match verdict {
            Verdict::Stays => {
                if let (Phase::Queued(place), Some(row)) = (&mut task.phase, row) {
                    place.job = Some(row.job.clone());
                    place.missing = None;
                }
            }
            Verdict::Missing => {
                if let Phase::Queued(place) = &mut task.phase {
                    place.missing.get_or_insert_with(Instant::now);
                }
            }
            Verdict::Again => task.phase = Phase::Ready(Instant::now()),
            Verdict::Out(outcome) => {
                task.phase = Phase::Out(outcome);
                self.looked.remove(&id);
            }
        }
    }

    /// Says how many jobs wait and run, if that has changed.
    fn show<'b>(&mut self, rows: impl Iterator<Item = &'b Row>) {
        let (mut pending, mut running, mut reasons) = (0, 0, BTreeSet::new());
        for row in rows {
            match row.fate() {
                Fate::Pending => {
                    pending += 1;
                    reasons.insert(row.reason.as_str());
                }
                Fate::Running => running += 1,
                _ => {}
            }
        }
        let why: Vec<&str> = reasons.into_iter().filter(|why| *why != "None").take(MOST_REASONS).collect();
        let state = (pending, running, visible(&why.join(", ")).into_owned());
        if state != self.shown {
            self.observer.event(&Event::Queue { pending, running, why: &state.2 });
            self.shown = state;
        }
    }
}

fn steps(count: usize) -> String {
    if count == 1 { "1 step".into() } else { format!("{count} steps") }
}

/// The next jobs to submit together, at most `most`, unless more may come: their ids, the names of their folders, and what
/// they ask for.
fn next_batch(tasks: &Tasks, most: usize) -> Option<(Vec<u64>, Vec<String>, super::array::Resources)> {
    let ready = || {
        tasks.by_id.iter().filter_map(|(id, task)| match task.phase {
            Phase::Ready(since) => Some((*id, task, since)),
            _ => None,
        })
    };
    let (_, first, oldest) = ready().next()?;
    let alike = || ready().filter(|(_, task, _)| task.resources == first.resources);
    let newest = alike().map(|(.., since)| since).max()?;
    if newest.elapsed() < QUIET && oldest.elapsed() < LONGEST && alike().count() < most {
        return None;
    }
    let (ids, jobs) = alike()
        .take(most)
        .map(|(id, task, _)| (id, task.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()))
        .unzip();
    Some((ids, jobs, first.resources))
}

/// Sets the phase of each task, by its place among `ids`.
fn set_phases(tasks: &mut Tasks, ids: &[u64], phase: impl Fn(usize) -> Phase) {
    for (index, id) in ids.iter().enumerate() {
        if let Some(task) = tasks.by_id.get_mut(id) {
            task.phase = phase(index);
        }
    }
}

fn place_of(tasks: &mut Tasks, id: u64) -> Option<&mut Place> {
    match &mut tasks.by_id.get_mut(&id)?.phase {
        Phase::Queued(place) => Some(place),
        _ => None,
    }
}

/// The jobs that were submitted: id, place and folder.
fn queued(tasks: &Tasks) -> Vec<(u64, Place, PathBuf)> {
    let queued = tasks.by_id.iter().filter_map(|(id, task)| match &task.phase {
        Phase::Queued(place) => Some((*id, place.clone(), task.folder.clone())),
        _ => None,
    });
    queued.collect()
}
