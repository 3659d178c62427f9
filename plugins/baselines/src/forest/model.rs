//! The forests of all tasks: growing, predicting, storing.

use molarena_sdk::{Bits, Call, Dense, Error, Matrix, Result, TaskKind};
use serde::{Deserialize, Serialize};

use super::{
    bit_tree::BitTree,
    bits::{BitRows, check_bits},
    columns::{Columns, check_finite},
    dense_tree::DenseTree,
    grow_bits::{BitGrower, BitScratch},
    grow_dense::{DenseGrower, DenseScratch, FEW},
    params::Params,
    random::Random,
    sample::Limits,
    target::Target,
};
use crate::{
    pool,
    targets::{Targets, without_labels},
};

/// Rows are predicted in blocks of about this many bytes: half of a common second-level cache.
const BLOCK_BYTES: usize = 1 << 18;

/// The predictor of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Task<T> {
    /// No training row has a label, so the prediction is a constant.
    Unlabelled(f32),
    /// Predicts the mean of the trees' leaves.
    Trees(Vec<T>),
}

/// One forest per task, over rows of `features` features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Forests<T> {
    features: usize,
    tasks: Vec<Task<T>>,
}

impl<T: Send + Sync> Forests<T> {
    /// Number of tasks.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Grows `n_trees` trees for each labelled task; tree j of task i depends only on (seed, i, j).
    fn grow<S>(
        features: usize,
        targets: &[Targets],
        kind: TaskKind,
        n_trees: usize,
        call: &Call<'_>,
        scratch: impl Fn() -> S + Sync + Send,
        grow: impl Fn(&mut S, &Target<'_>, Random) -> Result<T> + Sync + Send,
    ) -> Result<Self> {
        let labelled: Vec<usize> = (0..targets.len()).filter(|&task| !targets[task].is_empty()).collect();
        let coded: Vec<Target<'_>> =
            labelled.iter().map(|&task| Target::new(&targets[task], kind)).collect::<Result<_>>()?;
        let trees = pool::map(labelled.len() * n_trees, call, "growing trees", scratch, |scratch, item| {
            let (position, tree) = (item / n_trees, item % n_trees);
            grow(scratch, &coded[position], Random::of(call.seed, labelled[position], tree))
        })?;
        let mut trees = trees.into_iter();
        let tasks = targets.iter().enumerate().map(|(task, targets)| {
            if targets.is_empty() {
                Task::Unlabelled(without_labels(kind, task, call))
            } else {
                Task::Trees(trees.by_ref().take(n_trees).collect())
            }
        });
        Ok(Self { features, tasks: tasks.collect() })
    }

    /// Mean over the trees for each row and task; `add(tree, first, sums)` adds the leaves of the rows from `first` on.
    /// All trees process one block of rows of `row_bytes` each before the next block, so that the block stays in the
    /// cache.
    fn predict(
        &self,
        rows: usize,
        features: usize,
        row_bytes: usize,
        call: &Call<'_>,
        add: impl Fn(&T, usize, &mut [f64]) + Sync + Send,
    ) -> Result<Matrix> {
        if features != self.features {
            return Err(Error::invalid_argument(format!(
                "the forest was grown on {} features, these inputs have {features}",
                self.features
            )));
        }
        let block = (BLOCK_BYTES / row_bytes.max(1)).max(1);
        let columns = pool::map(
            self.tasks.len(),
            call,
            "predicting",
            Vec::new,
            |sums: &mut Vec<f64>, task| match &self.tasks[task] {
                Task::Unlabelled(value) => Ok(vec![*value; rows]),
                Task::Trees(trees) => {
                    sums.clear();
                    sums.resize(rows, 0.0);
                    for (number, sums) in sums.chunks_mut(block).enumerate() {
                        call.check()?;
                        for tree in trees {
                            add(tree, number * block, sums);
                        }
                    }
                    Ok(sums.iter().map(|sum| (sum / trees.len() as f64) as f32).collect())
                }
            },
        )?;
        let mut values = vec![0.0; rows * columns.len()];
        for (task, column) in columns.iter().enumerate() {
            values
                .iter_mut()
                .skip(task)
                .step_by(columns.len())
                .zip(column)
                .for_each(|(to, from)| *to = *from);
        }
        Matrix::new(rows, columns.len(), values)
    }

    /// Rejects forests without trees, and trees that are not valid for the number of features.
    fn check_trees(self, is_sound: impl Fn(&T, usize) -> bool) -> Result<Self> {
        let sound = |task: &Task<T>| match task {
            Task::Unlabelled(_) => true,
            Task::Trees(trees) => !trees.is_empty() && trees.iter().all(|tree| is_sound(tree, self.features)),
        };
        if self.tasks.iter().all(sound) {
            Ok(self)
        } else {
            Err(Error::data("state of the forest is damaged: a tree, node or feature is not there"))
        }
    }
}

fn limits(params: &Params, features: usize, kind: TaskKind) -> Limits {
    Limits {
        max_features: params.max_features(features, kind),
        max_depth: params.max_depth(),
        min_samples_leaf: params.min_samples_leaf(),
        bootstrap: params.bootstrap(),
    }
}

impl Forests<BitTree> {
    /// Grows forests over packed bits.
    pub(crate) fn grow_bits(
        params: &Params,
        bits: Bits<'_>,
        targets: &[Targets],
        kind: TaskKind,
        call: &Call<'_>,
    ) -> Result<Self> {
        let rows = BitRows::new(bits)?;
        let limits = limits(params, bits.n_bits, kind);
        Self::grow(
            bits.n_bits,
            targets,
            kind,
            params.n_trees(),
            call,
            BitScratch::default,
            |scratch, target, random| Ok(BitGrower::new(&rows, target, limits, scratch, random).grow()),
        )
    }

