//! Tests of `molarena_metrics::statistics`: equality with scipy, statsmodels and scikit-posthocs, published examples,
//! laws, coverage of intervals, and speed.

mod bootstrap;
mod coverage;
mod golden;
mod laws;
mod published;
mod speed;
