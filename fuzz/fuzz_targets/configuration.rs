//! A configuration: whatever it says, it is read or refused with its problems rendered.
#![no_main]

use std::{path::PathBuf, sync::LazyLock};

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("camhealth-fuzz-{}.toml", std::process::id())));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("a file for the configuration");
    if let Err(problems) = camhealth::config::load_with(&FILE, &|_| None) {
        assert!(!problems.render(false).is_empty());
    }
});
