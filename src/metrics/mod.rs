//! Prometheus metrics: the fleet from one snapshot, and the daemon's own work from counters.
//!
//! Names, help texts and labels are declared in the files of this module and nowhere else. Labels are ids of the
//! configuration and closed enums; names of people's things stand in `*_info` only, and those of households nowhere.

mod budgets;
mod fleet;
mod incidents;
mod own;
mod process;

pub use own::{ChannelHealth, Own};

use crate::model::Snapshot;
use prometheus::{Encoder, TextEncoder};

/// Everything, in the text format of Prometheus (version 0.0.4).
pub fn render(snapshot: &Snapshot, own: &Own) -> String {
    let mut families = fleet::families(snapshot);
    families.extend(own.gather());
    families.extend(process::families());
    let mut text = Vec::with_capacity(256 * 1024);
    // Writing to memory fails only for a family without series, and none is made.
    if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
        tracing::error!(%error, "metrics cannot be rendered");
    }
    String::from_utf8_lossy(&text).into_owned()
}
