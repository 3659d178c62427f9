//! The encoder `transformer`.

use std::collections::BTreeMap;

use candle_core::{Device, IndexOp, Tensor};
use molarena_sdk::{
    Call, Component, Corpus, Determinism, Encoder, Error, Info, InputKind, Inputs, Matrix, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    folder::Folder,
    network::Network,
    pretraining::{Pretraining, pretrain},
};

/// Molecules of a batch.
const ROWS: usize = 32;

/// How the hidden states of a molecule's tokens become its vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// Their mean.
    #[default]
    Mean,
    /// That of the first token, which BERT and `RoBERTa` train for it.
    First,
    /// That of the last token, the only one that sees all others in GPT.
    Last,
}

/// What becomes of a molecule with a token that the tokenizer does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// It is refused.
    #[default]
    Refuse,
    /// The token for unknown ones stands for it.
    Keep,
}

/// Configuration of [`Transformer`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformerConfig {
    /// How the hidden states of a molecule's tokens become its vector.
    #[serde(default)]
    pub pooling: Pooling,
    /// Whether a molecule of more tokens than the model's context is cut off; if not, it is refused.
    #[serde(default)]
    pub truncate: bool,
    /// What becomes of a molecule with a token that the tokenizer does not know.
    #[serde(default)]
    pub unknown: Unknown,
    /// Whether the weights of the file are drawn anew from the call's seed: the control that trained ones have to beat.
    #[serde(default)]
    pub random: bool,
    /// Shape and training of the `RoBERTa` that is pretrained where the method has a corpus.
    #[serde(default)]
    pub pretraining: Pretraining,
}

/// A transformer as `transformers` of Hugging Face saves it; its weights are a tar archive of the model's folder: `config.json`,
/// `tokenizer.json`, and `model.safetensors` or `pytorch_model.bin`. `fit` makes such an archive: it pretrains a `RoBERTa`.
///
/// A molecule's tokens are those of the tokenizer with the special ones that it adds. Molecules of as many tokens are encoded
/// together, so that nothing is padded.
#[derive(Debug)]
pub struct Transformer {
    config: TransformerConfig,
    loaded: Option<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    state: Vec<u8>,
    folder: Folder,
    network: Network,
}

impl Component for Transformer {
    type Config = TransformerConfig;
    const INFO: Info = Info {
        id: "transformer",
        summary: "BERT, RoBERTa, GPT-2, GPT-Neo or T5 over SMILES, in the layout of Hugging Face",
        inputs: &[InputKind::Smiles],
        devices: &["cpu"],
        determinism: Determinism::Tolerance,
        corpora: &[],
    };

    fn new(config: TransformerConfig) -> Result<Self> {
        config.pretraining.check()?;
        Ok(Self { config, loaded: None })
    }
}

impl Transformer {
    /// The tokens of a molecule.
    fn tokens(&self, folder: &Folder, network: &Network, row: usize, smiles: &str) -> Result<Vec<u32>> {
        let encoded = folder
            .tokenizer
            .encode(smiles, true)
            .map_err(|error| Error::invalid_argument(format!("molecule {row}: {error}")))?;
        let mut tokens = encoded.get_ids().to_vec();
        if self.config.unknown == Unknown::Refuse
            && let Some(place) = tokens.iter().position(|token| Some(*token) == folder.unknown)
        {
            let (from, to) = encoded.get_offsets()[place];
            let part = smiles.get(from..to).unwrap_or_default();
            return Err(Error::invalid_argument(format!(
                "molecule {row} has `{part}`, which the tokenizer does not know: set `unknown = \"keep\"` to encode it as unknown"
            )));
        }
        if tokens.is_empty() {
            return Err(Error::invalid_argument(format!("molecule {row} has no token")));
        }
        if let Some(most) = network.context
            && tokens.len() > most
        {
            if !self.config.truncate {
                let count = tokens.len();
                return Err(Error::invalid_argument(format!(
                    "molecule {row} has {count} tokens, and the context of the model is {most}: set `truncate = true` to cut it off"
                )));
            }
            tokens.truncate(most);
        }
        Ok(tokens)
    }

