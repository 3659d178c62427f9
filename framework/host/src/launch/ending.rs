//! How a worker ended: what it left in its folder, checked against its task and against what the host measured.

use std::{io::ErrorKind, path::Path, thread, time::Duration};

use molarena_record::{
    parts::{Candidate, Reason, Search},
    text::visible,
};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    files::json::{read_json, read_json_within},
    job::{Done, FitJob, JobTask, Output, Progress, WorkerFailure},
    worker::choice::is_better,
};

/// Characters kept of a message: the first ones.
const MESSAGE_KEPT: usize = 16_000;
/// Characters kept of a progress message.
const PROGRESS_KEPT: usize = 200;
/// Largest `progress.json` in bytes.
const PROGRESS_LIMIT: u64 = 64 << 10;
/// How much more processor time a worker may report than the kernel's counters show: they count in ticks of 10 ms, one
/// for user and one for system time.
const TICKS: f64 = 0.02;

/// How a worker ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ending {
    /// The output, or why there is none.
    pub result: Result<Output, WorkerFailure>,
    /// Whether it was confined, as it said before it opened the plugin.
    pub confined: bool,
    /// Layers of the confinement that this kernel lacks, each in a few words.
    pub missing_layers: Vec<String>,
    /// Names of the system calls that it was refused.
    pub refused: Vec<String>,
    /// The last part of its output, visible.
    pub output: String,
    /// Wall-clock time from start to end.
    pub wall: Duration,
    /// Peak memory in bytes of all processes of the worker together.
    pub peak_rss: u64,
    /// Processor seconds of all processes of the worker together.
    pub cpu_s: f64,
}

/// What the host measured of a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) wall: Duration,
    /// Peak memory in bytes; the last moments are not in it.
    pub(super) peak: u64,
    /// What no peak exceeds: the memory limit, and the largest peak of any worker that the kernel knows of.
    pub(super) peak_limit: u64,
    /// Processor seconds; `None` if the worker ran in this process.
    pub(super) cpu_s: Option<f64>,
}

/// The ending of a job that ran inside this process.
pub fn ending_in_process(task: &JobTask, folder: &Path, wall: Duration) -> Ending {
    // The memory is that of the host.
    let measured = Measured { wall, peak: 0, peak_limit: 0, cpu_s: None };
    ending(task, folder, &measured, None, &|| failure(Reason::NoResult, "the worker left no result".into()))
}

/// Reads the outcome from the worker's folder. `stopped` is the failure of a worker that the host or the kernel ended,
/// `died` makes that of one that left no result.
pub(super) fn ending(
    task: &JobTask,
    folder: &Path,
    measured: &Measured,
    stopped: Option<WorkerFailure>,
    died: &dyn Fn() -> WorkerFailure,
) -> Ending {
    let done = match read_json::<Done>(folder, "done.json") {
        Err(Error::Io(error)) if error.kind() == ErrorKind::NotFound => None,
        done => Some(done.map_err(|error| failure(Reason::NoResult, format!("its result: {error}")))),
    };
    let reported = done.as_ref().and_then(|done| done.as_ref().ok());
    let (peak_rss, cpu_s) = costs(measured, reported);
    let result = match (stopped, done) {
        (Some(failure), _) => Err(failure),
        (None, Some(done)) => done.and_then(|done| believed(task, done.result, measured.wall)),
        (None, None) => Err(died()),
    };
    let result = result.map_err(|WorkerFailure { reason, message }| failure(reason, kept(&message)));
    Ending {
        result,
        confined: false,
        missing_layers: Vec::new(),
        refused: Vec::new(),
        output: String::new(),
        wall: measured.wall,
        peak_rss,
        cpu_s,
    }
}

pub(super) const fn failure(reason: Reason, message: String) -> WorkerFailure {
    WorkerFailure { reason, message }
}

/// A message as records keep it: on one line, visible, and cut.
pub(crate) fn kept(message: &str) -> String {
    let message = molarena_chem::shorten(message, MESSAGE_KEPT, "…");
    molarena_chem::shorten(&visible(&message), MESSAGE_KEPT, "…").into_owned()
}

/// Peak memory and processor seconds: as measured, with what the worker reports in the gaps of the measurement.
fn costs(measured: &Measured, reported: Option<&Done>) -> (u64, f64) {
    let peak = reported.map_or(0, |done| done.peak_rss).min(measured.peak_limit).max(measured.peak);
    let cpu_s = reported.map_or(0.0, |done| done.cpu_s);
    let (least, most) = if let Some(counted) = measured.cpu_s {
        (counted, counted + TICKS)
    } else {
        let processors = thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
        (0.0, measured.wall.as_secs_f64() * processors)
    };
    (peak, cpu_s.clamp(least, most))
}

/// Progress as the worker last reported it: visible, cut, and with the processor seconds that the host counted.
pub fn progress(folder: &Path, cpu_s: f64) -> Option<Progress> {
    let Progress { fraction, message, .. } =
        read_json_within(folder, "progress.json", PROGRESS_LIMIT).ok()?;
    let message = molarena_chem::shorten(&visible(&message), PROGRESS_KEPT, "…").into_owned();
    let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
    Some(Progress { fraction, message, cpu_s })
}

