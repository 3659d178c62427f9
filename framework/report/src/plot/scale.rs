//! Maps values to positions on an axis and chooses its ticks.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::{Axis, PlotError};

/// How values map to positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equal distances.
    Linear,
    /// Equal ratios are equal distances; values are above 0.
    Log,
}

/// Positive values whose largest ratio is at least this get a logarithmic axis.
const LOG_FROM_RATIO: f64 = 20.0;

impl Scale {
    /// Logarithmic for values above 0 that differ by a factor of 20 or more, else linear.
    pub fn fitting(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values);
        if low > 0.0 && high / low >= LOG_FROM_RATIO { Self::Log } else { Self::Linear }
    }

    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
        }
    }

    fn value(self, place: f64) -> f64 {
        match self {
            Self::Linear => place,
            Self::Log => 10f64.powf(place),
        }
    }
}

/// An axis with its range and ticks: a plotters coordinate.
#[derive(Clone)]
pub(super) struct Placed {
    label: String,
    scale: Scale,
    /// First and last position on the scale: the value itself, or its logarithm.
    range: (f64, f64),
    /// Values and labels of the ticks, all inside the range.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Placed {
    /// Chooses the range and ticks of `axis` for `values`, at least one.
    pub(super) fn new(axis: &Axis, values: &[f64]) -> Result<Self, PlotError> {
        let mut placed =
            Self { label: axis.label.clone(), scale: axis.scale, range: (0.0, 0.0), ticks: Vec::new() };
        let mut positions = Vec::with_capacity(values.len());
        for &value in values {
            positions.push(placed.checked(value)?);
        }
        placed.range = match axis.range {
            Some((first, last)) => (placed.checked(first)?, placed.checked(last)?),
            None => with_margin(extent(positions.iter().copied())),
        };
        let inside = |place: f64| place >= placed.range.0 && place <= placed.range.1;
        if let Some(index) = positions.iter().position(|place| !inside(*place)) {
            return Err(placed.refusal(values[index], "outside of the axis's range"));
        }
        let least_step = if values.iter().all(|value| value.fract() == 0.0) { 1.0 } else { 0.0 };
        let ticks = axis.ticks.clone().unwrap_or_else(|| round_ticks(axis.scale, placed.range, least_step));
        placed.ticks = ticks.into_iter().filter(|(value, _)| inside(axis.scale.place(*value))).collect();
        Ok(placed)
    }

    fn checked(&self, value: f64) -> Result<f64, PlotError> {
        match self.scale {
            _ if !value.is_finite() => Err(self.refusal(value, "not a finite number")),
            Scale::Log if value <= 0.0 => Err(self.refusal(value, "a logarithmic axis takes values above 0")),
            scale => Ok(scale.place(value)),
        }
    }

    fn refusal(&self, value: f64, why: &'static str) -> PlotError {
        PlotError::OutOfAxis { axis: self.label.clone(), value, why }
    }
}

impl Ranged for Placed {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let (first, last) = self.range;
        let share = (self.scale.place(*value) - first) / (last - first);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.scale.value(self.range.0)..self.scale.value(self.range.1)
    }
}

impl ValueFormatter<f64> for Placed {
    fn format_ext(&self, value: &f64) -> String {
        let found = self.ticks.iter().find(|(tick, _)| tick == value);
        found.map(|(_, words)| words.clone()).unwrap_or_default()
    }
}

fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values
        .into_iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// Adds a twenty-fifth on both sides, or a margin around a single value.
fn with_margin((low, high): (f64, f64)) -> (f64, f64) {
    let margin = match high - low {
        width if width > 0.0 => width / 25.0,
        _ if low == 0.0 => 0.1,
        _ => low.abs() / 10.0,
    };
    (low - margin, high + margin)
}

/// Ticks at round values; `low` and `high` are positions on the scale.
fn round_ticks(scale: Scale, (low, high): (f64, f64), least_step: f64) -> Vec<(f64, String)> {
    match scale {
        Scale::Linear => linear_ticks(low, high, least_step),
        Scale::Log if high - low < 1.5 => {
            // Less than one and a half decades: 1, 2 and 5 times powers of ten.
            let decades = (low.floor() as i32)..=(high.ceil() as i32);
            let values = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * power_of_ten(decade)));
            values.map(|value| (value, plain(value))).collect()
        }
        Scale::Log => {
            let (first, last) = (low.ceil() as i32, high.floor() as i32);
            let every = 1 + (last - first) / 12;
            let decades = (first..=last).filter(|decade| decade % every == 0);
            decades.map(power_of_ten).map(|value| (value, plain(value))).collect()
        }
    }
}

/// The number nearest to the power, which `powi` may miss by rounding.
fn power_of_ten(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().expect("a number")
}

