use std::path::{Path, PathBuf};

use object_store::{ObjectStoreExt, memory::InMemory};

use super::*;
use crate::store::{Artifact, Store, Verified, tests::step};

/// A store with the records of the committed board `quick`.
fn quick(folder: &Path) -> Store {
    let leaderboards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../leaderboards");
    let name = fs_err::read_to_string(leaderboards.join("boards/quick.store")).unwrap();
    let store = Store::create(folder).unwrap();
    store.unpack(&leaderboards.join("stores").join(name.trim())).unwrap();
    store
}

fn sha256_of(store: &Store) -> String {
    let folder = tempfile::tempdir().unwrap();
    store.pack(folder.path()).unwrap().sha256
}

fn memory() -> Remote {
    Remote {
        url: "memory://arena".into(),
        objects: Arc::new(InMemory::new()),
        prefix: ObjectPath::from("of/a store"),
        conditional: Cell::new(true),
    }
}

fn url(folder: &Path) -> String {
    format!("file://{}/", folder.display())
}

fn push(store: &Store, remote: &Remote) -> Result<Pushed> {
    store.push_to(remote, Watch { interrupted: &AtomicBool::new(false), tell: &mut |_| {} })
}

fn pull(store: &Store, remote: &Remote) -> Result<Pulled> {
    store.pull_from(remote, Watch { interrupted: &AtomicBool::new(false), tell: &mut |_| {} })
}

/// Writes an object whatever is there.
fn place(remote: &Remote, place: &str, bytes: &[u8]) {
    let written = async {
        remote.objects.put(&remote.location(place), bytes.to_vec().into()).await.unwrap();
        Ok(())
    };
    block_on(written).unwrap();
}

fn bytes(remote: &Remote, place: &str) -> Vec<u8> {
    block_on(async {
        Ok(remote.objects.get(&remote.location(place)).await.unwrap().bytes().await.unwrap().to_vec())
    })
    .unwrap()
}

fn places(remote: &Remote) -> Vec<String> {
    block_on(remote.list(&AtomicBool::new(false))).unwrap().into_keys().collect()
}

#[test]
fn a_store_comes_back_as_it_was_and_a_second_transfer_moves_nothing() {
    let [one, other, bucket] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let store = quick(one.path());
    let files = Remote::open(&url(&bucket.path().join("new/folder")), Access::Write).unwrap();
    for remote in [memory(), files] {
        let pushed = push(&store, &remote).unwrap();
        let objects = pushed.cells + pushed.steps + pushed.artifacts;
        assert!(pushed.cells > 10 && pushed.artifacts > 10 && pushed.known == 0, "{pushed:?}");
        assert_eq!(places(&remote).len(), objects);
        assert_eq!(push(&store, &remote).unwrap(), Pushed { known: objects, ..Pushed::default() });
        let copy =
            Store::create(&other.path().join(if remote.prefix.as_ref().is_empty() { "a" } else { "b" }));
        let copy = copy.unwrap();
        let pulled = pull(&copy, &remote).unwrap();
        assert_eq!((pulled.merged.cells, pulled.merged.steps), (pushed.cells, pushed.steps));
        assert_eq!((pulled.artifacts, pulled.refused.len()), (pushed.artifacts, 0));
        assert_eq!((pulled.merged.known, copy.warnings().len()), (0, 0), "{:?}", copy.warnings());
        assert_eq!(sha256_of(&copy), sha256_of(&store));
        assert_eq!(copy.verify().unwrap(), store.verify().unwrap());
        let again = pull(&copy, &remote).unwrap();
        assert_eq!((again.artifacts, again.merged.cells, again.merged.steps), (0, 0, 0));
        assert_eq!(again.merged.known, pushed.cells + pushed.steps);
        assert_eq!(fs_err::read_dir(copy.work_dir()).unwrap().count(), 1, "only the lock");
    }
}

#[test]
fn what_is_there_stays_whether_or_not_the_server_knows_such_writes() {
    for conditional in [true, false] {
        let remote = memory();
        remote.conditional.set(conditional);
        let create = |text: &'static str| {
            block_on(remote.create("records/ab/x.json", text.into(), &AtomicBool::new(false))).unwrap()
        };
        assert_eq!((create("first"), create("second")), (Some(5), None));
        assert_eq!(bytes(&remote, "records/ab/x.json"), b"first");
    }
}

