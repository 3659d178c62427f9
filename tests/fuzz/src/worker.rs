//! What a worker leaves in its job folder.

use std::time::Duration;

use molarena_host::{launch::ending_in_process, worker_matrix};

/// Longest message of a worker that the host keeps, with the mark of what was cut.
const MESSAGE: usize = 16_001;
/// The shape that is asked for.
const SHAPE: (usize, usize) = (2, 3);

/// An answer of a worker: bytes that begin as a `.npy` file are its predictions, all others each of its JSON files.
pub fn worker(data: &[u8]) {
    if data.starts_with(b"\x93NUMPY") {
        let path = crate::file("test-predictions.npy", data);
        let (rows, columns) = SHAPE;
        for columns in [Some(columns), None] {
            match worker_matrix(&path, rows, columns) {
                Ok((bytes, values)) => {
                    assert_eq!(bytes, data);
                    assert!(
                        values.len().is_multiple_of(rows) && values.iter().all(|value| value.is_finite())
                    );
                    assert!(columns.is_none_or(|columns| values.len() == rows * columns));
                }
                Err((_, message)) => assert!(!message.is_empty()),
            }
        }
        return;
    }
    let folder = crate::folder().join("job");
    for name in ["started.json", "progress.json", "done.json"] {
        let _ = fs_err::remove_dir_all(&folder);
        crate::place(&folder.join(name), data);
        let ending = ending_in_process(&folder, Duration::from_secs(1));
        if let Err(failure) = ending.result {
            assert!(failure.message.chars().count() <= MESSAGE);
        }
    }
}
