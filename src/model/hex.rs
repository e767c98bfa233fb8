//! Bytes as people and addresses have them.

use std::fmt::Write;

/// Two digits in lower case for each byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Text can always be written to.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
