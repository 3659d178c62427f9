//! Walks, measures and removes folders that a plugin may have filled with anything: thousands of levels,
//! folders without permissions, links, and names that change during the walk.
//!
//! A walk goes from folder to folder by open descriptors, two at a time, never by a path that could lead elsewhere or be too
//! long. It does not follow links.

use std::{
    collections::HashSet,
    ffi::{CStr, CString},
    io,
    ops::ControlFlow,
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use molarena_record::text::visible;

use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, OFlag},
    sys::stat::{FchmodatFlags, FileStat, Mode, fchmodat, fstat, fstatat},
    unistd::{UnlinkatFlags, unlinkat},
};

/// How often a removal is tried.
const ATTEMPTS: usize = 5;

/// A temporary folder in which a plugin may leave anything. Dropping it removes it; what cannot be removed is named in
/// a warning on standard error, and the next command on the store tries again.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
    kept: bool,
}

impl Temporary {
    /// Makes a folder in `parent` whose name begins with `prefix`, for this user only.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn make(prefix: &str, parent: &Path) -> io::Result<Self> {
        Ok(Self::of(tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?.keep()))
    }

    /// The folder at `path`, which was kept before.
    pub(crate) fn of(path: PathBuf) -> Self {
        Self { path, kept: false }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says whether the folder stays when this is dropped.
    pub(crate) fn keep(&mut self, kept: bool) {
        self.kept = kept;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = remove_tree(&self.path)
        {
            warn_of(&error);
        }
    }
}

/// Says on standard error that a folder could not be removed; `error` names it.
pub(crate) fn warn_of(error: &io::Error) {
    warn(&format!("cannot be removed: {error}"));
}

/// Prints a warning on one line of standard error, where no caller can be told.
pub(crate) fn warn(message: &str) {
    eprintln!("warning: {}", visible(message));
}

/// Removes a folder and everything in it, however deep and whatever the permissions. A missing folder is not
/// an error. Links are removed, not their targets.
///
/// # Errors
/// Something cannot be removed: the folder belongs to another user, or a process keeps filling it.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let mut outcome = Ok(());
    for _ in 0..ATTEMPTS {
        outcome = match empty(path) {
            // No folder, but a link or a file in its place.
            Err(Errno::ELOOP | Errno::ENOTDIR) => unlinkat(AT_FDCWD, path, UnlinkatFlags::NoRemoveDir),
            emptied => emptied.and_then(|()| unlinkat(AT_FDCWD, path, UnlinkatFlags::RemoveDir)),
        };
        match outcome {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            Err(_) => {}
        }
    }
    outcome.map_err(|error| named(path, error))
}

/// Removes the subfolders of `path` with everything in them; leaves the files.
///
/// # Errors
/// As [`remove_tree`].
pub(crate) fn remove_subfolders(path: &Path) -> io::Result<()> {
    allow_access(path);
    let mut outcome = Ok(());
    for entry in fs_err::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            // One that stays must not keep the others.
            outcome = outcome.and(remove_tree(&entry.path()));
        }
    }
    outcome
}

/// Gives this user all rights to a folder that may have lost them; whatever else has the name stays as it is.
fn allow_access(path: &Path) {
    if let Ok(stat) = fstatat(AT_FDCWD, path, AtFlags::AT_SYMLINK_NOFOLLOW) {
        allow(AT_FDCWD, path, &stat);
    }
}

/// As [`allow_access`], for the entry `name` of `parent`, which `stat` describes.
fn allow<P: ?Sized + nix::NixPath>(parent: impl AsFd, name: &P, stat: &FileStat) {
    if stat.st_mode & libc::S_IFMT == libc::S_IFDIR && stat.st_mode & 0o700 != 0o700 {
        let mode = Mode::from_bits_truncate(stat.st_mode) | Mode::S_IRWXU;
        let _not_ours = fchmodat(parent, name, mode, FchmodatFlags::NoFollowSymlink);
    }
}

/// Empties the folder as far as possible.
fn empty(path: &Path) -> nix::Result<()> {
    // The first error: the others may be that a folder is not empty because of it.
    let mut remaining = Ok(());
    let walked = walk(path, &mut |step| {
        let (folder, name, flag) = match step {
            Step::File { folder, name, .. } => (folder, name, UnlinkatFlags::NoRemoveDir),
            Step::Left { folder, name } => (folder, name, UnlinkatFlags::RemoveDir),
            Step::Folder { .. } => return ControlFlow::Continue(()),
            Step::Closed { error } => {
                remaining = remaining.and(Err(error));
                return ControlFlow::Continue(());
            }
        };
        if let Err(error) = unlinkat(folder, name, flag)
            && error != Errno::ENOENT
        {
            remaining = remaining.and(Err(error));
        }
        ControlFlow::Continue(())
    });
    remaining.and(walked)
}

/// Size of a folder's content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Bytes on disk; a file with several names counts once.
    pub(crate) bytes: u64,
    /// Number of files and folders.
    pub(crate) entries: u64,
}

