//! The baseline `linear`: logistic regression for classes, ridge regression for numbers.

mod component;
mod design;
mod lbfgs;
mod logistic;
#[cfg(test)]
mod reference;
mod ridge;
#[cfg(test)]
mod tests;

pub use component::{Linear, LinearConfig};
