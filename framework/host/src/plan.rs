//! From a selection to fits and cells: what a plan says, and how it is made.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use molarena_data::{Catalog, Split};
use molarena_metrics::Metric;

use crate::{
    ArenaDataset, Error, FeatureSpec, Method, Methods, PlannedPretrain, Result, Store, confine,
    discovery::SearchPath,
    planned_match::PlannedMatch,
    planner::{Place, Planner},
    record::{Composition, SplitInfo},
    suite::{CellGroup, MatchGroup},
    supervise::Launcher,
};

/// Which cells to run.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Groups of cells.
    pub groups: Vec<CellGroup>,
    /// Groups of cells that match molecules and profiles.
    pub matches: Vec<MatchGroup>,
    /// Folder that relative paths of method files start from.
    pub base: PathBuf,
    /// Shuffles the training labels of every method.
    pub shuffle_labels: bool,
    /// The dataset whose molecules leave the corpora of pretraining, where it is not the one of the cells.
    pub leave_out_of: Option<String>,
}

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct Arena {
    /// The datasets.
    pub catalog: Catalog,
    /// The methods.
    pub methods: Methods,
    /// Where plugins are.
    pub plugins: SearchPath,
    /// How workers are started.
    pub launcher: Launcher,
    /// Where the data are.
    pub data_dir: PathBuf,
    /// Where results go.
    pub store: Store,
    /// Where trained encoders are kept, and the context graphs for them; most often the same store.
    pub encoders: Store,
    /// Is told what takes long while a plan is made, and what a user should know.
    pub tell: fn(&str),
}

/// One run of a worker and the cells that are scored from it.
#[derive(Clone, Debug)]
pub struct PlannedFit {
    /// Hash of everything that decides the predictions.
    pub key: String,
    /// The dataset.
    pub dataset: Arc<ArenaDataset>,
    /// The split.
    pub split: Arc<Split>,
    /// The method; cells of other names may share its fit.
    pub method: Method,
    /// Seed of the fit: that of its cells, or 0 where the seed changes nothing.
    pub seed: u64,
    /// What makes the predictions.
    pub work: Work,
    /// What goes into the records.
    pub composition: Composition,
    /// The cells; none where only an ensemble needs the predictions.
    pub cells: Vec<PlannedCell>,
}

/// What makes predictions.
#[derive(Clone, Debug)]
pub enum Work {
    /// A worker.
    Model(Box<PlannedModel>),
    /// The host, from the predictions of other fits of the plan.
    Ensemble(Vec<PlannedMember>),
}

/// What a worker fits.
#[derive(Clone, Debug)]
pub struct PlannedModel {
    /// What is computed of each molecule.
    pub features: FeatureSpec,
    /// The encoder and its library, where there is one.
    pub encoder: Option<PlannedComponent>,
    /// What trains the encoder before, unless it is used untrained.
    pub pretrain: Option<Arc<PlannedPretrain>>,
    /// The baseline under each configuration to choose from.
    pub candidates: Vec<PlannedComponent>,
}

/// A member of an ensemble.
#[derive(Clone, Debug)]
pub struct PlannedMember {
    /// Name of the method.
    pub method: String,
    /// Key of its fit.
    pub key: String,
}

/// A component and the library that it is in.
#[derive(Clone, Debug)]
pub struct PlannedComponent {
    /// The library.
    pub library: PathBuf,
    /// Component id inside the plugin.
    pub id: String,
    /// Canonical JSON.
    pub config: String,
}

/// One cell: a fit scored under a protocol, for one row of a board.
#[derive(Clone, Debug)]
pub struct PlannedCell {
    /// Hash of everything that decides the record.
    pub key: String,
    /// Seed of the row's run.
    pub seed: u64,
    /// The method.
    pub method: Method,
    /// The metric.
    pub metric: Metric,
}

/// Everything that is to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The fits, in the order of the selection.
    pub fits: Vec<PlannedFit>,
    /// The cells that match molecules and profiles, in the order of the selection.
    pub matches: Vec<PlannedMatch>,
}

