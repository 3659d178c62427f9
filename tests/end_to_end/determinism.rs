//! The same seed gives the same predictions, byte for byte, with any number of workers and threads.

use std::collections::BTreeMap;

use fs_err as fs;
use molarena_tests::TestArena;

use crate::{chains, records};

/// The prediction files by seed.
fn predictions(arguments: &[&str]) -> BTreeMap<u64, Vec<u8>> {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("forest", "baselines/rf", "{ n_trees = 20 }");
    let arguments = [&["--dataset", "chains", "--method", "forest", "--seeds", "3"], arguments].concat();
    let output = arena.run(&[], &arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let file = |key: &str| fs::read(arena.artifact(key, "test.npy")).unwrap();
    let records = records(&arena);
    let by_seed = records
        .iter()
        .map(|record| (record["seed"].as_u64().unwrap(), file(record["fit_key"].as_str().unwrap())));
    by_seed.collect()
}

#[test]
fn the_seed_decides_every_byte() {
    let first = predictions(&["--jobs", "1", "--threads", "1"]);
    assert_eq!(first.len(), 3);
    assert_ne!(first[&0], first[&1]);
    assert_ne!(first[&1], first[&2]);
    for arguments in [
        ["--jobs", "1", "--threads", "1"],
        ["--jobs", "2", "--threads", "1"],
        ["--jobs", "1", "--threads", "2"],
    ] {
        assert_eq!(predictions(&arguments), first, "{arguments:?}");
    }
}
