//! Areas above the hamlets, and who belongs to which.

use super::{
    entry::{Entry, Located},
    forest::refuse_cycles,
    ids::{Seen, among, known},
    tables::Tables,
};
use crate::model::{Area, AreaId, CameraId, Fleet};
use std::{collections::BTreeMap, sync::Arc};

/// All `[[area]]`.
pub(super) fn areas(tables: &Tables<'_>) -> BTreeMap<AreaId, Area> {
    let mut seen = Seen::default();
    let mut areas: BTreeMap<AreaId, Area> = BTreeMap::new();
    let mut parents: Vec<(&Entry<'_>, String, Located<String>)> = Vec::new();
    for entry in tables.list("area") {
        let id = seen.new_id(entry);
        let name = entry.required("name", "Xã Hải Bình cũ").map(|name| name.value);
        let parent = entry.text("parent");
        let Some(id) = id else { continue };
        parents.extend(parent.map(|parent| (entry, id.clone(), parent)));
        areas.insert(id.as_str().into(), Area { name: name.unwrap_or_default(), parent: None });
    }
    for (entry, id, parent) in &parents {
        let Some(parent) = known(entry, "parent", parent, areas.keys().map(AreaId::as_str), "area") else { continue };
        if let Some(area) = areas.get_mut(id.as_str()) {
            area.parent = Some(parent.as_str().into());
        }
    }
    let remedy = "remove the parent of the one that is a part of nothing";
    refuse_cycles("areas are parts of each other", remedy, &parents, |id| {
        areas.get(id)?.parent.as_ref().map(AreaId::as_str)
    });
    areas
}

/// The area that an entry names by `area = "…"`.
pub(super) fn named(entry: &Entry<'_>, areas: &BTreeMap<AreaId, Area>) -> Option<AreaId> {
    let name = entry.text("area")?;
    let all = (areas.contains_key(name.value.as_str()), areas.keys().map(AreaId::as_str));
    among(entry, "area", &name, all, "area").map(|id| id.as_str().into())
}

/// Puts each camera without an area of its own where the first site lies that it watches.
pub(super) fn settle(fleet: &mut Fleet) {
    let mut homes: BTreeMap<CameraId, AreaId> = BTreeMap::new();
    for site in fleet.sites.values() {
        let Some(area) = &site.area else { continue };
        for watcher in site.watchers() {
            homes.entry(watcher.camera.clone()).or_insert_with(|| area.clone());
        }
    }
    for (id, area) in homes {
        if let Some(camera) = fleet.cameras.get_mut(&id).filter(|camera| camera.area.is_none()) {
            Arc::make_mut(camera).area = Some(area);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{config::load_with, model::AreaId};

    #[test]
    fn a_camera_lies_where_it_says_or_where_the_first_site_does_that_it_watches() {
        let folder = tempfile::tempdir().expect("a folder");
        let camera = |id: &str, more: &str| {
            format!(
                "[[camera]]\nid = \"{id}\"\nname = \"x\"\nkind = \"public\"\nrtsp = \"rtsp://10.0.0.1/{id}\"\ndevice = \"nvr\"\n{more}"
            )
        };
        let cameras = camera("a", "area = \"tay\"\n") + &camera("b", "") + &camera("c", "");
        let site = |id: &str, area: &str, cameras: &str| {
            format!(
                "[[site]]\nid = \"{id}\"\nname = \"x\"\nhamlet = \"x\"\n{area}[[site.view]]\nname = \"v\"\ncameras = [{cameras}]\n"
            )
        };
        let sites = site("1", "", "\"a\", \"b\", \"c\"")
            + &site("2", "area = \"dong\"\n", "\"a\", \"b\"")
            + &site("3", "area = \"tay\"\n", "\"b\"");
        let areas = "[[area]]\nid = \"dong\"\nname = \"Khu Đông\"\nparent = \"tay\"\n[[area]]\nid = \"tay\"\nname = \"Khu Tây\"\n";
        let text = format!("[commune]\nname = \"Xã Thử\"\n[[recorder]]\nid = \"nvr\"\n{areas}{cameras}{sites}");
        let path = folder.path().join("camhealth.toml");
        std::fs::write(&path, text).expect("it can be written");
        let fleet = load_with(&path, &|_| None).unwrap_or_else(|problems| panic!("{problems}")).fleet;
        let area = |camera: &str| fleet.cameras[camera].area.as_ref().map(AreaId::as_str);
        assert_eq!((area("a"), area("b"), area("c")), (Some("tay"), Some("dong"), None));
        let up: Vec<&str> = fleet.areas_up_from(fleet.cameras["b"].area.as_ref()).map(AreaId::as_str).collect();
        assert_eq!(up, ["dong", "tay"]);
    }
}
