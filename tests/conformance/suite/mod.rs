//! Requirements on every baseline, natively and through the C table alike, on labels with every kind of gap. A test
//! binary links one plugin only, as each plugin exports the same symbol; it names its `PLUGIN` and its `MAKERS`.

use molarena_abi as abi;
use molarena_host::{plugin::loader::LoadError, plugin::loader::LoadedBaseline};
use molarena_sdk::{Baseline, Bits, Call, Component, Error, Inputs, Labels, Matrix, OwnedLabels, TaskKind};
use rand_xoshiro::{
    SplitMix64,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    MAKERS, PLUGIN,
    shared::{Watcher, bits_of, same, same_matrix},
};

/// Not a multiple of 64, so the last word of a row is not full.
const N_BITS: usize = 100;
const TRAIN: usize = 60;
/// The first task has all its labels, the second half of them, the third none, and the fourth only the label 1.
const TASKS: usize = 4;
const HALF_MISSING: usize = 1;
const ALL_MISSING: usize = 2;
const SINGLE: usize = 3;
const KINDS: [TaskKind; 2] = [TaskKind::Classification, TaskKind::Regression];

/// A baseline, called natively and through the table.
struct Pair {
    native: Box<dyn Baseline>,
    table: LoadedBaseline,
}

/// A baseline with a configuration.
pub(crate) struct Maker {
    /// Name of the component.
    pub(crate) id: &'static str,
    /// Configuration in JSON.
    pub(crate) config: &'static str,
    /// Makes it from a configuration.
    pub(crate) native: fn(&str) -> Box<dyn Baseline>,
    /// Whether the state can be saved.
    pub(crate) saves: bool,
    /// Whether the seed changes the predictions.
    pub(crate) uses_seed: bool,
    /// The kinds of labels that it accepts.
    pub(crate) kinds: &'static [TaskKind],
}

impl Maker {
    /// Component `C` with a configuration in JSON. Its state can be saved, its seed changes nothing, and it accepts
    /// classes and numbers.
    pub(crate) const fn of<C: Component + Baseline>(config: &'static str) -> Self {
        let native = |config: &str| -> Box<dyn Baseline> {
            Box::new(C::new(serde_json::from_str(config).unwrap()).unwrap())
        };
        Self { id: C::INFO.id, config, native, saves: true, uses_seed: false, kinds: &KINDS }
    }

    fn make(&self) -> Pair {
        Pair { native: (self.native)(self.config), table: PLUGIN.baseline(self.id, self.config).unwrap() }
    }
}

impl Pair {
    fn fit(&mut self, train: &Data, valid: &Data, call: &Call<'_>) -> Result<(), Error> {
        let (x, valid_x) = (train.inputs(), valid.inputs());
        let (y, valid_y) = (train.labels.view(), valid.labels.view());
        let native = self.native.fit(&x, &y, &valid_x, &valid_y, call);
        same(native, self.table.fit(&x, &y, &valid_x, &valid_y, call))
    }

    fn predict(&mut self, x: &Inputs<'_>, call: &Call<'_>) -> Matrix {
        same_matrix(self.native.predict(x, call), self.table.predict(x, TASKS, call)).unwrap()
    }
}

/// Fingerprints and labels.
#[derive(Clone)]
struct Data {
    words: Vec<u64>,
    labels: OwnedLabels,
}

