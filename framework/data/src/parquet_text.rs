//! Columns of a Parquet file as text, one row group and a few rows at a time.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::error::{Error, Result};
use crate::parquet_notes::ParquetNotes;

/// The first four bytes of a Parquet file.
pub(crate) const MAGIC: &[u8] = b"PAR1";

pub(crate) const TIME: &str = "a date or time";
const BYTES: &str = "bytes that are no text";
const NOT_UTF8: &str = "text that is not UTF-8";

/// How the values of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Numbers and booleans, by their physical type.
    Plain,
    /// Unsigned integers.
    Unsigned,
    /// 16-bit floating point numbers.
    Half,
    /// Text in UTF-8.
    Utf8,
    /// Bytes that are not marked as text, and may be.
    Unmarked,
    /// A decimal number with this many digits after the point.
    Decimal(usize),
}

/// A Parquet file and its columns that can be written as text.
pub(crate) struct ParquetTable<R: ChunkReader + 'static> {
    path: PathBuf,
    reader: SerializedFileReader<R>,
    names: Vec<String>,
    /// Index of each column in the file, and how its values are written.
    kinds: Vec<(usize, Kind)>,
    unreadable: Vec<(String, &'static str)>,
    index: BTreeSet<String>,
}

impl<R: ChunkReader + 'static> ParquetTable<R> {
    /// Reads the footer of `source`; `path` is named in errors.
    ///
    /// # Errors
    /// [`Error::BadParquet`] if the file is cut short or damaged.
    pub(crate) fn open(path: &Path, source: R) -> Result<Self> {
        let reader = guarded(path, || SerializedFileReader::new(source))?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let notes = ParquetNotes::of(reader.metadata().file_metadata().key_value_metadata());
        let (mut names, mut kinds, mut unreadable) = (Vec::new(), Vec::new(), Vec::<(String, &str)>::new());
        for (index, column) in schema.columns().iter().enumerate() {
            let name = column.path().parts().first().cloned().unwrap_or_default();
            let of_kind = |kind| notes.times.get(&name).map_or(Ok(kind), |what| Err(*what));
            match kind(column).and_then(of_kind) {
                Ok(kind) => {
                    names.push(name);
                    kinds.push((index, kind));
                }
                // The leaves of a nested column count as one.
                Err(_) if unreadable.last().is_some_and(|(last, _)| *last == name) => {}
                Err(what) => unreadable.push((name, what)),
            }
        }
        Ok(Self { path: path.to_owned(), reader, names, kinds, unreadable, index: notes.index })
    }

    /// Names of the columns that can be read.
    pub(crate) fn columns(&self) -> &[String] {
        &self.names
    }

    /// Columns that cannot be written as text, and what they are.
    pub(crate) fn unreadable(&self) -> &[(String, &'static str)] {
        &self.unreadable
    }

    /// Columns that are the index of the data frame that was written.
    pub(crate) fn index(&self) -> &BTreeSet<String> {
        &self.index
    }

    /// All texts of a column of [`columns`](Self::columns), or what it holds if it is not marked as text and is none.
    ///
    /// # Errors
    /// [`Error::BadParquet`].
    pub(crate) fn whole_column(&self, column: usize) -> Result<Result<Vec<String>, &'static str>> {
        let marked = self.kinds[column].1 != Kind::Unmarked;
        let mut all = Vec::new();
        for group in 0..self.groups() {
            let mut texts = self.texts(group, column)?;
            loop {
                match texts.next_batch(1 << 14) {
                    Ok(Some(batch)) => all.extend(batch),
                    Ok(None) => break,
                    Err(_) if !marked && texts.is_binary => return Ok(Err(BYTES)),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(Ok(all))
    }

    /// Number of rows that the footer states.
    pub(crate) fn rows(&self) -> usize {
        usize::try_from(self.reader.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// Number of row groups.
    pub(crate) fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// The texts of a column of [`columns`](Self::columns) in a row group.
    ///
    /// # Errors
    /// [`Error::BadParquet`].
    pub(crate) fn texts(&self, group: usize, column: usize) -> Result<Texts> {
        let (index, kind) = self.kinds[column];
        let reader = guarded(&self.path, || self.reader.get_row_group(group)?.get_column_reader(index))?;
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let optional = schema.column(index).max_def_level() > 0;
        let (path, name) = (self.path.clone(), self.names[column].clone());
        Ok(Texts { path, name, reader, kind, optional, is_binary: false })
    }
}

/// The texts of one column in one row group, read in order.
pub(crate) struct Texts {
    path: PathBuf,
    name: String,
    reader: ColumnReader,
    kind: Kind,
    optional: bool,
    /// Whether a value was no text.
    is_binary: bool,
}

impl Texts {
    /// The next texts, at most `count` and at least one; `None` at the end. Nulls and NaN are empty.
    ///
    /// # Errors
    /// [`Error::BadParquet`].
    pub(crate) fn next_batch(&mut self, count: usize) -> Result<Option<Vec<String>>> {
        let path = self.path.clone();
        let texts = guarded(&path, || Ok(self.batch(count)))?;
        self.is_binary |= texts.as_ref().is_err_and(|reason| reason == NOT_UTF8);
        let texts = texts.map_err(|reason| Error::BadParquet {
            reason: format!("column \"{}\": {reason}", self.name),
            path,
        })?;
        Ok(Some(texts).filter(|texts| !texts.is_empty()))
    }

    /// The next texts, empty at the end; the error says what is wrong.
    fn batch(&mut self, count: usize) -> Result<Vec<String>, String> {
        let (kind, optional) = (self.kind, self.optional);
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => {
                batch(reader, count, optional, |value: &bool| Ok(value.to_string()))
            }
            ColumnReader::Int32ColumnReader(reader) => batch(reader, count, optional, |value: &i32| {
                Ok(match kind {
                    Kind::Unsigned => value.cast_unsigned().to_string(),
                    _ => integer(i128::from(*value), kind),
                })
            }),
            ColumnReader::Int64ColumnReader(reader) => batch(reader, count, optional, |value: &i64| {
                Ok(match kind {
                    Kind::Unsigned => value.cast_unsigned().to_string(),
                    _ => integer(i128::from(*value), kind),
                })
            }),
            ColumnReader::FloatColumnReader(reader) => {
                batch(reader, count, optional, |value: &f32| Ok(number(*value)))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                batch(reader, count, optional, |value: &f64| Ok(number(*value)))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                batch(reader, count, optional, |value: &ByteArray| bytes(value.data(), kind))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                batch(reader, count, optional, |value: &FixedLenByteArray| bytes(value.data(), kind))
            }
            ColumnReader::Int96ColumnReader(_) => Err("a time stamp".to_owned()),
        }
    }
}

/// Runs `work`; the Parquet reader reports some damage as an error and some as a panic.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T> {
    let damaged = |reason| Error::BadParquet { path: path.to_owned(), reason };
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| damaged(error.to_string())),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(damaged(text.unwrap_or_else(|| "the reader failed".to_owned())))
        }
    }
}

