//! What writers note about columns in the footer of a Parquet file, besides Parquet's own types: pandas which columns are
//! the index, Arrow which integers are durations.

use std::collections::{BTreeMap, BTreeSet};

use parquet::file::metadata::KeyValue;
use serde_json::Value;

use crate::parquet_text::TIME;

const DURATION: &str = "a duration";

/// Notes on columns, by name. A note that cannot be read counts as absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ParquetNotes {
    /// Columns that are the index of a data frame.
    pub(crate) index: BTreeSet<String>,
    /// Columns of times that are stored as numbers, and what they are.
    pub(crate) times: BTreeMap<String, &'static str>,
}

impl ParquetNotes {
    /// The notes in a footer's metadata.
    pub(crate) fn of(metadata: Option<&Vec<KeyValue>>) -> Self {
        let mut notes = Self::default();
        for KeyValue { key, value } in metadata.into_iter().flatten() {
            match (key.as_str(), value) {
                ("pandas", Some(text)) => notes.add_pandas(text),
                ("ARROW:schema", Some(text)) => notes.add_arrow(text),
                _ => {}
            }
        }
        notes
    }

    /// Reads pandas' description of a frame (<https://pandas.pydata.org/docs/development/developer.html>).
    fn add_pandas(&mut self, text: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else { return };
        let members = |name: &str| frame[name].as_array().map(Vec::as_slice).unwrap_or_default();
        // A range is described by an object and has no column.
        self.index.extend(members("index_columns").iter().filter_map(Value::as_str).map(str::to_owned));
        for column in members("columns") {
            let Some(name) = column["field_name"].as_str().or(column["name"].as_str()) else { continue };
            let kind = column["numpy_type"].as_str().unwrap_or_default();
            let what = match kind.split(['[', '<']).next().unwrap_or_default() {
                "timedelta64" => DURATION,
                "datetime64" | "period" => TIME,
                _ => continue,
            };
            self.times.insert(name.to_owned(), what);
        }
    }

    /// Reads Arrow's schema: in base64, a message of Arrow's stream format, which is a flatbuffer.
    fn add_arrow(&mut self, text: &str) {
        let Some(bytes) = from_base64(text) else { return };
        // A message starts with its length, in newer files after four bytes of ones.
        let start = if bytes.starts_with(&[0xff; 4]) { 8 } else { 4 };
        let Some(fields) = bytes.get(start..).and_then(arrow_fields) else { return };
        for (name, kind) in fields {
            let what = match kind {
                8..=10 => TIME,
                11 | 18 => DURATION,
                _ => continue,
            };
            self.times.insert(name, what);
        }
    }
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | digit(byte)?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

/// Name and type of the fields of an Arrow schema, by Schema.fbs and Message.fbs of the Arrow format.
fn arrow_fields(message: &[u8]) -> Option<Vec<(String, u8)>> {
    /// Header of a message that is a schema.
    const SCHEMA: u8 = 1;
    let message = Table { bytes: message, start: u32_at(message, 0)? as usize };
    if *message.bytes.get(message.field(1)?)? != SCHEMA {
        return None;
    }
    let schema = message.table(2)?;
    let fields = schema.follow(schema.field(1)?)?;
    let count = u32_at(schema.bytes, fields)? as usize;
    let mut found = Vec::new();
    for index in 0..count {
        let place = fields.checked_add(4 * (index + 1))?;
        let field = Table { bytes: schema.bytes, start: schema.follow(place)? };
        let (Some(name), Some(kind)) = (field.text(0), field.field(2)) else { continue };
        found.push((name, *field.bytes.get(kind)?));
    }
    Some(found)
}

/// A table of a flatbuffer; every access is checked, since the bytes are a user's.
#[derive(Clone, Copy)]
struct Table<'a> {
    bytes: &'a [u8],
    start: usize,
}

impl Table<'_> {
    /// The place of a field's value; `None` if the field is absent.
    fn field(&self, number: usize) -> Option<usize> {
        let back = u32_at(self.bytes, self.start)?.cast_signed() as isize;
        let fields = self.start.checked_add_signed(back.checked_neg()?)?;
        let entry = 4 + 2 * number;
        if entry + 2 > usize::from(u16_at(self.bytes, fields)?) {
            return None;
        }
        match u16_at(self.bytes, fields.checked_add(entry)?)? {
            0 => None,
            offset => self.start.checked_add(usize::from(offset)),
        }
    }

    /// The place that the offset at `place` points to.
    fn follow(&self, place: usize) -> Option<usize> {
        place.checked_add(u32_at(self.bytes, place)? as usize)
    }

    fn table(&self, number: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes, start: self.follow(self.field(number)?)? })
    }

    fn text(&self, number: usize) -> Option<String> {
        let start = self.follow(self.field(number)?)?;
        let length = u32_at(self.bytes, start)? as usize;
        let text = self.bytes.get(start.checked_add(4)?..)?.get(..length)?;
        String::from_utf8(text.to_vec()).ok()
    }
}

fn u32_at(bytes: &[u8], place: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(place..)?.first_chunk().copied()?))
}

fn u16_at(bytes: &[u8], place: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(place..)?.first_chunk().copied()?))
}
