//! What a worker needs of the system to compute on a device.
//!
//! `cpu` and `libtorch` need nothing. `cuda:N` and `libtorch-cuda:N` need the files of the NVIDIA driver:
//! those that its container toolkit passes to a container (the device nodes of `nvidia-container-cli`;
//! capabilities are in `/dev/nvidia-caps`), but of the cards only the one with that number.
//!
//! Measured under Landlock on an H100 with driver 580 and `PyTorch` 2.11: `cuInit` needs `nvidiactl`,
//! `nvidia-uvm`, the card, and permission to name its threads; without the last it fails with "OS call
//! failed" (304). It starts without the readable folders; the driver looks up the card's address on the bus
//! there.

use std::path::{Path, PathBuf};

/// Files of the driver that do not belong to one card.
const SHARED: [&str; 4] = ["dev/nvidiactl", "dev/nvidia-uvm", "dev/nvidia-uvm-tools", "dev/nvidia-caps"];
/// What the driver reads about the machine. `proc/devices` has the numbers of its device nodes.
const READ: [&str; 6] = [
    "proc/driver/nvidia",
    "proc/devices",
    "proc/cpuinfo",
    "proc/sys/vm/mmap_min_addr",
    "sys/bus/pci",
    "sys/devices",
];
/// The threads of this process, each with a file for its name.
const THREADS: &str = "proc/self/task";

/// The number of the card, if the device is one.
fn card(device: &str) -> Option<u32> {
    let number = device.strip_prefix("cuda:").or_else(|| device.strip_prefix("libtorch-cuda:"))?;
    // `parse` would accept `+1`, too.
    number.bytes().all(|digit| digit.is_ascii_digit()).then(|| number.parse().ok())?
}

/// The existing files and folders below `root` that a worker reads, writes and controls (`ioctl`) to use the
/// device. `root` is `/` except in tests.
pub fn device_files(device: &str, root: &Path) -> Vec<PathBuf> {
    let Some(card) = card(device) else { return Vec::new() };
    let files = SHARED.iter().map(|file| root.join(file)).chain([root.join(format!("dev/nvidia{card}"))]);
    files.filter(|file| file.exists()).collect()
}

/// The existing files and folders below `root` that a worker reads to use the device.
pub fn device_readable(device: &str, root: &Path) -> Vec<PathBuf> {
    let files = READ.iter().map(|file| root.join(file)).filter(|file| file.exists());
    files.filter(|_| card(device).is_some()).collect()
}

/// The folder of the process's own threads, if the driver has to name them.
pub fn device_threads(device: &str, root: &Path) -> Option<PathBuf> {
    card(device).map(|_| root.join(THREADS))
}

/// Whether the device's driver reserves far more memory than it uses.
pub fn reserves_memory(device: &str) -> bool {
    card(device).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in ["dev/nvidia-caps", "proc/driver/nvidia", "sys/devices"] {
            fs_err::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in ["nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1", "nvidia10", "sda"] {
            fs_err::write(root.path().join("dev").join(file), "").unwrap();
        }
        root
    }

    #[test]
    fn a_card_is_its_own_file_and_those_of_the_driver() {
        let root = root();
        for device in ["cuda:1", "libtorch-cuda:1"] {
            let files = device_files(device, root.path());
            let names: Vec<_> =
                files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
            assert_eq!(names, ["nvidiactl", "nvidia-uvm", "nvidia-caps", "nvidia1"]);
            let read = device_readable(device, root.path());
            assert_eq!(read, ["proc/driver/nvidia", "sys/devices"].map(|name| root.path().join(name)));
            assert!(device_threads(device, root.path()).is_some() && reserves_memory(device));
        }
    }

    #[test]
    fn other_devices_need_nothing() {
        let root = root();
        for device in ["cpu", "libtorch", "cuda", "cuda:", "cuda:x", "cuda:+1", "cuda:1/../sda", ""] {
            assert!(device_files(device, root.path()).is_empty(), "{device}");
            assert!(device_readable(device, root.path()).is_empty(), "{device}");
            assert!(device_threads(device, root.path()).is_none() && !reserves_memory(device));
        }
    }
}
