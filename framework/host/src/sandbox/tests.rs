//! Tests of confinement and limits, each in its own process: the test program starts itself. With namespaces,
//! what comes after [`confine`] runs in a child that has nothing of the test program but this one thread, so it
//! says itself when it is through.

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::sandbox::{Envelope, confine};

const JOB_FOLDER: &str = "MOLARENA_TEST_JOB_FOLDER";
const DEVICE: &str = "MOLARENA_TEST_DEVICE";
const THROUGH: &str = "all of it holds";

/// Runs the ignored test `name` in its own process, with a job folder and a device.
fn run(name: &str, device: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("sandbox::tests::{name}");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &name, "--ignored", "--nocapture"]).current_dir(folder.path());
    let output = command.env(JOB_FOLDER, folder.path()).env(DEVICE, device).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains(THROUGH), "{text}");
    folder
}

fn job_folder() -> PathBuf {
    std::env::var_os(JOB_FOLDER).expect("started by `run`").into()
}

fn envelope() -> Envelope {
    Envelope { disk: 1 << 20, device: std::env::var(DEVICE).unwrap(), ..Envelope::default() }
}

#[test]
fn a_write_beyond_the_disk_limit_fails() {
    let folder = run("writes_beyond_the_limit", "cpu");
    assert_eq!(fs_err::metadata(folder.path().join("big")).unwrap().len(), 1 << 20);
}

#[test]
#[ignore = "limits its process; started by another test"]
fn writes_beyond_the_limit() {
    confine(&Envelope { confine: false, ..envelope() }, &job_folder()).unwrap();
    let mut file = fs_err::File::create(job_folder().join("big")).unwrap();
    file.write_all(&vec![1; 1 << 20]).unwrap();
    assert_eq!(file.write(&[1]).unwrap_err().kind(), ErrorKind::FileTooLarge);
    eprintln!("{THROUGH}");
}

#[test]
fn a_confined_process_has_its_device() {
    for device in ["cpu", "cuda:0"] {
        run("uses_the_device", device);
    }
}

#[test]
#[ignore = "confines its process; started by another test"]
fn uses_the_device() {
    let envelope = envelope();
    let cuda = envelope.device != "cpu";
    let confinement = confine(&envelope, &job_folder()).unwrap();
    let data = getrlimit(Resource::RLIMIT_DATA).unwrap().0;
    assert_eq!(data, if cuda { RLIM_INFINITY } else { envelope.memory });
    if !confinement.confined {
        return eprintln!("{THROUGH}");
    }
    // Nobody answers here.
    drop(confinement.listener);
    // The driver names its threads, and reads where its cards are.
    let thread = nix::unistd::gettid();
    let named = fs_err::write(format!("/proc/self/task/{thread}/comm"), "named");
    assert_eq!(named.is_ok(), cuda, "{named:?}");
    assert_eq!(fs_err::read_dir("/sys/devices").is_ok(), cuda);
    assert!(fs_err::read_dir("/sys/kernel").is_err());
    assert!(fs_err::read_dir("/dev").is_err());
    // Device files, if this machine has them; those of another card stay closed.
    for (file, open) in [("/dev/nvidiactl", cuda), ("/dev/nvidia0", cuda), ("/dev/nvidia1", false)] {
        if std::fs::symlink_metadata(Path::new(file)).is_ok() {
            let opened = fs_err::OpenOptions::new().read(true).write(true).open(file);
            assert_eq!(opened.is_ok(), open, "{file}: {opened:?}");
        }
    }
    // Open files and mappings stay visible to the host.
    assert!(nix::sys::prctl::set_dumpable(false).is_err());
    eprintln!("{THROUGH}");
}
