//! What `run` does about jobs of Slurm beside running: what stays in the queue when it stops, and what it collected.

use std::io::{BufRead, IsTerminal};

use molarena_evaluate::Summary;
use molarena_host::{Queued, Slurm};

/// Says what stays in the queue after a run that was interrupted or failed. On a terminal, asks after Ctrl-C whether to
/// cancel it.
///
/// # Errors
/// Slurm does not cancel.
pub(super) fn leave(slurm: &Slurm, interrupted: bool) -> anyhow::Result<()> {
    let count = slurm.unfinished();
    if count == 0 {
        return Ok(());
    }
    let name = slurm.name();
    if interrupted && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        say!("{count} jobs of this run are in the queue as {name}. Cancel them? [y/N]");
        let mut answer = String::new();
        // Without an answer they stay.
        let _read = std::io::stdin().lock().read_line(&mut answer);
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            let cancelled = slurm.cancel()?;
            say!("{cancelled} jobs cancelled");
            return Ok(());
        }
    }
    say!(
        "{count} jobs of this run stay in the queue of Slurm as {name}:\n\
         \x20 the same command takes them up again; with --collect it only takes in what has ended\n\
         \x20 scancel --name={name} cancels all jobs of this store"
    );
    Ok(())
}

/// What is left after a run that only collects.
pub(super) fn collected(slurm: &Slurm, summary: Summary) -> String {
    let Queued { pending, running } = slurm.queued();
    format!(
        "{} cells are not done; in the queue as {}: {running} running, {pending} pending\n",
        summary.waiting,
        slurm.name()
    )
}
