//! A baseline: which of two groups of training molecules a molecule is nearer to.

use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result, TaskKind,
    state::{Header, fitted},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

molarena_sdk::export_plugin! { id: "@name@", baselines: [NearestCentroid] }

const STATE: Header = Header { name: *b"cent", version: 1 };

/// Configuration of [`NearestCentroid`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Added to both distances, above 0.
    pub smoothing: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self { smoothing: 1.0 }
    }
}

/// For each task, the molecules below the mean label and the others have a centroid each. A prediction lies between the
/// mean labels of the two groups, closer to that of the nearer centroid.
#[derive(Debug)]
pub struct NearestCentroid {
    config: Config,
    model: Option<Model>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Model {
    columns: usize,
    /// The groups of each task: two, or one if all labels are equal, or none without labels.
    tasks: Vec<Vec<Group>>,
    /// The prediction of a task without labels.
    unknown: f32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Group {
    label: f32,
    centroid: Vec<f32>,
}

impl Component for NearestCentroid {
    type Config = Config;
    const INFO: Info = Info {
        id: "nearest-centroid",
        summary: "Distances to the centroids of low and of high labels",
        inputs: &[InputKind::Bits, InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: Config) -> Result<Self> {
        if !(config.smoothing > 0.0 && config.smoothing.is_finite()) {
            let smoothing = config.smoothing;
            return Err(Error::invalid_config(format!("`smoothing` is {smoothing}, must be above 0")));
        }
        Ok(Self { config, model: None })
    }
}

impl Baseline for NearestCentroid {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        train_labels: &Labels<'_>,
        _valid: &Inputs<'_>,
        _valid_labels: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        let x = matrix(train)?;
        let mut tasks = Vec::new();
        for task in 0..train_labels.tasks {
            call.check()?;
            // Missing labels are not among these.
            let labelled: Vec<(usize, f32)> = train_labels.labelled(task).collect();
            let middle = mean(labelled.iter().map(|&(_, label)| label));
            let (low, high): (Vec<_>, Vec<_>) = labelled.into_iter().partition(|&(_, label)| label < middle);
            let groups = [low, high].into_iter().filter(|rows| !rows.is_empty());
            tasks.push(groups.map(|rows| Group::of(&x, &rows)).collect());
            call.progress((task + 1) as f64 / train_labels.tasks as f64, "tasks fitted");
        }
        let unknown = match train_labels.kind {
            TaskKind::Classification => 0.5,
            TaskKind::Regression => 0.0,
        };
        self.model = Some(Model { columns: x.columns, tasks, unknown });
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, |model| model.tasks.len())
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let x = matrix(inputs)?;
        let model = fitted(self.model.as_ref(), "predict")?;
        if x.columns != model.columns {
            let (found, known) = (x.columns, model.columns);
            return Err(Error::invalid_argument(format!("the inputs have {found} columns, `fit` had {known}")));
        }
        let mut values = Vec::new();
        for row in 0..x.rows {
            call.check()?;
            let molecule = x.view().row(row);
            values.extend(model.tasks.iter().map(|groups| match groups.as_slice() {
                [] => model.unknown,
                [only] => only.label,
                [low, high, ..] => {
                    let to_low = low.distance(molecule) + self.config.smoothing;
                    let to_high = high.distance(molecule) + self.config.smoothing;
                    (to_high * low.label + to_low * high.label) / (to_low + to_high)
                }
            }));
        }
        Matrix::new(x.rows, model.tasks.len(), values)
    }

    fn save(&self) -> Result<Vec<u8>> {
        STATE.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.model = Some(STATE.load(state)?);
        Ok(())
    }
}

impl Group {
    fn of(x: &Matrix, rows: &[(usize, f32)]) -> Self {
        let column = |column: usize| mean(rows.iter().map(|&(row, _)| x.values[row * x.columns + column]));
        Self {
            label: mean(rows.iter().map(|&(_, label)| label)),
            centroid: (0..x.columns).map(column).collect(),
        }
    }

