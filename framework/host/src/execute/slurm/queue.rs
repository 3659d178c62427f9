//! The queue as `squeue` prints it.

use std::{path::Path, time::Duration};

/// Columns of `squeue`: job, state, time used, reason, nodes, and the script, which is last because its path may hold
/// anything.
pub(super) const FORMAT: &str = "%i|%T|%M|%r|%N|%o";

/// A job in the queue, or one that ended a short while ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Its id, such as `12_3`.
    pub(super) job: String,
    /// State in capital letters.
    pub(super) state: String,
    /// How long it has run.
    pub(super) ran: Duration,
    /// Why it waits.
    pub(super) reason: String,
    /// The node that it runs on, if it was given one.
    pub(super) node: String,
    /// Name of its script without the ending.
    pub(super) array: String,
    /// Its place in the list of the array.
    pub(super) index: usize,
}

/// What a state says of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits.
    Pending,
    /// It runs, or is about to.
    Running,
    /// It ended by itself; its ending is a file, or will be.
    Over,
    /// Its node was lost, or taken from it.
    Lost,
    /// Somebody cancelled it.
    Cancelled,
    /// Slurm ended it at its time limit.
    TimeLimit,
    /// The kernel ended it at its memory limit.
    Memory,
}

impl Row {
    /// Reads a line; `None` if it has not all columns.
    fn of(line: &str) -> Option<Self> {
        let mut columns = line.splitn(6, '|');
        let mut next = || columns.next().map(str::trim);
        let (job, state, ran, reason, node, script) = (next()?, next()?, next()?, next()?, next()?, next()?);
        let index = job.split_once('_').map_or(Some(0), |(_, index)| index.parse().ok())?;
        Some(Self {
            job: job.to_owned(),
            state: state.to_owned(),
            ran: duration(ran),
            reason: reason.to_owned(),
            node: node.to_owned(),
            array: Path::new(script).file_stem()?.to_string_lossy().into_owned(),
            index,
        })
    }

    /// What its state says.
    pub(super) fn fate(&self) -> Fate {
        match self.state.as_str() {
            "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "SPECIAL_EXIT" | "RESV_DEL_HOLD" => {
                Fate::Pending
            }
            "COMPLETED" | "FAILED" => Fate::Over,
            "NODE_FAIL" | "BOOT_FAIL" | "LAUNCH_FAILED" | "RECONFIG_FAIL" | "PREEMPTED" | "REVOKED" => {
                Fate::Lost
            }
            "CANCELLED" | "DEADLINE" => Fate::Cancelled,
            "TIMEOUT" => Fate::TimeLimit,
            "OUT_OF_MEMORY" => Fate::Memory,
            // CONFIGURING, COMPLETING, STAGE_OUT, SUSPENDED, and what later versions may add: it is still there.
            _ => Fate::Running,
        }
    }

    /// The job for messages, such as `job 12_3 on n1`.
    pub(super) fn title(&self) -> String {
        let node = if self.node.is_empty() { String::new() } else { format!(" on {}", self.node) };
        format!("job {}{node}", self.job)
    }
}

/// The jobs that `squeue` printed in [`FORMAT`].
pub(super) fn rows(text: &str) -> Vec<Row> {
    text.lines().filter_map(Row::of).collect()
}

/// Reads `[days-][hours:]minutes:seconds`; what it cannot read is no time.
fn duration(text: &str) -> Duration {
    let (days, rest) = text.split_once('-').unwrap_or(("0", text));
    let days: u64 = days.parse().unwrap_or(0);
    let seconds = rest.split(':').try_fold(0, |sum: u64, part| Some(sum * 60 + part.parse::<u64>().ok()?));
    Duration::from_secs(seconds.map_or(0, |seconds| days * 86_400 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_squeue_are_read() {
        let text = "12_3|RUNNING|1-02:03:04|None|n1|/s/jobs/array-a|b.sh\n13|PENDING|0:00|Priority||/s/jobs/array-c.sh\nbad\n";
        let rows = rows(text);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].array.as_str(), rows[0].index, rows[0].ran.as_secs()), ("array-a|b", 3, 93_784));
        assert_eq!((rows[0].fate(), rows[0].title().as_str()), (Fate::Running, "job 12_3 on n1"));
        assert_eq!(
            (rows[1].array.as_str(), rows[1].index, rows[1].reason.as_str()),
            ("array-c", 0, "Priority")
        );
        assert_eq!((rows[1].fate(), rows[1].title().as_str()), (Fate::Pending, "job 13"));
    }

    #[test]
    fn states_and_times() {
        let fate = |state: &str| rows(&format!("1|{state}|0:00|||x.sh"))[0].fate();
        assert_eq!(fate("COMPLETING"), Fate::Running);
        assert_eq!(fate("NODE_FAIL"), Fate::Lost);
        assert_eq!(fate("CANCELLED"), Fate::Cancelled);
        assert_eq!(fate("TIMEOUT"), Fate::TimeLimit);
        assert_eq!(fate("OUT_OF_MEMORY"), Fate::Memory);
        assert_eq!(fate("FAILED"), Fate::Over);
        let seconds = ["0:07", "1:02:03", "INVALID", ""].map(|text| duration(text).as_secs());
        assert_eq!(seconds, [7, 3723, 0, 0]);
    }
}
