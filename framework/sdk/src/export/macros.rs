//! The macro that exports a plugin.

/// Exports the components of a plugin as the symbol `molarena_plugin_v1`.
///
/// The version and licence are those of the crate that calls the macro. The crate needs `crate-type = ["cdylib"]` and
/// `panic = "unwind"`.
///
/// An encoder that implements [`FineTune`](crate::FineTune) is offered for it by `: FineTune` after its type.
///
/// ```ignore
/// molarena_sdk::export_plugin! {
///     id: "my-plugin",
///     baselines: [MyForest, MyNetwork],
///     encoders: [MyEncoder, MyNetwork: FineTune],
/// }
/// ```
#[macro_export]
macro_rules! export_plugin {
    (
        id: $id:literal
        $(, encoders: [$($encoder:ty $(: $offers:ident)?),* $(,)?])?
        $(, decoders: [$($decoder:ty),* $(,)?])?
        $(, baselines: [$($baseline:ty),* $(,)?])?
        $(,)?
    ) => {
        #[cfg(not(panic = "unwind"))]
        compile_error!("a molarena plugin needs panic = \"unwind\", or its panics would end the worker");

        /// The exported symbol of the molarena plugin ABI.
        #[expect(unsafe_code, reason = "the exported symbol of the plugin ABI")]
        #[unsafe(no_mangle)]
        pub extern "C" fn molarena_plugin_v1() -> *const $crate::abi::MolarenaPlugin {
            use std::{ffi::c_void, ptr, sync::OnceLock};

            use $crate::{abi, export, raw};

            static REGISTRY: export::Registry = export::Registry {
                id: $id,
                version: env!("CARGO_PKG_VERSION"),
                licence: env!("CARGO_PKG_LICENSE"),
                source_sha256: option_env!("MOLARENA_SOURCE_SHA256"),
                source_build: option_env!("MOLARENA_SOURCE_BUILD"),
                encoders: &[$($($crate::encoder_entry!($encoder $(, $offers)?)),*)?],
                decoders: &[$($(export::DecoderEntry::of::<$decoder>()),*)?],
                baselines: &[$($(export::BaselineEntry::of::<$baseline>()),*)?],
            };
            static ENCODERS: abi::MolarenaEncoderFactory =
                export::encoder_factory(create_encoder, REGISTRY.encoders);
            static DECODERS: abi::MolarenaDecoderFactory = export::decoder_factory(create_decoder);
            static BASELINES: abi::MolarenaBaselineFactory = export::baseline_factory(create_baseline);
            static PLUGIN: abi::MolarenaPlugin = abi::MolarenaPlugin {
                struct_size: size_of::<abi::MolarenaPlugin>() as u32,
                abi_major: abi::ABI_MAJOR,
                abi_minor: abi::ABI_MINOR,
                reserved: 0,
                init: None,
                deinit: None,
                describe: Some(describe),
                get_factory: Some(get_factory),
            };

            unsafe extern "C" fn describe() -> abi::MolarenaStr {
                static TEXT: OnceLock<String> = OnceLock::new();
                raw::text(TEXT.get_or_init(|| REGISTRY.describe_json()))
            }

            unsafe extern "C" fn get_factory(id: abi::MolarenaStr) -> *const c_void {
                // SAFETY: the host's text lives until we return.
                match unsafe { raw::str_from(id) } {
                    Ok(abi::ENCODER_FACTORY) if !REGISTRY.encoders.is_empty() => {
                        ptr::from_ref(&ENCODERS).cast()
                    }
                    Ok(abi::DECODER_FACTORY) if !REGISTRY.decoders.is_empty() => {
                        ptr::from_ref(&DECODERS).cast()
                    }
                    Ok(abi::BASELINE_FACTORY) if !REGISTRY.baselines.is_empty() => {
                        ptr::from_ref(&BASELINES).cast()
                    }
                    _ => ptr::null(),
                }
            }

            $crate::export_create!(create_encoder, Encoder, REGISTRY.encoders);
            $crate::export_create!(create_decoder, Decoder, REGISTRY.decoders);
            $crate::export_create!(create_baseline, Baseline, REGISTRY.baselines);

            &raw const PLUGIN
        }
    };
}

/// One encoder of [`export_plugin!`].
#[doc(hidden)]
#[macro_export]
macro_rules! encoder_entry {
    ($encoder:ty) => {
        $crate::export::EncoderEntry::of::<$encoder>()
    };
    ($encoder:ty, FineTune) => {
        $crate::export::EncoderEntry::tunable::<$encoder>()
    };
}

/// One `create` function of [`export_plugin!`].
#[doc(hidden)]
#[macro_export]
macro_rules! export_create {
    ($name:ident, $kind:ident, $entries:expr) => {
        unsafe extern "C" fn $name(
            component: $crate::abi::MolarenaStr,
            config: $crate::abi::MolarenaStr,
            instance: *mut $crate::abi::MolarenaHandle,
            error: *mut $crate::abi::MolarenaError,
        ) -> i32 {
            // SAFETY: the host follows the ABI.
            unsafe {
                $crate::export::create(
                    $crate::ComponentKind::$kind,
                    $entries,
                    component,
                    config,
                    instance,
                    error,
                )
            }
        }
    };
}