    /// The vectors of molecules of `length` tokens each.
    fn pooled(
        &self,
        network: &Network,
        tokens: Vec<u32>,
        length: usize,
    ) -> candle_core::Result<Vec<Vec<f32>>> {
        let rows = tokens.len() / length;
        let hidden = network.forward(&Tensor::from_vec(tokens, (rows, length), &Device::Cpu)?)?;
        let pooled = match self.config.pooling {
            Pooling::Mean => hidden.mean(1)?,
            Pooling::First => hidden.i((.., 0))?,
            Pooling::Last => hidden.i((.., length - 1))?,
        };
        pooled.to_vec2()
    }
}

impl Encoder for Transformer {
    fn fit(&mut self, corpus: &Corpus<'_>, call: &Call<'_>) -> Result<()> {
        call.check()?;
        if self.loaded.is_some() {
            return Err(Error::unsupported(
                "this encoder is not pretrained further: leave out either encoder.weights or encoder.corpus",
            ));
        }
        let pretrained =
            molarena_nn::with_threads(call, || pretrain(&self.config.pretraining, corpus, call))??;
        self.load(&pretrained.archive()?)
    }

    fn width(&self) -> usize {
        self.loaded.as_ref().map_or(0, |loaded| loaded.network.width)
    }

    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let smiles = molecules.smiles()?;
        let Some(Loaded { folder, network, .. }) = &self.loaded else {
            return Err(Error::invalid_argument(
                "this encoder has no weights: name the archive of a model's folder in the method, encoder.weights, or a corpus to \
                 pretrain on, encoder.corpus",
            ));
        };
        let random = if self.config.random {
            let tensors = folder.random(call.seed).map_err(|error| internal(&error))?;
            Some(Network::load(&folder.config, tensors).map_err(Error::internal)?)
        } else {
            None
        };
        let network = random.as_ref().unwrap_or(network);
        // Molecules by their number of tokens.
        let mut by_length: BTreeMap<usize, Vec<(usize, Vec<u32>)>> = BTreeMap::new();
        for row in 0..molecules.rows {
            let tokens = self.tokens(folder, network, row, smiles.get(row))?;
            by_length.entry(tokens.len()).or_default().push((row, tokens));
        }
        let mut values = vec![0.0; molecules.rows * network.width];
        let mut done = 0;
        crate::with_threads(call, || -> Result<()> {
            for (length, alike) in by_length {
                for batch in alike.chunks(ROWS) {
                    call.check()?;
                    let tokens = batch.iter().flat_map(|(_, tokens)| tokens.iter().copied()).collect();
                    let vectors = self.pooled(network, tokens, length).map_err(|error| internal(&error))?;
                    for ((row, _), vector) in batch.iter().zip(vectors) {
                        values[row * network.width..][..network.width].copy_from_slice(&vector);
                    }
                    done += batch.len();
                    call.progress(done as f64 / molecules.rows as f64, "molecules encoded");
                }
            }
            Ok(())
        })??;
        Matrix::new(molecules.rows, network.width, values)
    }

    fn save(&self) -> Result<Vec<u8>> {
        let loaded = self.loaded.as_ref();
        loaded
            .map(|loaded| loaded.state.clone())
            .ok_or_else(|| Error::invalid_argument("`save` needs `fit` or `load` first"))
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let read = || {
            let folder = Folder::read(state)?;
            let network = Network::load(&folder.config, folder.tensors.clone())?;
            let tokens = folder.tokenizer.get_vocab_size(true);
            if tokens > network.vocabulary {
                return Err(format!(
                    "the tokenizer does not fit: it has {tokens} tokens, and the model {}",
                    network.vocabulary
                ));
            }
            Ok((folder, network))
        };
        let (folder, network) = read().map_err(|reason: String| Error::data(reason))?;
        self.loaded = Some(Loaded { state: state.to_vec(), folder, network });
        Ok(())
    }
}

fn internal(error: &candle_core::Error) -> Error {
    Error::internal(error.to_string())
}
