//! What follows when an agent is not heard of any more.

use super::Monitor;
use crate::{
    model::{Branch, LinkId},
    topology,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl Monitor {
    /// All that hangs on an agent is silent with it, since it was last heard of.
    pub(super) fn agent_lost(&mut self, now: Timestamp, link: LinkId, heard: Timestamp) {
        self.topology.heard(now, &topology::Voice::Link(link.clone()), false);
        let branch = Branch::Link(link);
        let below = self.topology.cameras_below(&branch);
        let devices = below.filter_map(|id| self.fleet.cameras.get(id)).map(|camera| camera.device.clone());
        for device in devices.collect::<BTreeSet<_>>() {
            let change = self.topology.silent(now, &device, heard, false);
            self.take_turns(topology::Change { ask: Vec::new(), ..change });
            self.touched.extend(self.topology.cameras_of(&device).iter().cloned());
        }
    }
}
