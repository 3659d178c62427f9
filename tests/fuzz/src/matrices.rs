//! Matrices in `.npz` archives.

use std::cell::Cell;

use molarena_data::context::MatrixFile;
use molarena_features::Features;
use molarena_sdk::InputKind;

/// Most rows, and most numbers of a row, that the reader of a context graph lets pass; a manifest states how many there are.
const MOST: usize = 1 << 16;

/// An archive of arrays, as a feature space of a context graph and as a cached feature file of every kind.
pub fn npz(data: &[u8]) {
    let path = crate::file("arrays.npz", data);
    match MatrixFile::open(&path) {
        Ok(matrix) => {
            let (shape, seen) = (Cell::new((0, 0)), Cell::new(0));
            let check = |rows, columns| {
                shape.set((rows, columns));
                if rows.max(columns) <= MOST {
                    Ok(())
                } else {
                    Err(std::io::Error::other("too large").into())
                }
            };
            let each = |index, row: &[f32]| {
                assert_eq!((index, row.len()), (seen.get(), shape.get().1));
                seen.set(index + 1);
                Ok(())
            };
            match matrix.read(check, each) {
                Ok(()) => assert_eq!(seen.get(), shape.get().0, "every row is read"),
                Err(error) => crate::check_message(&error),
            }
        }
        Err(error) => crate::check_message(&error),
    }
    for kind in [InputKind::Bits, InputKind::Dense, InputKind::Smiles, InputKind::Graphs] {
        match Features::read(&path, kind) {
            Ok(features) => check_features(&features, kind),
            Err(error) => crate::check_message(&error),
        }
    }
}

/// What was read can be lent to a component, selected from, written, and read again.
fn check_features(features: &Features, kind: InputKind) {
    let _inputs = features.inputs();
    let rows = features.rows();
    // Only what holds something: a matrix without columns has as many rows as it says.
    if rows > 1 << 20 {
        return;
    }
    let all: Vec<usize> = (0..rows).collect();
    assert_eq!(features.select(&all).rows(), rows);
    let path = crate::folder().join("again.npz");
    features.write(&path).expect("features can be written");
    let again = Features::read(&path, kind).expect("what is written can be read");
    assert_eq!(again.rows(), rows);
}