impl Plan {
    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.fits.iter().map(|fit| fit.cells.len()).sum::<usize>() + self.matches.len()
    }

    /// The datasets of the plan, each once.
    pub fn datasets(&self) -> Vec<Arc<ArenaDataset>> {
        let mut seen = BTreeSet::new();
        let datasets = self.fits.iter().map(|fit| &fit.dataset);
        datasets.filter(|dataset| seen.insert(dataset.dataset.id.clone())).cloned().collect()
    }
}

impl PlannedFit {
    /// The members, if this is an ensemble.
    pub fn members(&self) -> &[PlannedMember] {
        match &self.work {
            Work::Model(_) => &[],
            Work::Ensemble(members) => members,
        }
    }

    /// The split as records describe it.
    pub fn split_info(&self) -> SplitInfo {
        SplitInfo::of(&self.split)
    }

    /// What trains its encoder before, if anything does.
    pub fn pretrain(&self) -> Option<&Arc<PlannedPretrain>> {
        match &self.work {
            Work::Model(model) => model.pretrain.as_ref(),
            Work::Ensemble(_) => None,
        }
    }
}

/// Checks the whole selection and makes the plan. Nothing runs before this is valid.
pub fn plan(selection: &Selection, arena: &Arena) -> Result<Plan> {
    check_hidden(arena)?;
    let mut planner = Planner::new(arena, selection.leave_out_of.clone());
    let groups = planner.resolve(selection)?;
    let match_groups = planner.resolve_matches(selection)?;
    let mut all = PlannedFits::default();
    for (group, methods) in &groups {
        for id in &group.datasets {
            let dataset = planner.dataset(id)?;
            let split = planner.split(&dataset, group)?;
            for method in methods {
                for seed in group.seeds.to_vec() {
                    let place = Place { dataset: &dataset, split: &split, seed };
                    let (fits, cell) = planner.cell(method, &place)?;
                    all.add(fits, cell);
                }
            }
        }
    }
    let mut matches: Vec<PlannedMatch> = Vec::new();
    for (group, methods) in &match_groups {
        for planned in planner.matches(group, methods)? {
            if matches.iter().all(|known| known.key != planned.key) {
                matches.push(planned);
            }
        }
    }
    let fits = all.fits;
    if fits.is_empty() && matches.is_empty() {
        return Err(Error::NothingSelected("the selection has no dataset, no method or no seed".into()));
    }
    Ok(Plan { fits, matches })
}

/// Fits, each once, in the order in which they were asked for.
#[derive(Default)]
struct PlannedFits {
    fits: Vec<PlannedFit>,
    index: BTreeMap<String, usize>,
    cells: BTreeSet<String>,
}

impl PlannedFits {
    /// Adds fits and the cell that is scored from the last of them.
    fn add(&mut self, fits: Vec<PlannedFit>, cell: PlannedCell) {
        if !self.cells.insert(cell.key.clone()) {
            return;
        }
        let mut last = 0;
        for fit in fits {
            last = *self.index.entry(fit.key.clone()).or_insert_with(|| {
                self.fits.push(fit);
                self.fits.len() - 1
            });
        }
        self.fits[last].cells.push(cell);
    }
}

/// Refuses a data folder, an own table or a store where every worker may read.
fn check_hidden(arena: &Arena) -> Result<()> {
    // A missing data folder is reported with the dataset that needs it.
    let data_dir = fs_err::canonicalize(&arena.data_dir).unwrap_or_else(|_| arena.data_dir.clone());
    let stores = [arena.store.root(), arena.encoders.root()].map(|root| ("store", root));
    for (what, path) in [("data folder", data_dir.as_path())].into_iter().chain(stores) {
        if let Some(root) = confine::exposed_under(path) {
            return Err(Error::Exposed { what, path: path.to_owned(), root });
        }
    }
    for path in arena.catalog.own_files() {
        if let Some(root) = confine::exposed_under(path) {
            return Err(Error::Exposed { what: "table", path: path.to_owned(), root });
        }
    }
    Ok(())
}

/// The folder that a suite's method paths start from.
pub fn base_of(suite: &Path) -> PathBuf {
    suite.parent().map(Path::to_owned).unwrap_or_default()
}
