//! Limits of one process, and its privileges.

use nix::{
    errno::Errno,
    sched::{CpuSet, sched_setaffinity},
    sys::{
        prctl,
        resource::{Resource, getrlimit, setrlimit},
        signal::{SigSet, Signal},
    },
    unistd::{Pid, getppid, setsid},
};

use super::{Envelope, device};

/// Most processes and threads of a worker with namespaces, whose kernel counts them for it alone.
const MOST_THREADS: u64 = 4096;

/// All resources of which a process inherits a limit.
const RESOURCES: [(&str, Resource); 16] = [
    ("as", Resource::RLIMIT_AS),
    ("core", Resource::RLIMIT_CORE),
    ("cpu", Resource::RLIMIT_CPU),
    ("data", Resource::RLIMIT_DATA),
    ("fsize", Resource::RLIMIT_FSIZE),
    ("locks", Resource::RLIMIT_LOCKS),
    ("memlock", Resource::RLIMIT_MEMLOCK),
    ("msgqueue", Resource::RLIMIT_MSGQUEUE),
    ("nice", Resource::RLIMIT_NICE),
    ("nofile", Resource::RLIMIT_NOFILE),
    ("nproc", Resource::RLIMIT_NPROC),
    ("rss", Resource::RLIMIT_RSS),
    ("rtprio", Resource::RLIMIT_RTPRIO),
    ("rttime", Resource::RLIMIT_RTTIME),
    ("sigpending", Resource::RLIMIT_SIGPENDING),
    ("stack", Resource::RLIMIT_STACK),
];

/// All limits of this process, for [`Envelope::inherited`].
pub fn of_this_process() -> Vec<(String, u64, u64)> {
    let limit = |(name, resource): (&str, Resource)| {
        getrlimit(resource).ok().map(|(soft, hard)| (name.to_owned(), soft, hard))
    };
    RESOURCES.into_iter().filter_map(limit).collect()
}

/// Limits memory, files and processors, leaves the terminal, and ties the worker's life to its host's.
pub(super) fn limit(envelope: &Envelope) -> Result<(), String> {
    tie_to_parent()?;
    // A session of its own has no controlling terminal. A test's process may lead a group already.
    if let Err(error) = setsid()
        && error != Errno::EPERM
    {
        return Err(format!("session: {error}"));
    }
    if let Some(group) = &envelope.cgroup {
        // If the kernel refuses, only the host's measurements enforce the limit.
        let _refused = fs_err::write(group.join("cgroup.procs"), "0");
    }
    for (name, resource) in RESOURCES {
        if let Some((_, soft, hard)) = envelope.inherited.iter().find(|limit| limit.0 == name) {
            set(name, resource, *soft, *hard)?;
        }
    }
    // Private writable memory: a failed allocation, not the kernel's OOM killer, ends a worker that asks for
    // too much. A driver that reserves more than it uses would fail needlessly; the limit on used memory still
    // holds for it.
    if !device::reserves_memory(&envelope.device) {
        set("memory", Resource::RLIMIT_DATA, envelope.memory, envelope.memory)?;
    }
    // Size of one file. A write beyond it fails instead of ending the process with a signal.
    let mut ignored = SigSet::empty();
    ignored.add(Signal::SIGXFSZ);
    ignored.thread_block().map_err(|error| format!("signals: {error}"))?;
    set("disk", Resource::RLIMIT_FSIZE, envelope.disk, envelope.disk)?;
    set("core", Resource::RLIMIT_CORE, 0, 0)?;
    if !envelope.processors.is_empty() {
        let mut processors = CpuSet::new();
        for &processor in &envelope.processors {
            processors.set(processor).map_err(|error| format!("processor {processor}: {error}"))?;
        }
        sched_setaffinity(Pid::from_raw(0), &processors).map_err(|error| format!("processors: {error}"))?;
    }
    Ok(())
}

/// Has the kernel kill this process when its parent ends.
fn tie_to_parent() -> Result<(), String> {
    let parent = getppid();
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| format!("parent-death signal: {error}"))?;
    if getppid() == parent { Ok(()) } else { Err("the host is gone".into()) }
}

fn set(name: &str, resource: Resource, soft: u64, hard: u64) -> Result<(), String> {
    setrlimit(resource, soft, hard).map_err(|error| format!("limit of {name}: {error}"))
}

/// Gives up all capabilities for good, and with namespaces limits the number of processes.
pub(super) fn drop_privileges(namespaces: &Result<(), String>) -> Result<(), String> {
    if namespaces.is_ok() {
        set("processes", Resource::RLIMIT_NPROC, MOST_THREADS, MOST_THREADS)?;
    }
    // No program that is started later gains anything, not even as root.
    prctl::set_no_new_privs().map_err(|error| format!("no new privileges: {error}"))?;
    for set in [caps::CapSet::Ambient, caps::CapSet::Inheritable, caps::CapSet::Effective] {
        caps::clear(None, set).map_err(|error| format!("capabilities: {error}"))?;
    }
    caps::clear(None, caps::CapSet::Permitted).map_err(|error| format!("capabilities: {error}"))
}
