//! Draws figures as SVG with plotters. One unit is a pixel of a wide canvas, which viewers scale.

use molarena_record::text::visible_lines;
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::scale::Placed;
use super::{COLOURS, Figure, Intervals, Panel, PlotError, Point, Series, Shape, Stroke};

/// The colours of Okabe and Ito, without their yellow, which is faint on white, and with a grey.
const PALETTE: [RGBColor; COLOURS] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(120, 120, 120),
];
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(226, 226, 226);

const WIDTH: u32 = 1400;
/// Height of a single panel, and of each of several panels.
const PANEL_HEIGHT: [u32; 2] = [740, 420];
/// Font sizes. The SVG has 1/1.24 of them, as plotters measures the line, not the letter.
const TITLE: i32 = 40;
const TEXT: i32 = 31;
const NOTE: i32 = 27;
/// Width of a letter over the font size, a safe estimate for common fonts.
const LETTER: f64 = 0.5;
const LINE_HEIGHT: i32 = 38;

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Placed, Placed>>;
type Drawn<T = ()> = Result<T, PlotError>;

/// Draws the figure as SVG.
pub fn render(figure: &Figure) -> Result<String, PlotError> {
    let notes: Vec<String> = figure.notes.iter().flat_map(|note| wrapped(note, NOTE)).collect();
    let head = 70 + LINE_HEIGHT * notes.len() as i32;
    let panel_height = PANEL_HEIGHT[usize::from(figure.panels.len() > 1)];
    let size = (WIDTH, head as u32 + panel_height * figure.panels.len() as u32);
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        canvas.fill(&WHITE).map_err(refused)?;
        let (top, rest) = canvas.split_vertically(head);
        write(&top, &figure.title, (24, 18), TITLE)?;
        for (line, note) in notes.iter().enumerate() {
            write(&top, note, (24, 70 + LINE_HEIGHT * line as i32), NOTE)?;
        }
        let placed: Vec<(Placed, Placed)> =
            figure.panels.iter().map(|panel| place(panel, &figure.title)).collect::<Drawn<_>>()?;
        let sizes = Sizes::of(figure, &placed);
        let areas = rest.split_evenly((figure.panels.len(), 1));
        for ((panel, (x, y)), area) in figure.panels.iter().zip(placed).zip(&areas) {
            draw_panel(panel, x, y, area, sizes)?;
        }
        canvas.present().map_err(refused)?;
    }
    // XML takes no control characters, and viewers would follow marks of writing direction.
    Ok(visible_lines(&with_title(&svg, &figure.title)).into_owned())
}

fn refused(error: impl std::error::Error) -> PlotError {
    PlotError::Draw(error.to_string())
}

/// Adds the role and the title that screen readers read.
fn with_title(svg: &str, title: &str) -> String {
    let escaped = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    svg.replacen("<svg ", "<svg role=\"img\" ", 1).replacen(
        ">\n",
        &format!(">\n<title>{escaped}</title>\n"),
        1,
    )
}

