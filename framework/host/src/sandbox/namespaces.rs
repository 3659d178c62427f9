//! Namespaces: a file system that has only what a worker is granted, and process ids of its own.
//!
//! Landlock refuses to open a file, but tells its size, its times and whether it exists, and shows other
//! processes. In its own mount namespace a worker finds nothing else: what it may read is there, read-only,
//! so that reading changes no access time; its job folder is there; `/proc` has its own processes. All
//! processes in its namespace end with it, also when the host is killed.
//!
//! Three processes take part. The first is the one that the host started. It makes the second, which is
//! process 1 of the new namespaces: it sets up the file system, starts the third, and reaps what others leave
//! behind. The third is the worker. Each of the others ends as the worker ends. An ordinary user may do this
//! where the kernel lets user namespaces be made; where it does not, the first process is the worker.

use std::{
    ffi::CString,
    io::{PipeReader, PipeWriter, Read, Write},
    os::unix::fs::DirBuilderExt,
    path::{Component, Path, PathBuf},
};

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::{
        prctl,
        signal::{SigHandler, Signal, raise, signal},
        wait::{WaitStatus, wait, waitpid},
    },
    unistd::{ForkResult, Pid, fork, getgid, getuid, pivot_root},
};

use super::{DEVICES, Envelope, SYSTEM_FOLDERS, device, exposed_under};

/// Where the file system of the host is while the worker's is set up.
const OLD: &str = "/.molarena-host";
/// Options of the worker's own root and of its `/dev/shm`.
const ROOT_OPTIONS: &str = "mode=755,size=4m";
const SHARED_OPTIONS: &str = "mode=1777,size=64m";

/// Puts the worker into namespaces of its own. Returns in the worker only; the processes above it end here.
/// The inner result says why it has none, if the kernel does not let them be made.
///
/// # Errors
/// A pipe or a process cannot be made.
pub(super) fn enter(envelope: &Envelope, job_folder: &Path) -> Result<Result<(), String>, String> {
    let pipe = || std::io::pipe().map_err(|error| format!("pipe: {error}"));
    let user = (getuid().as_raw(), getgid().as_raw());
    let ((go, mut start), (mut news, teller)) = (pipe()?, pipe()?);
    let second = match new_namespaces() {
        Ok(None) => {
            drop((start, news));
            return Ok(process_one(envelope, job_folder, user, go, teller));
        }
        Ok(Some(second)) => second,
        Err(error) => return Ok(Err(format!("clone: {error}"))),
    };
    drop((go, teller));
    // The second process waits for this, so that it does not outlive this one.
    let _gone = start.write_all(&[1]);
    let mut set_up = [0];
    match news.read(&mut set_up) {
        Ok(1) if &set_up == b"+" => end_as(second, news),
        Ok(1) => {
            let mut why = String::new();
            let _cut = news.read_to_string(&mut why);
            let _reaped = waitpid(second, None);
            Ok(Err(why))
        }
        _ => Err(format!("the process that sets up namespaces ended: {:?}", waitpid(second, None))),
    }
}

/// A child in new namespaces; `None` in the child.
#[expect(unsafe_code, reason = "no library makes a child in new namespaces")]
fn new_namespaces() -> Result<Option<Pid>, Errno> {
    let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::SIGCHLD;
    let null = 0_usize;
    // SAFETY: as `fork`: the child gets a copy of the address space and goes on with the same stack. This
    // process has a single thread, so no lock is held by another.
    let child = unsafe { libc::syscall(libc::SYS_clone, flags, null, null, null, null) };
    match child {
        -1 => Err(Errno::last()),
        0 => Ok(None),
        child => Ok(Some(Pid::from_raw(child as libc::pid_t))),
    }
}

