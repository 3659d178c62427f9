//! What of a plan is not finished.

use std::collections::BTreeSet;

use crate::{
    arena::Arena,
    error::Result,
    execute::observer::{RunOptions, Summary},
    plan::matching::PlannedMatch,
    plan::step::{Plan, PlannedFit},
};
use molarena_record::{
    cell::{Outcome, Record},
    matching::{MatchOutcome, MatchRecord},
};

/// Fits and matching cells to run.
pub(crate) type Missing<'a> = (Vec<&'a PlannedFit>, Vec<&'a PlannedMatch>, Summary);

/// The fits with cells that are not finished, those that ensembles among them need, and the matching cells that are not
/// finished.
pub(crate) fn missing<'a>(plan: &'a Plan, arena: &Arena, options: RunOptions) -> Result<Missing<'a>> {
    let mut summary = Summary::default();
    let mut missing = Vec::new();
    for fit in &plan.fits {
        let mut records = stored_records(fit, arena)?;
        if options.retry_failed && has_failed(fit, &records, arena)? {
            let keys: Vec<String> = fit.cells.iter().map(|cell| cell.key.clone()).collect();
            arena.store.forget_failure(&fit.key, &keys)?;
            if let Some(pretrain) = fit.pretrain() {
                arena.encoders.forget_encoder_failure(&pretrain.key)?;
            }
            records.fill(None);
        }
        summary.resumed += records.iter().flatten().count();
        summary.failed += records.iter().flatten().filter(|record| failed(record)).count();
        missing.push((fit, records.iter().any(Option::is_none)));
    }
    let needed: BTreeSet<&str> = missing
        .iter()
        .filter(|(_, missing)| *missing)
        .flat_map(|(fit, _)| fit.members())
        .map(|member| member.key.as_str())
        .collect();
    let missing = missing.iter().filter(|(fit, missing)| *missing || needed.contains(fit.key.as_str()));
    let missing = missing.map(|(fit, _)| *fit).collect();
    let (matches, summary) = missing_matches(plan, arena, options, summary)?;
    Ok((missing, matches, summary))
}

fn missing_matches<'a>(
    plan: &'a Plan,
    arena: &Arena,
    options: RunOptions,
    mut summary: Summary,
) -> Result<(Vec<&'a PlannedMatch>, Summary)> {
    let mut missing = Vec::new();
    for planned in &plan.matches {
        let record = arena.store.match_record(&planned.key)?;
        let failed = matches!(&record, Some(MatchRecord { outcome: MatchOutcome::Failed(_), .. }));
        if failed && options.retry_failed {
            arena.store.forget_match_failure(&planned.key)?;
            if let Some(pretrain) = &planned.pretrain {
                arena.encoders.forget_encoder_failure(&pretrain.key)?;
            }
        } else if record.is_some() {
            summary.resumed += 1;
            summary.failed += usize::from(failed);
            continue;
        }
        missing.push(planned);
    }
    Ok((missing, summary))
}

fn has_failed(fit: &PlannedFit, records: &[Option<Record>], arena: &Arena) -> Result<bool> {
    if fit.cells.is_empty() {
        return Ok(arena.store.fit(&fit.key)?.is_some_and(|fit| fit.failure.is_some()));
    }
    Ok(records.iter().flatten().any(failed))
}

/// Whether a cell failed.
pub(crate) fn failed(record: &Record) -> bool {
    matches!(record.outcome, Outcome::Failed(_))
}

fn stored_records(fit: &PlannedFit, arena: &Arena) -> Result<Vec<Option<Record>>> {
    fit.cells.iter().map(|cell| arena.store.record(&cell.key)).collect()
}
