//! A control group of the kernel (cgroup) that limits the memory of a worker's processes together.
//!
//! The host uses a cgroup only where it is delegated: the folder that [`VARIABLE`] names, or the own cgroup
//! of a user who is not root and owns its folder, as under `systemd-run --user --scope -p Delegate=yes`. A
//! cgroup that belongs to others, such as a service manager, is left alone even if root could write to it,
//! because a cgroup has a single writer (<https://systemd.io/CGROUP_DELEGATION>). Without a cgroup the host
//! measures memory itself, see [`crate::launch::memory`].

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};

/// Environment variable that names a folder below `/sys/fs/cgroup` in which the host may create cgroups.
pub const VARIABLE: &str = "MOLARENA_CGROUP";

/// Prefix of cgroup names; the process id of the host follows.
const PREFIX: &str = "molarena-";
/// How long the processes of a group may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Version of the kernel's cgroup interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A folder in which the host may create cgroups.
#[derive(Clone, Debug)]
struct Home {
    folder: PathBuf,
    version: Version,
}

/// The cgroup of one worker. Dropping it kills all processes in it and removes it.
#[derive(Debug)]
pub(crate) struct Group {
    folder: PathBuf,
    version: Version,
}

impl Group {
    /// A new cgroup with a limit of `memory` bytes; `None` if the host cannot create one.
    pub(crate) fn create(memory: u64) -> Option<Self> {
        static HOME: OnceLock<Option<Home>> = OnceLock::new();
        HOME.get_or_init(Home::find).as_ref().and_then(|home| home.group(memory).ok())
    }

    /// Its folder. A process joins by writing `0` to `cgroup.procs` there.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Peak memory in bytes of its processes together, page cache included; 0 if the kernel does not say.
    pub(crate) fn peak(&self) -> u64 {
        let name = match self.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        read(&self.folder, name).trim().parse().unwrap_or(0)
    }

    /// Processor seconds of its processes together; 0 if the kernel does not say.
    pub(crate) fn cpu_s(&self) -> f64 {
        let text = read(&self.folder, "cpu.stat");
        let used = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
        used.and_then(|used| used.trim().parse::<f64>().ok()).unwrap_or(0.0) / 1e6
    }

    /// Whether the kernel killed a process of the group because of the limit.
    pub(crate) fn ran_out(&self) -> bool {
        let name = match self.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let text = read(&self.folder, name);
        let kills = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        kills.and_then(|kills| kills.trim().parse::<u64>().ok()).is_some_and(|kills| kills > 0)
    }

    fn processes(&self) -> Vec<i32> {
        read(&self.folder, "cgroup.procs").lines().filter_map(|line| line.parse().ok()).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let started = Instant::now();
        // Kill all at once where the kernel can (Linux 5.14), and one by one.
        let _older = write(&self.folder, "cgroup.kill", "1");
        while fs_err::remove_dir(&self.folder).is_err() && started.elapsed() < PATIENCE {
            for process in self.processes() {
                let _gone = kill(Pid::from_raw(process), Signal::SIGKILL);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Home {
    fn find() -> Option<Self> {
        let named = std::env::var_os(VARIABLE).map(PathBuf::from);
        let home = match named {
            Some(folder) => Self::at(folder)?,
            None => own_groups().into_iter().filter(|folder| is_delegated(folder)).find_map(Self::at)?,
        };
        home.remove_abandoned();
        (home.version == Version::One || home.enable()).then_some(home)
    }

    /// The folder, if memory can be limited in it.
    fn at(folder: PathBuf) -> Option<Self> {
        let controllers = read(&folder, "cgroup.controllers");
        if controllers.split_whitespace().any(|controller| controller == "memory") {
            return Some(Self { folder, version: Version::Two });
        }
        let one = folder.join("memory.limit_in_bytes").exists();
        one.then_some(Self { folder, version: Version::One })
    }

    /// Lets cgroups in the folder limit memory. The kernel allows this only if the folder itself has no
    /// processes; if this process is the only one there, it moves to a cgroup beside those of its workers.
    fn enable(&self) -> bool {
        let enabled = || {
            let enabled = read(&self.folder, "cgroup.subtree_control");
            enabled.split_whitespace().any(|controller| controller == "memory")
        };
        let own = process::id().to_string();
        if !enabled() && read(&self.folder, "cgroup.procs").trim() == own {
            let host = self.folder.join(format!("{PREFIX}host"));
            let _there_already = fs_err::create_dir(&host);
            let _refused = write(&host, "cgroup.procs", &own);
        }
        enabled() || (write(&self.folder, "cgroup.subtree_control", "+memory").is_ok() && enabled())
    }

    /// Removes the cgroups of killed hosts. The kernel refuses to remove one that has processes.
    fn remove_abandoned(&self) {
        for entry in fs_err::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let host =
                name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
            let gone = |host: i32| kill(Pid::from_raw(host), None) == Err(nix::errno::Errno::ESRCH);
            if host.is_some_and(gone) {
                let _in_use = fs_err::remove_dir(entry.path());
            }
        }
    }

    fn group(&self, memory: u64) -> std::io::Result<Group> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(format!("{PREFIX}{}-{number}", process::id()));
        fs_err::create_dir(&folder)?;
        let group = Group { folder, version: self.version };
        let memory = memory.to_string();
        match self.version {
            Version::One => {
                write(&group.folder, "memory.limit_in_bytes", &memory)?;
                // Not every kernel accounts for swap.
                let _no_swap = write(&group.folder, "memory.memsw.limit_in_bytes", &memory);
            }
            Version::Two => {
                write(&group.folder, "memory.max", &memory)?;
                let _no_swap = write(&group.folder, "memory.swap.max", "0");
                let _older = write(&group.folder, "memory.oom.group", "1");
            }
        }
        Ok(group)
    }
}

/// The cgroups of this process that may limit memory: version 2, then version 1.
fn own_groups() -> Vec<PathBuf> {
    let groups = read(Path::new("/proc/self"), "cgroup");
    let mounts = read(Path::new("/proc/self"), "mountinfo");
    let two = path_of(&groups, &mounts, str::is_empty, |kind, _| kind == "cgroup2");
    let has_memory = |list: &str| list.split(',').any(|name| name == "memory");
    let one = path_of(&groups, &mounts, has_memory, |kind, options| kind == "cgroup" && has_memory(options));
    two.into_iter().chain(one).collect()
}

/// The folder of the cgroup whose controllers are `wanted`, below the mount whose type and options `mounted`
/// accepts. `groups` and `mounts` are the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`.
fn path_of(
    groups: &str,
    mounts: &str,
    wanted: impl Fn(&str) -> bool,
    mounted: impl Fn(&str, &str) -> bool,
) -> Option<PathBuf> {
    let group = groups.lines().find_map(|line| {
        let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
        wanted(controllers).then_some(group)
    })?;
    let (root, folder) = mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let (name, options) = (kind.next()?, kind.next_back()?);
        let mut place = place.split(' ').skip(3);
        let (root, folder) = (place.next()?, place.next()?);
        mounted(name, options).then_some((root, folder))
    })?;
    let below = group.strip_prefix(root.trim_end_matches('/'))?;
    Some(Path::new(folder).join(below.trim_start_matches('/')))
}

