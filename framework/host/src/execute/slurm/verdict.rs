//! What became of a submitted job: from the queue, and from the files in its folder.

use std::{path::Path, time::Duration};

use molarena_record::{parts::Reason, text::visible};

use crate::{
    error::{Error, Result},
    execute::{
        executor::Outcome,
        slurm::{
            Place, node, outcome_of,
            queue::{Fate, Row},
        },
    },
    files::plain::read_plain,
    job::WorkerFailure,
    launch::Ending,
    request::executor::SlurmOptions,
};

/// Largest log in bytes that is read.
const LOG_LIMIT: u64 = 64 << 10;

/// What became of a job.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It waits or runs, or nothing is known.
    Stays,
    /// It was never submitted.
    Again,
    /// It ended, but its ending cannot be seen yet.
    Missing,
    /// It came to an end.
    Out(Result<Outcome>),
}

/// Decides what became of jobs.
pub(super) struct Judge<'a> {
    pub(super) options: &'a SlurmOptions,
    /// The binary on the nodes.
    pub(super) program: &'a Path,
}

impl Judge<'_> {
    /// What became of the job at `place`. `row` is what the queue says of it; `known` is whether a job without a row is not
    /// in the queue.
    pub(super) fn verdict(&self, place: &Place, folder: &Path, row: Option<&Row>, known: bool) -> Verdict {
        let fate = row.map(Row::fate);
        if matches!(fate, Some(Fate::Pending | Fate::Running)) {
            return Verdict::Stays;
        }
        if let Some(end) = node::end_of(folder) {
            return Verdict::Out(outcome_of(end, folder));
        }
        if !known {
            return Verdict::Stays;
        }
        let title = row.map_or_else(|| place.title(), Row::title);
        let ran = row.map_or(Duration::ZERO, |row| row.ran);
        let lost = |why: &str| Verdict::Out(Ok(Outcome::Lost { what: format!("{title} {why}"), ran }));
        let stopped = |reason, limit: &str| {
            let after = humantime::format_duration(ran);
            let message = format!("Slurm ended {title} at the {limit} limit of the job, after {after}");
            Verdict::Out(Ok(Outcome::Ended(Box::new(stopped(reason, message, ran)))))
        };
        match fate {
            None if place.job.is_none() => Verdict::Again,
            Some(Fate::Lost) => lost(&format!("was lost ({})", row.map_or("", |row| &row.state))),
            Some(Fate::TimeLimit) => stopped(Reason::Timeout, "time"),
            Some(Fate::Memory) => stopped(Reason::Memory, "memory"),
            Some(Fate::Cancelled) => {
                let message = format!("{title} was cancelled; the same command submits its step again");
                Verdict::Out(Err(Error::Slurm(message)))
            }
            _ if place.missing.is_none_or(|since| since.elapsed() < self.options.file_delay) => {
                Verdict::Missing
            }
            Some(Fate::Over) if !node::was_claimed(folder) => {
                Verdict::Out(Err(Error::Slurm(self.never_started(&title, folder))))
            }
            _ => lost("ended without a result"),
        }
    }

    /// Why a job did nothing, as far as its log says.
    fn never_started(&self, title: &str, folder: &Path) -> String {
        let log = read_plain(&folder.join(node::LOG), LOG_LIMIT).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let said = log.lines().next_back().map_or_else(
            || "it left no word".to_owned(),
            |line| format!("its last words are: {}", visible(line)),
        );
        format!(
            "{title} could not start: {said}; the store and the program {} must be on a file system that all nodes share \
             (executor.program names another one)",
            self.program.display()
        )
    }
}

