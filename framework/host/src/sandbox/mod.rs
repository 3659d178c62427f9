//! Restrictions that a worker puts on itself before it opens a plugin, in layers:
//!
//! | module | layer |
//! |---|---|
//! | `limits` | memory, files, processors; the life of the worker is tied to its host's |
//! | `namespaces` | a file system of its own that has only what is granted, and process ids of its own |
//! | `files` | Landlock: what it may read and write |
//! | `calls` | seccomp: the system calls that a plugin needs, and no others |
//!
//! They hold for all threads and children and cannot be undone. `report` tells the host which of them are
//! in place, before the plugin is opened.

pub mod device;
pub mod memory;

#[cfg(target_os = "linux")]
pub(crate) mod calls;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod namespaces;
pub(crate) mod report;
#[cfg(all(test, target_os = "linux"))]
mod tests;

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
    /// The host's own resource limits, from before it started any worker: name, soft limit, hard limit. A
    /// worker starts from these, whatever happened to the host's limits meanwhile.
    #[serde(default)]
    pub inherited: Vec<(String, u64, u64)>,
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
            inherited: Vec::new(),
        }
    }
}

/// Folders that every worker may read: libraries, locale and time zone, and what a runtime reads about
/// processors.
pub const SYSTEM_FOLDERS: [&str; 9] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    // Links from the names of libraries to those that the system's administrator chose.
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/sys/devices/system/cpu",
];

/// Devices that every worker may use.
pub(crate) const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/dev/full"];

/// Folders of shared libraries that the user names in `LD_LIBRARY_PATH`, such as those of `LibTorch` or ONNX Runtime; every
/// worker may read them.
pub fn library_folders() -> Vec<PathBuf> {
    let Some(named) = std::env::var_os("LD_LIBRARY_PATH") else { return Vec::new() };
    let absolute = std::env::split_paths(&named).filter(|path| path.is_absolute());
    absolute.filter_map(|path| fs_err::canonicalize(path).ok()).filter(|path| path.is_dir()).collect()
}

/// The folder of the system or of shared libraries that `path` lies under, if any: nothing there is hidden from a worker.
pub fn exposed_under(path: &Path) -> Option<PathBuf> {
    let system = SYSTEM_FOLDERS.iter().map(PathBuf::from);
    system.chain(library_folders()).find(|root| path.starts_with(root))
}

#[cfg(target_os = "linux")]
pub use linux::{confine, limits_of_this_process};

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;

    use super::{Envelope, calls, files, limits, namespaces, report::Confinement};

    pub use limits::of_this_process as limits_of_this_process;

    /// Limits this process and, if `envelope.confine`, confines it. With namespaces, only a child of this
    /// process returns from here; this process waits for it and ends as it ends.
    ///
    /// # Errors
    /// A limit or a layer that this kernel has cannot be set up. A layer that it lacks is none: the result
    /// names it.
    pub fn confine(envelope: &Envelope, job_folder: &Path) -> Result<Confinement, String> {
        limits::limit(envelope)?;
        if !envelope.confine {
            return Ok(Confinement::default());
        }
        let namespaces = namespaces::enter(envelope, job_folder)?;
        limits::drop_privileges(&namespaces)?;
        let files = files::restrict(envelope, job_folder, &namespaces)?;
        let listener = calls::restrict(&envelope.device, &files)?;
        let mut missing = Vec::new();
        missing.extend(namespaces.err().map(|why| format!("namespaces ({why})")));
        missing.extend((!files.enforced).then(|| "landlock".to_owned()));
        missing.extend((files.enforced && !files.scoped).then(|| "landlock scopes (Linux 6.12)".to_owned()));
        Ok(Confinement { confined: files.enforced, missing, listener })
    }
}

/// Limits and confines nothing: records say `confined: false`.
#[cfg(not(target_os = "linux"))]
pub fn confine(_envelope: &Envelope, _job_folder: &Path) -> Result<report::Confinement, String> {
    Ok(report::Confinement::default())
}

/// None: this system has no such interface.
#[cfg(not(target_os = "linux"))]
pub fn limits_of_this_process() -> Vec<(String, u64, u64)> {
    Vec::new()
}
