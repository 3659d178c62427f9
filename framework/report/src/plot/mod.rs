//! Figures: lines with intervals, and areas, as SVG.
//!
//! A [`Figure`] is plain data; [`render`] makes the SVG. It is pure: equal figures give equal bytes, on every
//! machine, and no font is read (viewers use their own sans-serif). Colours are those of Okabe and Ito, which
//! colour-blind people can tell apart; lines also differ in their markers.
//!
//! Figures of results: [`sweeps`] (a metric against a varied parameter), [`training_figure`] (a training log)
//! and [`rank_figures`] (the ranks that methods give the true candidates).

mod draw;
mod ranks;
mod scale;
mod sweep;
mod training;

pub use draw::render;
pub use ranks::{RankGroup, rank_figures, ranks_figure};
pub use scale::Scale;
pub use sweep::{PathError, Sweep, SweepLine, SweepPoint, XValue, sweeps, sweeps_csv};
pub use training::{TrainingError, training_figure};

/// Stacked panels that share a title.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What is shown, in one line.
    pub title: String,
    /// Notes below the title, one per line, such as what an interval is or what was left out.
    pub notes: Vec<String>,
    /// At least one.
    pub panels: Vec<Panel>,
}

/// A pair of axes and the series drawn on them.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Drawn in this order; those with a name are in the legend.
    pub series: Vec<Series>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What the numbers are, with their unit.
    pub label: String,
    /// How values map to positions.
    pub scale: Scale,
    /// Values and labels of the ticks; if `None`, ticks are at round numbers.
    pub ticks: Option<Vec<(f64, String)>>,
    /// First and last value; if `None`, those of the data and a margin. No value may lie outside.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis over the data, with ticks at round numbers.
    pub fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self { label: label.into(), scale, ticks: None, range: None }
    }

    /// Puts ticks at these values, labelled with the numbers.
    #[must_use]
    pub fn with_ticks_at(mut self, values: impl IntoIterator<Item = f64>) -> Self {
        self.ticks = Some(values.into_iter().map(|value| (value, scale::plain(value))).collect());
        self
    }
}

/// A line or an area.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend; a series with an empty name is not in it.
    pub name: String,
    /// Number of the colour and the marker, from 0; they repeat after [`COLOURS`].
    pub colour: usize,
    /// What is drawn.
    pub shape: Shape,
}

/// Number of colours.
pub const COLOURS: usize = 8;

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Points, perhaps joined.
    Line {
        /// From left to right.
        points: Vec<Point>,
        /// How they are joined.
        stroke: Stroke,
        /// Whether each point has a marker.
        markers: bool,
        /// How their intervals are drawn.
        intervals: Intervals,
    },
    /// A closed polygon of x and y, filled.
    Area(Vec<(f64, f64)>),
}

/// A point and its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Value on the horizontal axis.
    pub x: f64,
    /// Value on the vertical axis.
    pub y: f64,
    /// Lowest and highest value.
    pub interval: Option<(f64, f64)>,
}

/// How the points of a line are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// A solid line.
    Solid,
    /// A dashed line.
    Dashed,
    /// Not at all.
    None,
}

/// How intervals are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intervals {
    /// A translucent band along the line.
    Band,
    /// A bar at each point.
    Bars,
}

/// Why a figure cannot be drawn.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlotError {
    /// A panel has nothing to show.
    #[error("figure `{title}`: nothing to draw on the axes `{x}` and `{y}`")]
    Empty {
        /// Title of the figure.
        title: String,
        /// Label of the horizontal axis.
        x: String,
        /// Label of the vertical axis.
        y: String,
    },
    /// A value has no place on the axis.
    #[error("axis `{axis}`: {value} has no place on it ({why})")]
    OutOfAxis {
        /// Label of the axis.
        axis: String,
        /// The value.
        value: f64,
        /// Why.
        why: &'static str,
    },
    /// The drawing library refused.
    #[error("drawing: {0}")]
    Draw(String),
}

#[cfg(test)]
mod tests;
