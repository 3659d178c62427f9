//! One dataset as packed bits, labels and split.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use molarena_sdk::{Bits, OwnedLabels, TaskKind};
use ndarray::{Array1, Array2};
use ndarray_npy::{ReadNpyExt, WriteNpyExt};

/// The four datasets of the paper, with the protocol that splits each.
pub const DATASETS: [(&str, &str); 4] =
    [("chembl2k", "infoalign"), ("broad6k", "infoalign"), ("biogen3k", "infoalign"), ("toxcast", "ogb")];

/// n molecules with bits, labels of t tasks and a split.
#[derive(Clone, Debug)]
pub struct Trial {
    /// u8[n, bytes]: bit b of a row is `bytes[b / 8] >> (b % 8) & 1`.
    pub bits: Array2<u8>,
    /// f32[n, t], NaN where missing.
    pub labels: Array2<f32>,
    /// u8[n]: 0 train, 1 valid, 2 test.
    pub split: Array1<u8>,
}

/// The rows of one part of a split.
#[derive(Clone, Debug)]
pub struct Part {
    words: Vec<u64>,
    rows: usize,
    n_bits: usize,
    /// f32[rows, t], NaN where missing.
    pub labels: Vec<f32>,
}

impl Part {
    /// The bits, borrowed.
    pub fn bits(&self) -> Bits<'_> {
        Bits::new(&self.words, self.rows, self.n_bits).expect("made with as many words as rows need")
    }
}

impl Trial {
    /// Reads `<name>_bits.npy`, `<name>_labels.npy` and `<name>_split.npy`.
    pub fn read(folder: &Path, name: &str) -> Result<Self> {
        let open = |what: &str| fs::File::open(folder.join(format!("{name}_{what}.npy")));
        let bits = Array2::read_npy(open("bits")?).with_context(|| format!("{name}_bits.npy"))?;
        let labels = Array2::read_npy(open("labels")?).with_context(|| format!("{name}_labels.npy"))?;
        let split = Array1::read_npy(open("split")?).with_context(|| format!("{name}_split.npy"))?;
        let trial = Self { bits, labels, split };
        let rows = trial.bits.nrows();
        ensure!(
            trial.labels.nrows() == rows && trial.split.len() == rows && trial.bits.ncols() % 8 == 0,
            "{name}: bits, labels and split do not fit together"
        );
        Ok(trial)
    }

    /// Writes what [`read`](Self::read) reads.
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

    /// Classes if every label is 0 or 1.
    pub fn kind(&self) -> TaskKind {
        if self.labels.iter().all(|&label| label.is_nan() || label == 0.0 || label == 1.0) {
            TaskKind::Classification
        } else {
            TaskKind::Regression
        }
    }

    /// The rows whose split is `split`, with the labels of `tasks` only.
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

    /// The labels of a part, as baselines take them.
    pub fn owned_labels(&self, part: &Part, tasks: usize) -> Result<OwnedLabels> {
        Ok(OwnedLabels::from_nan(self.kind(), part.rows, tasks, part.labels.clone())?)
    }
}
