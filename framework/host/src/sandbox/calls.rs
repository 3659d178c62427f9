//! seccomp: the system calls that plugins need, and no others.
//!
//! The list is what Rust, C and C++ libraries, Burn, `LibTorch` and `CPython` with `NumPy`, scikit-learn, joblib
//! and `PyTorch` were seen to need, reduced to what cannot reach other processes, the kernel's own state or the
//! network. Where only a use of a call is harmless, its arguments are checked. Left out with a purpose:
//!
//! - limits, priorities, processors and clocks of other processes; signals to them;
//! - locks, leases, flags, versions, attributes, owners, modes and times of files, and watches on them: two
//!   workers may read the same library, and these would pass a message;
//! - what tells or changes which pages of a file are in memory (`mincore`, `cachestat`, `fadvise`,
//!   `RWF_NOWAIT`), and free space (`statfs`);
//! - sockets but for a connected pair, `io_uring`, POSIX and System V queues, shared memory and semaphores,
//!   asynchronous input and output, key rings;
//! - how busy the machine is (`sysinfo`): the host answers with constants;
//! - mounts, namespaces, device nodes, modules, tracing and all else that speaks to the kernel itself.

use std::{
    collections::BTreeMap,
    io,
    os::fd::{FromRawFd, OwnedFd},
};

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::{device, files::Files};

/// Calls that are allowed whatever their arguments.
const ALLOWED: &[i64] = &[
    // Files, as far as Landlock lets them be opened.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_readlinkat,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sendfile,
    libc::SYS_copy_file_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_umask,
    libc::SYS_memfd_create,
    // Waiting for files and events of its own.
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_signalfd4,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    // Memory.
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_msync,
    libc::SYS_brk,
    libc::SYS_get_mempolicy,
    libc::SYS_membarrier,
    // Threads and processes of its own.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_getcpu,
    // Who and where it is.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_uname,
    libc::SYS_getrlimit,
    libc::SYS_setrlimit,
    libc::SYS_getrusage,
    libc::SYS_times,
    libc::SYS_capget,
    libc::SYS_getrandom,
    // Signals to itself, and time.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getitimer,
    libc::SYS_setitimer,
    libc::SYS_timer_create,
    libc::SYS_timer_settime,
    libc::SYS_timer_gettime,
    libc::SYS_timer_getoverrun,
    libc::SYS_timer_delete,
    // A pair of sockets, see `checked`.
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_shutdown,
];

