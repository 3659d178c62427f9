//! Hears what a worker says of its confinement and which system calls it is refused, and answers the questions
//! about the machine whose true answer is a message from other workers.

use std::{
    collections::BTreeSet,
    fs::OpenOptions,
    io,
    mem::offset_of,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{fs::FileExt, net::UnixStream},
    },
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::sandbox::report::{self, Report};

/// Most answers to calls that are refused or answered here. Then the kernel refuses them by itself.
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
    pub(super) refused: BTreeSet<String>,
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
    /// Starts to listen on the host's end of the pair to a worker with this memory limit in bytes.
    pub(super) fn start(host: UnixStream, memory: u64) -> io::Result<Self> {
        let listened = host.try_clone()?;
        let (heard, stopped) = (Arc::new(Mutex::new(Heard::default())), Arc::new(AtomicBool::new(false)));
        let (shared, stop) = (Arc::clone(&heard), Arc::clone(&stopped));
        let thread = thread::spawn(move || listen(&listened, memory, &shared, &stop));
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

fn listen(host: &UnixStream, memory: u64, heard: &Mutex<Heard>, stopped: &AtomicBool) {
    let Some((report, process, listener)) = report::receive(host) else { return };
    {
        let mut heard = lock(heard);
        (heard.report, heard.process) = (Some(report), process);
    }
    let Some(listener) = listener else { return };
    for _ in 0..MOST_ANSWERS {
        match answer_next(&listener, memory, stopped) {
            Some(Answered::Refused(call)) => {
                let name = syscalls::Sysno::new(call as usize)
                    .map_or_else(|| format!("number {call}"), |call| call.name().to_owned());
                lock(heard).refused.insert(name);
            }
            Some(Answered::Told) => {}
            None => return,
        }
    }
}

/// What became of a call.
enum Answered {
    /// The call of this number was refused.
    Refused(i32),
    /// The worker has its answer.
    Told,
}

/// Waits for the next call and answers it. `None` at the worker's end.
fn answer_next(listener: &OwnedFd, memory: u64, stopped: &AtomicBool) -> Option<Answered> {
    loop {
        let mut polled = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut polled, PollTimeout::from(50_u8));
        let events = polled[0].revents().unwrap_or(PollFlags::empty());
        if events.contains(PollFlags::POLLIN) {
            // The caller may have been killed meanwhile.
            if let Ok(answered) = answer(listener, memory) {
                return Some(answered);
            }
        } else if !events.is_empty() || stopped.load(Ordering::Relaxed) || ready.is_err() {
            return None;
        }
    }
}

// `SECCOMP_IOCTL_NOTIF_RECV`, `SECCOMP_IOCTL_NOTIF_SEND` and `SECCOMP_IOCTL_NOTIF_ID_VALID`.
const RECEIVE: libc::Ioctl = 0xc050_2100_u32 as libc::Ioctl;
const SEND: libc::Ioctl = 0xc018_2101_u32 as libc::Ioctl;
const STILL_WAITS: libc::Ioctl = 0x4008_2102_u32 as libc::Ioctl;
/// Calls newer than this number are answered as by a kernel that does not know them, so that a library falls
/// back on an older one.
const LAST_KNOWN: i32 = 450;

/// Takes one call and answers it.
#[expect(unsafe_code, reason = "no library answers such a listener")]
fn answer(listener: &OwnedFd, memory: u64) -> io::Result<Answered> {
    // SAFETY: both are plain numbers, for which zero is a value.
    let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one such structure.
    if unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE, &raw mut call) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let number = call.data.nr;
    let told = i64::from(number) == libc::SYS_sysinfo && tell_machine(listener, &call, memory).is_ok();
    let error = match (told, number > LAST_KNOWN) {
        (true, _) => 0,
        (false, true) => libc::ENOSYS,
        (false, false) => libc::EPERM,
    };
    let answer = libc::seccomp_notif_resp { id: call.id, val: 0, error: -error, flags: 0 };
    // SAFETY: the kernel reads one such structure.
    if unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &raw const answer) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(if told { Answered::Told } else { Answered::Refused(number) })
}

/// Answers `sysinfo`: a machine with the worker's memory limit, all of it free, one process and no load. The true
/// numbers change with what other workers do.
#[expect(unsafe_code, reason = "no library answers such a listener")]
fn tell_machine(listener: &OwnedFd, call: &libc::seccomp_notif, memory: u64) -> io::Result<()> {
    let mut machine = [0_u8; size_of::<libc::sysinfo>()];
    let mut set = |at: usize, bytes: &[u8]| machine[at..at + bytes.len()].copy_from_slice(bytes);
    set(offset_of!(libc::sysinfo, totalram), &memory.to_ne_bytes());
    set(offset_of!(libc::sysinfo, freeram), &memory.to_ne_bytes());
    set(offset_of!(libc::sysinfo, procs), &1_u16.to_ne_bytes());
    set(offset_of!(libc::sysinfo, mem_unit), &1_u32.to_ne_bytes());
    let caller = OpenOptions::new().write(true).open(format!("/proc/{}/mem", call.pid))?;
    // The process that was opened is the caller only if the caller still waits.
    // SAFETY: the kernel reads one number.
    if unsafe { libc::ioctl(listener.as_raw_fd(), STILL_WAITS, &raw const call.id) } != 0 {
        return Err(io::Error::last_os_error());
    }
    caller.write_all_at(&machine, call.data.args[0])
}
