//! `molarena store push`

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io::Read,
    path::Path,
    sync::atomic::AtomicBool,
    time::Duration,
};

use bytes::Bytes;
use molarena_data::Hasher;
use molarena_record::step::{StepOutcome, StepRecord};
use object_store::{MultipartUpload, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::{
    Access, Remote, TransferProgress, Watch, block_on, each, place_of_artifact, place_of_record, unless,
};
use crate::{
    error::{Error, Result},
    files::plain::open_stored,
    store::{
        Store,
        read::Found,
        record_text,
        steps::{missing, swapped},
    },
};

/// Bytes of a part of a large file. A smaller file is sent in one request.
const PART: usize = 16 << 20;
/// How long the server may take to forget an upload that is given up.
const GIVE_UP: Duration = Duration::from_secs(5);

/// What was uploaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Records of cells.
    pub cells: usize,
    /// Records of steps.
    pub steps: usize,
    /// Files of steps.
    pub artifacts: usize,
    /// What came of making records again.
    pub reproductions: usize,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Objects that were there.
    pub known: usize,
}

/// The count of a kind of objects.
type Counter = fn(&mut Pushed) -> &mut usize;

/// What is missing below a URL.
#[derive(Default)]
struct Plan {
    artifacts: BTreeMap<String, (StepRecord, String)>,
    /// Texts of records by place. Steps come before the cells that name them.
    steps: BTreeMap<String, String>,
    cells: BTreeMap<String, String>,
    reproductions: BTreeMap<String, String>,
    known: usize,
}

impl Store {
    /// Uploads the records and steps that `url` does not have, with what the steps made. An object that is there stays.
    ///
    /// # Errors
    /// [`Error::Request`] for a URL, a bucket or credentials that are wrong; [`Error::Remote`] for a server that cannot be
    /// reached or fails; [`Error::Store`] if a file of a step is missing or has other bytes than its record says;
    /// [`Error::Interrupted`]. What was uploaded before stays.
    pub fn push(&self, url: &str, watch: Watch<'_>) -> Result<Pushed> {
        self.push_to(&Remote::open(url, Access::Write)?, watch)
    }

    pub(super) fn push_to(&self, remote: &Remote, watch: Watch<'_>) -> Result<Pushed> {
        block_on(async {
            let there = remote.list(watch.interrupted).await?;
            let plan = self.missing_in(remote, &there)?;
            self.upload(remote, plan, watch).await
        })
    }

    /// What `there` lacks of what this store publishes.
    fn missing_in(&self, remote: &Remote, there: &BTreeMap<String, u64>) -> Result<Plan> {
        let mut plan = Plan::default();
        let mut add = |texts: &mut BTreeMap<String, String>, place: String, text: &dyn Fn() -> String| {
            if there.contains_key(&place) {
                plan.known += 1;
            } else {
                texts.insert(place, text());
            }
        };
        let mut steps = BTreeMap::new();
        for (path, found) in self.all_steps()? {
            if let Found::Record(step) = found {
                steps.insert(step.key.clone(), step);
            } else {
                self.warn(format!("{}: it cannot be read and is left out", path.display()));
            }
        }
        for record in self.records()? {
            if self.has_step(&mut steps, &record.key, &record.fit_key)? {
                add(&mut plan.cells, place_of_record("records", &record.key), &|| record_text(&record));
            }
        }
        for record in self.match_records()? {
            if self.has_step(&mut steps, &record.key, &record.key)? {
                add(&mut plan.cells, place_of_record("matches", &record.key), &|| record_text(&record));
            }
        }
        for found in self.reproductions()? {
            let place = place_of_record("reproductions", &found.key);
            add(&mut plan.reproductions, place, &|| record_text(&found));
        }
        let mut artifacts = BTreeMap::new();
        for step in steps.into_values() {
            add(&mut plan.steps, place_of_record("steps", &step.key), &|| record_text(&step));
            if let StepOutcome::Made { files } = &step.outcome {
                for (name, sha256) in files {
                    artifacts.insert(sha256.clone(), (step.clone(), name.clone()));
                }
            }
        }
        for (sha256, (step, name)) in artifacts {
            let place = place_of_artifact(&sha256);
            match there.get(&place) {
                None => {
                    plan.artifacts.insert(sha256, (step, name));
                }
                Some(length) => {
                    plan.known += 1;
                    self.compare_sizes(remote, &place, *length, &step, &name)?;
                }
            }
        }
        Ok(plan)
    }

    /// Whether the step that a cell scores is here; without it the cell is left out, with a warning. Steps of matching of
    /// an earlier format are in the files of their cells, and are added to `steps`.
    fn has_step(&self, steps: &mut BTreeMap<String, StepRecord>, key: &str, step: &str) -> Result<bool> {
        if steps.contains_key(step) {
            return Ok(true);
        }
        let found = self.step(step)?;
        if found.is_none() {
            self.warn(format!("record {key}: its step {step} is not in the store; it is left out"));
        }
        Ok(found.is_some_and(|found| steps.insert(found.key.clone(), found).is_none()))
    }

    /// Warns of an object that cannot have the bytes that its name says.
    fn compare_sizes(
        &self,
        remote: &Remote,
        place: &str,
        length: u64,
        step: &StepRecord,
        name: &str,
    ) -> Result<()> {
        let (path, _) = self.locate(step, name)?;
        if let Ok(metadata) = fs_err::metadata(path)
            && metadata.len() != length
        {
            self.warn(format!(
                "{}/{place}: it has {length} bytes and should have {}, so everyone who pulls it refuses it; remove it and \
                 push again",
                remote.url,
                metadata.len()
            ));
        }
        Ok(())
    }

