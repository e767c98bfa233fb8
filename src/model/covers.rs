//! What of a fleet lies where: the areas above something, and the cameras that a window covers.

use super::{AreaId, CameraId, Fleet, Scope, Site};
use std::sync::Arc;

/// More than any tree of areas has; it bounds the way up whatever a caller builds.
const DEEPEST: usize = 64;

impl Fleet {
    /// An area and all that it is a part of, from the smallest up; nothing without an area.
    pub fn areas_up_from<'a>(&'a self, area: Option<&'a AreaId>) -> impl Iterator<Item = &'a AreaId> {
        std::iter::successors(area, |id| self.areas.get(*id)?.parent.as_ref()).take(DEEPEST)
    }
}

impl Scope {
    /// The cameras that are covered; some may come twice.
    pub fn cameras<'a>(&'a self, fleet: &'a Fleet) -> Box<dyn Iterator<Item = &'a CameraId> + 'a> {
        let watching = |site: &'a Arc<Site>| site.watchers().map(|watcher| &watcher.camera);
        match self {
            Self::All => Box::new(fleet.cameras.keys()),
            Self::Area(area) => {
                let within = move |id: &'a Option<AreaId>| fleet.areas_up_from(id.as_ref()).any(|id| id == area);
                let sites = fleet.sites.values().filter(move |site| within(&site.area));
                let cameras = fleet.cameras.values().filter(move |camera| within(&camera.area));
                Box::new(cameras.map(|camera| &camera.id).chain(sites.flat_map(watching)))
            }
            Self::Hamlet(hamlet) => {
                Box::new(fleet.sites.values().filter(move |site| site.hamlet == *hamlet).flat_map(watching))
            }
            Self::Site(site) => Box::new(fleet.sites.get(site).into_iter().flat_map(watching)),
            Self::Link(link) => {
                let below = fleet.cameras.values().filter(move |camera| fleet.links_above(camera).contains(link));
                Box::new(below.map(|camera| &camera.id))
            }
            Self::Camera(id) => Box::new(fleet.cameras.get_key_value(id).map(|(id, _)| id).into_iter()),
        }
    }

    /// Whether the fleet has what it names.
    pub fn is_known(&self, fleet: &Fleet) -> bool {
        match self {
            Self::All => true,
            Self::Area(id) => fleet.areas.contains_key(id),
            Self::Hamlet(hamlet) => fleet.sites.values().any(|site| site.hamlet == *hamlet),
            Self::Site(id) => fleet.sites.contains_key(id),
            Self::Link(id) => fleet.links.contains_key(id),
            Self::Camera(id) => fleet.cameras.contains_key(id),
        }
    }

    /// The name of what is covered, for people; its id where the fleet no longer has it.
    pub fn name(&self, fleet: &Fleet) -> String {
        match self {
            Self::All => fleet.commune.name.clone(),
            Self::Area(id) => fleet.areas.get(id).map_or_else(|| id.to_string(), |area| area.name.clone()),
            Self::Hamlet(hamlet) => hamlet.clone(),
            Self::Site(id) => fleet.sites.get(id).map_or_else(|| id.to_string(), |site| site.name.clone()),
            Self::Link(id) => fleet.links.get(id).map_or_else(|| id.to_string(), |link| link.name.clone()),
            Self::Camera(id) => {
                fleet.cameras.get(id).map_or_else(|| id.to_string(), |camera| camera.public_name().to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Area, Camera, Commune, DailyHours, Language, View, Watcher};
    use std::collections::BTreeSet;

    /// Camera `a` watches a site in a part of the area, `b` lies in it and watches nothing, `c` lies elsewhere.
    fn fleet() -> Fleet {
        let (name, timezone) = ("Hải Bình".to_owned(), jiff::tz::TimeZone::UTC);
        let mut fleet = Fleet::empty(Commune { name, language: Language::Vi, timezone, night: DailyHours::NIGHT });
        for (id, area) in [("a", None), ("b", Some("xa")), ("c", Some("khac"))] {
            let camera = Camera::new(id, "rtsp://10.0.0.1/".parse().expect("a URL"));
            let camera = Camera { area: area.map(AreaId::from), ..camera };
            fleet.cameras.insert(id.into(), Arc::new(camera));
        }
        for (id, parent) in [("xa", None), ("xa-cu", Some("xa")), ("khac", None)] {
            let area = Area { name: id.to_uppercase(), parent: parent.map(AreaId::from) };
            fleet.areas.insert(id.into(), area);
        }
        let view = View::new("north", vec![Watcher { camera: "a".into(), spare: false }]);
        let site = Site { area: Some("xa-cu".into()), hamlet: "Thôn 1".into(), ..Site::new("cho", vec![view]) };
        fleet.sites.insert("cho".into(), Arc::new(site));
        fleet
    }

    #[test]
    fn an_area_covers_what_lies_in_it_and_in_its_parts() {
        let fleet = fleet();
        let covered = |scope: Scope| -> BTreeSet<String> { scope.cameras(&fleet).map(ToString::to_string).collect() };
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(covered(Scope::Area("xa".into())), set(&["a", "b"]));
        assert_eq!(covered(Scope::Area("xa-cu".into())), set(&["a"]));
        assert_eq!(covered(Scope::Area("gone".into())), set(&[]));
        assert_eq!(covered(Scope::Hamlet("Thôn 1".into())), set(&["a"]));
        assert_eq!(covered(Scope::Site("cho".into())), set(&["a"]));
        assert_eq!(covered(Scope::Camera("c".into())), set(&["c"]));
        assert_eq!(covered(Scope::All), set(&["a", "b", "c"]));
        assert_eq!(Scope::Area("xa".into()).name(&fleet), "XA");
        assert!(Scope::Area("xa".into()).is_known(&fleet) && !Scope::Area("gone".into()).is_known(&fleet));
    }
}
