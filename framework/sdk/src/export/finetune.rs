//! The extension of encoders that can be fine-tuned.

use std::{ffi::c_void, ptr};

use molarena_abi as abi;

use super::{
    ExportedEncoder,
    baseline::{fit, output_shape, predict},
    destroy, load, save, with_instance, write_instance,
};
use crate::{Baseline, raw};

/// The models' table: that of a baseline, but for `create`.
static FINE_TUNE: abi::MolarenaFineTune = abi::MolarenaFineTune {
    struct_size: size_of::<abi::MolarenaFineTune>() as u32,
    reserved: 0,
    create: Some(create),
    fit: Some(fit),
    output_shape: Some(output_shape),
    predict: Some(predict),
    save: Some(save::<dyn Baseline>),
    load: Some(load::<dyn Baseline>),
    destroy: Some(destroy::<dyn Baseline>),
};

/// The extensions of encoders.
pub(super) unsafe extern "C" fn get_extension(id: abi::MolarenaStr) -> *const c_void {
    // SAFETY: the host's text lives until we return.
    match unsafe { raw::str_from(id) } {
        Ok(abi::ENCODER_FINETUNE) => ptr::from_ref(&FINE_TUNE).cast(),
        _ => ptr::null(),
    }
}

unsafe extern "C" fn create(
    encoder: abi::MolarenaHandle,
    config: abi::MolarenaStr,
    instance: *mut abi::MolarenaHandle,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: the caller follows the ABI.
    unsafe {
        with_instance::<dyn ExportedEncoder>(encoder, error, |exported| {
            write_instance(instance, exported.finetune(raw::str_from(config)?)?)
        })
    }
}