    /// `f32[rows, tasks]`: probabilities of class 1, or values.
    pub(crate) fn predict_bits(&self, bits: Bits<'_>, call: &Call<'_>) -> Result<Matrix> {
        check_bits(&bits)?;
        self.predict(bits.rows, bits.n_bits, 8 * bits.words_per_row, call, |tree, first, sums| {
            for (sum, row) in sums.iter_mut().zip(first..) {
                *sum += f64::from(tree.predict(bits.row(row)));
            }
        })
    }

    /// Rejects trees that a prediction could not traverse.
    pub(crate) fn check(self) -> Result<Self> {
        self.check_trees(BitTree::is_sound)
    }
}

impl Forests<DenseTree> {
    /// Grows forests over dense features.
    pub(crate) fn grow_dense(
        params: &Params,
        dense: Dense<'_>,
        targets: &[Targets],
        kind: TaskKind,
        call: &Call<'_>,
    ) -> Result<Self> {
        let columns = Columns::new(&dense)?;
        let limits = limits(params, dense.columns, kind);
        Self::grow(
            dense.columns,
            targets,
            kind,
            params.n_trees(),
            call,
            DenseScratch::default,
            |scratch, target, random| {
                Ok(DenseGrower::new(&columns, target, limits, FEW, scratch, random).grow())
            },
        )
    }

    /// `f32[rows, tasks]`: probabilities of class 1, or values.
    pub(crate) fn predict_dense(&self, dense: Dense<'_>, call: &Call<'_>) -> Result<Matrix> {
        check_finite(&dense)?;
        self.predict(dense.rows, dense.columns, 4 * dense.columns, call, |tree, first, sums| {
            let rows = &dense.values[first * dense.columns..(first + sums.len()) * dense.columns];
            tree.add_to(rows, dense.columns, sums);
        })
    }

    /// Rejects trees that a prediction could not traverse.
    pub(crate) fn check(self) -> Result<Self> {
        self.check_trees(DenseTree::is_sound)
    }
}
