//! Molecule and gene nodes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use molarena_chem::Morgan;
use rayon::prelude::*;

use super::build::Builder;
use super::graph::{Counts, Molecule, MoleculeFailure, NodeKind, Step};
use super::manifest::{ContextManifest, MoleculeTable, RepeatedIds};
use crate::error::{Error, Result};
use crate::hash::sha256_file;
use crate::manifest::locate;
use crate::table::Table;

/// Parsed molecules held in memory at a time.
const BLOCK: usize = 4_096;

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A node.
    Node(u64),
    /// A molecule that was left out.
    Left,
    /// A molecule whose SMILES cannot be read.
    Unreadable,
}

/// The molecule nodes.
#[derive(Default)]
pub(super) struct Molecules {
    pub(super) list: Vec<Molecule>,
    /// `u64[molecules, words]`.
    pub(super) fingerprints: Vec<u64>,
    /// `[molecules]`: number of the molecule's scaffold.
    pub(super) scaffolds: Vec<usize>,
    pub(super) by_id: HashMap<String, Named>,
    pub(super) left_out: usize,
    pub(super) failures: Vec<MoleculeFailure>,
}

/// A row of a molecule table.
struct Row {
    /// Index of the table.
    table: usize,
    /// Row of the table, from 0.
    index: usize,
    name: String,
    smiles: String,
}

/// The result of reading a row's SMILES.
enum Read {
    Left(String),
    Kept { identity: String, fingerprint: Vec<u64>, scaffold: String },
    Unreadable(String),
}

impl Molecules {
    /// Reads all molecule tables; counts and drops molecules whose identity is in `leave_out`.
    pub(super) fn read(builder: &mut Builder<'_>, leave_out: &BTreeSet<String>) -> Result<Self> {
        let (manifest, data_dir) = (builder.manifest, builder.data_dir);
        let rows = read_rows(manifest, &mut builder.counts, |file| read_table(&locate(data_dir, file)))?;
        let similarity = builder.manifest.similarity;
        let fingerprint = builder.manifest.fingerprint;
        let morgan =
            Morgan::new(fingerprint.radius, fingerprint.bits, false).expect("the manifest was checked");
        let read = |row: &Row| match molarena_chem::Molecule::parse(&row.smiles) {
            Err(error) => Read::Unreadable(error.to_string()),
            Ok(molecule) => {
                let identity = molecule.identity();
                if leave_out.contains(&identity) {
                    return Read::Left(identity);
                }
                let scaffold = molecule.scaffold(similarity.scaffold_stereo);
                Read::Kept { identity, fingerprint: molecule.morgan(&morgan), scaffold }
            }
        };
        let mut collected = Collector::default();
        let total = rows.len();
        for (block, rows) in rows.chunks(BLOCK).enumerate() {
            builder.at(Step::Molecules, block * BLOCK, total);
            let results: Vec<Read> = builder.pool.install(|| rows.par_iter().map(read).collect());
            for (row, result) in rows.iter().zip(results) {
                collected.add(builder, row, result);
            }
        }
        builder.counts.molecule_rows += total;
        let molecules = collected.molecules;
        if molecules.list.is_empty() {
            return Err(Error::EmptyContext {
                id: builder.manifest.id.clone(),
                rows: total,
                left_out: collected.left.len(),
                unreadable: molecules.failures.len(),
            });
        }
        Ok(Self { left_out: collected.left.len(), ..molecules })
    }
}

#[derive(Default)]
struct Collector {
    molecules: Molecules,
    by_identity: HashMap<String, u64>,
    scaffolds: HashMap<String, usize>,
    left: HashSet<String>,
}

impl Collector {
    fn add(&mut self, builder: &mut Builder<'_>, row: &Row, result: Read) {
        let molecules = &mut self.molecules;
        let named = match result {
            Read::Left(identity) => {
                if !self.left.insert(identity) {
                    builder.counts.merged_molecules += 1;
                }
                Named::Left
            }
            Read::Unreadable(reason) => {
                molecules.failures.push(MoleculeFailure {
                    file: builder.manifest.molecules[row.table].file.clone(),
                    row: row.index + 1,
                    name: row.name.clone(),
                    smiles: row.smiles.clone(),
                    reason,
                });
                Named::Unreadable
            }
            Read::Kept { identity, fingerprint, scaffold } => {
                if let Some(node) = self.by_identity.get(&identity) {
                    builder.counts.merged_molecules += 1;
                    Named::Node(*node)
                } else {
                    let node = molecules.list.len() as u64;
                    let groups = self.scaffolds.len();
                    molecules.scaffolds.push(*self.scaffolds.entry(scaffold).or_insert(groups));
                    molecules.fingerprints.extend(fingerprint);
                    self.by_identity.insert(identity.clone(), node);
                    let (name, smiles) = (row.name.clone(), row.smiles.clone());
                    molecules.list.push(Molecule { node, name, smiles, identity });
                    Named::Node(node)
                }
            }
        };
        molecules.by_id.insert(row.name.clone(), named);
    }
}

