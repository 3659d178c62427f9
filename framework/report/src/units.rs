//! Formats numbers for people.

use std::{
    fmt::Write,
    time::{Duration, UNIX_EPOCH},
};

use molarena_metrics::Metric;

/// The text for a missing number.
pub(crate) const NONE: &str = "–";

/// Mean and standard deviation x100, with one decimal: `76.8±2.2`. One decimal of a percent is all that a fraction of 1
/// needs; values of a million and more are in [scientific form](Digits::of).
pub(crate) fn hundredfold(mean: Option<f64>, std: Option<f64>) -> String {
    written(mean, std, |largest| if largest < HUGE { Digits::Decimals(1) } else { Digits::of(largest) })
}

/// A mean x100 with its standard deviation, in the form that suits the metric. An error in the labels' own unit may be
/// of any size, so a small one has three significant digits: `0.0123±0.0004`, `1.20e-7±0.03e-7`.
pub(crate) fn score(metric: Metric, mean: Option<f64>, std: Option<f64>) -> String {
    match metric {
        Metric::Mae | Metric::Rmse => written(mean, std, Digits::of),
        _ => hundredfold(mean, std),
    }
}

/// The ends of an interval x100, with the digits that suit the metric: `74.1–76.9`.
pub(crate) fn interval(metric: Metric, low: f64, high: f64) -> String {
    let (low, high) = (low * 100.0, high * 100.0);
    if !low.is_finite() || !high.is_finite() {
        return NONE.to_owned();
    }
    let largest = low.abs().max(high.abs());
    let digits = match metric {
        Metric::Mae | Metric::Rmse => Digits::of(largest),
        _ if largest < HUGE => Digits::Decimals(1),
        _ => Digits::of(largest),
    };
    let between = if low < 0.0 { " to " } else { "–" };
    format!("{}{between}{}", digits.write(low), digits.write(high))
}

/// A score or a difference x100, with one digit more than on boards: `75.43`; a small one with three significant digits,
/// `0.0705`.
pub(crate) fn points(value: f64) -> String {
    let hundredfold = value * 100.0;
    let size = hundredfold.abs();
    let digits = if (0.1..HUGE).contains(&size) { Digits::Decimals(2) } else { Digits::of(size) };
    if hundredfold == 0.0 { "0.00".to_owned() } else { digits.write(hundredfold) }
}

/// The same with a sign.
pub(crate) fn signed_points(value: f64) -> String {
    let text = points(value);
    if value > 0.0 { format!("+{text}") } else { text }
}

/// A number with some decimals, for lines of a terminal: `0.7654`. Where decimals would hide the digits of a small number,
/// or a number of a million and more would be long, it is as `1.234e-9`.
pub fn with_decimals(value: f64, decimals: usize) -> String {
    let plain = value == 0.0 || (0.01..HUGE).contains(&value.abs()) || !value.is_finite();
    if plain { format!("{value:.decimals$}") } else { format!("{value:.3e}") }
}

/// The first 8 characters of a hash.
pub fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}

/// The second in UTC, such as `2026-11-28 20:15:03`, of seconds since 1970; `None` for a year of five digits, which has no
/// form.
pub fn moment(seconds: Option<u64>) -> Option<String> {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds?))?;
    let mut text = String::new();
    write!(text, "{}", humantime::format_rfc3339_seconds(time)).ok()?;
    Some(text.trim_end_matches('Z').replace('T', " "))
}

