//! Features in memory and in files, as they are cached and lent to workers.

use std::path::Path;

use molarena_sdk::{Bits, Dense, Graphs, InputKind, Inputs, Smiles};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use ndarray_npy::{NpzReader, NpzWriter};

use crate::{
    array::{flat, select_rows},
    error::{Error, Result},
};

/// Features of n molecules.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// Packed bits.
    Bits {
        /// Number of bits in a row.
        n_bits: usize,
        /// n rows of `n_bits.div_ceil(64)` words.
        words: Vec<u64>,
        /// Number of molecules n.
        rows: usize,
    },
    /// `f32[n, columns]`, row-major.
    Dense {
        /// Number of columns.
        columns: usize,
        /// n x columns values.
        values: Vec<f32>,
        /// Number of molecules n.
        rows: usize,
    },
    /// SMILES.
    Smiles(OwnedSmiles),
    /// Molecular graphs.
    Graphs(OwnedGraphs),
}

/// SMILES of n molecules, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnedSmiles {
    text: String,
    offsets: Vec<i64>,
}

impl OwnedSmiles {
    /// Copies the SMILES, in the given order.
    pub fn new<S: AsRef<str>>(smiles: impl IntoIterator<Item = S>) -> Self {
        let mut this = Self { text: String::new(), offsets: vec![0] };
        for smiles in smiles {
            this.text.push_str(smiles.as_ref());
            this.offsets.push(this.text.len() as i64);
        }
        this
    }

    fn view(&self) -> Smiles<'_> {
        Smiles::new(&self.text, &self.offsets).expect("offsets were made from the text")
    }
}

/// Graphs of n molecules in compressed sparse rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnedGraphs {
    atom_offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atom_features: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    bond_features: Vec<[i8; 3]>,
}

impl OwnedGraphs {
    fn empty() -> Self {
        Self { atom_offsets: vec![0], bond_offsets: vec![0], ..Self::default() }
    }

    fn push(&mut self, atoms: &[[i8; 9]], bonds: &[[u32; 2]], bond_features: &[[i8; 3]]) {
        self.atom_features.extend_from_slice(atoms);
        self.bonds.extend_from_slice(bonds);
        self.bond_features.extend_from_slice(bond_features);
        self.atom_offsets.push(self.atom_features.len() as i64);
        self.bond_offsets.push(self.bonds.len() as i64);
    }

    fn append(&mut self, more: Self) {
        let (atoms, bonds) = (self.atom_features.len() as i64, self.bonds.len() as i64);
        self.atom_offsets.extend(more.atom_offsets[1..].iter().map(|offset| atoms + offset));
        self.bond_offsets.extend(more.bond_offsets[1..].iter().map(|offset| bonds + offset));
        self.atom_features.extend(more.atom_features);
        self.bonds.extend(more.bonds);
        self.bond_features.extend(more.bond_features);
    }

    fn view(&self) -> Graphs<'_> {
        self.checked().expect("graphs were checked when they were made or read")
    }

    fn checked(&self) -> molarena_sdk::Result<Graphs<'_>> {
        Graphs::new(
            &self.atom_offsets,
            &self.bond_offsets,
            &self.atom_features,
            &self.bonds,
            &self.bond_features,
        )
    }
}

impl From<molarena_chem::Graphs> for OwnedGraphs {
    fn from(graphs: molarena_chem::Graphs) -> Self {
        Self {
            atom_offsets: graphs.atom_ptr,
            bond_offsets: graphs.bond_ptr,
            atom_features: graphs.atom_features,
            bonds: graphs.bonds,
            bond_features: graphs.bond_features,
        }
    }
}

impl Features {
    /// Number of molecules n.
    pub fn rows(&self) -> usize {
        match self {
            Self::Bits { rows, .. } | Self::Dense { rows, .. } => *rows,
            Self::Smiles(smiles) => smiles.view().len(),
            Self::Graphs(graphs) => graphs.view().rows(),
        }
    }

