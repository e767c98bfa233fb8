//! A contractor's spreadsheet; what is read can be written as TOML.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(sheet) = camhealth::inventory::read(bytes) {
        let text = camhealth::inventory::write(&sheet.cameras);
        // Reading a document that has grown with the input would be the slowest part by far.
        assert_eq!(text.matches("[[camera]]\n").count(), sheet.cameras.len());
    }
});
