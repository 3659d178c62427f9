//! Compares the splits of the real datasets with the index lists from `RDKit` and numpy (`splits/` in the data folder).

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use molarena_data::{Catalog, Dataset, PreparedDataset, Protocol, Split};

const DATASETS: [&str; 4] = ["biogen3k", "broad6k", "chembl2k", "toxcast"];

fn read_columns(path: &Path, columns: [&str; 2]) -> Vec<[String; 2]> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs_err::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let columns = columns.map(|name| header.iter().position(|column| column == name).unwrap());
    reader
        .records()
        .map(|record| record.unwrap())
        .map(|record| columns.map(|column| record[column].to_owned()))
        .collect()
}

/// The part of each row in the stored list.
fn stored(data_dir: &Path, dataset: &str, protocol: Protocol) -> HashMap<usize, String> {
    let rows = read_columns(&data_dir.join(format!("splits/{dataset}.{protocol}.csv.gz")), ["row", "split"]);
    rows.into_iter().map(|[row, part]| (row.parse().unwrap(), part)).collect()
}

fn assert_equal(split: &Split, data_dir: &Path, dataset: &str, protocol: Protocol) {
    let expected = stored(data_dir, dataset, protocol);
    assert_eq!(split.len(), expected.len(), "{dataset} {protocol}");
    let differ = |part: &str, rows: &[usize]| rows.iter().filter(|row| expected[row] != part).count();
    let differing: usize = split.parts().iter().map(|(part, rows)| differ(&part.to_string(), rows)).sum();
    assert_eq!(differing, 0, "{dataset} {protocol}: {differing} of {} rows are in another part", split.len());
}

#[test]
fn all_splits_equal_the_stored_ones() {
    let Some(data_dir) = molarena_tests::data_dir() else { return };
    let catalog = Catalog::builtin().unwrap();
    for id in DATASETS {
        let dataset = Dataset::load(catalog.get(id).unwrap(), &data_dir).unwrap();
        let prepared = PreparedDataset::new(dataset).unwrap();
        assert_eq!(prepared.failures, [], "{id}");
        for protocol in [Protocol::Infoalign, Protocol::Ogb] {
            assert_equal(&prepared.split(protocol, 0).unwrap(), &data_dir, id, protocol);
        }
    }
}

/// The same without the arena's own chemistry: it uses `RDKit`'s scaffolds.
#[test]
fn splits_of_reference_scaffolds_equal_the_stored_ones() {
    let Some(data_dir) = molarena_tests::data_dir() else { return };
    for id in ["biogen3k", "chembl2k"] {
        let path = data_dir.join(format!("../golden/chem/{id}_smiles.csv.gz"));
        if !path.is_file() {
            eprintln!("skipped: no {}", path.display());
            continue;
        }
        let scaffolds: Vec<String> = read_columns(&path, ["row", "scaffold_chiral"])
            .into_iter()
            .map(|[_, scaffold]| scaffold)
            .collect();
        for protocol in [Protocol::Infoalign, Protocol::Ogb] {
            assert_equal(&protocol.split(&scaffolds, 0), &data_dir, id, protocol);
        }
    }
}

#[test]
fn labels_are_those_of_the_files() {
    let Some(data_dir) = molarena_tests::data_dir() else { return };
    let catalog = Catalog::builtin().unwrap();
    // Rows, tasks, known labels and positives, counted with a few lines of Python's csv module.
    let counted = [
        ("biogen3k", 3521, 6, 11_318, None),
        ("broad6k", 6567, 32, 178_358, Some(9_477)),
        ("chembl2k", 2355, 41, 16_602, Some(2_823)),
        ("toxcast", 8576, 617, 1_533_660, Some(126_651)),
    ];
    for (id, rows, tasks, known, positives) in counted {
        let dataset = Dataset::load(catalog.get(id).unwrap(), &data_dir).unwrap();
        let labels: Vec<f32> = dataset.labels.iter().copied().filter(|label| !label.is_nan()).collect();
        assert_eq!((dataset.len(), dataset.tasks.len(), labels.len()), (rows, tasks, known), "{id}");
        if let Some(positives) = positives {
            assert_eq!(labels.iter().filter(|&&label| label == 1.0).count(), positives, "{id}");
        }
    }
}

#[test]
fn every_file_of_the_data_folder_has_the_digest_of_its_manifest() {
    let Some(data_dir) = molarena_tests::data_dir() else { return };
    // Simulated data are generated, not delivered.
    for manifest in Catalog::builtin().unwrap().iter().filter(|manifest| !manifest.simulated) {
        for status in molarena_data::verify(manifest, &data_dir) {
            assert!(status.is_good(), "{status:?}");
        }
    }
}
