//! Prometheus metrics: the fleet from one snapshot, and the daemon's own work from counters.
//!
//! Names, help texts and labels are declared in the files of this module and nowhere else. Labels are ids of the
//! configuration and closed enums; names of people's things stand in `*_info` only, and those of households nowhere.

mod agents;
mod budgets;
mod cameras;
mod certificate;
mod commune;
mod family;
mod incidents;
mod lines;
mod made;
mod own;
mod process;
mod renderer;
mod sites;

pub use agents::AgentMetrics;
pub use certificate::CertificateMetrics;
pub use own::{ChannelHealth, Own};
pub use renderer::{Detail, Renderer};

use crate::model::Snapshot;

/// All metrics of one snapshot. Whoever renders many keeps a [`Renderer`].
pub fn render(snapshot: &Snapshot, own: &Own) -> String {
    Renderer::default().render(snapshot, own, Detail::BySize)
}