#[test]
fn what_does_not_fit_its_name_is_refused_with_what_names_it() {
    let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (store, remote) = (quick(one.path()), memory());
    let pushed = push(&store, &remote).unwrap();
    let record = store.records().unwrap().into_iter().next_back().unwrap();
    let of_record = store.step(&record.fit_key).unwrap().unwrap();
    let artifact = place_of_artifact(of_record.sha256_of("test.npy").unwrap());
    let mut tampered = bytes(&remote, &artifact);
    *tampered.last_mut().unwrap() ^= 1;
    place(&remote, &artifact, &tampered);
    let sharing: Vec<String> = store
        .records()
        .unwrap()
        .into_iter()
        .filter(|found| {
            store.step(&found.fit_key).unwrap().unwrap().sha256_of("test.npy")
                == of_record.sha256_of("test.npy")
        })
        .map(|found| found.key)
        .collect();
    // A record that says something else, one under the key of another, and one of a later version.
    let sound = |key: &String| !sharing.contains(key);
    let keys: Vec<String> =
        store.records().unwrap().into_iter().map(|found| found.key).filter(sound).collect();
    let of = |key: &str| place_of_record("records", key);
    let text = |key: &str| String::from_utf8(bytes(&remote, &of(key))).unwrap();
    let changed = text(&keys[0]).replacen("\"method\": \"", "\"method\": \"my-", 1);
    let (swapped, later) = (text(&keys[2]), text(&keys[3]).replace("molarena.record/1", "molarena.record/9"));
    for (key, text) in [(&keys[0], changed), (&keys[1], swapped), (&keys[3], later)] {
        place(&remote, &of(key), text.as_bytes());
    }
    // A step whose file leads out of the store.
    let mut leading = step(7);
    let molarena_record::step::StepOutcome::Made { files } = &mut leading.outcome else { unreachable!() };
    files.insert("test.npy".into(), "../../../../etc/passwd".into());
    place(
        &remote,
        &place_of_record("steps", &leading.key),
        serde_json::to_string(&leading).unwrap().as_bytes(),
    );
    // Names that no store has.
    let key = "ab".repeat(32);
    for name in [
        "index.html",
        "work/run-1/lock",
        &format!("records/cd/{key}.json"),
        &format!("artifacts/ab/{key}.npy"),
    ] {
        place(&remote, name, b"other");
    }
    let copy = Store::create(other.path()).unwrap();
    let pulled = pull(&copy, &remote).unwrap();
    let refused = pulled.refused.join("\n");
    assert!(
        refused.contains(&format!("memory://arena/{artifact}: its bytes have another sha256")),
        "{refused}"
    );
    for key in &sharing {
        assert!(refused.contains(&format!("records/{}/{key}.json: its step", &key[..2])), "{refused}");
    }
    for (key, why) in [
        (&keys[0], "its content does not have the key"),
        (&keys[1], "it is the record of another key"),
        (&keys[3], "a later version wrote it"),
    ] {
        assert!(
            refused.contains(&format!("memory://arena/{}: ", of(key))) && refused.contains(why),
            "{refused}"
        );
    }
    assert!(refused.contains("artifacts/…/../../../../etc/passwd cannot be had"), "{refused}");
    assert!(!refused.contains("pull-"), "no path of the temporary folder: {refused}");
    assert_eq!(copy.warnings().len(), 4, "{:?}", copy.warnings());
    assert_eq!(pulled.merged.cells, pushed.cells - 3 - sharing.len());
    assert_eq!(copy.verify().unwrap().problems, [""; 0]);
    // The owner is told of an object that has become shorter.
    place(&remote, &artifact, b"short");
    push(&store, &remote).unwrap();
    assert!(store.warnings()[0].contains("it has 5 bytes and should have"), "{:?}", store.warnings());
}

