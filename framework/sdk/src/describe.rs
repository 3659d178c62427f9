//! What a plugin says about itself: the JSON of the ABI's `describe`.

use serde::{Deserialize, Serialize};

/// A plugin library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginDescription {
    /// Name of the plugin: its file is `libmolarena_<id>.so`, with `-` written as `_`.
    pub id: String,
    /// The plugin's own version.
    pub version: String,
    /// SPDX expression.
    pub licence: String,
    /// What it offers.
    pub components: Vec<ComponentDescription>,
}

/// One component of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentDescription {
    /// Kind of the component.
    pub kind: ComponentKind,
    /// Name of the component, unique among the plugin's components of its kind.
    pub id: String,
    /// One sentence.
    pub summary: String,
    /// Input kinds that it takes, best first.
    pub inputs: Vec<InputKind>,
    /// Devices that it runs on, such as `cpu`.
    pub devices: Vec<String>,
    /// What the same seed promises.
    pub determinism: Determinism,
    /// Whether the seed of a call changes what it gives. Without it, the arena fits once for all seeds of a row.
    #[serde(default = "yes")]
    pub uses_seed: bool,
    /// Corpora that its weights come from.
    pub corpora: Vec<String>,
    /// JSON Schema of the configuration.
    pub config_schema: serde_json::Value,
}

const fn yes() -> bool {
    true
}

/// Kind of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentKind {
    /// Molecules to vectors.
    Encoder,
    /// Vectors to profiles of a feature space.
    Decoder,
    /// Predictor on top of features or of an encoder.
    Baseline,
}

/// What a component reads of a molecule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// SMILES text.
    Smiles,
    /// Packed fingerprint bits.
    Bits,
    /// Dense f32 features.
    Dense,
    /// Molecular graphs with the Open Graph Benchmark's features.
    Graphs,
}

/// What two runs with the same seed, device and inputs have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Determinism {
    /// Every bit of the output, whatever the number of threads.
    Bitwise,
    /// The output within the rounding of the arithmetic.
    Tolerance,
    /// Nothing.
    None,
}

impl std::fmt::Display for ComponentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Encoder => "encoder",
            Self::Decoder => "decoder",
            Self::Baseline => "baseline",
        })
    }
}

impl std::fmt::Display for InputKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Smiles => "smiles",
            Self::Bits => "bits",
            Self::Dense => "dense",
            Self::Graphs => "graphs",
        })
    }
}

impl std::fmt::Display for Determinism {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bitwise => "bitwise",
            Self::Tolerance => "tolerance",
            Self::None => "none",
        })
    }
}
