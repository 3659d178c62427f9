//! The traits that a plugin author implements.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Call, Corpus, Dense, Determinism, Error, InputKind, Inputs, Labels, Matrix, Result};

/// What a component says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// Name, unique among the plugin's components of its kind.
    pub id: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Input kinds that it takes, best first.
    pub inputs: &'static [InputKind],
    /// Devices that it runs on.
    pub devices: &'static [&'static str],
    /// What the same seed promises.
    pub determinism: Determinism,
    /// Corpora that its weights come from.
    pub corpora: &'static [&'static str],
}

/// Something that is made from a configuration.
pub trait Component: Sized + 'static {
    /// The configuration. Derive `Deserialize` with `#[serde(deny_unknown_fields, default)]` and `JsonSchema`.
    type Config: DeserializeOwned + JsonSchema;
    /// What the component says about itself.
    const INFO: Info;
    /// Whether the seed of a call changes what it gives. Without it, the arena fits once for all seeds of a row.
    const USES_SEED: bool = true;
    /// Makes an instance; checks the configuration's values.
    fn new(config: Self::Config) -> Result<Self>;
}

/// A predictor on top of features or of an encoder.
pub trait Baseline {
    /// Learns from training molecules. Validation molecules serve model choice only and may be empty.
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        train_labels: &Labels<'_>,
        valid: &Inputs<'_>,
        valid_labels: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()>;

    /// Number of tasks t of the fitted model; 0 before `fit`.
    fn tasks(&self) -> usize;

    /// Predicts `f32[n, t]`: probabilities of class 1, or values in the labels' units.
    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix>;

    /// The fitted state as bytes.
    fn save(&self) -> Result<Vec<u8>> {
        Err(Error::unsupported("this baseline cannot be saved"))
    }

    /// Restores what [`save`](Self::save) gave.
    fn load(&mut self, _state: &[u8]) -> Result<()> {
        Err(Error::unsupported("this baseline cannot be loaded"))
    }
}

/// Molecules to vectors.
pub trait Encoder {
    /// Pretrains on a context graph. [`Call::folder`] is the place for checkpoints and logs: it outlives the call, and a
    /// run that was killed calls again with the same folder. The decoder of the same plugin, if there is one, is
    /// trained with it and [loads](Decoder::load) the state that [`save`](Self::save) gives.
    fn fit(&mut self, _corpus: &Corpus<'_>, _call: &Call<'_>) -> Result<()> {
        Err(Error::unsupported("this encoder cannot be trained: leave `corpus` out of the method"))
    }

    /// Width d of the representation.
    fn width(&self) -> usize;

    /// Encodes n molecules to `f32[n, d]`.
    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix>;

    /// The trained state as bytes.
    fn save(&self) -> Result<Vec<u8>> {
        Err(Error::unsupported("this encoder cannot be saved"))
    }

    /// Restores what [`save`](Self::save) gave.
    fn load(&mut self, _state: &[u8]) -> Result<()> {
        Err(Error::unsupported("this encoder cannot be loaded"))
    }
}

/// Vectors to profiles of a feature space.
pub trait Decoder {
    /// Columns m of a feature space; an error names the spaces that there are.
    fn columns(&self, space: &str) -> Result<usize>;

    /// Decodes z, `f32[n, d]`, to `f32[n, m]`.
    fn decode(&mut self, z: &Dense<'_>, space: &str, call: &Call<'_>) -> Result<Matrix>;

    /// Scores c candidates, `f32[c, m]`, for each z: `f32[n, c]`, a log-likelihood or a similarity.
    fn score(
        &mut self,
        z: &Dense<'_>,
        candidates: &Dense<'_>,
        space: &str,
        call: &Call<'_>,
    ) -> Result<Matrix>;

    /// The trained state as bytes.
    fn save(&self) -> Result<Vec<u8>> {
        Err(Error::unsupported("this decoder cannot be saved"))
    }

    /// Restores what [`save`](Self::save) gave, or what the encoder of the same plugin saved: for matching, the arena
    /// gives a decoder the state of the encoder that it pretrained, if both are of one plugin. The bytes are the
    /// plugin's own; one state for both kinds is the simplest way.
    fn load(&mut self, _state: &[u8]) -> Result<()> {
        Err(Error::unsupported("this decoder cannot be loaded"))
    }
}
