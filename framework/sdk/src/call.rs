//! The context of a long call: seed, device, thread budget, progress, cancellation and a folder.

use std::path::Path;

use crate::{Error, Result};

/// Receives progress and decides whether to stop. Any thread may call it.
pub trait Hooks: Sync {
    /// Receives the share done, 0 to 1, and a short text.
    fn progress(&self, fraction: f64, message: &str);
    /// Whether the call should end soon.
    fn cancelled(&self) -> bool;
}

/// Seed, device, thread budget, progress, cancellation and folder of one call.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Seed of every random choice.
    pub seed: u64,
    /// Number of threads that the call may use; at least 1.
    pub threads: usize,
    /// Device, such as `cpu`.
    pub device: &'a str,
    /// Receives progress and decides on cancellation.
    pub hooks: Option<&'a dyn Hooks>,
    /// A folder that outlives the call, for checkpoints and logs. After a kill, the next run gets the same folder
    /// again.
    pub folder: Option<&'a Path>,
}

impl<'a> Call<'a> {
    /// A call on the CPU without a watcher.
    pub fn new(seed: u64, threads: usize) -> Self {
        Self { seed, threads: threads.max(1), device: "cpu", hooks: None, folder: None }
    }

    /// The same call with a watcher.
    #[must_use]
    pub fn with_hooks(self, hooks: &'a dyn Hooks) -> Self {
        Self { hooks: Some(hooks), ..self }
    }

    /// The same call, with a folder that outlives it.
    #[must_use]
    pub fn with_folder(self, folder: &'a Path) -> Self {
        Self { folder: Some(folder), ..self }
    }

    /// Reports the share done, 0 to 1, and a short text.
    pub fn progress(&self, fraction: f64, message: &str) {
        if let Some(hooks) = self.hooks {
            hooks.progress(fraction, message);
        }
    }

    /// Whether the call should end soon.
    pub fn cancelled(&self) -> bool {
        self.hooks.is_some_and(Hooks::cancelled)
    }

    /// Returns an error if the call should end; use `call.check()?` inside loops.
    pub fn check(&self) -> Result<()> {
        if self.cancelled() { Err(Error::cancelled("cancelled by the arena")) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("seed", &self.seed)
            .field("threads", &self.threads)
            .field("device", &self.device)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