/// How a column is written, or why it cannot be.
fn kind(column: &ColumnDescriptor) -> Result<Kind, &'static str> {
    let nested = column.path().parts().len() > 1 || column.max_rep_level() > 0;
    if nested || column.self_type().get_basic_info().repetition() == Repetition::REPEATED {
        return Err("a nested column");
    }
    let converted = column.converted_type();
    if let Some(logical) = column.logical_type_ref() {
        match logical {
            LogicalType::Date | LogicalType::Time { .. } | LogicalType::Timestamp { .. } => return Err(TIME),
            LogicalType::Float16 => return Ok(Kind::Half),
            LogicalType::String | LogicalType::Enum | LogicalType::Json => return Ok(Kind::Utf8),
            LogicalType::Uuid | LogicalType::Bson => return Err(BYTES),
            _ => {}
        }
    }
    match (column.physical_type(), converted) {
        (_, ConvertedType::DECIMAL) => Ok(Kind::Decimal(usize::try_from(column.type_scale()).unwrap_or(0))),
        (Physical::INT96, _)
        | (
            _,
            ConvertedType::DATE
            | ConvertedType::TIME_MILLIS
            | ConvertedType::TIME_MICROS
            | ConvertedType::TIMESTAMP_MILLIS
            | ConvertedType::TIMESTAMP_MICROS
            | ConvertedType::INTERVAL,
        ) => Err(TIME),
        (Physical::BYTE_ARRAY, ConvertedType::BSON) | (Physical::FIXED_LEN_BYTE_ARRAY, _) => Err(BYTES),
        // Some writers do not mark their text as text.
        (Physical::BYTE_ARRAY, ConvertedType::NONE) => Ok(Kind::Unmarked),
        (Physical::BYTE_ARRAY, _) => Ok(Kind::Utf8),
        (
            _,
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64,
        ) => Ok(Kind::Unsigned),
        _ => Ok(Kind::Plain),
    }
}

