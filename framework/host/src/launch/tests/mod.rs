//! Tests of the limits, with small C programs that try to exceed them. The programs are not confined.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, atomic::AtomicBool},
    time::{Duration, Instant},
};

use nix::unistd::geteuid;

use crate::launch::{
    disk::{DiskWatch, Excess},
    processes,
    watch::{Stop, Watch, Watched},
};

const MIB: u64 = 1 << 20;

/// The compiled `behaviours.c`, in a temporary folder.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/launch/tests/behaviours.c");
    let program = tempfile::tempdir().unwrap().keep().join("behaviours");
    let run = Command::new("cc").args(["-w", "-pthread", "-o"]).args([&program, &sources]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    program
});

/// Runs a behaviour in its own process group, with limits of 200 MiB of memory and 400 MiB of files.
fn run(behaviour: &str) -> Watched {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM.as_path());
    let mut child = command.arg(behaviour).current_dir(folder.path()).process_group(0).spawn().unwrap();
    let disk = DiskWatch::start([folder.path()].into_iter(), 400 * MIB);
    let watch = Watch {
        memory: 200 * MIB,
        disk: &disk,
        wall: Duration::from_secs(20),
        folder: folder.path(),
        interrupted: &AtomicBool::new(false),
        sentry: None,
        on_progress: &|_| (),
    };
    let started = Instant::now();
    let watched = watch.until_the_end(&mut child).unwrap();
    processes::kill(child.id());
    let running = processes::members(child.id()).into_iter().filter_map(processes::memory_folder);
    assert_eq!(running.count(), 0, "{behaviour}");
    println!("{behaviour}: {:?}, peak {} MiB, {:?}", watched.stop, watched.peak / MIB, started.elapsed());
    watched
}

#[test]
fn the_processes_of_a_worker_share_its_memory_limit() {
    for behaviour in [
        "children",
        "memory-file",
        "mapped-memory-file",
        "own-descriptors",
        "shared-mapping",
        "shared-mapping-of-dead-children",
        "no-first-thread",
    ] {
        // Only root may look at a mapped file that no process has open.
        if behaviour == "shared-mapping-of-dead-children" && !geteuid().is_root() {
            continue;
        }
        let watched = run(behaviour);
        assert_eq!(watched.stop, Some(Stop::Memory), "{behaviour}");
        assert!(watched.peak > 200 * MIB, "{behaviour}: {}", watched.peak);
    }
}

#[test]
fn shared_pages_count_once() {
    for behaviour in ["fork-shares", "vfork", "shared-by-many"] {
        let watched = run(behaviour);
        assert_eq!(watched.stop, None, "{behaviour}");
        assert!((120 * MIB..140 * MIB).contains(&watched.peak), "{behaviour}: {}", watched.peak);
    }
}

#[test]
fn what_a_worker_writes_has_a_limit() {
    for behaviour in ["many-files", "deleted-file"] {
        assert_eq!(run(behaviour).stop, Some(Stop::Disk(Excess::Bytes)), "{behaviour}");
    }
}

#[test]
fn what_was_there_before_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("before"), vec![1; 8 << 20]).unwrap();
    let disk = DiskWatch::start([folder.path()].into_iter(), 4 * MIB);
    fs_err::write(folder.path().join("after"), vec![1; 2 << 20]).unwrap();
    assert_eq!(disk.end(), None);
    let disk = DiskWatch::start([folder.path()].into_iter(), 4 * MIB);
    fs_err::create_dir(folder.path().join("inner")).unwrap();
    fs_err::write(folder.path().join("inner/more"), vec![1; 5 << 20]).unwrap();
    assert_eq!(disk.end(), Some(Excess::Bytes));
}

#[test]
fn pages_of_files_that_have_a_name_are_not_the_limits() {
    assert_eq!(run("named-file").stop, None);
}
