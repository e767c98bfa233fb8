//! Any text as the answer to each SOAP call, through oxvif.
#![no_main]

use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

libfuzzer_sys::fuzz_target!(|text: &str| {
    // As much as the transport lets through.
    if text.len() <= 256 * 1024 {
        RUNTIME.block_on(camhealth::probe::fuzz::soap(text.to_owned()));
    }
});
