//! Output and exit code of the binary for every verb and every kind of bad input.

mod arguments;
mod audit;
mod cases;
mod chemistry;
mod ci;
mod compare;
mod context;
mod data_files;
mod encoder;
mod export;
mod gate;
mod good_runs;
mod help;
mod import;
mod outputs;
mod own;
mod page;
mod plot;
mod plugins;
mod pretraining;
mod reproduce;
mod requests;
mod schemas;
mod store;
mod support;
mod tables;
