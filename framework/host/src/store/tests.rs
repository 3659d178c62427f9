use molarena_record::{
    key::key_of,
    parts::Cost,
    step::{Kind, STEP_SCHEMA, StepOutcome, StepRecord},
};
use serde_json::json;

use super::*;
use crate::files::npy::to_npy;

fn made(values: &[f32]) -> Made {
    [("test.npy", Artifact::Bytes(to_npy(values.len(), 1, values.to_vec())))].into()
}

pub(super) fn step(seed: u64) -> StepRecord {
    let of = json!({"seed": seed});
    StepRecord {
        schema: STEP_SCHEMA.into(),
        key: key_of(&of),
        kind: Kind::Fit,
        of,
        outcome: StepOutcome::Made { files: std::collections::BTreeMap::new() },
        search: None,
        corpus: None,
        libraries: std::collections::BTreeMap::new(),
        confined: true,
        missing_layers: Vec::new(),
        device: None,
        finished: None,
        cost: Cost::default(),
    }
}

#[test]
fn the_first_writer_wins_and_nothing_is_left_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    store.put_step(&step(1), made(&[0.25, 0.5])).unwrap();
    let second = store.put_step(&step(1), made(&[0.75, 1.0])).unwrap();
    let stored = store.step(&step(1).key).unwrap().unwrap();
    assert_eq!(second, stored, "the second writer learns what counts");
    assert_eq!(store.matrix(&stored, "test.npy").unwrap(), (2, 1, vec![0.25, 0.5]));
    assert_eq!(fs_err::read_dir(store.work_dir()).unwrap().count(), 1, "only the lock");
    assert_eq!(store.step(&step(2).key).unwrap(), None);
}

#[test]
fn what_a_killed_process_left_is_removed_and_what_a_live_one_has_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let alive = Store::create(folder.path()).unwrap();
    let left = folder.path().join("work/run-killed");
    fs_err::create_dir_all(left.join("job-1")).unwrap();
    fs_err::write(left.join("lock"), "").unwrap();
    let other = Store::create(folder.path()).unwrap();
    assert!(!left.exists());
    assert!(alive.work_dir().exists() && other.work_dir().exists());
    drop((alive, other));
    assert_eq!(fs_err::read_dir(folder.path().join("work")).unwrap().count(), 0);
}

#[test]
fn any_opening_removes_what_a_killed_process_left_and_trusts_no_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    drop(Store::create(folder.path()).unwrap());
    let work = folder.path().join("work");
    // Killed as it removed its folder: the lock goes last, so that this does not happen without it.
    let left = work.join("run-killed");
    fs_err::create_dir_all(left.join("job-1/closed")).unwrap();
    fs_err::write(left.join("job-1/train-labels.npy"), "labels").unwrap();
    fs_err::set_permissions(left.join("job-1"), PermissionsExt::from_mode(0o000)).unwrap();
    fs_err::write(left.join("lock"), "").unwrap();
    let precious = tempfile::tempdir().unwrap();
    fs_err::write(precious.path().join("lock"), "").unwrap();
    symlink(precious.path(), work.join("run-link")).unwrap();
    let waiting = work.join("run-fifo");
    fs_err::create_dir(&waiting).unwrap();
    nix::unistd::mkfifo(&waiting.join("lock"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _read_only = Store::open(folder.path()).unwrap();
    assert!(!left.exists() && precious.path().join("lock").exists() && waiting.exists());
    let new = work.join("run-new");
    fs_err::create_dir(&new).unwrap();
    let _store = Store::create(folder.path()).unwrap();
    assert!(new.exists(), "its process has not made the lock yet");
}

#[test]
fn swapped_artifacts_and_wrong_keys_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let stored = store.put_step(&step(1), made(&[0.25])).unwrap();
    let other = store.put_step(&step(2), made(&[0.5])).unwrap();
    assert_eq!(store.verify().unwrap(), Verified { steps: 2, artifacts: 2, ..Verified::default() });
    let path = |step: &StepRecord| store.artifact_path(step.sha256_of("test.npy").unwrap());
    fs_err::copy(path(&other), path(&stored)).unwrap();
    let error = store.matrix(&stored, "test.npy").unwrap_err().to_string();
    assert!(error.contains("not the bytes of `test.npy`"), "{error}");
    fs_err::rename(store.step_path(&other.key), store.step_path(&stored.key)).unwrap();
    assert_eq!(store.step(&stored.key).unwrap(), None, "the record of another key is none");
    assert!(store.warnings()[0].contains("it is the record of another key"), "{:?}", store.warnings());
    let problems = store.verify().unwrap().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    // The damaged record is set aside, and the step is made again.
    let again = store.put_step(&step(1), made(&[0.125])).unwrap();
    assert_eq!(store.matrix(&again, "test.npy").unwrap().2, [0.125]);
}

