//! The second step of signing in: what somebody shows beside their password, and that each code counts once.

use super::hash::Hash;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an authenticator works its codes out from, in base32. Codes cannot be compared without it, so the journal has it as
/// it is; nothing shows it but the page that sets it up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub String);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What an account must show beside its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondStep {
    /// What its codes are worked out from.
    pub seed: Seed,
    /// The step of time (RFC 6238) whose code counted last: earlier ones, and that one, count no more.
    pub last: u64,
    /// Recovery codes that were not used.
    pub recovery: Vec<Hash>,
    /// Since when it is asked for.
    pub since: Timestamp,
}

/// What somebody showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A code that is right for this step of time.
    Code(u64),
    /// A recovery code, by its hash.
    Recovery(Hash),
    /// A passkey, in place of password and code: which, and how it stands once it was shown.
    Passkey {
        /// Its id.
        id: String,
        /// What it is checked with from now on.
        key: String,
    },
}

impl SecondStep {
    /// What it is once this was shown; nothing where that does not count.
    #[must_use]
    pub fn shown(&self, proof: &Proof) -> Option<Self> {
        match proof {
            Proof::Code(step) => (*step > self.last).then(|| Self { last: *step, ..self.clone() }),
            Proof::Recovery(code) => {
                let left: Vec<Hash> = self.recovery.iter().filter(|known| *known != code).cloned().collect();
                (left.len() < self.recovery.len()).then(|| Self { recovery: left, ..self.clone() })
            }
            // Whoever is asked for a code has shown a password, and a passkey stands beside none.
            Proof::Passkey { .. } => None,
        }
    }
}
