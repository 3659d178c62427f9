//! Columns that number or date the rows, which are no tasks unless they are asked for.

/// Names, in lower case, of columns that number rows or molecules.
const NUMBERING: [&str; 12] =
    ["", "id", "index", "idx", "row", "row_nr", "row_number", "rowid", "cid", "sid", "mol_id", "molid"];
/// Words that, in the name of a column of distinct whole numbers, say that they are identifiers.
const IDENTIFIERS: [&str; 7] = ["id", "cid", "sid", "idx", "index", "nr", "rownum"];
/// Words that, in a name, say that the column is a date.
const DATES: [&str; 3] = ["date", "datetime", "timestamp"];
/// The least number of rows whose numbers can be seen to count.
const COUNTED: usize = 3;

/// Whether a column numbers the rows, by its name; pandas calls an index without a name `Unnamed: 0` in CSV and
/// `__index_level_0__` in Parquet.
pub(super) fn is_by_name(name: &str) -> bool {
    let name = name.to_lowercase();
    let numbered = |start: &str, end: &str| {
        let number = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
    };
    NUMBERING.contains(&name.as_str())
        || numbered("unnamed: ", "")
        || numbered("__index_level_", "__")
        || numbered("level_", "")
}

/// Why the numbers of a column, without a missing one, say that it numbers the rows: in first place they count them, or
/// they are distinct and the name says that they are identifiers.
pub(super) fn by_numbers(name: &str, column: usize, numbers: &[f64]) -> Option<&'static str> {
    let whole = numbers.iter().all(|number| number.fract() == 0.0 && *number >= 0.0);
    if !whole || numbers.len() < COUNTED {
        return None;
    }
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    let counts = sorted == numbers
        || (sorted[0] <= 1.0 && sorted[sorted.len() - 1] - sorted[0] == sorted.len() as f64 - 1.0);
    if column == 0 && counts {
        return Some("numbers the rows, by its distinct whole numbers in first place");
    }
    let words = name.to_lowercase();
    let mut words = words.split(|c: char| !c.is_alphanumeric());
    words
        .any(|word| IDENTIFIERS.contains(&word))
        .then_some("identifies the rows, by its name and distinct whole numbers")
}

/// Whether a column dates the rows, by its name, or because all its texts are dates without separators such as 20260131.
pub(super) fn is_date<'a>(name: &str, mut texts: impl Iterator<Item = &'a str>) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    words.any(|word| DATES.contains(&word)) || texts.all(is_compact_date)
}

fn is_compact_date(text: &str) -> bool {
    let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<u32>().ok());
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        && number(0..4).is_some_and(|year| (1900..2100).contains(&year))
        && number(4..6).is_some_and(|month| (1..=12).contains(&month))
        && number(6..8).is_some_and(|day| (1..=31).contains(&day))
}

/// Whether a text is a date, a time or a duration, such as `2026-01-31T12:00`, `31/01/2026`, `12:00:00`, `P1DT2H` or
/// `2 days 03:00:00`.
pub(super) fn is_time(text: &str) -> bool {
    let starts_with_digit = text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_clock = |text: &str| {
        let text = text.trim_start_matches(['-', '+']);
        let parts: Vec<&str> = text.split(':').collect();
        matches!(parts.len(), 2 | 3)
            && parts.iter().all(|part| part.starts_with(|c: char| c.is_ascii_digit()))
    };
    let is_duration = text.trim_start_matches('-').strip_prefix('P').is_some_and(|rest| {
        rest.contains(|c: char| c.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_digit() || "YMWDTHS.".contains(c))
            && rest.ends_with(['Y', 'M', 'W', 'D', 'H', 'S'])
    });
    let is_days =
        starts_with_digit && text.split_whitespace().nth(1).is_some_and(|word| word.starts_with("day"));
    let day = text.split(['T', ' ']).next().unwrap_or_default();
    let is_day = ['-', '/', '.'].into_iter().any(|separator| {
        let parts: Vec<&str> = day.split(separator).collect();
        let numbers: Vec<u32> =
            parts.iter().filter(|part| digits(part)).filter_map(|part| part.parse().ok()).collect();
        match (parts.as_slice(), numbers.as_slice()) {
            // A year and a month.
            ([year, _], [_, month]) => separator == '-' && year.len() == 4 && *month <= 12,
            ([year, ..], [_, month, day]) if year.len() == 4 => *month <= 12 && *day <= 31,
            ([_, _, year], [one, other, _]) => {
                (year.len() == 4 || (year.len() == 2 && separator != '-')) && *one <= 31 && *other <= 31
            }
            _ => false,
        }
    });
    is_clock(text) || is_duration || is_days || is_day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbering_is_seen_by_name_or_by_number() {
        for name in ["", "ID", "Unnamed: 0", "unnamed: 0.1", "__index_level_1__", "level_0", "Index"] {
            assert!(is_by_name(name), "{name}");
        }
        for name in ["y", "unnamed", "level_of_activity", "identity", "no"] {
            assert!(!is_by_name(name), "{name}");
        }
        let running = [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [3.0, 7.0, 12.0], [2.0, 0.0, 1.0]];
        for numbers in running {
            assert!(by_numbers("x", 0, &numbers).is_some(), "{numbers:?}");
            assert!(by_numbers("x", 1, &numbers).is_none(), "{numbers:?}");
            assert!(by_numbers("PubChem CID", 1, &numbers).is_some(), "{numbers:?}");
        }
        for numbers in [[0.0, 1.0, 1.0], [0.5, 1.0, 2.0], [9.0, 3.0, 12.0], [-1.0, 0.0, 1.0]] {
            assert!(by_numbers("x", 0, &numbers).is_none(), "{numbers:?}");
        }
    }

    #[test]
    fn times_are_told_from_other_text() {
        for text in [
            "2026-01-31",
            "2026-01-31T12:00:00Z",
            "2026-01-31 12:00",
            "2026-01",
            "2026/1/31",
            "31/01/2026",
            "31.1.26",
            "12:00",
            "12:00:00.5",
            "P1DT2H",
            "PT0.5S",
            "2 days",
            "-1 days +23:00:00",
            "0 days 03:04:05.000006",
        ] {
            assert!(is_time(text), "{text}");
        }
        for text in ["C", "P", "CCO", "a:b", "active", "1-2", "PDYH", "OC", "1.5", "10 mg", "50-78-2"] {
            assert!(!is_time(text), "{text}");
        }
        assert!(is_date("assay date", ["x"].into_iter()) && is_date("d", ["20260131"].into_iter()));
        assert!(!is_date("update_rate", ["20269999"].into_iter()) && !is_date("n", ["12345678"].into_iter()));
    }
}
