//! The sizes of a simulated world.

use molarena_data::sha256_hex;

use crate::error::{Error, Result};

/// Id of the classification dataset of the default world; the regression dataset has `-regression` added.
pub(crate) const DEFAULT_ID: &str = "demo";

/// Maximum number of molecules; the enumeration has millions.
const MOST_MOLECULES: usize = 500_000;
/// Maximum number of cells of a table; a larger number is surely mistyped.
const MOST_CELLS: usize = 4_000_000_000;

/// The seed and the sizes of a simulated world. Equal parameters give equal bytes on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Determines all random draws.
    pub seed: u64,
    /// Molecules with labels: rows of both datasets.
    pub molecules: usize,
    /// Molecules of the context graph that have no labels. A tenth of the labelled ones are also in the
    /// graph.
    pub context_molecules: usize,
    /// Gene nodes of the context graph.
    pub genes: usize,
    /// Columns of an expression profile: the first genes.
    pub expression_columns: usize,
    /// Columns of a morphology profile.
    pub morphology_columns: usize,
    /// Expression profiles of the context graph: one for each molecule in random order, then replicates.
    pub expression_profiles: usize,
    /// Morphology profiles of the context graph, likewise.
    pub morphology_profiles: usize,
    /// Edges between genes.
    pub gene_edges: usize,
    /// Batches that profiles are measured in.
    pub batches: usize,
}

impl Parameters {
    /// The demo: takes seconds to make and a few MB.
    pub const DEMO: Self = Self {
        seed: 0,
        molecules: 600,
        context_molecules: 3_000,
        genes: 240,
        expression_columns: 150,
        morphology_columns: 120,
        expression_profiles: 4_000,
        morphology_profiles: 4_500,
        gene_edges: 900,
        batches: 8,
    };

    /// A context graph of the size of the `InfoAlign` paper's: 276,855 nodes, 366,384 edges, 5,500 feature columns.
    pub const PAPER: Self = Self {
        seed: 0,
        molecules: 600,
        context_molecules: 129_940,
        genes: 13_000,
        expression_columns: 978,
        morphology_columns: 4_522,
        expression_profiles: 13_855,
        morphology_profiles: 120_000,
        gene_edges: 93_979,
        batches: 120,
    };

    /// The classification dataset's id: `demo` for the default world, `demo-s7` for another seed, `demo-paper` for the
    /// paper's size, and `demo-s7-1a2b3c4d` with a hash of the sizes for others.
    pub fn id(&self) -> String {
        let seedless = |size: Self| Self { seed: self.seed, ..size };
        let seed = if self.seed == 0 { String::new() } else { format!("-s{}", self.seed) };
        if *self == seedless(Self::DEMO) {
            return format!("{DEFAULT_ID}{seed}");
        }
        if *self == seedless(Self::PAPER) {
            return format!("{DEFAULT_ID}-paper{seed}");
        }
        let hash = sha256_hex(format!("{self:?}").as_bytes());
        format!("{DEFAULT_ID}{seed}-{}", &hash[..8])
    }

    /// Number of labelled molecules that are also in the context graph: every tenth.
    pub fn shared_molecules(&self) -> usize {
        self.molecules.div_ceil(10)
    }

    /// Genes that each molecule with an expression profile is joined to: 1 % of the columns, but at least 3.
    pub fn genes_of_a_molecule(&self) -> usize {
        self.expression_columns.div_ceil(100).max(3)
    }

    /// Nodes of the context graph.
    pub fn nodes(&self) -> usize {
        let molecules = self.context_molecules + self.shared_molecules();
        molecules + self.genes + self.expression_profiles + self.morphology_profiles
    }

    /// Edges of the context graph, without those that a builder finds by similarity.
    pub fn edges(&self) -> usize {
        let molecules = self.context_molecules + self.shared_molecules();
        let with_expression = self.expression_profiles.min(molecules);
        self.expression_profiles
            + self.morphology_profiles
            + with_expression * self.genes_of_a_molecule()
            + self.gene_edges
    }

    /// Checks that such a world can be made.
    ///
    /// # Errors
    /// [`Error::Simulation`] names the parameter and the values that are possible.
    pub fn check(&self) -> Result<()> {
        let ranges = [
            ("molecules", self.molecules, 40, MOST_MOLECULES),
            ("context-molecules", self.context_molecules, 10, MOST_MOLECULES),
            ("expression-columns", self.expression_columns, 5, 100_000),
            ("genes", self.genes, self.expression_columns, 1_000_000),
            ("morphology-columns", self.morphology_columns, 5, 100_000),
            ("expression-profiles", self.expression_profiles, 1, MOST_CELLS / self.expression_columns.max(1)),
            ("morphology-profiles", self.morphology_profiles, 1, MOST_CELLS / self.morphology_columns.max(1)),
            // Half of all pairs; beyond that, most draws would be repeats.
            ("gene-edges", self.gene_edges, 0, self.genes.saturating_mul(self.genes.saturating_sub(1)) / 4),
            ("batches", self.batches, 2, 10_000),
        ];
        for (name, value, least, most) in ranges {
            if value < least || value > most {
                let problem = format!("{value} is not from {least} to {most}");
                return Err(Error::Simulation { parameter: name, problem });
            }
        }
        Ok(())
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::DEMO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_graph_has_its_size() {
        let paper = Parameters::PAPER;
        assert_eq!((paper.nodes(), paper.edges()), (276_855, 366_384));
        assert_eq!(paper.expression_columns + paper.morphology_columns, 5_500);
        assert!(paper.context_molecules + paper.shared_molecules() >= 130_000);
    }

    #[test]
    fn ids_tell_worlds_apart() {
        let demo = Parameters::DEMO;
        assert_eq!(demo.id(), "demo");
        assert_eq!(Parameters { seed: 7, ..demo }.id(), "demo-s7");
        assert_eq!(Parameters { seed: 7, ..Parameters::PAPER }.id(), "demo-paper-s7");
        let smaller = Parameters { molecules: 300, ..demo }.id();
        assert!(smaller.starts_with("demo-") && smaller.len() == 13, "{smaller}");
        assert_ne!(smaller, Parameters { molecules: 301, ..demo }.id());
    }

    #[test]
    fn impossible_sizes_are_named() {
        let demo = Parameters::DEMO;
        demo.check().unwrap();
        Parameters::PAPER.check().unwrap();
        for (parameters, name) in [
            (Parameters { molecules: 3, ..demo }, "molecules"),
            (Parameters { genes: 100, ..demo }, "genes"),
            (Parameters { gene_edges: 20_000, ..demo }, "gene-edges"),
            (Parameters { morphology_profiles: usize::MAX, ..demo }, "morphology-profiles"),
            (Parameters { batches: 1, ..demo }, "batches"),
        ] {
            let error = parameters.check().unwrap_err();
            assert!(error.to_string().contains(&format!("--{name}: ")), "{error}");
            assert_eq!(error.code(), "E-DATA-030");
        }
    }
}