    async fn upload(&self, remote: &Remote, plan: Plan, watch: Watch<'_>) -> Result<Pushed> {
        let Watch { interrupted, tell } = watch;
        let pushed = RefCell::new(Pushed { known: plan.known, ..Pushed::default() });
        let total = plan.artifacts.len();
        let files = plan.artifacts.into_values().collect();
        each(
            files,
            |done| tell(TransferProgress { what: "files", done, total }),
            async |(step, name): (StepRecord, String)| {
                let sent = self.send_artifact(remote, &step, &name, interrupted).await?;
                count(&pushed, sent, |pushed| &mut pushed.artifacts);
                Ok(())
            },
        )
        .await?;
        let of_kinds: [(_, Counter); 3] = [
            (plan.steps, |pushed| &mut pushed.steps),
            (plan.cells, |pushed| &mut pushed.cells),
            (plan.reproductions, |pushed| &mut pushed.reproductions),
        ];
        let total = of_kinds.iter().map(|(texts, _)| texts.len()).sum();
        let before = Cell::new(0);
        for (texts, counter) in of_kinds {
            let begun = before.get();
            before.set(begun + texts.len());
            each(
                texts.into_iter().collect(),
                |done| tell(TransferProgress { what: "records", done: begun + done, total }),
                async |(place, text): (String, String)| {
                    let sent = remote.create(&place, text.into(), interrupted).await?;
                    count(&pushed, sent, counter);
                    Ok(())
                },
            )
            .await?;
        }
        Ok(pushed.into_inner())
    }

    /// Uploads a file of a step, whose sha256 is checked as it is read. Gives its size, or `None` if it was there.
    async fn send_artifact(
        &self,
        remote: &Remote,
        step: &StepRecord,
        name: &str,
        interrupted: &AtomicBool,
    ) -> Result<Option<u64>> {
        let (path, sha256) = self.locate(step, name)?;
        if !path.is_file() {
            return Err(Error::Store { path, message: missing(step, name) });
        }
        let place = place_of_artifact(&sha256);
        if open_stored(&path)?.metadata()?.len() <= PART as u64 {
            let bytes = self.read_artifact(step, name)?;
            return remote.create(&place, bytes.into(), interrupted).await;
        }
        // Whoever writes this name writes these bytes, so it does no harm if two do.
        let mut upload = unless(interrupted, async {
            remote.objects.put_multipart(&remote.location(&place)).await.map_err(|error| remote.failed(error))
        })
        .await?;
        let sent = remote.send_parts(upload.as_mut(), &path, interrupted).await;
        let checked = sent.and_then(|(bytes, found)| {
            if found == sha256 { Ok(bytes) } else { Err(Error::Store { path, message: swapped(step, name) }) }
        });
        let completed = match checked {
            Ok(bytes) => {
                unless(interrupted, async {
                    upload.complete().await.map(|_| Some(bytes)).map_err(|error| remote.failed(error))
                })
                .await
            }
            Err(error) => Err(error),
        };
        if completed.is_err() {
            // Its parts would cost their owner money. If this fails, too, the first error is the one to tell.
            let _forgotten = tokio::time::timeout(GIVE_UP, upload.abort()).await;
        }
        completed
    }
}

impl Remote {
    /// Writes an object unless there is one. Gives its size, or `None` if there was one.
    pub(super) async fn create(
        &self,
        place: &str,
        bytes: Bytes,
        interrupted: &AtomicBool,
    ) -> Result<Option<u64>> {
        let location = self.location(place);
        let length = bytes.len() as u64;
        let payload = PutPayload::from(bytes);
        unless(interrupted, async {
            if self.conditional.get() {
                let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
                match self.objects.put_opts(&location, payload.clone(), options).await {
                    Ok(_) => return Ok(Some(length)),
                    Err(object_store::Error::AlreadyExists { .. }) => return Ok(None),
                    Err(error) if is_unknown(&error) => self.conditional.set(false),
                    Err(error) => return Err(self.failed(error)),
                }
            }
            match self.objects.head(&location).await {
                Ok(_) => return Ok(None),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(self.failed(error)),
            }
            self.objects.put(&location, payload).await.map_err(|error| self.failed(error))?;
            Ok(Some(length))
        })
        .await
    }

    /// Sends the parts of a file; gives its size and its sha256.
    async fn send_parts(
        &self,
        upload: &mut dyn MultipartUpload,
        path: &Path,
        interrupted: &AtomicBool,
    ) -> Result<(u64, String)> {
        let (mut file, mut hasher, mut bytes) = (open_stored(path)?, Hasher::default(), 0);
        loop {
            let mut part = Vec::with_capacity(PART);
            (&mut file).take(PART as u64).read_to_end(&mut part)?;
            if part.is_empty() {
                return Ok((bytes, hasher.finish()));
            }
            hasher.update(&part);
            bytes += part.len() as u64;
            let sending = upload.put_part(part.into());
            unless(interrupted, async { sending.await.map_err(|error| self.failed(error)) }).await?;
        }
    }
}

/// Whether a server does not know writes that replace nothing.
fn is_unknown(error: &object_store::Error) -> bool {
    use object_store::Error::{Generic, NotImplemented, NotSupported};
    match error {
        NotImplemented { .. } | NotSupported { .. } => true,
        Generic { source, .. } => source.to_string().contains("501 Not Implemented"),
        _ => false,
    }
}

fn count(pushed: &RefCell<Pushed>, sent: Option<u64>, counter: impl Fn(&mut Pushed) -> &mut usize) {
    let mut pushed = pushed.borrow_mut();
    match sent {
        Some(bytes) => {
            *counter(&mut pushed) += 1;
            pushed.bytes += bytes;
        }
        None => pushed.known += 1,
    }
}
