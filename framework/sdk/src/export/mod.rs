//! The plugin's side of the ABI: tables of functions that catch panics, and the macro that exports them.
#![expect(unsafe_code, reason = "implements the ABI's functions over raw pointers")]

mod baseline;
mod decoder;
mod encoder;
mod finetune;
mod macros;

use std::{any::Any, ffi::c_void, panic, ptr};

use molarena_abi as abi;
use serde::de::DeserializeOwned;

pub use baseline::{BaselineEntry, baseline_factory};
pub use decoder::{DecoderEntry, decoder_factory};
pub use encoder::{EncoderEntry, ExportedEncoder, encoder_factory};

use crate::{
    Baseline, Component, ComponentDescription, ComponentKind, Decoder, Error, Matrix, PluginDescription,
    Result, raw,
};

/// An instance behind the ABI's handle: the component, and whether an earlier call panicked.
struct Instance<T: ?Sized> {
    component: Box<T>,
    poisoned: bool,
}

/// Runs `body`, turns an error or a panic into a status and fills `error`.
///
/// # Safety
///
/// `error` is null or points to a [`abi::MolarenaError`] that the caller prepared.
unsafe fn guard(error: *mut abi::MolarenaError, body: impl FnOnce() -> Result<()>) -> i32 {
    // Nothing that `body` touches is used after a panic: the instance is poisoned.
    match panic::catch_unwind(panic::AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(panicked(payload)))
    {
        Ok(()) => abi::MOLARENA_OK,
        Err(failure) => {
            // SAFETY: the caller promises it.
            unsafe { fill_error(error, failure) }
        }
    }
}

fn panicked(payload: Box<dyn Any + Send>) -> Error {
    let text = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is not text".into());
    // Dropping the payload could panic again, so it is leaked.
    std::mem::forget(payload);
    Error::panic(format!("panicked: {text}"))
}

/// # Safety
///
/// As for [`guard`].
unsafe fn fill_error(error: *mut abi::MolarenaError, failure: Error) -> i32 {
    let Error { status, message } = failure;
    if error.is_null() {
        return status;
    }
    let message = Box::new(message);
    // SAFETY: the caller prepared the struct; all these fields are in ABI 1.0.
    unsafe {
        (*error).code = status;
        (*error).message = message.as_ptr();
        (*error).message_len = message.len() as u64;
        (*error).private_data = Box::into_raw(message).cast();
        (*error).release = Some(release_error);
    }
    status
}

unsafe extern "C" fn release_error(error: *mut abi::MolarenaError) {
    // SAFETY: the caller hands back what `fill_error` filled, once.
    unsafe {
        drop(Box::from_raw((*error).private_data.cast::<String>()));
        (*error).message = ptr::null();
        (*error).message_len = 0;
        (*error).private_data = ptr::null_mut();
        (*error).release = None;
    }
}

unsafe extern "C" fn release_blob(blob: *mut abi::MolarenaBlob) {
    // SAFETY: the caller hands back what `write_blob` filled, once.
    unsafe {
        drop(Box::from_raw((*blob).private_data.cast::<Vec<u8>>()));
        (*blob).data = ptr::null();
        (*blob).len = 0;
        (*blob).private_data = ptr::null_mut();
        (*blob).release = None;
    }
}

/// # Safety
///
/// `blob` is null or points to a [`abi::MolarenaBlob`] of the caller.
unsafe fn write_blob(blob: *mut abi::MolarenaBlob, bytes: Vec<u8>) -> Result<()> {
    if blob.is_null() {
        return Err(Error::invalid_argument("blob: null pointer"));
    }
    let bytes = Box::new(bytes);
    // SAFETY: not null; the caller promises the rest.
    unsafe {
        (*blob).data = bytes.as_ptr();
        (*blob).len = bytes.len() as u64;
        (*blob).private_data = Box::into_raw(bytes).cast();
        (*blob).release = Some(release_blob);
    }
    Ok(())
}

