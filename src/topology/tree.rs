//! The tree of links with what their devices said lately.

use super::Settings;
use crate::model::{Branch, CameraId, DeviceId, Fleet, LinkId, LinkRecord, LinkState, elapsed, later, packed};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A look that fell into the last moments of a working link may have begun so long before its last answer.
const SLACK: Duration = Duration::from_secs(10);
/// How often neighbours are asked for their word.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// Neighbours that are asked at once.
const ASKED: usize = 4;
/// Neighbours among which those are chosen: a whole province is not looked through for the fault of one camera.
const CHOSEN_FROM: usize = 256;

/// Who speaks for the network by itself, rather than by its cameras.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Voice {
    /// What answers as long as the monitor's own network works.
    Anchors,
    /// A link's own beacon.
    Link(LinkId),
}

/// The tree.
#[derive(Debug, Clone)]
pub struct Topology {
    pub(super) nodes: BTreeMap<Branch, Node>,
    devices: BTreeMap<DeviceId, Witness>,
    /// Links of which time may change something: those that are suspected, and those that came back lately.
    restless: BTreeSet<Branch>,
    /// Links of which something changed that people are shown.
    changed: BTreeSet<Branch>,
    pub(super) has_anchors: bool,
    /// Whether any anchor answers, when that was last asked, and since when it is so.
    pub(super) anchors: Option<(bool, Timestamp, Timestamp)>,
    /// For how long an anchor must answer, and no camera, until that counts.
    pub(super) believe_anchors_after: Duration,
    pub(super) now: Timestamp,
}

/// One link and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) parent: Option<Branch>,
    pub(super) devices: usize,
    /// Those devices.
    below: Vec<DeviceId>,
    /// The single link right below on which all of them hang, if there is one.
    pub(super) only_below: Option<Branch>,
    has_beacon: bool,
    pub(super) beacon: Option<bool>,
    /// When anything below it last answered; at first, when it began to be watched.
    last_answer: Timestamp,
    answered: bool,
    /// Devices that stayed silent since then, with the beginning of their silence.
    fell: BTreeMap<DeviceId, Timestamp>,
    suspect_since: Option<Timestamp>,
    asked_at: Option<Timestamp>,
    pub(super) down: Option<Timestamp>,
    /// Since when it is back; what hangs on it is being seen again one by one.
    back: Option<Timestamp>,
    /// Whether, before it came back, it was the monitor that was cut off.
    pub(super) was_cut_off: bool,
    since: Timestamp,
}

#[derive(Debug, Clone, Default)]
struct Witness {
    /// The root, then the links down to the device.
    above: Vec<Branch>,
    cameras: Vec<CameraId>,
    public: bool,
    silent: Option<Silence>,
    answered: Option<Timestamp>,
    looked: Option<Timestamp>,
}

/// That a device does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// Since then.
    Since(Timestamp),
    /// Since before this run of the daemon asked: it was dead before, and is no witness.
    Before,
}

/// What a word changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Links whose state changed.
    pub turned: Vec<Branch>,
    /// Links that were suspected and are not any more.
    pub cleared: Vec<Branch>,
    /// Cameras that should be looked at now, for their word on a link.
    pub ask: Vec<CameraId>,
}

impl Topology {
    /// The tree of a fleet, as an earlier run left it.
    pub fn new(fleet: &Fleet, restored: &[LinkRecord], now: Timestamp) -> Self {
        let mut topology = Self {
            nodes: BTreeMap::new(),
            devices: BTreeMap::new(),
            restless: BTreeSet::new(),
            changed: BTreeSet::new(),
            has_anchors: false,
            anchors: None,
            believe_anchors_after: Duration::ZERO,
            now,
        };
        topology.replan(fleet, now);
        for record in restored {
            let Some(node) = topology.nodes.get_mut(&record.branch) else { continue };
            node.since = record.since;
            node.down = (record.state == LinkState::Down).then_some(record.since);
        }
        topology
    }

