//! `molarena store push` and `store pull`

use std::path::Path;

use crate::exit_code::ExitCode;

/// Uploads a store.
#[cfg(feature = "object-store")]
pub(crate) fn push(url: &str, store: &Path) -> anyhow::Result<ExitCode> {
    let store = molarena_host::Store::open(store)?;
    let pushed = shown(|watch| store.push(url, watch));
    super::warn_of_store(&store);
    let pushed = pushed?;
    super::print(&format!(
        "{url}: {} records, {} steps, {} files and {} marks of reproductions uploaded ({:.1} MiB), {} were there\n",
        pushed.cells,
        pushed.steps,
        pushed.artifacts,
        pushed.reproductions,
        mebibytes(pushed.bytes),
        pushed.known
    ))?;
    Ok(ExitCode::Ok)
}

/// Downloads a store. What is refused, and records with other outcomes, make the code [`ExitCode::BadData`].
#[cfg(feature = "object-store")]
pub(crate) fn pull(url: &str, store: &Path) -> anyhow::Result<ExitCode> {
    let store = super::arena::create_store(store)?;
    let pulled = shown(|watch| store.pull(url, watch));
    super::warn_of_store(&store);
    let pulled = pulled?;
    for refused in &pulled.refused {
        say!("refused: {refused}");
    }
    let files = format!("{} files downloaded ({:.1} MiB)", pulled.artifacts, mebibytes(pulled.bytes));
    let code = if pulled.refused.is_empty() { ExitCode::Ok } else { ExitCode::BadData };
    super::store::say_merged(Path::new(url), &pulled.merged, &format!("; {files}"), code)
}

#[cfg(feature = "object-store")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Does a transfer with a bar on the terminal. Ctrl-C ends it between two objects.
#[cfg(feature = "object-store")]
fn shown<T>(
    transfer: impl FnOnce(molarena_host::Watch<'_>) -> molarena_host::Result<T>,
) -> anyhow::Result<T> {
    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

    let interrupted = super::interruption()?;
    super::work_begins();
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}");
    bar.set_style(style.expect("the template is valid"));
    let mut tell = |progress: molarena_host::TransferProgress| {
        bar.set_message(progress.what);
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    };
    let transferred = transfer(molarena_host::Watch { interrupted: &interrupted, tell: &mut tell });
    bar.finish_and_clear();
    Ok(transferred?)
}

#[cfg(not(feature = "object-store"))]
pub(crate) fn push(url: &str, _store: &Path) -> anyhow::Result<ExitCode> {
    Err(not_built(url))
}

#[cfg(not(feature = "object-store"))]
pub(crate) fn pull(url: &str, _store: &Path) -> anyhow::Result<ExitCode> {
    Err(not_built(url))
}

#[cfg(not(feature = "object-store"))]
fn not_built(url: &str) -> anyhow::Error {
    let message = format!(
        "{url}: this molarena was built without object stores; build one that has them: \
         cargo build --release -p molarena --features object-store"
    );
    molarena_host::Error::Request(message).into()
}
