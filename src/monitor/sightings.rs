//! What follows from what somebody saw of a camera, and from not hearing of whoever is to see it any more.

use super::{
    Effect, Monitor,
    camera::{self, Claimed, WatchedCamera},
    is_silent,
};
use crate::{
    health,
    model::{
        Branch, CameraId, Check, Claim, Content, Failure, FailureKind, LastProof, LinkId, Observation, Observer,
        Sighting, State, Strength, stream_address, told,
    },
    topology,
};
use jiff::Timestamp;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// When something was seen, by whom, and how strong a proof it may be.
struct Origin {
    now: Timestamp,
    /// At the latest.
    seen: Timestamp,
    error: Duration,
    by: Observer,
    strength: Strength,
}

impl Monitor {
    /// Takes in what somebody saw of a camera.
    pub(super) fn saw(&mut self, now: Timestamp, sighting: Sighting) {
        let strength = sighting.strength();
        let Sighting { camera, by, age, error, content } = sighting;
        let seen = now.checked_sub(age).unwrap_or(now);
        let origin = Origin { now, seen, error, by, strength };
        match content {
            Content::Look(look) => self.probed(origin, &camera, *look),
            Content::Claim(claim) => self.claimed(origin, &camera, claim),
        }
    }

    /// Takes in a look by our own code.
    fn probed(&mut self, origin: Origin, id: &CameraId, observation: Observation) {
        let Origin { now, seen, .. } = origin;
        // A probe may come back for a camera that a reload took away.
        let (Some(camera), Some(plan)) = (self.cameras.get_mut(id), self.fleet.cameras.get(id)) else { return };
        // Or for one that a reload has moved: what was seen at the old address says nothing of the new one.
        if observation.started < camera.known_since {
            return;
        }
        let mut memory = (*camera.status.memory).clone();
        let measure = health::Measure {
            promise: &plan.promise,
            serial: plan.identity.serial.as_deref(),
            stream: &stream_address(&plan.rtsp),
            cause: camera.status.cause,
            settings: &self.settings.health,
        };
        let failure = health::judge(now, &observation, &mut memory, measure);
        if observation.proves() {
            memory.place = Some(camera::place(&plan.rtsp));
        }
        let was_silent = is_silent(camera.machine.standing().cause) && camera.machine.standing().state == State::Down;
        let before = camera.machine.proven();
        camera.machine.observe_seen((now, seen), &observation, failure.as_ref(), &self.settings.health);
        if let Some(memory) = camera.learn(now, memory) {
            self.effects.push(Effect::Learned(id.clone(), memory));
        }
        // Only what OPTIONS or video say is a witness of the network: ONVIF may be on another port, or off.
        let reach = match (observation.check, observation.failure.as_ref().map(|failure| failure.kind)) {
            (Check::Device, _) | (_, Some(FailureKind::Unresolved | FailureKind::ProbeFailed)) => None,
            (_, kind) => Some(!is_silent(kind)),
        };
        let (started, waited) = (observation.started, ended_in_silence(observation.failure.as_ref()));
        camera.take_in(now, observation, failure);
        let device = plan.device.clone();
        self.believe(origin, id, before);
        let change = match reach {
            None => return,
            Some(true) => self.topology.answered(now, &device, if waited { started } else { seen }),
            Some(false) => self.topology.silent(now, &device, started, was_silent),
        };
        self.take_turns(change);
        self.touched.extend(self.topology.cameras_of(&device).iter().cloned());
    }

    /// Takes in what a source says. Of a camera that is believed by a stronger proof alone it is shown, and nothing follows.
    fn claimed(&mut self, origin: Origin, id: &CameraId, claim: Claim) {
        let Origin { now, seen, strength, .. } = origin;
        let (Some(camera), Some(plan)) = (self.cameras.get_mut(id), self.fleet.cameras.get(id)) else { return };
        // Of one that nobody may ask of, nothing is kept that somebody says of it.
        if seen < camera.known_since || camera.machine.standing().state == State::Off {
            return;
        }
        self.cameras_to_show.insert(id.clone());
        let claimed = camera.claim(now, claim);
        if strength > plan.proof {
            return;
        }
        let name = origin.by.link().and_then(|link| self.fleet.links.get(link)).map_or("", |link| link.name.as_str());
        let failure = match claimed {
            Claimed::Nothing => return,
            Claimed::Works => None,
            Claimed::Dead => Some(Failure::new(FailureKind::NoMedia, told!(SourceSaysDead, name))),
            Claimed::Stands(count) => Some(Failure::new(FailureKind::Stalled, told!(CounterStands, name, count))),
        };
        let before = camera.machine.proven();
        camera.machine.claimed((now, seen), failure.as_ref(), &self.settings.health);
        if failure.is_some() {
            return self.believe(origin, id, before);
        }
        let memory = crate::model::Memory { place: Some(camera::place(&plan.rtsp)), ..(*camera.status.memory).clone() };
        if let Some(memory) = camera.learn(now, memory) {
            self.effects.push(Effect::Learned(id.clone(), memory));
        }
        let device = plan.device.clone();
        self.believe(origin, id, before);
        let change = self.topology.answered(now, &device, seen);
        self.take_turns(change);
    }

    /// Notes what was made of what somebody saw, and until when it is believed.
    fn believe(&mut self, origin: Origin, id: &CameraId, before: Option<Timestamp>) {
        let Some(camera) = self.cameras.get_mut(id) else { return };
        let WatchedCamera { machine, status, .. } = camera;
        let status = Arc::make_mut(status);
        if let Some(at) = machine.proven().filter(|proven| before != Some(*proven)) {
            self.passing.proven(origin.now, id, at);
            let Origin { error, by, strength, .. } = origin;
            status.proof = Some(LastProof { at, error, by, strength });
        }
        self.passing.by(id, machine.deadline(&self.settings.health));
        status.reasoning = Some(machine.reasoning(&self.settings.health));
        self.touched.insert(id.clone());
    }

    /// All that hangs on an agent or a source is silent with it, since it was last heard of.
    pub(super) fn observer_lost(&mut self, now: Timestamp, link: LinkId, heard: Timestamp) {
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

/// Whether a look heard nothing at its end, so that what it heard is as old as its beginning.
fn ended_in_silence(failure: Option<&Failure>) -> bool {
    use FailureKind::{CachedOnly, NoMedia, NoRtsp, Stalled};
    failure.is_some_and(|failure| matches!(failure.kind, NoRtsp | NoMedia | Stalled | CachedOnly))
}
