//! The interface for authors of molarena plugins: traits, safe views and the macro that exports a plugin.
//!
//! ```
//! use molarena_sdk::{Baseline, Call, Component, Determinism, Info, InputKind, Inputs, Labels, Matrix, Result};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! /// Predicts the share of labelled rows whose label is above a threshold.
//! pub struct AboveThreshold { threshold: f32, shares: Vec<f32> }
//!
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! pub struct Config { threshold: f32 }
//!
//! impl Component for AboveThreshold {
//!     type Config = Config;
//!     const INFO: Info = Info {
//!         id: "above-threshold",
//!         summary: "the share of training labels above a threshold",
//!         inputs: &[InputKind::Bits],
//!         devices: &["cpu"],
//!         determinism: Determinism::Bitwise,
//!         corpora: &[],
//!     };
//!     fn new(config: Config) -> Result<Self> {
//!         Ok(Self { threshold: config.threshold, shares: Vec::new() })
//!     }
//! }
//!
//! impl Baseline for AboveThreshold {
//!     fn fit(&mut self, _: &Inputs, y: &Labels, _: &Inputs, _: &Labels, call: &Call) -> Result<()> {
//!         self.shares.clear();
//!         for task in 0..y.tasks {
//!             call.check()?;
//!             let labels: Vec<f32> = y.labelled(task).map(|(_, label)| label).collect();
//!             let above = labels.iter().filter(|&&label| label > self.threshold).count();
//!             self.shares.push(above as f32 / labels.len().max(1) as f32);
//!         }
//!         Ok(())
//!     }
//!     fn tasks(&self) -> usize { self.shares.len() }
//!     fn predict(&mut self, x: &Inputs, _: &Call) -> Result<Matrix> {
//!         Matrix::new(x.rows, self.tasks(), self.shares.repeat(x.rows))
//!     }
//! }
//!
//! molarena_sdk::export_plugin! { id: "example", baselines: [AboveThreshold] }
//! # fn main() {}
//! ```

mod call;
mod component;
mod describe;
mod error;
pub mod export;
pub mod graph;
pub mod raw;
pub mod state;
pub mod targets;
mod view;

pub use call::{Call, Hooks};
pub use component::{Baseline, Component, Decoder, Encoder, FineTune, Info};
pub use describe::{
    ComponentDescription, ComponentKind, Determinism, FineTuneDescription, InputKind, PluginDescription,
};
pub use error::{Error, Result};
pub use molarena_abi as abi;
pub use view::{
    Bits, Corpus, Dense, Graphs, Inputs, Labels, Matrix, NodeKind, OwnedLabels, Profiles, Smiles, TaskKind,
};
