//! The programs of Slurm: asks them, bounded in time, and tells a refusal from a controller that does not answer.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, ErrorKind, Read},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use molarena_record::text::visible;

use crate::error::{Error, Result};

/// How long a program may take. Slurm's own wait for an answer is 10 s by default (`MessageTimeout`).
const LIMIT: Duration = Duration::from_mins(1);
/// How often a program is checked that somebody waits for.
const POLL: Duration = Duration::from_millis(10);
/// What `sbatch` prints before it waits by itself, for up to two minutes.
const WAITS: &str = "sleeping and retrying";
/// Variables that change what the programs print, or which jobs they name. Options win over the others.
const VARIABLES: [&str; 4] = ["SQUEUE_", "SINFO_", "SBATCH_WAIT", "SBATCH_ARRAY_INX"];

/// Why a program gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The controller does not answer; it may later.
    Unreachable(String),
    /// It takes no more jobs now.
    Full(String),
    /// It refuses.
    Refused(String),
}

impl Fault {
    /// The fault behind what a program printed on standard error.
    fn of(printed: &str) -> Self {
        let message = one_line(printed);
        let has = |parts: &[&str]| parts.iter().any(|part| printed.contains(part));
        if has(&[
            "Unable to contact slurm controller",
            "Unable to establish",
            "Socket timed out",
            "Zero Bytes were transmitted",
            "onnection refused",
            "connection failure",
            "connect failure",
            "shutdown failure",
            "standby mode",
            "authentication error",
            "Munge ",
        ]) {
            Self::Unreachable(message)
        } else if has(&[WAITS, "temporarily un", "queue full", "MaxSubmitJob", "job submit limit"]) {
            Self::Full(message)
        } else {
            Self::Refused(message)
        }
    }

    /// What the program said.
    pub(super) fn message(&self) -> &str {
        let (Self::Unreachable(message) | Self::Full(message) | Self::Refused(message)) = self;
        message
    }
}

/// What a program printed, on one line and without its name before each.
fn one_line(printed: &str) -> String {
    let said = printed.lines().map(|line| line.split_once(": error: ").map_or(line, |(_, said)| said).trim());
    let said: Vec<&str> = said.filter(|line| !line.is_empty()).collect();
    visible(&said.join("; ")).into_owned()
}

/// A program of Slurm that was started.
#[derive(Debug)]
pub(super) struct Question {
    child: Child,
    output: Option<thread::JoinHandle<String>>,
    complaints: Arc<Mutex<String>>,
    reader: Option<thread::JoinHandle<()>>,
    started: Instant,
}

impl Question {
    /// Starts `program`, which must be in `PATH`.
    ///
    /// # Errors
    /// [`Error::Request`] if it is not there.
    pub(super) fn ask<A: Into<OsString>>(
        program: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments.into_iter().map(Into::into));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| VARIABLES.iter().any(|start| name.starts_with(start))) {
                command.env_remove(name);
            }
        }
        let mut child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::Request(format!(
                "Slurm: `{program}` is not in PATH; run this where Slurm's programs are, such as a login node, or \
                 choose the executor `local`"
            )),
            _ => Error::Slurm(format!("{program}: {error}")),
        })?;
        let (mut output, errors) = (child.stdout.take(), child.stderr.take());
        let output = thread::spawn(move || {
            let mut bytes = Vec::new();
            // What cannot be read is missed by whoever parses it.
            let _read = output.as_mut().map(|output| output.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let complaints = Arc::<Mutex<String>>::default();
        let shared = Arc::clone(&complaints);
        let reader = thread::spawn(move || {
            for line in
                errors.into_iter().flat_map(|errors| BufReader::new(errors).lines().map_while(Result::ok))
            {
                let mut complaints = shared.lock().unwrap_or_else(PoisonError::into_inner);
                complaints.push_str(&line);
                complaints.push('\n');
            }
        });
        Ok(Self { child, output: Some(output), complaints, reader: Some(reader), started: Instant::now() })
    }

    /// What it printed on standard output, once it has ended. One that takes too long, or waits by itself, is ended.
    pub(super) fn answer(&mut self) -> Option<Result<String, Fault>> {
        let complaints = || self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match self.child.try_wait() {
            Ok(Some(status)) => {
                // The pipes are closed, so both threads end.
                let _ended = self.reader.take().map(thread::JoinHandle::join);
                let output = self.output.take().and_then(|output| output.join().ok()).unwrap_or_default();
                let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Some(if status.success() { Ok(output) } else { Err(Fault::of(&complaints)) })
            }
            Ok(None) if complaints().contains(WAITS) => {
                let printed = complaints();
                self.end();
                Some(Err(Fault::of(&printed)))
            }
            Ok(None) if self.started.elapsed() > LIMIT => {
                self.end();
                Some(Err(Fault::Unreachable(format!("no answer within {} s", LIMIT.as_secs()))))
            }
            Ok(None) => None,
            Err(error) => Some(Err(Fault::Unreachable(error.to_string()))),
        }
    }

    /// Waits for the answer; if `stop` becomes true, ends the program.
    pub(super) fn wait(mut self, stop: &dyn Fn() -> bool) -> Result<String, Fault> {
        loop {
            if let Some(answer) = self.answer() {
                return answer;
            }
            if stop() {
                return Err(Fault::Unreachable("interrupted".into()));
            }
            thread::sleep(POLL);
        }
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_apart() {
        let down = "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)";
        assert!(matches!(Fault::of(down), Fault::Unreachable(_)));
        let full = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n";
        assert!(matches!(Fault::of(full), Fault::Full(_)));
        let limit = "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job \
                     violates accounting/QOS policy (job submit limit, user's size and/or time limits)";
        assert!(matches!(Fault::of(limit), Fault::Full(_)));
        let wrong = "sbatch: error: invalid partition specified: x\nsbatch: error: Batch job submission failed: \
                     Invalid partition name specified\n";
        let message =
            "invalid partition specified: x; Batch job submission failed: Invalid partition name specified";
        assert_eq!(Fault::of(wrong), Fault::Refused(message.into()));
    }

    #[test]
    fn answers_and_refusals_of_programs() {
        let ask = |script: &str| Question::ask("sh", ["-c", script]).unwrap().wait(&|| false);
        assert_eq!(ask("echo 12"), Ok("12\n".into()));
        assert_eq!(ask("echo x: error: no >&2; exit 1"), Err(Fault::Refused("no".into())));
        let started = Instant::now();
        let waits = ask("echo 'x: error: full, sleeping and retrying' >&2; sleep 50");
        assert_eq!(waits, Err(Fault::Full("full, sleeping and retrying".into())));
        assert!(started.elapsed() < Duration::from_secs(20));
        let stopped = Question::ask("sleep", ["50"]).unwrap().wait(&|| true);
        assert_eq!(stopped, Err(Fault::Unreachable("interrupted".into())));
        let missing = Question::ask("molarena-no-such-program", [""; 0]).unwrap_err();
        assert!(matches!(missing, Error::Request(message) if message.contains("is not in PATH")));
    }
}
