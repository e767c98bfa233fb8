//! Areas that an account is bound to: what lies in them is all that it sees, and all that it changes. One place decides it,
//! which pages, the API and commands all ask.

use crate::model::{AreaId, CameraId, Cause, DeviceId, Fleet, Incident, LinkId, Scope, SiteId};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Areas by id; whoever is bound to them reaches what lies in them, and in areas that are a part of them. An id that the
/// configuration has no more reaches nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bounds(BTreeSet<AreaId>);

impl Bounds {
    /// Bound to these; not bound at all where none is named.
    pub fn of(areas: impl IntoIterator<Item = AreaId>) -> Option<Self> {
        let areas: BTreeSet<AreaId> = areas.into_iter().collect();
        (!areas.is_empty()).then_some(Self(areas))
    }

    /// The areas.
    pub fn areas(&self) -> impl Iterator<Item = &AreaId> {
        self.0.iter()
    }

    /// Those that the configuration has no more: nothing is reached by them.
    pub fn gone<'b>(&'b self, fleet: &'b Fleet) -> impl Iterator<Item = &'b AreaId> {
        self.areas().filter(|area| !fleet.areas.contains_key(*area))
    }

    /// Whether an area is one of these, or a part of one; nothing lies in an area that there is not.
    pub fn hold(&self, fleet: &Fleet, area: Option<&AreaId>) -> bool {
        fleet.areas_up_from(area).any(|above| self.0.contains(above) && fleet.areas.contains_key(above))
    }
}

/// As the audit trail has them.
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let areas: Vec<&str> = self.areas().map(AreaId::as_str).collect();
        f.write_str(&areas.join(", "))
    }
}

/// What somebody would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched<'a> {
    /// What is the whole commune's: the roster, accounts, the configuration as a whole.
    Commune,
    /// What a site is called.
    Site(SiteId),
    /// What a camera is called, and what is noted on it.
    Camera(CameraId),
    /// What is noted on a recorder.
    Device(DeviceId),
    /// Whether something is looked at and alarmed of: silences, maintenance, a family's consent.
    Service(Scope),
    /// Who has an incident in hand.
    Incident(&'a Incident),
}

/// Why something is out of somebody's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// They do not see it: for them it is not there.
    Unseen,
    /// They see it, and it is not theirs alone.
    Shared,
}

/// What of a fleet somebody reaches who is bound to areas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Areas within, and those around them: these are named, with what of them is reached.
    areas: BTreeSet<AreaId>,
    /// Areas within.
    within: BTreeSet<AreaId>,
    /// Sites within.
    sites: BTreeSet<SiteId>,
    /// Cameras that lie within or watch a site within.
    cameras: BTreeSet<CameraId>,
    /// Cameras that lie within.
    lying: BTreeSet<CameraId>,
    /// Cameras that lie within and watch nothing outside.
    own: BTreeSet<CameraId>,
    /// Links that seen cameras hang on, and how many of these hang on each.
    links: BTreeMap<LinkId, usize>,
    /// Recorders of seen cameras.
    devices: BTreeSet<DeviceId>,
}

impl Reach {
    /// What is reached of a fleet.
    pub fn of(bounds: &Bounds, fleet: &Fleet) -> Self {
        let mut reach = Self::default();
        reach.within.extend(fleet.areas.keys().filter(|area| bounds.hold(fleet, Some(area))).cloned());
        for area in &reach.within {
            reach.areas.extend(fleet.areas_up_from(Some(area)).filter(|area| fleet.areas.contains_key(*area)).cloned());
        }
        let within = |area: &Option<AreaId>| area.as_ref().is_some_and(|area| reach.within.contains(area));
        let mut watching_outside = BTreeSet::new();
        let mut watching = BTreeSet::new();
        for site in fleet.sites.values() {
            let here = within(&site.area);
            let set = if here { &mut watching } else { &mut watching_outside };
            set.extend(site.watchers().map(|watcher| &watcher.camera));
            if here {
                reach.sites.insert(site.id.clone());
            }
        }
        for camera in fleet.cameras.values() {
            let lies = within(&camera.area);
            if !lies && !watching.contains(&camera.id) {
                continue;
            }
            reach.cameras.insert(camera.id.clone());
            reach.devices.insert(camera.device.clone());
            for link in fleet.links_above(camera) {
                *reach.links.entry(link).or_default() += 1;
            }
            if lies {
                reach.lying.insert(camera.id.clone());
            }
            if lies && !watching_outside.contains(&camera.id) {
                reach.own.insert(camera.id.clone());
            }
        }
        reach
    }

    /// Whether an area is within, or around what is.
    pub fn names(&self, area: &AreaId) -> bool {
        self.areas.contains(area)
    }