/// The result, if it can be the answer to the task.
fn believed(
    task: &JobTask,
    result: Result<Output, WorkerFailure>,
    wall: Duration,
) -> Result<Output, WorkerFailure> {
    let refused = |message: String| failure(Reason::NoResult, message);
    let output = match result {
        Ok(output) => output,
        // Only the host can know these.
        Err(WorkerFailure {
            reason: reason @ (Reason::Timeout | Reason::Signal | Reason::Disk),
            message,
        }) => {
            return Err(refused(format!("the worker claims to have failed with `{reason}`: {message}")));
        }
        Err(failure) => return Err(failure),
    };
    if !task.is_answered_by(&output) {
        return Err(refused("the worker answered another question".into()));
    }
    let Output::Timings { fit_s, predict_s, search } = output else { return Ok(output) };
    let wall = wall.as_secs_f64();
    let possible = |seconds: f64| seconds >= 0.0 && seconds <= wall;
    if !possible(fit_s) || !possible(predict_s) || !possible(fit_s + predict_s) {
        return Err(refused(format!(
            "the worker claims {fit_s} s to fit and {predict_s} s to predict, but it ran for {wall:.3} s"
        )));
    }
    let search = match task {
        JobTask::Fit(job) => searched(job, search, wall).map_err(refused)?,
        _ => None,
    };
    Ok(Output::Timings { fit_s, predict_s, search })
}

