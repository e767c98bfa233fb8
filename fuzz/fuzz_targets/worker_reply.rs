//! What a worker hands back.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| camhealth::probe::fuzz::worker_reply(bytes));
