//! From sites that are seen too little to what is told to whom, each with a named reason.
//!
//! Pure. [`Damper`] damps one site: a level must stay bad before it counts, and well before it is taken back, the longer
//! the more often it fell lately. [`Doubt`] does so for a site of which nothing can be said. [`Book`] keeps incidents: one for each cause, whatever it takes down; it decides who
//! is told, when the next step of the escalation is due and when it stops. [`roster`] says who is on call.

mod audience;
mod book;
mod damper;
mod doubt;
pub mod exercises;
mod register;
pub mod roster;
mod settings;
pub mod turns;

pub use book::{Book, Cut, Telling};
pub use damper::{Change, Damper};
pub use doubt::{Doubt, Doubted};
pub use settings::{Digest, Override, Person, Quiet, Rotation, Settings, Step, Target};
