//! The tables of functions: the plugin's own, the host's, and one factory for each kind of component.

use core::ffi::c_void;

use crate::{
    MolarenaBlob, MolarenaCall, MolarenaCorpus, MolarenaDense, MolarenaError, MolarenaInputs, MolarenaLabels,
    MolarenaOutput, MolarenaStr,
};

/// An instance of a component; opaque to the arena.
pub type MolarenaHandle = *mut c_void;

/// Type of the exported symbol. The table that it returns lives as long as the process.
pub type MolarenaEntry = unsafe extern "C" fn() -> *const MolarenaPlugin;

/// Makes an instance of `component` from its JSON configuration.
pub type MolarenaCreate = unsafe extern "C" fn(
    component: MolarenaStr,
    config: MolarenaStr,
    instance: *mut MolarenaHandle,
    error: *mut MolarenaError,
) -> i32;

/// Saves an instance's state into a blob.
pub type MolarenaSave =
    unsafe extern "C" fn(instance: MolarenaHandle, blob: *mut MolarenaBlob, error: *mut MolarenaError) -> i32;

/// Restores an instance's state from bytes that `save` made.
pub type MolarenaLoad = unsafe extern "C" fn(
    instance: MolarenaHandle,
    data: *const u8,
    len: u64,
    error: *mut MolarenaError,
) -> i32;

/// Frees an instance. The only call that a poisoned instance still takes.
pub type MolarenaDestroy = unsafe extern "C" fn(instance: MolarenaHandle);

/// Learns from training molecules; validation molecules serve model choice only and may have 0 rows.
pub type MolarenaFit = unsafe extern "C" fn(
    instance: MolarenaHandle,
    train: *const MolarenaInputs,
    train_labels: *const MolarenaLabels,
    valid: *const MolarenaInputs,
    valid_labels: *const MolarenaLabels,
    call: *const MolarenaCall,
    error: *mut MolarenaError,
) -> i32;

/// Writes the shape of the output for `rows` molecules to `shape`: rows, columns.
pub type MolarenaOutputShape = unsafe extern "C" fn(
    instance: MolarenaHandle,
    rows: u64,
    shape: *mut u64,
    error: *mut MolarenaError,
) -> i32;

/// Turns molecules into a matrix, which it writes to `output`.
pub type MolarenaApply = unsafe extern "C" fn(
    instance: MolarenaHandle,
    inputs: *const MolarenaInputs,
    output: *mut MolarenaOutput,
    call: *const MolarenaCall,
    error: *mut MolarenaError,
) -> i32;

/// Returns an optional interface by its id, or null.
pub type MolarenaGetExtension = unsafe extern "C" fn(id: MolarenaStr) -> *const c_void;

/// The host's side: what a plugin may ask of the arena.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaHost {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// The host's `ABI_MAJOR`.
    pub abi_major: u32,
    /// The host's `ABI_MINOR`.
    pub abi_minor: u32,
    /// Zero.
    pub reserved: u32,
    /// Optional interfaces of the host by id, or null.
    pub get_extension: Option<MolarenaGetExtension>,
}

/// The plugin's side: the table that the entry symbol returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaPlugin {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// The plugin's `ABI_MAJOR`; read before anything else.
    pub abi_major: u32,
    /// The plugin's `ABI_MINOR`.
    pub abi_minor: u32,
    /// Zero.
    pub reserved: u32,
    /// Called once before any factory is used. May be null.
    pub init: Option<unsafe extern "C" fn(host: *const MolarenaHost, error: *mut MolarenaError) -> i32>,
    /// Called once at the end of an orderly process. May be null.
    pub deinit: Option<unsafe extern "C" fn()>,
    /// JSON text that lives as long as the process: id, version, licence and components (see the sdk's
    /// `PluginDescription`).
    pub describe: Option<unsafe extern "C" fn() -> MolarenaStr>,
    /// A factory table by id (`molarena.encoder/1`, ...), or null.
    pub get_factory: Option<unsafe extern "C" fn(id: MolarenaStr) -> *const c_void>,
}

/// Factory of baselines: predictors on top of features or of an encoder.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaBaselineFactory {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Makes an instance.
    pub create: Option<MolarenaCreate>,
    /// Learns from training molecules; validation molecules serve model choice only and may have 0 rows.
    pub fit: Option<MolarenaFit>,
    /// Shape of `predict`'s output for `rows` molecules: rows, tasks.
    pub output_shape: Option<MolarenaOutputShape>,
    /// Predicts `f32[rows, tasks]`: probabilities of class 1, or values in the labels' units.
    pub predict: Option<MolarenaApply>,
    /// Saves the fitted state.
    pub save: Option<MolarenaSave>,
    /// Restores a fitted state.
    pub load: Option<MolarenaLoad>,
    /// Frees an instance.
    pub destroy: Option<MolarenaDestroy>,
    /// Optional interfaces by id, or null.
    pub get_extension: Option<MolarenaGetExtension>,
}