    /// Takes in a new configuration. What did not change keeps what is known of it.
    pub fn replan(&mut self, fleet: &Fleet, now: Timestamp) {
        let wanted: BTreeSet<Branch> = fleet.links.keys().cloned().map(Branch::Link).chain([Branch::Commune]).collect();
        self.nodes.retain(|key, _| wanted.contains(key));
        for key in wanted {
            let node = self.nodes.entry(key.clone()).or_insert_with(|| Node::new(now));
            let link = match &key {
                Branch::Link(id) => fleet.links.get(id),
                Branch::Commune => None,
            };
            let above = || link.and_then(|link| link.parent.clone()).map_or(Branch::Commune, Branch::Link);
            node.parent = (key != Branch::Commune).then(above);
            (node.devices, node.only_below) = (0, None);
            node.below.clear();
            // An agent or a source speaks for itself.
            let has_beacon = link.is_some_and(|link| link.probe.is_some() || link.kind.observes());
            if node.has_beacon != has_beacon {
                (node.has_beacon, node.beacon) = (has_beacon, None);
            }
        }
        self.has_anchors = !fleet.anchors.is_empty();
        if !self.has_anchors {
            self.anchors = None;
        }
        let mut devices: BTreeMap<DeviceId, Witness> = BTreeMap::new();
        for camera in fleet.cameras.values() {
            let witness = devices.entry(camera.device.clone()).or_default();
            if witness.cameras.is_empty() {
                witness.above =
                    fleet.links_above(camera).into_iter().map(Branch::Link).chain([Branch::Commune]).collect();
                witness.above.reverse();
            }
            witness.public |= camera.kind == crate::model::Kind::Public;
            witness.cameras.push(camera.id.clone());
        }
        for (id, witness) in &mut devices {
            if let Some(old) = self.devices.get(id).filter(|old| old.above == witness.above) {
                (witness.silent, witness.answered, witness.looked) = (old.silent, old.answered, old.looked);
            }
            for key in &witness.above {
                if let Some(node) = self.nodes.get_mut(key) {
                    node.devices += 1;
                    node.below.push(id.clone());
                }
            }
        }
        packed(&mut devices);
        self.devices = devices;
        let known = &self.devices;
        for node in self.nodes.values_mut() {
            node.fell.retain(|device, _| known.contains_key(device));
        }
        let hangs_on = |(key, node): (&Branch, &Node)| Some((node.parent.clone()?, key.clone(), node.devices));
        let hanging: Vec<_> = self.nodes.iter().filter_map(hangs_on).collect();
        for (parent, key, devices) in hanging {
            if let Some(node) = self.nodes.get_mut(&parent).filter(|node| node.devices == devices) {
                node.only_below.get_or_insert(key);
            }
        }
        self.restless = self.nodes.keys().cloned().collect();
        self.changed.clone_from(&self.restless);
    }

    /// A device answered, in whatever way; it was last heard at `heard`. A look that was under way when a cable was cut
    /// ends seconds later with what it heard before, which says nothing of the time since.
    pub fn answered(&mut self, now: Timestamp, device: &DeviceId, heard: Timestamp) -> Change {
        let mut change = Change::default();
        self.now = now;
        let Some(witness) = self.devices.get_mut(device) else { return change };
        witness.silent = None;
        witness.answered = witness.answered.max(Some(heard));
        witness.looked = Some(now);
        for key in witness.above.clone() {
            let Some(node) = self.nodes.get_mut(&key) else { continue };
            node.last_answer = node.last_answer.max(heard);
            if !std::mem::replace(&mut node.answered, true) {
                self.changed.insert(key.clone());
            }
            node.fell.retain(|_, since| *since > heard);
            if node.fell.is_empty() && node.suspect_since.take().is_some() {
                change.cleared.push(key.clone());
            }
            if node.down.take_if(|since| *since <= heard).is_some() {
                (node.back, node.since) = (Some(now), now);
                self.restless.insert(key.clone());
                self.changed.insert(key.clone());
                // Everything below is looked at again as soon as its turns allow.
                change.ask.extend(self.below(&key).flat_map(|(_, witness)| witness.cameras.clone()));
                change.turned.push(key);
            }
        }
        change
    }

    /// A device did not answer a look that began at `started`; `long_silent` if it was known to be down before this
    /// run of the daemon asked.
    pub fn silent(&mut self, now: Timestamp, device: &DeviceId, started: Timestamp, long_silent: bool) -> Change {
        let mut change = Change::default();
        let Some(witness) = self.devices.get_mut(device) else { return change };
        witness.looked = Some(now);
        let begun = if long_silent { Silence::Before } else { Silence::Since(started.min(now)) };
        let Silence::Since(since) = *witness.silent.get_or_insert(begun) else { return change };
        for key in witness.above.clone() {
            let Some(node) = self.nodes.get_mut(&key) else { continue };
            // What fell silent while others still answered says nothing of the link.
            if node.down.is_some() || later(since, SLACK) < node.last_answer {
                continue;
            }
            node.fell.insert(device.clone(), since);
            node.suspect_since.get_or_insert(now);
            self.restless.insert(key.clone());
            if node.asked_at.is_none_or(|at| elapsed(now, at) >= ASK_EVERY) && node.devices > 1 {
                node.asked_at = Some(now);
                change.ask.extend(self.to_ask(&key, now));
            }
        }
        change.ask.sort();
        change.ask.dedup();
        change
    }

