//! Opens plugins and calls them: libraries through the ABI's tables, programs through frames. Only a worker does this.
#![expect(unsafe_code, reason = "opens foreign libraries and calls their functions")]

mod baseline;
mod decoder;
mod encoder;

use std::{
    ffi::c_void,
    path::{Path, PathBuf},
    ptr,
};

use molarena_abi as abi;
use molarena_sdk::{ComponentKind, Matrix, PluginDescription, raw};

pub use baseline::LoadedBaseline;
pub use decoder::LoadedDecoder;
pub use encoder::LoadedEncoder;

use self::{baseline::TableBaseline, decoder::TableDecoder, encoder::TableEncoder};
use super::{
    manifest::{Entry, PluginManifest, is_plugin_folder},
    process::{Instance, ProcessPlugin},
};

/// Why a plugin could not be opened or a call failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// The file is not a library, or lacks the symbol.
    #[error("plugin {path} cannot be opened: {message}")]
    Open {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        message: String,
    },
    /// The library speaks another major version of the ABI.
    #[error(
        "plugin {path} speaks ABI {found}, this molarena speaks {}.{}; rebuild the plugin with a matching sdk",
        abi::ABI_MAJOR,
        abi::ABI_MINOR
    )]
    WrongAbi {
        /// The library.
        path: PathBuf,
        /// The library's ABI version.
        found: String,
    },
    /// The table, the description or a factory breaks the rules of the ABI.
    #[error("plugin {path} breaks the ABI: {message}")]
    Broken {
        /// The library.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A call returned a failure.
    #[error("{message}")]
    Call {
        /// Status of the ABI.
        status: i32,
        /// The plugin's message.
        message: String,
    },
    /// The program of a process plugin ended, or left the protocol.
    #[error("{message}")]
    Ended {
        /// How, and in which call.
        message: String,
    },
    /// The output has the wrong shape.
    #[error("wrong shape: expected {expected_rows} x {expected_columns}, the plugin gave {rows} x {columns}")]
    Shape {
        /// Expected number of rows.
        expected_rows: usize,
        /// Expected number of columns.
        expected_columns: usize,
        /// Number of rows that the plugin gave.
        rows: u64,
        /// Number of columns that the plugin gave.
        columns: u64,
    },
}

/// Longest description in bytes.
const LONGEST_DESCRIPTION: usize = 8 << 20;

/// An opened plugin: a library, which stays open until the process ends, or a started program.
#[derive(Clone, Debug)]
pub struct LoadedPlugin(Opened);

#[derive(Clone, Debug)]
enum Opened {
    Library(Box<Library>),
    Program(ProcessPlugin),
}

/// How a component is called.
#[derive(Debug)]
pub(super) enum Backend<T> {
    /// Through the table of a library.
    Table(T),
    /// Through frames to a program.
    Process(Instance),
}

