//! Whatever is lost, killed or full, the run ends with the whole board, and nothing runs twice but what was lost.

use std::process::Child;

use fs_err as fs;
use molarena_tests::{Output, TestArena};
use serde_json::Value;

use crate::{
    EXECUTOR, arena, boards, cells,
    cluster::{Cluster, Shape},
    jobs, read, run, start, suite,
};

/// An arena with a suite of cells that take a while each.
fn sleepers(count: usize, ms: usize, executor: &str) -> TestArena {
    let arena = arena();
    arena.method("slow", "fixture-hostile/good", &format!("{{ sleep_ms = {ms} }}"));
    suite(&arena, executor, &cells("slow", count));
    arena
}

/// Starts a run whose events are in `events`, and waits until some of its jobs run.
fn running(cluster: &Cluster, arena: &TestArena, least: usize) -> Child {
    let run = start(cluster, arena, &["--events", "events", "--json"]);
    cluster.wait_for("running jobs", || cluster.count("RUNNING") >= least);
    run
}

fn events(arena: &TestArena) -> String {
    fs::read_to_string(arena.path("events")).unwrap_or_default()
}

fn finish(run: Child) -> Output {
    read(&run.wait_with_output().unwrap())
}

/// Checks that a run finished all `count` cells and left nothing.
fn whole(output: &Output, arena: &TestArena, count: usize) {
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let summary: Value = serde_json::from_str(&output.stdout).unwrap();
    let done = summary["scored"].as_u64().unwrap() + summary["resumed"].as_u64().unwrap();
    assert_eq!(done, count as u64, "{summary}");
    assert_eq!(arena.stored("records").len(), count);
    assert_eq!(jobs(arena), [""; 0]);
}

