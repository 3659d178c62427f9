//! `RoBERTa` (Liu et al. 2019, arXiv 1907.11692) as it is trained: the network that [`network`](super::network) runs, on Burn, with
//! the names of `transformers`.

use burn::tensor::{Int, Tensor, TensorData, activation};
use molarena_nn::{Pass, Slots, Start};
use serde_json::{Value, json};

use super::vocabulary::{PADDING, SPECIAL};

/// Standard deviation of random tables, as in the original.
const DEVIATION: f64 = 0.02;

/// Summand that takes a place out of a softmax.
const NOWHERE: f32 = -1e9;

/// Shape of the network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Roberta {
    pub(super) layers: usize,
    /// Columns of a hidden state; a multiple of `heads`.
    pub(super) width: usize,
    pub(super) heads: usize,
    /// Number of tokens that it knows.
    pub(super) vocabulary: usize,
    /// Most tokens of a molecule.
    pub(super) context: usize,
    /// Probability with which training drops values.
    pub(super) dropout: f64,
}

/// Molecules as tokens, the shorter ones filled up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Number of molecules.
    pub(super) rows: usize,
    /// Number of places of each.
    pub(super) length: usize,
    /// `[rows, length]`.
    pub(super) numbers: Vec<i32>,
}

impl Tokens {
    pub(super) fn new(molecules: &[&[i32]]) -> Self {
        let length = molecules.iter().map(|tokens| tokens.len()).max().unwrap_or(0);
        let numbers = molecules.iter().flat_map(|tokens| {
            tokens.iter().copied().chain(std::iter::repeat_n(PADDING, length - tokens.len()))
        });
        Self { rows: molecules.len(), length, numbers: numbers.collect() }
    }
}

impl Roberta {
    /// All parameters.
    pub(super) fn slots(&self) -> Slots {
        let (mut slots, width) = (Slots::default(), self.width);
        let table = Start::Uniform(DEVIATION * 3f64.sqrt());
        let tables = [("word", self.vocabulary), ("position", self.places()), ("token_type", 1)];
        for (name, rows) in tables {
            slots.push(format!("roberta.embeddings.{name}_embeddings.weight"), &[rows, width], true, table);
        }
        slots.layer_norm("roberta.embeddings.LayerNorm", width);
        for layer in 0..self.layers {
            let name = |part: &str| format!("roberta.encoder.layer.{layer}.{part}");
            for part in ["query", "key", "value"] {
                slots.linear(&name(&format!("attention.self.{part}")), width, width);
            }
            slots.linear(&name("attention.output.dense"), width, width);
            slots.layer_norm(&name("attention.output.LayerNorm"), width);
            slots.linear(&name("intermediate.dense"), width, self.inner());
            slots.linear(&name("output.dense"), self.inner(), width);
            slots.layer_norm(&name("output.LayerNorm"), width);
        }
        slots.linear("lm_head.dense", width, width);
        slots.layer_norm("lm_head.layer_norm", width);
        slots.push("lm_head.bias", &[self.vocabulary], true, Start::Constant(0.0));
        slots
    }

    /// Places are counted from the number of the padding on.
    fn places(&self) -> usize {
        self.context + PADDING as usize + 1
    }

    /// Units between the two maps after the attention.
    fn inner(&self) -> usize {
        4 * self.width
    }

    /// The network's `config.json`.
    pub(super) fn config(&self) -> Value {
        json!({
            "model_type": "roberta",
            "architectures": ["RobertaForMaskedLM"],
            "vocab_size": self.vocabulary,
            "hidden_size": self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.inner(),
            "hidden_act": "gelu",
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": 0.0,
            "max_position_embeddings": self.places(),
            "type_vocab_size": 1,
            "initializer_range": DEVIATION,
            "layer_norm_eps": 1e-5,
            "bos_token_id": 0,
            "pad_token_id": PADDING,
            "eos_token_id": 2,
            "tie_word_embeddings": true,
        })
    }

