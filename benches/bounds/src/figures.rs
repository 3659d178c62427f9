//! The chapter's figures.

use molarena_report::plot::{Axis, Figure, Intervals, Panel, Point, Scale, Series, Shape, Stroke};

use crate::suite::{DECODERS, NWJ_SAMPLES, Part, Row};

/// The figures by file name, without extension.
pub fn figures(rows: &[Row]) -> Vec<(&'static str, Figure)> {
    vec![
        ("bounds", bounds(rows)),
        ("decoders", decoders(rows)),
        ("nce", nce(rows)),
        ("gap", gap(rows)),
        ("nwj", nwj(rows)),
    ]
}

type Points = Vec<Point>;

/// Points of the rows with a part and a name, over the information or K.
fn points<'a>(rows: &'a [Row], part: Part, name: &'a str, x: fn(&Row) -> f64) -> Points {
    select(rows, x, move |row| row.part == part && row.name == name)
}

fn select(rows: &[Row], x: fn(&Row) -> f64, wanted: impl Fn(&Row) -> bool) -> Points {
    let wanted = rows.iter().filter(|row| wanted(row));
    let point = |row: &Row| Point {
        x: x(row),
        y: row.value,
        // The interval extends two standard errors to either side.
        interval: row.error.map(|error| (row.value - 2.0 * error, row.value + 2.0 * error)),
    };
    wanted.map(point).collect()
}

fn information(row: &Row) -> f64 {
    row.information
}

fn k(row: &Row) -> f64 {
    row.k.unwrap_or_default() as f64
}

fn line(name: impl Into<String>, colour: usize, points: Points) -> Series {
    let shape = Shape::Line { points, stroke: Stroke::Solid, markers: true, intervals: Intervals::Band };
    Series { name: name.into(), colour, shape }
}

fn dashed(name: impl Into<String>, colour: usize, points: Points) -> Series {
    let shape = Shape::Line { points, stroke: Stroke::Dashed, markers: false, intervals: Intervals::Band };
    Series { name: name.into(), colour, shape }
}

fn informations(rows: &[Row]) -> Vec<f64> {
    points(rows, Part::Decoder, "exact", information).iter().map(|point| point.x).collect()
}

