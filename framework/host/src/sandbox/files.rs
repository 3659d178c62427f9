//! Landlock: the files and folders that a worker may read and write.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
    path_beneath_rules,
};

use super::{DEVICES, Envelope, SYSTEM_FOLDERS, device};

/// What the kernel enforces.
pub(super) struct Files {
    /// Whether it enforces anything.
    pub(super) enforced: bool,
    /// Whether signals to processes outside are refused.
    pub(super) scoped: bool,
}

/// Leaves the worker its job folder, `envelope.writable`, `envelope.readable`, its device and the system's
/// libraries; no network.
pub(super) fn restrict(
    envelope: &Envelope,
    job_folder: &Path,
    namespaces: &Result<(), String>,
) -> Result<Files, String> {
    // The newest rules that the crate knows; the kernel applies those that it supports.
    let abi = ABI::V6;
    let failed = |error: landlock::RulesetError| format!("landlock: {error}");
    let root = Path::new("/");
    let described = device::device_readable(&envelope.device, root);
    let named = device::device_threads(&envelope.device, root);
    let computing = device::device_files(&envelope.device, root);
    // With namespaces, /dev/shm is the worker's own, and /proc has its own processes only, unless a driver needs
    // more.
    let shared: &[&str] = if namespaces.is_ok() { &["/dev/shm"] } else { &[] };
    let alone = namespaces.is_ok() && described.is_empty();
    let processes = if alone { "/proc" } else { "/proc/self" };
    // A device node is a way around all this, for root.
    let anything = AccessFs::from_all(abi) & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSock);
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(abi)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(|ruleset| {
            let system = SYSTEM_FOLDERS.iter().map(Path::new).chain([Path::new(processes)]);
            let readable = system.chain(envelope.readable.iter().chain(&described).map(AsRef::as_ref));
            ruleset.add_rules(path_beneath_rules(readable, AccessFs::from_read(abi)))
        })
        .and_then(|ruleset| {
            let writable = AccessFs::ReadFile | AccessFs::WriteFile;
            ruleset.add_rules(path_beneath_rules(DEVICES, writable))
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
            ruleset.add_rules(path_beneath_rules(writable.chain(shared.iter().map(Path::new)), anything))
        })
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(failed)?;
    // The versions of the interface only grow.
    let scoped = ruleset.ruleset == RulesetStatus::FullyEnforced;
    Ok(Files { enforced: ruleset.ruleset != RulesetStatus::NotEnforced, scoped })
}
