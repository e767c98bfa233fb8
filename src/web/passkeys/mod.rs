//! Passkeys (WebAuthn): what a phone, a computer or a key shows in place of password and code, made on a page and asked for when
//! somebody signs in.

mod ceremony;
mod own;
mod routes;
mod sign_in;

pub(super) use ceremony::Held;
pub(super) use routes::routes;
