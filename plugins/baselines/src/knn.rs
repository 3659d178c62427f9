//! The baseline `knn`: nearest neighbours by Tanimoto similarity of bits, or by the cosine of dense features.

use molarena_sdk::{
    Baseline, Bits, Call, Component, Dense, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix,
    Result,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    pool,
    scaler::Scaler,
    state::{Header, fitted},
    targets::{Targets, gather, without_labels},
};

const HEADER: Header = Header { name: *b"knn ", version: 2 };

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
/// Tanimoto 1960), and 0 for two empty sets. That of two rows of dense features is the cosine of the angle between them after each
/// column was brought to mean 0 and standard deviation 1. Among equally similar molecules the one in the lower row is nearer. A
/// molecule of similarity 0 or less is not a neighbour; without neighbours the prediction is the mean of the task's training
/// labels.
#[derive(Debug)]
pub struct Neighbours {
    config: NeighboursConfig,
    model: Option<Model>,
}

/// The training molecules.
#[derive(Debug, Serialize, Deserialize)]
struct Model {
    rows: usize,
    tasks: usize,
    molecules: Molecules,
    /// [rows, tasks]; NaN where missing.
    labels: Vec<f32>,
    /// The prediction of each task for a molecule without neighbours.
    means: Vec<f32>,
}

/// What neighbours are found by.
#[derive(Debug, Serialize, Deserialize)]
enum Molecules {
    Bits {
        n_bits: usize,
        /// [rows, words of `n_bits` bits].
        words: Vec<u64>,
    },
    Dense {
        scaler: Scaler,
        /// [rows, columns], standardised rows of length 1; a row of zeros stays.
        directions: Vec<f32>,
    },
}

impl Component for Neighbours {
    type Config = NeighboursConfig;
    const INFO: Info = Info {
        id: "knn",
        summary: "mean label of the nearest neighbours by Tanimoto similarity of bits or the cosine of dense features",
        inputs: &[InputKind::Bits, InputKind::Dense],
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
        let molecules = Molecules::of(train)?;
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
            rows: train.rows,
            tasks: labels.tasks,
            molecules,
            labels: values,
            means: targets.iter().enumerate().map(mean).collect(),
        });
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, |model| model.tasks)
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let model = fitted(self.model.as_ref(), "predict")?;
        let predicted = |order: &[(f64, u32)]| -> Vec<f32> {
            (0..model.tasks).map(|task| self.config.predict(model, order, task)).collect()
        };
        let rows = match &model.molecules {
            Molecules::Bits { n_bits, words } => {
                let bits = inputs.bits()?;
                check_width(*n_bits, bits.n_bits, "bits")?;
                let train = Bits::new(words, model.rows, *n_bits)?;
                let counts: Vec<u32> = (0..train.rows).map(|row| count(train.row(row))).collect();
                pool::map(bits.rows, call, "predicting", Vec::new, |order, row| {
                    rank(bits.row(row), &train, &counts, order);
                    Ok(predicted(order))
                })?
            }
            Molecules::Dense { scaler, directions: train } => {
                let dense = inputs.dense()?;
                check_width(scaler.columns(), dense.columns, "features")?;
                let (others, columns) = (scaler.directions(&dense)?, dense.columns);
                pool::map(dense.rows, call, "predicting", Vec::new, |order, row| {
                    rank_by_angle(&others[row * columns..(row + 1) * columns], train, order);
                    Ok(predicted(order))
                })?
            }
        };
        Matrix::new(inputs.rows, model.tasks, rows.concat())
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model = HEADER.load(state)?;
        match &model.molecules {
            Molecules::Bits { n_bits, words } => Bits::new(words, model.rows, *n_bits).map(|_| ())?,
            Molecules::Dense { scaler, directions } => {
                Dense::new(directions, model.rows, scaler.columns()).map(|_| ())?;
            }
        }
        if Some(model.labels.len()) != model.rows.checked_mul(model.tasks) || model.means.len() != model.tasks
        {
            return Err(Error::data("state of the neighbours is damaged: labels and molecules do not fit"));
        }
        self.model = Some(model);
        Ok(())
    }
}

impl Molecules {
    fn of(train: &Inputs<'_>) -> Result<Self> {
        if train.bits.is_some() {
            let bits = train.bits()?;
            return Ok(Self::Bits { n_bits: bits.n_bits, words: bits.words.to_vec() });
        }
        let dense = train.dense()?;
        let scaler = Scaler::fit(&dense)?;
        Ok(Self::Dense { directions: scaler.directions(&dense)?, scaler })
    }
}

fn check_width(own: usize, given: usize, what: &str) -> Result<()> {
    if own == given {
        return Ok(());
    }
    Err(Error::invalid_argument(format!("the neighbours have {own} {what}, these inputs have {given}")))
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

/// Fills `order` with (cosine, row) of the training rows with a cosine above 0, nearest first.
fn rank_by_angle(direction: &[f32], train: &[f32], order: &mut Vec<(f64, u32)>) {
    order.clear();
    for (row, other) in train.chunks_exact(direction.len().max(1)).enumerate() {
        let cosine: f64 =
            direction.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum();
        if cosine > 0.0 {
            order.push((cosine, row as u32));
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
    fn dense_features_are_compared_by_their_angle() {
        // Columns of mean 0 and one deviation: four directions.
        let values = [1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0];
        let dense = |values| Inputs::from_dense(Dense::new(values, 4, 2).unwrap());
        let labels = OwnedLabels::from_nan(TaskKind::Regression, 4, 1, vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let mut one = Neighbours::new(config(3, Weights::Similarity)).unwrap();
        one.fit(&dense(&values), &labels.view(), &dense(&values), &labels.view(), &Call::new(0, 1)).unwrap();
        // To the right: rows 0 and 1 at 45 degrees each, the others at 135.
        let asked = [9.0, 0.0, 0.0, 0.0, 1.0, 1.0, -1.0, 1.0];
        let found = one.predict(&dense(&asked), &Call::new(0, 1)).unwrap().values;
        // The mean where nothing is near; at row 0, the rows at 90 degrees are none.
        assert_eq!(found, [1.5, 2.5, 1.0, 3.0]);
        let mut other = Neighbours::new(config(3, Weights::Similarity)).unwrap();
        other.load(&one.save().unwrap()).unwrap();
        assert_eq!(other.predict(&dense(&asked), &Call::new(0, 1)).unwrap().values, found);
        let narrow = Inputs::from_dense(Dense::new(&values, 8, 1).unwrap());
        assert!(other.predict(&narrow, &Call::new(0, 1)).is_err());
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
