//! Score against cost: each row a point, time on a logarithmic axis.

use super::Page;
use super::svg::{at, figure, fit, label, tick, ticks};
use super::text::text;
use crate::units::duration;

const LEFT: f64 = 60.0;
const RIGHT: f64 = 700.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 336.0;
/// What is faster than this is drawn here: the clock of workers is not finer.
const LEAST_S: f64 = 0.001;

/// A row as a point.
struct Point<'a> {
    name: &'a str,
    seconds: f64,
    score: f64,
    is_ranked: bool,
}

pub(super) fn view(page: &Page<'_>, index: usize) -> String {
    let board = &page.boards[index];
    let points: Vec<Point<'_>> = board
        .rows
        .iter()
        .filter_map(|row| {
            let seconds = row.wall_s.filter(|seconds| seconds.is_finite())?.max(LEAST_S);
            let score = row.mean.filter(|mean| mean.is_finite())? * 100.0;
            Some(Point { name: &row.method, seconds, score, is_ranked: row.rank.is_some() })
        })
        .collect();
    if points.is_empty() {
        return "<p>No row of this board has both a score and a time.</p>\n".to_owned();
    }
    let body = draw(&points, board.metric.higher_is_better(), board.metric.description().abbreviation);
    let name = format!(
        "{} of the rows of {} against their time; the numbers are in the table of the board",
        board.metric.description().abbreviation,
        page.labels[index]
    );
    "<p>Time is the mean of a seed, on a logarithmic axis. The line joins the rows that no other beats at their time. Rows \
     that are not ranked are hollow.</p>\n"
        .to_owned()
        + &figure(&format!("b{index}-cost-f"), &text(&name), RIGHT + 130.0, BOTTOM + 48.0, &body)
}

fn draw(points: &[Point<'_>], higher_is_better: bool, metric: &str) -> String {
    let extent = |value: fn(&Point<'_>) -> f64| {
        let values = points.iter().map(value);
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (fast, slow) = extent(|point| point.seconds.log10());
    let (fast, slow) = (fast.floor(), slow.ceil().max(fast.floor() + 1.0));
    let (low, high) = extent(|point| point.score);
    let margin = ((high - low) * 0.08).max(high.abs() * 1e-3).max(1e-12);
    let (low, high) = (low - margin, high + margin);
    let x = |point: &Point<'_>| LEFT + (point.seconds.log10() - fast) / (slow - fast) * (RIGHT - LEFT);
    let height = |score: f64| BOTTOM - (score - low) / (high - low) * (BOTTOM - TOP);
    let mut body = axes(fast, slow, &ticks(low, high), height, metric);
    body += &front(points, higher_is_better, &|point| (x(point), height(point.score)));
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    // Above the names, whose halo would hide them.
    let mut dots = String::new();
    for point in points {
        let (px, py) = (x(point), height(point.score));
        let class = if point.is_ranked { "a" } else { "o" };
        push!(dots, "<circle class={class} cx={} cy={} r=5 />", at(px), at(py));
        let name = fit(point.name, 28);
        let length = name.chars().count() as f64 * 6.6;
        // The first place beside the point that no other name has; without one the table has to do.
        let free = [4.0, -8.0, 16.0, -20.0, 28.0].into_iter().find(|shift| {
            !taken.iter().any(|(from, to, at)| {
                (at - (py + shift)).abs() < 11.0 && *from < px + 9.0 + length && px + 9.0 < *to
            })
        });
        if let Some(shift) = free {
            taken.push((px + 9.0, px + 9.0 + length, py + shift));
            body += &label(px + 9.0, py + shift, "b", &text(&name));
        }
    }
    body + &dots
}

fn axes(fast: f64, slow: f64, ticks: &[f64], height: impl Fn(f64) -> f64, metric: &str) -> String {
    let mut body = String::new();
    for tick_at in ticks {
        push!(body, "<path class=g d=\"M{} {}H{}\"/>", at(LEFT), at(height(*tick_at)), at(RIGHT));
        body += &label(LEFT - 8.0, height(*tick_at) + 4.0, "e", &tick(*tick_at));
    }
    // At most 30 powers of ten, since times are from milliseconds on and finite; more than 8 have no room.
    let decades = (slow - fast).clamp(1.0, 400.0) as usize;
    for decade in (0..=decades).step_by(decades.div_ceil(8)) {
        let place = LEFT + decade as f64 / decades as f64 * (RIGHT - LEFT);
        let seconds = 10f64.powf(fast + decade as f64);
        let name = if seconds < 0.1 { format!("{} s", tick(seconds)) } else { duration(Some(seconds)) };
        push!(body, "<path class=g d=\"M{} {}V{}\"/>", at(place), at(TOP), at(BOTTOM));
        body += &label(place, BOTTOM + 18.0, "m", &name);
    }
    body + &label(f64::midpoint(LEFT, RIGHT), BOTTOM + 38.0, "m", "time of a seed")
        + &label(8.0, TOP - 16.0, "b", &format!("{} (x100)", text(metric)))
}

/// The ranked rows that no faster one beats, as steps.
fn front(points: &[Point<'_>], higher_is_better: bool, place: &dyn Fn(&Point<'_>) -> (f64, f64)) -> String {
    let mut ranked: Vec<&Point<'_>> = points.iter().filter(|point| point.is_ranked).collect();
    let better = |one: f64, other: f64| if higher_is_better { one > other } else { one < other };
    ranked.sort_by(|one, other| {
        let by_score = one.score.total_cmp(&other.score);
        one.seconds.total_cmp(&other.seconds).then(if higher_is_better {
            by_score.reverse()
        } else {
            by_score
        })
    });
    let mut best: Option<f64> = None;
    let mut line = String::new();
    for point in ranked {
        if best.is_none_or(|best| better(point.score, best)) {
            let (x, y) = place(point);
            if best.is_none() {
                push!(line, "M{} {}", at(x), at(y));
            } else {
                push!(line, "H{}V{}", at(x), at(y));
            }
            best = Some(point.score);
        }
    }
    format!("<path class=p d=\"{line}\"/>")
}