impl ContextManifest {
    /// The SMILES of the molecule tables, one for each row that counts, after comparing these files with the manifest.
    /// The graph is not built, and SMILES that cannot be read stay.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::WrongSha256`], those of reading tables, and [`Error::DuplicateId`].
    pub fn molecule_smiles(&self, data_dir: &Path) -> Result<Vec<String>> {
        let table = |file: &str| {
            let spec = self.files.iter().find(|spec| spec.path == file).expect("the manifest was checked");
            let path = spec.locate(data_dir);
            let id = || (self.id.clone(), data_dir.to_owned());
            let got = match path.try_exists() {
                Ok(false) => {
                    let (id, data_dir) = id();
                    return Err(Error::MissingFile { path, id, data_dir });
                }
                _ => sha256_file(&path)?,
            };
            match &spec.sha256 {
                Some(expected) if *expected != got => {
                    let ((id, data_dir), expected) = (id(), expected.clone());
                    Err(Error::WrongSha256 { path, id, data_dir, expected, got })
                }
                _ => read_table(&path),
            }
        };
        let rows = read_rows(self, &mut Counts::default(), table)?;
        Ok(rows.into_iter().map(|row| row.smiles).collect())
    }
}

/// Reads a table whose bytes were checked.
pub(super) fn read_table(path: &Path) -> Result<Table> {
    Table::parse(path, &fs_err::read(path)?)
}

fn read_rows(
    manifest: &ContextManifest,
    counts: &mut Counts,
    read: impl Fn(&str) -> Result<Table>,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut first_seen: HashMap<String, (usize, usize)> = HashMap::new();
    for (file, spec) in manifest.molecules.iter().enumerate() {
        let MoleculeTable { file: path, id, smiles, repeated_ids, sample } = spec;
        let table = read(path)?;
        let id = id.as_deref().map(|id| table.column(id)).transpose()?;
        let smiles = table.column(smiles)?;
        let taken = sample.unwrap_or(table.rows());
        if taken > table.rows() {
            let problem = format!("is {taken}, but {path} has {} rows", table.rows());
            return Err(manifest.wrong(&format!("molecules[{file}].sample"), problem));
        }
        for row in (0..taken).map(|number| number * table.rows() / taken) {
            let name = match id {
                Some(id) => filled(&table, row, id, "the id of a molecule")?.to_owned(),
                None => format!("{path}:{}", row + 1),
            };
            if let Some((first_file, first_row)) = first_seen.get(&name) {
                if *repeated_ids == RepeatedIds::First {
                    counts.repeated_molecule_ids += 1;
                    continue;
                }
                let first = format!("row {} of {}", first_row + 1, manifest.molecules[*first_file].file);
                let cell = Box::new(table.cell(row, id.unwrap_or(smiles)));
                return Err(Error::DuplicateId { cell, value: name, first });
            }
            first_seen.insert(name.clone(), (file, row));
            let text = table.text(row, smiles);
            let structure = text.split([' ', '\t']).next().unwrap_or_default();
            if structure.len() < text.len() {
                counts.cut_smiles += 1;
            }
            rows.push(Row { table: file, index: row, name, smiles: structure.to_owned() });
        }
    }
    Ok(rows)
}

/// The text of a cell that must not be empty.
pub(super) fn filled<'a>(
    table: &'a Table,
    row: usize,
    column: usize,
    expected: &'static str,
) -> Result<&'a str> {
    let text = table.text(row, column);
    if text.is_empty() {
        let cell = Box::new(table.cell(row, column));
        return Err(Error::WrongCell { cell, value: String::new(), expected });
    }
    Ok(text)
}

/// The gene nodes; their numbers follow those of the molecules.
pub(super) struct Genes {
    /// In the order of first appearance.
    pub(super) ids: Vec<String>,
}

impl Genes {
    pub(super) fn read(builder: &mut Builder<'_>) -> Result<Self> {
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        for spec in &builder.manifest.genes {
            let table = builder.table(&spec.file)?;
            for column in &spec.columns {
                let column = table.column(column)?;
                for row in 0..table.rows() {
                    let id = gene_id(table.text(row, column));
                    if !id.is_empty() && seen.insert(id.to_owned()) {
                        ids.push(id.to_owned());
                    }
                }
            }
        }
        Ok(Self { ids })
    }
}

/// A gene's id without the `.0` that some writers add to whole numbers in a column with gaps.
pub(super) fn gene_id(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}

/// The error for an id that names no node.
pub(super) fn unknown(table: &Table, row: usize, column: usize, node: NodeKind) -> Error {
    let value = table.text(row, column).to_owned();
    Error::UnknownNode { cell: Box::new(table.cell(row, column)), node, value }
}
