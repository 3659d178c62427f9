//! The factory of decoders.

use molarena_abi as abi;

use super::{
    Registry, component_from_json, create_instance, describe_component, destroy_instance, unknown_component,
    with_instance, write_blob, write_output, write_shape,
};
use crate::{Call, Component, ComponentDescription, ComponentKind, Decoder, Dense, Error, Result, raw};

/// One decoder of a plugin.
pub struct DecoderEntry {
    pub(super) id: &'static str,
    pub(super) describe: fn() -> ComponentDescription,
    make: fn(config: &str) -> Result<Box<dyn Decoder>>,
}

impl DecoderEntry {
    /// The entry of component `C`.
    pub const fn of<C: Component + Decoder>() -> Self {
        Self {
            id: C::INFO.id,
            describe: || describe_component::<C>(ComponentKind::Decoder),
            make: |config| Ok(Box::new(component_from_json::<C>(config)?)),
        }
    }
}

/// The factory table, with the `create` that knows the plugin's components.
pub const fn decoder_factory(create: abi::MolarenaCreate) -> abi::MolarenaDecoderFactory {
    abi::MolarenaDecoderFactory {
        struct_size: size_of::<abi::MolarenaDecoderFactory>() as u32,
        reserved: 0,
        create: Some(create),
        output_shape: Some(output_shape),
        decode: Some(decode),
        score: Some(score),
        save: Some(save),
        load: Some(load),
        destroy: Some(destroy_instance_of_decoder),
        get_extension: None,
    }
}

impl Registry {
    /// `create` of the factory of decoders.
    ///
    /// # Safety
    ///
    /// The pointers follow the rules of [`abi::MolarenaCreate`].
    pub unsafe fn create_decoder(
        &self,
        id: abi::MolarenaStr,
        config: abi::MolarenaStr,
        handle: *mut abi::MolarenaHandle,
        error: *mut abi::MolarenaError,
    ) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe {
            create_instance::<dyn Decoder>(id, config, handle, error, |id, config| {
                match self.decoders.iter().find(|entry| entry.id == id) {
                    Some(entry) => (entry.make)(config),
                    None => Err(unknown_component(
                        ComponentKind::Decoder,
                        id,
                        self.decoders.iter().map(|entry| entry.id),
                    )),
                }
            })
        }
    }
}

unsafe extern "C" fn output_shape(
    handle: abi::MolarenaHandle,
    space: abi::MolarenaStr,
    rows: u64,
    shape: *mut u64,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: the caller follows the ABI, here and in the functions below.
    unsafe {
        with_instance::<dyn Decoder>(handle, error, |decoder| {
            write_shape(shape, rows, decoder.columns(raw::str_from(space)?)?)
        })
    }
}

unsafe extern "C" fn decode(
    handle: abi::MolarenaHandle,
    rows: u64,
    z: *const abi::MolarenaDense,
    space: abi::MolarenaStr,
    output: *mut abi::MolarenaOutput,
    call: *const abi::MolarenaCall,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `output_shape`.
    unsafe {
        with_instance::<dyn Decoder>(handle, error, |decoder| {
            let (z, space) = (vectors(z, rows)?, raw::str_from(space)?);
            let profiles = Call::from_abi(call, |call| decoder.decode(&z, space, call))?;
            write_output(output, &profiles)
        })
    }
}

unsafe extern "C" fn score(
    handle: abi::MolarenaHandle,
    rows: u64,
    z: *const abi::MolarenaDense,
    candidate_rows: u64,
    candidates: *const abi::MolarenaDense,
    space: abi::MolarenaStr,
    output: *mut abi::MolarenaOutput,
    call: *const abi::MolarenaCall,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `output_shape`.
    unsafe {
        with_instance::<dyn Decoder>(handle, error, |decoder| {
            let (z, candidates) = (vectors(z, rows)?, vectors(candidates, candidate_rows)?);
            let space = raw::str_from(space)?;
            let scores = Call::from_abi(call, |call| decoder.score(&z, &candidates, space, call))?;
            write_output(output, &scores)
        })
    }
}

/// # Safety
///
/// `dense` is null or follows the ABI's rules, with data that live for `'a`.
unsafe fn vectors<'a>(dense: *const abi::MolarenaDense, rows: u64) -> Result<Dense<'a>> {
    // SAFETY: passed on to the caller.
    match unsafe { dense.as_ref() } {
        // SAFETY: passed on to the caller.
        Some(dense) => unsafe { Dense::from_abi(dense, rows as usize) },
        None => Err(Error::invalid_argument("vectors: null pointer")),
    }
}

unsafe extern "C" fn save(
    handle: abi::MolarenaHandle,
    blob: *mut abi::MolarenaBlob,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `output_shape`.
    unsafe { with_instance::<dyn Decoder>(handle, error, |decoder| write_blob(blob, decoder.save()?)) }
}

unsafe extern "C" fn load(
    handle: abi::MolarenaHandle,
    data: *const u8,
    len: u64,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `output_shape`.
    unsafe {
        with_instance::<dyn Decoder>(handle, error, |decoder| decoder.load(raw::bytes_from(data, len)?))
    }
}

unsafe extern "C" fn destroy_instance_of_decoder(handle: abi::MolarenaHandle) {
    // SAFETY: as in `output_shape`.
    unsafe { destroy_instance::<dyn Decoder>(handle) }
}