/// Ends this process as the worker ended.
fn end_as(second: Pid, mut news: PipeReader) -> ! {
    let mut ending = [0; 8];
    // Empty if the second process was killed.
    let told = news.read_exact(&mut ending).is_ok();
    let last = loop {
        match waitpid(second, None) {
            Err(Errno::EINTR) => {}
            status => break status,
        }
    };
    let [kind, value] =
        [&ending[..4], &ending[4..]].map(|part| i32::from_le_bytes(part.try_into().unwrap_or_default()));
    match (told, kind, last) {
        (true, 0, _) => std::process::exit(value),
        (true, _, _) => end_by(value),
        (false, _, Ok(WaitStatus::Signaled(_, signal, _))) => end_by(signal as i32),
        _ => std::process::exit(1),
    }
}

fn end_by(number: i32) -> ! {
    if let Ok(number) = Signal::try_from(number) {
        set_default(number);
        let _ended = raise(number);
    }
    std::process::exit(1)
}

#[expect(unsafe_code, reason = "changes how this process reacts to a signal")]
fn set_default(number: Signal) {
    // SAFETY: the default action runs no code of this program.
    let _unknown = unsafe { signal(number, SigHandler::SigDfl) };
}

/// Process 1 of the namespaces. Returns in the worker, or says why there can be no namespaces.
fn process_one(
    envelope: &Envelope,
    job_folder: &Path,
    user: (u32, u32),
    mut go: PipeReader,
    mut teller: PipeWriter,
) -> Result<(), String> {
    let set_up = (|| {
        prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| format!("parent-death signal: {error}"))?;
        go.read_exact(&mut [0]).map_err(|_| "the first process is gone".to_owned())?;
        map_user(user)?;
        build_root(envelope, job_folder)
    })();
    if let Err(why) = set_up {
        let _gone = teller.write_all(format!("-{why}").as_bytes());
        std::process::exit(0);
    }
    let _gone = teller.write_all(b"+");
    match fork_worker() {
        Ok(ForkResult::Child) => Ok(()),
        Ok(ForkResult::Parent { child }) => {
            let ending = reap_until(child);
            let _gone = teller.write_all(&ending.map(i32::to_le_bytes).concat());
            std::process::exit(0)
        }
        Err(error) => {
            eprintln!("molarena worker: fork: {error}");
            std::process::exit(1)
        }
    }
}

#[expect(unsafe_code, reason = "fork")]
fn fork_worker() -> nix::Result<ForkResult> {
    // SAFETY: this process has a single thread, so the child may do anything that its parent could.
    unsafe { fork() }
}

/// Reaps all children until the worker ends: 0 and its exit code, or 1 and the signal that ended it.
fn reap_until(worker: Pid) -> [i32; 2] {
    loop {
        match wait() {
            Ok(WaitStatus::Exited(child, code)) if child == worker => return [0, code],
            Ok(WaitStatus::Signaled(child, signal, _)) if child == worker => return [1, signal as i32],
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return [0, 1],
        }
    }
}

/// Gives the user and the group the same numbers inside as outside.
fn map_user((user, group): (u32, u32)) -> Result<(), String> {
    let write = |name: &str, text: String| {
        fs_err::write(format!("/proc/self/{name}"), text).map_err(|error| error.to_string())
    };
    write("setgroups", "deny".into())?;
    write("uid_map", format!("{user} {user} 1"))?;
    write("gid_map", format!("{group} {group} 1"))
}

/// What a worker finds in its file system.
struct Grant {
    /// The path that it is granted by.
    path: PathBuf,
    /// The file or folder itself, without links.
    real: PathBuf,
    writable: bool,
}

