//! What the worker says of itself before it opens the plugin.
//!
//! It comes through a pipe in the place of the worker's standard input. The worker closes its end, and so does the
//! host, before the plugin's first instruction: nothing that a plugin does can change or add a word.

use std::{
    io::{self, Read},
    process::Stdio,
};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::job::Started;

/// Longest report in bytes; a pipe holds it whole.
const LONGEST: u64 = 4096;

/// The host's end of the pipe.
#[derive(Debug)]
pub(super) struct Report(io::PipeReader);

impl Report {
    /// The host's end, and the worker's standard input.
    pub(super) fn pipe() -> io::Result<(Self, Stdio)> {
        let (reader, writer) = io::pipe()?;
        // Whoever may still hold the other end, the host does not wait for it.
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok((Self(reader), writer.into()))
    }

    /// What the worker said; if it died before it said anything, it is taken to be unconfined.
    pub(super) fn read(self) -> Started {
        let mut text = Vec::new();
        // An error says that the pipe is open and empty.
        let _end = self.0.take(LONGEST).read_to_end(&mut text);
        let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        serde_json::from_slice(first).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn said(script: &str) -> Started {
        let (report, input) = Report::pipe().unwrap();
        let run = Command::new("sh").args(["-c", script]).stdin(input).status().unwrap();
        assert!(run.success());
        report.read()
    }

    #[test]
    fn the_first_line_counts_and_silence_is_not_confined() {
        assert!(said(r#"echo '{"confined":true}' >&0"#).confined);
        assert!(!said(r#"echo '{"confined":false}' >&0; echo '{"confined":true}' >&0"#).confined);
        for script in ["true", "echo nonsense >&0", r#"printf '{"confined":tr' >&0"#] {
            assert!(!said(script).confined, "{script}");
        }
    }

    #[test]
    fn a_process_that_holds_the_pipe_is_not_waited_for() {
        let started = std::time::Instant::now();
        assert!(said(r#"echo '{"confined":true}' >&0; sleep 20 <&0 >/dev/null 2>&1 &"#).confined);
        assert!(started.elapsed() < std::time::Duration::from_secs(10));
    }
}
