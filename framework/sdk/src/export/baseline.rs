//! The factory of baselines.

use molarena_abi as abi;

use super::{Entry, component_from_json, destroy, load, save, with_instance, write_output, write_shape};
use crate::{Baseline, Call, Component, ComponentKind, Error, Inputs, Labels};

/// One baseline of a plugin.
pub type BaselineEntry = Entry<dyn Baseline>;

impl BaselineEntry {
    /// The entry of component `C`.
    pub const fn of<C: Component + Baseline>() -> Self {
        Self::new::<C>(ComponentKind::Baseline, |config| Ok(Box::new(component_from_json::<C>(config)?)))
    }
}

/// The factory table; its `create` knows the plugin's components.
pub const fn baseline_factory(create: abi::MolarenaCreate) -> abi::MolarenaBaselineFactory {
    abi::MolarenaBaselineFactory {
        struct_size: size_of::<abi::MolarenaBaselineFactory>() as u32,
        reserved: 0,
        create: Some(create),
        fit: Some(fit),
        output_shape: Some(output_shape),
        predict: Some(predict),
        save: Some(save::<dyn Baseline>),
        load: Some(load::<dyn Baseline>),
        destroy: Some(destroy::<dyn Baseline>),
        get_extension: None,
    }
}

pub(super) unsafe extern "C" fn fit(
    handle: abi::MolarenaHandle,
    train: *const abi::MolarenaInputs,
    train_labels: *const abi::MolarenaLabels,
    valid: *const abi::MolarenaInputs,
    valid_labels: *const abi::MolarenaLabels,
    call: *const abi::MolarenaCall,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: the caller follows the ABI, here and in the functions below.
    unsafe {
        with_instance::<dyn Baseline>(handle, error, |baseline| {
            let (train, train_labels) = (Inputs::from_abi(train)?, Labels::from_abi(train_labels)?);
            let (valid, valid_labels) = (Inputs::from_abi(valid)?, Labels::from_abi(valid_labels)?);
            if train.rows != train_labels.rows || valid.rows != valid_labels.rows {
                return Err(Error::invalid_argument("inputs and labels have different numbers of rows"));
            }
            Call::from_abi(call, |call| baseline.fit(&train, &train_labels, &valid, &valid_labels, call))
        })
    }
}

pub(super) unsafe extern "C" fn output_shape(
    handle: abi::MolarenaHandle,
    rows: u64,
    shape: *mut u64,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `fit`.
    unsafe {
        with_instance::<dyn Baseline>(handle, error, |baseline| write_shape(shape, rows, baseline.tasks()))
    }
}

pub(super) unsafe extern "C" fn predict(
    handle: abi::MolarenaHandle,
    inputs: *const abi::MolarenaInputs,
    output: *mut abi::MolarenaOutput,
    call: *const abi::MolarenaCall,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `fit`.
    unsafe {
        with_instance::<dyn Baseline>(handle, error, |baseline| {
            let inputs = Inputs::from_abi(inputs)?;
            let predictions = Call::from_abi(call, |call| baseline.predict(&inputs, call))?;
            write_output(output, &predictions)
        })
    }
}
