//! Which records a suite names.

use std::path::Path;

use molarena_host::{Error, Methods, Suite};
use molarena_record::{cell::Record, matching::MatchRecord};

/// The cells that a suite names.
pub(crate) struct SuiteCells {
    suite: Suite,
    /// Method names of each group of cells.
    methods: Vec<Vec<String>>,
    /// The same for groups of matching cells.
    matchers: Vec<Vec<String>>,
}

impl SuiteCells {
    pub(crate) fn load(path: &Path, methods_dir: Option<&Path>) -> anyhow::Result<Self> {
        let suite = Suite::load(path)?;
        let known = Methods::load(methods_dir)?;
        let base = path.parent().unwrap_or(Path::new(""));
        let names = |group: &[String]| -> Result<Vec<String>, Error> {
            group.iter().map(|name| Ok(known.get(name, base)?.name)).collect()
        };
        let methods = suite.cells.iter().map(|group| names(&group.methods)).collect::<Result<_, Error>>()?;
        let matchers =
            suite.matches.iter().map(|group| names(&group.methods)).collect::<Result<_, Error>>()?;
        Ok(Self { suite, methods, matchers })
    }

    /// Whether a group names the record's dataset, method, seed and split. Parameters in brackets are not
    /// part of a method's name here.
    pub(crate) fn has(&self, record: &Record) -> bool {
        let name = without_parameters(&record.method);
        self.suite.cells.iter().zip(&self.methods).any(|(group, methods)| {
            let split = group.split.is_none_or(|split| {
                record.split.protocol == split.to_string()
                    && (!split.uses_seed() || record.split.seed == group.split_seed)
            });
            split
                && group.datasets.contains(&record.dataset)
                && methods.iter().any(|method| method == name)
                && group.seeds.each().any(|seed| seed == record.seed)
        })
    }

    /// The same for a matching record: context, spaces, split, candidates, method and seed.
    pub(crate) fn has_match(&self, record: &MatchRecord) -> bool {
        let name = without_parameters(&record.method);
        self.suite.matches.iter().zip(&self.matchers).any(|(group, methods)| {
            group.context == record.context
                && group.spaces == record.spaces
                && (if group.ranked.is_empty() { &group.spaces } else { &group.ranked })
                    == record.ranked_spaces()
                && group.candidates == record.candidates
                && record.split.protocol == group.split.to_string()
                && (!group.split.uses_seed() || record.split.seed == group.split_seed)
                && methods.iter().any(|method| method == name)
                && group.seeds.each().any(|seed| seed == record.seed)
        })
    }
}

fn without_parameters(method: &str) -> &str {
    method.split_once('[').map_or(method, |(name, _)| name)
}
