//! Runs work on a given number of threads.

use molarena_sdk::{Call, Error, Result};

/// Runs `work` inside a pool of `call.threads` threads, which the products of Burn's processor backend also use. On
/// `LibTorch`'s devices it sets the number of `LibTorch`'s own threads to the same value, for the whole process.
pub fn with_threads<T: Send>(call: &Call<'_>, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(call.threads).build().map_err(|error| {
        Error::internal(format!("{} threads could not be started: {error}", call.threads))
    })?;
    Ok(pool.install(|| {
        #[cfg(feature = "libtorch")]
        if call.device.starts_with("libtorch") {
            tch::set_num_threads(i32::try_from(call.threads).unwrap_or(i32::MAX));
        }
        work()
    }))
}
