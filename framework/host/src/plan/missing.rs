//! The unfinished steps of a plan.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    arena::Arena,
    error::Result,
    plan::{cell::Cell, step::Step},
};

/// Steps that cells wait for and the store lacks, each once.
#[derive(Debug, Default)]
pub struct Missing {
    /// The steps, each after its needs.
    pub steps: Vec<Arc<Step>>,
    seen: BTreeSet<String>,
}

impl Missing {
    /// The steps that `cells` wait for. A step whose outcome is stored needs nothing.
    ///
    /// # Errors
    /// Errors of reading the store.
    pub fn of<'a>(cells: impl Iterator<Item = &'a Cell>, arena: &Arena) -> Result<Self> {
        let mut missing = Self::default();
        for cell in cells {
            missing.add(&cell.step, arena)?;
        }
        Ok(missing)
    }

    /// Adds a step and its needs unless they are stored.
    ///
    /// # Errors
    /// Errors of reading the store.
    pub fn add(&mut self, step: &Arc<Step>, arena: &Arena) -> Result<()> {
        if !self.seen.insert(step.key.clone()) || arena.store_of(step.kind()).step(&step.key)?.is_some() {
            return Ok(());
        }
        for need in &step.needs {
            self.add(need, arena)?;
        }
        self.steps.push(Arc::clone(step));
        Ok(())
    }
}

/// Forgets the failures of the cells and of the steps behind them, so that they run again.
///
/// # Errors
/// Errors of the store.
pub fn forget_failures<'a>(cells: impl Iterator<Item = &'a Cell>, arena: &Arena) -> Result<()> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for cell in cells {
        arena.store.forget_failed_cell(&cell.key)?;
        forget_step(&cell.step, arena, &mut seen)?;
    }
    Ok(())
}

fn forget_step(step: &Step, arena: &Arena, seen: &mut BTreeSet<String>) -> Result<()> {
    if !seen.insert(step.key.clone()) {
        return Ok(());
    }
    let store = arena.store_of(step.kind());
    if let Some(record) = store.forget_failed_step(&step.key)?
        && step.work.keeps_folder()
    {
        store.put_spent(&step.key, &record.cost)?;
    }
    step.needs.iter().try_for_each(|need| forget_step(need, arena, seen))
}
