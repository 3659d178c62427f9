//! What the binary prints and how it ends, for every verb and every bad input.

mod context;
mod data_files;
mod encoder;
mod good_runs;
mod help;
mod own;
mod plot;
mod plugins;
mod pretraining;
mod requests;
mod support;