    /// Somebody who speaks for the network answered, or did not.
    pub fn heard(&mut self, now: Timestamp, voice: &Voice, answers: bool) {
        self.now = now;
        match voice {
            Voice::Anchors => {
                let since = self.anchors.filter(|(before, ..)| *before == answers).map_or(now, |(.., since)| since);
                self.anchors = Some((answers, now, since));
                if let Some(node) = self.nodes.get_mut(&Branch::Commune).filter(|node| node.down.is_some()) {
                    node.was_cut_off |= !answers;
                }
            }
            Voice::Link(link) => {
                let branch = Branch::Link(link.clone());
                if let Some(node) = self.nodes.get_mut(&branch)
                    && node.beacon.replace(answers) != Some(answers)
                {
                    self.changed.insert(branch);
                }
            }
        }
    }

    /// Lets time pass: what was silent for long enough is down. Links that turned, and those whose return has settled.
    pub fn tick(&mut self, now: Timestamp, settings: &Settings) -> Vec<Branch> {
        (self.now, self.believe_anchors_after) = (now, settings.hold);
        let ripe = |key: &&Branch| self.verdict_at(key, settings).is_some_and(|at| at <= now);
        let mut turned: Vec<Branch> = self.restless.iter().filter(ripe).cloned().collect();
        for key in &turned {
            let Some(node) = self.nodes.get_mut(key) else { continue };
            let since = node.fell.values().copied().min().unwrap_or(now);
            node.was_cut_off = *key == Branch::Commune && !self.anchors.is_some_and(|(answers, ..)| answers);
            (node.down, node.since) = (Some(since), since);
            (node.back, node.suspect_since) = (None, None);
            self.changed.insert(key.clone());
        }
        self.restless.retain(|key| {
            let Some(node) = self.nodes.get_mut(key) else { return false };
            if node.back.is_some_and(|at| elapsed(now, at) >= settings.settle) {
                node.back = None;
                turned.push(key.clone());
            }
            node.back.is_some() || node.suspect_since.is_some()
        });
        turned
    }

    /// The links of which something changed that people are shown, since they were last asked for.
    pub fn take_changed(&mut self) -> BTreeSet<Branch> {
        std::mem::take(&mut self.changed)
    }

    /// When [`Self::tick`] may have something to say, if nothing else happens.
    pub fn deadline(&self, settings: &Settings) -> Option<Timestamp> {
        let settles = |node: &Node| node.back.map(|at| later(at, settings.settle));
        let restless = self.restless.iter().filter_map(|key| Some((key, self.nodes.get(key)?)));
        let times = restless.flat_map(|(key, node)| [self.verdict_at(key, settings), settles(node)]);
        times.flatten().chain(self.doubt_ends()).min()
    }

    /// When a link is called down, if nothing below it answers until then. Where what is above it is silent too, the
    /// verdict on that comes first; and before everything is called silent, the anchors are asked.
    fn verdict_at(&self, key: &Branch, settings: &Settings) -> Option<Timestamp> {
        let node = self.nodes.get(key)?;
        let ripe = node.ripe_at(settings)?;
        let Some(parent) = &node.parent else {
            let suspect_since = node.suspect_since?;
            let asked = !self.has_anchors || self.anchors.is_some_and(|(_, at, _)| at >= suspect_since);
            return Some(if asked { ripe } else { ripe.max(later(suspect_since, settings.hold)) });
        };
        let mut above = Some(parent);
        let mut at = ripe;
        while let Some(node) = above.and_then(|key| self.nodes.get(key)) {
            if let Some(suspect_since) = node.suspect_since.filter(|_| node.down.is_none()) {
                at = at.max(later(suspect_since, settings.confirm_after));
            }
            if node.parent.is_none() {
                at = at.max(self.verdict_at(&Branch::Commune, settings).unwrap_or(at));
            }
            above = node.parent.as_ref();
        }
        Some(at)
    }

    /// The link above a device on which a verdict is still awaited, so that alarms wait for it; the nearest of several.
    pub fn awaited(&self, now: Timestamp, device: &DeviceId, settings: &Settings) -> Option<&Branch> {
        let above = self.devices.get(device)?.above.iter().rev();
        let nodes = above.filter_map(|key| Some((key, self.nodes.get(key).filter(|node| node.devices > 1)?)));
        let suspect = |node: &Node| node.suspect_since.is_some_and(|at| elapsed(now, at) < settings.hold);
        // Where the root is known already, nothing is waited for.
        let known = nodes.clone().any(|(_, node)| node.down.is_some());
        nodes.filter(|_| !known).find(|(_, node)| suspect(node)).map(|(key, _)| key)
    }

