//! Restrictions that a worker puts on itself before it opens a plugin: files, network, memory, processors.
//!
//! Landlock leaves it its job folder, the plugin and the system's libraries; a seccomp filter refuses sockets
//! and other calls that could carry data from cell to cell. Both hold for all threads and children and cannot
//! be undone.

pub mod device;
pub mod memory;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a worker may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// Memory limit in bytes, for all processes of the worker together.
    pub memory: u64,
    /// Limit in bytes on what it adds to its job folder and to `writable` together, and on the size of one
    /// file.
    pub disk: u64,
    /// Processors that it is pinned to; if empty, it is not pinned.
    pub processors: Vec<usize>,
    /// Whether it confines itself.
    pub confine: bool,
    /// Files and folders that it may read, besides the system's libraries.
    pub readable: Vec<PathBuf>,
    /// Folders that it may write to, besides its job folder; they outlive it.
    #[serde(default)]
    pub writable: Vec<PathBuf>,
    /// Folder of the cgroup that it joins, which limits the memory of all its processes together.
    #[serde(default)]
    pub cgroup: Option<PathBuf>,
    /// The device that it computes on, such as `cpu` or `cuda:0`: see [`device`].
    #[serde(default = "cpu")]
    pub device: String,
}

fn cpu() -> String {
    "cpu".into()
}

impl Default for Envelope {
    /// Confined, with nothing to read or write besides the job folder.
    fn default() -> Self {
        Self {
            memory: 8 << 30,
            disk: 16 << 30,
            processors: Vec::new(),
            confine: true,
            readable: Vec::new(),
            writable: Vec::new(),
            cgroup: None,
            device: cpu(),
        }
    }
}

/// Folders that every worker may read: libraries, locale and time zone, and what a runtime reads about
/// processors.
pub const SYSTEM_FOLDERS: [&str; 8] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/sys/devices/system/cpu",
];

/// The system folder that `path` lies under, if any: nothing there is hidden from a worker.
pub fn exposed_under(path: &Path) -> Option<PathBuf> {
    SYSTEM_FOLDERS.iter().map(PathBuf::from).find(|root| path.starts_with(root))
}

#[cfg(target_os = "linux")]
pub use linux::{confine, limit};

#[cfg(target_os = "linux")]
mod linux {
    use std::{collections::BTreeMap, path::Path};

