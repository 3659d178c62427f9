//! A small data folder with a context graph.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::context::{ContextGraph, ContextManifest};
use crate::error::Result;
use crate::hash::sha256_hex;
use crate::npz::MatrixWriter;

pub(super) const MANIFEST: &str = r#"
schema = "molarena.context/1"
id = "made"
title = "Made up"
description = "for tests"
licence = "none"

[[molecules]]
file = "made/molecules.csv"
id = "mol_id"
smiles = "smiles"

[[genes]]
file = "made/genes.csv"
columns = ["id"]

[[spaces]]
name = "expression"
kind = "expression"
table = "made/expression.csv"
molecule = "mol_id"
features = "made/expression.npz"
columns = 2

[spaces.column_genes]
file = "made/columns.csv"
column = "column"
gene = "id"
top_share = 0.5

[[spaces]]
name = "morphology"
kind = "morphology"
table = "made/morphology.csv"
molecule = "mol_id"
features = "made/morphology.npz"
columns = 3
names = "made/morphology.features.txt"

[[edges]]
file = "made/gene-gene.csv"
source = { node = "gene", column = "source" }
target = { node = "gene", column = "target" }
kind_column = "kind"

[[edges]]
file = "made/molecule-gene.csv"
source = { node = "molecule", column = "mol_id" }
target = { node = "gene", column = "gene" }
kind = "regulates"
magnitude = "z"
"#;

/// A folder of files and their manifest.
pub(super) struct Made {
    folder: tempfile::TempDir,
    manifest: String,
    names: Vec<String>,
}

impl Made {
    /// m4 is m0 again; m5 cannot be read, but has a profile and an edge.
    pub(super) fn new() -> Self {
        let made =
            Self { folder: tempfile::tempdir().unwrap(), manifest: MANIFEST.to_owned(), names: Vec::new() };
        fs_err::create_dir(made.folder().join("made")).unwrap();
        made.text(
            "molecules.csv",
            "mol_id,smiles\nm0,OC(=O)CC1CCCCC1\nm1,CCO |&1:2|\nm2,CCN\nm3,c1ccncc1\nm4,C1CCCCC1CC(O)=O\nm5,CC(\n",
        )
        .text("genes.csv", "id\n11\n12\n13\n")
        .text("expression.csv", "mol_id\nm0\nm1\nm5\nm4\n")
        .matrix("expression.npz", 2, &[-4.0, 1.0, 4.0, f32::NAN, 100.0, 100.0, 2.0, 3.0])
        .text("columns.csv", "column,id\n1,11\n0,12\n")
        .text("morphology.csv", "mol_id\nm2\nm3\n")
        .matrix("morphology.npz", 3, &[1.0, 5.0, 2.0, 2.0, 5.0, 1.0])
        .text("morphology.features.txt", "a\nb\nc\n")
        .text("gene-gene.csv", "source,target,kind\n11,12,interacts\n12,11,regulates\n13,12.0,regulates\n13,13,interacts\n")
        .text("molecule-gene.csv", "mol_id,gene,z\nm4,12,-1.5\nm2,13,3\nm5,11,50\n")
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a text file.
    pub(super) fn text(self, name: &str, text: &str) -> Self {
        fs_err::write(self.folder().join("made").join(name), text).unwrap();
        self.named(name)
    }

    /// Writes a matrix.
    pub(super) fn matrix(self, name: &str, columns: usize, values: &[f32]) -> Self {
        let path = self.folder().join("made").join(name);
        let mut writer = MatrixWriter::create(&path, values.len() / columns, columns).unwrap();
        writer.write(values).unwrap();
        writer.finish().unwrap();
        self.named(name)
    }

    fn named(mut self, name: &str) -> Self {
        if !self.names.iter().any(|other| other == name) {
            self.names.push(name.to_owned());
        }
        self
    }

    /// Changes the manifest's text.
    pub(super) fn edit(mut self, from: &str, to: &str) -> Self {
        assert!(self.manifest.contains(from), "{from}");
        self.manifest = self.manifest.replace(from, to);
        self
    }

    /// The manifest, with the digests of the files as they are.
    pub(super) fn manifest(&self) -> ContextManifest {
        self.parse().unwrap()
    }

    pub(super) fn parse(&self) -> Result<ContextManifest> {
        let files: BTreeMap<&String, String> = (self.names.iter())
            .map(|name| (name, sha256_hex(&fs_err::read(self.folder().join("made").join(name)).unwrap())))
            .collect();
        let file = |(name, digest): (&&String, &String)| {
            format!("[[files]]\npath = \"made/{name}\"\nsha256 = \"{digest}\"\n")
        };
        let files: String = files.iter().map(file).collect();
        ContextManifest::parse(&format!("{}{files}", self.manifest), "made/context.toml")
    }

    pub(super) fn build(&self) -> Result<ContextGraph> {
        self.build_without(&[])
    }

    /// Builds without these molecules.
    pub(super) fn build_without(&self, smiles: &[&str]) -> Result<ContextGraph> {
        let leave_out: BTreeSet<String> = smiles.iter().map(|smiles| identity(smiles)).collect();
        ContextGraph::build(&self.manifest(), self.folder(), &leave_out, None, 2, &mut |_| ())
    }
}

pub(super) fn identity(smiles: &str) -> String {
    molarena_chem::Molecule::parse(smiles).unwrap().identity()
}