#[test]
fn a_damaged_artifact_is_replaced_when_it_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let file = folder.path().join("of-a-worker.npy");
    fs_err::write(&file, to_npy(1, 1, vec![0.25])).unwrap();
    let stored = store.put_step(&step(1), made(&[0.25])).unwrap();
    let path = store.artifact_path(stored.sha256_of("test.npy").unwrap());
    for (seed, artifact) in
        [(2, Artifact::File(file, 1 << 20)), (3, Artifact::Bytes(to_npy(1, 1, vec![0.25])))]
    {
        fs_err::write(&path, "damaged").unwrap();
        let again = store.put_step(&step(seed), [("test.npy", artifact)].into()).unwrap();
        assert_eq!(store.matrix(&again, "test.npy").unwrap().2, [0.25]);
    }
    assert_eq!(store.matrix(&stored, "test.npy").unwrap().2, [0.25]);
}

#[test]
fn changed_content_and_later_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let stored = store.put_step(&step(1), made(&[0.25])).unwrap();
    let path = store.step_path(&stored.key);
    let text = fs_err::read_to_string(&path).unwrap();
    fs_err::write(&path, text.replace("\"seed\": 1", "\"seed\": 7")).unwrap();
    assert_eq!(store.step(&stored.key).unwrap(), None);
    fs_err::write(&path, text.replace("molarena.step/1", "molarena.step/2")).unwrap();
    let error = store.step(&stored.key).unwrap_err().to_string();
    assert!(error.contains("a later version wrote it; update molarena"), "{error}");
    fs_err::write(&path, text.replace("\"kind\"", "\"unknown\": [1], \"kind\"")).unwrap();
    assert_eq!(store.step(&stored.key).unwrap().as_ref(), Some(&stored), "unknown members are ignored");
    assert!(Store::open(&folder.path().join("none")).is_err());
}

#[test]
fn jobs_open_a_copy_of_a_folder_with_a_library_and_a_command_in_place() {
    let (place, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (plugin, store) = (place.path().join("mine"), Store::create(folder.path()).unwrap());
    fs_err::create_dir(&plugin).unwrap();
    let head = "schema = 'molarena.plugin/1'\nid = 'mine'\nversion = '0.1.0'\nlicence = 'MIT'\n";
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let write = |name: &str, text: &str| fs_err::write(plugin.join(name), text).unwrap();
    write("plugin.toml", &format!("{head}library = {{ {platform} = 'x.so' }}\n"));
    write("x.so", "one");
    write("README.md", "no part of it");
    let sha256 = || PluginManifest::read(&plugin).unwrap().sha256().unwrap();
    let first = sha256();
    let copy = store.library(&plugin, &first).unwrap();
    assert!(copy.starts_with(store.root()) && !copy.join("README.md").exists());
    assert_eq!(fs_err::read_to_string(copy.join("x.so")).unwrap(), "one");
    // The plan saw the first library.
    write("x.so", "two");
    assert_eq!(store.library(&plugin, &first).unwrap(), copy);
    // A removal of caches was killed.
    fs_err::remove_file(copy.join("x.so")).unwrap();
    let error = store.library(&plugin, &first).unwrap_err().to_string();
    assert!(error.contains("were changed while it was in use"), "{error}");
    write("x.so", "one");
    assert_eq!(store.library(&plugin, &first).unwrap(), copy);
    assert!(copy.join("x.so").is_file());
    assert_eq!(fs_err::read_dir(store.work_dir()).unwrap().count(), 1, "only the lock");

    write("plugin.toml", &format!("{head}command = ['x']\n"));
    assert_eq!(store.library(&plugin, &sha256()).unwrap(), plugin);
    assert!(store.library(&plugin, &first).is_ok(), "what an earlier plan saw is still there");
}