/// Checks that the boards are those of a run on this machine.
fn as_here(cluster: &Cluster, arena: &TestArena) {
    let there = boards(arena);
    fs::remove_dir_all(arena.path("store")).unwrap();
    let ran = run(cluster, arena, &["--executor", "local"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(there, boards(arena));
}

fn signal(process: u32, name: &str) {
    let sent = std::process::Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn only_the_steps_of_a_killed_node_run_again() {
    let Some(mut cluster) = Cluster::start(Shape::default()) else { return };
    let arena = sleepers(6, 1000, EXECUTOR);
    let run = running(&cluster, &arena, 3);
    cluster.kill_node(1);
    let lost = cluster.count("NODE_FAIL");
    assert!(lost > 0, "{:?}", cluster.states());
    let output = finish(run);
    assert_eq!(output.stderr.matches("was lost (NODE_FAIL)").count(), lost, "{}", output.stderr);
    whole(&output, &arena, 6);
    assert_eq!(cluster.ran(), 6 + lost);
    as_here(&cluster, &arena);
    cluster.revive_node(1);

    // A step that loses its node again and again is a row in the end.
    let arena = sleepers(1, 60_000, &format!("{EXECUTOR}retries = 1\n"));
    let run = start(&cluster, &arena, &["--json"]);
    for attempt in 1..=2 {
        cluster.wait_for("a running job", || cluster.count("RUNNING") == 1);
        let node = cluster.slurm("squeue", &["--noheader", "--states=RUNNING", "--format=%N"]);
        let node = if node.trim() == "n1" { 1 } else { 2 };
        cluster.kill_node(node);
        cluster.revive_node(node);
        cluster.wait_for("the lost job", || cluster.count("NODE_FAIL") == lost + attempt);
    }
    let output = finish(run);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    assert!(boards(&arena)[0].contains("its worker was lost 2 times: job "), "{}", boards(&arena)[0]);
}

#[test]
fn a_killed_controller_is_waited_for() {
    // More than there are processors: some start once the controller is back.
    const COUNT: usize = 6;
    let Some(mut cluster) = Cluster::start(Shape::default()) else { return };
    let arena = sleepers(COUNT, 2000, EXECUTOR);
    let run = running(&cluster, &arena, 2);
    cluster.kill_controller();
    cluster.wait_for("the message", || events(&arena).contains("the controller of Slurm gives no answer"));
    cluster.start_controller();
    let output = finish(run);
    // All results may be here before the controller is asked again.
    assert!(output.stderr.contains("the controller of Slurm gives no answer"), "{}", output.stderr);
    whole(&output, &arena, COUNT);
    assert_eq!(cluster.ran(), COUNT);

    // Not for ever.
    let arena = sleepers(2, 15_000, &format!("{EXECUTOR}patience = \"1s\"\n"));
    let run = running(&cluster, &arena, 1);
    cluster.kill_controller();
    let output = finish(run);
    assert_eq!(output.code, Some(70), "{}", output.stderr);
    let said =
        ["error [E-HOST-023]: Slurm: the controller has given no answer for 1s", "scancel --name=molarena-"];
    assert!(said.iter().all(|part| output.stderr.contains(part)), "{}", output.stderr);
    cluster.start_controller();
    whole(&self::run(&cluster, &arena, &["--json"]), &arena, 2);
    assert_eq!(cluster.ran(), COUNT + 2);
}

#[test]
fn jobs_of_a_killed_run_are_collected_and_taken_over() {
    let Some(cluster) = Cluster::start(Shape::default()) else { return };
    let arena = sleepers(8, 1000, EXECUTOR);
    let mut killed = running(&cluster, &arena, 2);
    // Nobody else submits jobs of the store meanwhile, or cleans it up.
    let second = run(&cluster, &arena, &[]);
    assert_eq!(second.code, Some(2), "{}", second.stderr);
    assert!(second.stderr.contains("submits the jobs of the store"), "{}", second.stderr);
    cluster.wait_for("a record", || !arena.stored("records").is_empty());
    killed.kill().unwrap();
    killed.wait().unwrap();
    let cleaned = arena.molarena(&["store", "gc", "--store", "store"]);
    assert_eq!(
        (cleaned.code, cleaned.stderr.contains("in the queue of a cluster")),
        (Some(2), true),
        "{cleaned:?}"
    );

    let ended = || cluster.count("COMPLETED");
    let before = ended();
    cluster.wait_for("another ended job", || ended() > before);
    let collected = run(&cluster, &arena, &["--collect"]);
    assert_eq!(collected.code, Some(0), "{}", collected.stderr);
    let records = arena.stored("records").len();
    assert!((before + 1..8).contains(&records), "{records} of {before}: {}", collected.stdout);
    let said = format!("{} cells are not done; in the queue as molarena-", 8 - records);
    assert!(collected.stdout.contains(&said), "{}", collected.stdout);

    let output = run(&cluster, &arena, &["--json"]);
    assert!(output.stderr.contains("jobs of earlier runs on this store"), "{}", output.stderr);
    whole(&output, &arena, 8);
    assert_eq!(cluster.ran(), 8, "nothing runs twice");
    as_here(&cluster, &arena);
}

#[test]
fn an_interrupted_run_leaves_its_jobs_or_cancels_them() {
    let Some(cluster) = Cluster::start(Shape::default()) else { return };
    let arena = sleepers(4, 1000, EXECUTOR);
    let run = running(&cluster, &arena, 2);
    signal(run.id(), "INT");
    let output = finish(run);
    assert_eq!(output.code, Some(130), "{}", output.stderr);
    let said =
        ["jobs of this run stay in the queue of Slurm as molarena-", "--collect", "scancel --name=molarena-"];
    assert!(said.iter().all(|part| output.stderr.contains(part)), "{}", output.stderr);
    whole(&self::run(&cluster, &arena, &["--json"]), &arena, 4);
    assert_eq!(cluster.ran(), 4);

    // What somebody cancels ends the run; the same command submits it again.
    let arena = sleepers(2, 1500, EXECUTOR);
    let run = running(&cluster, &arena, 1);
    let name = fs::read_to_string(arena.path("store/jobs/name")).unwrap();
    cluster.slurm("scancel", &[&format!("--name=molarena-{name}")]);
    let output = finish(run);
    assert_eq!(output.code, Some(70), "{}", output.stderr);
    assert!(
        output.stderr.contains("was cancelled; the same command submits its step again"),
        "{}",
        output.stderr
    );
    whole(&self::run(&cluster, &arena, &["--json"]), &arena, 2);

    // On a terminal, it asks.
    let arena = sleepers(3, 30_000, EXECUTOR);
    let done = on_terminal(&cluster, &arena);
    assert!(done.contains("jobs of this run are in the queue as molarena-"), "{done}");
    assert!(done.contains("3 jobs cancelled"), "{done}");
    cluster.wait_for("no jobs", || cluster.count("RUNNING") + cluster.count("PENDING") == 0);
}

/// What a run on a terminal prints that is interrupted and told to cancel its jobs.
fn on_terminal(cluster: &Cluster, arena: &TestArena) -> String {
    use std::{io::Write, process::Stdio};
    let mut shell = std::process::Command::new("script");
    // `script` gives the command a terminal and passes on what is written to it.
    let words: Vec<String> = crate::arguments(arena, &["--events", "events"]);
    let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let line = format!("exec '{}' {}", molarena_tests::binary().display(), words.join(" "));
    shell.args(["-qec", &line, "/dev/null"]).current_dir(arena.path("")).env_clear();
    shell.env("HOME", arena.path("")).env("PATH", "/usr/bin:/bin").env("SLURM_CONF", cluster.configuration());
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = shell.spawn().unwrap();
    cluster.wait_for("running jobs", || cluster.count("RUNNING") >= 1 && events(arena).contains("\"queue\""));
    // Ctrl-C.
    let mut keys = run.stdin.take().unwrap();
    keys.write_all(b"\x03").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    keys.write_all(b"y\n").unwrap();
    let output = run.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_full_queue_is_waited_for() {
    let Some(cluster) = Cluster::start(Shape { max_jobs: 4, min_job_age: 2, ..Shape::default() }) else {
        return;
    };
    let arena = sleepers(6, 0, EXECUTOR);
    let output = run(&cluster, &arena, &["--json"]);
    assert!(output.stderr.contains("Slurm takes no more jobs now"), "{}", output.stderr);
    whole(&output, &arena, 6);
    assert_eq!(cluster.ran(), 6);
}

/// Slurm counts time limits in minutes.
#[test]
#[ignore = "slow: two minutes"]
fn slow_a_job_at_its_time_limit_is_a_row() {
    let Some(cluster) = Cluster::start(Shape::default()) else { return };
    let arena = sleepers(1, 200_000, &format!("{EXECUTOR}sbatch = [\"--time=1\"]\n"));
    let output = run(&cluster, &arena, &["--json"]);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    let board = &boards(&arena)[2];
    assert!(board.contains("at the time limit of the job, after 1m") && board.contains("timeout"), "{board}");
    assert_eq!(cluster.ran(), 1, "it is not retried");
}
