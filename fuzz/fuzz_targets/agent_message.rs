//! What an agent sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| camhealth::web::fuzz::agent_message(bytes));