/// Breaks text into lines that fit the canvas.
fn wrapped(text: &str, size: i32) -> Vec<String> {
    let most = (f64::from(WIDTH - 48) / (LETTER * f64::from(size))) as usize;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > most {
            lines.push(word.to_owned());
        } else {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}

fn write(area: &Canvas, text: &str, place: (i32, i32), size: i32) -> Drawn {
    let style = TextStyle::from(("sans-serif", size)).color(&INK).pos(Pos::new(HPos::Left, VPos::Top));
    area.draw(&Text::new(text.to_owned(), place, style)).map_err(refused)
}

/// Widths shared by all panels, so that their axes line up.
#[derive(Clone, Copy)]
struct Sizes {
    /// Width of the labels along the vertical axes.
    y_area: i32,
    /// Width of the legends' column.
    legend: i32,
}

impl Sizes {
    fn of(figure: &Figure, placed: &[(Placed, Placed)]) -> Self {
        let ticks = placed.iter().flat_map(|(_, y)| &y.ticks);
        let widest = ticks.map(|(_, words)| words.chars().count()).max().unwrap_or(0);
        let legends = figure.panels.iter().map(|panel| {
            let named = named(panel);
            let longest = named.iter().map(|series| series.name.chars().count()).max().unwrap_or(0);
            if named.len() < 2 { 0 } else { 96 + (LETTER * f64::from(NOTE) * longest as f64) as i32 }
        });
        Self {
            y_area: 64 + (LETTER * f64::from(TEXT) * widest as f64) as i32,
            legend: legends.max().unwrap_or(0),
        }
    }
}

/// Series of the legend. A single series needs no legend: the title or the axis says what it is.
fn named(panel: &Panel) -> Vec<&Series> {
    panel.series.iter().filter(|series| !series.name.is_empty()).collect()
}

fn place(panel: &Panel, title: &str) -> Drawn<(Placed, Placed)> {
    let (xs, ys): (Vec<f64>, Vec<f64>) =
        panel.series.iter().flat_map(|series| extremes(&series.shape)).unzip();
    if xs.is_empty() {
        let (x, y) = (panel.x.label.clone(), panel.y.label.clone());
        return Err(PlotError::Empty { title: title.to_owned(), x, y });
    }
    Ok((Placed::new(&panel.x, &xs)?, Placed::new(&panel.y, &ys)?))
}

fn draw_panel(panel: &Panel, x: Placed, y: Placed, area: &Canvas, sizes: Sizes) -> Drawn {
    let (plot, legend) = area.split_horizontally(WIDTH as i32 - sizes.legend);
    let mut chart = axes(panel, x, y, &plot, sizes.y_area)?;
    for series in &panel.series {
        draw_series(&mut chart, series)?;
    }
    draw_legend(&named(panel), &legend)
}

/// The points that must lie on the axes.
fn extremes(shape: &Shape) -> Vec<(f64, f64)> {
    match shape {
        Shape::Area(corners) => corners.clone(),
        Shape::Line { points, .. } => points
            .iter()
            .flat_map(|point| {
                let (low, high) = point.interval.unwrap_or((point.y, point.y));
                [(point.x, point.y), (point.x, low), (point.x, high)]
            })
            .collect(),
    }
}

fn axes<'a, 'b>(panel: &Panel, x: Placed, y: Placed, area: &Canvas<'b>, y_area: i32) -> Drawn<Chart<'a, 'b>> {
    let counts = [&x, &y].map(|axis| axis.ticks.len().max(1));
    let mut chart = ChartBuilder::on(area)
        .margin_top(16)
        .margin_right(28)
        .margin_left(12)
        .margin_bottom(10)
        .x_label_area_size(84)
        .y_label_area_size(y_area)
        .build_cartesian_2d(x, y)
        .map_err(refused)?;
    let text = TextStyle::from(("sans-serif", TEXT)).color(&INK);
    chart
        .configure_mesh()
        .x_labels(counts[0])
        .y_labels(counts[1])
        .max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text.clone())
        .axis_desc_style(text)
        .x_desc(&panel.x.label)
        .y_desc(&panel.y.label)
        .draw()
        .map_err(refused)?;
    Ok(chart)
}

fn draw_series(chart: &mut Chart, series: &Series) -> Drawn {
    let colour = PALETTE[series.colour % COLOURS];
    let (points, stroke, markers, intervals) = match &series.shape {
        Shape::Area(corners) => {
            return add(chart, Polygon::new(corners.as_slice(), colour.mix(0.45)));
        }
        Shape::Line { points, stroke, markers, intervals } => (points, *stroke, *markers, *intervals),
    };
    draw_intervals(chart, points, intervals, colour)?;
    let places: Vec<(f64, f64)> = points.iter().map(|point| (point.x, point.y)).collect();
    let style = colour.stroke_width(4);
    match stroke {
        Stroke::Solid => add(chart, PathElement::new(places.clone(), style))?,
        Stroke::Dashed => add(chart, DashedPathElement::new(places.clone(), 14, 10, style))?,
        Stroke::None => {}
    }
    for place in places.into_iter().filter(|_| markers) {
        add(chart, EmptyElement::at(place) + marker(series.colour, colour))?;
    }
    Ok(())
}

