//! How an agent proves who it is: each message is signed by a key that never leaves it, so that whatever stands between it and
//! us, a proxy of the commune's own included, can neither send in its name nor change what it says.

use crate::{model::hex, rights::Hash};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// How far its clock and ours may be apart, in milliseconds: what it measured of ours is no older than its last message.
const SKEW: i64 = 120_000;

/// What is signed: an address, a time in milliseconds, and a body.
pub fn signed(path: &str, at: i64, body: &[u8]) -> String {
    format!("camhealth agent\n{path}\n{at}\n{}", hex(&Sha256::digest(body)))
}

/// What is kept of a public key.
pub(super) fn print(key: &[u8]) -> Hash {
    Hash(hex(&Sha256::digest(key)))
}

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It is not signed, or not by the key that it names.
    Unsigned,
    /// It was signed at another time: a copy, or a clock that is wrong.
    Time,
}

/// The key that a message was signed by, now.
pub(super) fn signer(headers: &HeaderMap, path: &str, body: &[u8], now: i64) -> Result<Hash, Doubt> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok());
    let shown = shown.and_then(|shown| shown.strip_prefix("Agent ")).ok_or(Doubt::Unsigned)?;
    let mut parts = shown.splitn(3, '.');
    let mut part = || parts.next().ok_or(Doubt::Unsigned);
    let (key, at, signature) = (part()?, part()?, part()?);
    let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| Doubt::Unsigned);
    let (key, signature) = (bytes(key)?, bytes(signature)?);
    let at: i64 = at.parse().map_err(|_| Doubt::Unsigned)?;
    let text = signed(path, at, body);
    UnparsedPublicKey::new(&ED25519, &key).verify(text.as_bytes(), &signature).map_err(|_| Doubt::Unsigned)?;
    if now.abs_diff(at) > SKEW.unsigned_abs() { Err(Doubt::Time) } else { Ok(print(&key)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    #[test]
    fn a_message_is_believed_as_it_was_signed_and_in_its_time() {
        let key = Ed25519KeyPair::generate().expect("a key");
        let shown = |path: &str, at: i64, body: &[u8]| {
            let signature = key.sign(signed(path, at, body).as_bytes());
            let parts = [key.public_key().as_ref(), signature.as_ref()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
            let mut headers = HeaderMap::new();
            let value = format!("Agent {}.{at}.{}", parts[0], parts[1]);
            headers.insert(header::AUTHORIZATION, value.parse().expect("a value"));
            headers
        };
        let (path, now) = ("/agent/exchange", 1_790_000_000_000);
        assert_eq!(signer(&shown(path, now, b"x"), path, b"x", now), Ok(print(key.public_key().as_ref())));
        for at in [now - SKEW - 1, now + SKEW + 1, 0, i64::MAX] {
            assert_eq!(signer(&shown(path, at, b"x"), path, b"x", now), Err(Doubt::Time), "{at}");
        }
        assert_eq!(signer(&shown(path, now, b"x"), path, b"y", now), Err(Doubt::Unsigned), "another body");
        assert_eq!(signer(&shown("/agent/join", now, b"x"), path, b"x", now), Err(Doubt::Unsigned), "another address");
        for wrong in ["", "Agent ", "Agent a.b.c", "Agent ..", "Bearer x", "Agent 0.0.0.0"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, wrong.parse().expect("a value"));
            assert_eq!(signer(&headers, path, b"x", now), Err(Doubt::Unsigned), "{wrong}");
        }
    }
}
