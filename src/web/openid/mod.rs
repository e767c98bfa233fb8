//! Signing in by a provider of OpenID Connect: by the code flow with PKCE, begun and ended in the same browser, once.

mod pending;
mod provider;
mod visit;

pub(super) use pending::Pending;
pub use provider::Provider;
pub(super) use visit::{back, begin};