impl LoadedPlugin {
    /// Opens a library, or the plugin of a folder with a manifest, for calls with one thread.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        Self::open_for(path, 1)
    }

    /// Opens a library, or the plugin of a folder with a manifest; a program is started for calls with `threads` threads.
    pub fn open_for(path: &Path, threads: usize) -> Result<Self, LoadError> {
        if !is_plugin_folder(path) {
            return Ok(Self(Opened::Library(Box::new(Library::open(path)?))));
        }
        let failed = |message: String| LoadError::Open { path: path.to_owned(), message };
        let manifest = PluginManifest::read(path).map_err(|error| failed(error.to_string()))?;
        let Entry::Library(library) = &manifest.entry else {
            return ProcessPlugin::start(&manifest, threads).map(|plugin| Self(Opened::Program(plugin)));
        };
        let library = Library::open(library)?;
        let PluginDescription { id, version, .. } = &library.description;
        if (id, version) != (&manifest.id, &manifest.version) {
            let PluginManifest { id: expected, version: of, .. } = &manifest;
            let message = format!("its library calls itself {id} {version}, its manifest {expected} {of}");
            return Err(LoadError::Broken { path: path.to_owned(), message });
        }
        Ok(Self(Opened::Library(Box::new(library))))
    }

    /// What the plugin says about itself.
    pub fn description(&self) -> &PluginDescription {
        match &self.0 {
            Opened::Library(library) => &library.description,
            Opened::Program(program) => &program.description,
        }
    }

    /// Makes the baseline `component` with `config`, a JSON text.
    pub fn baseline(&self, component: &str, config: &str) -> Result<LoadedBaseline, LoadError> {
        Ok(LoadedBaseline(match &self.0 {
            Opened::Library(library) => Backend::Table(TableBaseline::create(
                library.factory(abi::BASELINE_FACTORY)?,
                component,
                config,
            )?),
            Opened::Program(program) => {
                Backend::Process(program.create(ComponentKind::Baseline, component, config)?)
            }
        }))
    }

    /// Makes the encoder `component` with `config`, a JSON text.
    pub fn encoder(&self, component: &str, config: &str) -> Result<LoadedEncoder, LoadError> {
        Ok(LoadedEncoder(match &self.0 {
            Opened::Library(library) => Backend::Table(TableEncoder::create(
                library.factory(abi::ENCODER_FACTORY)?,
                component,
                config,
            )?),
            Opened::Program(program) => {
                Backend::Process(program.create(ComponentKind::Encoder, component, config)?)
            }
        }))
    }

    /// Makes the decoder `component` with `config`, a JSON text.
    pub fn decoder(&self, component: &str, config: &str) -> Result<LoadedDecoder, LoadError> {
        Ok(LoadedDecoder(match &self.0 {
            Opened::Library(library) => Backend::Table(TableDecoder::create(
                library.factory(abi::DECODER_FACTORY)?,
                component,
                config,
            )?),
            Opened::Program(program) => {
                Backend::Process(program.create(ComponentKind::Decoder, component, config)?)
            }
        }))
    }
}

/// An opened library.
#[derive(Clone, Debug)]
struct Library {
    path: PathBuf,
    table: abi::MolarenaPlugin,
    description: PluginDescription,
}

impl Library {
    /// Opens a library, checks its ABI version and reads its description.
    fn open(path: &Path) -> Result<Self, LoadError> {
        let failed = |message: String| LoadError::Open { path: path.to_owned(), message };
        let broken = |message: String| LoadError::Broken { path: path.to_owned(), message };
        let flags = libloading::os::unix::RTLD_NOW | libloading::os::unix::RTLD_LOCAL;
        // SAFETY: initialisers of the library run here; the worker is confined and may crash.
        let library = unsafe { libloading::os::unix::Library::open(Some(path), flags) }.map_err(|error| {
            // The reason is in the error's source.
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            failed(reason.unwrap_or_else(|| error.to_string()))
        })?;
        // SAFETY: the symbol has this type in every plugin of this major version.
        let entry = unsafe { library.get::<abi::MolarenaEntry>(abi::ENTRY_SYMBOL.as_bytes()) }
            .map_err(|_| failed(format!("it does not export `{}`", abi::ENTRY_SYMBOL)))?;
        // SAFETY: the function takes nothing and returns a table that lives as long as the process.
        let table = unsafe { abi::read_sized(entry()) }
            .ok_or_else(|| broken("the entry returned no table".into()))?;
        // Closing a library while its threads or destructors may run is unsound, so it never is.
        std::mem::forget(library);
        if table.abi_major != abi::ABI_MAJOR {
            let found = format!("{}.{}", table.abi_major, table.abi_minor);
            return Err(LoadError::WrongAbi { path: path.to_owned(), found });
        }
        if let Some(init) = table.init {
            // SAFETY: the host's table is static.
            call(|error| unsafe { init(&raw const HOST, error) })?;
        }
        let describe = table.describe.ok_or_else(|| broken("`describe` is null".into()))?;
        // SAFETY: the text lives as long as the process.
        let text = unsafe { raw::str_from(describe()) }.map_err(|error| broken(error.to_string()))?;
        if text.len() > LONGEST_DESCRIPTION {
            let limit = bytesize::ByteSize(LONGEST_DESCRIPTION as u64);
            return Err(broken(format!("its description has {} bytes, more than {limit}", text.len())));
        }
        let description =
            serde_json::from_str(text).map_err(|error| broken(format!("its description: {error}")))?;
        Ok(Self { path: path.to_owned(), table, description })
    }

