//! Metrics of what is shared: links, areas, hamlets, incidents and what is out of service on purpose.

use super::family::Family;
use crate::model::{LinkState, Snapshot};
use prometheus::proto::MetricFamily;
use std::collections::BTreeSet;

pub(super) fn families(snapshot: &Snapshot, families: &mut Vec<MetricFamily>) {
    links(snapshot, families);
    let mut hamlets = Family::gauge("camhealth_hamlet_coverage_ratio", "Covered views of a hamlet as a share, 0 to 1.");
    for (hamlet, coverage) in snapshot.hamlets.iter() {
        if let Some(ratio) = coverage.ratio() {
            hamlets.add(&[("hamlet", hamlet)], ratio);
        }
    }
    let mut areas = Family::gauge(
        "camhealth_area_coverage_ratio",
        "Covered views of an area, with all areas that are a part of it, as a share, 0 to 1.",
    );
    let mut area_info = Family::gauge("camhealth_area_info", "What the area is, and of what it is a part; always 1.");
    for (id, area) in &snapshot.fleet.areas {
        let parent = area.parent.as_ref().map_or("", |parent| parent.as_str());
        area_info.add(&[("area", id.as_str()), ("name", &area.name), ("parent", parent)], 1.0);
        if let Some(ratio) = snapshot.areas.get(id).and_then(|coverage| coverage.ratio()) {
            areas.add(&[("area", id.as_str())], ratio);
        }
    }
    let mut open = Family::gauge("camhealth_incidents_open", "Incidents that are open, by what failed.");
    let mut unacknowledged =
        Family::gauge("camhealth_incidents_unacknowledged", "Open incidents that nobody has taken on.");
    for kind in ["site", "link", "device", "commune", "monitor"] {
        let count = snapshot.open_incidents().filter(|incident| incident.cause.kind() == kind).count();
        open.add(&[("cause", kind)], count as f64);
    }
    let waiting = snapshot.open_incidents().filter(|incident| incident.ack.is_none()).count();
    unacknowledged.add(&[], waiting as f64);
    let mut cut_off = Family::gauge("camhealth_monitor_cut_off", "1 while the monitor sees nothing at all.");
    cut_off.add(&[], f64::from(u8::from(snapshot.cut_off.is_some())));
    let mut anchors =
        Family::gauge("camhealth_monitor_anchors_reachable", "1 while any anchor of the network answers.");
    if let Some(answers) = snapshot.anchors {
        anchors.add(&[], f64::from(u8::from(answers)));
    }
    let mut windows = Family::gauge("camhealth_maintenance_windows_open", "Maintenance windows that are open now.");
    let zone = &snapshot.fleet.commune.timezone;
    let mut maintained = Family::gauge("camhealth_maintenance_info", "What is out of service on purpose; always 1.");
    let open_now = || snapshot.windows.iter().filter(|window| window.is_open(snapshot.at, zone));
    windows.add(&[], open_now().count() as f64);
    let scopes: BTreeSet<_> = open_now().map(|window| (window.scope.kind(), window.scope.subject())).collect();
    for (kind, subject) in scopes {
        maintained.add(&[("scope", kind), ("subject", subject)], 1.0);
    }
    let mut on_call = Family::gauge("camhealth_on_call_info", "Who is on call, by rotation; always 1.");
    for shift in snapshot.on_call.iter() {
        on_call.add(&[("name", &shift.name), ("rotation", &shift.rotation)], 1.0);
    }
    let shared = [hamlets, areas, area_info, open, unacknowledged, cut_off, anchors, windows, maintained, on_call];
    families.extend(shared.map(Family::done));
}

fn links(snapshot: &Snapshot, families: &mut Vec<MetricFamily>) {
    let mut info = Family::gauge("camhealth_link_info", "What the link is; always 1.");
    let mut state = Family::gauge("camhealth_link_state", "1 for the state that the link is in, else 0.");
    let mut since = Family::gauge(
        "camhealth_link_state_since_timestamp_seconds",
        "Since when the link is in its state, as Unix time in seconds.",
    );
    let mut beacon = Family::gauge("camhealth_link_beacon_reachable", "1 while the link's own beacon answers.");
    let mut unreachable =
        Family::gauge("camhealth_link_cameras_unreachable", "Cameras that the link keeps out of reach.");
    for (id, status) in &snapshot.links {
        let Some(link) = snapshot.fleet.links.get(id) else { continue };
        let id = id.as_str();
        let parent = link.parent.as_ref().map_or("", |parent| parent.as_str());
        info.add(&[("kind", link.kind.as_str()), ("link", id), ("name", &link.name), ("parent", parent)], 1.0);
        for one in LinkState::ALL {
            state.add(&[("link", id), ("state", one.as_str())], f64::from(u8::from(status.state == one)));
        }
        since.add(&[("link", id)], status.since.as_millisecond() as f64 / 1000.0);
        unreachable.add(&[("link", id)], status.unreachable as f64);
        if let Some(answers) = status.beacon {
            beacon.add(&[("link", id)], f64::from(u8::from(answers)));
        }
    }
    families.extend([info, state, since, beacon, unreachable].map(Family::done));
}
