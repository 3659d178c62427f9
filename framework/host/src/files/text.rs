//! Text of outputs.

use std::{borrow::Cow, path::Path};

use molarena_chem::{MAX_SMILES_BYTES, shorten};

/// Characters that outputs repeat of a SMILES that is too long to be one; it is known by its row.
const KEPT: usize = 200;

/// The SMILES, or the beginning of one that is too long to be read.
pub(crate) fn repeated(smiles: &str) -> Cow<'_, str> {
    if smiles.len() > MAX_SMILES_BYTES { shorten(smiles, KEPT, "...") } else { smiles.into() }
}

/// A path as a word of a command for a shell: in quotes if it must be.
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_for_a_shell_are_quoted() {
        for (path, word) in [("/a/b-c.d", "/a/b-c.d"), ("/a b", "'/a b'"), ("/it's", r"'/it'\''s'")] {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }
}
