//! Makes a world and writes its files into a data folder.

use std::path::Path;

use molarena_data::context::ContextManifest;
use molarena_data::{Catalog, FileState, FileStatus, Manifest, TaskType, verify, verify_context};

use crate::error::{Error, Result};
use crate::files::{Staging, Written};
use crate::parameters::Parameters;
use crate::progress::{Progress, Step};
use crate::world::World;
use crate::{context, labelled, manifests};

/// What [`simulate`] made.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// Manifests of the classification and the regression dataset; they are also written beside the data.
    pub manifests: [Manifest; 2],
    /// Manifest of the context graph; likewise.
    pub context: ContextManifest,
    /// All files, manifests included.
    pub files: Vec<Written>,
}

/// Makes a world and writes it into `data_dir`: two datasets, companions of their molecules, and a context graph.
///
/// Existing files with the same bytes are left alone. Equal parameters give equal bytes on any machine and
/// with any number of threads. Only the molecules are held in memory; profiles are written as they are made.
///
/// # Errors
/// [`Error::Simulation`] for impossible parameters, [`Error::WouldReplace`] for an existing file with other
/// bytes unless `replace`, and [`Error::Data`] for a file that cannot be read or written.
pub fn simulate(
    parameters: &Parameters,
    data_dir: &Path,
    replace: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Simulated> {
    parameters.check()?;
    let id = parameters.id();
    let mut staging = Staging::new(data_dir, &id)?;
    let world = World::new(*parameters, progress);
    labelled::write(&world, &mut staging)?;
    context::write(&world, &mut staging, progress)?;
    progress(Progress { step: Step::Digests, done: 0, total: 1 });
    let files = staging.hashed()?;
    let manifests = [TaskType::Classification, TaskType::Regression]
        .map(|kind| manifests::manifest(parameters, kind, &files));
    let context = manifests::context(parameters, &files);
    let text = |manifest: &Manifest| (format!("{}/dataset.toml", manifest.id), toml_text(manifest));
    let mut texts: Vec<(String, String)> = manifests.iter().map(text).collect();
    texts.push((format!("{}/context.toml", context.id), toml_text(&context)));
    let files = staging.publish(&texts, replace)?;
    Ok(Simulated { manifests, context, files })
}

fn toml_text(manifest: &impl serde::Serialize) -> String {
    toml::to_string_pretty(manifest).expect("a manifest is a TOML table")
}

/// Makes the built-in dataset `manifest` unless its files are there with the right digests.
///
/// # Errors
/// Those of [`simulate`]; [`Error::NotBuiltin`] if the manifest is not built in.
pub fn simulate_builtin(
    manifest: &Manifest,
    data_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Written>> {
    if !manifest.simulated || Catalog::builtin()?.get(&manifest.id).ok() != Some(manifest) {
        return Err(Error::NotBuiltin { id: manifest.id.clone() });
    }
    unless_there(verify(manifest, data_dir), data_dir, progress)
}

/// Makes the files of the built-in context graph `manifest` unless they are there with the right digests.
///
/// # Errors
/// Those of [`simulate_builtin`].
pub fn simulate_builtin_context(
    manifest: &ContextManifest,
    data_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Written>> {
    if !manifest.simulated || Catalog::builtin()?.context(&manifest.id).ok() != Some(manifest) {
        return Err(Error::NotBuiltin { id: manifest.id.clone() });
    }
    unless_there(verify_context(manifest, data_dir), data_dir, progress)
}

fn unless_there(
    files: Vec<FileStatus>,
    data_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Written>> {
    if files.iter().all(|file| file.state == FileState::Ok) {
        return Ok(files.into_iter().map(|file| Written { path: file.path, new: false }).collect());
    }
    Ok(simulate(&Parameters::DEMO, data_dir, true, progress)?.files)
}