/// The next values of a column as texts, with nulls as empty texts; no texts at the end.
fn batch<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    optional: bool,
    text: impl Fn(&T::T) -> Result<String, String>,
) -> Result<Vec<String>, String> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let (records, ..) = reader
        .read_records(count, optional.then_some(&mut levels), None, &mut values)
        .map_err(|error| error.to_string())?;
    if !optional {
        return values.iter().map(text).collect();
    }
    let mut values = values.iter();
    let of = |level: &i16| match level {
        0 => Ok(String::new()),
        _ => values.next().map_or_else(|| Err("a value is missing".to_owned()), &text),
    };
    levels.iter().take(records).map(of).collect()
}

/// Shortest text that reads back as the number; NaN, which most writers use for a missing number, is empty.
fn number(value: impl Into<f64> + std::fmt::Display + Copy) -> String {
    if value.into().is_nan() { String::new() } else { value.to_string() }
}

fn integer(value: i128, kind: Kind) -> String {
    let Kind::Decimal(scale @ 1..) = kind else { return value.to_string() };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, rest) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{rest}", if value < 0 { "-" } else { "" })
}

fn bytes(value: &[u8], kind: Kind) -> Result<String, String> {
    match kind {
        Kind::Decimal(_) if value.len() > 16 => Err("a decimal number of more than 38 digits".to_owned()),
        Kind::Decimal(_) => {
            let negative = value.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1_i128 } else { 0 };
            Ok(integer(value.iter().fold(start, |number, byte| number << 8 | i128::from(*byte)), kind))
        }
        Kind::Half => match value {
            &[low, high] => Ok(number(half_to_f32(u16::from_le_bytes([low, high])))),
            _ => Err("a 16-bit number has other than 2 bytes".to_owned()),
        },
        _ => String::from_utf8(value.to_vec()).map_err(|_| NOT_UTF8.to_owned()),
    }
}