    fn factory<T: abi::Versioned>(&self, id: &str) -> Result<T, LoadError> {
        let broken = |message: String| LoadError::Broken { path: self.path.clone(), message };
        let get = self.table.get_factory.ok_or_else(|| broken("`get_factory` is null".into()))?;
        // SAFETY: the id says which table comes back; it lives as long as the process.
        unsafe { abi::read_sized(get(raw::text(id)).cast::<T>()) }
            .ok_or_else(|| broken(format!("it has no factory `{id}`")))
    }
}

static HOST: abi::MolarenaHost = abi::MolarenaHost {
    struct_size: size_of::<abi::MolarenaHost>() as u32,
    abi_major: abi::ABI_MAJOR,
    abi_minor: abi::ABI_MINOR,
    reserved: 0,
    get_extension: None,
};

/// Calls one function of a table; on failure, copies the message and releases it.
fn call(function: impl FnOnce(*mut abi::MolarenaError) -> i32) -> Result<(), LoadError> {
    let mut error = abi::MolarenaError {
        struct_size: raw::size_of::<abi::MolarenaError>(),
        code: 0,
        message: ptr::null(),
        message_len: 0,
        release: None,
        private_data: ptr::null_mut(),
    };
    let status = function(&raw mut error);
    if status == abi::MOLARENA_OK {
        return Ok(());
    }
    let text = abi::MolarenaStr { data: error.message, len: error.message_len };
    // SAFETY: the callee filled the struct and keeps the text until `release`.
    let message = unsafe { raw::str_from(text) }.unwrap_or("the plugin's message is not UTF-8").to_owned();
    if let Some(release) = error.release {
        // SAFETY: called once, with the struct that the callee filled.
        unsafe { release(&raw mut error) }
    }
    let message = if message.is_empty() { format!("status {status} without a message") } else { message };
    Err(LoadError::Call { status, message })
}

/// The function of a table, or an error that names it.
fn need<F>(function: Option<F>, name: &str) -> Result<F, LoadError> {
    function.ok_or_else(|| LoadError::Call {
        status: abi::MOLARENA_ERROR_UNSUPPORTED,
        message: format!("the plugin does not offer `{name}`"),
    })
}

/// Asks for a shape with `ask`; anything but `rows` x `columns` is an error.
fn expect_shape(
    rows: usize,
    columns: usize,
    ask: impl FnOnce(*mut u64, *mut abi::MolarenaError) -> i32,
) -> Result<(), LoadError> {
    let mut shape = [0u64; 2];
    call(|error| ask(shape.as_mut_ptr(), error))?;
    check_shape(rows, columns, shape[0], shape[1])
}

pub(super) fn check_shape(
    expected_rows: usize,
    expected_columns: usize,
    rows: u64,
    columns: u64,
) -> Result<(), LoadError> {
    if rows == expected_rows as u64 && columns == expected_columns as u64 {
        Ok(())
    } else {
        Err(LoadError::Shape { expected_rows, expected_columns, rows, columns })
    }
}

/// Values after the arena's buffer, which show whether a plugin wrote past its end.
const GUARD: [f32; 16] = [f32::from_bits(0x7fc0_ffee); 16];

/// Lends a buffer of `rows` x `columns` to `fill`; checks the returned shape and that nothing was written
/// past the end.
fn filled(
    rows: usize,
    columns: usize,
    fill: impl FnOnce(*mut abi::MolarenaOutput, *mut abi::MolarenaError) -> i32,
) -> Result<Matrix, LoadError> {
    // A value that the plugin does not write stays NaN, and the check for finite values finds it.
    let mut values = vec![f32::NAN; rows * columns];
    values.extend_from_slice(&GUARD);
    let mut output = abi::MolarenaOutput {
        struct_size: raw::size_of::<abi::MolarenaOutput>(),
        reserved: 0,
        values: values.as_mut_ptr(),
        capacity: (rows * columns) as u64,
        rows: 0,
        columns: 0,
    };
    call(|error| fill(&raw mut output, error))?;
    check_shape(rows, columns, output.rows, output.columns)?;
    let guard = values.split_off(rows * columns);
    if guard.iter().map(|value| value.to_bits()).ne(GUARD.iter().map(|value| value.to_bits())) {
        return Err(LoadError::Call {
            status: abi::MOLARENA_ERROR_INTERNAL,
            message: "the plugin wrote past the end of the arena's buffer".into(),
        });
    }
    Ok(Matrix { rows, columns, values })
}

