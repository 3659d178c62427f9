//! The factory of decoders.

use molarena_abi as abi;

use super::{Entry, component_from_json, destroy, load, save, with_instance, write_output, write_shape};
use crate::{Call, Component, ComponentKind, Decoder, Dense, Error, Result, raw};

/// One decoder of a plugin.
pub type DecoderEntry = Entry<dyn Decoder>;

impl DecoderEntry {
    /// The entry of component `C`.
    pub const fn of<C: Component + Decoder>() -> Self {
        Self::new::<C>(ComponentKind::Decoder, |config| Ok(Box::new(component_from_json::<C>(config)?)))
    }
}

/// The factory table; its `create` knows the plugin's components.
pub const fn decoder_factory(create: abi::MolarenaCreate) -> abi::MolarenaDecoderFactory {
    abi::MolarenaDecoderFactory {
        struct_size: size_of::<abi::MolarenaDecoderFactory>() as u32,
        reserved: 0,
        create: Some(create),
        output_shape: Some(output_shape),
        decode: Some(decode),
        score: Some(score),
        save: Some(save::<dyn Decoder>),
        load: Some(load::<dyn Decoder>),
        destroy: Some(destroy::<dyn Decoder>),
        get_extension: None,
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
/// `dense` is null or follows the ABI's rules, and its data live for `'a`.
unsafe fn vectors<'a>(dense: *const abi::MolarenaDense, rows: u64) -> Result<Dense<'a>> {
    // SAFETY: the caller promises it.
    match unsafe { dense.as_ref() } {
        // SAFETY: the caller promises it.
        Some(dense) => unsafe { Dense::from_abi(dense, rows as usize) },
        None => Err(Error::invalid_argument("vectors: null pointer")),
    }
}
