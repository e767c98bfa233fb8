//! Signing in by a provider of OpenID Connect: by the code flow with PKCE, begun and ended in the same browser, once.

mod held;
mod provider;
mod visit;

pub(super) use held::Held;
pub use provider::Provider;
pub(super) use visit::{back, begin};
