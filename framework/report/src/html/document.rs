//! Markdown of ours as a page: comparisons, gates and audits in the form of the boards' page.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{
    Frame,
    table::{Cell, Head, Table},
    text::text,
};

/// A whole HTML file of a Markdown text that starts each part with a heading of level 2. `command` is what made it.
///
/// Headings, paragraphs, lists, tables, emphasis and code are shown; HTML in the text stays text, links and images are
/// shown by their text.
pub fn document(title: &str, command: &str, markdown: &str) -> String {
    let mut page = Writer::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        page.event(event);
    }
    let links: Vec<String> = page
        .parts
        .iter()
        .enumerate()
        .map(|(index, part)| format!("<li><a href=\"#p{index}\">{}</a>", text(part)))
        .collect();
    Frame {
        title,
        count: format!("{} section{}.", page.parts.len(), if page.parts.len() == 1 { "" } else { "s" }),
        links: links.concat(),
        main: &page.html,
        command,
        state: None,
    }
    .render()
}

/// What was read of the text so far.
#[derive(Default)]
struct Writer {
    html: String,
    /// The headings of level 2.
    parts: Vec<String>,
    /// The text of the heading that is open.
    heading: Option<String>,
    /// The last heading, of any level.
    last: String,
    table: Option<Rows>,
    tables: usize,
}

/// A table that is being read.
#[derive(Default)]
struct Rows {
    head: Vec<String>,
    body: Vec<Vec<Cell>>,
    /// The open cell, as HTML and as text.
    cell: (String, String),
    is_text: bool,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(&tag),
            Event::End(tag) => self.close(tag),
            Event::Text(words) | Event::Html(words) | Event::InlineHtml(words) => self.words(&words),
            Event::Code(words) => {
                self.push("<code>");
                self.words(&words);
                self.push("</code>");
            }
            Event::SoftBreak | Event::HardBreak => self.words(&CowStr::Borrowed("\n")),
            Event::Rule => self.push("<hr>"),
            // None of them without its option.
            Event::InlineMath(words) | Event::DisplayMath(words) | Event::FootnoteReference(words) => {
                self.words(&words);
            }
            Event::TaskListMarker(_) => {}
        }
    }

    fn push(&mut self, html: &str) {
        match &mut self.table {
            Some(table) => table.cell.0.push_str(html),
            None => self.html.push_str(html),
        }
    }

    fn words(&mut self, words: &str) {
        if let Some(heading) = &mut self.heading {
            heading.push_str(words);
            return;
        }
        if let Some(table) = &mut self.table {
            table.cell.1.push_str(words);
        }
        self.push(&text(words));
    }

    fn open(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph => self.push("<p>"),
            Tag::Heading { .. } => self.heading = Some(String::new()),
            Tag::List(None) => self.push("<ul>\n"),
            Tag::List(Some(_)) => self.push("<ol>\n"),
            Tag::Item => self.push("<li>"),
            Tag::CodeBlock(_) => self.push("<pre>"),
            Tag::BlockQuote(_) => self.push("<blockquote>"),
            Tag::Emphasis => self.push("<em>"),
            Tag::Strong => self.push("<strong>"),
            Tag::Table(_) => self.table = Some(Rows::default()),
            Tag::TableRow => self.table.iter_mut().for_each(|table| table.body.push(Vec::new())),
            // Their text is shown.
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.push("</p>\n"),
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::List(false) => self.push("</ul>\n"),
            TagEnd::List(true) => self.push("</ol>\n"),
            TagEnd::Item => self.push("</li>\n"),
            TagEnd::CodeBlock => self.push("</pre>\n"),
            TagEnd::BlockQuote(_) => self.push("</blockquote>\n"),
            TagEnd::Emphasis => self.push("</em>"),
            TagEnd::Strong => self.push("</strong>"),
            TagEnd::TableCell => self.end_cell(),
            TagEnd::Table => self.end_table(),
            _ => {}
        }
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        let heading = self.heading.take().unwrap_or_default();
        if level <= HeadingLevel::H2 {
            push!(self.html, "<h2 id=p{}>{}</h2>\n", self.parts.len(), text(&heading));
            self.parts.push(heading.clone());
        } else {
            push!(self.html, "<h3>{}</h3>\n", text(&heading));
        }
        self.last = heading;
    }

    fn end_cell(&mut self) {
        let Some(table) = &mut self.table else { return };
        let (html, words) = std::mem::take(&mut table.cell);
        match table.body.last_mut() {
            Some(row) => {
                // A column of sentences stands to the left, and so does its table.
                table.is_text |= !row.is_empty() && words.chars().count() > 40;
                row.push(Cell::html(html));
            }
            None => table.head.push(words),
        }
    }

    fn end_table(&mut self) {
        let Some(table) = self.table.take() else { return };
        self.tables += 1;
        let table = Table {
            id: format!("t{}", self.tables),
            caption: text(&self.last),
            is_text: table.is_text,
            head: table.head.iter().map(|label| Head::plain(label)).collect(),
            rows: table.body,
        };
        self.html.push_str(&table.render());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_page_and_its_html_stays_text() {
        let markdown = "## One <script>alert(1)</script>\n\nA *word*, `code` and [a link](javascript:alert(1)).\n\n\
                        | row | gain |\n|:--|--:|\n| a\\|b | 1.5 |\n| <b>c</b> | -2 |\n\n- first\n- second\n\n### More\n";
        let page = document("Comparison", "molarena compare", markdown);
        for part in [
            "<title>Comparison</title>",
            "<h2 id=p0>One &lt;script&gt;alert(1)&lt;/script&gt;</h2>",
            "<p>A <em>word</em>, <code>code</code> and a link.</p>",
            "<th scope=row>a|b<td>1.5\n",
            "<th scope=row>&lt;b&gt;c&lt;/b&gt;<td>-2\n",
            "<li>first</li>",
            "<h3>More</h3>",
            "<a href=\"#p0\">",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(!page.contains("<script>alert") && !page.contains("javascript:"), "{page}");
        assert_eq!(page.matches("<table").count(), 1);
    }
}
