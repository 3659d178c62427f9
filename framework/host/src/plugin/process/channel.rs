//! Frames to and from a program.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use molarena_abi as abi;
use molarena_sdk::Call;
use serde_json::{Value, json};

use crate::plugin::{loader::LoadError, manifest::PluginManifest};
use crate::sandbox::memory::peak_rss_of;

/// Longest frame in bytes.
const LONGEST: u64 = 8 << 20;
/// How often a waiting host looks whether the call was cancelled.
const POLL: Duration = Duration::from_millis(20);
/// How long a program may take to end after its standard input was closed.
const GRACE: Duration = Duration::from_secs(2);
/// Characters of a line that is no frame in a message.
const SHOWN: usize = 200;

/// Names of the statuses that a program may answer with.
const STATUSES: [(&str, i32); 8] = [
    ("invalid-argument", abi::MOLARENA_ERROR_INVALID_ARGUMENT),
    ("invalid-config", abi::MOLARENA_ERROR_INVALID_CONFIG),
    ("unsupported", abi::MOLARENA_ERROR_UNSUPPORTED),
    ("data", abi::MOLARENA_ERROR_DATA),
    ("io", abi::MOLARENA_ERROR_IO),
    ("cancelled", abi::MOLARENA_ERROR_CANCELLED),
    ("out-of-memory", abi::MOLARENA_ERROR_OUT_OF_MEMORY),
    ("internal", abi::MOLARENA_ERROR_INTERNAL),
];

/// A started program and what goes to and comes from it.
#[derive(Debug)]
pub(super) struct Channel {
    child: Child,
    /// Closed when the program must end.
    input: Option<ChildStdin>,
    frames: Receiver<Result<Value, String>>,
    last: u64,
    /// Why nothing can be asked any more.
    ended: Option<String>,
}

