//! Rows as CSV and as the chapter's tables.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::{Context, Result, ensure};

use crate::suite::{Part, Row};

const COLUMNS: [&str; 6] = ["part", "name", "information", "k", "value", "standard_error"];

/// The rows as CSV; numbers have six significant digits.
pub fn to_csv(rows: &[Row]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in rows {
        writer.write_record([
            row.part.name().to_owned(),
            row.name.clone(),
            row.information.to_string(),
            row.k.map(|k| k.to_string()).unwrap_or_default(),
            digits(row.value),
            row.error.map(digits).unwrap_or_default(),
        ])?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// Formats six significant digits; what rounding leaves of zero becomes zero.
fn digits(value: f64) -> String {
    let value: f64 = format!("{value:.5e}").parse().expect("a number");
    if value.abs() < 1e-12 { "0".to_owned() } else { value.to_string() }
}

/// Reads the rows of a CSV that [`to_csv`] wrote.
pub fn from_csv(text: &str) -> Result<Vec<Row>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    ensure!(reader.headers()? == COLUMNS.as_slice(), "the columns must be {}", COLUMNS.join(", "));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let number = |column: usize| -> Result<Option<f64>> {
            let text = &record[column];
            let parse =
                || text.parse().with_context(|| format!("line {line}, column {}: `{text}`", COLUMNS[column]));
            if text.is_empty() { Ok(None) } else { parse().map(Some) }
        };
        let part = Part::ALL.into_iter().find(|part| part.name() == &record[0]);
        rows.push(Row {
            part: part.with_context(|| format!("line {line}: unknown part `{}`", &record[0]))?,
            name: record[1].to_owned(),
            information: number(2)?.with_context(|| format!("line {line}: no information"))?,
            k: number(3)?.map(|k| k as usize),
            value: number(4)?.with_context(|| format!("line {line}: no value"))?,
            error: number(5)?,
        });
    }
    Ok(rows)
}

/// Numbers of samples shown in the tables; the CSV has all.
const SHOWN: [usize; 3] = [2, 64, 4096];

/// The tables of the chapter, by name, as Markdown.
pub fn tables(rows: &[Row]) -> Vec<(&'static str, String)> {
    let rows: Vec<Row> =
        rows.iter().filter(|row| row.k.is_none_or(|k| SHOWN.contains(&k))).cloned().collect();
    let of = |part: Part| rows.iter().filter(move |row| row.part == part);
    let by_name = |row: &Row| row.name.clone();
    let by_k = |row: &Row| format!("{}, K = {}", row.name, row.k.unwrap_or_default());
    vec![
        ("decoders", pivot("I_DLB of the decoder", of(Part::Decoder), by_name)),
        ("nce", pivot("I_NCE", of(Part::Nce).filter(|row| !row.name.contains("trained")), by_k)),
        ("trained", trained(&rows)),
        ("gap", pivot("I_DLB - I_NCE of", of(Part::Gap).filter(|row| row.name != "optimal"), by_k)),
        ("nwj", pivot("I_NWJ", of(Part::Nwj), by_name)),
        ("algebra", algebra(of(Part::Algebra))),
    ]
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e5 => format!("{value:.1e}"),
        size if size >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.2}").replace("-0.00", "0.00"),
    }
}

/// One table row per name, one column per information.
fn pivot<'a>(corner: &str, rows: impl Iterator<Item = &'a Row>, name: impl Fn(&Row) -> String) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut informations: Vec<f64> = Vec::new();
    let mut cells: BTreeMap<(usize, usize), String> = BTreeMap::new();
    for row in rows {
        let name = name(row);
        let down = names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        let across = informations.iter().position(|known| *known == row.information).unwrap_or_else(|| {
            informations.push(row.information);
            informations.len() - 1
        });
        let error = row.error.map(|error| format!("±{}", number(error))).unwrap_or_default();
        cells.insert((down, across), format!("{}{error}", number(row.value)));
    }
    let mut text = format!("| {corner} |");
    for information in &informations {
        let _ = write!(text, " I = {information} |");
    }
    let _ = writeln!(text, "\n|:---|{}", "---:|".repeat(informations.len()));
    for (down, name) in names.iter().enumerate() {
        let _ = write!(text, "| {name} |");
        for across in 0..informations.len() {
            let _ = write!(text, " {} |", cells.get(&(down, across)).map_or("", String::as_str));
        }
        text.push('\n');
    }
    text
}

/// `I_NCE` of each trained critic beside `I_DLB` of the decoder that it defines.
fn trained(rows: &[Row]) -> String {
    let of = |part: Part| rows.iter().filter(move |row| row.part == part && row.name.contains("trained"));
    let both = of(Part::Nce).flat_map(|nce| {
        let same = |row: &&Row| row.name == nce.name && row.k == nce.k && row.information == nce.information;
        [("I_NCE", Some(nce)), ("I_DLB", of(Part::CriticDlb).find(same))]
    });
    let rows: Vec<Row> = both
        .filter_map(|(bound, row)| {
            let row = row?;
            let name = format!("{}, K = {}: {bound}", row.name, row.k.unwrap_or_default());
            Some(Row { name, ..row.clone() })
        })
        .collect();
    pivot("critic", rows.iter(), |row| row.name.clone())
}

fn algebra<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut text = "| left side less right side | nats |\n|:---|---:|\n".to_owned();
    for row in rows {
        let error =
            row.error.filter(|error| *error > 0.0).map(|error| format!("±{error:.4}")).unwrap_or_default();
        let value = format!("{:.4}", row.value).replace("-0.0000", "0.0000");
        let _ = writeln!(text, "| {} | {value}{error} |", row.name.replace('|', "\\|"));
    }
    text
}
