//! The wording of errors about unknown names.

use std::fmt::Display;

/// Smallest Jaro-Winkler similarity of a suggestion; 1 is equality.
const SIMILAR: f64 = 0.8;

/// Names as a sentence lists them: `a, b or c`.
pub(crate) fn listed<T: Display>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => names.concat(),
    }
}

/// The value of the spelling most similar to `name`, if one is similar enough; the first of equally similar
/// ones. Case and the separator between words do not matter.
pub(crate) fn closest<T>(name: &str, spellings: impl IntoIterator<Item = (&'static str, T)>) -> Option<T> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let name = plain(name);
    let mut best = None;
    for (spelling, value) in spellings {
        let similarity = strsim::jaro_winkler(&name, &plain(spelling));
        if best.as_ref().is_none_or(|(highest, _)| similarity > *highest) {
            best = Some((similarity, value));
        }
    }
    best.filter(|(similarity, _)| *similarity >= SIMILAR).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!(listed::<&str>(&[]), "");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b"]), "a or b");
        assert_eq!(listed(&["a", "b", "c"]), "a, b or c");
    }

    #[test]
    fn the_most_similar_spelling_is_found() {
        let spellings = [("probability", 1), ("hard", 2)];
        assert_eq!(closest("Probabilities", spellings), Some(1));
        assert_eq!(closest("HARD", spellings), Some(2));
        assert_eq!(closest("soft", spellings), None);
        assert_eq!(closest("", spellings), None);
    }
}
