//! The baseline `knn`: nearest neighbours by Tanimoto similarity.

use molarena_sdk::{
    Baseline, Bits, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    pool,
    state::{Header, fitted},
    targets::{Targets, gather, without_labels},
};

const HEADER: Header = Header { name: *b"knn ", version: 1 };

/// Configuration of [`Neighbours`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NeighboursConfig {
    /// Number of neighbours behind each prediction, at least 1.
    #[schemars(range(min = 1))]
    pub k: usize,
    /// Weight of each neighbour.
    pub weights: Weights,
}

/// Weight of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    /// Its similarity.
    Similarity,
    /// The same for all neighbours.
    Uniform,
}

impl Default for NeighboursConfig {
    fn default() -> Self {
        Self { k: 5, weights: Weights::Similarity }
    }
}

/// Predicts the (weighted) mean label of a task's k most similar labelled training molecules.
///
/// The Tanimoto similarity of two sets of bits is the size of their intersection over that of their union (Rogers and
/// Tanimoto 1960), and 0 for two empty sets. Among equally similar molecules the one in the lower row is nearer. A
/// molecule of similarity 0 is not a neighbour; without neighbours the prediction is the mean of the task's training
/// labels.
#[derive(Debug)]
pub struct Neighbours {
    config: NeighboursConfig,
    model: Option<Model>,
}

/// The training molecules.
#[derive(Debug, Serialize, Deserialize)]
struct Model {
    n_bits: usize,
    rows: usize,
    tasks: usize,
    /// [rows, words of `n_bits` bits].
    words: Vec<u64>,
    /// [rows, tasks]; NaN where missing.
    labels: Vec<f32>,
    /// The prediction of each task for a molecule without neighbours.
    means: Vec<f32>,
}

impl Component for Neighbours {
    type Config = NeighboursConfig;
    const INFO: Info = Info {
        id: "knn",
        summary: "mean label of the nearest neighbours by Tanimoto similarity",
        inputs: &[InputKind::Bits],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: NeighboursConfig) -> Result<Self> {
        if config.k == 0 {
            return Err(Error::invalid_config("`k` is 0, must be at least 1"));
        }
        Ok(Self { config, model: None })
    }
}

impl Baseline for Neighbours {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        call.check()?;
        let bits = train.bits()?;
        let targets = gather(labels, train.rows)?;
        let mean = |(task, targets): (usize, &Targets)| {
            targets.mean().unwrap_or_else(|| without_labels(labels.kind, task, call))
        };
        let mut values = vec![f32::NAN; labels.rows * labels.tasks];
        for (task, targets) in targets.iter().enumerate() {
            for (&row, &value) in targets.rows.iter().zip(&targets.values) {
                values[row as usize * labels.tasks + task] = value;
            }
        }
        self.model = Some(Model {
            n_bits: bits.n_bits,
            rows: bits.rows,
            tasks: labels.tasks,
            words: bits.words.to_vec(),
            labels: values,
            means: targets.iter().enumerate().map(mean).collect(),
        });
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, |model| model.tasks)
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let (model, bits) = (fitted(self.model.as_ref(), "predict")?, inputs.bits()?);
        if bits.n_bits != model.n_bits {
            return Err(Error::invalid_argument(format!(
                "the neighbours have {} bits, these inputs have {}",
                model.n_bits, bits.n_bits
            )));
        }
        let train = Bits::new(&model.words, model.rows, model.n_bits)?;
        let counts: Vec<u32> = (0..train.rows).map(|row| count(train.row(row))).collect();
        let rows = pool::map(bits.rows, call, "predicting", Vec::new, |order, row| {
            rank(bits.row(row), &train, &counts, order);
            Ok((0..model.tasks).map(|task| self.config.predict(model, order, task)).collect::<Vec<_>>())
        })?;
        Matrix::new(bits.rows, model.tasks, rows.concat())
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model = HEADER.load(state)?;
        Bits::new(&model.words, model.rows, model.n_bits)?;
        if Some(model.labels.len()) != model.rows.checked_mul(model.tasks) || model.means.len() != model.tasks
        {
            return Err(Error::data("state of the neighbours is damaged: labels and molecules do not fit"));
        }
        self.model = Some(model);
        Ok(())
    }
}

impl NeighboursConfig {
    /// Prediction of `task` from training rows in decreasing order of similarity.
    fn predict(&self, model: &Model, order: &[(f64, u32)], task: usize) -> f32 {
        let (mut weights, mut sum, mut found) = (0.0, 0.0, 0);
        for &(similarity, row) in order {
            let label = model.labels[row as usize * model.tasks + task];
            if label.is_nan() {
                continue;
            }
            let weight = match self.weights {
                Weights::Similarity => similarity,
                Weights::Uniform => 1.0,
            };
            weights += weight;
            sum += weight * f64::from(label);
            found += 1;
            if found == self.k {
                break;
            }
        }
        if found == 0 { model.means[task] } else { (sum / weights) as f32 }
    }
}

