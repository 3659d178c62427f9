//! Reads record files, and tells damage from a later version.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    error::{Error, Result},
    files::plain::read_stored,
};

/// What a record's file turned out to be.
#[derive(Debug)]
pub(crate) enum Found<T> {
    /// A valid record that fits its name.
    Record(T),
    /// There is no such file.
    Nothing,
    /// Not a record, or not the one that the name says.
    Damaged(String),
    /// A later version of molarena wrote it.
    Newer(String),
}

impl<T> Found<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Record(record) => Found::Record(change(record)),
            Self::Nothing => Found::Nothing,
            Self::Damaged(why) => Found::Damaged(why),
            Self::Newer(why) => Found::Newer(why),
        }
    }

    /// Becomes [`Self::Damaged`] if `check` finds something wrong.
    pub(crate) fn checked(self, check: impl FnOnce(&T) -> Result<(), String>) -> Self {
        match self {
            Self::Record(record) => match check(&record) {
                Ok(()) => Self::Record(record),
                Err(why) => Self::Damaged(why),
            },
            other => other,
        }
    }
}

/// Reads the record in `path` whose schema is `schema`, such as `molarena.record/1`. Members that this version does not
/// know are ignored.
///
/// # Errors
/// The file exists but cannot be read.
pub(crate) fn read_record<T: DeserializeOwned>(path: &Path, schema: &str) -> Result<Found<T>> {
    let bytes = match read_stored(path) {
        Ok(bytes) => bytes,
        Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        // A folder or a FIFO is no record.
        Err(Error::Store { message, .. }) => return Ok(Found::Damaged(message)),
        Err(error) => return Err(error),
    };
    Ok(parse(&bytes, schema))
}

/// Whether a JSON object's first member is `schema` with this value, as in all records that molarena writes.
fn begins_with(bytes: &[u8], schema: &str) -> bool {
    let value = format!("\"{schema}\"");
    let parts = ["{", "\"schema\"", ":", value.as_str()];
    parts
        .into_iter()
        .try_fold(bytes, |rest, part| rest.trim_ascii_start().strip_prefix(part.as_bytes()))
        .is_some()
}

fn parse<T: DeserializeOwned>(bytes: &[u8], schema: &str) -> Found<T> {
    if begins_with(bytes, schema)
        && let Ok(record) = serde_json::from_slice(bytes)
    {
        return Found::Record(record);
    }
    // What is wrong with it is told from the parsed text.
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return Found::Damaged(error.to_string()),
    };
    let found = value["schema"].as_str().unwrap_or_default();
    if found != schema {
        return match (version(found), version(schema)) {
            (Some((name, number)), Some((known, last))) if name == known && number > last => {
                Found::Newer(format!(
                    "its schema is \"{found}\", this molarena reads up to \"{schema}\": a later version wrote it; update molarena"
                ))
            }
            _ => Found::Damaged(format!("schema is {}, expected \"{schema}\"", value["schema"])),
        };
    }
    match serde_json::from_value(value) {
        Ok(record) => Found::Record(record),
        Err(error) => Found::Damaged(error.to_string()),
    }
}

fn version(schema: &str) -> Option<(&str, u32)> {
    let (name, number) = schema.rsplit_once('/')?;
    Some((name, number.parse().ok()?))
}

/// The record, if work can build on it. A damaged one is reported through `tell` and counts as missing; one
/// of a later version is an error.
///
/// # Errors
/// [`Error::Store`] for a record of a later version.
pub(crate) fn usable<T>(found: Found<T>, path: &Path, tell: &dyn Fn(String)) -> Result<Option<T>> {
    match found {
        Found::Record(record) => Ok(Some(record)),
        Found::Nothing => Ok(None),
        Found::Damaged(why) => {
            tell(format!("{}: {why}; it counts as missing", path.display()));
            Ok(None)
        }
        Found::Newer(message) => Err(Error::Store { path: path.to_owned(), message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Found<Value> {
        parse(text.as_bytes(), "molarena.record/2")
    }

    #[test]
    fn a_later_version_is_told_from_damage() {
        assert!(matches!(found(r#"{"schema":"molarena.record/2","new":1}"#), Found::Record(_)));
        assert!(matches!(found(r#"{"schema":"molarena.record/3"}"#), Found::Newer(_)));
        for damaged in [r#"{"schema":"molarena.record/1"}"#, r#"{"schema":"other/3"}"#, "{}", "{", "7"] {
            assert!(matches!(found(damaged), Found::Damaged(_)), "{damaged}");
        }
    }
}
