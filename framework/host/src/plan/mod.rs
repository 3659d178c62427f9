//! From a selection to cells and the steps that they need.
//!
//! Nothing runs before the whole plan is valid: methods, plugins, configurations, datasets and splits are
//! checked first.

pub(crate) mod cell;
mod checks;
pub(crate) mod component;
pub(crate) mod describe;
pub mod device;
mod integers;
pub(crate) mod matching;
pub(crate) mod missing;
pub(crate) mod planner;
mod pretraining;
pub(crate) mod select;
pub(crate) mod step;
pub(crate) mod steps;

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use molarena_record::keys::KeySet;

use crate::{
    arena::Arena,
    error::{Error, Result},
    plan::{
        cell::{Cell, Plan},
        planner::{Place, Planner},
        select::Selection,
    },
    plugin::manifest::readable,
    request::{product, sweep::Vary},
    sandbox,
};

/// Most cells of a plan: each takes about a kilobyte, and all are planned before the first one runs.
const MAX_CELLS: u64 = 2_000_000;
/// Most rows of a plan, cells that differ in their seed only: each is described by itself.
const MAX_ROWS: u64 = 100_000;

/// Checks the whole selection and makes the plan.
///
/// # Errors
/// What is wrong with the selection, its methods, plugins and data; [`Error::Interrupted`].
pub fn plan(selection: &Selection, arena: &Arena, interrupted: &AtomicBool) -> Result<Plan> {
    check_hidden(arena)?;
    check_size(selection)?;
    let mut planner = Planner::new(arena, selection, interrupted)?;
    let groups = planner.resolve(selection)?;
    let match_groups = planner.resolve_matches(selection)?;
    planner.check_configurations()?;
    let mut plan = Plan::default();
    let mut keys = KeySet::default();
    let mut add = |cell: Cell| {
        if keys.insert(&cell.key) {
            plan.cells.push(cell);
        }
    };
    for (group, methods) in &groups {
        for id in &group.datasets {
            let dataset = planner.dataset(id)?;
            let split = planner.split(&dataset, group)?;
            for method in methods {
                let place = Place { dataset: &dataset, split: &split };
                planner.task_cells(method, place, group.seeds.each(), &mut add)?;
            }
        }
    }
    for (group, methods) in &match_groups {
        planner.match_cells(group, methods, &mut add)?;
    }
    if plan.cells.is_empty() {
        return Err(Error::NothingSelected("the selection has no dataset, no method or no seed".into()));
    }
    Ok(plan)
}

/// Refuses a selection of too many rows or cells before planning it.
fn check_size(selection: &Selection) -> Result<()> {
    // What an empty list makes no cell of is looked up all the same.
    let product = |counts: &[u64]| counts.iter().map(|&count| count.max(1)).try_fold(1u64, u64::checked_mul);
    let variants = |vary: &Vary| product::count(vary).map_or(u64::MAX, |count| count as u64);
    let tasks = selection.groups.iter().map(|group| {
        let counts = [group.datasets.len() as u64, group.methods.len() as u64, variants(&group.vary)];
        (product(&counts), group.seeds.count())
    });
    let matches = selection
        .matches
        .iter()
        .map(|group| (product(&[group.methods.len() as u64, variants(&group.vary)]), group.seeds.count()));
    let (mut rows, mut cells) = (Some(0u64), Some(0u64));
    for (of_group, seeds) in tasks.chain(matches) {
        let of_seeds = of_group.and_then(|rows| product(&[rows, seeds]));
        rows = rows.and_then(|rows| rows.checked_add(of_group?));
        cells = cells.and_then(|cells| cells.checked_add(of_seeds?));
    }
    let refused = |count: Option<u64>, what: &str, most: u64, fewer: &str| match count {
        Some(count) if count <= most => Ok(()),
        _ => Err(Error::Request(format!(
            "the selection has {} {what}, and a plan may have {most}; name fewer {fewer}",
            count.map_or_else(|| "too many".to_owned(), |count| count.to_string())
        ))),
    };
    refused(rows, "rows of boards", MAX_ROWS, "methods, variants or datasets")?;
    refused(cells, "cells", MAX_CELLS, "seeds or methods")
}

/// Refuses a data folder, a user's table or a store that every worker may read.
fn check_hidden(arena: &Arena) -> Result<()> {
    hidden(arena).into_iter().try_for_each(|(what, path)| match sandbox::exposed_under(&path) {
        Some(root) => Err(Error::Exposed { what, path, root }),
        None => Ok(()),
    })
}

/// Refuses a data folder, a user's table or a store that lies in what a worker must read to open the plugin at `path`, such
/// as its folder.
///
/// # Errors
/// [`Error::Exposed`]; the plugin's manifest cannot be read.
pub(crate) fn check_hidden_from(plugin: &Path, arena: &Arena) -> Result<()> {
    let roots = readable(plugin)?;
    let roots: Vec<PathBuf> =
        roots.into_iter().map(|root| fs_err::canonicalize(&root).unwrap_or(root)).collect();
    hidden(arena).into_iter().try_for_each(|(what, path)| {
        match roots.iter().find(|root| path.starts_with(root)) {
            Some(root) => Err(Error::Exposed { what, root: root.clone(), path }),
            None => Ok(()),
        }
    })
}

/// What no worker may read.
fn hidden(arena: &Arena) -> Vec<(&'static str, PathBuf)> {
    // A missing data folder is reported with the dataset that needs it.
    let data_dir = fs_err::canonicalize(&arena.data_dir).unwrap_or_else(|_| arena.data_dir.clone());
    let stores = [arena.store.root(), arena.encoders.root()].map(|root| ("store", root.to_owned()));
    let tables = arena.catalog.own_files().map(|path| ("table", path.to_owned()));
    std::iter::once(("data folder", data_dir)).chain(stores).chain(tables).collect()
}

/// The folder that a suite's method paths are relative to.
pub fn base_of(suite: &Path) -> PathBuf {
    suite.parent().map(Path::to_owned).unwrap_or_default()
}
