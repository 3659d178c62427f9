//! The arena's simple baselines `constant`, `look-up`, `knn`, `rf`, `gp` and `linear`. For matching, the encoder
//! and decoder `profile-knn` and the decoder `random-ranking`.

mod constant;
mod factor;
pub mod forest;
pub mod gp;
mod groups;
mod knn;
pub mod linear;
mod logistic;
mod look_up;
mod pool;
mod profile_knn;
mod random_ranking;
mod scaler;
mod state;
mod targets;

pub use constant::{Constant, ConstantConfig, Statistic};
pub use forest::{ForestConfig, RandomForest};
pub use gp::{GaussianProcess, GpConfig};
pub use knn::{Neighbours, NeighboursConfig, Weights};
pub use linear::{Linear, LinearConfig};
pub use look_up::{LookUp, LookUpConfig};
pub use profile_knn::{ProfileDecoder, ProfileDecoderConfig, ProfileEncoder, ProfileEncoderConfig};
pub use random_ranking::{RandomRanking, RandomRankingConfig};

molarena_sdk::export_plugin! {
    id: "baselines",
    encoders: [ProfileEncoder],
    decoders: [ProfileDecoder, RandomRanking],
    baselines: [Constant, LookUp, Neighbours, RandomForest, GaussianProcess, Linear],
}