/// Measures the folder at `path` and its subfolders, until `enough` is true.
///
/// # Errors
/// A folder cannot be read even after its permissions were changed, or was moved during the walk.
pub(crate) fn usage(path: &Path, enough: &dyn Fn(Usage) -> bool) -> io::Result<Usage> {
    let mut usage = Usage::default();
    let mut linked = HashSet::new();
    let mut closed = None;
    let walked = walk(path, &mut |step| {
        match step {
            Step::File { stat, .. } | Step::Folder { stat } => {
                usage.entries += 1;
                let plain = stat.st_mode & libc::S_IFMT == libc::S_IFREG;
                if !plain || stat.st_nlink < 2 || linked.insert((stat.st_dev, stat.st_ino)) {
                    usage.bytes += stat.st_blocks.cast_unsigned() * 512;
                }
            }
            Step::Left { .. } => {}
            Step::Closed { error } => closed = Some(error),
        }
        if enough(usage) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match walked.err().or(closed) {
        None => Ok(usage),
        Some(error) => Err(named(path, error)),
    }
}

fn named(path: &Path, error: Errno) -> io::Error {
    let error = io::Error::from(error);
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// An event of a walk.
enum Step<'a> {
    /// An entry of `folder` that is not a folder.
    File { folder: &'a Dir, name: &'a CStr, stat: &'a FileStat },
    /// A folder, before it is entered.
    Folder { stat: &'a FileStat },
    /// The folder `name` in `folder`, after the walk left it.
    Left { folder: &'a Dir, name: &'a CStr },
    /// A folder that cannot be read.
    Closed { error: Errno },
}

/// A folder between the root and the current place of a walk.
struct Level {
    name: CString,
    /// Device and inode, which identify the folder.
    identity: (u64, u64),
    /// Names of its subfolders still to be visited.
    pending: Vec<CString>,
}

impl Level {
    /// Makes the level of `folder` and shows its entries to `visit`.
    fn enter(
        name: CString,
        folder: &mut Dir,
        visit: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
    ) -> nix::Result<ControlFlow<(), Self>> {
        let identity = identity(folder)?;
        let names: Vec<CString> =
            folder.iter().map(|entry| Ok(entry?.file_name().to_owned())).collect::<nix::Result<_>>()?;
        let mut pending = Vec::new();
        for name in names {
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let stat = match fstatat(&*folder, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::ENOENT) => continue,
                Err(error) if visit(Step::Closed { error }).is_break() => return Ok(ControlFlow::Break(())),
                Err(_) => continue,
            };
            let is_folder = stat.st_mode & libc::S_IFMT == libc::S_IFDIR;
            if is_folder && stat.st_dev != identity.0 {
                // Another file system is mounted here. It is not the plugin's.
                if visit(Step::Closed { error: Errno::EXDEV }).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                continue;
            }
            let step = if is_folder {
                Step::Folder { stat: &stat }
            } else {
                Step::File { folder, name: &name, stat: &stat }
            };
            if visit(step).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if is_folder {
                // The plugin may have taken its permissions away.
                allow(&*folder, name.as_c_str(), &stat);
                pending.push(name);
            }
        }
        Ok(ControlFlow::Continue(Self { name, identity, pending }))
    }
}

fn identity(folder: &Dir) -> nix::Result<(u64, u64)> {
    let stat = fstat(folder)?;
    Ok((stat.st_dev, stat.st_ino))
}

fn open(parent: impl AsFd, name: &CStr) -> nix::Result<Dir> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Dir::openat(parent, name, flags, Mode::empty())
}

/// Visits everything in the folder at `root`, until `visit` breaks off.
fn walk(root: &Path, visit: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>) -> nix::Result<()> {
    let name = CString::new(root.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    allow_access(root);
    let mut here = open(AT_FDCWD, &name)?;
    let ControlFlow::Continue(level) = Level::enter(name, &mut here, visit)? else { return Ok(()) };
    let mut levels = vec![level];
    while let Some(level) = levels.last_mut() {
        if let Some(name) = level.pending.pop() {
            let mut folder = match open(&here, &name) {
                Ok(folder) => folder,
                // It is gone, or something else took its place.
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => continue,
                Err(error) if visit(Step::Closed { error }).is_break() => return Ok(()),
                Err(_) => continue,
            };
            match Level::enter(name, &mut folder, visit) {
                Ok(ControlFlow::Continue(level)) => levels.push(level),
                Ok(ControlFlow::Break(())) => return Ok(()),
                Err(error) if visit(Step::Closed { error }).is_break() => return Ok(()),
                Err(_) => continue,
            }
            here = folder;
            continue;
        }
        let left = levels.pop().expect("the last level");
        let Some(parent) = levels.last() else { break };
        let up = open(&here, c"..")?;
        // A folder that was moved has another parent, which may be anywhere.
        if identity(&up)? != parent.identity {
            return Err(Errno::ESTALE);
        }
        here = up;
        if visit(Step::Left { folder: &here, name: &left.name }).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Makes `depth` nested folders: too deep for a path.
    fn deep(root: &Path, depth: usize) {
        let mut here = open(AT_FDCWD, &CString::new(root.as_os_str().as_bytes()).unwrap()).unwrap();
        for _ in 0..depth {
            nix::sys::stat::mkdirat(&here, c"d", Mode::S_IRWXU).unwrap();
            here = open(&here, c"d").unwrap();
        }
    }

    #[test]
    fn deep_folders_are_measured_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs_err::create_dir(&root).unwrap();
        deep(&root, 5000);
        fs_err::write(root.join("file"), [1; 10_000]).unwrap();
        let measured = usage(&root, &|_| false).unwrap();
        assert_eq!(measured.entries, 5001);
        assert!(measured.bytes >= 10_000, "{measured:?}");
        assert_eq!(usage(&root, &|usage| usage.entries == 10).unwrap().entries, 10);
        remove_tree(&root).unwrap();
        assert!(!root.exists());
        remove_tree(&root).unwrap();
    }

    #[test]
    fn folders_without_permissions_are_measured_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        for mode in [0o000, 0o300, 0o400, 0o500] {
            let closed = root.join(format!("{mode}/inner"));
            fs_err::create_dir_all(&closed).unwrap();
            fs_err::write(closed.join("file"), [1; 10_000]).unwrap();
            fs_err::set_permissions(&closed, PermissionsExt::from_mode(mode)).unwrap();
        }
        let measured = usage(&root, &|_| false).unwrap();
        assert_eq!(measured.entries, 12);
        assert!(measured.bytes >= 40_000, "{measured:?}");
        remove_tree(&root).unwrap();
        assert!(!root.exists());
    }

    #[test]
    fn whatever_is_in_a_folder_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, made) = (folder.path().join("outside"), folder.path().join("made"));
        fs_err::create_dir(&outside).unwrap();
        fs_err::write(outside.join("kept"), "kept").unwrap();
        fs_err::create_dir(&made).unwrap();
        let root = Temporary::make("job-", &made).unwrap();
        deep(root.path(), 16_000);
        for name in [&b"new\nline"[..], b"\xff\xfe\x01", &[b'x'; 255], b"-rf", b"\x1b[2J", b"..."] {
            let at = root.path().join(std::ffi::OsStr::from_bytes(name));
            fs_err::create_dir(&at).unwrap();
            fs_err::write(at.join("file"), "x").unwrap();
        }
        for file in 0..3000 {
            fs_err::write(root.path().join(format!("{file}")), "").unwrap();
        }
        nix::unistd::mkfifo(&root.path().join("fifo"), Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
        symlink(&outside, root.path().join("link")).unwrap();
        symlink("nowhere", root.path().join("dangling")).unwrap();
        fs_err::hard_link(outside.join("kept"), root.path().join("hard")).unwrap();
        fs_err::File::create(root.path().join("sparse")).unwrap().set_len(1 << 40).unwrap();
        fs_err::set_permissions(root.path().join("-rf"), PermissionsExt::from_mode(0o000)).unwrap();
        fs_err::set_permissions(root.path(), PermissionsExt::from_mode(0o000)).unwrap();
        drop(root);
        assert_eq!(fs_err::read_dir(&made).unwrap().count(), 0);
        assert_eq!(fs_err::read_to_string(outside.join("kept")).unwrap(), "kept");
    }

    #[test]
    fn a_link_in_the_place_of_a_folder_is_removed_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, root) = (folder.path().join("outside"), folder.path().join("root"));
        fs_err::create_dir(&outside).unwrap();
        fs_err::write(outside.join("kept"), "kept").unwrap();
        fs_err::set_permissions(&outside, PermissionsExt::from_mode(0o500)).unwrap();
        symlink(&outside, &root).unwrap();
        remove_tree(&root).unwrap();
        assert!(root.symlink_metadata().is_err() && outside.join("kept").exists());
        assert_eq!(fs_err::metadata(&outside).unwrap().permissions().mode() & 0o777, 0o500);
    }

    #[test]
    fn one_folder_that_stays_keeps_no_other() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs_err::create_dir_all(folder.path().join(name).join("inner")).unwrap();
        }
        // A folder that is moved away during its removal is no error.
        remove_subfolders(folder.path()).unwrap();
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
        assert!(remove_tree(Path::new("/proc/self/task")).is_err(), "what cannot be removed is an error");
    }

    #[test]
    fn links_lead_nowhere_and_count_once() {
        let folder = tempfile::tempdir().unwrap();
        let (root, other) = (folder.path().join("root"), folder.path().join("other"));
        fs_err::create_dir_all(root.join("inner")).unwrap();
        fs_err::create_dir_all(&other).unwrap();
        fs_err::write(other.join("kept"), vec![1; 100_000]).unwrap();
        symlink(&other, root.join("inner/link")).unwrap();
        fs_err::write(root.join("file"), vec![1; 100_000]).unwrap();
        fs_err::hard_link(root.join("file"), root.join("inner/name")).unwrap();
        let measured = usage(&root, &|_| false).unwrap();
        assert!((100_000..150_000).contains(&measured.bytes), "{measured:?}");
        remove_subfolders(&root).unwrap();
        assert!(root.join("file").exists() && !root.join("inner").exists());
        remove_tree(&root).unwrap();
        assert!(other.join("kept").exists() && !root.exists());
    }
}
