//! What would follow if cameras or links failed, and which sites hang by a thread: one failure away from blind.
//!
//! Pure. Everything that is not said to be down is taken for up, so that the answer is about the plan, not the day.

use super::{evaluate, total};
use crate::model::{Camera, CameraId, Coverage, DeviceId, Fleet, Level, LinkId, SiteId, State, ViewState};
use std::collections::{BTreeMap, BTreeSet};

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// Cameras that see nothing then, those below failed links among them.
    pub down: BTreeSet<CameraId>,
    /// The level of each site.
    pub levels: BTreeMap<SiteId, Level>,
    /// Names of the views that each site loses.
    pub lost: BTreeMap<SiteId, Vec<String>>,
    /// The commune's coverage.
    pub coverage: Coverage,
    /// Sites that are not blind yet, and whose next single failure blinds them.
    pub fragile: Vec<Fragile>,
}

/// A site that one failure blinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragile {
    /// Which site.
    pub site: SiteId,
    /// The cameras each of which is enough.
    pub cameras: Vec<CameraId>,
    /// The recorders each of which is enough.
    pub devices: Vec<DeviceId>,
    /// The links each of which is enough.
    pub links: Vec<LinkId>,
}

/// What follows when these cameras and links are down and all else works.
pub fn what_if(fleet: &Fleet, cameras: &BTreeSet<CameraId>, links: &BTreeSet<LinkId>, night: bool) -> WhatIf {
    let below = |camera: &Camera| fleet.links_above(camera).iter().any(|link| links.contains(link));
    let cut_off = fleet.cameras.values().filter(|camera| below(camera)).map(|camera| camera.id.clone());
    let down: BTreeSet<CameraId> = cameras.iter().cloned().chain(cut_off).collect();
    let mut levels = BTreeMap::new();
    let mut lost = BTreeMap::new();
    let mut statuses = Vec::new();
    for (id, site) in &fleet.sites {
        let (level, views) = evaluate(site, night, |camera| state(down.contains(camera)));
        let names = views.iter().filter(|view| view.state == ViewState::Lost).map(|view| view.name.clone());
        levels.insert(id.clone(), level);
        lost.insert(id.clone(), names.collect());
        statuses.push(views);
    }
    let fragile = fleet.sites.keys().filter(|id| levels.get(*id) != Some(&Level::Blind));
    let fragile = fragile.filter_map(|id| fragile_site(fleet, id, &down, night)).collect();
    WhatIf { coverage: total(statuses.iter().map(Vec::as_slice)), down, levels, lost, fragile }
}

fn state(down: bool) -> State {
    if down { State::Down } else { State::Up }
}

fn fragile_site(fleet: &Fleet, id: &SiteId, down: &BTreeSet<CameraId>, night: bool) -> Option<Fragile> {
    let site = fleet.sites.get(id)?;
    let blinded_by = |fails: &dyn Fn(&Camera) -> bool| {
        let state_of = |camera: &CameraId| {
            let fails = fleet.cameras.get(camera).is_some_and(|camera| fails(camera));
            state(fails || down.contains(camera))
        };
        evaluate(site, night, state_of).0 == Level::Blind
    };
    let watchers: BTreeSet<&CameraId> = site.watchers().map(|watcher| &watcher.camera).collect();
    let own: Vec<&Camera> = watchers.iter().filter_map(|id| fleet.cameras.get(*id)).map(AsRef::as_ref).collect();
    let devices: BTreeSet<&DeviceId> = own.iter().map(|camera| &camera.device).collect();
    let links: BTreeSet<LinkId> = own.iter().flat_map(|camera| fleet.links_above(camera)).collect();
    let shared = |device: &DeviceId| fleet.cameras.values().filter(|camera| camera.device == *device).count() > 1;
    let fragile = Fragile {
        site: id.clone(),
        cameras: (own.iter())
            .filter(|one| blinded_by(&|camera| camera.id == one.id))
            .map(|camera| camera.id.clone())
            .collect(),
        devices: (devices.into_iter())
            .filter(|device| shared(device) && blinded_by(&|camera| camera.device == **device))
            .cloned()
            .collect(),
        links: (links.into_iter())
            .filter(|link| blinded_by(&|camera| fleet.links_above(camera).contains(link)))
            .collect(),
    };
    let any = !(fragile.cameras.is_empty() && fragile.devices.is_empty() && fragile.links.is_empty());
    any.then_some(fragile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Commune, DailyHours, Language, Link, LinkKind, Site, View, Watcher};
    use std::sync::Arc;

    /// Two sites below one uplink: `cho` sees by two cameras on two switches, `cang` by one.
    fn fleet() -> Fleet {
        let timezone = jiff::tz::TimeZone::UTC;
        let night = DailyHours::NIGHT;
        let mut fleet = Fleet::empty(Commune { name: "Hải Bình".into(), language: Language::Vi, timezone, night });
        for (id, parent) in [("fibre", None), ("east", Some("fibre")), ("west", Some("fibre"))] {
            let parent = parent.map(LinkId::from);
            let (name, kind) = (id.to_owned(), LinkKind::Switch);
            let link = Link { name, kind, parent, bytes_per_day: None, looks_per_second: 5.0, probe: None };
            fleet.links.insert(id.into(), link);
        }
        for (id, link) in [("a", "east"), ("b", "west"), ("c", "west")] {
            let camera = Camera::new(id, format!("rtsp://127.0.0.1/{id}").parse().expect("a URL"));
            fleet.cameras.insert(id.into(), Arc::new(Camera { link: Some(link.into()), ..camera }));
        }
        for (id, cameras) in [("cho", "ab"), ("cang", "c")] {
            let views = cameras.chars().map(|camera| {
                let camera = camera.to_string().as_str().into();
                View::new("view", vec![Watcher { camera, spare: false }])
            });
            fleet.sites.insert(id.into(), Arc::new(Site::new(id, views.collect())));
        }
        fleet
    }

    fn names<T: ToString>(all: &[T]) -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn it_names_what_one_more_failure_would_blind() {
        let fleet = fleet();
        let calm = what_if(&fleet, &BTreeSet::new(), &BTreeSet::new(), false);
        assert!(calm.levels.values().all(|level| *level == Level::Full));
        let of = |answer: &WhatIf, site: &str| {
            let found = answer.fragile.iter().find(|fragile| fragile.site.as_str() == site);
            found.map(|fragile| (names(&fragile.cameras), names(&fragile.links)))
        };
        assert_eq!(of(&calm, "cang"), Some((vec!["c".into()], vec!["fibre".into(), "west".into()])));
        assert_eq!(of(&calm, "cho"), Some((vec![], vec!["fibre".into()])));
        let without_a = what_if(&fleet, &["a".into()].into(), &BTreeSet::new(), false);
        assert_eq!(without_a.levels["cho"], Level::Critical);
        assert_eq!(of(&without_a, "cho").expect("it hangs by a thread").0, ["b"]);
    }

    #[test]
    fn a_link_takes_everything_below_it_along() {
        let answer = what_if(&fleet(), &BTreeSet::new(), &["west".into()].into(), false);
        assert_eq!(names(&answer.down.into_iter().collect::<Vec<_>>()), ["b", "c"]);
        assert_eq!((answer.levels["cho"], answer.levels["cang"]), (Level::Critical, Level::Blind));
        assert_eq!(answer.coverage.ratio(), Some(1.0 / 3.0));
        assert!(answer.fragile.iter().all(|fragile| fragile.site.as_str() != "cang"), "it is blind already");
    }
}
