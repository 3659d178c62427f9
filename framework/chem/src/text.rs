//! Text that is cut to a length.

use std::borrow::Cow;

/// Characters of a SMILES that messages show.
const SHOWN: usize = 80;

/// At most the first `most` characters; `mark` follows where more were cut.
pub fn shorten<'a>(text: &'a str, most: usize, mark: &str) -> Cow<'a, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}{mark}", &text[..end]).into(),
        None => text.into(),
    }
}

/// A SMILES as messages show it.
pub fn shorten_smiles(smiles: &str) -> String {
    shorten(smiles, SHOWN, "...").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shorten_smiles("CCO"), "CCO");
        assert_eq!(shorten_smiles(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(shorten_smiles(&"é".repeat(81)), format!("{}...", "é".repeat(80)));
        assert_eq!(shorten("", 0, "…"), "");
    }
}
