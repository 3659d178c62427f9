//! The networks, by the `model_type` of their configuration.

use std::{collections::HashMap, fmt, sync::Mutex};

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{bert, t5, xlm_roberta};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::gpt::{Gpt, GptConfig};

/// Why a network cannot be made of a configuration and tensors.
type Fault = String;

/// Known values of `model_type`.
const KNOWN: [&str; 6] = ["bert", "roberta", "xlm-roberta", "gpt2", "gpt_neo", "t5"];

enum Kind {
    Bert(bert::BertModel),
    Roberta(xlm_roberta::XLMRobertaModel),
    Gpt(Gpt),
    /// It wants to be changed, though nothing is kept between calls.
    T5(Box<Mutex<t5::T5EncoderModel>>),
}

/// A network that turns tokens into hidden states.
pub(super) struct Network {
    kind: Kind,
    /// Columns of a hidden state.
    pub(super) width: usize,
    /// Number of tokens that it knows.
    pub(super) vocabulary: usize,
    /// Most tokens of a molecule; `None` if there is no limit.
    pub(super) context: Option<usize>,
}

impl fmt::Debug for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Network({} columns)", self.width)
    }
}

/// What all configurations say in one of two words.
#[derive(Deserialize)]
struct Sizes {
    vocab_size: usize,
    #[serde(alias = "n_embd", alias = "d_model")]
    hidden_size: usize,
    #[serde(alias = "n_positions")]
    max_position_embeddings: Option<usize>,
    pad_token_id: Option<usize>,
}

fn parsed<T: DeserializeOwned>(config: &Value) -> std::result::Result<T, Fault> {
    T::deserialize(config).map_err(|error| format!("config.json: {error}"))
}

/// The same with a value for a key that newer versions of `transformers` leave out.
fn with_default(config: &Value, key: &str, value: &str) -> Value {
    let mut config = config.clone();
    if config.get(key).is_none_or(Value::is_null) {
        config[key] = value.into();
    }
    config
}

/// The tensors of the model without its head: names may begin with one of these.
fn without_head(tensors: HashMap<String, Tensor>, prefixes: &[&str]) -> HashMap<String, Tensor> {
    let bare = |name: String| {
        let bare = prefixes.iter().find_map(|prefix| name.strip_prefix(*prefix)).map(str::to_owned);
        bare.unwrap_or(name)
    };
    tensors.into_iter().map(|(name, tensor)| (bare(name), tensor)).collect()
}

impl Network {
    pub(super) fn load(config: &Value, tensors: HashMap<String, Tensor>) -> std::result::Result<Self, Fault> {
        let model = config["model_type"].as_str().unwrap_or_default();
        if !KNOWN.contains(&model) {
            return Err(format!("config.json: model_type is `{model}`, must be one of {}", KNOWN.join(", ")));
        }
        let sizes: Sizes = parsed(config)?;
        let prefixes = ["roberta.", "bert.", "transformer."];
        let vb = VarBuilder::from_tensors(without_head(tensors, &prefixes), DType::F32, &Device::Cpu);
        let other =
            |error: candle_core::Error| format!("the weights do not fit config.json ({model}): {error}");
        let kind = match model {
            "bert" => Kind::Bert(bert::BertModel::load(vb, &parsed(config)?).map_err(other)?),
            "roberta" | "xlm-roberta" => {
                let config = parsed(&with_default(config, "position_embedding_type", "absolute"))?;
                Kind::Roberta(xlm_roberta::XLMRobertaModel::new(&config, vb).map_err(other)?)
            }
            "t5" => {
                let network = t5::T5EncoderModel::load(vb, &parsed(config)?).map_err(other)?;
                Kind::T5(Box::new(Mutex::new(network)))
            }
            _ => {
                let config: GptConfig = parsed(config)?;
                Kind::Gpt(Gpt::load(&config, model == "gpt_neo", &vb).map_err(other)?)
            }
        };
        // RoBERTa counts places from the number of the padding token on.
        let reserved = if let Kind::Roberta(_) = kind { sizes.pad_token_id.unwrap_or(0) + 1 } else { 0 };
        let context = match kind {
            // Distances are counted, not places.
            Kind::T5(_) => None,
            _ => sizes.max_position_embeddings.map(|places| places.saturating_sub(reserved)),
        };
        Ok(Self { kind, width: sizes.hidden_size, vocabulary: sizes.vocab_size, context })
    }

    /// The last hidden states `[rows, places, width]` of tokens `[rows, places]`, none of which is padding.
    pub(super) fn forward(&self, tokens: &Tensor) -> Result<Tensor> {
        match &self.kind {
            Kind::Bert(network) => network.forward(tokens, &tokens.zeros_like()?, None),
            Kind::Roberta(network) => {
                let (ones, zeros) = (tokens.ones_like()?, tokens.zeros_like()?);
                network.forward(tokens, &ones, &zeros, None, None, None)
            }
            Kind::Gpt(network) => network.forward(tokens),
            Kind::T5(network) => {
                let mut network = network.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                network.forward(tokens)
            }
        }
    }
}