    /// The last hidden states, `f32[rows * length, width]`; those of padding mean nothing.
    pub(super) fn hidden(&self, pass: &mut Pass<'_>, tokens: &Tokens) -> Tensor<2> {
        let embed = |pass: &Pass<'_>, table: &str, numbers: Vec<i32>| {
            let count = numbers.len();
            let numbers = Tensor::<1, Int>::from_data(TensorData::new(numbers, [count]), pass.device());
            pass.parameter(&format!("roberta.embeddings.{table}_embeddings.weight")).select(0, numbers)
        };
        let place = |(index, &token): (usize, &i32)| match token {
            PADDING => PADDING,
            _ => PADDING + 1 + (index % tokens.length) as i32,
        };
        let places = tokens.numbers.iter().enumerate().map(place).collect();
        let embedded = embed(pass, "word", tokens.numbers.clone())
            + embed(pass, "position", places)
            + pass.parameter("roberta.embeddings.token_type_embeddings.weight");
        let embedded = pass.layer_norm("roberta.embeddings.LayerNorm", embedded);
        let mut hidden = pass.dropped(embedded, self.dropout);
        let mask: Vec<f32> =
            tokens.numbers.iter().map(|&token| if token == PADDING { NOWHERE } else { 0.0 }).collect();
        let mask =
            Tensor::<4>::from_data(TensorData::new(mask, [tokens.rows, 1, 1, tokens.length]), pass.device());
        for layer in 0..self.layers {
            hidden = self.layer(pass, layer, hidden, &mask);
        }
        hidden
    }

    fn layer(&self, pass: &mut Pass<'_>, layer: usize, input: Tensor<2>, mask: &Tensor<4>) -> Tensor<2> {
        let name = |part: &str| format!("roberta.encoder.layer.{layer}.{part}");
        let [rows, _, _, length] = mask.dims();
        let head = self.width / self.heads;
        let [query, key, value] = ["query", "key", "value"].map(|part| {
            let mapped = pass.linear(&name(&format!("attention.self.{part}")), input.clone());
            mapped.reshape([rows, length, self.heads, head]).swap_dims(1, 2)
        });
        let scores = query.matmul(key.swap_dims(2, 3)) * (1.0 / (head as f32).sqrt()) + mask.clone();
        let attended = activation::softmax(scores, 3).matmul(value).swap_dims(1, 2);
        let attended = attended.reshape([rows * length, self.width]);
        let attended = self.dense(pass, &name("attention.output"), attended, input);
        let inner = activation::gelu(pass.linear(&name("intermediate.dense"), attended.clone()));
        self.dense(pass, &name("output"), inner, attended)
    }

    /// A linear map, dropout, what came before, layer norm.
    fn dense(&self, pass: &mut Pass<'_>, name: &str, input: Tensor<2>, before: Tensor<2>) -> Tensor<2> {
        let mapped = pass.linear(&format!("{name}.dense"), input);
        let mapped = pass.dropped(mapped, self.dropout);
        pass.layer_norm(&format!("{name}.LayerNorm"), mapped + before)
    }

    /// Logits of the tokens at some places of `hidden`, `f32[places, vocabulary]`.
    pub(super) fn logits(pass: &Pass<'_>, hidden: Tensor<2>, places: Vec<i32>) -> Tensor<2> {
        let count = places.len();
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), pass.device());
        let hidden = activation::gelu(pass.linear("lm_head.dense", hidden.select(0, places)));
        let hidden = pass.layer_norm("lm_head.layer_norm", hidden);
        let table = pass.parameter("roberta.embeddings.word_embeddings.weight");
        hidden.matmul(table.transpose()) + pass.parameter("lm_head.bias")
    }
}

/// Whether a token stands for a part of a molecule.
pub(super) fn is_symbol(token: i32) -> bool {
    token as usize >= SPECIAL.len()
}
