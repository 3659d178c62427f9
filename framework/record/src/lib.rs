//! The public formats of the store: what a step made, what it cost, and what it scored; and the keys that
//! identify them. The crate does no input or output: the host's store reads and writes the records.

pub mod cell;
pub mod encoder;
pub mod fit;
pub mod key;
pub mod keys;
mod legacy;
pub mod matching;
pub mod parts;
pub mod reproduction;
pub mod schemas;
pub mod shared;
pub mod step;
pub mod text;
