//! RTP payloads and their times.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| camhealth::probe::fuzz::packets(bytes));
