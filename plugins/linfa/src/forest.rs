//! The baseline `rf-linfa`.

use linfa::{
    DatasetBase, ParamGuard,
    traits::{Fit, Predict},
};
use linfa_ensemble::{EnsembleLearner, EnsembleLearnerParams};
use linfa_trees::DecisionTreeParams;
use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
    state::{Header, fitted},
};
use ndarray_016::{Array1, Array2, Axis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Model, classes, classes_only, places, random};
use crate::tree::{Grower, Tree, is_whole, library};

const HEADER: Header = Header { name: *b"lrf ", version: 1 };

/// Configuration of [`LinfaForest`].
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinfaForestConfig {
    /// Number of trees of each task's forest, at least 1.
    #[schemars(range(min = 1))]
    pub n_trees: usize,
    /// Rows that are drawn for each tree, with replacement, as a share of the labelled rows, in (0, 1].
    pub row_share: f64,
    /// Columns that are drawn for each tree, with replacement, as a share of all columns, in (0, 1]. Default: the square
    /// root of the number of columns.
    pub column_share: Option<f64>,
    /// Largest number of splits above a leaf, at least 1. Default: no limit.
    #[schemars(range(min = 1))]
    pub max_depth: Option<u32>,
    /// Least number of drawn rows in a leaf, at least 1.
    #[schemars(range(min = 1))]
    pub min_samples_leaf: u32,
}

impl Default for LinfaForestConfig {
    fn default() -> Self {
        Self { n_trees: 100, row_share: 1.0, column_share: None, max_depth: None, min_samples_leaf: 1 }
    }
}

/// linfa's random forest for each task. The prediction is the share of the trees that vote for class 1. linfa draws the
/// columns once for each tree, not for each split as Breiman and scikit-learn do, and its trees try few splits on bits (see
/// [`LinfaTree`](crate::LinfaTree)). Classification only.
#[derive(Debug)]
pub struct LinfaForest {
    config: LinfaForestConfig,
    grower: Grower,
    model: Option<Model<Forest>>,
}

/// Trees, with the columns of each.
#[derive(Debug, Serialize, Deserialize)]
struct Forest {
    trees: Vec<Tree>,
    columns: Vec<Vec<usize>>,
}

impl Component for LinfaForest {
    type Config = LinfaForestConfig;
    const INFO: Info = Info {
        id: "rf-linfa",
        summary: "random forest of the linfa library, one for each task, as the share of votes; classification only",
        inputs: &[InputKind::Bits, InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };

    fn new(config: LinfaForestConfig) -> Result<Self> {
        if config.n_trees == 0 {
            return Err(Error::invalid_config("`n_trees` is 0, must be at least 1"));
        }
        for (name, share) in
            [("row_share", config.row_share), ("column_share", config.column_share.unwrap_or(1.0))]
        {
            if !(share > 0.0 && share <= 1.0) {
                return Err(Error::invalid_config(format!("`{name}` is {share}, must be in (0, 1]")));
            }
        }
        let grower = Grower::new(config.max_depth, config.min_samples_leaf)?;
        Ok(Self { config, grower, model: None })
    }
}

impl Baseline for LinfaForest {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        classes_only(Self::INFO.id, labels)?;
        self.model = Some(Model::fit(train, labels, call, |rows, targets, task| {
            let columns = rows.columns() as f64;
            let dataset = DatasetBase::new(rows.array(places(targets)), Array1::from(classes(targets)));
            let grower = Watched { grower: &self.grower, call };
            let forest = EnsembleLearnerParams::new_fixed_rng(grower, random(call.seed, task))
                .ensemble_size(self.config.n_trees)
                .bootstrap_proportion(self.config.row_share)
                .feature_proportion(self.config.column_share.unwrap_or(1.0 / columns.sqrt()))
                .fit(&dataset)
                .map_err(|error| library(&error))?;
            call.check()?;
            let EnsembleLearner { models, model_features } = forest;
            Ok(Forest { trees: models, columns: model_features })
        })?);
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, Model::tasks)
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        fitted(self.model.as_ref(), "predict")?.predict(
            inputs,
            call,
            |rows| Ok(rows.array(0..rows.len())),
            |forest, rows| Ok(forest.shares(rows)),
        )
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model<Forest> = HEADER.load(state)?;
        if !model.fitted().all(|forest| forest.is_whole(model.columns())) {
            return Err(Error::data("state of the forest is damaged: its trees and columns do not fit"));
        }
        self.model = Some(model);
        Ok(())
    }
}

impl Forest {
    /// Of each row, the share of trees that vote for class 1.
    fn shares(&self, rows: &Array2<f32>) -> Vec<f32> {
        let mut votes = vec![0_u32; rows.nrows()];
        for (tree, columns) in self.trees.iter().zip(&self.columns) {
            let classes = tree.predict(&rows.select(Axis(1), columns));
            votes.iter_mut().zip(&classes).for_each(|(votes, &class)| *votes += u32::from(class));
        }
        votes.into_iter().map(|votes| (f64::from(votes) / self.trees.len() as f64) as f32).collect()
    }

    fn is_whole(&self, columns: usize) -> bool {
        let fits = |(tree, drawn): (&Tree, &Vec<usize>)| {
            is_whole(tree, drawn.len()) && drawn.iter().all(|&column| column < columns)
        };
        !self.trees.is_empty()
            && self.trees.len() == self.columns.len()
            && self.trees.iter().zip(&self.columns).all(fits)
    }
}

/// Grows trees until the call is cancelled. linfa panics where growing a tree fails, so the trees after that are single
/// leaves, and the forest is thrown away.
struct Watched<'a> {
    grower: &'a Grower,
    call: &'a Call<'a>,
}

impl Fit<Array2<f32>, Array1<bool>, linfa::Error> for Watched<'_> {
    type Object = Tree;

    fn fit(&self, dataset: &DatasetBase<Array2<f32>, Array1<bool>>) -> linfa::error::Result<Tree> {
        if self.call.cancelled() {
            return DecisionTreeParams::new().max_depth(Some(0)).check()?.fit(dataset);
        }
        self.grower.fit(dataset)
    }
}
