//! The objectives, one file each. To add one, write its file and add its line to the table at the end.

use burn::tensor::Tensor;
use molarena_nn::{Arrays, Parameters, Pass, Random, Slots, gnn::GraphNetwork};
use molarena_sdk::{Call, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graphs::{Graph, Molecules};

/// The loss of a batch, `f32[1]`, and its parts (`None` for a part without a target).
pub(crate) type Loss = (Tensor<1>, Vec<Option<Tensor<1>>>);

/// What the training loop asks of an objective. All random numbers come from the streams that it is given.
pub(crate) trait Objective: std::fmt::Debug {
    /// Names of the parts of the loss, for the log.
    fn parts(&self) -> &'static [&'static str];

    /// Adds the parameters that it trains beside the network's.
    fn slots(&self, network: &GraphNetwork, slots: &mut Slots);

    /// Whether the parameter called `name` is trained at this time.
    fn takes(&self, _name: &str) -> bool {
        true
    }

    /// The loss of some molecules; `None` if there is nothing to learn from them. A pass of training has a random stream, an
    /// evaluation has none.
    fn loss(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        molecules: &[Graph],
        random: &mut Random,
    ) -> Result<Option<Loss>>;

    /// Whether losses of held-out molecules in different epochs can be compared by now.
    fn is_settled(&self) -> bool {
        true
    }

    /// Follows the last step of an epoch.
    fn end_epoch(&mut self, _end: &mut EpochEnd<'_>) -> Result<()> {
        Ok(())
    }

    /// What it changes from epoch to epoch, for checkpoints.
    fn state(&self) -> Arrays {
        Arrays::default()
    }

    /// Restores what [`state`](Self::state) returned.
    fn restore(&mut self, _state: Arrays) -> Result<()> {
        Ok(())
    }
}

/// What an objective may use at the end of an epoch.
pub(crate) struct EpochEnd<'a> {
    pub(crate) network: &'a GraphNetwork,
    pub(crate) parameters: &'a mut Parameters,
    /// All parameters.
    pub(crate) slots: &'a Slots,
    /// Number of epochs that are done, at least 1.
    pub(crate) epochs: usize,
    /// The training molecules.
    pub(crate) molecules: &'a Molecules<'a>,
    pub(crate) batch_size: usize,
    /// A stream of this epoch's end.
    pub(crate) random: Random,
    pub(crate) call: &'a Call<'a>,
}

/// The configuration of an objective, from which it is made.
pub(crate) trait Settings {
    /// Whether it reads the vectors of atoms, so that the network must have no virtual node.
    const READS_ATOMS: bool;

    /// Checks the values for a training of this many epochs; the error names the invalid parameter.
    fn check(&self, epochs: usize) -> Result<()>;

    /// The objective for the molecules that it will be trained on.
    fn objective(&self, molecules: &Molecules<'_>) -> Result<Box<dyn Objective>>;
}

/// Makes [`ObjectiveConfig`] of the lines `Type = "name" in file`.
macro_rules! objectives {
    ($($objective:ident = $name:literal in $file:ident),+ $(,)?) => {
        $(pub(crate) mod $file; pub use $file::$objective;)+

        /// The objective, by its `name`, and its parameters.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "name")]
        pub enum ObjectiveConfig {
            $(
                #[doc = concat!("`", $name, "`.")]
                #[serde(rename = $name)]
                $objective($objective),
            )+
        }

        impl ObjectiveConfig {
            /// The names of all objectives.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The objective called `name` with the parameters of its paper.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$objective($objective::default())),)+
                    _ => None,
                }
            }

            /// The name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$objective(_) => $name,)+
                }
            }

            pub(crate) fn reads_atoms(&self) -> bool {
                match self {
                    $(Self::$objective(_) => <$objective as Settings>::READS_ATOMS,)+
                }
            }

            pub(crate) fn check(&self, epochs: usize) -> Result<()> {
                match self {
                    $(Self::$objective(settings) => settings.check(epochs),)+
                }
            }

            pub(crate) fn objective(&self, molecules: &Molecules<'_>) -> Result<Box<dyn Objective>> {
                match self {
                    $(Self::$objective(settings) => settings.objective(molecules),)+
                }
            }
        }
    };
}

objectives! {
    AttrMask = "attrmask" in attrmask,
    ContextPred = "contextpred" in contextpred,
    EdgePred = "edgepred" in edgepred,
    GraphCl = "graphcl" in graphcl,
    Joao = "joao" in joao,
    GraphLog = "graphlog" in graphlog,
    Mgssl = "mgssl" in mgssl,
    GraphMae = "graphmae" in graphmae,
    Dsla = "dsla" in dsla,
}
