//! A metric against a varied parameter (Figure 4 of arXiv 2406.12056): from records to lines.

use std::collections::{BTreeMap, BTreeSet};

use molarena_metrics::{Metric, mean_and_std};
use molarena_record::cell::Record;
use molarena_record::{key::canonical_json, key::key_of};
use serde_json::{Map, Value, json};

use super::scale::plain;
use super::{Axis, Figure, Intervals, Panel, Point, Scale, Series, Shape, Stroke};
use crate::build::{composition, groups, one_for_each_seed};
use crate::csv::table;
use crate::datasets::Names;
use crate::row::Entry;
use crate::units::short;

/// Records that may share a board, as lines over a varied parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// File name of the figure, without extension; unique among the sweeps of a call.
    pub file_stem: String,
    /// Id of the dataset.
    pub dataset: String,
    /// Whether the dataset is simulated, so that the scores say nothing about chemistry.
    pub simulated: bool,
    /// Protocol of the split.
    pub split: String,
    /// The metric.
    pub metric: Metric,
    /// Number of tasks that scores are averaged over.
    pub tasks: usize,
    /// The varied parameter, such as `encoder.config.beta`.
    pub path: String,
    /// Sorted by name.
    pub lines: Vec<SweepLine>,
    /// Number of records without a value at the path, by method; they are in no line.
    pub left_out: BTreeMap<String, usize>,
    /// Sentences about records that contradict each other.
    pub notes: Vec<String>,
}

/// Methods that differ only in the parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepLine {
    /// The common part of the methods' names, with a hash where two lines would have the same name.
    pub name: String,
    /// By ascending value.
    pub points: Vec<SweepPoint>,
}

/// A value of the parameter, summarised over seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepPoint {
    /// The value.
    pub x: XValue,
    /// Mean over the scored seeds; `None` if all failed.
    pub mean: Option<f64>,
    /// Sample standard deviation of the same; `None` with fewer than two.
    pub std: Option<f64>,
    /// Scored seeds.
    pub seeds: usize,
    /// Seeds that failed or have no defined task.
    pub failed: usize,
}

/// Value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum XValue {
    /// A number.
    Number(f64),
    /// Anything else, as JSON; text without its quotes.
    Word(String),
}

impl std::fmt::Display for XValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => f.write_str(&plain(*number)),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// No record has a value at the path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("none of the {records} records has a value at `{path}`; they have: {known}")]
pub struct PathError {
    /// The path.
    pub path: String,
    /// Number of records.
    pub records: usize,
    /// The known parameters.
    pub known: String,
}

/// Lines of the metric over the parameter at `path` of a record's composition (`encoder.config.beta`,
/// `baseline.config.n_trees`, `features.morgan.radius`), one sweep for each board.
///
/// Records share a line if they differ only in this value and their method's name. Records without the value
/// are counted in [`Sweep::left_out`]; a board of only such records gives no sweep. Fails if no sweep is
/// left.
pub fn sweeps(records: &[Record], path: &str) -> Result<Vec<Sweep>, PathError> {
    let names = Names::of(records);
    let groups = groups(records, &names);
    let mut sweeps: Vec<Sweep> =
        groups.iter().filter_map(|(key, records)| sweep(key.dataset, records, path)).collect();
    if sweeps.is_empty() {
        let known: BTreeSet<String> = records.iter().flat_map(parameters).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(PathError { path: path.to_owned(), records: records.len(), known });
    }
    name_files(&mut sweeps);
    Ok(sweeps)
}

/// The parts of a method as one JSON object, without the pretraining key: it depends on the encoder's
/// parameters and would put each value on a line of its own.
fn whole(record: &Record) -> Value {
    let parts = composition(record).into_iter().map(|(name, part)| (name.to_owned(), part));
    let mut whole: Map<String, Value> = parts.collect();
    whole.insert("encoder".to_owned(), json!(record.composition.encoder));
    let mut pretraining = json!(record.composition.pretraining);
    take(&mut pretraining, "key");
    whole.insert("pretraining".to_owned(), pretraining);
    Value::Object(whole)
}