/// The worker's choice between the settings of the job, if it can be one. Its settings are taken from the job.
fn searched(job: &FitJob, search: Option<Search>, wall: f64) -> Result<Option<Search>, String> {
    let settings = job.candidates.len();
    if settings < 2 {
        return Ok(None);
    }
    let Some(Search { candidates, chosen }) = search else {
        return Err(format!("the worker does not say which of {settings} settings it chose"));
    };
    if candidates.len() != settings || chosen >= settings {
        return Err(format!(
            "the worker chose setting {chosen} of {}, but the job has {settings}",
            candidates.len()
        ));
    }
    let total: f64 = candidates.iter().map(|candidate| candidate.seconds).sum();
    if candidates.iter().any(|candidate| candidate.seconds < 0.0) || total > wall {
        return Err(format!("the worker claims {total} s for the settings, but it ran for {wall:.3} s"));
    }
    let mut best = 0;
    for index in 1..settings {
        if is_better(job.metric, candidates[index].valid_score, candidates[best].valid_score) {
            best = index;
        }
    }
    if chosen != best {
        return Err(format!("the worker chose setting {chosen}, but setting {best} scored better"));
    }
    let of_job = |(made, candidate): (&crate::job::JobComponent, Candidate)| {
        let config = serde_json::from_str(made.chosen_config()).expect("canonical JSON of the plan");
        Candidate { config, ..candidate }
    };
    let candidates = job.candidates.iter().zip(candidates).map(of_job).collect();
    Ok(Some(Search { candidates, chosen }))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use molarena_data::TaskType;
    use molarena_metrics::Metric;
    use molarena_sdk::InputKind;
    use serde_json::json;

    use super::*;
    use crate::job::{EncodeJob, JobComponent};

    const WALL: Duration = Duration::from_secs(10);

    fn component(config: &str) -> JobComponent {
        JobComponent { library: PathBuf::new(), component: "c".into(), config: config.into(), finetune: None }
    }

    fn fit(configs: &[&str]) -> JobTask {
        JobTask::Fit(FitJob {
            candidates: configs.iter().map(|config| component(config)).collect(),
            metric: Metric::Mae,
            input: InputKind::Bits,
            task_type: TaskType::Regression,
            tasks: 1,
            keep: false,
        })
    }

    /// The ending of a worker that left `done` as its result.
    fn of(task: &JobTask, done: &str) -> Ending {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("done.json"), done).unwrap();
        let measured = Measured { wall: WALL, peak: 1000, peak_limit: 5000, cpu_s: Some(2.0) };
        ending(task, folder.path(), &measured, None, &|| failure(Reason::Signal, "died".into()))
    }

    fn timings(fit_s: &str, predict_s: &str, rest: &str) -> String {
        format!(
            r#"{{"result":{{"Ok":{{"timings":{{"fit_s":{fit_s},"predict_s":{predict_s}{rest}}}}}}},"peak_rss":1}}"#
        )
    }

    fn refused(task: &JobTask, done: &str, part: &str) {
        let failure = of(task, done).result.expect_err(done);
        assert_eq!(failure.reason, Reason::NoResult, "{failure:?}");
        assert!(failure.message.contains(part), "{}", failure.message);
    }

    #[test]
    fn times_that_cannot_be_are_refused() {
        assert!(of(&fit(&["{}"]), &timings("4", "6", "")).result.is_ok());
        for (fit_s, predict_s) in [("-1", "0"), ("0", "-0.1"), ("1e300", "0"), ("0", "11"), ("6", "6")] {
            refused(&fit(&["{}"]), &timings(fit_s, predict_s, ""), "but it ran for 10.000 s");
        }
        for number in ["1e999", "NaN", "null", "\"1\""] {
            refused(&fit(&["{}"]), &timings(number, "0", ""), "its result: ");
        }
    }

    #[test]
    fn an_answer_must_be_of_the_kind_of_the_question() {
        let encode =
            JobTask::Encode(EncodeJob { encoder: component("{}"), state: None, input: InputKind::Bits });
        let another = "the worker answered another question";
        refused(&encode, &timings("0", "0", ""), another);
        for answer in ["\"encoded\"", "\"pretrained\"", r#"{"checked":[]}"#] {
            refused(&fit(&["{}"]), &format!(r#"{{"result":{{"Ok":{answer}}},"peak_rss":1}}"#), another);
        }
        refused(&fit(&["{}"]), "[[[", "its result: ");
        refused(
            &fit(&["{}"]),
            r#"{"result":{"Err":{"reason":"timeout","message":"m"}},"peak_rss":1}"#,
            "claims to have failed with `timeout`: m",
        );
    }

    #[test]
    fn costs_are_measured_and_only_their_gaps_believed() {
        let cost = |peak: &str, cpu: &str| {
            let done = format!(r#"{{"result":{{"Ok":"encoded"}},"peak_rss":{peak},"cpu_s":{cpu}}}"#);
            let ending = of(&fit(&["{}"]), &done);
            (ending.peak_rss, ending.cpu_s)
        };
        assert_eq!(cost("2000", "2.015"), (2000, 2.015));
        assert_eq!(cost("1", "0"), (1000, 2.0));
        assert_eq!(cost("18446744073709551615", "1e300"), (5000, 2.02));
        assert_eq!(cost("0", "-7"), (1000, 2.0));
        let measured = Measured { wall: WALL, peak: 0, peak_limit: u64::MAX, cpu_s: None };
        let done = Done { result: Ok(Output::Encoded), peak_rss: 7, cpu_s: 1e300 };
        let (peak, cpu_s) = costs(&measured, Some(&done));
        assert!(peak == 7 && cpu_s < 1e6, "{cpu_s}");
    }

    #[test]
    fn a_choice_must_be_one_of_the_job() {
        let task = fit(&[r#"{"k":1}"#, r#"{"k":2}"#]);
        let search = |scores: &[&str], seconds: &str, chosen: &str| {
            let candidates: Vec<String> = scores
                .iter()
                .map(|score| format!(r#"{{"config":"forged","valid_score":{score},"seconds":{seconds}}}"#))
                .collect();
            let list = candidates.join(",");
            timings("1", "1", &format!(r#","search":{{"candidates":[{list}],"chosen":{chosen}}}"#))
        };
        let Ok(Output::Timings { search: Some(found), .. }) =
            of(&task, &search(&["2", "1"], "1", "1")).result
        else {
            panic!("a possible choice");
        };
        assert_eq!(found.candidates[1].config, json!({"k": 2}), "settings are those of the job");
        refused(&task, &search(&["1", "2"], "1", "1"), "but setting 0 scored better");
        refused(&task, &search(&["1", "1"], "1", "1"), "but setting 0 scored better");
        refused(&task, &search(&["1", "1"], "1", "2"), "chose setting 2 of 2");
        refused(&task, &search(&["1"], "1", "0"), "setting 0 of 1, but the job has 2");
        refused(&task, &search(&["1", "2"], "9", "0"), "18 s for the settings");
        refused(&task, &search(&["1", "2"], "-9", "0"), "-18 s for the settings");
        refused(&task, &timings("1", "1", ""), "does not say which of 2 settings");
        let Ok(Output::Timings { search, .. }) = of(&fit(&["{}"]), &search(&["1"], "1", "0")).result else {
            panic!("one setting is no choice");
        };
        assert_eq!(search, None);
    }

    #[test]
    fn messages_are_visible_on_one_line_and_cut() {
        let task = fit(&["{}"]);
        let long = "\\u001b[2J\\nforged".to_owned() + &"x".repeat(100_000);
        let done = format!(r#"{{"result":{{"Err":{{"reason":"error","message":"{long}"}}}},"peak_rss":1}}"#);
        let message = of(&task, &done).result.unwrap_err().message;
        assert!(message.starts_with(r"\u{1b}[2J\nforgedxxx"), "{message:.80}");
        assert!(message.chars().count() <= MESSAGE_KEPT + 1);
        let folder = tempfile::tempdir().unwrap();
        let write = |text: String| fs_err::write(folder.path().join("progress.json"), text).unwrap();
        write(format!(r#"{{"fraction":-1e300,"message":"{long}","cpu_s":1e300}}"#));
        assert_eq!(progress(folder.path(), 2.0), None, "too large to be read");
        write(r#"{"fraction":1e300,"message":"\u001b[2J\n","cpu_s":1e300}"#.into());
        let shown = Progress { fraction: 1.0, message: r"\u{1b}[2J\n".into(), cpu_s: 2.0 };
        assert_eq!(progress(folder.path(), 2.0), Some(shown));
    }
}
