//! Links: what fell silent together, and the highest thing that explains it; the monitor's own isolation.
//!
//! Pure. Witnesses are devices: one that answers proves every link above it. A link is down when, since the last
//! answer of anything below it, several devices that answered before were asked and stayed silent, and neighbours that
//! were asked on purpose did not answer either. The same rule over all devices tells that the monitor is cut off, or
//! that the whole commune has no power: which of the two, its anchors say.

mod root;
mod settings;
mod tree;

pub use root::Root;
pub use settings::Settings;
pub use tree::{Change, Topology, Voice};

#[cfg(test)]
mod tests;
