//! Tests of all objectives: losses against `PyTorch`, gradients, learning, resumed trainings, and parts by hand.

mod corpus;
mod gradients;
mod learning;
mod parts;
mod reference;
mod states;
