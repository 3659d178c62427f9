//! What a worker leaves in its job folder.

use std::path::PathBuf;
use std::time::Duration;

use molarena_data::TaskType;
use molarena_host::job::{EncodeJob, FitJob, JobComponent, JobTask, Output};
use molarena_host::launch::{ending_in_process, read_progress};
use molarena_host::worker_matrix;
use molarena_metrics::Metric;
use molarena_record::text::is_hidden;
use molarena_sdk::InputKind;

/// Longest message of a worker that the host keeps, with the mark of what was cut.
const MESSAGE: usize = 16_001;
/// How long the worker ran.
const WALL: Duration = Duration::from_secs(10);
/// The shape that is asked for.
const SHAPE: (usize, usize) = (2, 3);

/// An answer of a worker: bytes that begin as a `.npy` file are its predictions, all others each of its JSON files.
pub fn worker(data: &[u8]) {
    if data.starts_with(b"\x93NUMPY") { predictions(data) } else { answers(data) }
}

fn predictions(data: &[u8]) {
    let path = crate::file("test-predictions.npy", data);
    let (rows, columns) = SHAPE;
    for columns in [Some(columns), None] {
        match worker_matrix(&path, rows, columns) {
            Ok((bytes, values)) => {
                assert_eq!(bytes, data);
                assert!(values.len().is_multiple_of(rows) && values.iter().all(|value| value.is_finite()));
                assert!(columns.is_none_or(|columns| values.len() == rows * columns));
            }
            Err((_, message)) => assert!(!message.is_empty()),
        }
    }
}

fn answers(data: &[u8]) {
    let folder = crate::folder().join("job");
    crate::place(&folder.join("progress.json"), data);
    crate::place(&folder.join("done.json"), data);
    if let Some(progress) = read_progress(&folder, 1.0) {
        assert!((0.0..=1.0).contains(&progress.fraction) && progress.cpu_s == 1.0);
        assert!(!progress.message.contains(is_hidden), "{}", progress.message);
    }
    for (task, settings) in [(encode(), 0), (fit(&["{}"]), 1), (fit(&[r#"{"k":1}"#, r#"{"k":2}"#]), 2)] {
        let ending = ending_in_process(&task, &folder, WALL);
        assert!(ending.cpu_s.is_finite() && ending.cpu_s >= 0.0, "{}", ending.cpu_s);
        match ending.result {
            Ok(Output::Timings { fit_s, predict_s, search }) => {
                assert!(settings > 0, "an answer to another question");
                assert!(fit_s >= 0.0 && predict_s >= 0.0 && fit_s + predict_s <= WALL.as_secs_f64());
                assert_eq!(search.map_or(1, |search| search.candidates.len()), settings);
            }
            Ok(output) => assert!(settings == 0 && matches!(output, Output::Encoded), "{output:?}"),
            Err(failure) => {
                assert!(failure.message.chars().count() <= MESSAGE);
                assert!(!failure.message.contains(is_hidden), "{}", failure.message);
            }
        }
    }
}

fn component(config: &str) -> JobComponent {
    JobComponent {
        library: PathBuf::new(),
        component: "c".to_owned(),
        config: config.to_owned(),
        finetune: None,
    }
}

fn encode() -> JobTask {
    JobTask::Encode(EncodeJob { encoder: component("{}"), state: None, input: InputKind::Bits })
}

fn fit(configs: &[&str]) -> JobTask {
    JobTask::Fit(FitJob {
        candidates: configs.iter().map(|config| component(config)).collect(),
        metric: Metric::RocAuc,
        input: InputKind::Bits,
        task_type: TaskType::Classification,
        tasks: 1,
        keep: false,
    })
}
