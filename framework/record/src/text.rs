//! Text of others made visible: what a plugin, a worker or a file says, before it reaches a terminal, a board, a page
//! or a log.
//!
//! A control character, an escape sequence or a change of writing direction in such a text could hide, forge or
//! rewrite what stands around it. Here each of them becomes an escape such as `\u{1b}`. Text without them stays as it
//! is, and what was made visible once does not change again.
//!
//! [`visible`] is for a text within a line, [`visible_lines`] for one whose lines remain, [`visible_bytes`] for bytes
//! that should be text, and [`visible_json`] for JSON, whose values stay the same. The host applies them to all that
//! comes from a worker; the program applies them again to all that it prints, and so do boards and plots, because a
//! record may be of an earlier version or of somebody else.

use std::{borrow::Cow, fmt::Write as _};

/// Whether a terminal or a browser does something else with the character than show it: controls, marks of writing
/// direction, separators of lines, and characters without width.
pub const fn is_hidden(character: char) -> bool {
    matches!(character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text on one line, with an escape for each hidden character; an end of a line becomes `\n`.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden, |character, visible| visible.extend(character.escape_default()))
}

/// As [`visible`], but ends of lines and tabs stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    let hidden = |character| is_hidden(character) && !matches!(character, '\n' | '\t');
    escaped(text, hidden, |character, visible| visible.extend(character.escape_default()))
}

/// As [`visible_lines`], for bytes: one that is not UTF-8 becomes an escape such as `\xff`.
pub fn visible_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(&visible_lines(chunk.valid()));
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("writing to a String does not fail");
        }
    }
    text
}

/// A JSON text with the same values, in which every hidden character of a string is a JSON escape.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    // Outside of strings JSON has no hidden characters but these, and inside it has none of these.
    let hidden = |character| is_hidden(character) && !matches!(character, '\n' | '\t' | '\r');
    escaped(json, hidden, |character, visible| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(visible, "\\u{unit:04x}").expect("writing to a String does not fail");
        }
    })
}

fn escaped(text: &str, hidden: impl Fn(char) -> bool, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return text.into();
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if hidden(character) {
            escape(character, &mut visible);
        } else {
            visible.push(character);
        }
    }
    visible.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind, with its escape.
    const HIDDEN: [(&str, &str); 14] = [
        ("\0", r"\u{0}"),
        ("\x1b[2J", r"\u{1b}[2J"),
        ("\x1b]0;title\x07", r"\u{1b}]0;title\u{7}"),
        ("a\r[1/1] forged", r"a\r[1/1] forged"),
        ("\x7f", r"\u{7f}"),
        ("\u{9b}31m", r"\u{9b}31m"),
        ("\u{ad}", r"\u{ad}"),
        ("\u{200b}\u{200d}", r"\u{200b}\u{200d}"),
        ("\u{2028}\u{2029}", r"\u{2028}\u{2029}"),
        ("\u{202e}txt.exe", r"\u{202e}txt.exe"),
        ("\u{2066}\u{2069}", r"\u{2066}\u{2069}"),
        ("\u{feff}", r"\u{feff}"),
        ("\u{fffa}", r"\u{fffa}"),
        ("\u{e0041}", r"\u{e0041}"),
    ];

    #[test]
    fn hidden_characters_become_escapes() {
        for (text, expected) in HIDDEN {
            assert_eq!(visible(text), expected);
            assert_eq!(visible(&visible(text)), expected, "what is visible stays");
            assert!(!visible_lines(text).contains(is_hidden), "{text:?}");
            assert_eq!(visible_bytes(text.as_bytes()), visible_lines(text));
            let json = serde_json::to_string(text).unwrap();
            let shown = visible_json(&json);
            assert!(!shown.contains(is_hidden), "{shown:?}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text, "JSON keeps its values");
        }
    }

    #[test]
    fn other_text_is_not_touched() {
        for text in ["", "mean±sd 中文 é 🙂 \\ \"quoted\" C/C=C\\C", "a|b`c<d>=1+2"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
        assert_eq!(visible("a\n\tb"), r"a\n\tb");
        assert_eq!(visible_lines("a\n\tb\r\n"), "a\n\tb\\r\n");
        assert_eq!(visible_json("{\n  \"a\": 1\n}\n"), "{\n  \"a\": 1\n}\n");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_bytes() {
        assert_eq!(visible_bytes(b"a\xffb\xed\xa0\x80\n"), "a\\xffb\\xed\\xa0\\x80\n");
    }
}
