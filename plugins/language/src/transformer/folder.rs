//! The files of a model: a tar archive of `config.json`, `tokenizer.json`, and `model.safetensors` or `pytorch_model.bin`.

use std::{
    collections::HashMap,
    io::{Read, Write},
};

use candle_core::{DType, Device, Tensor, pickle, safetensors};
use serde_json::Value;
use tokenizers::Tokenizer;

/// Why the files cannot be read.
type Fault = String;

/// Names of the files of weights, the preferred one first.
const WEIGHTS: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// Bytes of a block of a tar archive; two blocks of zeros end it.
const BLOCK: usize = 512;

/// What the files say.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// `config.json`.
    pub(super) config: Value,
    /// `tokenizer.json`, without padding and cutting off.
    pub(super) tokenizer: Tokenizer,
    /// The token that stands for what the tokenizer does not know, if it has one.
    pub(super) unknown: Option<u32>,
    /// Tensors by name, as 32-bit floats.
    pub(super) tensors: HashMap<String, Tensor>,
}

impl Folder {
    /// Reads the archive; its files may lie in a folder of it.
    pub(super) fn read(archive: &[u8]) -> Result<Self, Fault> {
        let is_whole = archive.len().is_multiple_of(BLOCK)
            && archive.last_chunk::<{ 2 * BLOCK }>().is_some_and(|end| end.iter().all(|byte| *byte == 0));
        if !is_whole {
            return Err(
                "it is no whole tar archive of config.json, tokenizer.json and model.safetensors or pytorch_model.bin".into(),
            );
        }
        let mut files = HashMap::new();
        let mut entries = tar::Archive::new(archive);
        let no_archive = |error: std::io::Error| format!("its tar archive cannot be read: {error}");
        for entry in entries.entries().map_err(no_archive)? {
            let mut entry = entry.map_err(no_archive)?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path().map_err(no_archive)?.into_owned();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(no_archive)?;
            if files.insert(name.clone(), bytes).is_some() {
                return Err(format!("there are two files {name} in the archive"));
            }
        }
        let file = |name: &str| {
            files.get(name).map(Vec::as_slice).ok_or_else(|| format!("there is no {name} in the archive"))
        };
        let config =
            serde_json::from_slice(file("config.json")?).map_err(|error| format!("config.json: {error}"))?;
        let mut tokenizer = Tokenizer::from_bytes(file("tokenizer.json")?)
            .map_err(|error| format!("tokenizer.json: {error}"))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| format!("tokenizer.json: {error}"))?;
        let Some(name) = WEIGHTS.into_iter().find(|name| files.contains_key(*name)) else {
            return Err(format!("there is neither {} nor {} in the archive", WEIGHTS[0], WEIGHTS[1]));
        };
        let tensors = tensors(name, file(name)?).map_err(|error| format!("{name}: {error}"))?;
        let unknown = unknown_token(&tokenizer);
        Ok(Self { config, tokenizer, unknown, tensors })
    }

    /// The same with weights that nobody trained: matrices of uniform numbers with the standard deviation of those that are
    /// there, biases 0, scales of norms 1.
    pub(super) fn random(&self, seed: u64) -> candle_core::Result<HashMap<String, Tensor>> {
        let mut uniform = crate::random::uniform(seed);
        let mut names: Vec<&String> = self.tensors.keys().collect();
        names.sort_unstable();
        let draw = |name: &String| {
            let tensor = &self.tensors[name];
            let drawn = if tensor.rank() > 1 {
                let variance = tensor.flatten_all()?.var(0)?.to_scalar::<f32>()?;
                let values = uniform(tensor.elem_count(), (3.0 * f64::from(variance)).sqrt());
                Tensor::from_vec(values, tensor.shape(), &Device::Cpu)?
            } else if name.ends_with("bias") {
                tensor.zeros_like()?
            } else {
                tensor.ones_like()?
            };
            Ok((name.clone(), drawn))
        };
        names.into_iter().map(draw).collect()
    }
}

/// The token that stands for what a tokenizer does not know. To ask it takes the whole vocabulary into account, so it is asked once.
fn unknown_token(tokenizer: &Tokenizer) -> Option<u32> {
    let model = serde_json::to_value(tokenizer.get_model()).ok()?;
    match (&model["unk_token"], &model["unk_id"]) {
        (Value::String(token), _) => tokenizer.token_to_id(token),
        (_, id) => u32::try_from(id.as_u64()?).ok(),
    }
}

fn tensors(name: &str, bytes: &[u8]) -> candle_core::Result<HashMap<String, Tensor>> {
    let tensors = if name == WEIGHTS[0] {
        safetensors::load_buffer(bytes, &Device::Cpu)?
    } else {
        // Candle reads these from a file only.
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        pickle::read_all(file.path())?.into_iter().collect()
    };
    let floats = tensors.into_iter().filter(|(_, tensor)| tensor.dtype().is_float());
    floats.map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F32)?))).collect()
}
