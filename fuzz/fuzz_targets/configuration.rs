//! A configuration: whatever it says, it is read or refused with its problems rendered.
#![no_main]

use std::{path::PathBuf, sync::LazyLock};

/// In a folder of its own: an include finds nothing but it.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("camhealth-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the configuration");
    folder.join("camhealth.toml")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("a file for the configuration");
    if let Err(problems) = camhealth::config::load_with(&FILE, &|_| None) {
        assert!(!problems.render(false).is_empty());
    }
});