/// Paths of the values in configurations and features, objects and nulls excepted.
fn parameters(record: &Record) -> Vec<String> {
    fn walk(prefix: &str, value: &Value, paths: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(key, member)| walk(&format!("{prefix}.{key}"), member, paths));
            }
            Value::Null => {}
            _ => paths.push(prefix.to_owned()),
        }
    }
    let whole = whole(record);
    let mut paths = Vec::new();
    walk("encoder.config", &whole["encoder"]["config"], &mut paths);
    walk("baseline.config", &whole["baseline"]["config"], &mut paths);
    walk("features", &whole["features"], &mut paths);
    paths
}

/// Removes and returns the value at a path of a JSON object.
fn take(value: &mut Value, path: &str) -> Option<Value> {
    match path.split_once('.') {
        Some((key, rest)) => take(value.get_mut(key)?, rest),
        None => value.as_object_mut()?.remove(path),
    }
}

/// Records of one line by the value's text, with the value.
type ByValue<'a> = BTreeMap<String, (XValue, Vec<&'a Record>)>;

fn sweep(dataset: &str, records: &[&Record], path: &str) -> Option<Sweep> {
    let mut lines: BTreeMap<String, ByValue> = BTreeMap::new();
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    for &record in records {
        let mut rest = whole(record);
        match take(&mut rest, path) {
            None | Some(Value::Null) => *left_out.entry(record.method.clone()).or_default() += 1,
            Some(value) => {
                let x = match &value {
                    Value::Number(number) => XValue::Number(number.as_f64()?),
                    Value::String(text) => XValue::Word(text.clone()),
                    other => XValue::Word(canonical_json(other)),
                };
                let line = lines.entry(key_of(&rest)).or_default();
                line.entry(x.to_string()).or_insert((x, Vec::new())).1.push(record);
            }
        }
    }
    let first = lines.values().next()?.values().next()?.1[0];
    let mut notes = Vec::new();
    let mut hashed: Vec<(String, SweepLine)> =
        lines.into_iter().map(|(hash, values)| (hash, line(values, &mut notes))).collect();
    let names: Vec<String> = hashed.iter().map(|(_, line)| line.name.clone()).collect();
    for (hash, line) in &mut hashed {
        if names.iter().filter(|name| **name == line.name).count() > 1 {
            line.name = format!("{}@{}", line.name, short(hash));
        }
    }
    let mut lines: Vec<SweepLine> = hashed.into_iter().map(|(_, line)| line).collect();
    lines.sort_by(|one, other| one.name.cmp(&other.name));
    Some(Sweep {
        file_stem: String::new(),
        dataset: dataset.to_owned(),
        simulated: first.simulated,
        split: first.split.protocol.clone(),
        metric: first.metric,
        tasks: first.tasks.len(),
        path: path.to_owned(),
        lines,
        left_out,
        notes,
    })
}

fn line(values: ByValue, notes: &mut Vec<String>) -> SweepLine {
    let methods: BTreeSet<&str> =
        values.values().flat_map(|(_, records)| records).map(|record| record.method.as_str()).collect();
    let name = shared_name(&methods);
    let mut points: Vec<SweepPoint> = values
        .into_values()
        .map(|(x, records)| {
            let (records, contradictions) = one_for_each_seed(&format!("{name} at {x}"), records);
            notes.extend(contradictions);
            let scores: Vec<f64> =
                records.iter().filter_map(|record| Entry::new(record).result.ok()?.mean).collect();
            let summary = mean_and_std(&scores);
            SweepPoint {
                x,
                mean: summary.map(|(mean, _)| mean),
                std: summary.and_then(|(_, std)| std),
                seeds: scores.len(),
                failed: records.len() - scores.len(),
            }
        })
        .collect();
    points.sort_by(|one, other| match (&one.x, &other.x) {
        (XValue::Number(one), XValue::Number(other)) => one.total_cmp(other),
        (one, other) => one.to_string().cmp(&other.to_string()),
    });
    SweepLine { name, points }
}

