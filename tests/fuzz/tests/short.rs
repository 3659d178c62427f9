//! A short run of every fuzz target without libFuzzer: seeds, inputs that once failed, and mutations of both.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, Instant};

use molarena_fuzz::{TARGETS, Target};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Address space of this process: inputs have a few KiB, and one that makes a reader ask for gigabytes is a failure.
const ADDRESS_SPACE: u64 = 4 << 30;
/// An input that takes longer counts as one that never ends. It is far above what an input of these takes (20 s for the
/// slowest, a SMILES of two rings of thousands of atoms, on an idle machine): speed is the benchmarks' to measure.
const TIME: Duration = Duration::from_mins(5);
/// Longest input that mutations make.
const LONGEST: usize = 1 << 16;

/// The inputs of a target: its own, and files of the repository that are of its kind.
fn inputs(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).expect("tests/fuzz is in the repository");
    let mut paths = Vec::new();
    for folder in [here.join("seeds").join(name), here.join("crashes").join(name)] {
        files(&folder, &mut paths);
    }
    match name {
        "suite" => {
            files(&root.join("leaderboards/suites"), &mut paths);
            files(&root.join("leaderboards/claims"), &mut paths);
        }
        "method" => files(&root.join("leaderboards/methods"), &mut paths),
        "manifest" => files(&root.join("datasets"), &mut paths),
        _ => {}
    }
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs_err::read(path).expect("an input"))).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Limits the memory of this process once.
fn limit_memory() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let (_, most) = getrlimit(Resource::RLIMIT_AS).expect("a limit");
        setrlimit(Resource::RLIMIT_AS, ADDRESS_SPACE.min(most), most).expect("a lower limit");
    });
}

/// Runs a target on its inputs and on `mutations` changed ones.
fn run(name: &str, mutations: usize) {
    limit_memory();
    let (_, target) = TARGETS.into_iter().find(|(known, _)| *known == name).expect("a target");
    let inputs = inputs(name);
    assert!(!inputs.is_empty(), "no seeds of {name}");
    for (path, data) in &inputs {
        one(name, target, data, &path.display().to_string());
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(12);
    for number in 0..mutations {
        let data = mutated(&inputs, &mut random);
        one(name, target, &data, &format!("mutation {number}"));
    }
}

/// Runs a target on one input. The input is in a file meanwhile, where it is found if it ends the process.
fn one(name: &str, target: Target, data: &[u8], what: &str) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
    fs_err::write(&path, data).expect("a file");
    let started = Instant::now();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(data))) {
        eprintln!("{name}: {what} fails; it is in {}", path.display());
        resume_unwind(panic);
    }
    assert!(started.elapsed() < TIME, "{name}: {what}, in {}, took {:?}", path.display(), started.elapsed());
}

/// One of the inputs with one to four changes.
fn mutated(inputs: &[(PathBuf, Vec<u8>)], random: &mut impl Rng) -> Vec<u8> {
    let mut below = |limit: usize| (random.next_u64() % limit.max(1) as u64) as usize;
    let mut data = inputs[below(inputs.len())].1.clone();
    for _ in 0..=below(4) {
        let (at, other) = (below(data.len() + 1), below(data.len() + 1));
        let (from, to) = (at.min(other), at.max(other));
        match below(7) {
            0 => data.truncate(at),
            1 => drop(data.drain(from..to)),
            2 => data.insert(at, below(256) as u8),
            3 if at < data.len() => data[at] ^= 1 << below(8),
            // Some numbers are bounds, and some characters are syntax.
            4 if at < data.len() => data[at] = b"\x00\xff\x7f\x80(),.:;[]{}\"'#=\n\t 019-"[below(24)],
            5 => {
                let token = data[from..to.min(from + 16)].repeat(1 + below(200));
                drop(data.splice(at..at, token));
            }
            _ => {
                let donor = &inputs[below(inputs.len())].1;
                let start = below(donor.len() + 1);
                drop(data.splice(from..to, donor[start..].iter().copied()));
            }
        }
        data.truncate(LONGEST);
    }
    data
}

#[test]
fn csv() {
    run("csv", 1000);
}

#[test]
fn manifest() {
    run("manifest", 1000);
}

#[test]
fn method() {
    run("method", 1000);
}

#[test]
fn npz() {
    run("npz", 1000);
}

#[test]
fn parquet() {
    run("parquet", 1000);
}

#[test]
fn record() {
    run("record", 1000);
}

#[test]
fn smiles() {
    run("smiles", 1000);
}

#[test]
fn suite() {
    run("suite", 1000);
}

#[test]
fn worker() {
    run("worker", 1000);
}

#[test]
fn every_target_has_a_binary_of_libfuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cargo-fuzz/fuzz_targets");
    let mut binaries = Vec::new();
    files(&folder, &mut binaries);
    binaries.sort();
    let expected: Vec<PathBuf> = TARGETS.iter().map(|(name, _)| folder.join(format!("{name}.rs"))).collect();
    assert_eq!(binaries, expected);
}
