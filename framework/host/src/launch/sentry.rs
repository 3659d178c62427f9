//! Hears what a worker says of its confinement, and which system calls it is refused.

use std::{
    collections::BTreeSet,
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::sandbox::report::{self, Report};

/// Most answers to refused calls. Then the kernel refuses them without being answered.
const MOST_ANSWERS: usize = 10_000;
/// Most refused calls that a message names.
const MOST_NAMES: usize = 12;

/// What the host heard of a worker.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// Its report, if it got as far.
    pub(super) report: Option<Report>,
    /// Process id of the process that opens the plugin, as the kernel says.
    pub(super) process: Option<i32>,
    /// Names of the calls that were refused.
    refused: BTreeSet<String>,
}

impl Heard {
    /// The message of a failure, with the names of the refused calls.
    pub(super) fn name_refused(&self, message: String) -> String {
        if self.refused.is_empty() {
            return message;
        }
        let mut names: Vec<&str> = self.refused.iter().take(MOST_NAMES).map(String::as_str).collect();
        if self.refused.len() > MOST_NAMES {
            names.push("...");
        }
        format!("{message} (refused system calls: {})", names.join(", "))
    }
}

/// Listens to one worker on a thread of its own.
pub(super) struct Sentry {
    host: UnixStream,
    heard: Arc<Mutex<Heard>>,
    stopped: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Sentry {
    /// Starts to listen on the host's end of the pair.
    pub(super) fn start(host: UnixStream) -> io::Result<Self> {
        let listened = host.try_clone()?;
        let (heard, stopped) = (Arc::new(Mutex::new(Heard::default())), Arc::new(AtomicBool::new(false)));
        let (shared, stop) = (Arc::clone(&heard), Arc::clone(&stopped));
        let thread = thread::spawn(move || listen(&listened, &shared, &stop));
        Ok(Self { host, heard, stopped, thread })
    }

    /// Process id of the process that opens the plugin, once the worker has said so.
    pub(super) fn process(&self) -> Option<i32> {
        lock(&self.heard).process
    }

    /// What was heard. Called when all processes of the worker have ended.
    pub(super) fn end(self) -> Heard {
        self.stopped.store(true, Ordering::Relaxed);
        // Whoever may still hold the other end is not waited for.
        let _closed = self.host.shutdown(std::net::Shutdown::Both);
        // A panic would lose names at most.
        let _ended = self.thread.join();
        lock(&self.heard).clone()
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(host: &UnixStream, heard: &Mutex<Heard>, stopped: &AtomicBool) {
    let Some((report, process, listener)) = report::receive(host) else { return };
    {
        let mut heard = lock(heard);
        (heard.report, heard.process) = (Some(report), process);
    }
    let Some(listener) = listener else { return };
    for _ in 0..MOST_ANSWERS {
        match refuse_next(&listener, stopped) {
            Some(call) => {
                let name = syscalls::Sysno::new(call as usize)
                    .map_or_else(|| format!("number {call}"), |call| call.name().to_owned());
                lock(heard).refused.insert(name);
            }
            None => return,
        }
    }
}

/// Waits for the next call that is refused, refuses it, and returns its number. `None` at the worker's end.
fn refuse_next(listener: &OwnedFd, stopped: &AtomicBool) -> Option<i32> {
    loop {
        let mut polled = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut polled, PollTimeout::from(50_u8));
        let events = polled[0].revents().unwrap_or(PollFlags::empty());
        if events.contains(PollFlags::POLLIN) {
            // The caller may have been killed meanwhile.
            if let Ok(call) = answer(listener) {
                return Some(call);
            }
        } else if !events.is_empty() || stopped.load(Ordering::Relaxed) || ready.is_err() {
            return None;
        }
    }
}

// `SECCOMP_IOCTL_NOTIF_RECV` and `SECCOMP_IOCTL_NOTIF_SEND`.
const RECEIVE: libc::Ioctl = 0xc050_2100_u32 as libc::Ioctl;
const SEND: libc::Ioctl = 0xc018_2101_u32 as libc::Ioctl;
/// Calls newer than this number are answered as by a kernel that does not know them, so that a library falls
/// back on an older one.
const LAST_KNOWN: i32 = 450;

/// Takes one call and refuses it.
#[expect(unsafe_code, reason = "no library answers such a listener")]
fn answer(listener: &OwnedFd) -> io::Result<i32> {
    // SAFETY: both are plain numbers, for which zero is a value.
    let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one such structure.
    if unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE, &raw mut call) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let error = if call.data.nr > LAST_KNOWN { libc::ENOSYS } else { libc::EPERM };
    let answer = libc::seccomp_notif_resp { id: call.id, val: 0, error: -error, flags: 0 };
    // SAFETY: the kernel reads one such structure.
    if unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &raw const answer) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(call.data.nr)
}