/// The common part of names: `m[L=4]` of `m[beta=1,L=4]` and `m[beta=2,L=4]`; `rf` of `rf-10` and `rf-100`.
fn shared_name(names: &BTreeSet<&str>) -> String {
    let all: Vec<&str> = names.iter().copied().collect();
    let [first, others @ ..] = all.as_slice() else { return String::new() };
    if others.is_empty() {
        return (*first).to_owned();
    }
    let settings = |name: &str| -> Option<(String, Vec<String>)> {
        let (base, inside) = name.strip_suffix(']')?.split_once('[')?;
        Some((base.to_owned(), inside.split(',').map(str::to_owned).collect()))
    };
    let parsed: Option<Vec<_>> = all.iter().map(|name| settings(name)).collect();
    if let Some(parsed) = parsed
        && parsed.iter().all(|(base, _)| *base == parsed[0].0)
    {
        let (base, inside) = &parsed[0];
        let shared: Vec<&str> = inside
            .iter()
            .filter(|setting| parsed.iter().all(|(_, other)| other.contains(setting)))
            .map(String::as_str)
            .collect();
        return if shared.is_empty() { base.clone() } else { format!("{base}[{}]", shared.join(",")) };
    }
    let mut length = first.len();
    for other in others {
        let common = first.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
        length = length.min(common);
    }
    // Not inside a number: the `10` that `rf-10` and `rf-100` share is not part of the name. Names are ASCII.
    let prefix = first.get(..length).unwrap_or_default();
    let prefix =
        prefix.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['-', '_', '.', '+', '[']);
    if prefix.is_empty() { all.join(", ") } else { prefix.to_owned() }
}

/// `<dataset>-<parameter>`, with the split and a number where that is not enough.
fn name_files(sweeps: &mut [Sweep]) {
    let parameter = |sweep: &Sweep| sweep.path.rsplit('.').next().unwrap_or_default().to_owned();
    let short: Vec<String> = sweeps.iter().map(|s| format!("{}-{}", s.dataset, parameter(s))).collect();
    let long: Vec<String> =
        sweeps.iter().map(|s| format!("{}-{}-{}", s.dataset, s.split, parameter(s))).collect();
    for index in 0..sweeps.len() {
        let count = |names: &[String]| names.iter().filter(|name| **name == names[index]).count();
        sweeps[index].file_stem = match (count(&short), count(&long)) {
            (1, _) => short[index].clone(),
            (_, 1) => long[index].clone(),
            _ => format!("{}-{}", long[index], index + 1),
        };
    }
}

impl Sweep {
    /// The figure; if `scale` is `None`, the scale fits the values. Values that are not numbers are named
    /// along the axis.
    pub fn figure(&self, scale: Option<Scale>) -> Figure {
        let values = || self.lines.iter().flat_map(|line| &line.points).map(|point| &point.x);
        let numbers: Option<Vec<f64>> = values()
            .map(|x| match x {
                XValue::Number(number) => Some(*number),
                XValue::Word(_) => None,
            })
            .collect();
        let words: BTreeSet<String> = values().map(ToString::to_string).collect();
        let words: Vec<String> = words.into_iter().collect();
        let x = match &numbers {
            Some(numbers) => number_axis(&self.path, numbers, scale),
            None => word_axis(&self.path, &words),
        };
        let place = |value: &XValue| match (value, &numbers) {
            (XValue::Number(number), Some(_)) => *number,
            _ => words.iter().position(|word| *word == value.to_string()).unwrap_or_default() as f64,
        };
        let stroke = if numbers.is_some() { Stroke::Solid } else { Stroke::None };
        let series = self.lines.iter().enumerate().map(|(colour, line)| Series {
            name: line.name.clone(),
            colour,
            shape: Shape::Line {
                points: line.points.iter().filter_map(|point| drawn(place(&point.x), point)).collect(),
                stroke,
                markers: true,
                intervals: if numbers.is_some() { Intervals::Band } else { Intervals::Bars },
            },
        });
        let tasks =
            if self.tasks == 1 { "1 task".to_owned() } else { format!("mean of {} tasks", self.tasks) };
        let metric = self.metric.description().abbreviation;
        let y = Axis::new(format!("{metric} (x100), {tasks}"), Scale::Linear);
        Figure {
            title: self.title(),
            notes: self.figure_notes(),
            panels: vec![Panel { x, y, series: series.collect() }],
        }
    }

