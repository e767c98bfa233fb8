//! The root of a camera's silence: the highest link that failed, or the nearest that explains just as much.

use super::Topology;
use crate::model::{Branch, DeviceId, LinkId, later};
use jiff::Timestamp;

/// What keeps a device out of reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// A link.
    Link(LinkId),
    /// Everything at once, while the monitor's own network works.
    Commune,
    /// The monitor itself is cut off, or nobody can say that it is not.
    Monitor,
}

impl Topology {
    /// What keeps a device out of reach, or did so until lately, if anything above it does, and since when.
    pub fn root(&self, device: &DeviceId) -> Option<(Root, Timestamp)> {
        let failed = self.failed_above(device);
        let highest = *failed.first()?;
        let since = |key| self.nodes.get(key).map(|node| node.down.unwrap_or(node.since()));
        if *highest == Branch::Commune {
            // The root of the tree: everything.
            let was_cut_off = self.nodes.get(highest).is_some_and(|node| node.down.is_none() && node.was_cut_off);
            if self.cut_off().is_some() || was_cut_off {
                return Some((Root::Monitor, since(highest)?));
            }
            if self.explains_as_much(highest).is_none() {
                return Some((Root::Commune, since(highest)?));
            }
        }
        let mut at = highest;
        while let Some(below) = self.explains_as_much(at).filter(|below| failed.contains(below)) {
            let beacon_answers = self.nodes.get(at).is_some_and(|node| node.beacon == Some(true));
            let beacon_below_silent = self.nodes.get(below).is_some_and(|node| node.beacon == Some(false));
            // Where nothing tells them apart the higher one is named, since people look there first; a beacon does.
            if *at != Branch::Commune && !beacon_answers && !beacon_below_silent {
                break;
            }
            at = below;
        }
        match at {
            Branch::Link(link) => Some((Root::Link(link.clone()), since(at)?)),
            Branch::Commune => None,
        }
    }

    /// Since when the monitor is cut off: nothing answers at all, and no anchor speaks for its own network.
    pub fn cut_off(&self) -> Option<Timestamp> {
        let node = self.nodes.get(&Branch::Commune)?;
        let answers = self.anchors.is_some_and(|(answers, ..)| answers);
        // When the monitor's own network comes back, cameras need a moment to be heard.
        node.down.filter(|_| !answers || self.doubt_ends().is_some())
    }

    /// When an anchor that answers again is believed, if it is not yet.
    pub(super) fn doubt_ends(&self) -> Option<Timestamp> {
        self.nodes.get(&Branch::Commune).filter(|node| node.down.is_some() && node.was_cut_off)?;
        let (answers, _, since) = self.anchors?;
        let ends = later(since, self.believe_anchors_after);
        (answers && self.now < ends).then_some(ends)
    }

    /// The single link right below on which all devices hang, if there is one.
    fn explains_as_much(&self, branch: &Branch) -> Option<&Branch> {
        self.nodes.get(branch)?.only_below.as_ref()
    }
}
