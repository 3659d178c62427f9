//! A plugin's description of itself: the JSON that the ABI's `describe` returns.

use serde::{Deserialize, Serialize};

/// A plugin library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginDescription {
    /// Name of the plugin: its file is `libmolarena_<id>.so`, with `-` written as `_`.
    pub id: String,
    /// The plugin's own version.
    pub version: String,
    /// Licence as an SPDX expression.
    pub licence: String,
    /// The components that the plugin offers.
    pub components: Vec<ComponentDescription>,
    /// Hash of the sources and locked dependencies that it was built from, where its build script declares it. An arena
    /// believes it of the plugins of its own workspace only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_sha256: Option<String>,
    /// How it was built from them: target, instruction sets, enabled features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_build: Option<String>,
}

/// One component of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentDescription {
    /// Whether it is an encoder, a decoder or a baseline.
    pub kind: ComponentKind,
    /// Name of the component, unique among the plugin's components of its kind.
    pub id: String,
    /// One sentence that describes the component.
    pub summary: String,
    /// Input kinds that the component accepts, in order of preference.
    pub inputs: Vec<InputKind>,
    /// Devices that the component runs on, such as `cpu`.
    pub devices: Vec<String>,
    /// What two runs with the same seed have in common.
    pub determinism: Determinism,
    /// Whether the seed of a call changes the results. If not, the arena fits once for all seeds of a row.
    #[serde(default = "yes")]
    pub uses_seed: bool,
    /// Corpora on which the component's weights were pretrained.
    pub corpora: Vec<String>,
    /// JSON Schema of the configuration.
    pub config_schema: serde_json::Value,
    /// How an encoder can be trained end to end with a head; `None` if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finetune: Option<FineTuneDescription>,
}

/// The fine-tuning that an encoder offers, by the extension `molarena.encoder.finetune/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FineTuneDescription {
    /// JSON Schema of the configuration of head and training.
    pub config_schema: serde_json::Value,
}

const fn yes() -> bool {
    true
}

/// Kind of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentKind {
    /// Turns molecules into vectors.
    Encoder,
    /// Turns vectors into profiles of a feature space.
    Decoder,
    /// Predicts labels from features or from an encoder's vectors.
    Baseline,
}

/// The form in which a component reads molecules.
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
    /// Every bit of the output, with any number of threads.
    Bitwise,
    /// The output up to rounding.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fine_tuning_is_optional_both_ways() {
        let mut encoder = json!({
            "kind": "encoder", "id": "a", "summary": "", "inputs": ["graphs"], "devices": ["cpu"], "determinism": "none",
            "uses_seed": true, "corpora": [], "config_schema": {},
        });
        let without: ComponentDescription = serde_json::from_value(encoder.clone()).unwrap();
        assert_eq!((&without.finetune, serde_json::to_value(&without).unwrap()), (&None, encoder.clone()));
        encoder["finetune"] = json!({ "config_schema": { "type": "object" } });
        let with: ComponentDescription = serde_json::from_value(encoder.clone()).unwrap();
        assert_eq!(with.finetune.as_ref().unwrap().config_schema, json!({ "type": "object" }));
        assert_eq!(serde_json::to_value(&with).unwrap(), encoder);
    }

    #[test]
    fn the_hash_of_the_sources_is_optional_both_ways() {
        let mut plugin = json!({"id": "a", "version": "1.0.0", "licence": "MIT", "components": []});
        let without: PluginDescription = serde_json::from_value(plugin.clone()).unwrap();
        assert_eq!((&without.source_sha256, &without.source_build), (&None, &None));
        assert_eq!(serde_json::to_value(&without).unwrap(), plugin);
        plugin["source_sha256"] = json!("aa");
        plugin["source_build"] = json!("target x");
        let with: PluginDescription = serde_json::from_value(plugin.clone()).unwrap();
        assert_eq!(serde_json::to_value(&with).unwrap(), plugin);
        // As an earlier arena sees these two.
        plugin["of_later"] = json!(true);
        assert_eq!(serde_json::from_value::<PluginDescription>(plugin).unwrap(), with);
    }
}
