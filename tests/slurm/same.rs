//! The same suite gives the same boards on Slurm as on this machine.

use molarena_tests::TestArena;

use crate::{
    EXECUTOR, boards,
    cluster::{Cluster, Shape},
    jobs, run, suite,
};

/// An arena with the demo world, a pretrained encoder on a card, and methods of every ending.
fn world() -> TestArena {
    let arena = crate::arena();
    let made = arena.molarena(&["data", "simulate", "--output", "data"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let witness = "schema = \"molarena.method/1\"\nname = \"witness\"\ndevice = \"cuda:0\"\nfeatures = { kind = \"smiles\" }\n\
                   encoder = { component = \"fixture-kinds/witness\", corpus = \"demo-context\", config = { steps = 2 }, \
                   leave_out = [] }\nbaseline = { component = \"fixture-kinds/nearest-centroid\" }\n";
    arena.write("methods/witness.toml", witness);
    arena.method("device", "fixture-kinds/device", "{}");
    arena.method("knn", "baselines/knn", "{ k = 3 }");
    for name in ["good", "panic", "exit", "nan"] {
        arena.method(name, &format!("fixture-hostile/{name}"), "{}");
    }
    arena.write(
        "methods/both.toml",
        "schema = \"molarena.method/1\"\nname = \"both\"\nensemble = { members = [\"knn\", \"good\"] }\n",
    );
    arena
}

const GROUPS: &str = "[[cells]]\ndatasets = [\"chains\"]\nmethods = [\"knn\", \"good\", \"panic\", \"exit\", \"nan\", \"both\"]\n\
                      seeds = 2\n[[cells]]\ndatasets = [\"demo\"]\nmethods = [\"witness\"]\nseeds = 2\n";

#[test]
fn boards_are_those_of_a_local_run_byte_for_byte() {
    let Some(cluster) = Cluster::start(Shape::default()) else { return };
    let (here, there) = (world(), world());
    for (arena, executor) in [(&here, ""), (&there, EXECUTOR)] {
        suite(
            arena,
            &format!("{executor}{}", if executor.is_empty() { "" } else { "gpu_partition = \"cards\"\n" }),
            GROUPS,
        );
        let output = run(&cluster, arena, &["--json"]);
        assert_eq!(output.code, Some(10), "{}", output.stderr);
        let summary: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!((&summary["scored"], &summary["failed"]), (&8.into(), &6.into()), "{}", output.stderr);
    }
    assert_eq!(boards(&here), boards(&there));
    assert_eq!(jobs(&there), [""; 0]);
    // The steps of both runs, but for the ensembles, which take no worker.
    let (ended, arrays) = (cluster.ran(), cluster.ended().1);
    let workers = there.stored("steps").len() - there.steps("combine").len();
    assert_eq!(ended, workers);
    // A method on a card runs where there are cards, from its pretraining on.
    let on_cards = |kind: &str| there.steps(kind).iter().filter(|step| step["device"] == "cuda:0").count();
    assert_eq!((on_cards("pretrain"), on_cards("encode")), (1, 1));
    assert_eq!(cluster.ended_in("cards"), 2 + on_cards("fit"));
    assert!(arrays.len() < ended, "steps that are ready together are one array");
    // What was computed is there: nothing is submitted again.
    let again = run(&cluster, &there, &["--json"]);
    assert_eq!((again.code, cluster.ran()), (Some(10), ended), "{}", again.stderr);
    let verified = there.molarena(&["store", "verify", "--store", "store"]);
    assert_eq!((verified.code, verified.stdout.contains(": 0 problems")), (Some(0), true), "{verified:?}");
}
