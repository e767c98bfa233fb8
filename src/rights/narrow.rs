//! What somebody sees who is bound to areas: a fleet, a moment of it and its past in which nothing else is. Pages, the API,
//! events and reports are made from these as from the whole, so none of them can show what lies elsewhere.

use super::bounds::Reach;
use crate::model::{
    Branch, Camera, Cause, Counts, Coverage, Fleet, Found, History, Incident, IncidentId, Level, LinkId, LinkStatus,
    Site, Snapshot, State, Thing, Timeline,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

impl Reach {
    /// The fleet with nothing in it but what is reached.
    pub fn fleet(&self, whole: &Fleet) -> Fleet {
        let camera = |camera: &Arc<Camera>| {
            let mut camera = camera.clone();
            // Of a camera that watches from elsewhere it is not told from where.
            if camera.area.as_ref().is_some_and(|area| !self.names(area)) {
                Arc::make_mut(&mut camera).area = None;
            }
            (camera.id.clone(), camera)
        };
        let site = |site: &Arc<Site>| (site.id.clone(), site.clone());
        Fleet {
            commune: whole.commune.clone(),
            devices: pick(&whole.devices, |id| self.sees_device(id)),
            cameras: whole.cameras.values().filter(|one| self.sees_camera(&one.id)).map(camera).collect(),
            sites: whole.sites.values().filter(|one| self.sees_site(&one.id)).map(site).collect(),
            areas: pick(&whole.areas, |id| self.names(id)),
            links: pick(&whole.links, |id| self.below(id).is_some()),
            anchors: whole.anchors.clone(),
            windows: whole.windows.iter().filter(|window| self.sees(&window.scope, whole)).cloned().collect(),
        }
    }

    /// A moment of the fleet, with nothing in it but what is reached; `fleet` is that of [`Self::fleet`].
    pub fn snapshot(&self, whole: &Snapshot, fleet: Arc<Fleet>) -> Snapshot {
        let incidents: Vec<Arc<Incident>> =
            whole.incidents.iter().filter_map(|incident| self.incident(incident)).collect();
        let told: BTreeSet<&IncidentId> = incidents.iter().map(|incident| &incident.id).collect();
        let mut counts = Counts::default();
        let mut unreachable: BTreeMap<LinkId, usize> = BTreeMap::new();
        let mut cameras = imbl::OrdMap::new();
        for camera in fleet.cameras.values() {
            let Some(status) = whole.cameras.get(&camera.id) else { continue };
            counts.camera(camera.kind, None, status.state);
            if status.state == State::Unreachable {
                fleet.links_above(camera).into_iter().for_each(|link| *unreachable.entry(link).or_default() += 1);
            }
            cameras.insert(camera.id.clone(), status.clone());
        }
        let mut coverage = Coverage::default();
        let (mut hamlets, mut sites) = (BTreeMap::<Arc<str>, Coverage>::new(), imbl::OrdMap::new());
        let mut areas: BTreeMap<_, _> = fleet.areas.keys().map(|area| (area.clone(), Coverage::default())).collect();
        for site in fleet.sites.values() {
            let Some(status) = whole.sites.get(&site.id) else { continue };
            counts.site(None, status.level);
            for view in &status.views {
                let add = |sum: &mut Coverage| sum.add(view.state, view.weight);
                add(&mut coverage);
                add(hamlets.entry(site.hamlet.as_str().into()).or_default());
                fleet.areas_up_from(site.area.as_ref()).for_each(|area| {
                    if let Some(sum) = areas.get_mut(area) {
                        add(sum);
                    }
                });
            }
            let mut status = status.clone();
            if status.incident.as_ref().is_some_and(|incident| !told.contains(incident)) {
                Arc::make_mut(&mut status).incident = None;
            }
            sites.insert(site.id.clone(), status);
        }
        let link = |id: &LinkId| {
            let (status, below) = (whole.links.get(id)?, self.below(id)?);
            let unreachable = unreachable.get(id).copied().unwrap_or_default();
            Some((id.clone(), LinkStatus { cameras: below, unreachable, ..status.clone() }))
        };
        Snapshot {
            at: whole.at,
            cameras,
            sites,
            counts,
            coverage,
            hamlets: hamlets.into_iter().collect(),
            areas: areas.into_iter().collect(),
            links: fleet.links.keys().filter_map(link).collect(),
            agents: fleet.links.keys().filter_map(|id| Some((id.clone(), whole.agents.get(id)?.clone()))).collect(),
            cut_off: whole.cut_off,
            anchors: whole.anchors,
            incidents: Arc::new(incidents),
            windows: Arc::new(
                whole.windows.iter().filter(|window| self.sees(&window.scope, &whole.fleet)).cloned().collect(),
            ),
            // Who is on call answers for these areas, too.
            on_call: whole.on_call.clone(),
            // Asked of one camera at a time, by whoever sees it.
            outlooks: whole.outlooks.clone(),
            fleet,
        }
    }

    /// An incident as far as it concerns what is reached; `None` where it does not.
    fn incident(&self, whole: &Arc<Incident>) -> Option<Arc<Incident>> {
        if !self.sees_incident(whole) {
            return None;
        }
        let mut incident = whole.clone();
        let kept = Arc::make_mut(&mut incident);
        kept.audience.clear();
        let all = kept.sites.len();
        kept.sites.retain(|site, _| self.sees_site(site));
        if kept.sites.len() < all {
            // How bad it is elsewhere is not told.
            let worst = kept.sites.values().copied().max_by_key(|level| level.severity());
            kept.told = worst.unwrap_or(Level::Unknown);
        }
        Some(incident)
    }

    /// By which all incidents are found that may concern what is reached.
    pub fn things(&self, fleet: &Fleet) -> BTreeSet<Thing> {
        let sites = fleet.sites.keys().filter(|site| self.sees_site(site));
        let whole = [Cause::Commune, Cause::Monitor].map(|cause| Thing::Cause(cause.kind()));
        sites.cloned().map(Thing::Site).chain(whole).collect()
    }

    /// What was found of incidents, as far as it concerns what is reached.
    pub fn found(&self, whole: Found) -> Found {
        let seen = |incident| self.incident(&Arc::new(incident)).map(Arc::unwrap_or_clone);
        Found { incidents: whole.incidents.into_iter().filter_map(seen).collect(), ..whole }
    }

    /// An incident with what happened to it, as far as it concerns what is reached; `None` where it does not.
    pub fn told(&self, whole: Incident, timeline: Timeline) -> Option<(Incident, Timeline)> {
        let all = whole.sites.len();
        let seen = Arc::unwrap_or_clone(self.incident(&Arc::new(whole))?);
        let timeline = if seen.sites.len() < all { timeline.of_a_part() } else { timeline };
        Some((seen, timeline))
    }

    /// The past of the fleet, without what befell others.
    pub fn history(&self, mut whole: History) -> History {
        whole.transitions.retain(|row| self.sees_camera(&row.camera));
        whole.late.retain(|look| self.sees_camera(&look.camera));
        whole.levels.retain(|row| self.sees_site(&row.site));
        whole.links.retain(|row| match &row.branch {
            Branch::Link(link) => self.below(link).is_some(),
            Branch::Commune => true,
        });
        whole.devices.retain(|camera, _| self.sees_camera(camera));
        let incidents = whole.incidents.into_iter().map(Arc::new);
        whole.incidents = incidents.filter_map(|incident| self.incident(&incident).map(Arc::unwrap_or_clone)).collect();
        let seen: BTreeSet<&IncidentId> = whole.incidents.iter().map(|incident| &incident.id).collect();
        whole.first.retain(|incident, _| seen.contains(incident));
        whole
    }
}

/// What is wanted of a map.
fn pick<K: Ord + Clone, V: Clone>(map: &BTreeMap<K, V>, wanted: impl Fn(&K) -> bool) -> BTreeMap<K, V> {
    map.iter().filter(|(key, _)| wanted(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}
