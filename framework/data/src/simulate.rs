//! The demo world: molecules, cells and assays simulated from a model that is known, so that the arena can be tried
//! offline and methods can be compared with the truth. **It says nothing about chemistry.**
//!
//! # Model
//!
//! Molecules are cores with two or three substituents, each a linker and an end group, drawn at random; one with a
//! known identity key, with fewer than 16 or more than 42 heavy atoms is drawn again. Cores, linkers and groups carry one of nine
//! pharmacophores or none; a pharmacophore has 6 to 30 carriers, which look unlike each other to a fingerprint. Carrier
//! `f` has the potency `v_f ~ U(0.1, 3)`.
//!
//! **Exposure** of molecule `i` to pharmacophore `k`, which saturates: `x_ik = 1 - exp(-sum of v_f over the parts f of i that carry k)`.
//!
//! **Pathways**, then standardised over all molecules of the world to `z_ip` (mean 0, variance 1):
//!
//! | p | activity | |
//! |---|---|---|
//! | 0 | `x_acid` | |
//! | 1 | `x_base x_amide` | both are needed |
//! | 2 | `x_electrophile + x_chelator - x_electrophile x_chelator` | either suffices |
//! | 3 | `x_hinge x_planar` | group and core are needed |
//! | 4 | `x_lipophile (1 - x_acid)` | one blocks the other |
//! | 5 | `x_acceptor` | |
//! | 6 | `U(0, 1)` | hidden: no structure tells of it, expression does |
//! | 7 | `U(0, 1)` | hidden: no structure tells of it, morphology does |
//!
//! **Profiles** `y_jc = sum_p L_cp z_ip + s_bc + 1.4 e_jc` of profile `j` of molecule `i` in batch `b`, column `c`, with `e ~ N(0, 1)` and
//! the batch's shift `s_bc ~ N(0, 0.8²)`. Expression responds to pathways 0, 1, 2, 3, 6; morphology to 2, 3, 4, 5, 7. A
//! fifth of the columns responds to none; the others to one with `|L| ~ U(0.4, 1.2)` and a random sign; three in ten of
//! these to a second one, half as strongly.
//!
//! **Assays** have the signal `u_it = sum_p B_tp z_ip / |B_t|`, where task `t` has `B = 1` for pathway `t mod 6`, `±U(0.4, 0.8)` for another
//! visible one, and every second task 0.6 for a hidden one. Classification:
//! `P(label_it = 1) = Phi((u_it - theta_t) / 0.4)`, `theta_t` being such that a share `U(0.25, 0.45)` of the labels is
//! expected to be 1. Regression: `m_t + c_t (u_it + 0.4 e_it)` in the task's unit. Of the labels, 40 % are missing at random.
//!
//! **Context graph**: molecules of their own and a tenth of the labelled ones (an arena must leave those out), profiles
//! with replicates, edges from each molecule to the genes that its first expression profile changes most, and edges
//! between genes, four of five within a pathway.
//!
//! # Planted order
//!
//! By what a method can know: pathways (`truth.npz`) above measured profiles above fingerprints (forest and Gaussian
//! process, then nearest neighbours) above the constant. The
//! profiles show the hidden pathways, but with noise and in batches; fingerprints see every visible pathway, but must
//! learn each carrier's potency from few labels. An encoder that is trained on the context graph learns the carriers
//! from the profiles of other molecules: it can beat fingerprints, and cannot know the hidden pathways.

mod assays;
mod context;
mod files;
mod fragments;
mod labelled;
mod latent;
mod manifests;
mod molecules;
pub(crate) mod npz;
mod parameters;
mod profiles;
mod random;

use std::path::Path;

pub use files::Written;
pub use parameters::Parameters;

use crate::catalog::Catalog;
use crate::context::ContextManifest;
use crate::error::{Error, Result};
use crate::manifest::{Manifest, TaskType};
use crate::verify::{FileState, FileStatus, verify, verify_context};
use files::Staging;
use latent::Activities;
use molecules::Drug;
use profiles::{Instrument, Modality};

/// What is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Molecules.
    Molecules,
    /// Morphology profiles.
    Morphology,
    /// Expression profiles.
    Expression,
    /// Digests of the files.
    Digests,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Molecules => "molecules",
            Self::Morphology => "morphology profiles",
            Self::Expression => "expression profiles",
            Self::Digests => "digests",
        })
    }
}

/// How far a simulation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being made.
    pub step: Step,
    /// How much of it is done.
    pub done: usize,
    /// How much of it there will be.
    pub total: usize,
}

/// What [`simulate`] made.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// Manifests of the classification and the regression dataset; they were written beside the data, too.
    pub manifests: [Manifest; 2],
    /// Manifest of the context graph; likewise.
    pub context: ContextManifest,
    /// All files, manifests included.
    pub files: Vec<Written>,
}

/// A world before anything of it is measured.
struct World {
    parameters: Parameters,
    /// The labelled molecules, then those of the context graph alone.
    drugs: Vec<Drug>,
    /// `[drugs]`.
    activities: Vec<Activities>,
    /// The drug of each molecule node.
    context: Vec<usize>,
}

impl World {
    fn new(parameters: Parameters, progress: &mut dyn FnMut(Progress)) -> Self {
        let count = parameters.molecules + parameters.context_molecules;
        let drugs = molecules::enumerate(parameters.seed, count, progress);
        let activities = latent::standardised(parameters.seed, &drugs);
        let shared = (0..parameters.molecules).step_by(10);
        let context = (parameters.molecules..count).chain(shared).collect();
        Self { parameters, drugs, activities, context }
    }

    fn instrument(&self, modality: Modality) -> Instrument {
        let columns = match modality {
            Modality::Expression => self.parameters.expression_columns,
            Modality::Morphology => self.parameters.morphology_columns,
        };
        Instrument::new(self.parameters.seed, modality, columns, self.parameters.batches)
    }
}

/// Makes a world and writes it into `data_dir`: two datasets, companions of their molecules, and a context graph.
///
/// Files that are there with the same bytes are left alone. Equal parameters give equal bytes, whatever the machine and
/// the number of threads. Memory is that of the molecules; profiles are written as they are made.
///
/// # Errors
/// [`Error::Simulation`] for impossible parameters, [`Error::WouldReplace`] for a file that is there with other bytes unless
/// `replace`, and [`Error::Io`].
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
/// Those of [`simulate`]; [`Error::NotBuiltin`] if the manifest is not one of those that come with the program.
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

#[cfg(test)]
mod tests;