    fn distance(&self, molecule: &[f32]) -> f32 {
        molecule.iter().zip(&self.centroid).map(|(x, centre)| (x - centre).powi(2)).sum::<f32>().sqrt()
    }
}

/// Dense features, or fingerprint bits as 0 and 1.
fn matrix(inputs: &Inputs<'_>) -> Result<Matrix> {
    if let Some(dense) = inputs.dense {
        return Matrix::new(dense.rows, dense.columns, dense.values.to_vec());
    }
    let bits = inputs.bits()?;
    let mut matrix = Matrix::zeros(bits.rows, bits.n_bits);
    for (index, value) in matrix.values.iter_mut().enumerate() {
        let (row, bit) = (index / bits.n_bits, index % bits.n_bits);
        *value = f32::from((bits.row(row)[bit / 64] >> (bit % 64) & 1) as u8);
    }
    Ok(matrix)
}

/// The mean, summed in order in f64, so that it is the same with any number of threads; 0 of nothing.
fn mean(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = values.len().max(1);
    (values.map(f64::from).sum::<f64>() / count as f64) as f32
}

#[cfg(test)]
mod tests {
    use molarena_sdk::{Bits, Dense, OwnedLabels};

    use super::*;

    const MISSING: f32 = f32::NAN;
    const X: [f32; 4] = [0.0, 1.0, 9.0, 10.0];

    fn predictions(kind: TaskKind, tasks: usize, labels: Vec<f32>) -> (NearestCentroid, Vec<f32>) {
        let labels = OwnedLabels::from_nan(kind, 4, tasks, labels).unwrap();
        let molecules = Inputs::from_dense(Dense::new(&X, 4, 1).unwrap());
        let mut baseline = NearestCentroid::new(Config::default()).unwrap();
        let call = Call::new(0, 1);
        baseline.fit(&molecules, &labels.view(), &molecules, &labels.view(), &call).unwrap();
        let predictions = baseline.predict(&molecules, &call).unwrap();
        (baseline, predictions.values)
    }

    #[test]
    fn the_nearer_centroid_counts_more() {
        let (_, values) = predictions(TaskKind::Classification, 1, vec![0.0, 0.0, 1.0, 1.0]);
        // Centroids 0.5 and 9.5: distances 0.5 and 9.5, each + 1.
        assert_eq!(values[0], 1.5 / 12.0);
        assert!((values[0] + values[3] - 1.0).abs() < 1e-6 && values[1] < values[2]);
    }

    #[test]
    fn missing_labels_are_not_negatives() {
        let m = MISSING;
        let (_, values) = predictions(TaskKind::Classification, 2, vec![m, m, 1.0, m, 1.0, m, m, m]);
        assert_eq!(values, [1.0, 0.5].repeat(4), "one class only, and no label at all");
        let (_, values) = predictions(TaskKind::Regression, 1, vec![m; 4]);
        assert_eq!(values, [0.0; 4]);
    }

    #[test]
    fn a_saved_model_predicts_the_same() {
        let (mut baseline, values) = predictions(TaskKind::Regression, 1, vec![1.0, 2.0, 5.0, 6.0]);
        let mut other = NearestCentroid::new(Config::default()).unwrap();
        let molecules = Inputs::from_dense(Dense::new(&X, 4, 1).unwrap());
        assert!(other.predict(&molecules, &Call::new(0, 1)).is_err());
        other.load(&baseline.save().unwrap()).unwrap();
        assert_eq!(other.predict(&molecules, &Call::new(0, 1)).unwrap().values, values);
        let narrow = Inputs::from_bits(Bits::new(&[0; 4], 4, 2).unwrap());
        assert!(baseline.predict(&narrow, &Call::new(0, 1)).is_err());
    }

    #[test]
    fn bits_become_numbers() {
        let words = [0b101, 0, 0, 1];
        let x = matrix(&Inputs::from_bits(Bits::new(&words, 2, 66).unwrap())).unwrap();
        let set: Vec<usize> = (0..132).filter(|&index| x.values[index] == 1.0).collect();
        assert_eq!(set, [0, 2, 66 + 64]);
    }
}
