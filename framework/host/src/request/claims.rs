//! Claims files: what a paper says, each claim with the comparison that decides about it.

use std::{collections::BTreeSet, path::Path};

use molarena_chem::shorten;
use serde::{Deserialize, de::DeserializeOwned};
use toml::{Table, Value};

use crate::{
    error::{Error, Result},
    request::document,
};

/// Schema name of a claims file.
pub const CLAIMS_SCHEMA: &str = "molarena.claims/1";

/// Longest text of a file that a message quotes, in characters.
const LONGEST: usize = 200;

/// What a paper claims.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// The paper.
    pub paper: Paper,
    /// What a reader of the report has to know, such as claims that no comparison of rows can decide.
    pub notes: Vec<String>,
    /// The claims, in the order of the file; their names differ.
    pub claims: Vec<Claim>,
}

/// A paper.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Title.
    pub title: String,
    /// Address, which begins with `https://` or `http://`.
    pub url: String,
    /// Name of the paper among the published figures, such as `InfoAlign`; `None` if no claim names such a figure.
    #[serde(default)]
    pub name: Option<String>,
}

/// One claim: a row against other rows or a printed figure, on some datasets.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its name, of lower-case letters, digits and hyphens.
    pub name: String,
    /// What the paper says, in a sentence or two.
    pub text: String,
    /// Where the paper says it, such as `Table 2`.
    pub source: String,
    /// The row that the claim is about.
    pub method: String,
    /// What the row is compared with.
    pub against: Against,
    /// Ids of datasets; empty for all on which there are rows of both sides.
    pub datasets: Vec<String>,
    /// What the comparison should say of `method`.
    pub expect: Expect,
    /// What a reader has to know of this comparison.
    pub note: Option<String>,
}

/// What a claim's row is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// Each of these rows, at least one.
    Rows(Vec<String>),
    /// The figure that the paper prints under this name.
    Published(String),
}

/// What a claim expects of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expect {
    /// The row is better.
    Better,
    /// The row is worse.
    Worse,
    /// The two differ by at most this much, as a fraction of 1 or in the labels' unit.
    Equal(f64),
}

/// The file: claims are read one by one, so that each error names its claim.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    paper: Paper,
    #[serde(default)]
    notes: Vec<String>,
    claim: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileClaim {
    name: String,
    text: String,
    source: String,
    method: String,
    against: Value,
    #[serde(default)]
    datasets: Option<Vec<String>>,
    #[serde(default)]
    expect: Expected,
    /// Largest difference of two that are `equal`, x100, as boards show scores.
    within: Option<f64>,
    note: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    #[default]
    Better,
    Worse,
    Equal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishedFigure {
    published: String,
}

impl Claims {
    /// Reads a claims file.
    ///
    /// # Errors
    /// [`Error::Request`] if it cannot be read, [`Error::Document`] if it is wrong; both name the file.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&document::read(path)?, path)
    }

    /// Reads claims from TOML; `origin` is named in errors.
    ///
    /// # Errors
    /// [`Error::Document`] that names the file, the claim and the key.
    pub fn parse(text: &str, origin: &Path) -> Result<Self> {
        let failed = |message: String| Error::Document { path: origin.to_owned(), message };
        let File { schema, paper, notes, claim: tables } = document::parse(text).map_err(failed)?;
        document::check_values(text).map_err(failed)?;
        if schema != CLAIMS_SCHEMA {
            return Err(failed(format!("schema is `{schema}`, expected `{CLAIMS_SCHEMA}`")));
        }
        paper.check().map_err(failed)?;
        if tables.is_empty() {
            return Err(failed("claim: there must be at least one".into()));
        }
        let mut seen = BTreeSet::new();
        let mut claims = Vec::new();
        for (index, table) in tables.into_iter().enumerate() {
            let named = table
                .get("name")
                .and_then(Value::as_str)
                .map(|name| format!("claim `{}`", shorten(name, LONGEST, "...")));
            let named = named.unwrap_or_else(|| format!("claim {}", index + 1));
            let claim = Claim::of(table, &paper).map_err(|why| failed(format!("{named}: {why}")))?;
            if !seen.insert(claim.name.clone()) {
                return Err(failed(format!("{named}: another claim has this name")));
            }
            claims.push(claim);
        }
        Ok(Self { paper, notes, claims })
    }
}