    /// Since when a device stays silent, if that is known.
    pub fn silent_since(&self, device: &DeviceId) -> Option<Timestamp> {
        match self.devices.get(device)?.silent? {
            Silence::Since(since) => Some(since),
            Silence::Before => None,
        }
    }

    /// The links above a device that are down, or came back lately; highest first.
    pub(super) fn failed_above(&self, device: &DeviceId) -> Vec<&Branch> {
        let Some(witness) = self.devices.get(device) else { return Vec::new() };
        let failed =
            |key: &&Branch| self.nodes.get(*key).is_some_and(|node| node.down.is_some() || node.back.is_some());
        witness.above.iter().filter(failed).collect()
    }

    /// Whether a device answered since everything above it is back.
    pub fn is_seen_again(&self, device: &DeviceId) -> bool {
        let Some(witness) = self.devices.get(device) else { return false };
        let mut nodes = witness.above.iter().filter_map(|key| self.nodes.get(key));
        nodes.all(|node| {
            let back_before = |at: Timestamp| witness.answered.is_some_and(|answered| answered >= at);
            node.down.is_none() && node.back.is_none_or(back_before)
        })
    }

    /// Whether any anchor answered when they were last asked.
    pub fn anchors_answer(&self) -> Option<bool> {
        self.anchors.map(|(answers, ..)| answers)
    }

    /// Where a link stands, since when, and what its own beacon says.
    pub fn status(&self, key: &Branch) -> Option<(LinkState, Timestamp, Option<bool>)> {
        let node = self.nodes.get(key)?;
        let state = match node.down {
            Some(_) => LinkState::Down,
            None if node.answered => LinkState::Up,
            None => LinkState::Unknown,
        };
        Some((state, node.since, node.beacon))
    }

    /// The link as it is to be remembered.
    pub fn record(&self, key: &Branch) -> Option<LinkRecord> {
        let (state, since, _) = self.status(key)?;
        Some(LinkRecord { branch: key.clone(), state, since })
    }

    /// The cameras below a link.
    pub fn cameras_below(&self, key: &Branch) -> impl Iterator<Item = &CameraId> {
        self.below(key).flat_map(|(_, witness)| &witness.cameras)
    }

    /// The cameras of a device, one or the channels of a recorder.
    pub fn cameras_of(&self, device: &DeviceId) -> &[CameraId] {
        self.devices.get(device).map_or(&[], |witness| &witness.cameras)
    }

    fn below(&self, key: &Branch) -> impl Iterator<Item = (&DeviceId, &Witness)> {
        let devices = self.nodes.get(key).into_iter().flat_map(|node| &node.below);
        devices.filter_map(|device| self.devices.get_key_value(device))
    }

    /// A few neighbours that are not silent, those that were looked at longest ago first, public ones before others.
    fn to_ask(&self, key: &Branch, now: Timestamp) -> Vec<CameraId> {
        let Some(node) = self.nodes.get(key).filter(|node| !node.below.is_empty()) else { return Vec::new() };
        // Another part of them each second.
        let second = usize::try_from(now.as_second()).unwrap_or(0);
        let (before, after) = node.below.split_at(second.wrapping_mul(CHOSEN_FROM) % node.below.len());
        let some = after.iter().chain(before).take(CHOSEN_FROM);
        let mut neighbours: Vec<&Witness> =
            some.filter_map(|device| self.devices.get(device)).filter(|witness| witness.silent.is_none()).collect();
        neighbours.sort_by_key(|witness| (!witness.public, witness.looked));
        neighbours.into_iter().take(ASKED).filter_map(|witness| witness.cameras.first().cloned()).collect()
    }
}

impl Node {
    fn new(now: Timestamp) -> Self {
        Self {
            parent: None,
            devices: 0,
            below: Vec::new(),
            only_below: None,
            has_beacon: false,
            beacon: None,
            last_answer: now,
            answered: false,
            fell: BTreeMap::new(),
            suspect_since: None,
            asked_at: None,
            down: None,
            back: None,
            was_cut_off: false,
            since: now,
        }
    }

    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    /// When the silence of enough devices is enough, if nothing answers until then.
    fn ripe_at(&self, settings: &Settings) -> Option<Timestamp> {
        if self.down.is_some() {
            return None;
        }
        // A single device proves nothing of what is above it, unless its beacon is silent too; two say little of a
        // whole commune.
        let silent = self.fell.len() + usize::from(self.beacon == Some(false));
        let least = if self.parent.is_some() { 2 } else { 3 };
        let needed = settings.witnesses.min(self.devices).max(least);
        let suspect_since = self.suspect_since.filter(|_| !self.fell.is_empty())?;
        (silent >= needed).then(|| later(suspect_since, settings.confirm_after))
    }
}
