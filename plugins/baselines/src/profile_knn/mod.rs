//! `profile-knn`, an encoder and a decoder: predicts a molecule's profile from similar molecules of the corpus.

mod decoder;
mod encoder;
#[cfg(test)]
mod tests;

use molarena_sdk::{Bits, Error, Result};
use serde::{Deserialize, Serialize};

use crate::state::Header;

pub use decoder::{ProfileDecoder, ProfileDecoderConfig};
pub use encoder::{ProfileEncoder, ProfileEncoderConfig};

const HEADER: Header = Header { name: *b"pknn", version: 1 };

/// What the encoder learns from a corpus. The encoder saves it; encoder and decoder load it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    n_bits: usize,
    rows: usize,
    /// [rows, words of `n_bits` bits].
    words: Vec<u64>,
    spaces: Vec<Space>,
}

/// The molecules' mean profiles in one space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Space {
    name: String,
    columns: usize,
    /// Molecules with a profile.
    molecules: Vec<usize>,
    /// [molecules, columns]; NaN where no profile of the molecule has a value.
    profiles: Vec<f32>,
}

impl Model {
    fn bits(&self) -> Result<Bits<'_>> {
        Bits::new(&self.words, self.rows, self.n_bits)
    }

    fn space(&self, name: &str) -> Result<&Space> {
        self.spaces.iter().find(|space| space.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.spaces.iter().map(|space| space.name.as_str()).collect();
            Error::invalid_argument(format!("no feature space `{name}`; there are: [{}]", known.join(", ")))
        })
    }
}

fn trained<'a>(model: Option<&'a Model>, what: &str) -> Result<&'a Model> {
    model.ok_or_else(|| Error::invalid_argument(format!("`{what}` needs a trained state: name a corpus")))
}
