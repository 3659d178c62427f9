//! `molarena store pull`

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::Path,
    sync::atomic::AtomicBool,
};

use futures_util::StreamExt;
use molarena_data::Hasher;
use molarena_record::step::StepOutcome;
use object_store::ObjectStoreExt;

use super::{
    Access, Remote, TransferProgress, Watch, block_on, each, is_sha256, parts_of, place_of_artifact,
    place_of_record, unless,
};
use crate::{
    error::{Error, Result},
    files::{folder::Temporary, plain::hash_stored},
    store::{Merged, Store, pack::MOST, persist, read::Found, remove},
};

/// Most bytes of a record.
const MOST_OF_RECORD: u64 = 64 << 20;
/// How many names that no store has are told one by one.
const NAMED: usize = 10;

/// What was downloaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// What was added to the store.
    pub merged: Merged,
    /// Files of steps that were downloaded.
    pub artifacts: usize,
    /// Bytes of everything that was downloaded.
    pub bytes: u64,
    /// Objects that were refused and what was left out because of them: name and reason, one line each.
    pub refused: Vec<String>,
}

/// A download that is under way: records go into a store of their own, and from there, checked, into the user's.
struct Download<'a> {
    remote: &'a Remote,
    there: BTreeMap<String, u64>,
    interrupted: &'a AtomicBool,
    bytes: Cell<u64>,
    artifacts: Cell<usize>,
    refused: RefCell<BTreeSet<String>>,
}

impl Store {
    /// Adds the records and steps below `url`, with what the steps made, as [`merge`](Self::merge) does. What has other bytes
    /// than its name says, and what names such a file, is refused; the rest is added.
    ///
    /// # Errors
    /// As [`push`](Self::push), and [`Error::NothingSelected`] if there is no store below `url`. What was downloaded before
    /// stays.
    pub fn pull(&self, url: &str, watch: Watch<'_>) -> Result<Pulled> {
        self.pull_from(&Remote::open(url, Access::Read)?, watch)
    }

    pub(super) fn pull_from(&self, remote: &Remote, watch: Watch<'_>) -> Result<Pulled> {
        block_on(async {
            let Watch { interrupted, tell } = watch;
            let there = remote.list(interrupted).await?;
            self.warn_of_others(remote, &there);
            let mut download = Download::of(remote, there, interrupted);
            let folder = Temporary::make("pull-", &self.work_dir())?;
            fs_err::create_dir_all(folder.path().join("records"))?;
            let known = download.records(self, folder.path(), tell).await?;
            let other = Self::open(folder.path())?;
            let named = |text: &str| text.replace(&other.root().display().to_string(), &remote.url);
            let needed = download.needed(self, &other, &named)?;
            download.files(self, needed.keys().cloned().collect(), tell).await?;
            let steps = download.without_files(self, &other, needed)?;
            download.without_steps(self, &other, &steps)?;
            let merged = self.merge_taking(&other, &|step, name| self.artifact(step, name).map(drop))?;
            download.refused.get_mut().extend(other.warnings().iter().map(|warning| named(warning)));
            let Download { bytes, artifacts, refused, .. } = download;
            Ok(Pulled {
                merged: Merged { known: merged.known + known, ..merged },
                artifacts: artifacts.get(),
                bytes: bytes.get(),
                refused: refused.into_inner().into_iter().collect(),
            })
        })
    }

    /// Warns of objects whose names no store has.
    fn warn_of_others(&self, remote: &Remote, there: &BTreeMap<String, u64>) {
        let others: Vec<&String> = there.keys().filter(|place| parts_of(place).is_none()).collect();
        for place in others.iter().take(NAMED) {
            self.warn(format!("{}/{place}: a store has no such file; it is left out", remote.url));
        }
        if others.len() > NAMED {
            self.warn(format!("{}: {} more objects are left out", remote.url, others.len() - NAMED));
        }
    }
}

impl<'a> Download<'a> {
    fn of(remote: &'a Remote, there: BTreeMap<String, u64>, interrupted: &'a AtomicBool) -> Self {
        Self {
            remote,
            there,
            interrupted,
            bytes: Cell::new(0),
            artifacts: Cell::new(0),
            refused: RefCell::default(),
        }
    }

    fn refuse(&self, place: &str, why: &str) {
        self.refused.borrow_mut().insert(format!("{}/{place}: {why}", self.remote.url));
    }

    /// Downloads the records into `folder`, without those of steps that `store` has; gives the number of these.
    async fn records(
        &self,
        store: &Store,
        folder: &Path,
        tell: &mut dyn FnMut(TransferProgress),
    ) -> Result<usize> {
        let (mut wanted, mut known, mut places) = (Vec::new(), 0, 0);
        for place in self.there.keys() {
            let Some((kind, key)) = parts_of(place) else { continue };
            places += 1;
            match kind {
                "artifacts" => {}
                "steps" if store.step(key)?.is_some() => known += 1,
                _ => wanted.push(place.clone()),
            }
        }
        if places == 0 {
            return Err(Error::NothingSelected(format!("{}: there is no store", self.remote.url)));
        }
        let total = wanted.len();
        each(
            wanted,
            |done| tell(TransferProgress { what: "records", done, total }),
            async |place: String| {
                let mut text = Vec::new();
                match self.fetch(&place, MOST_OF_RECORD, &mut text).await? {
                    Ok(_) => {
                        let path = folder.join(&place);
                        fs_err::create_dir_all(path.parent().expect("it has three parts"))?;
                        fs_err::write(path, text)?;
                    }
                    Err(why) => self.refuse(&place, &why),
                }
                Ok(())
            },
        )
        .await?;
        Ok(known)
    }

