//! GPT-2 and GPT-Neo: transformers whose tokens see only what stands before them, normalised before each part of a layer.

use candle_core::{D, Device, IndexOp, Module, Result, Tensor};
use candle_nn::{
    Activation, Embedding, LayerNorm, Linear, VarBuilder, embedding, layer_norm, ops::softmax_last_dim,
};
use serde::Deserialize;

/// What `config.json` says of either.
#[derive(Debug, Deserialize)]
pub(super) struct GptConfig {
    vocab_size: usize,
    #[serde(alias = "n_embd")]
    hidden_size: usize,
    #[serde(alias = "n_layer")]
    num_layers: usize,
    #[serde(alias = "n_head")]
    num_heads: usize,
    #[serde(alias = "n_positions")]
    max_position_embeddings: usize,
    #[serde(alias = "n_inner")]
    intermediate_size: Option<usize>,
    layer_norm_epsilon: f64,
    activation_function: Activation,
    /// GPT-Neo: kinds of attention in turn, each with a number of turns.
    #[serde(default)]
    attention_types: Vec<(Vec<String>, usize)>,
    /// GPT-Neo: places that local attention sees.
    #[serde(default)]
    window_size: usize,
    /// GPT-2: whether scores are divided by the number of the layer, too.
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    /// GPT-2: whether scores are divided by the root of the width of a head.
    #[serde(default = "yes")]
    scale_attn_weights: bool,
}

const fn yes() -> bool {
    true
}

struct Block {
    before_attention: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: usize,
    /// What scores are multiplied by.
    scale: f64,
    /// Places to the left that are seen, with its own; all if `None`.
    window: Option<usize>,
    before_perceptron: LayerNorm,
    wide: Linear,
    narrow: Linear,
    activation: Activation,
}

/// The network.
pub(super) struct Gpt {
    tokens: Embedding,
    places: Embedding,
    blocks: Vec<Block>,
    last: LayerNorm,
}

/// GPT-2 keeps the transposes of matrices.
fn transposed(inputs: usize, outputs: usize, vb: &VarBuilder<'_>) -> Result<Linear> {
    let weight = vb.get((inputs, outputs), "weight")?.t()?.contiguous()?;
    Ok(Linear::new(weight, Some(vb.get(outputs, "bias")?)))
}

fn plain(inputs: usize, outputs: usize, bias: bool, vb: &VarBuilder<'_>) -> Result<Linear> {
    let bias = bias.then(|| vb.get(outputs, "bias")).transpose()?;
    Ok(Linear::new(vb.get((outputs, inputs), "weight")?, bias))
}

impl Block {
    fn of_gpt2(config: &GptConfig, number: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let width = config.hidden_size;
        let wide = config.intermediate_size.unwrap_or(4 * width);
        let norm = |name: &str| layer_norm(width, config.layer_norm_epsilon, vb.pp(name));
        let all = transposed(width, 3 * width, &vb.pp("attn.c_attn"))?;
        let part = |part: usize| -> Result<Linear> {
            let rows = part * width..(part + 1) * width;
            let bias = all.bias().map(|bias| bias.i(rows.clone())).transpose()?;
            Ok(Linear::new(all.weight().i(rows)?.contiguous()?, bias))
        };
        let mut scale = 1.0;
        if config.scale_attn_weights {
            scale /= ((width / config.num_heads) as f64).sqrt();
        }
        if config.scale_attn_by_inverse_layer_idx {
            scale /= (number + 1) as f64;
        }
        Ok(Self {
            before_attention: norm("ln_1")?,
            query: part(0)?,
            key: part(1)?,
            value: part(2)?,
            out: transposed(width, width, &vb.pp("attn.c_proj"))?,
            heads: config.num_heads,
            scale,
            window: None,
            before_perceptron: norm("ln_2")?,
            wide: transposed(width, wide, &vb.pp("mlp.c_fc"))?,
            narrow: transposed(wide, width, &vb.pp("mlp.c_proj"))?,
            activation: config.activation_function,
        })
    }

