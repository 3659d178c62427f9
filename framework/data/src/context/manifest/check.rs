//! Checks of a context graph's manifest.

use std::collections::HashSet;

use super::{CONTEXT_SCHEMA, ContextFile, ContextManifest, EdgeEnd, EdgeList, SpaceSpec};
use crate::context::graph::NodeKind;
use crate::error::{Error, Result};
use crate::manifest::is_id;

impl ContextManifest {
    pub(super) fn check(&self) -> Result<()> {
        if self.schema != CONTEXT_SCHEMA {
            return Err(self.wrong("schema", format!("\"{}\" is not \"{CONTEXT_SCHEMA}\"", self.schema)));
        }
        if !is_id(&self.id) {
            return Err(self.wrong("id", "use lower-case letters, digits, \"-\" and \"_\""));
        }
        for (key, value) in [("title", &self.title), ("licence", &self.licence)] {
            if value.trim().is_empty() {
                return Err(self.wrong(key, "is empty"));
            }
        }
        if self.fingerprint.bits == 0 || !self.fingerprint.bits.is_multiple_of(64) {
            return Err(self.wrong("fingerprint.bits", "is not a positive multiple of 64"));
        }
        if self.molecules.is_empty() {
            return Err(self.wrong("molecules", "a context graph has at least one table of molecules"));
        }
        if let Some(table) = self.molecules.iter().position(|table| table.sample == Some(0)) {
            return Err(self.wrong(&format!("molecules[{table}].sample"), "is 0; take at least one row"));
        }
        self.check_similarity()?;
        self.check_spaces()?;
        for (index, list) in self.edges.iter().enumerate() {
            self.check_list(index, list)?;
        }
        self.check_files()
    }

    fn check_similarity(&self) -> Result<()> {
        let spec = &self.similarity;
        for (key, value) in [("similarity.threshold", spec.threshold), ("similarity.sparsity", spec.sparsity)]
        {
            if !(0.0..=1.0).contains(&value) {
                return Err(self.wrong(key, "is not from 0 to 1"));
            }
        }
        if spec.components == 0 {
            return Err(self.wrong("similarity.components", "at least one component is needed"));
        }
        Ok(())
    }

    fn check_spaces(&self) -> Result<()> {
        let mut names = HashSet::new();
        for (index, space) in self.spaces.iter().enumerate() {
            let key = |name: &str| format!("spaces[{index}].{name}");
            if !is_id(&space.name) {
                return Err(self.wrong(&key("name"), "use lower-case letters, digits, \"-\" and \"_\""));
            }
            if !names.insert(space.name.as_str()) {
                return Err(self.wrong(&key("name"), "another space has the same name"));
            }
            if space.columns == 0 {
                return Err(self.wrong(&key("columns"), "a space has at least one column"));
            }
            self.check_space_columns(space, &key)?;
        }
        Ok(())
    }

    fn check_space_columns(&self, space: &SpaceSpec, key: &dyn Fn(&str) -> String) -> Result<()> {
        let (wanted, unwanted) = match space.kind {
            NodeKind::Molecule => {
                return Err(self.wrong(&key("kind"), "is not gene, morphology or expression"));
            }
            NodeKind::Gene => (("gene", &space.gene), ("molecule", &space.molecule)),
            NodeKind::Morphology | NodeKind::Expression => {
                (("molecule", &space.molecule), ("gene", &space.gene))
            }
        };
        if wanted.1.is_none() {
            return Err(self.wrong(&key(wanted.0), format!("a {} space names this column", space.kind)));
        }
        if unwanted.1.is_some() {
            return Err(
                self.wrong(&key(unwanted.0), format!("a {} space does not have this column", space.kind))
            );
        }
        if let Some(genes) = &space.column_genes {
            if space.kind == NodeKind::Gene {
                return Err(self.wrong(&key("column_genes"), "goes with profiles of molecules"));
            }
            if !(0.0..=1.0).contains(&genes.top_share) {
                return Err(self.wrong(&key("column_genes.top_share"), "is not from 0 to 1"));
            }
        }
        Ok(())
    }

    fn check_list(&self, index: usize, list: &EdgeList) -> Result<()> {
        let key = |name: &str| format!("edges[{index}].{name}");
        let node = |end: &EdgeEnd| matches!(end.node, NodeKind::Molecule | NodeKind::Gene);
        for (name, end) in [("source", &list.source), ("target", &list.target)] {
            if !node(end) {
                return Err(self.wrong(&key(&format!("{name}.node")), "is not molecule or gene"));
            }
        }
        if list.kind.is_some() == list.kind_column.is_some() {
            return Err(self.wrong(&key("kind"), "give either kind or kind_column"));
        }
        Ok(())
    }

    /// The files that the tables, spaces and lists name.
    pub fn named_files(&self) -> HashSet<&str> {
        let mut named: HashSet<&str> = self.molecules.iter().map(|table| table.file.as_str()).collect();
        named.extend(self.genes.iter().map(|table| table.file.as_str()));
        named.extend(self.edges.iter().map(|list| list.file.as_str()));
        for space in &self.spaces {
            named.extend([space.table.as_str(), space.features.as_str()]);
            named.extend(space.names.as_deref());
            named.extend(space.column_genes.as_ref().map(|genes| genes.file.as_str()));
        }
        named
    }

    fn check_files(&self) -> Result<()> {
        let named = self.named_files();
        let mut seen = HashSet::new();
        for (index, file) in self.files.iter().enumerate() {
            let wrong = |key: &str, problem: &str| Err(self.wrong(&format!("files[{index}].{key}"), problem));
            let ContextFile { path, sha256, unverified, .. } = file;
            if let Some((key, problem)) = file.reference().fault() {
                return wrong(key, problem);
            }
            if sha256.is_some() == *unverified {
                return wrong("sha256", "give either sha256 or unverified = true");
            }
            if !seen.insert(path.as_str()) {
                return wrong("path", "another file has the same path");
            }
            if !named.contains(path.as_str()) {
                return wrong("path", "no table, space or list of edges names this file");
            }
        }
        let mut missing: Vec<&str> = named.difference(&seen).copied().collect();
        missing.sort_unstable();
        match missing.first() {
            Some(path) => Err(self.wrong("files", format!("\"{path}\" is named above, but is not here"))),
            None => Ok(()),
        }
    }

    pub(in crate::context) fn wrong(&self, key: &str, problem: impl Into<String>) -> Error {
        Error::ManifestValue { path: self.origin.clone(), key: key.to_owned(), problem: problem.into() }
    }
}