fn sample_counts(rows: &[Row]) -> Vec<usize> {
    let mut counts: Vec<usize> =
        rows.iter().filter(|row| row.part == Part::Nce).filter_map(|row| row.k).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

fn plain(x: f64, y: f64) -> Point {
    Point { x, y, interval: None }
}

fn truth(rows: &[Row]) -> Series {
    dashed("I(Z; Y)", 6, informations(rows).into_iter().map(|x| plain(x, x)).collect())
}

fn nats(label: &str, scale: Scale) -> Axis {
    Axis::new(format!("{label} (nats)"), scale)
}

fn figure(title: &str, note: &str, x: Axis, y: Axis, series: Vec<Series>) -> Figure {
    Figure { title: title.to_owned(), notes: vec![note.to_owned()], panels: vec![Panel { x, y, series }] }
}

fn bounds(rows: &[Row]) -> Figure {
    let counts = sample_counts(rows);
    let mut series =
        vec![truth(rows), line("I_DLB, exact decoder", 0, points(rows, Part::Decoder, "exact", information))];
    let shown = [counts.first(), counts.get(counts.len() / 2), counts.last()];
    for (colour, count) in [1, 4, 3].into_iter().zip(shown.into_iter().flatten()) {
        let nce = select(rows, information, |row| {
            row.part == Part::Nce && row.name == "optimal" && row.k == Some(*count)
        });
        series.push(line(format!("I_NCE, K = {count}"), colour, nce));
    }
    let at = |statistic: &str| points(rows, Part::Nwj, &format!("optimal: {statistic}"), information);
    let (low, high) = (at("5 %"), at("95 %"));
    let nwj = at("median").into_iter().zip(low.iter().zip(&high));
    let nwj = nwj.map(|(median, (low, high))| Point { interval: Some((low.y, high.y)), ..median });
    series.push(line("I_NWJ, median", 2, nwj.collect()));
    figure(
        "Bounds with the optimal critic or decoder",
        "Bands: two standard errors; of I_NWJ, 5 to 95 % of repeated estimates from 1000 samples each.",
        nats("I(Z; Y)", Scale::Linear),
        nats("bound", Scale::Linear),
        series,
    )
}

fn decoders(rows: &[Row]) -> Figure {
    let mut series = vec![truth(rows)];
    for (name, colour) in
        DECODERS.iter().map(|(name, _)| *name).filter(|name| *name != "exact").zip([0, 1, 2, 3, 4, 5, 7])
    {
        series.push(line(name, colour, points(rows, Part::Decoder, name, information)));
    }
    let last = sample_counts(rows).last().copied();
    let trained = select(rows, information, |row| {
        row.part == Part::Nce && row.name == "quadratic, trained" && row.k == last
    });
    series.push(dashed(format!("I_NCE, trained, K = {}", last.unwrap_or_default()), 7, trained));
    figure(
        "I_DLB of decoders that are not exact",
        "On 20,000 fresh samples; the standard errors are smaller than the markers.",
        nats("I(Z; Y)", Scale::Linear),
        nats("I_DLB", Scale::Linear),
        series,
    )
}

fn nce(rows: &[Row]) -> Figure {
    let counts: Vec<f64> = sample_counts(rows).into_iter().map(|count| count as f64).collect();
    let cap = counts.iter().map(|count| plain(*count, count.ln())).collect();
    let mut series = vec![dashed("log K", 6, cap)];
    for (colour, value) in informations(rows).into_iter().enumerate() {
        let of = |name: &str, part: Part| {
            select(rows, k, |row| row.part == part && row.name == name && row.information == value)
        };
        series.push(line(format!("I = {value}"), colour, of("optimal", Part::Nce)));
    }
    figure(
        "I_NCE of the optimal critic is capped by log K",
        "Bands: two standard errors.",
        Axis::new("samples K", Scale::Log).with_ticks_at(counts),
        nats("I_NCE", Scale::Linear),
        series,
    )
}

fn gap(rows: &[Row]) -> Figure {
    let informations = informations(rows);
    let counts: Vec<f64> = sample_counts(rows).into_iter().map(|count| count as f64).collect();
    let chosen: Vec<f64> = [informations.iter().find(|value| **value >= 4.0), informations.last()]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let panels = chosen.into_iter().map(|value| {
        let of = |name: &str| {
            select(rows, k, |row| row.part == Part::Gap && row.name == name && row.information == value)
        };
        let zero = counts.iter().map(|count| plain(*count, 0.0)).collect();
        Panel {
            x: Axis::new("samples K", Scale::Log).with_ticks_at(counts.iter().copied().step_by(2)),
            y: nats(&format!("at I = {value}"), Scale::Linear),
            series: vec![
                dashed("", 6, zero),
                line("optimal critic", 0, of("optimal")),
                line("quadratic, trained", 2, of("quadratic, trained")),
                line("bilinear, trained", 1, of("bilinear, trained")),
                line("quadratic, on 256 pairs", 3, of("quadratic, trained on 256")),
                line("optimal x 2", 4, of("optimal x 2")),
                line("of y alone", 5, of("of y alone")),
            ],
        }
    });
    Figure {
        title: "Eq. 12: I_DLB - I_NCE of one critic, with its exact partition function".to_owned(),
        notes: vec!["Below 0 the printed inequality fails. Bands: two standard errors.".to_owned()],
        panels: panels.collect(),
    }
}

fn nwj(rows: &[Row]) -> Figure {
    let of = |name: &str| points(rows, Part::Nwj, name, information);
    figure(
        "I_NWJ: standard deviation of an estimate",
        &format!(
            "Estimates from {NWJ_SAMPLES} samples, optimal critic. In theory: the root of (e^(2 I) - 1 + d rho^2) / {NWJ_SAMPLES}."
        ),
        nats("I(Z; Y)", Scale::Linear),
        nats("standard deviation", Scale::Log),
        vec![line("measured", 0, of("optimal: sd")), dashed("in theory", 1, of("optimal: sd in theory"))],
    )
}
