//! Stores in object stores such as S3: the objects below a URL have the names that the files of a store have.
//!
//! Everything asynchronous is inside of this module. A transfer does not finish half: an object appears as a whole, a file gets
//! its name once it is written, and what others name comes first. So a transfer that is interrupted goes on when it is
//! requested again.

mod pull;
mod push;

use std::{
    cell::Cell,
    collections::BTreeMap,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};
use object_store::{
    BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    client::HttpError,
    local::LocalFileSystem,
    path::Path as ObjectPath,
};
use reqwest::Url;

use super::{pack::FOLDERS, shard};
use crate::error::{Error, Result};
pub use pull::Pulled;
pub use push::Pushed;

/// Most objects below a URL.
const MOST_OBJECTS: usize = 5_000_000;
/// How many objects are transferred at a time.
const AT_ONCE: usize = 8;
/// How long a connection may take.
const CONNECT: &str = "5 seconds";
/// How long a request may take, with the bytes that it transfers.
const REQUEST: &str = "5 minutes";
/// How long after a request began it may be sent again.
const RETRY: Duration = Duration::from_secs(15);
/// How often a request is sent again.
const RETRIES: usize = 4;
/// How long a server may take for a part of its list.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether the user interrupts.
const POLL: Duration = Duration::from_millis(100);
/// Most characters of a server's answer in a message.
const LONGEST: usize = 500;

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferProgress {
    /// What is transferred: `files` or `records`.
    pub what: &'static str,
    /// Objects that were transferred.
    pub done: usize,
    /// Objects to transfer.
    pub total: usize,
}

/// Who watches a transfer.
pub struct Watch<'a> {
    /// Set when the user interrupts.
    pub interrupted: &'a AtomicBool,
    /// Called after each object.
    pub tell: &'a mut dyn FnMut(TransferProgress),
}

/// Whether a URL is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// The objects below a URL.
struct Remote {
    /// The URL without a slash at its end, for messages.
    url: String,
    objects: Arc<dyn ObjectStore>,
    /// What the names of its objects begin with.
    prefix: ObjectPath,
    /// Whether the server knows writes that replace nothing, as far as is known.
    conditional: Cell<bool>,
}

impl Remote {
    fn open(url: &str, access: Access) -> Result<Self> {
        let url = url.trim_end_matches('/');
        let wrong = |message: &str| Error::Request(format!("{url}: {message}"));
        let parsed = Url::parse(url).map_err(|error| {
            wrong(&format!("{error}; name a place such as s3://BUCKET/FOLDER or file:///FOLDER"))
        })?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(Error::Request(format!(
                "{}://: a URL has no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                parsed.scheme()
            )));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(wrong("a place has no ? and no #"));
        }
        let (objects, prefix) = match parsed.scheme() {
            "s3" => {
                let prefix =
                    ObjectPath::from_url_path(parsed.path()).map_err(|error| wrong(&error.to_string()))?;
                (bucket(url)?, prefix)
            }
            "file" => (folder(url, &parsed, access)?, ObjectPath::default()),
            scheme => return Err(wrong(&format!("unknown scheme `{scheme}`; known are s3 and file"))),
        };
        Ok(Self { url: url.to_owned(), objects, prefix, conditional: Cell::new(true) })
    }

    /// All objects below the URL, by name below it, with their sizes in bytes.
    async fn list(&self, interrupted: &AtomicBool) -> Result<BTreeMap<String, u64>> {
        let prefix = (!self.prefix.as_ref().is_empty()).then_some(&self.prefix);
        let mut objects = self.objects.list(prefix);
        let mut found = BTreeMap::new();
        loop {
            let waited = unless(interrupted, async {
                tokio::time::timeout(PATIENCE, objects.next()).await.map_err(|_| {
                    self.unreachable(&format!("the server gives no answer for {} s", PATIENCE.as_secs()))
                })
            });
            let Some(object) = waited.await? else { return Ok(found) };
            let object = object.map_err(|error| self.failed(error))?;
            let name = object.location.as_ref().strip_prefix(self.prefix.as_ref()).unwrap_or_default();
            found.insert(name.trim_start_matches('/').to_owned(), object.size);
            if found.len() > MOST_OBJECTS {
                return Err(Error::Request(format!(
                    "{}: more than {MOST_OBJECTS} objects; name the folder of one store",
                    self.url
                )));
            }
        }
    }

    /// The whole name of the object at `place` below the URL.
    fn location(&self, place: &str) -> ObjectPath {
        place.split('/').fold(self.prefix.clone(), ObjectPath::join)
    }

    /// What an error of the server means to the user.
    fn failed(&self, error: object_store::Error) -> Error {
        let text = shortened(&error.to_string());
        let request = |message: &str| Error::Request(format!("{}: {message}", self.url));
        match error {
            // Without credentials object_store asks the metadata service that the machines of a cloud have.
            _ if text.contains("/latest/api/token") || text.contains("/latest/meta-data/") => request(
                "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SKIP_SIGNATURE=true for a \
                 bucket that everybody may read)",
            ),
            // Errors of a list have no kind of their own.
            _ if text.contains("404 Not Found") => request(
                "there is no such bucket; make it, or check its name, AWS_REGION and AWS_ENDPOINT_URL",
            ),
            _ if text.contains("403 Forbidden") || text.contains("401 Unauthorized") => request(&format!(
                "access is refused; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and that they may list, read \
                 and write there: {text}"
            )),
            object_store::Error::InvalidPath { .. } => Error::Archive {
                path: self.url.clone().into(),
                message: format!("one object has no name of a file; remove it: {text}"),
            },
            error if is_network(&error) => self.unreachable(&text),
            _ => Error::Remote { url: self.url.clone(), message: text },
        }
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::Remote {
            url: self.url.clone(),
            message: format!(
                "{why}; check the network and AWS_ENDPOINT_URL, then run the same command again"
            ),
        }
    }
}