impl Paper {
    fn check(&self) -> Result<(), String> {
        if self.title.trim().is_empty() {
            return Err("paper.title is empty".into());
        }
        let rest = ["https://", "http://"].iter().find_map(|start| self.url.strip_prefix(start));
        let is_plain = |c: char| c.is_ascii_graphic() && !"<>()[]\\`\"".contains(c);
        if rest.is_none_or(|rest| rest.is_empty() || !rest.chars().all(is_plain)) {
            return Err(format!(
                "paper.url is `{}`, must begin with https:// or http:// and have no spaces or brackets",
                self.url
            ));
        }
        Ok(())
    }
}

impl Claim {
    fn of(table: Table, paper: &Paper) -> Result<Self, String> {
        let file: FileClaim = read(Value::Table(table))?;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if file.name.is_empty() || !file.name.chars().all(is_plain) {
            return Err("name must be of lower-case letters, digits and hyphens".into());
        }
        for (key, text) in [("text", &file.text), ("source", &file.source), ("method", &file.method)] {
            if text.trim().is_empty() {
                return Err(format!("{key} is empty"));
            }
        }
        let against = Against::of(file.against, &file.method)?;
        if let (Against::Published(name), None) = (&against, &paper.name) {
            return Err(format!(
                "against: the published figure `{name}` needs paper.name, the paper's name among the published figures"
            ));
        }
        let datasets = file.datasets.unwrap_or_default();
        each_once("datasets", &datasets)?;
        let expect = match (file.expect, file.within) {
            (Expected::Equal, Some(within)) if within > 0.0 => Expect::Equal(within / 100.0),
            (Expected::Equal, Some(within)) => return Err(format!("within is {within}, must be above 0")),
            (Expected::Equal, None) => {
                return Err("expect = \"equal\" needs `within`, the largest difference, x100".into());
            }
            (_, Some(_)) => return Err("within goes with expect = \"equal\" only".into()),
            (Expected::Better, None) => Expect::Better,
            (Expected::Worse, None) => Expect::Worse,
        };
        let FileClaim { name, text, source, method, note, .. } = file;
        Ok(Self { name, text, source, method, against, datasets, expect, note })
    }
}

impl Against {
    fn of(value: Value, method: &str) -> Result<Self, String> {
        let rows = match value {
            Value::String(row) => vec![row],
            Value::Array(_) => read(value).map_err(|why| format!("against: {why}"))?,
            Value::Table(_) => {
                let figure: PublishedFigure = read(value).map_err(|why| format!("against: {why}"))?;
                return Ok(Self::Published(figure.published));
            }
            other => {
                return Err(format!(
                    "against is {}, must be a row, a list of rows or {{ published = \"NAME\" }}",
                    other.type_str()
                ));
            }
        };
        if rows.is_empty() {
            return Err("against: the list is empty".into());
        }
        each_once("against", &rows)?;
        if rows.iter().any(|row| row == method) {
            return Err(format!("against names `{method}`, which is the method itself"));
        }
        Ok(Self::Rows(rows))
    }
}

impl Expect {
    /// The word of the file: `better`, `worse` or `equal`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Equal(_) => "equal",
        }
    }
}

/// Reads a part of a file that has no line of its own; the message is on one line.
fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    value.try_into().map_err(|error: toml::de::Error| {
        let message = error.to_string();
        let lines: Vec<_> = message.trim_end().lines().map(|line| shorten(line, LONGEST, "...")).collect();
        lines.join(" ")
    })
}