/// Fills `order` with (similarity, row) of the training rows with a similarity above 0, nearest first.
fn rank(words: &[u64], train: &Bits<'_>, counts: &[u32], order: &mut Vec<(f64, u32)>) {
    order.clear();
    let own = count(words);
    for (row, &other) in counts.iter().enumerate() {
        let common: u32 = words.iter().zip(train.row(row)).map(|(a, b)| (a & b).count_ones()).sum();
        if common > 0 {
            order.push((f64::from(common) / f64::from(own + other - common), row as u32));
        }
    }
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
}

fn count(words: &[u64]) -> u32 {
    words.iter().map(|word| word.count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use molarena_sdk::{OwnedLabels, TaskKind};

    use super::*;

    const TRAIN: [u64; 5] = [0b1111, 0b0011, 0b1100, 0b1_0000, 0];

    fn neighbours(config: NeighboursConfig, labels: Vec<f32>) -> Neighbours {
        let tasks = labels.len() / TRAIN.len();
        let labels = OwnedLabels::from_nan(TaskKind::Classification, TRAIN.len(), tasks, labels).unwrap();
        let inputs = Inputs::from_bits(Bits::new(&TRAIN, TRAIN.len(), 8).unwrap());
        let mut neighbours = Neighbours::new(config).unwrap();
        neighbours.fit(&inputs, &labels.view(), &inputs, &labels.view(), &Call::new(0, 2)).unwrap();
        neighbours
    }

    fn predict(neighbours: &mut Neighbours, words: &[u64]) -> Vec<f32> {
        let inputs = Inputs::from_bits(Bits::new(words, words.len(), 8).unwrap());
        neighbours.predict(&inputs, &Call::new(0, 2)).unwrap().values
    }

    fn config(k: usize, weights: Weights) -> NeighboursConfig {
        NeighboursConfig { k, weights }
    }

    #[test]
    fn similarities_weigh_the_labels() {
        // Similarities of 0b0111 to the training rows: 3/4, 2/3, 1/4, 0, 0.
        let labels = vec![0.0, 1.0, 1.0, 1.0, 0.0];
        let mut weighted = neighbours(config(2, Weights::Similarity), labels.clone());
        assert_eq!(predict(&mut weighted, &[0b0111]), [(2.0f64 / 3.0 / (0.75 + 2.0 / 3.0)) as f32]);
        let mut uniform = neighbours(config(5, Weights::Uniform), labels);
        assert_eq!(predict(&mut uniform, &[0b0111]), [2.0 / 3.0], "dissimilar molecules are no neighbours");
    }

    #[test]
    fn ties_go_to_the_lower_row() {
        let mut one = neighbours(config(1, Weights::Uniform), vec![f32::NAN, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(predict(&mut one, &[0b1111]), [1.0]);
    }

    #[test]
    fn each_task_looks_at_its_own_labelled_rows() {
        let n = f32::NAN;
        let labels =
            vec![n, 1.0, n, /**/ 0.0, n, n, /**/ n, n, n, /**/ 1.0, n, n, /**/ n, 0.0, n];
        let mut one = neighbours(config(1, Weights::Uniform), labels);
        assert_eq!(predict(&mut one, &[0b0011]), [0.0, 1.0, 0.5], "the last task has no label at all");
    }

    #[test]
    fn nothing_similar_gives_the_mean() {
        let mut any = neighbours(config(5, Weights::Similarity), vec![1.0, 0.0, 0.0, 1.0, f32::NAN]);
        assert_eq!(
            predict(&mut any, &[0, 0b1000_0000]),
            [0.5, 0.5],
            "an empty fingerprint is similar to none"
        );
    }

    #[test]
    fn state_and_refusals() {
        let mut any = neighbours(NeighboursConfig::default(), vec![1.0, 0.0, 0.0, 1.0, f32::NAN]);
        let mut other = Neighbours::new(NeighboursConfig::default()).unwrap();
        assert!(other.save().is_err());
        other.load(&any.save().unwrap()).unwrap();
        assert_eq!(predict(&mut other, &TRAIN), predict(&mut any, &TRAIN));
        let error = Neighbours::new(config(0, Weights::Uniform)).unwrap_err();
        assert_eq!(error.to_string(), "`k` is 0, must be at least 1");
        let wide = Inputs::from_bits(Bits::new(&TRAIN, 5, 9).unwrap());
        assert!(other.predict(&wide, &Call::new(0, 1)).is_err());
    }
}
