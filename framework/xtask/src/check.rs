//! The one command before a commit: every check, cheapest first, stopping at the first that fails.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use crate::{Error, Mode, Result, cargo, header, licences, profiles};

/// One check: its name, what it does, and what to run when it fails.
struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
    mend: &'static str,
}

const STEPS: &[Step] = &[
    Step { name: "profiles", run: profiles::run, mend: "set panic = \"unwind\" in the profile" },
    Step { name: "header", run: || header::run(Mode::Check), mend: "cargo xtask header" },
    Step { name: "format", run: || run_cargo("fmt --all --check"), mend: "cargo fmt --all" },
    Step {
        name: "licences",
        run: || licences::run(Mode::Check),
        mend: "cargo xtask licences (or choose another dependency)",
    },
    Step {
        name: "clippy",
        run: || run_cargo("clippy --workspace --all-targets -- -D warnings"),
        mend: "cargo clippy --workspace --all-targets",
    },
    Step {
        name: "docs",
        run: || run_cargo("doc --workspace --no-deps"),
        mend: "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps",
    },
    Step {
        name: "tests",
        run: || run_cargo("test --workspace"),
        mend: "cargo test --workspace (add `-p PACKAGE` and the test's name to run it alone)",
    },
];

/// Runs the steps in order and prints each with its time; stops at the first that fails.
pub fn run() -> Result<()> {
    let mut times = Vec::new();
    for step in STEPS {
        eprintln!("==> {}", step.name);
        let start = Instant::now();
        let result = (step.run)();
        times.push(start.elapsed());
        if let Err(error) = result {
            eprint!("{}", summary(&times, Some(step)));
            return Err(error);
        }
    }
    eprint!("{}", summary(&times, None));
    Ok(())
}

/// A line for each step that ran; the last one failed when `failed` is given.
fn summary(times: &[Duration], failed: Option<&Step>) -> String {
    let total: Duration = times.iter().sum();
    let mut text = String::from("\n");
    for (index, (step, time)) in STEPS.iter().zip(times).enumerate() {
        let verdict = if failed.is_some() && index + 1 == times.len() { "FAILED" } else { "ok" };
        let _ = writeln!(text, "{:<10} {verdict:<6} {:>7.1} s", step.name, time.as_secs_f64());
    }
    for step in &STEPS[times.len()..] {
        let _ = writeln!(text, "{:<10} not run", step.name);
    }
    let _ = writeln!(text, "{:<17} {:>7.1} s", "total", total.as_secs_f64());
    if let Some(step) = failed {
        let _ = writeln!(text, "\n{} failed; run: {}", step.name, step.mend);
    }
    text
}

fn run_cargo(arguments: &str) -> Result<()> {
    let status = cargo().args(arguments.split_whitespace()).env("RUSTDOCFLAGS", "-Dwarnings").status()?;
    if status.success() { Ok(()) } else { Err(Error::Command(format!("cargo {arguments}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_what_failed_and_what_did_not_run() {
        let text = summary(&[Duration::from_millis(100), Duration::from_millis(1900)], Some(&STEPS[1]));
        let lines: Vec<_> = text.trim().lines().collect();
        assert_eq!(lines[0], "profiles   ok         0.1 s");
        assert_eq!(lines[1], "header     FAILED     1.9 s");
        assert_eq!(lines[2], "format     not run");
        assert_eq!(lines[7], "total                 2.0 s");
        assert_eq!(lines[9], "header failed; run: cargo xtask header");
    }
}