/// All grants that exist, parents before what lies in them.
fn grants(envelope: &Envelope, job_folder: &Path) -> Vec<Grant> {
    let root = Path::new("/");
    let system = SYSTEM_FOLDERS.iter().chain(&DEVICES).map(PathBuf::from);
    let on_device = [
        device::device_files(&envelope.device, root),
        device::device_readable(&envelope.device, root)
            .into_iter()
            .filter(|path| !path.starts_with("/proc"))
            .collect(),
    ]
    .concat();
    let readable = envelope.readable.iter().map(|path| job_folder.join(path));
    let writable = envelope.writable.iter().map(|path| job_folder.join(path)).chain([job_folder.to_owned()]);
    let all = system.chain(on_device).chain(readable).map(|path| (path, false));
    let mut grants: Vec<Grant> = all
        .chain(writable.map(|path| (path, true)))
        .filter_map(|(path, writable)| {
            let real = fs_err::canonicalize(&path).ok()?;
            Some(Grant { path: without_dots(&path), real, writable })
        })
        .collect();
    // Code that resolves links finds a file by its own name, too.
    let linked =
        grants.iter().filter(|grant| grant.path != grant.real && exposed_under(&grant.real).is_none());
    let linked: Vec<Grant> = linked
        .map(|grant| Grant { path: grant.real.clone(), real: grant.real.clone(), writable: grant.writable })
        .collect();
    grants.extend(linked);
    grants.sort_by_key(|grant| grant.path.components().count());
    grants
}

/// The path without `.` and `..`.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            _ => plain.push(component),
        }
    }
    plain
}

/// Replaces the file system by one that has what is granted, and nothing else.
fn build_root(envelope: &Envelope, job_folder: &Path) -> Result<(), String> {
    let none = None::<&str>;
    let said = |what: &'static str| move |error: Errno| format!("{what}: {error}");
    let grants = grants(envelope, job_folder);
    // Nothing that is mounted here may show outside.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).map_err(said("private mounts"))?;
    tmpfs(job_folder, ROOT_OPTIONS)?;
    let old = job_folder.join(OLD.trim_start_matches('/'));
    make_folder(&old)?;
    pivot_root(job_folder, &old).map_err(said("pivot_root"))?;
    std::env::set_current_dir("/").map_err(|error| error.to_string())?;
    for grant in &grants {
        graft(grant)?;
    }
    make_folder(Path::new("/dev/shm"))?;
    tmpfs(Path::new("/dev/shm"), SHARED_OPTIONS)?;
    make_folder(Path::new("/proc"))?;
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    // Only processes, and of these only those that this one could control.
    let options = if device::device_readable(&envelope.device, Path::new(OLD)).is_empty() {
        "subset=pid,hidepid=ptraceable"
    } else {
        "hidepid=ptraceable"
    };
    mount(Some("proc"), "/proc", Some("proc"), safe, Some(options)).map_err(said("proc"))?;
    umount2(OLD, MntFlags::MNT_DETACH).map_err(said("umount"))?;
    fs_err::remove_dir(OLD).map_err(|error| error.to_string())?;
    read_only(Path::new("/"), false)?;
    std::env::set_current_dir(job_folder).map_err(|error| error.to_string())
}

fn tmpfs(folder: &Path, options: &str) -> Result<(), String> {
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), folder, Some("tmpfs"), safe, Some(options))
        .map_err(|error| format!("tmpfs: {error}"))
}

fn make_folder(path: &Path) -> Result<(), String> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path);
    made.map_err(|error| format!("{}: {error}", path.display()))
}

/// Shows a file or folder of the host's file system under its path.
fn graft(grant: &Grant) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", grant.path.display());
    let source = Path::new(OLD).join(grant.real.strip_prefix("/").unwrap_or(&grant.real));
    if source.is_dir() {
        make_folder(&grant.path)?;
    } else {
        grant.path.parent().map_or(Ok(()), make_folder)?;
        if !grant.path.exists() {
            fs_err::write(&grant.path, "").map_err(|error| said(&error))?;
        }
    }
    let none = None::<&str>;
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(&source), &grant.path, none, bind, none).map_err(|error| said(&error))?;
    if grant.writable { Ok(()) } else { read_only(&grant.path, true) }
}

/// Makes a mount read-only, with those below it if `all`, so that reading changes no access time.
#[expect(unsafe_code, reason = "no library has mount_setattr")]
fn read_only(path: &Path, all: bool) -> Result<(), String> {
    let name = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|error| error.to_string())?;
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = if all { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the name and the attributes live until the call returns; it only reads them.
    let set = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            name.as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if set == 0 { Ok(()) } else { Err(format!("{} read-only: {}", path.display(), Errno::last())) }
}
