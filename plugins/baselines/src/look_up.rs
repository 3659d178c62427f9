//! The baseline `look-up`: what a method scores that only knows again what it has seen.

use std::collections::BTreeMap;

use molarena_chem::Molecule;
use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    pool,
    state::{Header, fitted},
    targets::{gather, without_labels},
};

const HEADER: Header = Header { name: *b"look", version: 1 };

/// Configuration of [`LookUp`], which has no settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LookUpConfig {}

/// Predicts the mean label of the training molecules with the same skeleton, else the mean of the task.
///
/// The skeleton is the first block of the `InChIKey` ([`Molecule::identity`]), so stereoisomers and the tautomers that
/// `InChI` unites are looked up as one molecule. Where a split leaks such twins, this scores above chance without
/// having learnt any chemistry.
#[derive(Debug)]
pub struct LookUp {
    model: Option<Model>,
}

/// The labels by skeleton.
#[derive(Debug, Serialize, Deserialize)]
struct Model {
    /// The mean label of each task by skeleton; NaN where the skeleton has no label.
    skeletons: BTreeMap<String, Vec<f32>>,
    /// The mean label of each task.
    means: Vec<f32>,
}

impl Component for LookUp {
    type Config = LookUpConfig;
    const INFO: Info = Info {
        id: "look-up",
        summary: "mean label of the training molecules with the same InChIKey first block, else of the task",
        inputs: &[InputKind::Smiles],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(_: LookUpConfig) -> Result<Self> {
        Ok(Self { model: None })
    }
}

impl Baseline for LookUp {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        call.check()?;
        let skeletons = skeletons(train, call)?;
        let targets = gather(labels, train.rows)?;
        let means = (0..targets.len())
            .map(|task| targets[task].mean().unwrap_or_else(|| without_labels(labels.kind, task, call)))
            .collect();
        let mut sums: BTreeMap<&str, Vec<(f64, u32)>> = BTreeMap::new();
        for (task, targets) in targets.iter().enumerate() {
            for (&row, &value) in targets.rows.iter().zip(&targets.values) {
                let of_skeleton =
                    sums.entry(&skeletons[row as usize]).or_insert_with(|| vec![(0.0, 0); labels.tasks]);
                let (sum, count) = &mut of_skeleton[task];
                *sum += f64::from(value);
                *count += 1;
            }
        }
        // 0 / 0 is NaN: the skeleton has no label for the task.
        let mean = |(sum, count): (f64, u32)| (sum / f64::from(count)) as f32;
        let skeletons = sums
            .into_iter()
            .map(|(skeleton, sums)| (skeleton.to_owned(), sums.into_iter().map(mean).collect()))
            .collect();
        self.model = Some(Model { skeletons, means });
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, |model| model.means.len())
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let model = fitted(self.model.as_ref(), "predict")?;
        let mut values = Vec::with_capacity(inputs.rows * model.means.len());
        for skeleton in skeletons(inputs, call)? {
            let known = model.skeletons.get(&skeleton);
            values.extend(model.means.iter().enumerate().map(|(task, &mean)| {
                known.map(|labels| labels[task]).filter(|label| !label.is_nan()).unwrap_or(mean)
            }));
        }
        Matrix::new(inputs.rows, model.means.len(), values)
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model = HEADER.load(state)?;
        if model.skeletons.values().any(|labels| labels.len() != model.means.len()) {
            return Err(Error::data("state of look-up is damaged: a skeleton has another number of tasks"));
        }
        self.model = Some(model);
        Ok(())
    }
}

/// The skeleton of each molecule.
fn skeletons(inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Vec<String>> {
    let smiles = inputs.smiles()?;
    pool::map(
        smiles.len(),
        call,
        "identifying molecules",
        || (),
        |(), row| {
            let molecule = Molecule::parse(smiles.get(row))
                .map_err(|error| Error::invalid_argument(format!("molecule {row}: {error}")))?;
            Ok(molecule.identity())
        },
    )
}

#[cfg(test)]
mod tests {
    use molarena_sdk::{OwnedLabels, Smiles, TaskKind};

    use super::*;

    fn with_smiles<T>(list: &[&str], work: impl FnOnce(&Inputs<'_>) -> T) -> T {
        let text = list.concat();
        let mut offsets = vec![0];
        offsets.extend(list.iter().scan(0, |end, smiles| {
            *end += smiles.len() as i64;
            Some(*end)
        }));
        work(&Inputs::from_smiles(Smiles::new(&text, &offsets).unwrap()))
    }

    fn fit(list: &[&str], tasks: usize, values: Vec<f32>) -> LookUp {
        let labels = OwnedLabels::from_nan(TaskKind::Classification, list.len(), tasks, values).unwrap();
        let mut look_up = LookUp::new(LookUpConfig {}).unwrap();
        with_smiles(list, |inputs| {
            look_up.fit(inputs, &labels.view(), inputs, &labels.view(), &Call::new(0, 1)).unwrap();
        });
        look_up
    }

    fn predict(look_up: &mut LookUp, list: &[&str]) -> Vec<f32> {
        with_smiles(list, |inputs| look_up.predict(inputs, &Call::new(0, 2)).unwrap().values)
    }

    #[test]
    fn twins_have_the_mean_of_their_skeleton_and_others_that_of_the_task() {
        let nan = f32::NAN;
        // Two stereoisomers of alanine, of which one has no label for the second task, and benzene.
        let train = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "c1ccccc1"];
        let mut look_up = fit(&train, 3, vec![1.0, 1.0, nan, 0.0, nan, nan, 0.0, 0.0, 1.0]);
        let third = 1.0 / 3.0;
        assert_eq!(predict(&mut look_up, &["CC(N)C(=O)O", "CCO"]), [0.5, 1.0, 1.0, third, 0.5, 1.0]);
        // Benzene under another spelling.
        assert_eq!(predict(&mut look_up, &["C1=CC=CC=C1"]), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn predictions_survive_saving() {
        let mut look_up = fit(&["CCO", "c1ccccc1"], 1, vec![1.0, 0.0]);
        let before = predict(&mut look_up, &["OCC", "CC"]);
        assert_eq!(before, [1.0, 0.5]);
        let mut other = LookUp::new(LookUpConfig {}).unwrap();
        assert!(other.save().is_err());
        other.load(&look_up.save().unwrap()).unwrap();
        assert_eq!(predict(&mut other, &["OCC", "CC"]), before);
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let look_up = fit(&["CCO"], 2, vec![1.0, 0.0]);
        let mut model = look_up.model.unwrap();
        model.means.pop();
        let state = HEADER.save(&model).unwrap();
        assert!(LookUp::new(LookUpConfig {}).unwrap().load(&state).is_err());
    }
}
