//! The error that a component returns.

use molarena_abi as abi;

/// Result of a component's call.
pub type Result<T> = std::result::Result<T, Error>;

/// A status of the ABI and a lower-case message that names what is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// One of the ABI's `MOLARENA_ERROR_*` codes.
    pub status: i32,
    /// What is wrong and how to fix it.
    pub message: String,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident = $status:ident;)*) => {
        impl Error {
            $($(#[$doc])*
            pub fn $name(message: impl Into<String>) -> Self {
                Self { status: abi::$status, message: message.into() }
            })*
        }
    };
}
constructors! {
    /// An argument has the wrong shape, or the call comes in the wrong order.
    invalid_argument = MOLARENA_ERROR_INVALID_ARGUMENT;
    /// A configuration value is out of range.
    invalid_config = MOLARENA_ERROR_INVALID_CONFIG;
    /// The component does not offer the requested input kind, device or function.
    unsupported = MOLARENA_ERROR_UNSUPPORTED;
    /// The data cannot be used, for example because a column has no value.
    data = MOLARENA_ERROR_DATA;
    /// A file or device could not be read or written.
    io = MOLARENA_ERROR_IO;
    /// The call was cancelled.
    cancelled = MOLARENA_ERROR_CANCELLED;
    /// Memory ran out.
    out_of_memory = MOLARENA_ERROR_OUT_OF_MEMORY;
    /// A defect of the plugin itself.
    internal = MOLARENA_ERROR_INTERNAL;
    /// The plugin panicked in this call.
    panic = MOLARENA_ERROR_PANIC;
    /// An earlier call on this instance panicked.
    poisoned = MOLARENA_ERROR_POISONED;
}