fn draw_intervals(chart: &mut Chart, points: &[Point], intervals: Intervals, colour: RGBColor) -> Drawn {
    let known: Vec<(f64, f64, f64)> =
        points.iter().filter_map(|point| point.interval.map(|(low, high)| (point.x, low, high))).collect();
    match intervals {
        Intervals::Band if known.len() > 1 => {
            let lower = known.iter().map(|&(x, low, _)| (x, low));
            let upper = known.iter().rev().map(|&(x, _, high)| (x, high));
            add(chart, Polygon::new(lower.chain(upper).collect::<Vec<_>>(), colour.mix(0.2)))?;
        }
        Intervals::Band | Intervals::Bars => {
            for (x, low, high) in known {
                add(chart, PathElement::new(vec![(x, low), (x, high)], colour.stroke_width(2)))?;
                for end in [low, high] {
                    let cap = PathElement::new(vec![(-8, 0), (8, 0)], colour.stroke_width(2));
                    add(chart, EmptyElement::at((x, end)) + cap)?;
                }
            }
        }
    }
    Ok(())
}

fn add<'a, E>(chart: &mut Chart<'_, 'a>, element: E) -> Drawn
where
    for<'b> &'b E: plotters::element::PointCollection<'b, (f64, f64)>,
    E: plotters::element::Drawable<SVGBackend<'a>>,
{
    chart.draw_series(std::iter::once(element)).map(drop).map_err(refused)
}

/// The marker of a colour around (0, 0): a filled polygon.
fn marker(number: usize, colour: RGBColor) -> Polygon<(i32, i32)> {
    let corners: &[(i32, i32)] = match number % 5 {
        // Nearly a circle.
        0 => &[
            (8, 0),
            (7, 4),
            (4, 7),
            (0, 8),
            (-4, 7),
            (-7, 4),
            (-8, 0),
            (-7, -4),
            (-4, -7),
            (0, -8),
            (4, -7),
            (7, -4),
        ],
        1 => &[(-7, -7), (7, -7), (7, 7), (-7, 7)],
        2 => &[(0, -10), (9, 7), (-9, 7)],
        3 => &[(0, -10), (10, 0), (0, 10), (-10, 0)],
        _ => &[(0, 10), (9, -7), (-9, -7)],
    };
    Polygon::new(corners, colour.filled())
}

fn draw_legend(named: &[&Series], area: &Canvas) -> Drawn {
    if named.len() < 2 {
        return Ok(());
    }
    for (row, series) in named.iter().enumerate() {
        let middle = 40 + LINE_HEIGHT * row as i32;
        let colour = PALETTE[series.colour % COLOURS];
        let ends = vec![(8, middle), (64, middle)];
        let style = colour.stroke_width(4);
        match &series.shape {
            Shape::Area(_) => {
                let corners = [(8, middle - 12), (64, middle + 12)];
                area.draw(&Rectangle::new(corners, colour.mix(0.45).filled())).map_err(refused)?;
            }
            Shape::Line { stroke, markers, .. } => {
                match stroke {
                    Stroke::Solid => area.draw(&PathElement::new(ends, style)),
                    Stroke::Dashed => area.draw(&DashedPathElement::new(ends, 14, 10, style)),
                    Stroke::None => Ok(()),
                }
                .map_err(refused)?;
                if *markers {
                    area.draw(&(EmptyElement::at((36, middle)) + marker(series.colour, colour)))
                        .map_err(refused)?;
                }
            }
        }
        let style = TextStyle::from(("sans-serif", NOTE)).color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(series.name.clone(), (76, middle), style)).map_err(refused)?;
    }
    Ok(())
}
