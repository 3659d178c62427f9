//! The command to run before a commit: every check, cheapest first, stopping at the first that fails.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use crate::{Error, Mode, Result, cargo, deny, header, licences, profiles, rust_version};

/// Checks to leave out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Do not run cargo-deny.
    pub without_deny: bool,
}

/// One check: its name, what it does, and what to run when it fails. A check may give a note for the summary.
struct Step {
    name: &'static str,
    run: fn(Options) -> Result<Option<String>>,
    mend: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        name: "profiles",
        run: |_| profiles::run().map(silent),
        mend: "set panic = \"unwind\" in the profile",
    },
    Step {
        name: "rust",
        run: |_| rust_version::declared().map(silent),
        mend: "rustup update (or set rust-version.workspace = true in the member)",
    },
    Step { name: "header", run: |_| header::run(Mode::Check).map(silent), mend: "cargo xtask header" },
    Step { name: "format", run: |_| run_cargo("fmt --all --check"), mend: "cargo fmt --all" },
    Step {
        name: "licences",
        run: |_| licences::run(Mode::Check).map(silent),
        mend: "cargo xtask licences (or choose another dependency)",
    },
    Step {
        name: "deny",
        run: |options| if options.without_deny { Ok(Some("left out".into())) } else { deny::run() },
        mend: "cargo deny check (its rules are in deny.toml)",
    },
    Step {
        name: "clippy",
        run: |_| run_cargo("clippy --workspace --all-targets -- -D warnings"),
        mend: "cargo clippy --workspace --all-targets",
    },
    Step {
        name: "docs",
        run: |_| run_cargo("doc --workspace --no-deps"),
        mend: "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps",
    },
    Step {
        name: "oldest",
        run: |_| rust_version::compiles(),
        mend: "cargo check --workspace with the toolchain of rust-version (or raise rust-version)",
    },
    Step {
        name: "tests",
        run: |_| run_cargo("test --workspace"),
        mend: "cargo test --workspace (add `-p PACKAGE` and the test's name to run it alone)",
    },
];

/// Runs the steps in order and prints each with its time; stops at the first that fails.
pub fn run(options: Options) -> Result<()> {
    let mut ran = Vec::new();
    for step in STEPS {
        eprintln!("==> {}", step.name);
        let start = Instant::now();
        let result = (step.run)(options);
        let time = start.elapsed();
        match result {
            Ok(note) => ran.push((time, note)),
            Err(error) => {
                ran.push((time, None));
                eprint!("{}", summary(&ran, Some(step)));
                return Err(error);
            }
        }
    }
    eprint!("{}", summary(&ran, None));
    Ok(())
}

/// A line for each step that ran, with its note; the last one failed when `failed` is given.
fn summary(ran: &[(Duration, Option<String>)], failed: Option<&Step>) -> String {
    let total: Duration = ran.iter().map(|(time, _)| *time).sum();
    let mut text = String::from("\n");
    for (index, (step, (time, note))) in STEPS.iter().zip(ran).enumerate() {
        let verdict = if failed.is_some() && index + 1 == ran.len() { "FAILED" } else { "ok" };
        let note = note.as_ref().map_or_else(String::new, |note| format!("  ({note})"));
        let _ = writeln!(text, "{:<10} {verdict:<6} {:>7.1} s{note}", step.name, time.as_secs_f64());
    }
    for step in &STEPS[ran.len()..] {
        let _ = writeln!(text, "{:<10} not run", step.name);
    }
    let _ = writeln!(text, "{:<17} {:>7.1} s", "total", total.as_secs_f64());
    if let Some(step) = failed {
        let _ = writeln!(text, "\n{} failed; run: {}", step.name, step.mend);
    }
    text
}

/// The note of a check that has nothing to add.
fn silent((): ()) -> Option<String> {
    None
}

fn run_cargo(arguments: &str) -> Result<Option<String>> {
    let status = cargo().args(arguments.split_whitespace()).env("RUSTDOCFLAGS", "-Dwarnings").status()?;
    if status.success() { Ok(None) } else { Err(Error::Command(format!("cargo {arguments}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_what_failed_and_what_did_not_run() {
        let ran =
            [(Duration::from_millis(100), Some("a note".to_owned())), (Duration::from_millis(1900), None)];
        let text = summary(&ran, Some(&STEPS[1]));
        let lines: Vec<_> = text.trim().lines().collect();
        assert_eq!(lines[0], "profiles   ok         0.1 s  (a note)");
        assert_eq!(lines[1], "rust       FAILED     1.9 s");
        assert_eq!(lines[2], "header     not run");
        assert_eq!(lines[10], "total                 2.0 s");
        assert_eq!(
            lines[12],
            "rust failed; run: rustup update (or set rust-version.workspace = true in the member)"
        );
    }
}