/// Whether the cgroup is delegated to this user. Root's ownership says nothing, because root can write to
/// any.
fn is_delegated(folder: &Path) -> bool {
    let user = geteuid();
    !user.is_root() && fs_err::metadata(folder).is_ok_and(|metadata| metadata.uid() == user.as_raw())
}

fn read(folder: &Path, name: &str) -> String {
    fs_err::read_to_string(folder.join(name)).unwrap_or_default()
}

fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    fs_err::write(folder.join(name), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that looks like a cgroup that can limit memory.
    fn home(version: Version) -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        match version {
            Version::One => write(folder.path(), "memory.limit_in_bytes", "9223372036854771712").unwrap(),
            Version::Two => {
                write(folder.path(), "cgroup.controllers", "cpu memory pids\n").unwrap();
                write(folder.path(), "cgroup.subtree_control", "memory\n").unwrap();
            }
        }
        let home = Home::at(folder.path().to_owned()).unwrap();
        assert_eq!(home.version, version);
        (folder, home)
    }

    #[test]
    fn a_group_of_the_second_interface() {
        let (_folder, home) = home(Version::Two);
        assert!(home.enable());
        let group = home.group(1 << 20).unwrap();
        assert_eq!(read(group.folder(), "memory.max"), "1048576");
        assert_eq!(read(group.folder(), "memory.swap.max"), "0");
        write(group.folder(), "memory.events", "max 7\noom 1\noom_kill 0\n").unwrap();
        write(group.folder(), "memory.peak", "4096\n").unwrap();
        assert!(!group.ran_out());
        assert_eq!(group.peak(), 4096);
        write(group.folder(), "memory.events", "max 7\noom 1\noom_kill 1\n").unwrap();
        assert!(group.ran_out());
        fs_err::remove_dir_all(group.folder()).unwrap();
    }

    #[test]
    fn a_group_of_the_first_interface() {
        let (_folder, home) = home(Version::One);
        let group = home.group(1 << 20).unwrap();
        assert_eq!(read(group.folder(), "memory.limit_in_bytes"), "1048576");
        write(group.folder(), "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n").unwrap();
        write(group.folder(), "memory.max_usage_in_bytes", "8192\n").unwrap();
        assert!(group.ran_out());
        assert_eq!(group.peak(), 8192);
        fs_err::remove_dir_all(group.folder()).unwrap();
    }

    #[test]
    fn groups_of_hosts_that_are_gone_are_removed() {
        let (folder, home) = home(Version::Two);
        let mut gone = process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        let abandoned = folder.path().join(format!("{PREFIX}{}-0", gone.id()));
        let mine = folder.path().join(format!("{PREFIX}{}-99", process::id()));
        fs_err::create_dir(&abandoned).unwrap();
        fs_err::create_dir(&mine).unwrap();
        home.remove_abandoned();
        assert!(!abandoned.exists() && mine.exists());
    }

    #[test]
    fn the_own_groups_are_found() {
        let mounts = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n\
                      31 23 0:27 /a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        let groups = "4:cpu:/\n3:memory:/a/b\n0::/user.slice/x.scope\n";
        let two = path_of(groups, mounts, str::is_empty, |kind, _| kind == "cgroup2");
        assert_eq!(two, Some("/sys/fs/cgroup/user.slice/x.scope".into()));
        let one = path_of(groups, mounts, |list| list == "memory", |_, options| options.ends_with(",memory"));
        assert_eq!(one, Some("/sys/fs/cgroup/memory/b".into()));
    }
}