/// Copies `matrix` into the arena's buffer and sets its shape; writes no value if the matrix does not fit.
///
/// # Safety
///
/// `output` is null or points to a [`abi::MolarenaOutput`] with room for `capacity` values.
unsafe fn write_output(output: *mut abi::MolarenaOutput, matrix: &Matrix) -> Result<()> {
    if output.is_null() {
        return Err(Error::invalid_argument("output: null pointer"));
    }
    // SAFETY: not null; the caller promises `capacity` values.
    unsafe {
        (*output).rows = matrix.rows as u64;
        (*output).columns = matrix.columns as u64;
        if matrix.values.len() as u64 <= (*output).capacity && !(*output).values.is_null() {
            ptr::copy_nonoverlapping(matrix.values.as_ptr(), (*output).values, matrix.values.len());
        }
    }
    Ok(())
}

/// # Safety
///
/// `shape` is null or points to two u64.
unsafe fn write_shape(shape: *mut u64, rows: u64, columns: usize) -> Result<()> {
    if shape.is_null() {
        return Err(Error::invalid_argument("shape: null pointer"));
    }
    // SAFETY: not null; the caller promises room for two.
    unsafe {
        shape.write(rows);
        shape.add(1).write(columns as u64);
    }
    Ok(())
}

/// Runs `body` on the instance behind `handle`; a panic poisons it.
///
/// # Safety
///
/// `handle` is null or came from this factory's `create` and was not destroyed; `error` as for [`guard`].
unsafe fn with_instance<T: ?Sized>(
    handle: abi::MolarenaHandle,
    error: *mut abi::MolarenaError,
    body: impl FnOnce(&mut T) -> Result<()>,
) -> i32 {
    // SAFETY: the caller promises it; an instance is used by one thread at a time.
    unsafe {
        let Some(instance) = handle.cast::<Instance<T>>().as_mut() else {
            return fill_error(error, Error::invalid_argument("null instance"));
        };
        if instance.poisoned {
            return fill_error(error, Error::poisoned("an earlier call panicked; only destroy is left"));
        }
        let status = guard(error, || body(&mut instance.component));
        instance.poisoned = status == abi::MOLARENA_ERROR_PANIC;
        status
    }
}

/// The `create` function of a factory: makes the component of `entries` that `id` names and writes its handle.
///
/// # Safety
///
/// The pointers follow the rules of [`abi::MolarenaCreate`].
pub unsafe fn create<T: ?Sized>(
    kind: ComponentKind,
    entries: &[Entry<T>],
    id: abi::MolarenaStr,
    config: abi::MolarenaStr,
    handle: *mut abi::MolarenaHandle,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: the caller promises it.
    unsafe {
        guard(error, || {
            let (id, config) = (raw::str_from(id)?, raw::str_from(config)?);
            let entry = entries.iter().find(|entry| entry.id == id).ok_or_else(|| {
                let known: Vec<_> = entries.iter().map(|entry| entry.id).collect();
                let known = known.join(", ");
                Error::invalid_argument(format!("no {kind} `{id}` in this plugin; it has: [{known}]"))
            })?;
            write_instance(handle, (entry.make)(config)?)
        })
    }
}

/// Writes the handle of a new instance.
///
/// # Safety
///
/// `handle` is null or points to a place for a handle.
unsafe fn write_instance<T: ?Sized>(handle: *mut abi::MolarenaHandle, component: Box<T>) -> Result<()> {
    if handle.is_null() {
        return Err(Error::invalid_argument("null place for the instance"));
    }
    let instance = Box::new(Instance { component, poisoned: false });
    // SAFETY: not null; the caller promises the rest.
    unsafe { handle.write(Box::into_raw(instance).cast::<c_void>()) };
    Ok(())
}

/// Saving and loading, which all three kinds share.
trait State {
    fn save_state(&self) -> Result<Vec<u8>>;
    fn load_state(&mut self, state: &[u8]) -> Result<()>;
}

macro_rules! state {
    ($($kind:ident),*) => {$(
        impl State for dyn $kind {
            fn save_state(&self) -> Result<Vec<u8>> {
                self.save()
            }
            fn load_state(&mut self, state: &[u8]) -> Result<()> {
                self.load(state)
            }
        }
    )*};
}
state!(Baseline, Decoder);

