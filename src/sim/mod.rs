//! Simulated cameras on loopback: real RTSP over TCP with H.264 that real clients play, ONVIF, and scripted faults.
//!
//! For the demo, tests and benches. The picture is a grey field on which a block draws its way; it is made here bit
//! by bit, without an encoder, once for each camera; an idle camera costs a listening socket.

mod camera;
mod connection;
mod digest;
mod fault;
mod fleet;
mod flood;
mod h264;
mod onvif;
mod playing;
mod rtp;
mod rtsp;
mod shared;

pub use camera::{SimCamera, fleet_addresses};
pub use fault::{Fault, Stage};
pub use fleet::SimFleet;
pub use shared::{Spec, Stats};