/// The bucket of a URL, as the environment says.
fn bucket(url: &str) -> Result<Arc<dyn ObjectStore>> {
    // An error says that there is one already.
    let _one_is_there = rustls::crypto::ring::default_provider().install_default();
    let wrong = |message: &str| Error::Request(format!("{url}: {message}"));
    let mut builder = AmazonS3Builder::from_env().with_url(url).with_retry(RetryConfig {
        backoff: BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() },
        max_retries: RETRIES,
        retry_timeout: RETRY,
    });
    let limits = [
        ("AWS_CONNECT_TIMEOUT", ClientConfigKey::ConnectTimeout, CONNECT),
        ("AWS_TIMEOUT", ClientConfigKey::Timeout, REQUEST),
    ];
    for (variable, key, value) in limits {
        if std::env::var_os(variable).is_none() {
            builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
        }
    }
    let of = |key: AmazonS3ConfigKey| builder.get_config_value(&key);
    let endpoint = of(AmazonS3ConfigKey::S3Endpoint).or_else(|| of(AmazonS3ConfigKey::Endpoint));
    let allowed = of(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp)).is_some_and(|it| it == "true");
    if let Some(endpoint) = endpoint.filter(|endpoint| endpoint.starts_with("http://") && !allowed) {
        return Err(wrong(&format!(
            "AWS_ENDPOINT_URL is {endpoint}, which encrypts nothing; set AWS_ALLOW_HTTP=true if that is meant"
        )));
    }
    Ok(Arc::new(builder.build().map_err(|error| wrong(&shortened(&error.to_string())))?))
}

/// The folder of a URL. One that is written to is made.
fn folder(url: &str, parsed: &Url, access: Access) -> Result<Arc<dyn ObjectStore>> {
    let path = parsed
        .to_file_path()
        .map_err(|()| Error::Request(format!("{url}: a folder here begins with three slashes, file:///")))?;
    match access {
        Access::Write => fs_err::create_dir_all(&path)?,
        Access::Read if path.is_dir() => {}
        Access::Read => return Err(Error::NothingSelected(format!("{url}: there is no such folder"))),
    }
    let folder = LocalFileSystem::new_with_prefix(&path)
        .map_err(|error| Error::Store { path, message: error.to_string() })?;
    Ok(Arc::new(folder))
}

/// Whether no answer came, or only a part of one.
fn is_network(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<HttpError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The text of a server, on one line and not too long.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// The folder and the key of a place in a store, `folder/<ab>/<key>`, if a store has such places.
fn parts_of(place: &str) -> Option<(&str, &str)> {
    let mut parts = place.split('/');
    let (folder, ab, name) = (parts.next()?, parts.next()?, parts.next()?);
    let key = if folder == "artifacts" { name } else { name.strip_suffix(".json")? };
    let fits = parts.next().is_none() && FOLDERS.contains(&folder) && is_sha256(key) && ab == shard(key);
    fits.then_some((folder, key))
}

/// Whether a text is a sha256 as the store spells it.
fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Place of an artifact.
fn place_of_artifact(sha256: &str) -> String {
    format!("artifacts/{}/{sha256}", shard(sha256))
}

/// Place of a record.
fn place_of_record(folder: &str, key: &str) -> String {
    format!("{folder}/{}/{key}.json", shard(key))
}

/// Runs a transfer to its end on this thread.
fn block_on<T>(transfer: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(transfer)
}

/// What `work` gives, unless the user interrupts it.
async fn unless<T>(interrupted: &AtomicBool, work: impl Future<Output = Result<T>>) -> Result<T> {
    let watch = async {
        while !interrupted.load(Ordering::Relaxed) {
            tokio::time::sleep(POLL).await;
        }
    };
    // Watched first: work that never waits would not be interrupted.
    match select(pin!(watch), pin!(work)).await {
        Either::Left(_) => Err(Error::Interrupted),
        Either::Right((done, _)) => done,
    }
}

/// Does the work on each item, some at a time, and calls `done` after each. After the first error no work begins, and what has
/// begun comes to its end.
async fn each<T>(
    items: Vec<T>,
    mut done: impl FnMut(usize),
    work: impl AsyncFn(T) -> Result<()>,
) -> Result<()> {
    let (stopped, work) = (Cell::new(false), &work);
    let stopped = &stopped;
    let running =
        stream::iter(items).map(|item| async move { if stopped.get() { Ok(()) } else { work(item).await } });
    let mut running = pin!(running.buffer_unordered(AT_ONCE));
    let (mut outcome, mut count) = (Ok(()), 0);
    while let Some(result) = running.next().await {
        count += 1;
        if result.is_ok() {
            done(count);
        } else {
            stopped.set(true);
            outcome = outcome.and(result);
        }
    }
    outcome
}

#[cfg(test)]
mod tests;
