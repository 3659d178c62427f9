//! Text of others as HTML: the one way by which names, messages and values get onto the page.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use molarena_record::text::{visible, visible_lines};

/// External text on one line, visible, with the characters that HTML reads as its own replaced. It may stand between tags
/// and in a quoted attribute.
pub(super) fn text(raw: &str) -> String {
    let line: String =
        raw.chars().map(|character| if character.is_whitespace() { ' ' } else { character }).collect();
    markup(&visible(&line))
}

/// The same for a text whose lines remain, such as JSON.
pub(super) fn lines(raw: &str) -> String {
    markup(&visible_lines(raw))
}

fn markup(visible: &str) -> String {
    let mut html = String::with_capacity(visible.len() + 16);
    for character in visible.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// A link that saves `content` as a file of this name, from the page itself.
pub(super) fn download(name: &str, kind: &str, content: &str) -> String {
    let safe: String = name
        .chars()
        .map(
            |character| {
                if character.is_ascii_alphanumeric() || ".-_".contains(character) { character } else { '-' }
            },
        )
        .collect();
    let bytes = STANDARD.encode(content);
    format!("<a download=\"{safe}\" href=\"data:{kind};charset=utf-8;base64,{bytes}\">{safe}</a>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_text() {
        for (raw, html) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\"' onload=x", "&quot;&#39; onload=x"),
            ("a & b &lt;", "a &amp; b &amp;lt;"),
            ("a\u{202e}txt\u{2066}", r"a\u{202e}txt\u{2066}"),
            ("\0\u{1b}[2J\u{7f}\u{feff}", r"\u{0}\u{1b}[2J\u{7f}\u{feff}"),
            ("two\nlines\u{2028}more", "two lines more"),
            ("IC₅₀ é 中文", "IC₅₀ é 中文"),
        ] {
            assert_eq!(text(raw), html);
        }
        assert_eq!(
            lines("{\n  \"a\": \"<b>\u{202e}\"\n}"),
            "{\n  &quot;a&quot;: &quot;&lt;b&gt;\\u{202e}&quot;\n}"
        );
    }

    #[test]
    fn a_download_has_a_name_without_markup() {
        let link = download("\"><b>/../x.csv", "text/csv", "a,b\n");
        assert_eq!(
            link,
            "<a download=\"---b--..-x.csv\" href=\"data:text/csv;charset=utf-8;base64,YSxiCg==\">---b--..-x.csv</a>"
        );
    }
}