    /// Number of columns (bits or values) of a row; `None` for SMILES and graphs.
    pub fn columns(&self) -> Option<usize> {
        match self {
            Self::Bits { n_bits, .. } => Some(*n_bits),
            Self::Dense { columns, .. } => Some(*columns),
            Self::Smiles(_) | Self::Graphs(_) => None,
        }
    }

    /// The borrowed view that a component gets.
    pub fn inputs(&self) -> Inputs<'_> {
        match self {
            Self::Bits { n_bits, words, rows } => {
                Inputs::from_bits(Bits::new(words, *rows, *n_bits).expect("rows x words"))
            }
            Self::Dense { columns, values, rows } => {
                Inputs::from_dense(Dense::new(values, *rows, *columns).expect("rows x columns"))
            }
            Self::Smiles(smiles) => Inputs::from_smiles(smiles.view()),
            Self::Graphs(graphs) => Inputs::from_graphs(graphs.view()),
        }
    }

    /// The features of the molecules `indices`, in that order.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        match self {
            Self::Bits { n_bits, words, .. } => Self::Bits {
                n_bits: *n_bits,
                words: select_rows(words, n_bits.div_ceil(64), indices),
                rows: indices.len(),
            },
            Self::Dense { columns, values, .. } => Self::Dense {
                columns: *columns,
                values: select_rows(values, *columns, indices),
                rows: indices.len(),
            },
            Self::Smiles(smiles) => {
                let view = smiles.view();
                Self::Smiles(OwnedSmiles::new(indices.iter().map(|&index| view.get(index))))
            }
            Self::Graphs(graphs) => {
                let view = graphs.view();
                let mut selected = OwnedGraphs::empty();
                for &index in indices {
                    let bonds = view.bond_range(index);
                    selected.push(
                        &view.atom_features[view.atom_range(index)],
                        &view.bonds[bonds.clone()],
                        &view.bond_features[bonds],
                    );
                }
                Self::Graphs(selected)
            }
        }
    }

    /// Whether each molecule is absent: some of its columns are measured, and were not for it. Absent rows have NaN.
    pub fn absent(&self) -> Vec<bool> {
        match self {
            Self::Dense { columns, values, .. } if *columns > 0 => {
                values.chunks_exact(*columns).map(|row| row.iter().any(|value| value.is_nan())).collect()
            }
            _ => vec![false; self.rows()],
        }
    }

    /// Bits (as 0 and 1) and dense columns of the same molecules side by side.
    ///
    /// # Panics
    /// If a part is of SMILES or graphs, or has another number of molecules than the first.
    #[must_use]
    pub fn beside(parts: &[&Self]) -> Self {
        let rows = parts.first().map_or(0, |part| part.rows());
        let columns = parts.iter().map(|part| part.columns().expect("bits or dense")).sum();
        let mut values = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            for part in parts {
                match part {
                    Self::Bits { n_bits, words, .. } => {
                        let words = &words[row * n_bits.div_ceil(64)..];
                        values.extend((0..*n_bits).map(|bit| (words[bit / 64] >> (bit % 64) & 1) as f32));
                    }
                    Self::Dense { columns, values: part, .. } => {
                        values.extend_from_slice(&part[row * columns..(row + 1) * columns]);
                    }
                    Self::Smiles(_) | Self::Graphs(_) => unreachable!("they have no columns"),
                }
            }
        }
        Self::Dense { columns, values, rows }
    }

    /// Turns bits into dense 0 and 1; leaves other features as they are.
    #[must_use]
    pub fn into_dense(self) -> Self {
        let Self::Bits { n_bits, words, rows } = self else { return self };
        let words_a_row = n_bits.div_ceil(64);
        let bit = |row: usize, bit: usize| (words[row * words_a_row + bit / 64] >> (bit % 64) & 1) as f32;
        let values = (0..rows).flat_map(|row| (0..n_bits).map(move |index| (row, index)));
        let values = values.map(|(row, index)| bit(row, index)).collect();
        Self::Dense { columns: n_bits, values, rows }
    }

    /// Appends the molecules of `other`, which must have the same layout.
    pub fn append(&mut self, other: Self) {
        match (self, other) {
            (
                Self::Bits { n_bits, words, rows },
                Self::Bits { n_bits: other_bits, words: more, rows: others },
            ) if *n_bits == other_bits => {
                words.extend(more);
                *rows += others;
            }
            (
                Self::Dense { columns, values, rows },
                Self::Dense { columns: other_columns, values: more, rows: others },
            ) if *columns == other_columns => {
                values.extend(more);
                *rows += others;
            }
            (Self::Smiles(all), Self::Smiles(more)) => {
                let start = all.text.len() as i64;
                all.text.push_str(&more.text);
                all.offsets.extend(more.offsets[1..].iter().map(|offset| start + offset));
            }
            (Self::Graphs(all), Self::Graphs(more)) => all.append(more),
            _ => unreachable!("features of one spec have one layout"),
        }
    }

    /// Writes the features as an uncompressed `.npz`: arrays `words` and `n_bits`, `values`, `bytes` and `offsets`, or
    /// the five arrays of a graph.
    pub fn write(&self, path: &Path) -> Result<()> {
        let failed = |error: ndarray_npy::WriteNpzError| Error::File {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let mut npz = NpzWriter::new(fs_err::File::create(path)?);
        match self {
            Self::Bits { n_bits, words, rows } => {
                npz.add_array("words", &view(*rows, n_bits.div_ceil(64), words)).map_err(failed)?;
                npz.add_array("n_bits", &Array1::from_vec(vec![*n_bits as u64])).map_err(failed)?;
            }
            Self::Dense { columns, values, rows } => {
                npz.add_array("values", &view(*rows, *columns, values)).map_err(failed)?;
            }
            Self::Smiles(smiles) => {
                npz.add_array("bytes", &ArrayView1::from(smiles.text.as_bytes())).map_err(failed)?;
                npz.add_array("offsets", &ArrayView1::from(&smiles.offsets)).map_err(failed)?;
            }
            Self::Graphs(graphs) => {
                for (name, offsets) in
                    [("atom_offsets", &graphs.atom_offsets), ("bond_offsets", &graphs.bond_offsets)]
                {
                    npz.add_array(name, &ArrayView1::from(offsets)).map_err(failed)?;
                }
                npz.add_array("atom_features", &view_of(&graphs.atom_features)).map_err(failed)?;
                npz.add_array("bonds", &view_of(&graphs.bonds)).map_err(failed)?;
                npz.add_array("bond_features", &view_of(&graphs.bond_features)).map_err(failed)?;
            }
        }
        npz.finish().map_err(failed)?;
        Ok(())
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(path: &Path, kind: InputKind) -> Result<Self> {
        let failed = |message: String| Error::File { path: path.to_owned(), message };
        let wrong = |error: ndarray_npy::ReadNpzError| failed(error.to_string());
        let mut npz = NpzReader::new(fs_err::File::open(path)?).map_err(wrong)?;
        let features = match kind {
            InputKind::Bits => {
                let words: Array2<u64> = npz.by_name("words").map_err(wrong)?;
                let n_bits: Array1<u64> = npz.by_name("n_bits").map_err(wrong)?;
                let n_bits = *n_bits.first().ok_or_else(|| failed("`n_bits` is empty".into()))? as usize;
                if words.ncols() != n_bits.div_ceil(64) {
                    return Err(failed(format!("{} words a row do not hold {n_bits} bits", words.ncols())));
                }
                Self::Bits { n_bits, rows: words.nrows(), words: flat(words) }
            }
            InputKind::Dense => {
                let values: Array2<f32> = npz.by_name("values").map_err(wrong)?;
                Self::Dense { columns: values.ncols(), rows: values.nrows(), values: flat(values) }
            }
            InputKind::Smiles => {
                let bytes: Array1<u8> = npz.by_name("bytes").map_err(wrong)?;
                let offsets: Array1<i64> = npz.by_name("offsets").map_err(wrong)?;
                let text = String::from_utf8(bytes.to_vec()).map_err(|error| failed(error.to_string()))?;
                let smiles = OwnedSmiles { text, offsets: offsets.to_vec() };
                Smiles::new(&smiles.text, &smiles.offsets).map_err(|error| failed(error.to_string()))?;
                Self::Smiles(smiles)
            }
            InputKind::Graphs => {
                let atom_offsets: Array1<i64> = npz.by_name("atom_offsets").map_err(wrong)?;
                let bond_offsets: Array1<i64> = npz.by_name("bond_offsets").map_err(wrong)?;
                let graphs = OwnedGraphs {
                    atom_offsets: atom_offsets.to_vec(),
                    bond_offsets: bond_offsets.to_vec(),
                    atom_features: rows_of(npz.by_name("atom_features").map_err(wrong)?),
                    bonds: rows_of(npz.by_name("bonds").map_err(wrong)?),
                    bond_features: rows_of(npz.by_name("bond_features").map_err(wrong)?),
                };
                graphs.checked().map_err(|error| failed(error.to_string()))?;
                Self::Graphs(graphs)
            }
        };
        Ok(features)
    }
}

fn view<T>(rows: usize, columns: usize, values: &[T]) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, columns), values).expect("rows x columns values")
}

