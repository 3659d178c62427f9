//! Formats numbers for people.

/// The text for a missing number.
pub(crate) const NONE: &str = "–";

/// Mean and standard deviation x100, with one decimal: `76.8±2.2`.
pub(crate) fn hundredfold(mean: Option<f64>, std: Option<f64>) -> String {
    match mean {
        Some(mean) => {
            format!("{}±{}", decimal(mean * 100.0), std.map_or(NONE.to_owned(), |std| decimal(std * 100.0)))
        }
        None => NONE.to_owned(),
    }
}

/// Seconds as `12.3 s`, `4.1 min` or `2.5 h`.
pub(crate) fn duration(seconds: Option<f64>) -> String {
    match seconds {
        None => NONE.to_owned(),
        // From these on, one decimal would show 60.0.
        Some(seconds) if seconds < 59.95 => format!("{} s", decimal(seconds)),
        Some(seconds) if seconds < 59.95 * 60.0 => format!("{} min", decimal(seconds / 60.0)),
        Some(seconds) => format!("{} h", decimal(seconds / 3600.0)),
    }
}

/// MiB as `123 MiB` or `1.2 GiB`.
pub(crate) fn memory(mebibytes: Option<f64>) -> String {
    match mebibytes {
        None => NONE.to_owned(),
        Some(mebibytes) if mebibytes < 1023.5 => format!("{mebibytes:.0} MiB"),
        Some(mebibytes) => format!("{} GiB", decimal(mebibytes / 1024.0)),
    }
}

/// One decimal, and no negative zero.
fn decimal(value: f64) -> String {
    let text = format!("{value:.1}");
    if text == "-0.0" { "0.0".to_owned() } else { text }
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
    fn durations() {
        let shown = [0.0, 12.34, 59.94, 59.95, 246.0, 3596.9, 3597.0, 9000.0].map(|s| duration(Some(s)));
        assert_eq!(shown, ["0.0 s", "12.3 s", "59.9 s", "1.0 min", "4.1 min", "59.9 min", "1.0 h", "2.5 h"]);
        assert_eq!(duration(None), "–");
    }

    #[test]
    fn memories() {
        let shown = [0.0, 123.4, 1023.4, 1023.5, 1536.0].map(|mebibytes| memory(Some(mebibytes)));
        assert_eq!(shown, ["0 MiB", "123 MiB", "1023 MiB", "1.0 GiB", "1.5 GiB"]);
        assert_eq!(memory(None), "–");
    }
}