/// Older forms of some of them.
#[cfg(target_arch = "x86_64")]
const ALLOWED_OLD: &[i64] = &[
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_getdents,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_readlink,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_eventfd,
    libc::SYS_signalfd,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_arch_prctl,
    libc::SYS_getpgrp,
    libc::SYS_time,
    libc::SYS_alarm,
    libc::SYS_pause,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_OLD: &[i64] = &[];

/// Calls whose arguments lie in memory, where a filter cannot check them. They fail as on an older kernel, so
/// that libraries fall back on an older call.
const UNKNOWN: &[i64] = &[libc::SYS_clone3];

/// What `fcntl` may do: copy descriptors, flags of a descriptor, seals of a memory file. No locks and leases.
const FCNTL: &[i32] = &[
    libc::F_DUPFD,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_DUPFD_CLOEXEC,
    libc::F_ADD_SEALS,
    libc::F_GET_SEALS,
];
/// What `madvise` may say.
const MADVISE: &[i32] = &[
    libc::MADV_NORMAL,
    libc::MADV_RANDOM,
    libc::MADV_SEQUENTIAL,
    libc::MADV_WILLNEED,
    libc::MADV_DONTNEED,
    libc::MADV_FREE,
    libc::MADV_DONTFORK,
    libc::MADV_DOFORK,
    libc::MADV_HUGEPAGE,
    libc::MADV_NOHUGEPAGE,
    libc::MADV_DONTDUMP,
    libc::MADV_WIPEONFORK,
];
/// What `prctl` may do. `PR_SET_DUMPABLE` is not among them: it would hide the worker's memory from a host that
/// is not root.
const PRCTL: &[i32] = &[
    libc::PR_SET_NAME,
    libc::PR_GET_NAME,
    libc::PR_SET_PDEATHSIG,
    libc::PR_GET_DUMPABLE,
    libc::PR_CAPBSET_READ,
    libc::PR_SET_NO_NEW_PRIVS,
    libc::PR_GET_NO_NEW_PRIVS,
    libc::PR_GET_SECCOMP,
    libc::PR_SET_VMA,
];
/// What `ioctl` may do: ask whether a file is a terminal and how much there is to read, set flags of a
/// descriptor.
const IOCTL: &[u64] = &[
    libc::TCGETS,
    0x802c_542a, // TCGETS2
    libc::TIOCGWINSZ,
    libc::FIONREAD,
    libc::FIONBIO,
    libc::FIOCLEX,
    libc::FIONCLEX,
];
/// What `ioctl` may not do where a card's driver needs it for much else: types into a terminal, and flags and
/// versions of files.
const IOCTL_REFUSED: &[u64] = &[
    libc::TIOCSTI,
    libc::TIOCSETD,
    libc::TIOCCONS,
    libc::TIOCSCTTY,
    0x541c, // TIOCLINUX
    libc::FS_IOC_SETFLAGS,
    libc::FS_IOC_GETFLAGS,
    libc::FS_IOC_SETVERSION,
    libc::FS_IOC_GETVERSION,
    0x401c_5820, // FS_IOC_FSSETXATTR
    0x801c_581f, // FS_IOC_FSGETXATTR
];
/// Flags of `clone` that make namespaces, trace, or leave the worker's own tree of processes.
const CLONE_REFUSED: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_PTRACE
    | libc::CLONE_PARENT;
/// The last clock that is not another process's.
const LAST_CLOCK: i32 = libc::CLOCK_TAI;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// A condition on the argument at `index`.
fn is(index: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value & 0xffff_ffff)
}

/// A condition on the argument at `index`, of which all 64 bits count.
fn is_long(index: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, value)
}

/// A rule for each value that the argument at `index` may have.
fn one_of(index: u8, values: impl IntoIterator<Item = u64>) -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |value| SeccompRule::new(vec![is(index, SeccompCmpOp::Eq, value)?]);
    values.into_iter().map(rule).collect()
}

/// The calls of which only some uses are allowed.
fn checked(device: &str, files: &Files) -> Result<Rules, BackendError> {
    use SeccompCmpOp::{Eq, Le, MaskedEq, Ne};
    let numbers =
        |values: &[i32]| values.iter().map(|&value| u64::from(value.cast_unsigned())).collect::<Vec<_>>();
    let own = u64::from(std::process::id());
    let mut rules = Rules::from([
        (libc::SYS_fcntl, one_of(1, numbers(FCNTL))?),
        (libc::SYS_madvise, one_of(2, numbers(MADVISE))?),
        (libc::SYS_prctl, one_of(0, numbers(PRCTL))?),
        (libc::SYS_clone, vec![SeccompRule::new(vec![is(0, MaskedEq(CLONE_REFUSED as u64), 0)?])?]),
        // Its own limits only.
        (libc::SYS_prlimit64, one_of(0, [0, own])?),
        (libc::SYS_getpgid, one_of(0, [0])?),
        (libc::SYS_getsid, one_of(0, [0])?),
        // No flags: one of them asks whether a page is in memory.
        (libc::SYS_preadv2, one_of(5, [0])?),
        (libc::SYS_pwritev2, one_of(5, [0])?),
        // A connected pair; no message to any other address.
        (
            libc::SYS_socketpair,
            vec![SeccompRule::new(vec![
                is(0, Eq, libc::AF_UNIX as u64)?,
                is(1, MaskedEq(0xff), libc::SOCK_STREAM as u64)?,
            ])?],
        ),
        (libc::SYS_sendto, vec![SeccompRule::new(vec![is_long(4, 0)?])?]),
        // The report to the host, on standard input; later on, at most one of a connected pair.
        (libc::SYS_sendmsg, one_of(0, [0])?),
    ]);
    for call in [libc::SYS_clock_gettime, libc::SYS_clock_getres] {
        rules.insert(call, vec![SeccompRule::new(vec![is(0, Le, LAST_CLOCK as u64)?])?]);
    }
    let uses = if device::reserves_memory(device) {
        let not = |&value: &u64| is(1, Ne, value);
        vec![SeccompRule::new(IOCTL_REFUSED.iter().map(not).collect::<Result<_, _>>()?)?]
    } else {
        one_of(1, IOCTL.iter().copied())?
    };
    rules.insert(libc::SYS_ioctl, uses);
    for call in [libc::SYS_kill, libc::SYS_tkill, libc::SYS_tgkill] {
        // Where Landlock keeps signals inside, the worker may signal its children, too.
        let uses = if files.scoped { Vec::new() } else { one_of(0, [own])? };
        rules.insert(call, uses);
    }
    Ok(rules)
}

