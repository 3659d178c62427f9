//! The factory of encoders.

use molarena_abi as abi;

use super::{Entry, component_from_json, destroy, load, save, with_instance, write_output, write_shape};
use crate::{Call, Component, ComponentKind, Corpus, Encoder, Inputs};

/// One encoder of a plugin.
pub type EncoderEntry = Entry<dyn Encoder>;

impl EncoderEntry {
    /// The entry of component `C`.
    pub const fn of<C: Component + Encoder>() -> Self {
        Self::new::<C>(ComponentKind::Encoder, |config| Ok(Box::new(component_from_json::<C>(config)?)))
    }
}

/// The factory table; its `create` knows the plugin's components.
pub const fn encoder_factory(create: abi::MolarenaCreate) -> abi::MolarenaEncoderFactory {
    abi::MolarenaEncoderFactory {
        struct_size: size_of::<abi::MolarenaEncoderFactory>() as u32,
        reserved: 0,
        create: Some(create),
        fit: Some(fit),
        output_shape: Some(output_shape),
        encode: Some(encode),
        save: Some(save::<dyn Encoder>),
        load: Some(load::<dyn Encoder>),
        destroy: Some(destroy::<dyn Encoder>),
        get_extension: None,
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
