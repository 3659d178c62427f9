//! What a component leaves behind.

use std::{collections::BTreeSet, path::PathBuf};

use super::{SETTLING, Subject, Verdict, failed, once};

/// Names in a message.
const NAMED: usize = 3;

/// What is there outside of the component.
struct Here {
    /// Processes by number.
    processes: BTreeSet<u32>,
    /// Entries of the working folder, which is also the folder for temporary files.
    entries: BTreeSet<PathBuf>,
    working_folder: Option<PathBuf>,
}

impl Here {
    fn look() -> Self {
        let entries = |folder: PathBuf| {
            let found = fs_err::read_dir(folder).into_iter().flatten();
            found.filter_map(|entry| Some(entry.ok()?.path()))
        };
        let number = |path: PathBuf| path.file_name()?.to_str()?.parse().ok();
        let working_folder = std::env::current_dir().ok();
        Self {
            processes: entries("/proc".into()).filter_map(number).filter(|&number| runs(number)).collect(),
            entries: working_folder.clone().into_iter().flat_map(entries).collect(),
            working_folder,
        }
    }
}

/// Whether a process has not ended; one that nobody waited for is a zombie.
fn runs(number: u32) -> bool {
    let status = fs_err::read_to_string(format!("/proc/{number}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let (count, names): (usize, Vec<String>) = (names.len(), names.take(NAMED).collect());
    let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

pub(super) fn remains(subject: &Subject<'_>) -> Verdict {
    let before = Here::look();
    if let Err(why) = once(subject) {
        return why;
    }
    std::thread::sleep(SETTLING);
    let after = Here::look();
    let left: Vec<&u32> = after.processes.difference(&before.processes).collect();
    if !left.is_empty() {
        let name = |number: &&u32| {
            let name = fs_err::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default();
            format!("{number} ({})", name.trim())
        };
        let names = listed(left.iter().map(name));
        return failed(format!(
            "processes that it started still run: {names}; end them, and wait for them, before the call returns"
        ));
    }
    if before.working_folder != after.working_folder {
        return failed("it changed the working folder of its process, which others use");
    }
    let left: Vec<&PathBuf> = after.entries.difference(&before.entries).collect();
    if left.is_empty() {
        return Verdict::Passed;
    }
    let name = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("`{name}`")
    };
    let names = listed(left.iter().map(name));
    Verdict::Warning(format!(
        "it left {names} in its working folder, where temporary files go, too; remove what no later call needs, and keep checkpoints in the call's folder"
    ))
}
