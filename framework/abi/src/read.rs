//! Reads a table of another version: only the part that both sides know.

use core::{mem::MaybeUninit, mem::size_of, ptr};

use crate::{
    MolarenaBaselineFactory, MolarenaCall, MolarenaCorpus, MolarenaDecoderFactory, MolarenaEncoderFactory,
    MolarenaFineTune, MolarenaHost, MolarenaInputs, MolarenaLabels, MolarenaPlugin, MolarenaProfiles,
};

/// A struct that starts with its `struct_size: u32`, and in which all bytes zero means "absent".
///
/// # Safety
///
/// The type is `repr(C)`, its first field is `struct_size: u32`, and all bytes zero is a valid value of it.
#[expect(unsafe_code, reason = "a marker for layout")]
pub unsafe trait Versioned: Copy {}

macro_rules! versioned {
    ($($type:ident),*) => {$(
        // SAFETY: repr(C), `struct_size` first, and every field is an integer, a pointer or an optional function.
        #[expect(unsafe_code, reason = "a marker for layout")]
        unsafe impl Versioned for $type {}
    )*};
}
versioned!(
    MolarenaPlugin,
    MolarenaHost,
    MolarenaBaselineFactory,
    MolarenaEncoderFactory,
    MolarenaDecoderFactory,
    MolarenaFineTune,
    MolarenaCall,
    MolarenaInputs,
    MolarenaLabels,
    MolarenaProfiles,
    MolarenaCorpus
);

/// Copies the part of `*source` that both sides know, `min(size_of::<T>(), struct_size)` bytes; the rest is zero.
///
/// Returns `None` for a null or misaligned pointer and for a `struct_size` below 8.
///
/// # Safety
///
/// `source` is null, or points to `struct_size` readable bytes that start with that `struct_size`.
#[expect(unsafe_code, reason = "reads what the other side of the ABI wrote")]
pub unsafe fn read_sized<T: Versioned>(source: *const T) -> Option<T> {
    if source.is_null() || !source.is_aligned() {
        return None;
    }
    // SAFETY: the caller promises at least the four bytes of `struct_size`.
    let struct_size = unsafe { ptr::read(source.cast::<u32>()) } as usize;
    if struct_size < 8 {
        return None;
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: both regions hold at least this many bytes and do not overlap; zero is valid for `T`.
    unsafe {
        ptr::copy_nonoverlapping(
            source.cast::<u8>(),
            value.as_mut_ptr().cast::<u8>(),
            struct_size.min(size_of::<T>()),
        );
        Some(value.assume_init())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MolarenaStr;

    extern "C" fn describe() -> MolarenaStr {
        MolarenaStr { data: core::ptr::null(), len: 0 }
    }

    fn plugin(struct_size: u32) -> MolarenaPlugin {
        MolarenaPlugin {
            struct_size,
            abi_major: 1,
            abi_minor: 0,
            reserved: 0,
            init: None,
            deinit: None,
            describe: Some(describe),
            get_factory: None,
        }
    }

    #[test]
    #[expect(unsafe_code, reason = "the function under test is unsafe")]
    fn a_shorter_table_reads_as_if_the_rest_were_absent() {
        // SAFETY: the struct is at least as long as the size that it names.
        let read = |plugin: &MolarenaPlugin| unsafe { read_sized(plugin) };
        assert!(read(&plugin(48)).unwrap().describe.is_some());
        assert!(read(&plugin(32)).unwrap().describe.is_none());
        assert_eq!(read(&plugin(32)).unwrap().abi_major, 1);
        assert!(read(&plugin(4)).is_none());
    }

    #[test]
    #[expect(unsafe_code, reason = "the function under test is unsafe")]
    fn a_call_of_abi_1_0_has_no_folder() {
        let folder = "/work";
        let mut call = MolarenaCall {
            struct_size: 72,
            threads: 3,
            seed: 7,
            device: MolarenaStr { data: core::ptr::null(), len: 0 },
            context: core::ptr::null_mut(),
            progress: None,
            cancelled: None,
            folder: MolarenaStr { data: folder.as_ptr(), len: folder.len() as u64 },
        };
        // SAFETY: the struct is at least as long as the size that it names.
        let read = |call: &MolarenaCall| unsafe { read_sized(call) }.unwrap();
        assert_eq!(read(&call).folder.len, 5);
        call.struct_size = 56;
        let old = read(&call);
        assert_eq!((old.threads, old.seed, old.folder.len), (3, 7, 0));
        assert!(old.folder.data.is_null());
    }

    extern "C" fn no_extension(_: MolarenaStr) -> *const core::ffi::c_void {
        core::ptr::null()
    }

    extern "C" fn destroy(_: crate::MolarenaHandle) {}

    #[test]
    #[expect(unsafe_code, reason = "the function under test is unsafe")]
    fn an_encoder_of_a_shorter_table_offers_no_extension() {
        let mut encoder = MolarenaEncoderFactory {
            struct_size: 72,
            reserved: 0,
            create: None,
            fit: None,
            output_shape: None,
            encode: None,
            save: None,
            load: None,
            destroy: Some(destroy),
            get_extension: Some(no_extension),
        };
        // SAFETY: the struct is at least as long as the size that it names, here and below.
        let read = |encoder: &MolarenaEncoderFactory| unsafe { read_sized(encoder) }.unwrap();
        assert!(read(&encoder).get_extension.is_some());
        encoder.struct_size = 64;
        assert!(read(&encoder).get_extension.is_none() && read(&encoder).destroy.is_some());
        let tuned = MolarenaFineTune {
            struct_size: 56,
            reserved: 0,
            create: None,
            fit: None,
            output_shape: None,
            predict: None,
            save: None,
            load: None,
            destroy: Some(destroy),
        };
        // SAFETY: as above.
        assert!(unsafe { read_sized(&raw const tuned) }.unwrap().destroy.is_none());
    }

    #[test]
    #[expect(unsafe_code, reason = "the function under test is unsafe")]
    fn a_longer_table_reads_only_what_is_known() {
        #[repr(C)]
        struct Newer {
            known: MolarenaPlugin,
            appended: u64,
        }
        let newer = Newer { known: plugin(56), appended: 7 };
        // SAFETY: `newer` is 56 bytes long.
        let read = unsafe { read_sized((&raw const newer).cast::<MolarenaPlugin>()) }.unwrap();
        assert_eq!(read.struct_size, 56);
        assert_eq!(newer.appended, 7);
        // SAFETY: null is allowed.
        assert!(unsafe { read_sized::<MolarenaPlugin>(core::ptr::null()) }.is_none());
    }
}