/// Copies the bytes that `save` made and releases them.
fn saved(
    save: impl FnOnce(*mut abi::MolarenaBlob, *mut abi::MolarenaError) -> i32,
) -> Result<Vec<u8>, LoadError> {
    let mut blob = abi::MolarenaBlob {
        struct_size: raw::size_of::<abi::MolarenaBlob>(),
        reserved: 0,
        data: ptr::null(),
        len: 0,
        release: None,
        private_data: ptr::null_mut(),
    };
    call(|error| save(&raw mut blob, error))?;
    let bytes = if blob.data.is_null() {
        Vec::new()
    } else {
        // SAFETY: the plugin owns these bytes until `release`.
        unsafe { std::slice::from_raw_parts(blob.data, blob.len as usize) }.to_vec()
    };
    if let Some(release) = blob.release {
        // SAFETY: called once, with the struct that the plugin filled.
        unsafe { release(&raw mut blob) }
    }
    Ok(bytes)
}

/// Makes an instance with a factory's `create`.
fn create(
    create: Option<abi::MolarenaCreate>,
    component: &str,
    config: &str,
) -> Result<*mut c_void, LoadError> {
    let create = need(create, "create")?;
    // SAFETY: the texts live until the function returns.
    made(|handle, error| unsafe { create(raw::text(component), raw::text(config), handle, error) })
}

/// The instance that `make` writes.
fn made(
    make: impl FnOnce(*mut abi::MolarenaHandle, *mut abi::MolarenaError) -> i32,
) -> Result<abi::MolarenaHandle, LoadError> {
    let mut handle = ptr::null_mut();
    call(|error| make(&raw mut handle, error))?;
    if handle.is_null() {
        return Err(LoadError::Call {
            status: abi::MOLARENA_ERROR_INTERNAL,
            message: "the plugin made no instance".into(),
        });
    }
    Ok(handle)
}

/// `create`, `save`, `load` and the destructor, which the three kinds share.
macro_rules! instance {
    ($name:ident, $factory:ty) => {
        impl $name {
            pub(super) fn create(
                factory: $factory,
                component: &str,
                config: &str,
            ) -> Result<Self, super::LoadError> {
                let handle = super::create(factory.create, component, config)?;
                Ok(Self { factory, handle })
            }

            /// The state as bytes.
            pub(super) fn save(&self) -> Result<Vec<u8>, super::LoadError> {
                let save = super::need(self.factory.save, "save")?;
                // SAFETY: the handle came from this factory's `create`.
                super::saved(|blob, error| unsafe { save(self.handle, blob, error) })
            }

            /// Restores what [`save`](Self::save) gave.
            pub(super) fn load(&mut self, state: &[u8]) -> Result<(), super::LoadError> {
                let load = super::need(self.factory.load, "load")?;
                // SAFETY: as above; the bytes live until the function returns.
                super::call(|error| unsafe { load(self.handle, state.as_ptr(), state.len() as u64, error) })
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                if let Some(destroy) = self.factory.destroy {
                    // SAFETY: the handle came from this factory's `create` and is used no more.
                    unsafe { destroy(self.handle) }
                }
            }
        }
    };
}
use instance;

/// `save` and `load`, which the three kinds share.
macro_rules! loaded {
    ($name:ident) => {
        impl $name {
            /// The state as bytes.
            pub fn save(&self) -> Result<Vec<u8>, super::LoadError> {
                match &self.0 {
                    super::Backend::Table(table) => table.save(),
                    super::Backend::Process(instance) => instance.save(),
                }
            }

            /// Restores what [`save`](Self::save) gave.
            pub fn load(&mut self, state: &[u8]) -> Result<(), super::LoadError> {
                match &mut self.0 {
                    super::Backend::Table(table) => table.load(state),
                    super::Backend::Process(instance) => instance.load(state),
                }
            }
        }
    };
}
use loaded;
