//! Tables of named columns, as CSV or Parquet.

use std::{path::Path, sync::Arc};

use parquet::{
    basic::{LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type},
    errors::ParquetError,
    schema::types::Type,
};

use crate::{
    error::{Error, Result},
    files::parquet::{ParquetFile, column},
};

/// A table whose columns all have the same number of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<(String, Values)>,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Text.
    Text(Vec<String>),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Numbers, some of which are missing.
    Numbers(Vec<Option<f64>>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Numbers(values) => values.len(),
        }
    }

    fn cell(&self, row: usize) -> String {
        match self {
            Self::Text(values) => values[row].clone(),
            Self::Integers(values) => values[row].to_string(),
            Self::Numbers(values) => values[row].map(number).unwrap_or_default(),
        }
    }
}

/// The shortest decimal that reads back as the same number, `1e-38` where it would be long.
fn number(value: f64) -> String {
    let size = value.abs();
    let plain = value == 0.0 || (1e-5..1e15).contains(&size);
    if plain { value.to_string() } else { format!("{value:e}") }
}

impl Table {
    /// Adds a column.
    ///
    /// # Panics
    /// If it has another number of rows than the columns before, or a name that is there.
    #[must_use]
    pub fn with(mut self, name: &str, values: Values) -> Self {
        assert!(self.columns.is_empty() || self.rows() == values.len(), "{name} has another number of rows");
        assert!(self.columns.iter().all(|(known, _)| known != name), "{name} is there");
        self.columns.push((name.to_owned(), values));
        self
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    /// The table as CSV.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|(name, _)| name)).expect("a Vec takes every write");
        for row in 0..self.rows() {
            let cells = self.columns.iter().map(|(_, values)| values.cell(row));
            writer.write_record(cells).expect("a Vec takes every write");
        }
        let bytes = writer.into_inner().expect("a Vec takes every write");
        String::from_utf8(bytes).expect("every cell is UTF-8")
    }

    /// Writes a Parquet file if the name ends in `.parquet`, else CSV; the file has its name once it is complete.
    ///
    /// # Errors
    /// Errors of writing.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = std::path::PathBuf::from(partial);
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet")) {
            self.write_parquet(&partial)?;
        } else {
            fs_err::write(&partial, self.to_csv())?;
        }
        Ok(fs_err::rename(partial, path)?)
    }

    fn write_parquet(&self, path: &Path) -> Result<()> {
        let mut file = ParquetFile::create(path, self.schema())?;
        file.group(|group| {
            for (_, values) in &self.columns {
                match values {
                    Values::Text(values) => {
                        let texts: Vec<ByteArray> =
                            values.iter().map(|text| text.as_bytes().to_vec().into()).collect();
                        column::<ByteArrayType>(group, &texts, None, None)?;
                    }
                    Values::Integers(values) => column::<Int64Type>(group, values, None, None)?,
                    Values::Numbers(values) => {
                        let known: Vec<f64> = values.iter().copied().flatten().collect();
                        let levels: Vec<i16> =
                            values.iter().map(|value| i16::from(value.is_some())).collect();
                        column::<DoubleType>(group, &known, Some(&levels), None)?;
                    }
                }
            }
            Ok(())
        })?;
        file.finish()
    }

    fn schema(&self) -> Result<Type, ParquetError> {
        let field = |(name, values): &(String, Values)| {
            let (physical, repetition) = match values {
                Values::Text(_) => (Physical::BYTE_ARRAY, Repetition::REQUIRED),
                Values::Integers(_) => (Physical::INT64, Repetition::REQUIRED),
                Values::Numbers(_) => (Physical::DOUBLE, Repetition::OPTIONAL),
            };
            let text = matches!(values, Values::Text(_)).then_some(LogicalType::String);
            let field = Type::primitive_type_builder(name, physical).with_logical_type(text);
            Ok(Arc::new(field.with_repetition(repetition).build()?))
        };
        let fields = self.columns.iter().map(field).collect::<Result<_, ParquetError>>()?;
        Type::group_type_builder("table").with_fields(fields).build()
    }
}

/// The error of an output that is neither CSV nor Parquet.
///
/// # Errors
/// [`Error::Request`] unless the name ends in `.csv` or `.parquet`.
pub fn check_table_name(path: &Path) -> Result<()> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    if extension == "csv" || extension == "parquet" {
        return Ok(());
    }
    Err(Error::Request(format!("{}: end the output's name in .csv or .parquet", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::default()
            .with("name", Values::Text(vec!["a,b".into(), "\"c\"".into()]))
            .with("row", Values::Integers(vec![1, -2]))
            .with("value", Values::Numbers(vec![Some(0.1), None]))
    }

    #[test]
    fn csv_quotes_what_it_must() {
        assert_eq!(table().to_csv(), "name,row,value\n\"a,b\",1,0.1\n\"\"\"c\"\"\",-2,\n");
        assert_eq!([1e-38, 0.0, -2.5, 1e30].map(number), ["1e-38", "0", "-2.5", "1e30"]);
    }

    #[test]
    fn parquet_holds_the_same() {
        use parquet::file::reader::{FileReader, SerializedFileReader};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        table().write(&path).unwrap();
        let reader = SerializedFileReader::new(fs_err::File::open(&path).unwrap().into_parts().0).unwrap();
        let rows: Vec<String> =
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(rows, ["{name: \"a,b\", row: 1, value: 0.1}", "{name: \"\"c\"\", row: -2, value: null}"]);
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1, "no unfinished file is left");
    }

    #[test]
    fn other_names_are_refused() {
        assert!(check_table_name(Path::new("a.CSV")).is_ok());
        assert!(check_table_name(Path::new("a.xlsx")).is_err());
    }
}
