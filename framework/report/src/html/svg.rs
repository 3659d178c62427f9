//! Drawing as text. Colours are those of the style sheet, by class, so that figures follow light, dark and print.

/// A coordinate with at most one decimal.
pub(super) fn at(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    // A zero has no sign here.
    if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
}

/// A figure that scrolls where the screen is narrow. `label` and `body` are HTML; the label tells those who do not see it
/// where the same numbers stand.
pub(super) fn figure(id: &str, label: &str, width: f64, height: f64, body: &str) -> String {
    format!(
        "<div class=f tabindex=0 role=group aria-label=\"{label}\"><svg id=\"{id}\" role=img aria-label=\"{label}\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\">{body}</svg></div>\n",
        w = at(width),
        h = at(height),
    )
}

/// A text at a place.
pub(super) fn label(x: f64, y: f64, class: &str, html: &str) -> String {
    format!("<text x={} y={} class={class}>{html}</text>", at(x), at(y))
}

/// Round numbers from `low` to `high`: about five.
pub(super) fn ticks(low: f64, high: f64) -> Vec<f64> {
    let raw = (high - low) / 5.0;
    if !raw.is_finite() || raw <= 0.0 {
        return vec![low];
    }
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= raw)
        .unwrap_or(raw);
    let first = (low / step).ceil();
    (0..16)
        .map(|index| (first + f64::from(index)) * step)
        .take_while(|tick| *tick <= high + step * 1e-9)
        .collect()
}

/// A tick without more decimals than it needs.
pub(super) fn tick(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{value:e}");
    }
    ((value * 1e4).round() / 1e4).to_string()
}

/// The first characters of a name, so that it fits beside a figure; as text, not yet HTML.
pub(super) fn fit(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(3.0, 3.0), [3.0]);
        assert_eq!(ticks(f64::NAN, 3.0).len(), 1);
        assert_eq!([tick(0.1 + 0.2), tick(1e9), tick(-2.5)], ["0.3", "1e9", "-2.5"]);
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([at(-0.04), at(12.25), at(3.0)], ["0", "12.3", "3"]);
        assert_eq!(fit("abcdef", 4), "abc…");
    }
}
