//! The baselines of other libraries give the same natively and through the C table, bit for bit.

mod shared;
mod suite;

use std::sync::LazyLock;

use molarena_abi as abi;
use molarena_host::plugin::loader::{LoadError, LoadedPlugin};
use molarena_linfa::{LinfaForest, LinfaLogistic, LinfaTree, SmartcoreForest};
use molarena_sdk::{Bits, Call, Inputs, OwnedLabels, TaskKind};
use suite::Maker;

static PLUGIN: LazyLock<LoadedPlugin> = LazyLock::new(|| shared::open("molarena_linfa"));

const CLASSES: &[TaskKind] = &[TaskKind::Classification];

const MAKERS: [Maker; 6] = [
    Maker { uses_seed: true, kinds: CLASSES, ..Maker::of::<LinfaForest>(r#"{"n_trees": 12}"#) },
    Maker {
        uses_seed: true,
        kinds: CLASSES,
        ..Maker::of::<LinfaForest>(
            r#"{"n_trees": 7, "row_share": 0.7, "column_share": 0.3, "max_depth": 4, "min_samples_leaf": 2}"#,
        )
    },
    Maker { kinds: CLASSES, ..Maker::of::<LinfaTree>("{}") },
    Maker { kinds: CLASSES, ..Maker::of::<LinfaLogistic>("{}") },
    Maker { kinds: CLASSES, ..Maker::of::<LinfaLogistic>(r#"{"alpha": 10.0, "max_iterations": 5}"#) },
    Maker { uses_seed: true, saves: false, ..Maker::of::<SmartcoreForest>(r#"{"n_trees": 5}"#) },
];

#[test]
fn linfa_refuses_numbers_and_says_why() {
    let words = [1, 2, 3];
    let inputs = Inputs::from_bits(Bits::new(&words, 3, 2).unwrap());
    let labels = OwnedLabels::from_nan(TaskKind::Regression, 3, 1, vec![0.5, 1.5, 2.5]).unwrap();
    for id in ["rf-linfa", "tree-linfa", "logistic-linfa"] {
        let mut baseline = PLUGIN.baseline(id, "{}").unwrap();
        let fitted = baseline.fit(&inputs, &labels.view(), &inputs, &labels.view(), &Call::new(0, 1));
        let Err(LoadError::Call { status, message }) = fitted else {
            panic!("{id} takes numbers: {fitted:?}")
        };
        assert_eq!(status, abi::MOLARENA_ERROR_UNSUPPORTED);
        assert!(message.contains(&format!("`{id}` is for classification only")), "{message}");
    }
}
