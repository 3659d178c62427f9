//! From a selection to fits and cells: what a plan says, and how it is made.

pub(crate) mod describe;
pub(crate) mod matching;
pub(crate) mod missing;
pub(crate) mod planner;
mod pretraining;
pub(crate) mod select;
pub(crate) mod step;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{
    arena::Arena,
    error::{Error, Result},
    plan::{
        matching::PlannedMatch,
        planner::{Place, Planner},
        select::Selection,
        step::{Plan, PlannedCell, PlannedFit},
    },
    sandbox,
};

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
        if let Some(root) = sandbox::exposed_under(path) {
            return Err(Error::Exposed { what, path: path.to_owned(), root });
        }
    }
    for path in arena.catalog.own_files() {
        if let Some(root) = sandbox::exposed_under(path) {
            return Err(Error::Exposed { what: "table", path: path.to_owned(), root });
        }
    }
    Ok(())
}

/// The folder that a suite's method paths start from.
pub fn base_of(suite: &Path) -> PathBuf {
    suite.parent().map(Path::to_owned).unwrap_or_default()
}