/// Allows what a plugin needs and refuses all else. Returns a listener for the refused calls, with which the
/// host names them; without one (a kernel before Linux 5.0, or another listener already) they just fail with
/// EPERM.
pub(super) fn restrict(device: &str, files: &Files) -> Result<Option<OwnedFd>, String> {
    let failed = |error: BackendError| format!("seccomp: {error}");
    let mut allowed: Rules =
        ALLOWED.iter().chain(ALLOWED_OLD).chain(UNKNOWN).map(|&call| (call, Vec::new())).collect();
    allowed.extend(checked(device, files).map_err(failed)?);
    let unknown: Rules = UNKNOWN.iter().map(|&call| (call, Vec::new())).collect();
    // Of two filters the stricter one decides.
    let absent = SeccompAction::Errno(libc::ENOSYS as u32);
    let absent = program(unknown, SeccompAction::Allow, absent).map_err(failed)?;
    seccompiler::apply_filter(&absent).map_err(|error| format!("seccomp: {error}"))?;
    let mut notified =
        program(allowed.clone(), SeccompAction::Trace(0), SeccompAction::Allow).map_err(failed)?;
    for instruction in &mut notified {
        // The crate does not know this action.
        if instruction.code == RETURN && instruction.k == libc::SECCOMP_RET_TRACE {
            instruction.k = libc::SECCOMP_RET_USER_NOTIF;
        }
    }
    if let Ok(listener) = install_with_listener(&notified) {
        return Ok(Some(listener));
    }
    // Without an answer the C library computes with what its memory held before.
    allowed.insert(libc::SYS_sysinfo, Vec::new());
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let silent = program(allowed, refused, SeccompAction::Allow).map_err(failed)?;
    seccompiler::apply_filter(&silent).map_err(|error| format!("seccomp: {error}"))?;
    Ok(None)
}

/// `BPF_RET | BPF_K`.
const RETURN: u16 = 0x06;

/// A filter: `otherwise` for all calls but those with a rule, for which it is `matched`.
fn program(
    rules: Rules,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, otherwise, matched, arch)?.try_into()
}

#[expect(unsafe_code, reason = "the crate installs filters without a listener")]
fn install_with_listener(program: &BpfProgram) -> io::Result<OwnedFd> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(io::Error::other)?,
        filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    let (mode, flag) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    // SAFETY: the kernel copies the program, whose instructions have the kernel's layout, and opens a
    // descriptor that nothing else knows.
    unsafe {
        match libc::syscall(libc::SYS_seccomp, mode, flag, &raw const program) {
            -1 => Err(io::Error::last_os_error()),
            listener => Ok(OwnedFd::from_raw_fd(listener as i32)),
        }
    }
}
