//! The unfinished steps of a plan.

use std::sync::Arc;

use molarena_record::{keys::KeySet, step::Kind};

use crate::{
    arena::Arena,
    error::{Error, Result},
    plan::{cell::Cell, step::Step},
    store::present::Present,
};

/// Steps that cells wait for and the store lacks, each once.
#[derive(Debug, Default)]
pub struct Missing {
    /// The steps, each after its needs.
    pub steps: Vec<Arc<Step>>,
    seen: KeySet,
}

impl Missing {
    /// The steps that `cells` wait for. A step whose outcome is stored needs nothing; `present` lists the store.
    ///
    /// # Errors
    /// Errors of reading the store.
    pub fn of<'a>(cells: impl Iterator<Item = &'a Cell>, arena: &Arena, present: &Present) -> Result<Self> {
        let mut missing = Self::default();
        for cell in cells {
            missing.add(&cell.step, arena, present)?;
        }
        Ok(missing)
    }

    /// Adds a step and its needs unless they are stored; `present` lists the store.
    ///
    /// # Errors
    /// Errors of reading the store.
    pub fn add(&mut self, step: &Arc<Step>, arena: &Arena, present: &Present) -> Result<()> {
        let stored = || {
            Ok::<_, Error>(
                may_be_there(step, present) && arena.store_of(step.kind()).step(&step.key)?.is_some(),
            )
        };
        if !self.seen.insert(&step.key) || stored()? {
            return Ok(());
        }
        for need in &step.needs {
            self.add(need, arena, present)?;
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
    let (present, mut seen) = (arena.store.present()?, KeySet::default());
    for cell in cells {
        if present.may_have(&cell.key) {
            arena.store.forget_failed_cell(&cell.key)?;
        }
        forget_step(&cell.step, arena, &present, &mut seen)?;
    }
    Ok(())
}

/// Whether there may be a record of a step. Pretrainings, which are few, may lie in another store than the listed one.
fn may_be_there(step: &Step, present: &Present) -> bool {
    step.kind() == Kind::Pretrain || present.may_have(&step.key)
}

fn forget_step(step: &Step, arena: &Arena, present: &Present, seen: &mut KeySet) -> Result<()> {
    if !seen.insert(&step.key) {
        return Ok(());
    }
    let store = arena.store_of(step.kind());
    if may_be_there(step, present)
        && let Some(record) = store.forget_failed_step(&step.key)?
        && step.work.keeps_folder()
    {
        store.put_spent(&step.key, &record.cost)?;
    }
    step.needs.iter().try_for_each(|need| forget_step(need, arena, present, seen))
}