/// Refuses empty texts and those that stand twice in a list.
fn each_once(key: &str, texts: &[String]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for text in texts {
        if text.trim().is_empty() {
            return Err(format!("{key} has an empty name"));
        }
        if !seen.insert(text) {
            return Err(format!("{key} names `{text}` twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "schema = 'molarena.claims/1'\n\
                        paper = { title = 'A paper', url = 'https://arxiv.org/abs/1', name = 'A' }\n";

    fn parse(text: &str) -> Result<Claims> {
        Claims::parse(text, Path::new("claims.toml"))
    }

    /// A claim with further lines.
    fn claim(name: &str, more: &str) -> String {
        format!("[[claim]]\nname = '{name}'\ntext = 'It is.'\nsource = 'Table 1'\nmethod = 'a'\n{more}\n")
    }

    #[test]
    fn claims_are_read_in_order() {
        let text = [
            HEAD,
            "notes = ['Of rows only.']\n",
            &claim("one", "against = 'b'"),
            &claim("two", "against = ['b', 'c']\ndatasets = ['demo']\nexpect = 'worse'\nnote = 'Small.'"),
            &claim("three", "against = { published = 'a' }\nexpect = 'equal'\nwithin = 1.5"),
        ]
        .concat();
        let Claims { paper, notes, claims } = parse(&text).unwrap();
        assert_eq!((paper.title.as_str(), paper.name.as_deref()), ("A paper", Some("A")));
        assert_eq!(notes, ["Of rows only."]);
        assert_eq!(claims[0].against, Against::Rows(vec!["b".into()]));
        assert_eq!((claims[0].expect, claims[0].datasets.len()), (Expect::Better, 0));
        assert_eq!(claims[1].against, Against::Rows(vec!["b".into(), "c".into()]));
        assert_eq!((claims[1].expect, claims[1].note.as_deref()), (Expect::Worse, Some("Small.")));
        assert_eq!(claims[2].against, Against::Published("a".into()));
        assert_eq!(claims[2].expect, Expect::Equal(0.015));
    }

    #[test]
    fn errors_name_file_claim_and_key() {
        let of = |more: &str| parse(&(HEAD.to_owned() + &claim("one", more))).unwrap_err().to_string();
        for (more, parts) in [
            ("against = 'b'\nexpct = 'worse'", ["unknown field `expct`", "`expect`"]),
            ("against = 'b'\nexpect = 'bigger'", ["unknown variant `bigger`", "`better`, `worse`, `equal`"]),
            ("against = 'b'\nexpect = 'equal'", ["needs `within`", "equal"]),
            ("against = 'b'\nexpect = 'equal'\nwithin = 0.0", ["within is 0", "above 0"]),
            ("against = 'b'\nwithin = 1.0", ["within goes with", "equal"]),
            ("against = []", ["against", "the list is empty"]),
            ("against = ['b', 'b']", ["against", "names `b` twice"]),
            ("against = ['a']", ["against names `a`", "the method itself"]),
            ("against = 3", ["against is integer", "a list of rows"]),
            ("against = [3]", ["against: ", "expected a string"]),
            ("against = { printed = 'b' }", ["against: unknown field `printed`", "`published`"]),
            ("against = 'b'\ndatasets = ['x', '']", ["datasets", "an empty name"]),
            ("", ["missing field", "`against`"]),
        ] {
            let message = of(more);
            assert!(message.starts_with("claims.toml: claim `one`: "), "{more}: {message}");
            assert!(parts.iter().all(|part| message.contains(part)), "{more}: {message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
        let twice = [HEAD, &claim("one", "against = 'b'"), &claim("one", "against = 'c'")].concat();
        assert_eq!(
            parse(&twice).unwrap_err().to_string(),
            "claims.toml: claim `one`: another claim has this name"
        );
        let nameless = [HEAD, &claim("one", "against = 'b'"), "[[claim]]\ntext = 'x'"].concat();
        let nameless = parse(&nameless).unwrap_err().to_string();
        assert!(nameless.starts_with("claims.toml: claim 2: missing field `"), "{nameless}");
        let spaced = parse(&(HEAD.to_owned() + &claim("one two", "against = 'b'"))).unwrap_err().to_string();
        assert_eq!(
            spaced,
            "claims.toml: claim `one two`: name must be of lower-case letters, digits and hyphens"
        );
    }

    #[test]
    fn errors_of_the_whole_file_name_the_key() {
        let one = claim("one", "against = { published = 'b' }");
        for (head, part) in [
            (
                "schema = 'molarena.suite/1'\npaper = { title = 'x', url = 'https://x' }",
                "expected `molarena.claims/1`",
            ),
            ("schema = 'molarena.claims/1'\npaper = { title = 'x', url = 'x.org' }", "paper.url is `x.org`"),
            ("schema = 'molarena.claims/1'\npaper = { title = 'x', url = 'https://x)y' }", "paper.url is"),
            (
                "schema = 'molarena.claims/1'\npaper = { title = ' ', url = 'https://x' }",
                "paper.title is empty",
            ),
            ("schema = 'molarena.claims/1'\npaper = { title = 'x', url = 'https://x' }", "needs paper.name"),
            (
                "schema = 'molarena.claims/1'\npapers = 3\npaper = { title = 'x', url = 'https://x' }",
                "papers",
            ),
            ("schema = 'molarena.claims/1'\npaper = { titel = 'x' }", "titel"),
        ] {
            let message = parse(&format!("{head}\n{one}")).unwrap_err().to_string();
            assert!(message.starts_with("claims.toml: ") && message.contains(part), "{head}: {message}");
        }
        let none = parse(&format!("{HEAD}claim = []")).unwrap_err().to_string();
        assert_eq!(none, "claims.toml: claim: there must be at least one");
    }
}
