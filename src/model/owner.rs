//! Who lends a camera: personal data that stands in no fleet, no snapshot and no journal, and is read one at a time.

use secrecy::SecretString;

/// A household. What stands here is shown to whoever may read it, and to nobody else: `Debug` shows none of it.
#[derive(Debug, Clone, Default)]
pub struct Owner {
    /// The name.
    pub name: SecretString,
    /// Where they can be called.
    pub phone: SecretString,
    /// Where they live, and where the camera hangs.
    pub address: SecretString,
    /// What else whoever calls them should know.
    pub note: SecretString,
}
