//! What a worker prints.

use std::{
    io::Read,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use molarena_record::text::visible_bytes;

/// Bytes kept of a worker's output: the last ones.
const KEPT: usize = 4096;

/// Keeps the last part of a worker's output.
pub(super) struct Capture {
    kept: Arc<Mutex<Vec<u8>>>,
    thread: thread::JoinHandle<()>,
}

impl Capture {
    pub(super) fn start(mut reader: std::io::PipeReader) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&kept);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&buffer[..count]);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
        });
        Self { kept, thread }
    }

    /// The last part of the output, visible. Waits half a second at most, because a process that left the group may
    /// hold the pipe open.
    pub(super) fn tail(self) -> String {
        let deadline = Instant::now() + Duration::from_millis(500);
        while !self.thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        last_part(&self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// At most the last [`KEPT`] bytes of the visible text.
fn last_part(bytes: &[u8]) -> String {
    let text = visible_bytes(bytes.trim_ascii());
    text[text.ceil_char_boundary(text.len().saturating_sub(KEPT))..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_visible_and_short_even_if_its_escapes_are_long() {
        assert_eq!(last_part(b"  one\n\x1b[31mtwo\xff\n"), "one\n\\u{1b}[31mtwo\\xff");
        let all = last_part(&[0x1b; KEPT]);
        assert!(all.len() <= KEPT && all.ends_with("\\u{1b}"), "{}", all.len());
        assert!(last_part("é".repeat(KEPT).as_bytes()).len() <= KEPT);
    }
}