    /// The files that the downloaded steps name and `store` does not have, with the steps that need each. A step that cannot
    /// be read is refused.
    fn needed(
        &self,
        store: &Store,
        other: &Store,
        named: &dyn Fn(&str) -> String,
    ) -> Result<BTreeMap<String, Vec<String>>> {
        let mut needed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (path, found) in other.all_steps()? {
            let step = match found {
                Found::Record(step) => step,
                Found::Nothing => continue,
                Found::Damaged(why) | Found::Newer(why) => {
                    self.refused.borrow_mut().insert(named(&format!("{}: {why}", path.display())));
                    remove(&path)?;
                    continue;
                }
            };
            if let StepOutcome::Made { files } = &step.outcome {
                for sha256 in files.values() {
                    let is_here = is_sha256(sha256)
                        && hash_stored(&store.artifact_path(sha256)).is_ok_and(|found| found == *sha256);
                    if !is_here {
                        needed.entry(sha256.clone()).or_default().push(step.key.clone());
                    }
                }
            }
        }
        Ok(needed)
    }

    /// Downloads files of steps into `store`, each under the sha256 that its bytes have.
    async fn files(
        &self,
        store: &Store,
        wanted: Vec<String>,
        tell: &mut dyn FnMut(TransferProgress),
    ) -> Result<()> {
        let total = wanted.len();
        each(
            wanted,
            |done| tell(TransferProgress { what: "files", done, total }),
            async |sha256: String| {
                let place = place_of_artifact(&sha256);
                if !is_sha256(&sha256) || !self.there.contains_key(&place) {
                    return Ok(());
                }
                let mut file = store.temporary()?;
                match self.fetch(&place, MOST, &mut file).await? {
                    Ok(found) if found == sha256 => {
                        persist(file, &store.place_of_artifact(&sha256)?)?;
                        self.artifacts.set(self.artifacts.get() + 1);
                    }
                    Ok(found) => {
                        self.refuse(
                            &place,
                            &format!("its bytes have another sha256, {found}; it is refused"),
                        );
                    }
                    Err(why) => self.refuse(&place, &why),
                }
                Ok(())
            },
        )
        .await
    }

    /// Takes the steps out of `other` whose files are not in `store`; gives the keys of those that stay.
    fn without_files(
        &self,
        store: &Store,
        other: &Store,
        needed: BTreeMap<String, Vec<String>>,
    ) -> Result<BTreeSet<String>> {
        for (sha256, steps) in needed {
            if is_sha256(&sha256) && store.artifact_path(&sha256).is_file() {
                continue;
            }
            for key in steps {
                let place = place_of_record("steps", &key);
                self.refuse(&place, &format!("its file artifacts/…/{sha256} cannot be had; it is left out"));
                remove(&other.root().join(place))?;
            }
        }
        let kept = other.all_steps()?.into_iter().filter_map(|(_, found)| match found {
            Found::Record(step) => Some(step.key),
            _ => None,
        });
        Ok(kept.collect())
    }

    /// Takes the cells out of `other` whose steps are neither there, in `steps`, nor in `store`.
    fn without_steps(&self, store: &Store, other: &Store, steps: &BTreeSet<String>) -> Result<()> {
        let tasks = other.records()?.into_iter().map(|record| ("records", record.key, record.fit_key));
        let matches =
            other.match_records()?.into_iter().map(|record| ("matches", record.key.clone(), record.key));
        for (folder, key, step) in tasks.chain(matches) {
            if !steps.contains(&step) && store.step(&step)?.is_none() {
                let place = place_of_record(folder, &key);
                self.refuse(&place, &format!("its step {step} cannot be had; it is left out"));
                remove(&other.root().join(place))?;
            }
        }
        Ok(())
    }

    /// Writes an object of at most `limit` bytes to `into` and gives its sha256, or says why it is refused.
    async fn fetch(&self, place: &str, limit: u64, into: &mut impl Write) -> Result<Result<String, String>> {
        unless(self.interrupted, async {
            let object = match self.remote.objects.get(&self.remote.location(place)).await {
                Ok(object) => object,
                Err(object_store::Error::NotFound { .. }) => return Ok(Err("it was removed".to_owned())),
                Err(error) => return Err(self.remote.failed(error)),
            };
            let (mut hasher, mut length, mut chunks) = (Hasher::default(), 0, object.into_stream());
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(|error| self.remote.failed(error))?;
                length += chunk.len() as u64;
                if length > limit {
                    return Ok(Err(format!("it has more than {limit} bytes; it is refused")));
                }
                hasher.update(&chunk);
                into.write_all(&chunk)?;
            }
            self.bytes.set(self.bytes.get() + length);
            Ok(Ok(hasher.finish()))
        })
        .await
    }
}
