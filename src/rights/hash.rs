//! What stands in place of a secret.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What stands in place of a secret, so that the journal gives none away: of a password the Argon2id hash, of a pass the
/// SHA-256 hash. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub String);

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