unsafe extern "C" fn save<T: ?Sized + State>(
    handle: abi::MolarenaHandle,
    blob: *mut abi::MolarenaBlob,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: the caller follows the ABI, here and in the functions below.
    unsafe { with_instance::<T>(handle, error, |component| write_blob(blob, component.save_state()?)) }
}

unsafe extern "C" fn load<T: ?Sized + State>(
    handle: abi::MolarenaHandle,
    data: *const u8,
    len: u64,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `save`.
    unsafe {
        with_instance::<T>(handle, error, |component| component.load_state(raw::bytes_from(data, len)?))
    }
}

unsafe extern "C" fn destroy<T: ?Sized>(handle: abi::MolarenaHandle) {
    if handle.is_null() {
        return;
    }
    // SAFETY: as in `save`; a panic in a destructor is caught here.
    let _panicked = panic::catch_unwind(|| unsafe { drop(Box::from_raw(handle.cast::<Instance<T>>())) });
}

/// Parses the JSON configuration of `C` and makes the component.
fn component_from_json<C: Component>(config: &str) -> Result<C> {
    C::new(parsed(config, || format!("configuration of `{}`", C::INFO.id))?)
}

/// Parses a JSON configuration; an empty text is an empty one. The error says `what` it is.
fn parsed<T: DeserializeOwned>(config: &str, what: impl FnOnce() -> String) -> Result<T> {
    let config = if config.trim().is_empty() { "{}" } else { config };
    serde_json::from_str(config).map_err(|error| Error::invalid_config(format!("{}: {error}", what())))
}

fn describe_component<C: Component>(kind: ComponentKind) -> ComponentDescription {
    let info = C::INFO;
    ComponentDescription {
        kind,
        id: info.id.into(),
        summary: info.summary.into(),
        inputs: info.inputs.to_vec(),
        devices: info.devices.iter().map(ToString::to_string).collect(),
        determinism: info.determinism,
        uses_seed: C::USES_SEED,
        corpora: info.corpora.iter().map(ToString::to_string).collect(),
        config_schema: schemars::schema_for!(C::Config).into(),
        finetune: None,
    }
}

/// One component of a plugin, behind the trait of its kind.
pub struct Entry<T: ?Sized> {
    id: &'static str,
    kind: ComponentKind,
    describe: fn(ComponentKind) -> ComponentDescription,
    make: fn(config: &str) -> Result<Box<T>>,
    /// Whether it is an encoder that can be fine-tuned.
    tunable: bool,
}

impl<T: ?Sized> Entry<T> {
    const fn new<C: Component>(kind: ComponentKind, make: fn(&str) -> Result<Box<T>>) -> Self {
        Self { id: C::INFO.id, kind, describe: describe_component::<C>, make, tunable: false }
    }

    fn describe(&self) -> ComponentDescription {
        (self.describe)(self.kind)
    }
}

/// The components of a plugin; [`export_plugin!`](crate::export_plugin) builds it.
pub struct Registry {
    /// Name of the plugin.
    pub id: &'static str,
    /// Version of the plugin.
    pub version: &'static str,
    /// Licence as an SPDX expression.
    pub licence: &'static str,
    /// Hash of the sources, where the crate's build script declares it.
    pub source_sha256: Option<&'static str>,
    /// How the sources were built, likewise.
    pub source_build: Option<&'static str>,
    /// Encoders.
    pub encoders: &'static [EncoderEntry],
    /// Decoders.
    pub decoders: &'static [DecoderEntry],
    /// Baselines.
    pub baselines: &'static [BaselineEntry],
}

impl Registry {
    /// The plugin's description of itself.
    pub fn describe(&self) -> PluginDescription {
        let encoders = self.encoders.iter().map(Entry::describe);
        let decoders = self.decoders.iter().map(Entry::describe);
        let baselines = self.baselines.iter().map(Entry::describe);
        PluginDescription {
            id: self.id.into(),
            version: self.version.into(),
            licence: self.licence.into(),
            components: encoders.chain(decoders).chain(baselines).collect(),
            source_sha256: self.source_sha256.map(str::to_owned),
            source_build: self.source_build.map(str::to_owned),
        }
    }

    /// The description as JSON text.
    pub fn describe_json(&self) -> String {
        serde_json::to_string(&self.describe()).expect("a description is plain data")
    }
}
