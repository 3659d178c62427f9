//! Parquet files, written a row group at a time.

use std::{path::Path, sync::Arc};

use parquet::{
    basic::{Compression, Repetition, Type as Physical, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DataType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::{parser::parse_message_type, types::Type},
};

use crate::{
    error::{Error, Result},
    files::text::repeated,
};

pub(crate) type Group<'a> = SerializedRowGroupWriter<'a, std::fs::File>;

/// A Parquet file that is being written.
pub(crate) struct ParquetFile {
    path: std::path::PathBuf,
    writer: SerializedFileWriter<std::fs::File>,
}

impl ParquetFile {
    /// Creates a file with the columns of `schema`.
    pub(crate) fn create(path: &Path, schema: Result<Type, ParquetError>) -> Result<Self> {
        let failed = |error: ParquetError| refused(path, &error);
        let schema = Arc::new(schema.map_err(failed)?);
        let compression = Compression::ZSTD(ZstdLevel::default());
        let properties =
            WriterProperties::builder().set_compression(compression).set_dictionary_enabled(false).build();
        let file = fs_err::File::create(path)?.into_parts().0;
        let writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), writer })
    }

    /// Adds a row group, whose columns `fill` writes in order.
    pub(crate) fn group(
        &mut self,
        fill: impl FnOnce(&mut Group<'_>) -> Result<(), ParquetError>,
    ) -> Result<()> {
        let written = self.writer.next_row_group().and_then(|mut group| {
            fill(&mut group)?;
            group.close()
        });
        written.map(|_| ()).map_err(|error| refused(&self.path, &error))
    }

    /// Completes the file.
    pub(crate) fn finish(self) -> Result<()> {
        let path = self.path;
        self.writer.close().map(|_| ()).map_err(|error| refused(&path, &error))
    }
}

fn refused(path: &Path, error: &ParquetError) -> Error {
    Error::Io(std::io::Error::other(format!("{}: {error}", path.display())))
}

/// Writes the next column of a row group, with Parquet's definition and repetition levels.
pub(crate) fn column<T: DataType>(
    group: &mut Group<'_>,
    values: &[T::T],
    definition: Option<&[i16]>,
    repetition: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let none_left = || ParquetError::General("the schema has fewer columns".into());
    let mut column = group.next_column()?.ok_or_else(none_left)?;
    column.typed::<T>().write_batch(values, definition, repetition)?;
    column.close()
}

/// A schema of the columns `row` and `smiles` and an optional float column for each of `names`.
pub(crate) fn rows_smiles_and(names: &[String]) -> Result<Type, ParquetError> {
    let first = parse_message_type("message table { required int64 row; required binary smiles (STRING); }")?;
    let mut fields = first.get_fields().to_vec();
    for name in names {
        let number = Type::primitive_type_builder(name, Physical::FLOAT);
        fields.push(Arc::new(number.with_repetition(Repetition::OPTIONAL).build()?));
    }
    Type::group_type_builder("table").with_fields(fields).build()
}

/// Writes the columns `row` and `smiles`.
pub(crate) fn rows_and_smiles(
    group: &mut Group<'_>,
    rows: &[i64],
    smiles: &[String],
) -> Result<(), ParquetError> {
    column::<Int64Type>(group, rows, None, None)?;
    let texts: Vec<ByteArray> = smiles.iter().map(|text| repeated(text).as_bytes().to_vec().into()).collect();
    column::<ByteArrayType>(group, &texts, None, None)
}
