//! The steps of a build, in order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::cache;
use super::edges::{self, Links};
use super::features;
use super::graph::{ContextGraph, Counts, NodeKind, Progress, Step};
use super::manifest::ContextManifest;
use super::nodes::{Genes, Molecules, read_table};
use super::similar;
use crate::error::{Error, Result};
use crate::hash::Hasher;
use crate::manifest::locate;
use crate::table::Table;
use crate::verify::{FileState, verify_context};

/// Raised whenever the same files would give a different graph.
const BUILDER: &str = "molarena context builder 1";

/// The state that the steps of a build share.
pub(super) struct Builder<'a> {
    pub(super) manifest: &'a ContextManifest,
    pub(super) data_dir: &'a Path,
    pub(super) pool: ThreadPool,
    pub(super) counts: Counts,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Builder<'_> {
    /// Reports a step's progress.
    pub(super) fn at(&mut self, step: Step, done: usize, total: usize) {
        (self.progress)(Progress::At { step, done, total });
    }

    /// Path of a file in the data folder.
    pub(super) fn path(&self, file: &str) -> PathBuf {
        locate(self.data_dir, file)
    }

    pub(super) fn table(&self, file: &str) -> Result<Table> {
        read_table(&self.path(file))
    }

    /// Compares the files with the manifest and returns each file's digest.
    fn digests(&mut self) -> Result<Vec<String>> {
        let total = self.manifest.files.len();
        self.at(Step::Files, 0, total);
        let (manifest, data_dir) = (self.manifest, self.data_dir);
        let id = || (manifest.id.clone(), data_dir.to_owned());
        let mut digests = Vec::with_capacity(total);
        for (file, status) in manifest.files.iter().zip(verify_context(manifest, data_dir)) {
            let path = status.path;
            digests.push(match (status.state, &file.sha256) {
                (FileState::Unverified { got }, _) => got,
                (FileState::Ok, Some(expected)) => expected.clone(),
                (FileState::WrongSha256 { got }, Some(expected)) => {
                    let ((id, data_dir), expected) = (id(), expected.clone());
                    return Err(Error::WrongSha256 { path, id, data_dir, expected, got });
                }
                (FileState::Missing, _) => {
                    let (id, data_dir) = id();
                    return Err(Error::MissingFile { path, id, data_dir });
                }
                (FileState::Unreadable { reason }, _) => {
                    return Err(std::io::Error::other(reason).into());
                }
                (FileState::Ok | FileState::WrongSha256 { .. }, None) => {
                    unreachable!("a file without a digest is unverified")
                }
            });
        }
        Ok(digests)
    }
}

/// Cache key: the SHA-256 of everything that the graph depends on.
fn key(manifest: &ContextManifest, digests: &[String], leave_out: &BTreeSet<String>) -> String {
    let manifest = toml::to_string(manifest).expect("a manifest is a TOML table");
    let leave_out: Vec<&str> = leave_out.iter().map(String::as_str).collect();
    let parts =
        [BUILDER, molarena_chem::CHEMISTRY_VERSION, &manifest, &digests.join("\n"), &leave_out.join("\n")];
    let mut hasher = Hasher::default();
    for part in parts {
        // Lengths keep the parts apart.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finish()
}

impl ContextGraph {
    /// Builds the graph that `manifest` describes from the files in `data_dir`, or reads it from `cache`.
    ///
    /// Molecules whose identity key ([`molarena_chem::Molecule::identity`]) is in `leave_out` are removed,
    /// with their profiles, before anything is computed from them. `cache` is a folder of built graphs, named
    /// by [`ContextGraph::key`]; a damaged file in it is built again. `threads` 0 means one thread per
    /// processor; the graph does not depend on the number of threads.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::WrongSha256`] and those of reading tables; [`Error::DuplicateId`],
    /// [`Error::UnknownNode`], [`Error::WrongCell`], which name file, row and value; [`Error::BadMatrix`],
    /// [`Error::MatrixShape`], [`Error::InfiniteFeature`], [`Error::EmptyFeature`]; [`Error::EmptyContext`];
    /// [`Error::Io`].
    ///
    /// # Panics
    /// If no threads can be started.
    pub fn build(
        manifest: &ContextManifest,
        data_dir: &Path,
        leave_out: &BTreeSet<String>,
        cache: Option<&Path>,
        threads: usize,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Self> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        let mut builder = Builder { manifest, data_dir, pool, counts: Counts::default(), progress };
        let digests = builder.digests()?;
        let key = key(manifest, &digests, leave_out);
        if let Some(cache) = cache {
            builder.at(Step::Cache, 0, 1);
            match cache::read(cache, &key) {
                Ok(Some(graph)) => return Ok(graph),
                Ok(None) => {}
                Err(problem) => (builder.progress)(Progress::Note(&problem)),
            }
        }
        let unverified = manifest.files.iter().zip(digests).filter(|(file, _)| file.unverified);
        let unverified = unverified.map(|(file, digest)| (file.path.clone(), digest)).collect();
        let graph = assemble(&mut builder, leave_out, key, unverified)?;
        if let Some(cache) = cache {
            builder.at(Step::Cache, 0, 1);
            cache::write(cache, &graph)?;
        }
        Ok(graph)
    }
}

fn assemble(
    builder: &mut Builder<'_>,
    leave_out: &BTreeSet<String>,
    key: String,
    unverified: Vec<(String, String)>,
) -> Result<ContextGraph> {
    let manifest = builder.manifest;
    let molecules = Molecules::read(builder, leave_out)?;
    let genes = Genes::read(builder)?;
    let mut node_kinds = vec![NodeKind::Molecule; molecules.list.len()];
    node_kinds.resize(molecules.list.len() + genes.ids.len(), NodeKind::Gene);
    let mut links = Links::new(&molecules, &genes);
    let mut spaces = Vec::with_capacity(manifest.spaces.len());
    for (done, spec) in manifest.spaces.iter().enumerate() {
        builder.at(Step::Features, done, manifest.spaces.len());
        spaces.push(features::read(builder, spec, &mut links, &mut node_kinds)?);
    }
    for (done, list) in manifest.edges.iter().enumerate() {
        builder.at(Step::Edges, done, manifest.edges.len());
        edges::read_list(builder, list, &mut links)?;
    }
    let mut edges = links.edges;
    similar::molecules(builder, &molecules, &mut edges);
    for (spec, space) in manifest.spaces.iter().zip(&spaces) {
        if spec.similarity {
            similar::rows(builder, space, &mut edges);
        }
    }
    let edges = edges::merged(builder, edges);
    Ok(ContextGraph {
        id: manifest.id.clone(),
        title: manifest.title.clone(),
        simulated: manifest.simulated,
        node_kinds,
        fingerprints: molecules.fingerprints,
        fingerprint_bits: manifest.fingerprint.bits,
        fingerprint_radius: manifest.fingerprint.radius,
        genes: genes.ids,
        spaces,
        edges,
        left_out: molecules.left_out,
        failures: molecules.failures,
        molecules: molecules.list,
        counts: builder.counts.clone(),
        unverified,
        key,
    })
}