#[test]
fn large_files_go_in_parts_and_damaged_ones_not_at_all() {
    let [one, other, bucket] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let store = Store::create(one.path()).unwrap();
    let large: Vec<u8> = (0..(17u32 << 20)).map(|index| (index % 251) as u8).collect();
    let stored = store.put_step(&step(1), [("state", Artifact::Bytes(large.clone()))].into()).unwrap();
    let remote = Remote::open(&url(bucket.path()), Access::Write).unwrap();
    let path = store.artifact(&stored, "state").unwrap();
    fs_err::write(&path, vec![0; large.len()]).unwrap();
    let error = push(&store, &remote).unwrap_err().to_string();
    assert!(error.contains("these are not the bytes of `state`"), "{error}");
    assert_eq!(places(&remote), [""; 0], "neither the file nor a record that names it");
    fs_err::write(&path, &large).unwrap();
    assert_eq!(
        push(&store, &remote).unwrap(),
        Pushed {
            steps: 1,
            artifacts: 1,
            bytes: bytes(&remote, &place_of_record("steps", &stored.key)).len() as u64 + large.len() as u64,
            ..Pushed::default()
        }
    );
    let copy = Store::create(other.path()).unwrap();
    pull(&copy, &remote).unwrap();
    assert_eq!(copy.read_artifact(&stored, "state").unwrap(), large);
    assert_eq!(copy.verify().unwrap(), Verified { steps: 1, artifacts: 1, ..Verified::default() });
}

#[test]
fn an_interrupted_transfer_goes_on_where_it_stopped() {
    let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (store, remote) = (quick(one.path()), memory());
    let after_three = |interrupted: &AtomicBool, progress: TransferProgress| {
        interrupted.fetch_or(progress.what == "files" && progress.done >= 3, Ordering::Relaxed);
    };
    let interrupted = AtomicBool::new(false);
    let mut tell = |progress| after_three(&interrupted, progress);
    let stopped = store.push_to(&remote, Watch { interrupted: &interrupted, tell: &mut tell });
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    let before = places(&remote);
    assert!(before.len() >= 3 && before.iter().all(|place| place.starts_with("artifacts/")), "{before:?}");
    let pushed = push(&store, &remote).unwrap();
    assert_eq!(pushed.known, before.len());

    let copy = Store::create(other.path()).unwrap();
    let interrupted = AtomicBool::new(false);
    let mut tell = |progress| after_three(&interrupted, progress);
    let stopped = copy.pull_from(&remote, Watch { interrupted: &interrupted, tell: &mut tell });
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    let here = crate::store::manage::files(&copy.root().join("artifacts")).unwrap().len();
    assert!(here >= 3 && copy.records().unwrap().is_empty());
    let pulled = pull(&copy, &remote).unwrap();
    assert_eq!(pulled.artifacts, pushed.artifacts + before.len() - here);
    assert_eq!(sha256_of(&copy), sha256_of(&store));
}

#[test]
fn wrong_places_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let nowhere: PathBuf = folder.path().join("nowhere");
    for (place, why) in [
        ("bucket/arena", "name a place such as s3://BUCKET/FOLDER"),
        ("gs://bucket/arena", "unknown scheme `gs`; known are s3 and file"),
        ("s3://bucket/arena?region=x", "a place has no ?"),
        ("s3://key:secret@bucket/arena", "s3://: a URL has no credentials"),
        ("file://arena", "begins with three slashes"),
        (&url(&nowhere), "there is no such folder"),
        (&url(&folder.path().join("jobs")), "there is no such folder"),
        (&url(&folder.path().join("cache")), "there is no store"),
    ] {
        let watch = Watch { interrupted: &AtomicBool::new(false), tell: &mut |_| {} };
        let error = store.pull(place, watch).unwrap_err().to_string();
        assert!(error.contains(why) && !error.contains("secret"), "{error}");
    }
}

#[test]
fn places_are_those_of_a_store() {
    let key = "ab".repeat(32);
    let good =
        [format!("artifacts/ab/{key}"), format!("steps/ab/{key}.json"), format!("matches/ab/{key}.json")];
    for place in &good {
        assert_eq!(parts_of(place).unwrap().1, key, "{place}");
    }
    let upper = key.to_uppercase();
    for place in [
        format!("artifacts/ab/{key}.json"),
        format!("records/ab/{key}"),
        format!("records/AB/{upper}.json"),
        format!("records/{key}.json"),
        format!("records/ab/{key}.json/x"),
        format!("cache/ab/{key}.json"),
        format!("records/ab/../{key}.json"),
        "records/ab/.json".into(),
        String::new(),
    ] {
        assert_eq!(parts_of(&place), None, "{place}");
    }
    assert_eq!(shortened(&format!("one\n  two {}", "é".repeat(600))).chars().count(), LONGEST + 1);
}