    use landlock::{
        ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
        path_beneath_rules,
    };
    use nix::{
        sched::{CpuSet, sched_setaffinity},
        sys::{
            prctl,
            resource::{Resource, setrlimit},
            signal::{SigSet, Signal},
        },
        unistd::{Pid, getppid},
    };
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, TargetArch,
    };

    use super::{SYSTEM_FOLDERS, device};
    use crate::sandbox::Envelope;

    /// System calls that a worker does not need and that reach outside it: to the network, to other
    /// processes, to the kernel, or to places that outlive it.
    const REFUSED: &[i64] = &[
        // Network, and io_uring, which bypasses a filter of calls.
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_io_uring_setup,
        // Other processes' memory.
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        // Leaving the process group, which ends with the cell.
        libc::SYS_setsid,
        libc::SYS_setpgid,
        // State that outlives the worker and is not a file's content.
        libc::SYS_shmget,
        libc::SYS_msgget,
        libc::SYS_semget,
        libc::SYS_mq_open,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        libc::SYS_setxattr,
        libc::SYS_lsetxattr,
        libc::SYS_fsetxattr,
        SYS_SETXATTRAT,
        libc::SYS_fchmod,
        libc::SYS_fchmodat,
        SYS_FCHMODAT2,
        libc::SYS_fchown,
        libc::SYS_fchownat,
        libc::SYS_utimensat,
        SYS_FILE_SETATTR,
        // The kernel itself, should the worker run as root.
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_kexec_load,
    ];
    /// Newer calls, which have the same number on every architecture.
    const SYS_FCHMODAT2: i64 = 452;
    const SYS_SETXATTRAT: i64 = 463;
    const SYS_FILE_SETATTR: i64 = 469;

    /// Older forms of the same calls.
    #[cfg(target_arch = "x86_64")]
    const REFUSED_OLD: &[i64] = &[
        libc::SYS_chmod,
        libc::SYS_chown,
        libc::SYS_lchown,
        libc::SYS_utime,
        libc::SYS_utimes,
        libc::SYS_futimesat,
    ];
    #[cfg(not(target_arch = "x86_64"))]
    const REFUSED_OLD: &[i64] = &[];

    /// Limits memory, files and processors, and ties the worker's life to its host's.
    pub fn limit(envelope: &Envelope) -> Result<(), String> {
        let parent = getppid();
        prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| format!("parent-death signal: {error}"))?;
        if getppid() != parent {
            return Err("the host is gone".into());
        }
        if let Some(group) = &envelope.cgroup {
            // If the kernel refuses, only the host's measurements enforce the limit.
            let _refused = fs_err::write(group.join("cgroup.procs"), "0");
        }
        // Private writable memory: a failed allocation, not the kernel's OOM killer, ends a worker that asks
        // for too much. A driver that reserves more than it uses would fail needlessly; the limit on used
        // memory still holds for it.
        if !device::reserves_memory(&envelope.device) {
            setrlimit(Resource::RLIMIT_DATA, envelope.memory, envelope.memory)
                .map_err(|error| format!("memory limit: {error}"))?;
        }
        // Size of one file. A write beyond it fails instead of ending the process with a signal.
        let mut ignored = SigSet::empty();
        ignored.add(Signal::SIGXFSZ);
        ignored.thread_block().map_err(|error| format!("signals: {error}"))?;
        setrlimit(Resource::RLIMIT_FSIZE, envelope.disk, envelope.disk)
            .map_err(|error| format!("disk limit: {error}"))?;
        setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(|error| format!("core limit: {error}"))?;
        if !envelope.processors.is_empty() {
            let mut set = CpuSet::new();
            for &processor in &envelope.processors {
                set.set(processor).map_err(|error| format!("processor {processor}: {error}"))?;
            }
            sched_setaffinity(Pid::from_raw(0), &set).map_err(|error| format!("processors: {error}"))?;
        }
        Ok(())
    }

    /// A rule of a filter: the first argument of the call is `value`.
    fn first_argument_is(value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
        let (length, equal) = (SeccompCmpArgLen::Dword, SeccompCmpOp::Eq);
        SeccompRule::new(vec![SeccompCondition::new(0, length, equal, value)?])
    }

    /// Leaves the worker its job folder, `envelope.writable`, `envelope.readable`, its device and the
    /// system's libraries; no network. Returns whether the kernel enforces it.
    pub fn confine(envelope: &Envelope, job_folder: &Path) -> Result<bool, String> {
        // The newest rules that the crate knows; the kernel applies those that it supports.
        let abi = ABI::V6;
        let failed = |error: landlock::RulesetError| format!("landlock: {error}");
        let devices = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/dev/full"];
        let root = Path::new("/");
        let described = device::device_readable(&envelope.device, root);
        let named = device::device_threads(&envelope.device, root);
        let computing = device::device_files(&envelope.device, root);
        let ruleset = Ruleset::default()
            .handle_access(AccessFs::from_all(abi))
            .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(abi)))
            .and_then(|ruleset| ruleset.scope(Scope::from_all(abi)))
            .and_then(Ruleset::create)
            .and_then(|ruleset| {
                let system = SYSTEM_FOLDERS.iter().map(Path::new).chain([Path::new("/proc/self")]);
                let readable = system.chain(envelope.readable.iter().chain(&described).map(AsRef::as_ref));
                ruleset.add_rules(path_beneath_rules(readable, AccessFs::from_read(abi)))
            })
            .and_then(|ruleset| {
                let writable = AccessFs::ReadFile | AccessFs::WriteFile;
                ruleset.add_rules(path_beneath_rules(devices, writable))
            })
            .and_then(|ruleset| {
                let used = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::ReadDir | AccessFs::IoctlDev;
                ruleset.add_rules(path_beneath_rules(computing, used))
            })
            .and_then(|ruleset| {
                let named_by = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
                ruleset.add_rules(path_beneath_rules(named, named_by))
            })
            .and_then(|ruleset| {
                let writable = envelope.writable.iter().map(AsRef::as_ref).chain([job_folder]);
                ruleset.add_rules(path_beneath_rules(writable, AccessFs::from_all(abi)))
            })
            .and_then(landlock::RulesetCreated::restrict_self)
            .map_err(failed)?;
        refuse_calls()?;
        Ok(ruleset.ruleset != RulesetStatus::NotEnforced)
    }

    /// Refuses system calls with a seccomp filter. Landlock covers TCP only; this covers every socket family,
    /// and the interfaces that would bypass it. A child stays in the worker's process group, which ends with
    /// the cell. Nothing that outlives the cell can carry labels to another cell, which may have them in its
    /// test part.
    fn refuse_calls() -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("seccomp: {error}");
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            REFUSED.iter().chain(REFUSED_OLD).map(|&call| (call, Vec::new())).collect();
        // `PR_SET_DUMPABLE` would hide open files and mappings, and so their memory, from a host that is not
        // root.
        let hides = first_argument_is(libc::PR_SET_DUMPABLE as u64).map_err(|error| failed(&error))?;
        rules.insert(libc::SYS_prctl, vec![hides]);
        let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| failed(&error))?;
        let filter =
            SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EACCES as u32), arch)
                .map_err(|error| failed(&error))?;
        let program: BpfProgram =
            filter.try_into().map_err(|error: seccompiler::BackendError| failed(&error))?;
        seccompiler::apply_filter(&program).map_err(|error| failed(&error))
    }
}

/// Limits nothing: this system has no such interface.
#[cfg(not(target_os = "linux"))]
pub fn limit(_envelope: &Envelope) -> Result<(), String> {
    Ok(())
}

/// Confines nothing: records say `confined: false`.
#[cfg(not(target_os = "linux"))]
pub fn confine(_envelope: &Envelope, _job_folder: &Path) -> Result<bool, String> {
    Ok(false)
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
