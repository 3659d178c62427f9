//! Networks with an output for each task, which learn from molecules with labels.

mod finetune;
mod members;
mod train;

use burn::tensor::{Device, Tensor};
use molarena_sdk::{Call, Error, Matrix, Result};

use crate::{Arrays, Parameters, Pass, Slots};

pub use finetune::{FineTuneConfig, FineTuned, GraphEncoder};
pub use members::Members;
pub use train::{Data, Options, Selection, Trained, train};

/// A network with an output for each task.
pub trait Predictor: Send + Sync {
    /// Molecules as the network takes them.
    type Molecules<'a>: Sync;
    /// Name of such networks in checkpoints.
    const NAME: &str;

    /// Number of outputs, at least 1.
    fn outputs(&self) -> usize;

    /// Number of molecules.
    fn count(molecules: &Self::Molecules<'_>) -> usize;

    /// The network's parameters.
    fn slots(&self) -> Slots;

    /// Weights that training starts from, by the names of their parameters; those without are random.
    fn start(&self) -> Arrays {
        Arrays::default()
    }

    /// Factor of the learning rate of the parameter called `name`.
    fn rate(&self, _name: &str) -> f64 {
        1.0
    }

    /// Outputs for the molecules `rows`, `f32[rows, outputs]`: logits or numbers.
    fn forward(&self, pass: &mut Pass<'_>, molecules: &Self::Molecules<'_>, rows: &[usize]) -> Tensor<2>;

    /// Outputs of a network that is not training, for all molecules. A row does not depend on the other rows.
    fn predict(
        &self,
        parameters: &mut Parameters,
        molecules: &Self::Molecules<'_>,
        call: &Call<'_>,
    ) -> Result<Matrix>;

    /// Returns an error if `weights` are not those of a network of this shape.
    fn check(&self, weights: &Arrays) -> Result<()> {
        let slots = self.slots();
        let fits = weights.arrays.len() == slots.0.len()
            && slots.0.iter().all(|slot| {
                let count = slot.shape.iter().try_fold(1usize, |count, &extent| count.checked_mul(extent));
                weights
                    .arrays
                    .get(&slot.name)
                    .is_some_and(|array| array.shape() == slot.shape && count == Some(array.values().len()))
            });
        if fits {
            Ok(())
        } else {
            Err(Error::data("state of the network is damaged: weights and layers do not fit"))
        }
    }

    /// A network with `weights` on `device`.
    fn load(&self, weights: &Arrays, device: &Device) -> Result<Parameters> {
        self.check(weights)?;
        Parameters::take(&self.slots(), &mut weights.clone(), device)
    }
}
