//! Tables of the user's own: CSV and Parquet.

use std::path::Path;

use molarena_data::own::{OwnData, OwnTable};
use molarena_data::{Manifest, SmilesInput, TaskType};

/// Rows of a chunk: few, so that small inputs have several.
const CHUNK: usize = 3;

/// A table in text, plain or gzipped, as a dataset and as a stream of SMILES.
pub fn csv(data: &[u8]) {
    let own = own(&crate::file("table.csv", data));
    let streamed = stream(&crate::file("table.csv", data));
    if let (Some(own), Some(streamed)) = (own, streamed) {
        assert_eq!(own.rows, streamed, "both readers find as many rows");
    }
    stream(&crate::file("lines.smi", data));
    stream(&crate::file("unknown", data));
}

/// A Parquet file, as a dataset and as a stream of SMILES.
pub fn parquet(data: &[u8]) {
    let path = crate::file("table.parquet", data);
    if let (Some(own), Some(streamed)) = (own(&path), stream(&path)) {
        assert_eq!(own.rows, streamed, "both readers find as many rows");
    }
}

fn own(path: &Path) -> Option<OwnData> {
    let table = OwnTable { path: path.to_owned(), ..OwnTable::default() };
    let own = table.load().inspect_err(|error| crate::check_message(error)).ok()?;
    assert!(own.rows > 0 && !own.tasks.is_empty());
    for task in &own.tasks {
        assert_eq!(task.known + task.missing, own.rows, "{}", task.name);
    }
    for molarena_data::own::OwnDataset { manifest, dataset, .. } in &own.datasets {
        let rows = dataset.smiles.len();
        assert!(rows > 0 && rows <= own.rows);
        assert_eq!(dataset.labels.len(), rows * dataset.tasks.len(), "a label for each row and task");
        assert_eq!((dataset.rows.len(), manifest.table.rows), (rows, rows));
        assert!(dataset.labels.iter().all(|label| !label.is_infinite()));
        if dataset.task_type == TaskType::Classification {
            assert!(dataset.labels.iter().all(|&label| label.is_nan() || label == 0.0 || label == 1.0));
        }
        let text = toml::to_string(manifest).expect("a manifest can be written");
        let again = Manifest::parse(&text, manifest.origin.clone()).expect("a manifest in memory is sound");
        assert_eq!(again, *manifest);
    }
    Some(own)
}

/// The number of rows of a stream of SMILES, if it can be read to its end.
fn stream(path: &Path) -> Option<usize> {
    let mut input = SmilesInput::open(path, None).inspect_err(|error| crate::check_message(error)).ok()?;
    let mut rows = 0;
    loop {
        let chunk = input.next_chunk(CHUNK).inspect_err(|error| crate::check_message(error)).ok()?;
        assert!(chunk.len() <= CHUNK);
        if chunk.is_empty() {
            return Some(rows);
        }
        rows += chunk.len();
    }
}
