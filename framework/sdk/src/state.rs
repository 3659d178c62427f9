//! Fitted models as bytes: eight bytes that name the model and its version, then postcard.

use crate::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};

/// Name and version of a stored model.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Four letters.
    pub name: [u8; 4],
    /// Version of the stored type; raise it with every change of that type.
    pub version: u32,
}

impl Header {
    /// The model as bytes.
    pub fn save<T: Serialize>(self, model: &T) -> Result<Vec<u8>> {
        let mut bytes = self.name.to_vec();
        bytes.extend(self.version.to_le_bytes());
        postcard::to_extend(model, bytes)
            .map_err(|error| Error::internal(format!("state could not be written: {error}")))
    }

    /// The model from bytes of the same name and version.
    pub fn load<T: DeserializeOwned>(self, state: &[u8]) -> Result<T> {
        let name = String::from_utf8_lossy(&self.name).into_owned();
        let Some((head, body)) = state.split_at_checked(8).filter(|(head, _)| head[..4] == self.name) else {
            return Err(Error::data(format!("state is not a stored `{name}` model")));
        };
        let version = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if version != self.version {
            return Err(Error::data(format!(
                "state of `{name}` has version {version}, this plugin reads version {}",
                self.version
            )));
        }
        postcard::from_bytes(body)
            .map_err(|error| Error::data(format!("state of `{name}` is damaged: {error}")))
    }
}

/// The model, or an error that says what `method` needs.
pub fn fitted<'a, T>(model: Option<&'a T>, method: &str) -> Result<&'a T> {
    model.ok_or_else(|| Error::invalid_argument(format!("`{method}` needs `fit` or `load` first")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header { name: *b"test", version: 2 };

    #[test]
    fn round_trip_and_refusals() {
        let bytes = HEADER.save(&vec![1.5f32, -2.0]).unwrap();
        assert_eq!(HEADER.load::<Vec<f32>>(&bytes).unwrap(), [1.5, -2.0]);
        let message = |bytes: &[u8]| HEADER.load::<Vec<f32>>(bytes).unwrap_err().to_string();
        assert_eq!(message(b"tes"), "state is not a stored `test` model");
        assert_eq!(message(b"abcd\x02\0\0\0"), "state is not a stored `test` model");
        assert_eq!(message(b"test\x01\0\0\0"), "state of `test` has version 1, this plugin reads version 2");
        assert!(message(&bytes[..bytes.len() - 1]).starts_with("state of `test` is damaged"));
    }
}