    fn of_neo(config: &GptConfig, number: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let width = config.hidden_size;
        let wide = config.intermediate_size.unwrap_or(4 * width);
        let norm = |name: &str| layer_norm(width, config.layer_norm_epsilon, vb.pp(name));
        let kinds: Vec<&String> = config
            .attention_types
            .iter()
            .flat_map(|(kinds, turns)| (0..*turns).flat_map(move |_| kinds))
            .collect();
        let attention = vb.pp("attn.attention");
        let part = |name: &str| plain(width, width, false, &attention.pp(name));
        Ok(Self {
            before_attention: norm("ln_1")?,
            query: part("q_proj")?,
            key: part("k_proj")?,
            value: part("v_proj")?,
            out: plain(width, width, true, &attention.pp("out_proj"))?,
            heads: config.num_heads,
            scale: 1.0,
            window: kinds.get(number).filter(|kind| **kind == "local").map(|_| config.window_size),
            before_perceptron: norm("ln_2")?,
            wide: plain(width, wide, true, &vb.pp("mlp.c_fc"))?,
            narrow: plain(wide, width, true, &vb.pp("mlp.c_proj"))?,
            activation: config.activation_function,
        })
    }

    /// 0 where a place sees another, and minus infinity elsewhere: `[places, places]`.
    fn mask(&self, places: usize) -> Result<Tensor> {
        let window = self.window.unwrap_or(places);
        let seen = |place: usize, other: usize| other <= place && place - other < window;
        let value = |index: usize| if seen(index / places, index % places) { 0.0 } else { f32::NEG_INFINITY };
        Tensor::from_vec((0..places * places).map(value).collect(), (places, places), &Device::Cpu)
    }

    fn forward(&self, hidden: &Tensor) -> Result<Tensor> {
        let (rows, places, width) = hidden.dims3()?;
        let normed = self.before_attention.forward(hidden)?;
        let heads = |linear: &Linear| -> Result<Tensor> {
            let split = linear.forward(&normed)?.reshape((rows, places, self.heads, width / self.heads))?;
            split.transpose(1, 2)?.contiguous()
        };
        let (query, key, value) = (heads(&self.query)?, heads(&self.key)?, heads(&self.value)?);
        let scores = (query.matmul(&key.transpose(D::Minus2, D::Minus1)?.contiguous()?)? * self.scale)?;
        let shares = softmax_last_dim(&scores.broadcast_add(&self.mask(places)?)?)?;
        let seen = shares.matmul(&value)?.transpose(1, 2)?.reshape((rows, places, width))?;
        let hidden = (hidden + self.out.forward(&seen)?)?;
        let wide = self.wide.forward(&self.before_perceptron.forward(&hidden)?)?;
        &hidden + self.narrow.forward(&self.activation.forward(&wide)?)?
    }
}

impl Gpt {
    /// Reads GPT-2, or GPT-Neo if it is `neo`.
    pub(super) fn load(config: &GptConfig, neo: bool, vb: &VarBuilder<'_>) -> Result<Self> {
        let block = |number: usize| {
            let vb = vb.pp("h").pp(number);
            if neo { Block::of_neo(config, number, &vb) } else { Block::of_gpt2(config, number, &vb) }
        };
        Ok(Self {
            tokens: embedding(config.vocab_size, config.hidden_size, vb.pp("wte"))?,
            places: embedding(config.max_position_embeddings, config.hidden_size, vb.pp("wpe"))?,
            blocks: (0..config.num_layers).map(block).collect::<Result<_>>()?,
            last: layer_norm(config.hidden_size, config.layer_norm_epsilon, vb.pp("ln_f"))?,
        })
    }

    /// The last hidden states `[rows, places, width]` of tokens `[rows, places]`.
    pub(super) fn forward(&self, tokens: &Tensor) -> Result<Tensor> {
        let places = Tensor::arange(0, tokens.dim(1)? as u32, &Device::Cpu)?;
        let mut hidden = self.tokens.forward(tokens)?.broadcast_add(&self.places.forward(&places)?)?;
        for block in &self.blocks {
            hidden = block.forward(&hidden)?;
        }
        self.last.forward(&hidden)
    }
}
