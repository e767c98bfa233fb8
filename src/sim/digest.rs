//! HTTP Digest (RFC 2617 and 7616, MD5) from the server's side.

use md5::{Digest, Md5};
use std::collections::HashMap;

const REALM: &str = "camhealth-sim";

/// The challenge to send.
pub(super) fn challenge(nonce: &str) -> String {
    format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"")
}

/// Whether an `Authorization` header answers the challenge.
pub(super) fn accepts(header: &str, method: &str, login: &(String, String), nonce: &str) -> bool {
    let Some(parameters) = header.strip_prefix("Digest ") else { return false };
    let given: HashMap<&str, &str> = parameters
        .split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    let of = |name| given.get(name).copied().unwrap_or_default();
    let (user, password) = login;
    let first = hex(&format!("{user}:{REALM}:{password}"));
    let second = hex(&format!("{method}:{}", of("uri")));
    let expected = match given.get("qop") {
        Some(qop) => hex(&format!("{first}:{nonce}:{}:{}:{qop}:{second}", of("nc"), of("cnonce"))),
        None => hex(&format!("{first}:{nonce}:{second}")),
    };
    of("username") == user && of("nonce") == nonce && of("response") == expected
}

fn hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
