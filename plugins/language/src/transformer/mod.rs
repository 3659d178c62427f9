//! Transformers in the layout of Hugging Face: BERT (Devlin et al. 2019, arXiv 1810.04805), `RoBERTa` (Liu et al. 2019, arXiv
//! 1907.11692), GPT-2 (Radford et al. 2019), GPT-Neo (Black et al. 2021, 10.5281/zenodo.5297715) and the encoder of T5 (Raffel et
//! al. 2020, arXiv 1910.10683).

mod encoder;
mod folder;
mod gpt;
mod network;
mod pretraining;
mod roberta;
mod vocabulary;

pub use encoder::{Pooling, Transformer, TransformerConfig, Unknown};
pub use pretraining::Pretraining;