/// The ending of a worker that Slurm ended at a limit of the job. What it said of its confinement is lost.
fn stopped(reason: Reason, message: String, ran: Duration) -> Ending {
    Ending {
        result: Err(WorkerFailure { reason, message }),
        confined: false,
        missing_layers: Vec::new(),
        refused: Vec::new(),
        output: String::new(),
        wall: ran,
        peak_rss: 0,
        cpu_s: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::execute::slurm::queue::rows;

    struct Case {
        folder: tempfile::TempDir,
        place: Place,
        options: SlurmOptions,
    }

    impl Case {
        fn new() -> Self {
            let job = Some("7_1".to_owned());
            let place = Place { array: "array-a".into(), index: 1, job, runs: false, missing: None };
            Self { folder: tempfile::tempdir().unwrap(), place, options: SlurmOptions::default() }
        }

        fn verdict(&self, state: Option<&str>, known: bool) -> Verdict {
            let line = state.map(|state| format!("7_1|{state}|1:05|None|n1|/s/array-a.sh"));
            let rows = rows(&line.unwrap_or_default());
            let judge = Judge { options: &self.options, program: Path::new("/p/molarena") };
            judge.verdict(&self.place, self.folder.path(), rows.first(), known)
        }
    }

    #[test]
    fn limits_of_slurm_are_endings_and_lost_nodes_are_lost() {
        let case = Case::new();
        for (state, reason, part) in [
            (
                "TIMEOUT",
                Reason::Timeout,
                "Slurm ended job 7_1 on n1 at the time limit of the job, after 1m 5s",
            ),
            ("OUT_OF_MEMORY", Reason::Memory, "at the memory limit"),
        ] {
            let Verdict::Out(Ok(Outcome::Ended(ending))) = case.verdict(Some(state), true) else {
                panic!("{state}")
            };
            let failure = ending.result.unwrap_err();
            assert!(failure.reason == reason && failure.message.contains(part), "{failure:?}");
            assert_eq!(ending.wall, Duration::from_secs(65));
        }
        for state in ["NODE_FAIL", "PREEMPTED", "BOOT_FAIL"] {
            let Verdict::Out(Ok(Outcome::Lost { what, ran })) = case.verdict(Some(state), true) else {
                panic!()
            };
            assert_eq!((what, ran.as_secs()), (format!("job 7_1 on n1 was lost ({state})"), 65));
        }
        let Verdict::Out(Err(error)) = case.verdict(Some("CANCELLED"), true) else { panic!() };
        assert!(error.to_string().contains("job 7_1 on n1 was cancelled"), "{error}");
        assert!(matches!(case.verdict(Some("RUNNING"), true), Verdict::Stays));
        assert!(matches!(case.verdict(None, false), Verdict::Stays), "nothing is known");
    }

    #[test]
    fn an_ending_that_cannot_be_seen_is_waited_for() {
        let mut case = Case::new();
        for state in [Some("COMPLETED"), Some("FAILED"), None] {
            assert!(matches!(case.verdict(state, true), Verdict::Missing));
        }
        case.options.file_delay = Duration::ZERO;
        case.place.missing = Some(Instant::now());
        assert!(matches!(case.verdict(None, true), Verdict::Out(Ok(Outcome::Lost { .. }))));
        fs_err::write(case.folder.path().join(node::LOG), "one\nmolarena: not found\u{1b}\n").unwrap();
        let Verdict::Out(Err(error)) = case.verdict(Some("FAILED"), true) else { panic!() };
        let said = error.to_string();
        assert!(
            said.contains(
                r"its last words are: molarena: not found\u{1b}; the store and the program /p/molarena"
            ),
            "{said}"
        );
        fs_err::write(case.folder.path().join("claim"), "").unwrap();
        let killed = case.verdict(Some("FAILED"), true);
        assert!(matches!(killed, Verdict::Out(Ok(Outcome::Lost { .. }))), "it was killed on its node");
        case.place.job = None;
        assert!(matches!(case.verdict(None, true), Verdict::Again), "it was never submitted");
    }

    #[test]
    fn an_ending_counts_whatever_the_queue_says() {
        let case = Case::new();
        fs_err::write(
            case.folder.path().join("ending.json"),
            r#"{"node":"n1","result":{"Err":"no plugin"}}"#,
        )
        .unwrap();
        for (state, known) in [(Some("NODE_FAIL"), true), (None, false)] {
            let Verdict::Out(Err(error)) = case.verdict(state, known) else { panic!() };
            assert!(error.to_string().contains("node n1 cannot run"), "{error}");
        }
    }
}
