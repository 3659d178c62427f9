//! The baseline `tree-linfa`, and how the trees of both linfa baselines are grown.

use linfa::{
    DatasetBase, ParamGuard,
    traits::{Fit, Predict},
};
use linfa_trees::{DecisionTree, DecisionTreeParams, DecisionTreeValidParams};
use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
    state::{Header, fitted},
};
use ndarray_016::{Array1, Array2};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::{Model, classes, classes_only, places};

const HEADER: Header = Header { name: *b"ltre", version: 1 };

/// What each row of class 0 weighs; a row of class 1 weighs 1. See [`Grower`].
const WEIGHT_OF_CLASS_0: f32 = 1.0 + 1.0 / 4096.0;

pub(crate) type Tree = DecisionTree<f32, bool>;

/// Configuration of [`LinfaTree`].
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinfaTreeConfig {
    /// Largest number of splits above a leaf, at least 1. Default: no limit.
    #[schemars(range(min = 1))]
    pub max_depth: Option<u32>,
    /// Least number of rows in a leaf, at least 1.
    #[schemars(range(min = 1))]
    pub min_samples_leaf: u32,
}

impl Default for LinfaTreeConfig {
    fn default() -> Self {
        Self { max_depth: None, min_samples_leaf: 1 }
    }
}

/// linfa's decision tree for each task, by Gini impurity. It predicts 0 or 1: the class of most rows in the leaf, since
/// linfa keeps no shares. Classification only.
///
/// In version 0.8.1 of linfa-trees, a node tries the split between two values of a column only if the last of all training
/// rows with the lower value is in the node. A bit has one such place, so below the root most bits are never tried, and
/// trees on bits end early. Values closer than 1e-5 are one value.
#[derive(Debug)]
pub struct LinfaTree {
    grower: Grower,
    model: Option<Model<Tree>>,
}

impl Component for LinfaTree {
    type Config = LinfaTreeConfig;
    const INFO: Info = Info {
        id: "tree-linfa",
        summary: "decision tree of the linfa library, one for each task, predicting 0 or 1; classification only",
        inputs: &[InputKind::Bits, InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: LinfaTreeConfig) -> Result<Self> {
        Ok(Self { grower: Grower::new(config.max_depth, config.min_samples_leaf)?, model: None })
    }
}

impl Baseline for LinfaTree {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        classes_only(Self::INFO.id, labels)?;
        self.model = Some(Model::fit(train, labels, call, |rows, targets, _| {
            let dataset = DatasetBase::new(rows.array(places(targets)), Array1::from(classes(targets)));
            self.grower.fit(&dataset).map_err(|error| library(&error))
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
            |tree, rows: &Array2<f32>| {
                Ok(tree.predict(rows).iter().map(|&class| f32::from(u8::from(class))).collect())
            },
        )
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model<Tree> = HEADER.load(state)?;
        if !model.fitted().all(|tree| is_whole(tree, model.columns())) {
            return Err(Error::data("state of the tree is damaged: its nodes do not fit"));
        }
        self.model = Some(model);
        Ok(())
    }
}

/// Grows a tree of linfa in a way that can be repeated.
///
/// linfa takes the first of equally frequent classes in the order of a hash map, which changes from run to run. Here rows of
/// class 0 weigh 1/4096 more, so that equal numbers of rows are class 0. Among rows of different numbers, this alone
/// decides only between splits whose impurities differ by about as little.
#[derive(Clone, Debug)]
pub(crate) struct Grower(DecisionTreeValidParams<f32, bool>);

impl Grower {
    /// Checks the values; an error names the parameter at fault.
    pub(crate) fn new(max_depth: Option<u32>, min_samples_leaf: u32) -> Result<Self> {
        for (name, value) in [("max_depth", max_depth.unwrap_or(1)), ("min_samples_leaf", min_samples_leaf)] {
            if value == 0 {
                return Err(Error::invalid_config(format!("`{name}` is 0, must be at least 1")));
            }
        }
        let parameters = DecisionTreeParams::new()
            .max_depth(max_depth.map(|depth| depth as usize))
            .min_weight_leaf(min_samples_leaf as f32);
        parameters.check().map(Self).map_err(|error| library(&error))
    }
}

impl Fit<Array2<f32>, Array1<bool>, linfa::Error> for Grower {
    type Object = Tree;

    fn fit(&self, dataset: &DatasetBase<Array2<f32>, Array1<bool>>) -> linfa::error::Result<Tree> {
        let weights = dataset.targets().mapv(|class| if class { 1.0 } else { WEIGHT_OF_CLASS_0 });
        let weighted =
            DatasetBase::new(dataset.records().view(), dataset.targets().view()).with_weights(weights);
        self.0.fit(&weighted)
    }
}

/// Whether a tree that was read can predict rows of `columns` columns: every inner node has two children and a column.
pub(crate) fn is_whole(tree: &Tree, columns: usize) -> bool {
    tree.iter_nodes().all(|node| {
        node.is_leaf() || (node.split().0 < columns && node.children().iter().all(|child| child.is_some()))
    })
}

/// An error of linfa.
pub(crate) fn library(error: &dyn std::error::Error) -> Error {
    Error::internal(format!("linfa: {error}"))
}
