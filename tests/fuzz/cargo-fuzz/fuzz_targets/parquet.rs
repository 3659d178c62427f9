#![no_main]
libfuzzer_sys::fuzz_target!(init: molarena_fuzz::let_readers_catch_panics(), |data: &[u8]| molarena_fuzz::fuzz(molarena_fuzz::parquet, data));