/// A label as people write it: its shortest decimal, or `1e-9` and `1e30` where that would be long.
pub fn short_number(value: f32) -> String {
    let size = value.abs();
    let plain = value == 0.0 || (1e-4..1e9).contains(&size) || !value.is_finite();
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// Below this, powers of ten are no exact numbers, and nothing is measured.
const LEAST: f64 = 1e-300;
/// From here on, a score x100 is in scientific form.
const HUGE: f64 = 1e6;

/// How many digits a mean and its standard deviation have: as many for both.
#[derive(Clone, Copy)]
enum Digits {
    /// Digits behind the point.
    Decimals(usize),
    /// Multiples of a power of ten, with two digits behind the point.
    Power(i32),
}

impl Digits {
    /// One decimal for numbers from 1 to a million, three significant digits for smaller and larger ones.
    fn of(largest: f64) -> Self {
        if largest < LEAST || (1.0..HUGE).contains(&largest) {
            return Self::Decimals(1);
        }
        let text = format!("{largest:.2e}");
        let exponent = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
        match exponent {
            0.. if largest < 1.0 => Self::Decimals(1),
            -3..0 => Self::Decimals(2 + usize::try_from(-exponent).unwrap_or_default()),
            _ => Self::Power(exponent),
        }
    }

    fn write(self, value: f64) -> String {
        let text = match self {
            Self::Decimals(decimals) => format!("{value:.decimals$}"),
            Self::Power(exponent) => format!("{:.2}e{exponent}", value / 10f64.powi(exponent)),
        };
        without_negative_zero(text)
    }
}

/// Both x100, with the digits that `digits` chooses for the larger of them. What is missing or no finite number is [`NONE`].
fn written(mean: Option<f64>, std: Option<f64>, digits: impl Fn(f64) -> Digits) -> String {
    let finite = |value: Option<f64>| value.map(|value| value * 100.0).filter(|value| value.is_finite());
    let Some(mean) = finite(mean) else { return NONE.to_owned() };
    let std = finite(std);
    let digits = digits(mean.abs().max(std.unwrap_or(0.0)));
    format!("{}±{}", digits.write(mean), std.map_or(NONE.to_owned(), |std| digits.write(std)))
}

/// Seconds as `12.3 s`, `4.1 min` or `2.5 h`.
pub(crate) fn duration(seconds: Option<f64>) -> String {
    match seconds.filter(|seconds| seconds.is_finite()) {
        None => NONE.to_owned(),
        // From these on, one decimal would show 60.0.
        Some(seconds) if seconds < 59.95 => format!("{} s", decimal(seconds)),
        Some(seconds) if seconds < 59.95 * 60.0 => format!("{} min", decimal(seconds / 60.0)),
        Some(seconds) => format!("{} h", decimal(seconds / 3600.0)),
    }
}

/// MiB as `123 MiB` or `1.2 GiB`.
pub(crate) fn memory(mebibytes: Option<f64>) -> String {
    match mebibytes.filter(|mebibytes| mebibytes.is_finite()) {
        None => NONE.to_owned(),
        Some(mebibytes) if mebibytes < 1023.5 => format!("{mebibytes:.0} MiB"),
        Some(mebibytes) => format!("{} GiB", decimal(mebibytes / 1024.0)),
    }
}

/// One decimal and no negative zero; three significant digits from a million on.
fn decimal(value: f64) -> String {
    let digits = if value.abs() < HUGE { Digits::Decimals(1) } else { Digits::of(value.abs()) };
    digits.write(value)
}

fn without_negative_zero(text: String) -> String {
    let is_zero = text.starts_with('-') && text.bytes().all(|byte| b"-0.".contains(&byte));
    if is_zero { text[1..].to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores() {
        assert_eq!(hundredfold(Some(0.7684), Some(0.0216)), "76.8±2.2");
        assert_eq!(hundredfold(Some(1.0), None), "100.0±–");
        assert_eq!(hundredfold(Some(-0.0001), Some(0.0)), "0.0±0.0");
        assert_eq!(hundredfold(None, None), "–");
    }

    #[test]
    fn errors_of_any_size_have_significant_digits() {
        let mae = |mean, std| score(Metric::Mae, Some(mean), std);
        // Ordinary errors, and fractions of any size, look as ever.
        assert_eq!(mae(0.5284, Some(0.0121)), "52.8±1.2");
        assert_eq!(mae(0.0, Some(0.0)), "0.0±0.0");
        assert_eq!(score(Metric::RocAuc, Some(0.0001), Some(0.0)), "0.0±0.0");
        // Dissociation constants in mol/l.
        assert_eq!(mae(1.2345e-9, Some(3.2e-11)), "1.23e-7±0.03e-7");
        assert_eq!(mae(1.2745e-9, None), "1.27e-7±–");
        assert_eq!(mae(9.999e-10, None), "1.00e-7±–");
        assert_eq!(mae(1.234e-4, Some(4e-6)), "0.0123±0.0004");
        assert_eq!(mae(0.001_234, Some(0.000_04)), "0.123±0.004");
        assert_eq!(mae(0.009_999, None), "1.0±–");
        assert_eq!(mae(0.0, Some(1e-9)), "0.00e-7±1.00e-7");
        // Large ones.
        assert_eq!(mae(9999.0, Some(1.0)), "999900.0±100.0");
        assert_eq!(mae(1e30, Some(2.5e29)), "1.00e32±0.25e32");
        assert_eq!(score(Metric::R2, Some(-1e30), Some(2.5e29)), "-1.00e32±0.25e32");
        assert_eq!(mae(f64::MAX, None), "–");
        assert_eq!(score(Metric::R2, Some(0.5), Some(f64::NAN)), "50.0±–");
        assert_eq!(mae(5e-324, Some(0.0)), "0.0±0.0");
    }

    #[test]
    fn intervals_have_the_digits_of_their_scores() {
        assert_eq!(interval(Metric::RocAuc, 0.7412, 0.7694), "74.1–76.9");
        assert_eq!(interval(Metric::R2, -0.25, 0.1), "-25.0 to 10.0");
        assert_eq!(interval(Metric::Mae, 1.2e-9, 1.3e-9), "1.20e-7–1.30e-7");
        assert_eq!(interval(Metric::RocAuc, f64::NAN, 0.5), "–");
    }

    #[test]
    fn lines_of_a_terminal() {
        let shown =
            [0.765_432_1, 0.1, 0.0, 1234.5, 1.2341e-9, 0.012_341, 1e30].map(|value| with_decimals(value, 4));
        assert_eq!(shown, ["0.7654", "0.1000", "0.0000", "1234.5000", "1.234e-9", "0.0123", "1.000e30"]);
        let shown = [0.5, 3.0, -2.25, 1e-9, 1e30, 0.0].map(short_number);
        assert_eq!(shown, ["0.5", "3", "-2.25", "1e-9", "1e30", "0"]);
    }

    #[test]
    fn moments() {
        assert_eq!(moment(Some(1_764_361_800)).as_deref(), Some("2025-11-28 20:30:00"));
        assert_eq!(
            [None, Some(u64::MAX), Some(1 << 45)].map(moment),
            [None, None, None],
            "no year of five digits"
        );
    }

    #[test]
    fn durations() {
        let shown = [0.0, 12.34, 59.94, 59.95, 246.0, 3596.9, 3597.0, 9000.0].map(|s| duration(Some(s)));
        assert_eq!(shown, ["0.0 s", "12.3 s", "59.9 s", "1.0 min", "4.1 min", "59.9 min", "1.0 h", "2.5 h"]);
        assert_eq!(duration(None), "–");
        assert_eq!([3.6e33, f64::NAN].map(|s| duration(Some(s))), ["1.00e30 h", "–"]);
    }

    #[test]
    fn memories() {
        let shown = [0.0, 123.4, 1023.4, 1023.5, 1536.0].map(|mebibytes| memory(Some(mebibytes)));
        assert_eq!(shown, ["0 MiB", "123 MiB", "1023 MiB", "1.0 GiB", "1.5 GiB"]);
        assert_eq!(memory(None), "–");
        assert_eq!([1024e30, f64::INFINITY].map(|mebibytes| memory(Some(mebibytes))), ["1.00e30 GiB", "–"]);
    }
}
