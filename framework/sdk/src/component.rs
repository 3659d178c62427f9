//! The traits that a plugin author implements.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Call, Corpus, Dense, Determinism, Error, InputKind, Inputs, Labels, Matrix, Result};

/// A component's description of itself.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// Name, unique among the plugin's components of its kind.
    pub id: &'static str,
    /// One sentence that describes the component.
    pub summary: &'static str,
    /// Input kinds that the component accepts, in order of preference.
    pub inputs: &'static [InputKind],
    /// Devices that the component runs on, such as `cpu`.
    pub devices: &'static [&'static str],
    /// What two runs with the same seed have in common.
    pub determinism: Determinism,
    /// Corpora on which the component's weights were pretrained.
    pub corpora: &'static [&'static str],
}

/// Something that is made from a configuration: the common part of encoders, decoders and baselines.
pub trait Component: Sized + 'static {
    /// The configuration. Derive `Deserialize` with `#[serde(deny_unknown_fields, default)]` and `JsonSchema`.
    type Config: DeserializeOwned + JsonSchema;
    /// The component's description of itself.
    const INFO: Info;
    /// Whether the seed of a call changes the results. If not, the arena fits once for all seeds of a row.
    const USES_SEED: bool = true;
    /// Makes an instance. Returns an error if a configuration value is out of range.
    fn new(config: Self::Config) -> Result<Self>;
}

/// A predictor on top of features or of an encoder.
pub trait Baseline {
    /// Learns from training molecules. Validation molecules are for model choice only and may be empty.
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

    /// The fitted state as bytes, for [`load`](Self::load).
    fn save(&self) -> Result<Vec<u8>> {
        Err(Error::unsupported("this baseline cannot be saved"))
    }

    /// Restores the bytes that [`save`](Self::save) returned.
    fn load(&mut self, _state: &[u8]) -> Result<()> {
        Err(Error::unsupported("this baseline cannot be loaded"))
    }
}

/// Turns molecules into vectors.
pub trait Encoder {
    /// Pretrains on a context graph. Write checkpoints and logs to [`Call::folder`]: it outlives the call, and after a
    /// kill the next run calls `fit` with the same folder. If the plugin has a decoder, train it here too; it
    /// [loads](Decoder::load) the state that [`save`](Self::save) returns.
    fn fit(&mut self, _corpus: &Corpus<'_>, _call: &Call<'_>) -> Result<()> {
        Err(Error::unsupported("this encoder cannot be trained: leave `corpus` out of the method"))
    }

    /// Width d of the representation.
    fn width(&self) -> usize;

    /// Encodes n molecules to `f32[n, d]`.
    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix>;

    /// The trained state as bytes, for [`load`](Self::load).
    fn save(&self) -> Result<Vec<u8>> {
        Err(Error::unsupported("this encoder cannot be saved"))
    }

    /// Restores the bytes that [`save`](Self::save) returned.
    fn load(&mut self, _state: &[u8]) -> Result<()> {
        Err(Error::unsupported("this encoder cannot be loaded"))
    }
}

/// An encoder whose weights are trained end to end with a head on labels, instead of a baseline on its fixed vectors.
///
/// Export it as `encoders: [MyEncoder: FineTune]`; a method file asks for it with `finetune` in its `encoder`.
pub trait FineTune: Component + Encoder {
    /// The configuration of head and training. Derive `Deserialize` with `#[serde(deny_unknown_fields, default)]` and
    /// `JsonSchema`.
    type FineTuneConfig: DeserializeOwned + JsonSchema;
    /// The encoder with a head. Its inputs are the encoder's molecules, and its determinism is that which the encoder
    /// declares.
    type Model: Baseline + 'static;

    /// A model that starts from the encoder's present state. Returns an error if a configuration value is out of range, but
    /// not for a state that is missing: [`Baseline::fit`] says so, and [`Baseline::load`] restores encoder and head.
    fn finetune(&self, config: Self::FineTuneConfig) -> Result<Self::Model>;
}

/// Turns vectors into profiles of a feature space.
pub trait Decoder {
    /// Number of columns m of a feature space. The error for an unknown space names the available spaces.
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

    /// The trained state as bytes, for [`load`](Self::load).
    fn save(&self) -> Result<Vec<u8>> {
        Err(Error::unsupported("this decoder cannot be saved"))
    }

    /// Restores the bytes that [`save`](Self::save) returned, or that the encoder of the same plugin saved: for
    /// matching, the arena gives a decoder the state of the encoder that it pretrained, if both belong to one plugin.
    /// The plugin decides on the format of the bytes; one state for both kinds is the simplest choice.
    fn load(&mut self, _state: &[u8]) -> Result<()> {
        Err(Error::unsupported("this decoder cannot be loaded"))
    }
}
