//! The factory of encoders.

use molarena_abi as abi;

use super::{
    Registry, component_from_json, create_instance, describe_component, destroy_instance, unknown_component,
    with_instance, write_blob, write_output, write_shape,
};
use crate::{Call, Component, ComponentDescription, ComponentKind, Corpus, Encoder, Inputs, Result};

/// One encoder of a plugin.
pub struct EncoderEntry {
    pub(super) id: &'static str,
    pub(super) describe: fn() -> ComponentDescription,
    make: fn(config: &str) -> Result<Box<dyn Encoder>>,
}

impl EncoderEntry {
    /// The entry of component `C`.
    pub const fn of<C: Component + Encoder>() -> Self {
        Self {
            id: C::INFO.id,
            describe: || describe_component::<C>(ComponentKind::Encoder),
            make: |config| Ok(Box::new(component_from_json::<C>(config)?)),
        }
    }
}

/// The factory table, with the `create` that knows the plugin's components.
pub const fn encoder_factory(create: abi::MolarenaCreate) -> abi::MolarenaEncoderFactory {
    abi::MolarenaEncoderFactory {
        struct_size: size_of::<abi::MolarenaEncoderFactory>() as u32,
        reserved: 0,
        create: Some(create),
        fit: Some(fit),
        output_shape: Some(output_shape),
        encode: Some(encode),
        save: Some(save),
        load: Some(load),
        destroy: Some(destroy_instance_of_encoder),
        get_extension: None,
    }
}

impl Registry {
    /// `create` of the factory of encoders.
    ///
    /// # Safety
    ///
    /// The pointers follow the rules of [`abi::MolarenaCreate`].
    pub unsafe fn create_encoder(
        &self,
        id: abi::MolarenaStr,
        config: abi::MolarenaStr,
        handle: *mut abi::MolarenaHandle,
        error: *mut abi::MolarenaError,
    ) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe {
            create_instance::<dyn Encoder>(id, config, handle, error, |id, config| {
                match self.encoders.iter().find(|entry| entry.id == id) {
                    Some(entry) => (entry.make)(config),
                    None => Err(unknown_component(
                        ComponentKind::Encoder,
                        id,
                        self.encoders.iter().map(|entry| entry.id),
                    )),
                }
            })
        }
    }
}

unsafe extern "C" fn fit(
    handle: abi::MolarenaHandle,
    corpus: *const abi::MolarenaCorpus,
    call: *const abi::MolarenaCall,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: the caller follows the ABI, here and in the functions below.
    unsafe {
        with_instance::<dyn Encoder>(handle, error, |encoder| {
            let corpus = Corpus::from_abi(corpus)?;
            Call::from_abi(call, |call| encoder.fit(&corpus, call))
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
        with_instance::<dyn Encoder>(handle, error, |encoder| write_shape(shape, rows, encoder.width()))
    }
}

unsafe extern "C" fn encode(
    handle: abi::MolarenaHandle,
    inputs: *const abi::MolarenaInputs,
    output: *mut abi::MolarenaOutput,
    call: *const abi::MolarenaCall,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `fit`.
    unsafe {
        with_instance::<dyn Encoder>(handle, error, |encoder| {
            let inputs = Inputs::from_abi(inputs)?;
            let vectors = Call::from_abi(call, |call| encoder.encode(&inputs, call))?;
            write_output(output, &vectors)
        })
    }
}

unsafe extern "C" fn save(
    handle: abi::MolarenaHandle,
    blob: *mut abi::MolarenaBlob,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `fit`.
    unsafe { with_instance::<dyn Encoder>(handle, error, |encoder| write_blob(blob, encoder.save()?)) }
}

unsafe extern "C" fn load(
    handle: abi::MolarenaHandle,
    data: *const u8,
    len: u64,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `fit`.
    unsafe {
        with_instance::<dyn Encoder>(handle, error, |encoder| {
            encoder.load(crate::raw::bytes_from(data, len)?)
        })
    }
}

unsafe extern "C" fn destroy_instance_of_encoder(handle: abi::MolarenaHandle) {
    // SAFETY: as in `fit`.
    unsafe { destroy_instance::<dyn Encoder>(handle) }
}