    /// Whether a site is seen.
    pub fn sees_site(&self, site: &SiteId) -> bool {
        self.sites.contains(site)
    }

    /// Whether a camera is seen: it lies within, or watches a site within.
    pub fn sees_camera(&self, camera: &CameraId) -> bool {
        self.cameras.contains(camera)
    }

    /// Whether a camera lies within.
    pub fn holds_camera(&self, camera: &CameraId) -> bool {
        self.lying.contains(camera)
    }

    /// How many seen cameras hang on a link; `None` where it is not seen.
    pub fn below(&self, link: &LinkId) -> Option<usize> {
        self.links.get(link).copied()
    }

    /// Whether a recorder is seen.
    pub fn sees_device(&self, device: &DeviceId) -> bool {
        self.devices.contains(device)
    }

    /// Whether a window bears on something that is seen.
    pub fn sees(&self, scope: &Scope, fleet: &Fleet) -> bool {
        match scope {
            Scope::All => true,
            Scope::Area(area) => self.areas.contains(area),
            Scope::Hamlet(hamlet) => {
                self.sites.iter().any(|id| fleet.sites.get(id).is_some_and(|site| site.hamlet == *hamlet))
            }
            Scope::Site(site) => self.sees_site(site),
            Scope::Link(link) => self.links.contains_key(link),
            Scope::Camera(camera) => self.sees_camera(camera),
        }
    }

    /// Whether an incident is seen: it is about something within, or about the commune and its monitor as a whole.
    pub fn sees_incident(&self, incident: &Incident) -> bool {
        let some_site = || incident.sites.keys().any(|site| self.sees_site(site));
        match &incident.cause {
            Cause::Site(site) | Cause::Unproven(site) | Cause::Drill(site) => self.sees_site(site),
            Cause::Link(link) => self.links.contains_key(link) && some_site(),
            Cause::Device(device) => self.devices.contains(device) && some_site(),
            Cause::Commune | Cause::Monitor => true,
        }
    }

    /// Whether somebody may change this, who may change things of its kind at all.
    pub fn may(&self, touched: &Touched<'_>, fleet: &Fleet) -> Result<(), Outside> {
        let judge = |seen: bool, own: bool| match (seen, own) {
            (_, true) => Ok(()),
            (true, false) => Err(Outside::Shared),
            (false, false) => Err(Outside::Unseen),
        };
        match touched {
            Touched::Commune => Err(Outside::Shared),
            Touched::Site(site) => judge(false, self.sees_site(site)),
            Touched::Camera(camera) => judge(self.sees_camera(camera), self.holds_camera(camera)),
            Touched::Device(device) => {
                let holds = |camera: &CameraId| self.holds_camera(camera);
                judge(self.sees_device(device), self.holds_device(device, fleet, holds))
            }
            Touched::Service(scope) => judge(self.sees(scope, fleet), self.owns(scope, fleet)),
            Touched::Incident(incident) => judge(self.sees_incident(incident), self.owns_incident(incident, fleet)),
        }
    }

    /// Whether all that a window would cover lies within, and watches nothing outside.
    fn owns(&self, scope: &Scope, fleet: &Fleet) -> bool {
        let named = match scope {
            Scope::All => false,
            Scope::Area(area) => self.within.contains(area),
            Scope::Hamlet(hamlet) => {
                let mut sites = fleet.sites.values().filter(|site| site.hamlet == *hamlet).peekable();
                sites.peek().is_some() && sites.all(|site| self.sees_site(&site.id))
            }
            Scope::Site(site) => self.sees_site(site),
            Scope::Link(link) => self.links.contains_key(link),
            Scope::Camera(camera) => self.own.contains(camera),
        };
        named && scope.cameras(fleet).all(|camera| self.own.contains(camera))
    }

    /// Whether a recorder is seen, and all its channels are so.
    fn holds_device(&self, device: &DeviceId, fleet: &Fleet, so: impl Fn(&CameraId) -> bool) -> bool {
        let mut channels = fleet.cameras.values().filter(|camera| camera.device == *device);
        self.sees_device(device) && channels.all(|camera| so(&camera.id))
    }

    /// Whether all that an incident keeps down, and what failed, lies within.
    fn owns_incident(&self, incident: &Incident, fleet: &Fleet) -> bool {
        let cause = match &incident.cause {
            Cause::Site(site) | Cause::Unproven(site) | Cause::Drill(site) => self.sees_site(site),
            Cause::Link(link) => self.owns(&Scope::Link(link.clone()), fleet),
            Cause::Device(device) => self.holds_device(device, fleet, |camera| self.own.contains(camera)),
            Cause::Commune | Cause::Monitor => false,
        };
        cause && incident.sites.keys().all(|site| self.sees_site(site))
    }
}
