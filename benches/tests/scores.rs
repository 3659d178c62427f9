//! Compares the forest's scores on real data with scikit-learn's, averaged over seeds. Passes if the data are missing.

use molarena_baselines::{ForestConfig, RandomForest};
use molarena_benches::{DATASETS, Trial, data_folder};
use molarena_metrics::{Metric, Scoring, mean_defined, score_tasks};
use molarena_sdk::{Baseline, Call, Component, Inputs};

/// Mean ROC-AUC over tasks of scikit-learn 1.9.1's `RandomForestClassifier` on the same bits and split, averaged over
/// `random_state` 0 to 6; single runs range from 74.5 to 77.2 with a standard deviation of 0.8.
const SKLEARN_CHEMBL2K: f64 = 0.7548;

#[test]
fn chembl2k_scores_like_scikit_learn() {
    let (name, protocol) = DATASETS[0];
    let trial = match Trial::load(&data_folder(), name, protocol) {
        Ok(trial) => trial,
        Err(error) => return eprintln!("skipped, no data: {error:#}"),
    };
    let tasks: Vec<usize> = (0..trial.tasks()).collect();
    let (train, test) = (trial.part(0, &tasks), trial.part(2, &tasks));
    let labels = trial.owned_labels(&train, tasks.len()).unwrap();
    let inputs = Inputs::from_bits(train.bits());
    let score = |seed| {
        let mut forest = RandomForest::new(ForestConfig::default()).unwrap();
        let call = Call::new(seed, 2);
        forest.fit(&inputs, &labels.view(), &inputs, &labels.view(), &call).unwrap();
        let predictions = forest.predict(&Inputs::from_bits(test.bits()), &call).unwrap();
        let scores =
            score_tasks(Metric::RocAuc, Scoring::Probability, &test.labels, &predictions.values, tasks.len());
        mean_defined(&scores).unwrap()
    };
    let mean = (0..8).map(score).sum::<f64>() / 8.0;
    // The standard deviation of each mean is 0.003.
    assert!((mean - SKLEARN_CHEMBL2K).abs() < 0.01, "mean ROC-AUC {mean:.4}");
}