impl Data {
    /// `rows` molecules; the labels depend on a few bits.
    fn new(kind: TaskKind, rows: usize, seed: u64) -> Self {
        let mut random = SplitMix64::seed_from_u64(seed);
        let (mut words, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..rows {
            // A tenth to a quarter of the bits are set; none after the last.
            let first = random.next_u64() & random.next_u64() & (random.next_u64() | random.next_u64());
            let second = random.next_u64() & random.next_u64() & ((1 << (N_BITS - 64)) - 1);
            words.extend([first, second]);
            let signal = (first & 0xff).count_ones() as f32 + (random.next_u64() % 100) as f32 / 100.0;
            let label = match kind {
                TaskKind::Classification => f32::from(u8::from(signal > 2.0)),
                TaskKind::Regression => signal * 3.5 - 1.0,
            };
            let half = if random.next_u64().is_multiple_of(2) { label } else { f32::NAN };
            let mut row = [label; TASKS];
            (row[HALF_MISSING], row[ALL_MISSING], row[SINGLE]) = (half, f32::NAN, 1.0);
            labels.extend(row);
        }
        Self { words, labels: OwnedLabels::from_nan(kind, rows, TASKS, labels).unwrap() }
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs::from_bits(Bits::new(&self.words, self.words.len() / 2, N_BITS).unwrap())
    }
}

/// Runs each baseline on every kind of labels that it accepts.
fn for_all(test: impl Fn(&Maker, &Data, &Data, &Data)) {
    for maker in &MAKERS {
        for &kind in maker.kinds {
            eprintln!("{} {} {kind:?}", maker.id, maker.config);
            test(maker, &Data::new(kind, TRAIN, 1), &Data::new(kind, 12, 2), &Data::new(kind, 20, 3));
        }
    }
}

fn label_bits(labels: &Labels<'_>) -> (Vec<u32>, Vec<u8>) {
    (labels.values.iter().map(|value| value.to_bits()).collect(), labels.valid.to_vec())
}

#[test]
fn predictions_are_equal_bit_for_bit_and_inputs_stay_as_they_are() {
    for_all(|maker, train, valid, test| {
        let (train_before, test_before) = (train.clone(), test.clone());
        let mut pair = maker.make();
        pair.fit(train, valid, &Call::new(5, 1)).unwrap();
        assert_eq!(pair.native.tasks(), TASKS);
        let predictions = pair.predict(&test.inputs(), &Call::new(5, 1));
        assert!(predictions.values.iter().all(|value| value.is_finite()));
        for row in 0..predictions.rows {
            let row = predictions.view().row(row).to_vec();
            // Without labels the prediction is one half or zero; with a single distinct label it is that label.
            let unknown = if train.labels.view().kind == TaskKind::Classification { 0.5 } else { 0.0 };
            assert_eq!([row[ALL_MISSING], row[SINGLE]], [unknown, 1.0]);
            if train.labels.view().kind == TaskKind::Classification {
                assert!(row.iter().all(|value| (0.0..=1.0).contains(value)), "{row:?}");
            }
        }
        assert_eq!((&train.words, &test.words), (&train_before.words, &test_before.words));
        assert_eq!(label_bits(&train.labels.view()), label_bits(&train_before.labels.view()));
    });
}

#[test]
fn saved_models_predict_the_same_on_either_side() {
    for_all(|maker, train, valid, test| {
        let call = Call::new(5, 1);
        let mut pair = maker.make();
        pair.fit(train, valid, &call).unwrap();
        let state = same(pair.native.save(), pair.table.save());
        if !maker.saves {
            assert_eq!(state.unwrap_err().status, abi::MOLARENA_ERROR_UNSUPPORTED);
            return;
        }
        let state = state.unwrap();
        let mut loaded = maker.make();
        same(loaded.native.load(&state), loaded.table.load(&state)).unwrap();
        let (before, after) = (pair.predict(&test.inputs(), &call), loaded.predict(&test.inputs(), &call));
        assert_eq!(bits_of(&before), bits_of(&after));
        // A loaded state is saved as the same bytes.
        assert_eq!(same(loaded.native.save(), loaded.table.save()).unwrap(), state);
        let cut = &state[..state.len() - 1];
        let error = same(loaded.native.load(cut), loaded.table.load(cut)).unwrap_err();
        assert_eq!(error.status, abi::MOLARENA_ERROR_DATA);
    });
}

#[test]
fn the_same_seed_gives_the_same_on_one_thread_and_two() {
    for_all(|maker, train, valid, test| {
        let run = |seed: u64, threads: usize| {
            let call = Call::new(seed, threads);
            let mut pair = maker.make();
            pair.fit(train, valid, &call).unwrap();
            bits_of(&pair.predict(&test.inputs(), &call))
        };
        let once = run(5, 1);
        assert_eq!(run(5, 1), once);
        assert_eq!(run(5, 2), once);
        assert_eq!(run(6, 1) != once, maker.uses_seed);
    });
}

#[test]
fn an_instance_that_is_fitted_again_forgets_the_first_fit() {
    for_all(|maker, train, valid, test| {
        let (call, other) = (Call::new(5, 1), Data::new(train.labels.view().kind, 30, 9));
        let (mut once, mut twice) = (maker.make(), maker.make());
        once.fit(train, valid, &call).unwrap();
        twice.fit(&other, valid, &call).unwrap();
        twice.fit(train, valid, &call).unwrap();
        let (left, right) = (once.predict(&test.inputs(), &call), twice.predict(&test.inputs(), &call));
        assert_eq!(bits_of(&left), bits_of(&right));
    });
}

#[test]
fn small_and_empty_inputs_are_fine() {
    for_all(|maker, train, _, test| {
        let (call, kind) = (Call::new(5, 1), train.labels.view().kind);
        let (none, one) = (Data::new(kind, 0, 4), Data::new(kind, 1, 4));
        let mut pair = maker.make();
        pair.fit(train, &none, &call).unwrap();
        let all = pair.predict(&test.inputs(), &call);
        // A molecule's prediction does not depend on the other molecules.
        let first = Inputs::from_bits(Bits::new(&test.words[..2], 1, N_BITS).unwrap());
        assert_eq!(pair.predict(&first, &call).values, all.values[..TASKS]);
        assert_eq!(pair.predict(&none.inputs(), &call).rows, 0);
        // A single training molecule.
        let mut pair = maker.make();
        pair.fit(&one, &none, &call).unwrap();
        let predictions = pair.predict(&test.inputs(), &call);
        assert!(predictions.values.iter().all(|value| value.is_finite()));
    });
}

#[test]
fn errors_are_the_same() {
    for_all(|maker, train, valid, test| {
        let call = Call::new(5, 1);
        let mut pair = maker.make();
        let error = pair.native.predict(&test.inputs(), &call).unwrap_err();
        assert_eq!(error.status, abi::MOLARENA_ERROR_INVALID_ARGUMENT);
        let table = pair.table.predict(&test.inputs(), TASKS, &call).unwrap_err();
        assert!(matches!(table, LoadError::Shape { columns: 0, .. }), "{table}");
        if train.labels.view().kind == TaskKind::Classification {
            let labels = vec![2.0; TRAIN * TASKS];
            let labels = OwnedLabels::from_nan(TaskKind::Classification, TRAIN, TASKS, labels).unwrap();
            let error = pair.fit(&Data { labels, ..train.clone() }, valid, &call).unwrap_err();
            assert_eq!(error, Error::data("label 2 of task 0, row 0: must be 0 or 1"));
        }
        let watcher = Watcher::cancelling_after(0);
        let error = pair.fit(train, valid, &call.with_hooks(&watcher)).unwrap_err();
        assert_eq!(error, Error::cancelled("cancelled by the arena"));
        // Neither call leaves an unusable instance.
        pair.fit(train, valid, &call).unwrap();
    });
}
