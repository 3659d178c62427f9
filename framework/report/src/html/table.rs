//! Tables that a reader of the screen, a keyboard and the page's script understand.
//!
//! HTML lets the ends of cells and rows out; here they are, since most of the page is cells.

use super::glossary::Term;
use super::text::text;

/// A table. Without its script the page shows it as it is; with it, rows can be sorted, filtered and saved.
pub(super) struct Table {
    /// Id of the element; unique on the page.
    pub(super) id: String,
    /// What the table shows, as HTML.
    pub(super) caption: String,
    /// Whether its cells are text, which stands to the left, and not numbers.
    pub(super) is_text: bool,
    /// Heads of the columns; the first column names its row.
    pub(super) head: Vec<Head>,
    /// As many cells as heads in each.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// The head of a column.
pub(super) struct Head {
    /// As HTML.
    label: String,
    term: Option<Term>,
}

impl Head {
    /// A head that needs no explanation; `label` is text of others.
    pub(super) fn plain(label: &str) -> Self {
        Self { label: text(label), term: None }
    }

    /// A head with a link to what it means.
    pub(super) fn of(label: &str, term: Term) -> Self {
        Self { label: text(label), term: Some(term) }
    }
}

/// A cell.
pub(super) struct Cell {
    html: String,
    /// What `data-v` holds.
    value: Option<String>,
}

impl Cell {
    /// A cell of text of others.
    pub(super) fn text(raw: &str) -> Self {
        Self { html: text(raw), value: None }
    }

    /// A cell of HTML.
    pub(super) fn html(html: impl Into<String>) -> Self {
        Self { html: html.into(), value: None }
    }

    /// A cell that is sorted and saved by a number in full precision. What is no finite number sorts last and is saved
    /// as nothing.
    pub(super) fn number(html: impl Into<String>, value: Option<f64>) -> Self {
        let value = value.filter(|value| value.is_finite()).map(|value| value.to_string());
        Self { html: html.into(), value: Some(value.unwrap_or_default()) }
    }
}

impl Table {
    /// The table as HTML.
    pub(super) fn render(&self) -> String {
        let mut html = self.opening();
        html.push_str("<tbody>");
        for row in &self.rows {
            html.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                html.push_str(if column == 0 { "<th scope=row" } else { "<td" });
                if let Some(value) = &cell.value {
                    push!(html, " data-v=\"{value}\"");
                }
                html.push('>');
                html.push_str(&cell.html);
            }
            html.push('\n');
        }
        html.push_str("</tbody></table></div>\n");
        html
    }

    fn opening(&self) -> String {
        let mut html = format!(
            "<div class=t tabindex=0 role=group aria-labelledby=\"{id}-c\"><table id=\"{id}\"{class}><caption id=\"{id}-c\">{caption}</caption><thead><tr>",
            id = self.id,
            caption = self.caption,
            class = if self.is_text { " class=l" } else { "" },
        );
        for head in &self.head {
            push!(html, "<th scope=col>{}", head.label);
            if let Some(term) = head.term {
                let (id, name) = (term.id(), term.name());
                push!(html, " <a class=q href=\"#{id}\" aria-label=\"What is {name}?\">?</a>");
            }
        }
        html.push_str("</thead>\n");
        html
    }
}
