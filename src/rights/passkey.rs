//! Passkeys: what a phone or a key shows in place of a password and a code, and what is kept to know it again.

use super::wrong::Wrong;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Passkeys that an account has at most.
pub const MOST: usize = 10;
/// Letters of what its owner calls one.
const LABEL: usize = 40;

/// A passkey of an account. The half that is secret never leaves the phone or the key that made it: what stands here lets
/// nobody in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// By which it is known, as it names itself: base64 for addresses.
    pub id: String,
    /// What it is checked with, as the library that checks it writes it (JSON): its public key, and how often it was used.
    pub key: String,
    /// What its owner calls it.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// When somebody last signed in by it.
    pub used: Option<Timestamp>,
}

impl Passkey {
    /// One that was made just now.
    pub fn new(id: String, key: String, label: &str, now: Timestamp) -> Self {
        let label = label.trim().chars().filter(|letter| !letter.is_control()).take(LABEL).collect();
        Self { id, key, label, created: now, used: None }
    }
}

/// An account's with one more.
pub(super) fn with(known: &[Passkey], new: Passkey) -> Result<Vec<Passkey>, Wrong> {
    if known.len() >= MOST {
        return Err(Wrong::TooMany);
    }
    Ok(known.iter().cloned().chain([new]).collect())
}

/// An account's without one of them.
pub(super) fn without(known: &[Passkey], id: &str) -> Result<Vec<Passkey>, Wrong> {
    let left: Vec<Passkey> = known.iter().filter(|passkey| passkey.id != id).cloned().collect();
    if left.len() < known.len() { Ok(left) } else { Err(Wrong::Passkey) }
}

/// An account's once somebody has signed in by one of them, which stands like this now.
pub(super) fn shown(known: &[Passkey], id: &str, key: &str, now: Timestamp) -> Option<Vec<Passkey>> {
    let mut known = known.to_vec();
    let passkey = known.iter_mut().find(|passkey| passkey.id == id)?;
    passkey.used = Some(now);
    passkey.key = key.to_owned();
    Some(known)
}
