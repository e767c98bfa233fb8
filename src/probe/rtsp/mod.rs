//! Our own small RTSP client (RFC 2326): tolerant of what cameras get wrong, as players are, and bounded throughout.
//!
//! It never leaves the address that the configuration names: one connection carries every request and the media, and
//! the `TEARDOWN` too. What descriptions, headers and redirects name is sent back to the camera as text and is never
//! connected to. It answers a challenge by Digest; Basic only where the configuration allows it or the line is
//! encrypted. Dropping it ends all that it began.

pub(super) mod auth;
pub(super) mod connection;
pub(super) mod message;
pub(super) mod rtp;
pub(super) mod sdp;
pub(super) mod session;
pub(super) mod tls;
