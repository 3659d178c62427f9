//! SHA-256 in lower-case hex, by which the arena identifies bytes.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::Result;

/// SHA-256 of `bytes`: 64 lower-case hex digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file's bytes, read in blocks: 64 lower-case hex digits.
///
/// # Errors
/// The file cannot be opened or read; the error names it.
pub fn sha256_file(path: impl AsRef<Path>) -> Result<String> {
    let mut file = fs_err::File::open(path.as_ref())?;
    let mut hasher = Hasher::default();
    let mut block = vec![0_u8; 1 << 16];
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&block[..count]);
    }
}

/// A SHA-256 computed piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything added: 64 lower-case hex digits.
    pub fn finish(self) -> String {
        to_hex(&self.0.finalize())
    }
}

fn to_hex(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn hashes_a_published_vector() {
        assert_eq!(sha256_hex(b"abc"), ABC);
        let mut hasher = Hasher::default();
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(hasher.finish(), ABC);
    }

    #[test]
    fn hashes_a_file_and_names_a_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs_err::write(&path, b"abc").unwrap();
        assert_eq!(sha256_file(&path).unwrap(), ABC);
        let error = sha256_file(folder.path().join("absent")).unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
    }
}