impl Channel {
    /// Starts the program of a plugin folder in its folder; what it prints to standard error is the worker's.
    pub(super) fn start(manifest: &PluginManifest, threads: usize) -> Result<Self, String> {
        let parts = manifest.command().ok_or("its manifest names no command")?;
        let mut command = Command::new(&parts[0]);
        command.args(&parts[1..]).current_dir(&manifest.folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let threads = threads.to_string();
        for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"] {
            command.env(name, &threads);
        }
        // The same bytes in every language of the system, and nothing of the user's own Python.
        command.env("PYTHONUTF8", "1").env("PYTHONNOUSERSITE", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command
            .spawn()
            .map_err(|error| format!("its command `{}` cannot be started: {error}", parts.join(" ")))?;
        let input = child.stdin.take();
        let output = child.stdout.take().expect("it was piped");
        let (sender, frames) = sync_channel(64);
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let frame = read_frame(&mut output);
                let is_last = !matches!(frame, Some(Ok(_)));
                if let Some(frame) = frame
                    && sender.send(frame).is_err()
                {
                    return;
                }
                if is_last {
                    return;
                }
            }
        });
        Ok(Self { child, input, frames, last: 0, ended: None })
    }

    /// Sends a request and waits for its answer, passing on progress and cancellation.
    pub(super) fn ask(
        &mut self,
        what: &str,
        mut request: Value,
        context: Option<&Call<'_>>,
    ) -> Result<Value, LoadError> {
        if let Some(message) = &self.ended {
            return Err(LoadError::Ended { message: message.clone() });
        }
        self.last += 1;
        let id = self.last;
        request["id"] = id.into();
        request["call"] = what.into();
        if self.send(&request).is_err() {
            return Err(self.end(what));
        }
        let mut told = false;
        loop {
            match self.frames.recv_timeout(POLL) {
                Ok(Ok(frame)) => {
                    if let Some(answer) = self.answer(what, id, &frame, context)? {
                        return answer;
                    }
                }
                Ok(Err(message)) => return Err(self.give_up(message)),
                Err(RecvTimeoutError::Timeout) => {
                    if !told && context.is_some_and(Call::cancelled) {
                        told = true;
                        if self.send(&json!({ "cancel": id })).is_err() {
                            return Err(self.end(what));
                        }
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.end(what)),
            }
        }
    }

    /// What a frame says of the request `id`; `None` if it is progress.
    fn answer(
        &mut self,
        what: &str,
        id: u64,
        frame: &Value,
        context: Option<&Call<'_>>,
    ) -> Result<Option<Result<Value, LoadError>>, LoadError> {
        if frame["id"].as_u64() != Some(id) {
            let message = format!("it answered request {} while {id} (`{what}`) was open", frame["id"]);
            return Err(self.give_up(message));
        }
        if let Some(fraction) = frame["progress"].as_f64() {
            if let Some(context) = context {
                context.progress(fraction, frame["message"].as_str().unwrap_or_default());
            }
            return Ok(None);
        }
        if let Some(error) = frame["error"].as_object() {
            let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
            let status = STATUSES.iter().find(|(name, _)| *name == text("status"));
            let status = status.map_or(abi::MOLARENA_ERROR_INTERNAL, |(_, status)| *status);
            let message = match text("message") {
                "" => format!("`{what}` failed without a message"),
                message => message.to_owned(),
            };
            return Ok(Some(Err(LoadError::Call { status, message })));
        }
        if let Some(answer) = frame.get("ok") {
            return Ok(Some(Ok(answer.clone())));
        }
        Err(self.give_up(format!("its answer to `{what}` has none of `ok`, `error` and `progress`")))
    }

    fn send(&mut self, frame: &Value) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(frame).expect("frames are JSON");
        line.push(b'\n');
        let input = self.input.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
        input.write_all(&line)?;
        input.flush()
    }

    /// The program said something that is not of the protocol: nothing more is asked of it.
    fn give_up(&mut self, message: String) -> LoadError {
        self.ended = Some(message.clone());
        LoadError::Ended { message }
    }

    /// The program is gone: how it ended.
    fn end(&mut self, what: &str) -> LoadError {
        let status = self.wait();
        let how = match status {
            Some(status) => status.signal().map_or_else(
                || format!("its process ended with exit status {} in `{what}`", status.code().unwrap_or(-1)),
                |signal| format!("its process was ended by {} in `{what}`", name_of(signal)),
            ),
            None => format!("its process closed its standard output in `{what}`"),
        };
        self.give_up(how)
    }

    /// Waits a while for the program to end by itself.
    fn wait(&mut self) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if started.elapsed() < GRACE => thread::sleep(Duration::from_millis(5)),
                _ => return None,
            }
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        crate::sandbox::memory::note_peak(peak_rss_of(&self.child.id().to_string()).unwrap_or(0));
        // The end of its input tells the program to end.
        self.input = None;
        if self.wait().is_none() {
            // It may have ended meanwhile.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn name_of(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal)
        .map_or_else(|_| format!("signal {signal}"), |signal| signal.to_string())
}

/// The next frame; an error if it is none; `None` at the end.
fn read_frame(output: &mut impl BufRead) -> Option<Result<Value, String>> {
    let mut line = Vec::new();
    match output.by_ref().take(LONGEST + 1).read_until(b'\n', &mut line) {
        Err(error) => return Some(Err(format!("its standard output cannot be read: {error}"))),
        Ok(0) => return None,
        Ok(_) if line.len() as u64 > LONGEST => {
            return Some(Err(format!("a line of its standard output is longer than {LONGEST} bytes")));
        }
        Ok(_) => {}
    }
    let frame = serde_json::from_slice::<Value>(&line).ok().filter(Value::is_object);
    Some(frame.ok_or_else(|| {
        let text = String::from_utf8_lossy(&line);
        let shown = molarena_chem::shorten(text.trim_end(), SHOWN, "…").into_owned();
        format!(
            "it wrote to its standard output what is no frame of molarena.process/1: `{shown}`; messages go to standard error"
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_frames_or_named() {
        let mut text = std::io::Cursor::new("{\"id\": 1}\nhello\n[1]\n");
        assert_eq!(read_frame(&mut text), Some(Ok(json!({ "id": 1 }))));
        for shown in ["`hello`", "`[1]`"] {
            let error = read_frame(&mut text).unwrap().unwrap_err();
            assert!(error.contains(shown) && error.contains("standard error"), "{error}");
        }
        assert_eq!(read_frame(&mut text), None);
    }
}