    fn title(&self) -> String {
        let simulated = if self.simulated { " (simulated)" } else { "" };
        let only = match self.lines.as_slice() {
            [line] => format!(", {}", line.name),
            _ => String::new(),
        };
        format!("{}{simulated}, {} split{only}", self.dataset, self.split)
    }

    fn figure_notes(&self) -> Vec<String> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let most = points().map(|point| point.seeds).max().unwrap_or(0);
        let least = points().map(|point| point.seeds).min().unwrap_or(0);
        let seeds = if least == most { most.to_string() } else { format!("{least} to {most}") };
        let better = if self.metric.higher_is_better() { "Higher" } else { "Lower" };
        let mut notes =
            vec![format!("Mean and sample standard deviation over {seeds} seeds. {better} is better.",)];
        let failed: usize = points().map(|point| point.failed).sum();
        if failed > 0 {
            notes.push(format!("Cells that failed and are in no mean: {failed}."));
        }
        notes.extend(self.notes.iter().cloned());
        notes
    }
}

fn drawn(x: f64, point: &SweepPoint) -> Option<Point> {
    let y = 100.0 * point.mean?;
    Some(Point { x, y, interval: point.std.map(|std| (y - 100.0 * std, y + 100.0 * std)) })
}

/// More ticks than this would touch each other.
const MOST_TICKS: usize = 14;

fn number_axis(path: &str, numbers: &[f64], scale: Option<Scale>) -> Axis {
    let axis = Axis::new(path, scale.unwrap_or_else(|| Scale::fitting(numbers.iter().copied())));
    let mut values = numbers.to_vec();
    values.sort_by(f64::total_cmp);
    values.dedup();
    // Ticks at the values themselves, where a logarithmic axis keeps them apart.
    let apart = values.windows(2).all(|pair| pair[1] / pair[0] > 1.5);
    if axis.scale == Scale::Log && apart && values.len() <= MOST_TICKS {
        axis.with_ticks_at(values)
    } else {
        axis
    }
}

fn word_axis(path: &str, words: &[String]) -> Axis {
    Axis {
        label: path.to_owned(),
        scale: Scale::Linear,
        ticks: Some(words.iter().enumerate().map(|(place, word)| (place as f64, word.clone())).collect()),
        range: Some((-0.5, words.len() as f64 - 0.5)),
    }
}

/// The points of all sweeps as CSV: one line each, in full precision; scores as fractions of 1 or in the labels' unit.
pub fn sweeps_csv(sweeps: &[Sweep]) -> String {
    let mut lines = Vec::new();
    let head = [
        "figure",
        "dataset",
        "split",
        "metric",
        "parameter",
        "line",
        "value",
        "mean",
        "std",
        "seeds",
        "failed",
    ];
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for sweep in sweeps {
        for (line, point) in
            sweep.lines.iter().flat_map(|line| line.points.iter().map(move |point| (line, point)))
        {
            lines.push([
                sweep.file_stem.clone(),
                sweep.dataset.clone(),
                sweep.split.clone(),
                sweep.metric.to_string(),
                sweep.path.clone(),
                line.name.clone(),
                point.x.to_string(),
                number(point.mean),
                number(point.std),
                point.seeds.to_string(),
                point.failed.to_string(),
            ]);
        }
    }
    table(&head, lines.into_iter())
}
