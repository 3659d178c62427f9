//! Matching tasks: the query molecules, the candidate profiles, and which profiles belong to which query.

use std::collections::{BTreeMap, BTreeSet};

use molarena_chem::Molecule;
use molarena_data::context::{ContextGraph, NodeKind};
use molarena_record::{matching::Candidates, parts::SplitInfo};

use crate::{
    error::{Error, Result},
    request::suite::MatchGroup,
};

/// Molecules and profiles to match, the same for all methods of a group.
#[derive(Clone, Debug)]
pub struct MatchTask {
    /// Id of the context graph.
    pub context: String,
    /// Hash of the graph's content.
    pub context_key: String,
    /// Whether the graph's data are simulated.
    pub simulated: bool,
    /// The split of the molecules that have a profile in any of the spaces.
    pub split: SplitInfo,
    /// Which profiles are ranked.
    pub candidates: Candidates,
    /// SMILES of the query molecules: those of the test part.
    pub queries: Vec<String>,
    /// Nodes of the query molecules.
    pub nodes: Vec<u64>,
    /// Names of the spaces whose molecules are split, in the order of the suite.
    pub split_spaces: Vec<String>,
    /// Those of them whose profiles are ranked, in the same order.
    pub spaces: Vec<MatchSpace>,
    /// Identity keys of the query molecules.
    pub identities: BTreeSet<String>,
}

/// One space of a task.
#[derive(Clone, Debug)]
pub struct MatchSpace {
    /// Name of the space.
    pub name: String,
    /// Rows of the context's space that are ranked, ascending.
    pub candidates: Vec<usize>,
    /// For each query with a profile: its index in [`MatchTask::queries`], and the rows of its own profiles
    /// in the context's space.
    pub relevant: Vec<(usize, Vec<usize>)>,
}

impl MatchTask {
    /// Names of the ranked spaces if they are not all.
    pub fn ranked(&self) -> Option<Vec<String>> {
        let names = self.spaces.iter().map(|space| space.name.clone());
        (self.spaces.len() < self.split_spaces.len()).then(|| names.collect())
    }
}

/// The matching task of a group: the query molecules in `graph`, and their own profiles.
pub(crate) fn task(graph: &ContextGraph, group: &MatchGroup) -> Result<MatchTask> {
    let mut owners = Vec::new();
    for name in &group.spaces {
        owners.push(owners_of(graph, name)?);
    }
    let molecules: BTreeSet<usize> = owners.iter().flatten().map(|&(_, molecule)| molecule).collect();
    let molecules: Vec<usize> = molecules.into_iter().collect();
    let scaffolds = molecules.iter().map(|&molecule| {
        let molecule = Molecule::parse(&graph.molecules[molecule].smiles);
        molecule
            .map(|molecule| molecule.scaffold(true))
            .map_err(|error| Error::Features { dataset: graph.id.clone(), message: error.to_string() })
    });
    let scaffolds = scaffolds.collect::<Result<Vec<_>>>()?;
    let split = group.split.split(&scaffolds, group.split_seed).without_empty_part(&graph.id)?;
    let asked: Vec<usize> = split.test.iter().map(|&index| molecules[index]).collect();
    let query_of: BTreeMap<usize, usize> =
        asked.iter().enumerate().map(|(query, &molecule)| (molecule, query)).collect();
    let is_ranked = |name: &String| group.ranked.is_empty() || group.ranked.contains(name);
    let ranked = group.spaces.iter().zip(owners).filter(|(name, _)| is_ranked(name));
    let spaces = ranked.map(|(name, owners)| {
        let mut relevant: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &(row, molecule) in &owners {
            if let Some(&query) = query_of.get(&molecule) {
                relevant.entry(query).or_default().push(row);
            }
        }
        if relevant.is_empty() {
            let message = format!(
                "no query molecule has a profile in space `{name}` of `{}`; another split_seed may help",
                graph.id
            );
            return Err(Error::Request(message));
        }
        let candidates = match group.candidates {
            Candidates::All => owners.iter().map(|&(row, _)| row).collect(),
            Candidates::Test => {
                let mut rows: Vec<usize> = relevant.values().flatten().copied().collect();
                rows.sort_unstable();
                rows
            }
        };
        Ok(MatchSpace { name: name.clone(), candidates, relevant: relevant.into_iter().collect() })
    });
    Ok(MatchTask {
        context: graph.id.clone(),
        context_key: graph.key.clone(),
        simulated: graph.simulated,
        split: SplitInfo::of(&split),
        candidates: group.candidates,
        queries: asked.iter().map(|&molecule| graph.molecules[molecule].smiles.clone()).collect(),
        nodes: asked.iter().map(|&molecule| graph.molecules[molecule].node).collect(),
        identities: asked.iter().map(|&molecule| graph.molecules[molecule].identity.clone()).collect(),
        split_spaces: group.spaces.clone(),
        spaces: spaces.collect::<Result<_>>()?,
    })
}

/// Row and molecule of each profile of a space.
fn owners_of(graph: &ContextGraph, name: &str) -> Result<Vec<(usize, usize)>> {
    let failed =
        |message: String| Error::Request(format!("space `{name}` of context `{}` {message}", graph.id));
    let Some(space) = graph.space(name) else {
        let known: Vec<&str> = graph.spaces.iter().map(|space| space.name.as_str()).collect();
        return Err(failed(format!("is not there; there are: {}", known.join(", "))));
    };
    let owners = graph.profiles_of(name);
    if space.kind == NodeKind::Gene || owners.is_empty() {
        return Err(failed("has no profiles of molecules".into()));
    }
    Ok(owners)
}
