//! What the executor costs.

use std::time::Instant;

use crate::{
    EXECUTOR, arena, boards, cells,
    cluster::{Cluster, Shape},
    command, suite,
};

/// A measurement, which a busy machine changes: the time of 24 cells of 2 s on two nodes of one processor each, and on one
/// of them.
#[test]
#[ignore = "a measurement, not a check; takes two minutes"]
fn two_nodes_against_one() {
    let Some(cluster) = Cluster::start(Shape { processors: 1, ..Shape::default() }) else { return };
    let (mut seconds, mut all) = (Vec::new(), Vec::new());
    for state in ["DRAIN", "RESUME"] {
        cluster.slurm("scontrol", &["update", "NodeName=n2", &format!("State={state}"), "Reason=measured"]);
        let arena = arena();
        arena.method("slow", "fixture-hostile/good", "{ sleep_ms = 2000 }");
        suite(&arena, EXECUTOR, &cells("slow", 24));
        let started = Instant::now();
        // Processors that other runs on this machine hold do not count.
        let run = command(&cluster, &arena, &[]).env("XDG_RUNTIME_DIR", arena.path("")).output().unwrap();
        assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
        seconds.push(started.elapsed().as_secs_f64());
        all.push(boards(&arena));
    }
    println!("one node {:.1} s, two {:.1} s: {:.2} of it", seconds[0], seconds[1], seconds[1] / seconds[0]);
    assert_eq!(all[0], all[1]);
}