/// Factory of encoders: molecules to vectors.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaEncoderFactory {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Makes an instance.
    pub create: Option<MolarenaCreate>,
    /// Pretrains on a context graph. May be null: the encoder is not trained.
    pub fit: Option<
        unsafe extern "C" fn(
            instance: MolarenaHandle,
            corpus: *const MolarenaCorpus,
            call: *const MolarenaCall,
            error: *mut MolarenaError,
        ) -> i32,
    >,
    /// Shape of `encode`'s output for `rows` molecules: rows, width.
    pub output_shape: Option<MolarenaOutputShape>,
    /// Encodes molecules to `f32[rows, width]`.
    pub encode: Option<MolarenaApply>,
    /// Saves the trained state.
    pub save: Option<MolarenaSave>,
    /// Restores a trained state.
    pub load: Option<MolarenaLoad>,
    /// Frees an instance.
    pub destroy: Option<MolarenaDestroy>,
    /// Optional interfaces by id, or null.
    pub get_extension: Option<MolarenaGetExtension>,
}

/// Extension of encoders, `molarena.encoder.finetune/1`: models that train the encoder end to end with a head on labels. It
/// comes from `get_extension` of a [`MolarenaEncoderFactory`].
///
/// A model is used like a baseline whose inputs are the encoder's own molecules. It starts from the state that the encoder has
/// when `create` is called, and does not need the encoder afterwards. The description of an encoder that offers this has a
/// member `finetune` with the `config_schema` of `config`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaFineTune {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Makes a model from an instance of the encoder. `config` is JSON: the head and its training. It must succeed for an
    /// encoder without state: `fit` says that one is missing, and `load` restores everything that `predict` needs.
    pub create: Option<
        unsafe extern "C" fn(
            encoder: MolarenaHandle,
            config: MolarenaStr,
            instance: *mut MolarenaHandle,
            error: *mut MolarenaError,
        ) -> i32,
    >,
    /// Trains encoder and head.
    pub fit: Option<MolarenaFit>,
    /// Shape of `predict`'s output for `rows` molecules: rows, tasks.
    pub output_shape: Option<MolarenaOutputShape>,
    /// Predicts `f32[rows, tasks]`: probabilities of class 1, or values in the labels' units.
    pub predict: Option<MolarenaApply>,
    /// Saves the trained model: encoder and head.
    pub save: Option<MolarenaSave>,
    /// Restores a trained model. The encoder that it was made from has the configuration of that which was trained.
    pub load: Option<MolarenaLoad>,
    /// Frees an instance.
    pub destroy: Option<MolarenaDestroy>,
}

/// Factory of decoders: vectors to profiles of a feature space.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MolarenaDecoderFactory {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Makes an instance.
    pub create: Option<MolarenaCreate>,
    /// Shape of `decode`'s output for `rows` vectors: rows, columns of `space`.
    pub output_shape: Option<
        unsafe extern "C" fn(
            instance: MolarenaHandle,
            space: MolarenaStr,
            rows: u64,
            shape: *mut u64,
            error: *mut MolarenaError,
        ) -> i32,
    >,
    /// Decodes z, `f32[rows, d]`, to f32[rows, columns of `space`].
    pub decode: Option<
        unsafe extern "C" fn(
            instance: MolarenaHandle,
            rows: u64,
            z: *const MolarenaDense,
            space: MolarenaStr,
            output: *mut MolarenaOutput,
            call: *const MolarenaCall,
            error: *mut MolarenaError,
        ) -> i32,
    >,
    /// Scores each candidate for each z: `f32[rows, candidates]`, a log-likelihood or a similarity.
    pub score: Option<
        unsafe extern "C" fn(
            instance: MolarenaHandle,
            rows: u64,
            z: *const MolarenaDense,
            candidate_rows: u64,
            candidates: *const MolarenaDense,
            space: MolarenaStr,
            output: *mut MolarenaOutput,
            call: *const MolarenaCall,
            error: *mut MolarenaError,
        ) -> i32,
    >,
    /// Saves the trained state.
    pub save: Option<MolarenaSave>,
    /// Restores a trained state.
    pub load: Option<MolarenaLoad>,
    /// Frees an instance.
    pub destroy: Option<MolarenaDestroy>,
    /// Optional interfaces by id, or null.
    pub get_extension: Option<MolarenaGetExtension>,
}
