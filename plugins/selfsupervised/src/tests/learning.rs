//! What training does to the loss of held-out molecules.

use molarena_sdk::{Call, Encoder};

use super::corpus::{World, encoder, small};
use crate::{
    EncoderConfig, ObjectiveConfig,
    graphs::Molecules,
    motifs::MotifTree,
    objectives::mgssl::{Plan, vocabulary},
};

/// The losses of held-out molecules after each epoch that has one.
fn losses(world: &World, config: &EncoderConfig) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    encoder(config).fit(&world.corpus(), &Call::new(0, 2).with_folder(folder.path())).unwrap();
    let log = fs_err::read_to_string(folder.path().join("training.csv")).unwrap();
    let mut lines = log.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let place = lines.next().unwrap().iter().position(|name| *name == "valid_loss").unwrap();
    lines.filter_map(|line| line[place].parse().ok()).collect()
}

/// The objective of [`small`], without masked bonds.
fn plain(name: &str) -> ObjectiveConfig {
    match small(name).objective {
        ObjectiveConfig::AttrMask(_) => ObjectiveConfig::AttrMask(crate::AttrMask::default()),
        other => other,
    }
}

/// The share of each of some values.
fn frequencies(values: impl Iterator<Item = usize>) -> Vec<f64> {
    let mut counts = std::collections::BTreeMap::<usize, f64>::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1.0);
    let all: f64 = counts.values().sum();
    counts.into_values().map(|count| count / all).collect()
}

/// The entropy of some values in nats.
fn entropy(values: impl Iterator<Item = usize>) -> f64 {
    frequencies(values).into_iter().map(|share| -share * share.ln()).sum()
}

fn config(name: &str) -> EncoderConfig {
    EncoderConfig { width: 32, epochs: 10, batch_size: 32, dropout: 0.0, learning_rate: 5e-3, ..small(name) }
}

/// Masked atoms are predicted from the atoms around them, so nothing is left to learn but frequencies when atoms change places.
#[test]
fn masked_atoms_of_shuffled_molecules_are_not_predicted() {
    let world = World::new(300).shuffled();
    for name in ["attrmask", "graphmae"] {
        let config = EncoderConfig { objective: plain(name), ..config(name) };
        let (last, chance) = (*losses(&world, &config).last().unwrap(), chance(name, &world));
        assert!(last > 0.9 * chance, "{name}: {last}, chance {chance}");
    }
}

/// The loss of an objective that knows frequencies and nothing of the molecule at hand, or another bound that a network with
/// random weights does not reach.
fn chance(name: &str, world: &World) -> f64 {
    match name {
        "attrmask" => entropy(world.elements()),
        // The cosine with one of the elements of the frequencies p is largest for p itself: the length of p.
        "graphmae" => {
            1.0 - frequencies(world.elements()).iter().map(|share| share * share).sum::<f64>().sqrt()
        }
        // Two cross-entropies of even odds.
        "contextpred" | "edgepred" => 2.0 * 2f64.ln(),
        // One of five candidates.
        "dsla" => 5f64.ln(),
        // The own partner is nearer than all others together.
        "graphcl" | "joao" => 0.0,
        // The same for atoms, and for molecules among a batch.
        "graphlog" => 32f64.ln(),
        "mgssl" => {
            let graphs = world.graphs();
            let rows: Vec<usize> = (0..graphs.rows()).collect();
            let molecules = Molecules::new(graphs, rows.clone()).graphs(&rows);
            let keys = molecules.iter().flat_map(|graph| MotifTree::new(graph).motifs).map(|motif| motif.key);
            let plan = Plan::new(&molecules, &vocabulary(&keys.collect::<Vec<_>>(), 30));
            let total = |entropy: f64, count: usize| entropy * count as f64 / plan.molecules as f64;
            let follows = entropy(plan.follows.iter().map(|(.., follows)| usize::from(*follows)));
            let labels = entropy(plan.labels.iter().map(|(_, class)| *class));
            total(follows, plan.follows.len()) + total(labels, plan.labels.len())
        }
        other => panic!("no bound for `{other}`"),
    }
}

#[test]
fn every_objective_learns() {
    let world = World::new(300);
    for name in ObjectiveConfig::NAMES {
        let config = EncoderConfig { objective: plain(name), ..config(name) };
        let last = *losses(&world, &config).last().unwrap();
        // The same, but no weight moves: only the running statistics do.
        let still = *losses(&world, &EncoderConfig { learning_rate: 1e-9, ..config }).last().unwrap();
        let chance = chance(name, &world);
        eprintln!("{name}: {still:.3} -> {last:.3}, chance {chance:.3}");
        assert!(
            last < chance - 0.05 * chance.abs() && still > chance,
            "{name}: {still} -> {last}, chance {chance}"
        );
    }
}
