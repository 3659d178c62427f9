//! The folder that the host and a program exchange arrays in, and how frames name them.

use std::path::{Path, PathBuf};

use molarena_abi as abi;
use molarena_sdk::{Corpus, Dense, Inputs, Labels, Matrix, Profiles, TaskKind};
use ndarray::{ArrayBase, ArrayView1, ArrayView2, Data, Dimension};
use ndarray_npy::WritableElement;
use serde_json::{Value, json};

use super::broken;
use crate::{
    files::{npy::from_npy, npy::write_npy, plain::read_plain},
    plugin::loader::LoadError,
};

/// Largest file that a program may answer with.
const LARGEST: u64 = 8 << 30;

/// A folder for arrays, which are removed after each call.
#[derive(Debug)]
pub(super) struct Exchange {
    folder: tempfile::TempDir,
    next: usize,
    written: Vec<PathBuf>,
}

impl Exchange {
    /// A folder in the worker's folder for temporary files, its job folder.
    pub(super) fn new() -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("exchange-").tempdir()?;
        Ok(Self { folder, next: 0, written: Vec::new() })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Removes what was exchanged for a call.
    pub(super) fn clear(&mut self) {
        for path in self.written.drain(..) {
            // The program may have removed it.
            let _ = fs_err::remove_file(path);
        }
    }

    fn path(&mut self, ending: &str) -> (String, PathBuf) {
        let name = format!("{}.{ending}", self.next);
        self.next += 1;
        let path = self.folder.path().join(&name);
        self.written.push(path.clone());
        (name, path)
    }

    fn array<T: WritableElement, S: Data<Elem = T>, D: Dimension>(
        &mut self,
        array: &ArrayBase<S, D>,
    ) -> Result<Value, LoadError> {
        let (name, path) = self.path("npy");
        write_npy(&path, array).map_err(|error| failed(&error))?;
        Ok(name.into())
    }

    fn vector<T: WritableElement>(&mut self, values: &[T]) -> Result<Value, LoadError> {
        self.array(&ArrayView1::from(values))
    }

    fn rows<T: WritableElement>(
        &mut self,
        rows: usize,
        columns: usize,
        values: &[T],
    ) -> Result<Value, LoadError> {
        self.array(&ArrayView2::from_shape((rows, columns), values).expect("rows x columns values"))
    }

    pub(super) fn dense(&mut self, dense: &Dense<'_>) -> Result<Value, LoadError> {
        self.rows(dense.rows, dense.columns, dense.values)
    }

    /// The forms of the molecules that there are: `smiles`, `bits`, `dense`, `graphs`.
    pub(super) fn inputs(&mut self, inputs: &Inputs<'_>) -> Result<Value, LoadError> {
        let mut forms = json!({ "rows": inputs.rows });
        if let Some(smiles) = &inputs.smiles {
            let text: Vec<&str> = smiles.iter().collect();
            let (name, path) = self.path("json");
            let bytes = serde_json::to_vec(&text).expect("texts are JSON");
            fs_err::write(&path, bytes).map_err(|error| failed(&error.into()))?;
            forms["smiles"] = name.into();
        }
        if let Some(bits) = &inputs.bits {
            let words = self.rows(bits.rows, bits.words_per_row, bits.words)?;
            forms["bits"] = json!({ "words": words, "n_bits": bits.n_bits });
        }
        if let Some(dense) = &inputs.dense {
            forms["dense"] = self.dense(dense)?;
        }
        if let Some(graphs) = &inputs.graphs {
            let [atoms, bonds, features] = [
                self.rows(graphs.atom_features.len(), 9, graphs.atom_features.as_flattened())?,
                self.rows(graphs.bonds.len(), 2, graphs.bonds.as_flattened())?,
                self.rows(graphs.bond_features.len(), 3, graphs.bond_features.as_flattened())?,
            ];
            forms["graphs"] = json!({
                "atom_offsets": self.vector(graphs.atom_offsets)?,
                "bond_offsets": self.vector(graphs.bond_offsets)?,
                "atom_features": atoms,
                "bonds": bonds,
                "bond_features": features,
            });
        }
        Ok(forms)
    }

    /// `f32[n, tasks]`, NaN where missing.
    pub(super) fn labels(&mut self, labels: &Labels<'_>) -> Result<Value, LoadError> {
        let cells = (0..labels.rows).flat_map(|row| (0..labels.tasks).map(move |task| (row, task)));
        let values: Vec<f32> = cells.map(|(row, task)| labels.get(row, task).unwrap_or(f32::NAN)).collect();
        let kind = match labels.kind {
            TaskKind::Classification => "classification",
            TaskKind::Regression => "regression",
        };
        Ok(json!({ "kind": kind, "values": self.rows(labels.rows, labels.tasks, &values)? }))
    }

    pub(super) fn corpus(&mut self, corpus: &Corpus<'_>) -> Result<Value, LoadError> {
        let spaces = corpus.spaces.iter().map(|space| self.profiles(space));
        let spaces = spaces.collect::<Result<Vec<Value>, LoadError>>()?;
        Ok(json!({
            "molecules": self.inputs(&corpus.molecules)?,
            "molecule_nodes": self.vector(corpus.molecule_nodes)?,
            "node_kinds": self.vector(corpus.node_kinds)?,
            "spaces": spaces,
            "edge_sources": self.vector(corpus.edge_sources)?,
            "edge_targets": self.vector(corpus.edge_targets)?,
            "edge_weights": self.vector(corpus.edge_weights)?,
        }))
    }

    fn profiles(&mut self, space: &Profiles<'_>) -> Result<Value, LoadError> {
        let mut described = json!({
            "name": space.space,
            "kind": space.kind as u32,
            "nodes": self.vector(space.nodes)?,
            "values": self.dense(&space.values)?,
        });
        if let Some(batches) = space.batches {
            described["batches"] = self.vector(batches)?;
        }
        if let Some(counts) = space.cell_counts {
            described["cell_counts"] = self.vector(counts)?;
        }
        Ok(described)
    }

    pub(super) fn state(&mut self, state: &[u8]) -> Result<Value, LoadError> {
        let (name, path) = self.path("state");
        fs_err::write(&path, state).map_err(|error| failed(&error.into()))?;
        Ok(name.into())
    }

    /// The matrix that an answer names under `values`.
    pub(super) fn read(&mut self, what: &str, answer: &Value) -> Result<Matrix, LoadError> {
        let (name, bytes) = self.answered(what, answer, "values")?;
        let (rows, columns, values) =
            from_npy(&bytes).map_err(|message| broken(what, &format!("{name} is {message}")))?;
        Ok(Matrix { rows, columns, values })
    }

    /// The bytes that an answer names under `state`.
    pub(super) fn read_state(&mut self, answer: &Value) -> Result<Vec<u8>, LoadError> {
        Ok(self.answered("save", answer, "state")?.1)
    }

    /// The content of the file that an answer names under `key`.
    fn answered(&mut self, what: &str, answer: &Value, key: &str) -> Result<(String, Vec<u8>), LoadError> {
        let Some(name) = answer[key].as_str() else {
            return Err(broken(what, &format!("`{key}` is no file name")));
        };
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(broken(what, &format!("`{name}` is no name of a file in the folder of arrays")));
        }
        let path = self.folder.path().join(name);
        self.written.push(path.clone());
        let bytes = read_plain(&path, LARGEST).map_err(|error| broken(what, &error.to_string()))?;
        Ok((name.to_owned(), bytes))
    }
}

fn failed(error: &crate::error::Error) -> LoadError {
    LoadError::Call { status: abi::MOLARENA_ERROR_IO, message: error.to_string() }
}
