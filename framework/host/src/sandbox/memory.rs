//! Memory of one process.

/// Peak resident memory (`VmHWM`) of a process in bytes.
pub fn peak_rss_of(process: &str) -> Option<u64> {
    let status = fs_err::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some(kibibytes(&status, "VmHWM")).filter(|&peak| peak > 0)
}

/// The value of a line `name: value kB` in bytes; 0 without such a line.
pub(crate) fn kibibytes(text: &str, name: &str) -> u64 {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let value = values.next().and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    value.unwrap_or(0) * 1024
}
