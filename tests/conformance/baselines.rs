//! The arena's simple baselines give the same results natively and through the C table, bit for bit.

mod shared;
mod suite;

use std::sync::LazyLock;

use molarena_baselines::{Constant, GaussianProcess, Linear, Neighbours, RandomForest};
use molarena_host::plugin::loader::LoadedPlugin;
use suite::Maker;

static PLUGIN: LazyLock<LoadedPlugin> = LazyLock::new(|| shared::open("molarena_baselines"));

const MAKERS: [Maker; 10] = [
    Maker::of::<Constant>("{}"),
    Maker::of::<Constant>(r#"{"statistic": "median"}"#),
    Maker::of::<Neighbours>("{}"),
    Maker::of::<Neighbours>(r#"{"k": 3, "weights": "uniform"}"#),
    Maker { uses_seed: true, ..Maker::of::<RandomForest>(r#"{"n_trees": 12}"#) },
    Maker {
        uses_seed: true,
        ..Maker::of::<RandomForest>(
            r#"{"n_trees": 7, "max_features": 0.5, "max_depth": 3, "min_samples_leaf": 2}"#,
        )
    },
    Maker::of::<GaussianProcess>("{}"),
    Maker::of::<GaussianProcess>(r#"{"noise": 0.1, "kernel": "tanimoto"}"#),
    Maker::of::<GaussianProcess>(r#"{"likelihood": "laplace", "search_molecules": 20}"#),
    Maker::of::<Linear>(r#"{"alpha": 3.0}"#),
];

#[test]
fn what_is_not_there_is_named() {
    let unknown = PLUGIN.baseline("svm", "{}").unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "no baseline `svm` in this plugin; it has: [constant, look-up, knn, rf, gp, linear]"
    );
    let unknown = PLUGIN.encoder("gin", "{}").unwrap_err();
    assert_eq!(unknown.to_string(), "no encoder `gin` in this plugin; it has: [profile-knn]");
}
