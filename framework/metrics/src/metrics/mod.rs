//! One file for each metric of a task: what it is (a [`Description`](crate::Description)), its function and its tests.
//!
//! A new metric is a file here, its line below, and two lines in `metric.rs`: a variant, and the description that
//! belongs to it. The compiler asks for each of them.

pub(crate) mod average_precision;
pub(crate) mod balanced_accuracy;
pub(crate) mod brier;
pub(crate) mod ece;
pub(crate) mod kendall;
pub(crate) mod mae;
pub(crate) mod r2;
pub(crate) mod rmse;
pub(crate) mod roc_auc;
pub(crate) mod spearman;
