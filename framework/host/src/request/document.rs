//! Reads the files that people write: suites, methods and claims, in TOML.

use std::{io::Read, path::Path};

use molarena_chem::shorten;
use serde::de::DeserializeOwned;
use toml::Value;

use crate::error::{Error, Result};

/// Largest file in bytes. What people write is far smaller.
const LARGEST: u64 = 8 << 20;

/// Reads a file of at most 8 MiB, which may be a pipe.
///
/// # Errors
/// [`Error::Request`] that names the file.
pub fn read(path: &Path) -> Result<String> {
    let file = fs_err::File::open(path).map_err(|error| Error::Request(error.to_string()))?;
    read_from(file, path)
}

/// Reads an open file as [`read`] does.
///
/// # Errors
/// [`Error::Request`] that names `path`.
pub(crate) fn read_from(file: impl Read, path: &Path) -> Result<String> {
    let mut text = String::new();
    file.take(LARGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| Error::Request(format!("{}: cannot be read: {error}", path.display())))?;
    if text.len() as u64 > LARGEST {
        return Err(Error::Request(format!("{}: more than {} MiB", path.display(), LARGEST >> 20)));
    }
    Ok(text)
}

/// Reads a value from TOML. The error quotes the line, but no more of it than people read.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let lines: Vec<_> =
            error.to_string().lines().map(|line| shorten(line, 200, "...").into_owned()).collect();
        lines.join("\n")
    })
}

/// Checks that JSON, which records and plugins are given, has a form for every value of a TOML text.
///
/// # Errors
/// The key of a NaN, an infinity, or a date.
pub(crate) fn check_values(text: &str) -> Result<(), String> {
    let document: toml::Table = parse(text)?;
    let mut left: Vec<(Vec<String>, Value)> = vec![(Vec::new(), Value::Table(document))];
    while let Some((key, value)) = left.pop() {
        match value {
            Value::Table(table) => {
                left.extend(
                    table.into_iter().map(|(name, value)| ([key.as_slice(), &[name]].concat(), value)),
                );
            }
            Value::Array(values) => left.extend(values.into_iter().map(|value| (key.clone(), value))),
            Value::Float(number) if !number.is_finite() => {
                return Err(format!("`{}` is {number}, must be a finite number", key.join(".")));
            }
            Value::Datetime(date) => {
                return Err(format!(
                    "`{}` is the date {date}, must be text, a number or a table",
                    key.join(".")
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_a_form_in_json_are_named() {
        assert_eq!(check_values("a = 1\nb = { c = [1.5, 'x'] }"), Ok(()));
        for (text, message) in [
            ("a = { b = { c = [1.0, nan] } }", "`a.b.c` is NaN, must be a finite number"),
            ("a = -inf", "`a` is -inf, must be a finite number"),
            ("a.b = 2024-01-01", "`a.b` is the date 2024-01-01, must be text, a number or a table"),
        ] {
            assert_eq!(check_values(text).unwrap_err(), message);
        }
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let message = read(Path::new("/dev/zero")).unwrap_err().to_string();
        assert_eq!(message, "/dev/zero: more than 8 MiB");
    }
}