fn view_of<T, const N: usize>(rows: &[[T; N]]) -> ArrayView2<'_, T> {
    view(rows.len(), N, rows.as_flattened())
}

fn rows_of<T: Copy, const N: usize>(matrix: Array2<T>) -> Vec<[T; N]> {
    flat(matrix).as_chunks::<N>().0.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<Features> {
        let mut graphs = OwnedGraphs::empty();
        graphs.push(&[[1; 9], [2; 9]], &[[0, 1]], &[[3; 3]]);
        graphs.push(&[[4; 9]], &[], &[]);
        graphs.push(&[[5; 9], [6; 9], [7; 9]], &[[0, 1], [1, 2]], &[[8; 3], [9; 3]]);
        vec![
            Features::Bits { n_bits: 128, words: (0..6).collect(), rows: 3 },
            Features::Dense { columns: 2, values: (0..6).map(|i| i as f32).collect(), rows: 3 },
            Features::Smiles(OwnedSmiles::new(["CC", "", "C"])),
            Features::Graphs(graphs),
        ]
    }

    fn kind(features: &Features) -> InputKind {
        match features {
            Features::Bits { .. } => InputKind::Bits,
            Features::Dense { .. } => InputKind::Dense,
            Features::Smiles(_) => InputKind::Smiles,
            Features::Graphs(_) => InputKind::Graphs,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for features in examples() {
            let path = folder.path().join("x.npz");
            features.write(&path).unwrap();
            assert_eq!(Features::read(&path, kind(&features)).unwrap(), features);
        }
    }

    #[test]
    fn rows_are_selected_in_order() {
        for features in examples() {
            let twice = features.select(&[2, 0, 1]).select(&[1, 2, 0]);
            assert_eq!(twice, features);
            assert_eq!(features.select(&[1]).rows(), 1);
            assert_eq!(features.inputs().rows, 3);
        }
    }

    #[test]
    fn rows_with_a_missing_value_are_absent() {
        for features in examples() {
            assert_eq!(features.absent(), [false; 3]);
        }
        let dense = Features::Dense {
            columns: 2,
            values: vec![1.0, 2.0, f32::NAN, f32::NAN, 0.0, f32::NAN],
            rows: 3,
        };
        assert_eq!(dense.absent(), [false, true, true]);
    }

    #[test]
    fn parts_make_the_whole_again() {
        for features in examples() {
            let mut joined = features.select(&[0]);
            joined.append(features.select(&[1, 2]));
            assert_eq!(joined, features);
        }
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged.npz");
        fs_err::write(&path, b"PK not really").unwrap();
        let error = Features::read(&path, InputKind::Bits).unwrap_err();
        assert!(error.to_string().contains("damaged.npz"), "{error}");
    }
}
