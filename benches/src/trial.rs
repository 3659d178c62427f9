//! A dataset as packed bits, labels and split.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use molarena_chem::{Morgan, morgan_matrix};
use molarena_data::{Catalog, Dataset, PreparedDataset, Protocol};
use molarena_sdk::{Bits, OwnedLabels, TaskKind};
use ndarray::{Array1, Array2};
use ndarray_npy::{ReadNpyExt, WriteNpyExt};

/// The four datasets of the paper with their split protocols.
pub const DATASETS: [(&str, Protocol); 4] = [
    ("chembl2k", Protocol::Infoalign),
    ("broad6k", Protocol::Infoalign),
    ("biogen3k", Protocol::Infoalign),
    ("toxcast", Protocol::Ogb),
];

/// The data folder: `MOLARENA_DATA`, or `shared/data` beside the workspace.
pub fn data_folder() -> PathBuf {
    env::var_os("MOLARENA_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from)
}

/// n molecules with bits, labels for t tasks and a split.
#[derive(Clone, Debug)]
pub struct Trial {
    /// `u8[n, bytes]`: bit b of a row is `bytes[b / 8] >> (b % 8) & 1`.
    pub bits: Array2<u8>,
    /// `f32[n, t]`, NaN where a label is missing.
    pub labels: Array2<f32>,
    /// `u8[n]`: 0 train, 1 valid, 2 test.
    pub split: Array1<u8>,
}

/// The rows of one part of a split.
#[derive(Clone, Debug)]
pub struct Part {
    words: Vec<u64>,
    rows: usize,
    n_bits: usize,
    /// `f32[rows, t]`, NaN where a label is missing.
    pub labels: Vec<f32>,
}

impl Part {
    /// Borrows the bits.
    pub fn bits(&self) -> Bits<'_> {
        Bits::new(&self.words, self.rows, self.n_bits).expect("made with as many words as rows need")
    }
}

impl Trial {
    /// Computes the Morgan bits (radius 2, 2048 bits) of a built-in dataset, and splits it.
    pub fn load(data: &Path, name: &str, protocol: Protocol) -> Result<Self> {
        let dataset = Dataset::load(Catalog::builtin()?.get(name)?, data)?;
        let prepared = PreparedDataset::new(dataset)?;
        let matrix = morgan_matrix(&prepared.molecules, &Morgan::new(2, 2048, false)?);
        let bytes = matrix.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let rows = matrix.rows;
        let parts = prepared.split(protocol, 0)?;
        let mut split = Array1::zeros(rows);
        for (number, (_, part)) in parts.parts().into_iter().enumerate() {
            for &row in part {
                split[row] = number as u8;
            }
        }
        Ok(Self {
            bits: Array2::from_shape_vec((rows, matrix.n_bits / 8), bytes)?,
            labels: Array2::from_shape_vec((rows, prepared.dataset.tasks.len()), prepared.dataset.labels)?,
            split,
        })
    }

    /// Reads `<name>_bits.npy`, `<name>_labels.npy` and `<name>_split.npy`.
    pub fn read(folder: &Path, name: &str) -> Result<Self> {
        let open = |what: &str| fs::File::open(folder.join(format!("{name}_{what}.npy")));
        let bits = Array2::read_npy(open("bits")?).with_context(|| format!("{name}_bits.npy"))?;
        let labels = Array2::read_npy(open("labels")?).with_context(|| format!("{name}_labels.npy"))?;
        let split = Array1::read_npy(open("split")?).with_context(|| format!("{name}_split.npy"))?;
        let trial = Self { bits, labels, split };
        let rows = trial.bits.nrows();
        ensure!(
            trial.labels.nrows() == rows && trial.split.len() == rows && trial.bits.ncols().is_multiple_of(8),
            "{name}: bits, labels and split do not fit together"
        );
        Ok(trial)
    }

    /// Writes the files that [`read`](Self::read) reads.
    pub fn write(&self, folder: &Path, name: &str) -> Result<()> {
        let create = |what: &str| fs::File::create(folder.join(format!("{name}_{what}.npy")));
        self.bits.write_npy(create("bits")?)?;
        self.labels.write_npy(create("labels")?)?;
        self.split.write_npy(create("split")?)?;
        Ok(())
    }

    /// Number of tasks.
    pub fn tasks(&self) -> usize {
        self.labels.ncols()
    }

    /// Classification if every label is 0 or 1, else regression.
    pub fn kind(&self) -> TaskKind {
        if self.labels.iter().all(|&label| label.is_nan() || label == 0.0 || label == 1.0) {
            TaskKind::Classification
        } else {
            TaskKind::Regression
        }
    }

    /// The rows with the value `split` in the split, with the labels of `tasks` only.
    pub fn part(&self, split: u8, tasks: &[usize]) -> Part {
        let rows: Vec<usize> = (0..self.split.len()).filter(|&row| self.split[row] == split).collect();
        let mut words = Vec::with_capacity(rows.len() * self.bits.ncols() / 8);
        let mut labels = Vec::with_capacity(rows.len() * tasks.len());
        for &row in &rows {
            let bytes: Vec<u8> = self.bits.row(row).to_vec();
            words.extend(bytes.as_chunks::<8>().0.iter().map(|&chunk| u64::from_le_bytes(chunk)));
            labels.extend(tasks.iter().map(|&task| self.labels[[row, task]]));
        }
        Part { words, rows: rows.len(), n_bits: self.bits.ncols() * 8, labels }
    }

    /// The labels of a part in the form that baselines take.
    pub fn owned_labels(&self, part: &Part, tasks: usize) -> Result<OwnedLabels> {
        Ok(OwnedLabels::from_nan(self.kind(), part.rows, tasks, part.labels.clone())?)
    }
}
