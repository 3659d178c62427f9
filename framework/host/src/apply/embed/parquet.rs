//! Embeddings as Parquet.

use std::path::Path;

use parquet::{
    data_type::{ByteArray, ByteArrayType, FloatType},
    errors::ParquetError,
    schema::parser::parse_message_type,
};

use crate::{
    apply::embed::block::{Block, Values},
    error::Result,
    files::parquet::{Group, ParquetFile, column, rows_and_smiles},
};

/// A file with the columns `row`, `smiles` and the values of each molecule.
pub(super) struct ParquetOutput(ParquetFile);

impl ParquetOutput {
    pub(super) fn create(path: &Path, block: &Block) -> Result<Self> {
        let values = if block.layout().packed {
            "optional binary fingerprint;"
        } else {
            "optional group features (LIST) { repeated group list { required float element; } }"
        };
        let schema =
            format!("message molecules {{ required int64 row; required binary smiles (STRING); {values} }}");
        Ok(Self(ParquetFile::create(path, parse_message_type(&schema))?))
    }

    pub(super) fn write(&mut self, first_row: u64, smiles: &[String], block: &Block) -> Result<()> {
        let rows: Vec<i64> =
            (0..smiles.len()).map(|index| (first_row + index as u64).cast_signed()).collect();
        let width = block.width();
        self.0.group(|group| {
            rows_and_smiles(group, &rows, smiles)?;
            match &block.values {
                Values::Bytes(bytes) if block.layout().packed => {
                    let there = |index: &usize| block.there[*index];
                    let value = |index: usize| bytes[index * width..(index + 1) * width].to_vec().into();
                    let values: Vec<ByteArray> = (0..smiles.len()).filter(there).map(value).collect();
                    let levels: Vec<i16> = block.there.iter().map(|&there| i16::from(there)).collect();
                    column::<ByteArrayType>(group, &values, Some(&levels), None)
                }
                Values::Bytes(bytes) => lists(group, block, |index| f32::from(bytes[index])),
                Values::Numbers(numbers) => lists(group, block, |index| numbers[index]),
            }
        })
    }

    pub(super) fn finish(self) -> Result<()> {
        self.0.finish()
    }
}

/// Writes the rows of a block as lists of numbers; an unreadable row is null.
fn lists(group: &mut Group<'_>, block: &Block, value: impl Fn(usize) -> f32) -> Result<(), ParquetError> {
    let width = block.width();
    let (mut values, mut definition, mut repetition) = (Vec::new(), Vec::new(), Vec::new());
    for (row, &there) in block.there.iter().enumerate() {
        if !there || width == 0 {
            definition.push(0);
            repetition.push(0);
            continue;
        }
        for column in 0..width {
            values.push(value(row * width + column));
            definition.push(2);
            repetition.push(i16::from(column > 0));
        }
    }
    column::<FloatType>(group, &values, Some(&definition), Some(&repetition))
}