/// Converts a 16-bit floating point number of IEEE 754 (binary16).
fn half_to_f32(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use parquet::data_type::{
        BoolType, ByteArrayType, DoubleType, FixedLenByteArrayType, Int32Type, Int64Type,
    };
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::parser::parse_message_type;

    use super::*;

    fn column<T: DataType>(
        group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
        values: &[T::T],
        levels: Option<&[i16]>,
        repeats: Option<&[i16]>,
    ) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, levels, repeats).unwrap();
        column.close().unwrap();
    }

    /// Two row groups of three rows each, with a column of every kind.
    pub(crate) fn example() -> Vec<u8> {
        let schema = parse_message_type(
            "message table {
                optional binary smiles (STRING);
                optional boolean active;
                optional double value;
                required int32 small (INTEGER(8, false));
                optional int32 price (DECIMAL(9, 2));
                optional fixed_len_byte_array(3) wide (DECIMAL(6, 3));
                required fixed_len_byte_array(2) half (FLOAT16);
                required binary untyped;
                required int64 day (TIMESTAMP(MILLIS, true));
                repeated int64 list;
            }",
        )
        .unwrap();
        let properties = WriterProperties::builder().build();
        let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties.into()).unwrap();
        let text =
            |texts: &[&'static str]| texts.iter().map(|text| ByteArray::from(*text)).collect::<Vec<_>>();
        for _ in 0..2 {
            let mut group = writer.next_row_group().unwrap();
            column::<ByteArrayType>(&mut group, &text(&["CC", "CCO"]), Some(&[1, 0, 1]), None);
            column::<BoolType>(&mut group, &[true, false], Some(&[1, 1, 0]), None);
            column::<DoubleType>(&mut group, &[0.1, f64::NAN], Some(&[1, 1, 0]), None);
            column::<Int32Type>(&mut group, &[1, 255, -56], None, None);
            column::<Int32Type>(&mut group, &[-5, 1234], Some(&[1, 0, 1]), None);
            let wide = [vec![0xff, 0xff, 0xfe], vec![0, 0x30, 0x39]];
            let wide = wide.map(|bytes| FixedLenByteArray::from(ByteArray::from(bytes)));
            column::<FixedLenByteArrayType>(&mut group, &wide, Some(&[1, 1, 0]), None);
            let half = [0x3c00_u16, 0xc580, 0x0001].map(|bits| bits.to_le_bytes().to_vec());
            let half = half.map(|bytes| FixedLenByteArray::from(ByteArray::from(bytes)));
            column::<FixedLenByteArrayType>(&mut group, &half, None, None);
            column::<ByteArrayType>(&mut group, &text(&["x", "", "z"]), None, None);
            column::<Int64Type>(&mut group, &[1, 2, 3], None, None);
            column::<Int64Type>(&mut group, &[7, 8, 9], Some(&[1, 1, 1]), Some(&[0, 0, 0]));
            group.close().unwrap();
        }
        writer.into_inner().unwrap()
    }

    fn open(bytes: Vec<u8>) -> Result<ParquetTable<bytes::Bytes>> {
        ParquetTable::open(Path::new("made-up.parquet"), bytes::Bytes::from(bytes))
    }

    fn texts(table: &ParquetTable<bytes::Bytes>, group: usize, column: usize) -> Result<Vec<String>> {
        let (mut all, mut texts) = (Vec::new(), table.texts(group, column)?);
        while let Some(batch) = texts.next_batch(2)? {
            all.extend(batch);
        }
        Ok(all)
    }

    #[test]
    fn every_kind_of_column_becomes_text_or_is_told() {
        let table = open(example()).unwrap();
        assert_eq!((table.rows(), table.groups()), (6, 2));
        let expected: [(&str, [&str; 3]); 8] = [
            ("smiles", ["CC", "", "CCO"]),
            ("active", ["true", "false", ""]),
            ("value", ["0.1", "", ""]),
            ("small", ["1", "255", "4294967240"]),
            ("price", ["-0.05", "", "12.34"]),
            ("wide", ["-0.002", "12.345", ""]),
            ("half", ["1", "-5.5", "0.000000059604645"]),
            ("untyped", ["x", "", "z"]),
        ];
        for (index, (name, values)) in expected.into_iter().enumerate() {
            assert_eq!(table.columns()[index], name);
            for group in 0..2 {
                assert_eq!(texts(&table, group, index).unwrap(), values, "{name}");
            }
        }
        let unreadable = [("day".to_owned(), "a date or time"), ("list".to_owned(), "a nested column")];
        assert_eq!(table.unreadable(), unreadable);
    }

    #[test]
    fn damage_is_an_error_that_names_the_file() {
        let whole = example();
        for length in [4, 8, 100, whole.len() / 2, whole.len() - 1] {
            let error = open(whole[..length].to_vec()).err().unwrap();
            assert_eq!(error.code(), "E-DATA-023");
            assert!(error.to_string().contains("made-up.parquet: not a sound Parquet file"), "{error}");
        }
        // A changed byte may go unseen, but whatever is read, nothing panics.
        for index in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[index] ^= 0x55;
            let Ok(table) = open(damaged) else { continue };
            for (group, column) in
                (0..table.groups()).flat_map(|group| (0..8).map(move |column| (group, column)))
            {
                if column < table.columns().len() {
                    let _ = texts(&table, group, column);
                }
            }
        }
    }
}
