//! The simulated world that the store's records were scored on.

use molarena_tests::TestArena;

use crate::{fixture, read};

/// As in the fixture's `make.sh`.
const SIMULATE: &str = "data simulate --output data --molecules 120 --context-molecules 60 --genes 20 \
                        --expression-columns 10 --morphology-columns 10 --expression-profiles 80 \
                        --morphology-profiles 90 --gene-edges 30 --batches 2";

/// The arena with the world in its data folder.
fn world() -> TestArena {
    let arena = TestArena::new();
    let output = arena.molarena(&SIMULATE.split_whitespace().collect::<Vec<_>>());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    arena
}

#[test]
fn the_world_is_the_same_to_the_byte() {
    let arena = world();
    let sums = read(&fixture().join("SHA256SUMS"));
    assert!(sums.lines().count() > 10, "{sums}");
    for line in sums.lines() {
        let (expected, name) = line.split_once("  ").unwrap();
        let found = molarena_data::sha256_file(&arena.path("data").join(name)).unwrap();
        assert_eq!(found, expected, "{name}");
    }
}
