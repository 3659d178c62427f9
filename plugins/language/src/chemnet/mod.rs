//! `ChemNet` (Preuer et al. 2018, 10.1021/acs.jcim.8b00234): two convolutions and two LSTM layers over the symbols of a SMILES, read
//! backwards, trained to predict bioactivity.

mod encoder;
mod network;
mod symbols;

pub use encoder::{ChemNet, ChemNetConfig};
