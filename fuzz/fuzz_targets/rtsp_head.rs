//! The head of an RTSP answer and the challenges in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| camhealth::probe::fuzz::rtsp_head(bytes));
