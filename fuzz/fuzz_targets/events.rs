//! Topics, flags and times of ONVIF events.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| camhealth::probe::fuzz::events(text));
