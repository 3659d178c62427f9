//! Memory of one process.

use std::sync::atomic::{AtomicU64, Ordering};

/// Peak resident memory (`VmHWM`) of a process in bytes.
pub fn peak_rss_of(process: &str) -> Option<u64> {
    let status = fs_err::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some(kibibytes(&status, "VmHWM")).filter(|&peak| peak > 0)
}

/// The largest peak of an ended program, in bytes.
static NOTED: AtomicU64 = AtomicU64::new(0);

/// Notes the peak resident memory of a program that this process started and that ends now.
pub(crate) fn note_peak(bytes: u64) {
    NOTED.fetch_max(bytes, Ordering::Relaxed);
}

/// The largest peak that was noted.
pub(crate) fn noted_peak() -> u64 {
    NOTED.load(Ordering::Relaxed)
}

/// The value of a line `name: value kB` in bytes; 0 without such a line.
pub(crate) fn kibibytes(text: &str, name: &str) -> u64 {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let value = values.next().and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    value.unwrap_or(0) * 1024
}
