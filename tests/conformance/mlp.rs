//! The perceptron gives the same results natively and through the C table, bit for bit.

mod shared;
mod suite;

use std::sync::LazyLock;

use molarena_host::{plugin::loader::LoadError, plugin::loader::LoadedPlugin};
use molarena_mlp::Perceptron;
use suite::Maker;

static PLUGIN: LazyLock<LoadedPlugin> = LazyLock::new(|| shared::open("molarena_mlp"));

const MAKERS: [Maker; 2] = [
    Maker {
        uses_seed: true,
        ..Maker::of::<Perceptron>(r#"{"hidden": [16], "max_epochs": 4, "epochs_without_validation": 2}"#)
    },
    Maker {
        uses_seed: true,
        ..Maker::of::<Perceptron>(
            r#"{"hidden": [{"times_input": 0.2}, 8], "batch_size": 32, "max_epochs": 3, "members": 2, "standardize": "all"}"#,
        )
    },
];

#[test]
fn a_factory_that_is_not_there_is_named() {
    let no_factory = PLUGIN.encoder("gin", "{}").unwrap_err();
    assert!(
        matches!(&no_factory, LoadError::Broken { message, .. }
        if message == "it has no factory `molarena.encoder/1`"),
        "{no_factory}"
    );
}
