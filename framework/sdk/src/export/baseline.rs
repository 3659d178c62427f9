//! The factory of baselines.

use molarena_abi as abi;

use super::{
    Registry, component_from_json, create_instance, describe_component, destroy_instance, unknown_component,
    with_instance, write_blob, write_output, write_shape,
};
use crate::{Baseline, Call, Component, ComponentDescription, ComponentKind, Error, Inputs, Labels, Result};

/// One baseline of a plugin.
pub struct BaselineEntry {
    pub(super) id: &'static str,
    pub(super) describe: fn() -> ComponentDescription,
    make: fn(config: &str) -> Result<Box<dyn Baseline>>,
}

impl BaselineEntry {
    /// The entry of component `C`.
    pub const fn of<C: Component + Baseline>() -> Self {
        Self {
            id: C::INFO.id,
            describe: || describe_component::<C>(ComponentKind::Baseline),
            make: |config| Ok(Box::new(component_from_json::<C>(config)?)),
        }
    }
}

/// The factory table, with the `create` that knows the plugin's components.
pub const fn baseline_factory(create: abi::MolarenaCreate) -> abi::MolarenaBaselineFactory {
    abi::MolarenaBaselineFactory {
        struct_size: size_of::<abi::MolarenaBaselineFactory>() as u32,
        reserved: 0,
        create: Some(create),
        fit: Some(fit),
        output_shape: Some(output_shape),
        predict: Some(predict),
        save: Some(save),
        load: Some(load),
        destroy: Some(destroy_instance_of_baseline),
        get_extension: None,
    }
}

impl Registry {
    /// `create` of the factory of baselines.
    ///
    /// # Safety
    ///
    /// The pointers follow the rules of [`abi::MolarenaCreate`].
    pub unsafe fn create_baseline(
        &self,
        id: abi::MolarenaStr,
        config: abi::MolarenaStr,
        handle: *mut abi::MolarenaHandle,
        error: *mut abi::MolarenaError,
    ) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe {
            create_instance::<dyn Baseline>(id, config, handle, error, |id, config| {
                match self.baselines.iter().find(|entry| entry.id == id) {
                    Some(entry) => (entry.make)(config),
                    None => Err(unknown_component(
                        ComponentKind::Baseline,
                        id,
                        self.baselines.iter().map(|entry| entry.id),
                    )),
                }
            })
        }
    }
}

unsafe extern "C" fn fit(
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

unsafe extern "C" fn output_shape(
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

unsafe extern "C" fn predict(
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

unsafe extern "C" fn save(
    handle: abi::MolarenaHandle,
    blob: *mut abi::MolarenaBlob,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `fit`.
    unsafe { with_instance::<dyn Baseline>(handle, error, |baseline| write_blob(blob, baseline.save()?)) }
}

unsafe extern "C" fn load(
    handle: abi::MolarenaHandle,
    data: *const u8,
    len: u64,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `fit`.
    unsafe {
        with_instance::<dyn Baseline>(handle, error, |baseline| {
            baseline.load(crate::raw::bytes_from(data, len)?)
        })
    }
}

unsafe extern "C" fn destroy_instance_of_baseline(handle: abi::MolarenaHandle) {
    // SAFETY: as in `fit`.
    unsafe { destroy_instance::<dyn Baseline>(handle) }
}