/// 4 to 9 ticks at multiples of 1, 2 or 5 times a power of ten; fewer where they would be closer than
/// `least_step`.
fn linear_ticks(low: f64, high: f64, least_step: f64) -> Vec<(f64, String)> {
    let rough = ((high - low) / 8.0).max(least_step);
    let exponent = rough.log10().floor() as i32;
    let unit = 10f64.powi(exponent);
    let (digit, exponent) = match rough / unit {
        ratio if ratio <= 1.0 => (1.0, exponent),
        ratio if ratio <= 2.0 => (2.0, exponent),
        ratio if ratio <= 5.0 => (5.0, exponent),
        _ => (1.0, exponent + 1),
    };
    let step = digit * 10f64.powi(exponent);
    let decimals = usize::try_from(-exponent).unwrap_or(0);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    let words = |value: f64| {
        if (-4..=5).contains(&exponent) { format!("{value:.decimals$}") } else { scientific(value, exponent) }
    };
    (first..=last).map(|multiple| multiple as f64 * step).map(|value| (value, words(value))).collect()
}

/// A multiple of a power of ten, as `1.5e-7`: no more digits than the power has, so that no rounding of the product shows.
fn scientific(value: f64, exponent: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = value.abs().log10().floor() as i32 - exponent;
    let rounded = format!("{value:.*e}", usize::try_from(digits).unwrap_or(0));
    rounded.parse().map_or(rounded, plain)
}

/// The shortest text that reads back as the number, as `1e-9` where that is shorter by two characters or
/// more.
pub(super) fn plain(value: f64) -> String {
    let (decimal, scientific) = (value.to_string(), format!("{value:e}"));
    if scientific.len() + 1 < decimal.len() { scientific } else { decimal }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(ticks: &[(f64, String)]) -> Vec<&str> {
        ticks.iter().map(|(_, words)| words.as_str()).collect()
    }

    #[test]
    fn round_numbers_of_a_linear_axis() {
        assert_eq!(words(&linear_ticks(70.3, 80.9, 0.0)), ["72", "74", "76", "78", "80"]);
        assert_eq!(words(&linear_ticks(0.9, 3.1, 1.0)), ["1", "2", "3"]);
        assert_eq!(words(&linear_ticks(-0.04, 1.04, 0.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(
            words(&linear_ticks(0.0, 3e-7, 0.0)),
            ["0", "5e-8", "1e-7", "1.5e-7", "2e-7", "2.5e-7", "3e-7"]
        );
    }

    #[test]
    fn values_of_any_size_have_their_ticks() {
        let labels = |values: &[f64]| {
            words(&Placed::new(&Axis::new("x", Scale::Linear), values).unwrap().ticks).join(" ")
        };
        assert_eq!(labels(&[1e-9, 1.3e-9]), "1e-9 1.05e-9 1.1e-9 1.15e-9 1.2e-9 1.25e-9 1.3e-9");
        assert_eq!(labels(&[0.0, 7e-7]), "0 1e-7 2e-7 3e-7 4e-7 5e-7 6e-7 7e-7");
        assert_eq!(labels(&[1e30, 4e30]), "1e30 1.5e30 2e30 2.5e30 3e30 3.5e30 4e30");
        // A single value is in the middle, with ticks around it.
        assert!(labels(&[2e-9]).contains(" 2e-9 "), "{}", labels(&[2e-9]));
    }

    #[test]
    fn powers_of_ten_or_1_2_5_of_a_logarithmic_axis() {
        let labels = |low: f64, high: f64| {
            let axis = Axis::new("x", Scale::Log);
            let placed = Placed::new(&axis, &[low, high]).unwrap();
            words(&placed.ticks).join(" ")
        };
        assert_eq!(labels(1e-12, 1e-8), "1e-12 1e-11 1e-10 1e-9 1e-8");
        assert_eq!(labels(3.0, 40.0), "5 10 20");
        assert_eq!(labels(1e-30, 1.0), "1e-30 1e-27 1e-24 1e-21 1e-18 1e-15 1e-12 1e-9 1e-6 0.001 1");
    }

    #[test]
    fn the_scale_that_fits() {
        assert_eq!(Scale::fitting([1e-12, 1e-9, 0.1]), Scale::Log);
        assert_eq!(Scale::fitting([2.0, 4.0, 10.0]), Scale::Linear);
        assert_eq!(Scale::fitting([0.0, 1e-9, 0.1]), Scale::Linear);
    }

    #[test]
    fn what_has_no_place_is_named() {
        let refused = |scale, values: &[f64]| {
            Placed::new(&Axis::new("beta", scale), values).err().expect("refused").to_string()
        };
        let message = refused(Scale::Log, &[0.1, 0.0]);
        assert_eq!(message, "axis `beta`: 0 has no place on it (a logarithmic axis takes values above 0)");
        assert!(refused(Scale::Linear, &[f64::NAN]).contains("not a finite number"));
        let mut axis = Axis::new("beta", Scale::Linear);
        axis.range = Some((0.0, 1.0));
        assert!(Placed::new(&axis, &[2.0]).is_err());
    }
}
