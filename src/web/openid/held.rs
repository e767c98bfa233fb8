//! A sign-in that was begun and is at the provider.

use super::provider::Begun;
use crate::model::Language;

/// A sign-in that is at the provider.
pub(in crate::web) struct Held {
    /// What the provider's answer must fit.
    pub(super) begun: Begun,
    /// Where somebody wanted to go.
    pub(super) to: String,
    /// What they read.
    pub(super) language: Language,
}
