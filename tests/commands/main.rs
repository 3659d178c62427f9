//! Output and exit code of the binary for every verb and every kind of bad input.

mod arguments;
mod audit;
mod cases;
mod chemistry;
mod context;
mod data_files;
mod encoder;
mod good_runs;
mod help;
mod outputs;
mod own;
mod plot;
mod plugins;
mod pretraining;
mod requests;
mod schemas;
mod support;
mod tables;
