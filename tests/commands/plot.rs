//! `molarena plot`.

use crate::support::{check, toy};

#[test]
fn a_metric_is_drawn_against_a_parameter() {
    let arena = toy();
    for k in [1, 3, 9] {
        arena.method(&format!("knn-{k}"), "baselines/knn", &format!("{{ k = {k} }}"));
    }
    arena.write(
        "suite.toml",
        "schema = \"molarena.suite/1\"\nname = \"s\"\n[[cells]]\ndatasets = [\"toy\"]\nseeds = 2\n\
         methods = [\"methods/knn-1.toml\", \"methods/knn-3.toml\", \"methods/constant-test.toml\"]\n",
    );
    let mut arguments = vec!["--dataset", "toy", "--seeds", "3"];
    for method in ["knn-1", "knn-3", "knn-9", "constant-test"] {
        arguments.extend(["--method", method]);
    }
    assert_eq!(arena.run(&[], &arguments).code, Some(0));
    let plot = |more: &[&str]| {
        let always = ["plot", "-x", "baseline.config.k", "--store", "store", "-o", "figures"];
        arena.molarena(&always.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let output = plot(&[]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("plot", &arena, &output);
    let points = || fs_err::read_to_string(arena.path("figures/points-k.csv")).unwrap();
    assert_eq!(points().lines().count(), 4, "{}", points());
    let figure = fs_err::read(arena.path("figures/toy-k.svg")).unwrap();
    assert!(figure.starts_with(b"<svg "));

    let again = plot(&[]);
    assert_eq!(again.code, Some(2));
    check("plot-again", &arena, &again);
    assert_eq!(plot(&["--force"]).code, Some(0));
    assert_eq!(fs_err::read(arena.path("figures/toy-k.svg")).unwrap(), figure);

    let suite = plot(&["--force", "--suite", "suite.toml"]);
    assert_eq!(suite.code, Some(0), "{}", suite.stderr);
    assert!(points().lines().skip(1).all(|line| line.ends_with(",2,0")), "two seeds: {}", points());
    assert_eq!(points().lines().count(), 3, "k is 1 and 3: {}", points());
    let unknown = arena.molarena(&["plot", "-x", "baseline.config.kk", "--store", "store", "-o", "figures"]);
    assert_eq!(unknown.code, Some(4));
    check("plot-unknown-parameter", &arena, &unknown);
}

#[test]
fn a_log_of_a_training_is_drawn() {
    let arena = toy();
    arena.write("log.csv", "epoch,loss,kl\n1,0.9,120\n2,0.5,3\n");
    arena.write("bad.csv", "epoch,loss\n1,0.9\n2,none\n");
    let plot = |log: &str, output: &str| arena.molarena(&["plot", "--training", log, "-o", output]);
    let output = plot("log.csv", "log.svg");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("plot-training", &arena, &output);
    let bad = plot("bad.csv", "bad.svg");
    assert_eq!(bad.code, Some(2));
    check("plot-bad-training", &arena, &bad);
    assert_eq!(plot("log.csv", "log.png").code, Some(2));
    check("plot-no-log", &arena, &plot("none.csv", "none.svg"));
    assert!(!arena.path("bad.svg").exists());
}
