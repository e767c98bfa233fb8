//! How we come in at a camera: its login, what that was asked for by, and the certificate by which it is known.

use super::closed::closed;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A user name and a password that shows nowhere.
#[derive(Clone)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Password; `Debug` and `Display` never show it.
    pub password: SecretString,
    /// Whether it may be sent in clear (Basic) over a line that is not encrypted.
    pub allow_basic: bool,
}

impl Login {
    /// A login that is never sent in clear.
    pub fn new(username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self { username: username.into(), password: password.into(), allow_basic: false }
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.username == other.username
            && self.password.expose_secret() == other.password.expose_secret()
            && self.allow_basic == other.allow_basic
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

closed! {
    /// How a camera asks for a login (RFC 7616, RFC 7617).
    pub enum LoginScheme {
        /// The password is not sent.
        Digest "digest",
        /// The password is sent as it is.
        Basic "basic",
    }
}

/// Which certificates of a camera are good: cameras sign their own, so no authority vouches for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Certificate {
    /// Any: the line is encrypted, but who is at its end is not known.
    Any,
    /// The one of this SHA-256 fingerprint.
    Pinned([u8; 32]),
}

impl Certificate {
    /// Whether a certificate of this fingerprint is good.
    pub fn admits(self, fingerprint: &[u8; 32]) -> bool {
        match self {
            Self::Any => true,
            Self::Pinned(pinned) => pinned == *fingerprint,
        }
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Pinned(fingerprint) => {
                f.write_str("sha256:")?;
                fingerprint.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl FromStr for Certificate {
    type Err = ();

    /// Reads `any` and `sha256:` with 64 hexadecimal digits, which may be parted by colons.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let digits: Vec<u8> = text.strip_prefix("sha256:").ok_or(())?.bytes().filter(|byte| *byte != b':').collect();
        if digits.len() != 64 {
            return Err(());
        }
        let mut fingerprint = [0; 32];
        for (byte, pair) in fingerprint.iter_mut().zip(digits.chunks(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(());
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Ok(Self::Pinned(fingerprint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_tools_print_them() {
        let plain = format!("sha256:{}", "0a".repeat(32));
        let pinned: Certificate = plain.parse().expect("a fingerprint");
        assert_eq!(pinned, Certificate::Pinned([10; 32]));
        assert_eq!(pinned.to_string(), plain);
        assert_eq!(format!("sha256:{}", ["0A"; 32].join(":")).parse(), Ok(pinned));
        assert_eq!("any".parse(), Ok(Certificate::Any));
        for wrong in ["", "sha256:", "sha256:zz", "sha1:00", &"0a".repeat(32)] {
            assert_eq!(wrong.parse::<Certificate>(), Err(()), "{wrong}");
        }
        assert!(pinned.admits(&[10; 32]) && !pinned.admits(&[11; 32]) && Certificate::Any.admits(&[0; 32]));
    }
}
