//! The commune, its recorders, cameras and links.

use super::{
    areas, consent,
    context::Context,
    details,
    entry::{Entry, Located},
    forest::refuse_cycles,
    ids::{Seen, among, known},
    mask,
    names::near,
    tables::Tables,
    told,
};
use crate::model::{
    Area, AreaId, Camera, CameraId, Commune, DailyHours, Device, DeviceId, Fleet, Language, Link, LinkId, LinkKind,
    Login, Observer, Transport, observer_above, rtsp_port,
};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};
use url::Url;

/// Looks at streams that may begin on a link in a second: at 256 kbit/s each about 2 Mbit/s together.
const LOOKS_PER_SECOND: f64 = 5.0;

/// Logins by name; one that is wrong is known, so that its users are not called wrong too.
type Logins = BTreeMap<String, Option<Arc<Login>>>;

/// All but the sites.
pub(super) fn fleet(tables: &Tables<'_>, logins: &Logins, may_be_empty: bool, context: &Context<'_>) -> Fleet {
    let commune = commune(tables, context);
    let (links, areas) = (links(tables), areas::areas(tables));
    let recorders = recorders(tables, logins, &links);
    let (cameras, mut devices) = cameras(tables, logins, &links, &recorders, &areas);
    devices.extend(recorders.into_iter().map(|(id, recorder)| (id, recorder.device)));
    if cameras.is_empty() && tables.list("camera").next().is_none() && !may_be_empty {
        context.missing("has no camera", "add a [[camera]], or include the file that holds them");
    }
    Fleet { devices, cameras, areas, links, ..Fleet::empty(commune) }
}

/// Whether the configuration says that its cameras and sites are still to come, as one does that a package brings. An
/// empty one that does not say so is more likely a file that was lost.
pub(super) fn is_being_set_up(tables: &Tables<'_>) -> bool {
    tables.one("commune").and_then(|table| table.truth("being_set_up")).unwrap_or(false)
}

fn commune(tables: &Tables<'_>, context: &Context<'_>) -> Commune {
    let mut commune = Commune {
        name: String::new(),
        language: Language::default(),
        timezone: jiff::tz::TimeZone::fixed(jiff::tz::offset(7)),
        night: DailyHours::NIGHT,
    };
    let Some(table) = tables.one("commune") else {
        context.missing("has no [commune]", "add [commune] with name = \"Xã …\"");
        return commune;
    };
    commune.name = table.required("name", "Xã Hải Bình").map(|name| name.value).unwrap_or_default();
    commune.language = table.word("language", &Language::NAMES).unwrap_or_default();
    if let Some(night) = table.text("night") {
        match night.value.parse() {
            Ok(hours) => commune.night = hours,
            Err(()) => {
                let message = format!("{} is no span of a day", table.quoted(&night));
                table.problem("night", night.span, message, "write night = \"18:00-06:00\"");
            }
        }
    }
    let zone = table.text("timezone");
    let name = zone.as_ref().map_or("Asia/Ho_Chi_Minh", |zone| zone.value.as_str());
    match (jiff::tz::TimeZone::get(name), &zone) {
        (Ok(zone), _) => commune.timezone = zone,
        (Err(_), Some(zone)) => {
            let message = format!("{} is no time zone of this machine", table.quoted(zone));
            table.problem("timezone", zone.span.clone(), message, "write an IANA name such as \"Asia/Ho_Chi_Minh\"");
        }
        // Without a zone database Vietnam's fixed offset stands.
        (Err(_), None) => {}
    }
    commune
}

fn links(tables: &Tables<'_>) -> BTreeMap<LinkId, Link> {
    let mut seen = Seen::default();
    let mut links = BTreeMap::new();
    let mut parents: Vec<(&Entry<'_>, String, Located<String>)> = Vec::new();
    for entry in tables.list("link") {
        let id = seen.new_id(entry);
        let name = entry.required("name", "Tủ mạng Thôn Đông").map(|name| name.value);
        let kind = match entry.has("kind") {
            true => entry.word("kind", &LinkKind::NAMES),
            false => {
                entry.problem(
                    "kind",
                    entry.span(),
                    "is missing".into(),
                    "add kind = \"uplink\", \"switch\", \"power\", \"agent\" or \"source\"",
                );
                None
            }
        };
        let parent = entry.text("parent");
        let bytes_per_day = entry.bytes("bytes_per_day");
        let looks_per_second = entry.positive("looks_per_second", 5).unwrap_or(LOOKS_PER_SECOND);
        let probe = entry.address("probe").and_then(|text| super::settings::beacon(entry, "probe", text));
        let Some(id) = id else { continue };
        parents.extend(parent.map(|parent| (entry, id.clone(), parent)));
        let name = name.unwrap_or_default();
        let kind = kind.unwrap_or(LinkKind::Switch);
        links.insert(id.as_str().into(), Link { name, kind, parent: None, bytes_per_day, looks_per_second, probe });
    }
    for (entry, id, parent) in &parents {
        match known(entry, "parent", parent, links.keys().map(LinkId::as_str), "link") {
            Some(parent) => {
                if let Some(link) = links.get_mut(id.as_str()) {
                    link.parent = Some(parent.as_str().into());
                }
            }
            None => continue,
        }
    }
    let remedy = "remove the parent of the one that hangs on nothing";
    refuse_cycles("links hang on each other", remedy, &parents, |id| {
        links.get(id)?.parent.as_ref().map(LinkId::as_str)
    });
    links
}

/// A recorder and what its cameras inherit.
struct Recorder {
    device: Device,
    login: Option<Arc<Login>>,
    link: Option<LinkId>,
}

fn recorders(tables: &Tables<'_>, logins: &Logins, links: &BTreeMap<LinkId, Link>) -> BTreeMap<DeviceId, Recorder> {
    let mut seen = Seen::default();
    let mut recorders = BTreeMap::new();
    for entry in tables.list("recorder") {
        let id = seen.new_id(entry);
        let sessions = entry.number("sessions", 1..=64).unwrap_or(1) as usize;
        let notes = entry.text("notes").map(|notes| notes.value).filter(|notes| !notes.trim().is_empty());
        let recorder =
            Recorder { device: Device { sessions, notes }, login: login(entry, logins), link: link(entry, links) };
        if let Some(id) = id {
            recorders.insert(id.as_str().into(), recorder);
        }
    }
    recorders
}

type CamerasAndDevices = (BTreeMap<CameraId, Arc<Camera>>, BTreeMap<DeviceId, Device>);

fn cameras(
    tables: &Tables<'_>,
    logins: &Logins,
    links: &BTreeMap<LinkId, Link>,
    recorders: &BTreeMap<DeviceId, Recorder>,
    areas: &BTreeMap<AreaId, Area>,
) -> CamerasAndDevices {
    let mut seen = Seen::default();
    let mut cameras = BTreeMap::new();
    let mut devices = BTreeMap::new();
    let mut hosts: BTreeMap<String, String> = BTreeMap::new();
    for entry in tables.list("camera") {
        let id = seen.new_id(entry);
        let name = entry.required("name", "Ngã tư Chợ, về phía cảng").map(|name| name.value);
        let kind = consent::kind(entry);
        let notes = entry.text("notes").map(|notes| notes.value).filter(|notes| !notes.trim().is_empty());
        let own_link = link(entry, links);
        let device = entry.text("device");
        let device = device.and_then(|device| {
            let all = (recorders.contains_key(device.value.as_str()), recorders.keys().map(DeviceId::as_str));
            among(entry, "device", &device, all, "recorder")
        });
        let recorder = device.as_ref().and_then(|device| recorders.get(device.as_str()));
        let link = own_link.or_else(|| recorder?.link.clone());
        let source = match observer_above(links, link.as_ref()) {
            Observer::Source(source) => Some(source),
            Observer::Daemon | Observer::Agent(_) => None,
        };
        let proof = told::proof(entry, source.as_ref());
        let rtsp = match &source {
            Some(source) => told::address(entry, source, (id.as_deref(), proof)),
            None => address(entry, "rtsp", &["rtsp", "rtsps"], "rtsp://10.20.1.7:554/sub"),
        };
        if source.is_none() && !entry.has("rtsp") {
            entry.problem("rtsp", entry.span(), "is missing".into(), "add rtsp = \"rtsp://10.20.1.7:554/sub\"");
        }
        let onvif = address(entry, "onvif", &["http", "https"], "http://10.20.1.7/onvif/device_service");
        let transport = entry.word("transport", &Transport::NAMES).unwrap_or_default();
        let certificate = details::certificate(entry, rtsp.as_ref().map(|rtsp| &rtsp.value));
        if transport == Transport::Udp && rtsp.as_ref().is_some_and(|rtsp| rtsp.value.scheme() == "rtsps") {
            let message = "\"udp\" sends in clear what rtsps:// is to encrypt".to_owned();
            let span = entry.text("transport").map_or_else(|| entry.span(), |text| text.span);
            entry.problem("transport", span, message, "leave transport out, or write rtsp://");
        }
        let promise = details::promise(entry);
        let identity = details::identity(entry);
        let off_hours = details::off_hours(entry);
        let bytes_per_day = entry.bytes("bytes_per_day");
        let own_login = login(entry, logins);
        let area = areas::named(entry, areas);
        let (Some(id), Some(name), Some((kind, consent)), Some(rtsp)) = (id, name, kind, rtsp) else { continue };
        if source.is_some() && recorder.is_none() {
            devices.insert(id.as_str().into(), Device { sessions: 1, notes: None });
        } else if recorder.is_none() && !entry.has("device") {
            // A router may forward several ports of one address to several cameras.
            let (name, port) = (rtsp.value.host_str().unwrap_or_default(), rtsp_port(&rtsp.value));
            if let Some(first) = hosts.insert(format!("{name}:{port}"), id.clone()) {
                // A name may be anything; an IP address is one.
                let is_ip = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
                let shown = if is_ip { format!("{name}:{port}") } else { "this".to_owned() };
                let message = format!("{shown} is the address of camera {first:?} too");
                let remedy = "if both are channels of one recorder, add [[recorder]] and name it with device = in each; \
                              logins and sessions are counted by device";
                entry.problem("rtsp", rtsp.span, message, remedy);
            }
            devices.insert(id.as_str().into(), Device { sessions: 1, notes: None });
        }
        let camera = Camera {
            name,
            kind,
            device: device.unwrap_or_else(|| id.clone()).as_str().into(),
            link,
            area,
            proof,
            certificate,
            transport,
            onvif: onvif.map(|onvif| onvif.value),
            login: own_login.or_else(|| recorder?.login.clone()),
            promise,
            identity,
            off_hours,
            consent,
            notes,
            bytes_per_day,
            ..Camera::new(&id, rtsp.value)
        };
        cameras.insert(camera.id.clone(), Arc::new(camera));
    }
    (cameras, devices)
}

/// A URL of a known scheme, with a host and without a password.
pub(super) fn address(entry: &Entry<'_>, key: &'static str, schemes: &[&str], example: &str) -> Option<Located<Url>> {
    let text = entry.address(key)?;
    let remedy = format!("write it like {example:?}");
    let Ok(url) = text.value.parse::<Url>() else {
        // What cannot be parsed may hold a password all the same.
        entry.problem(key, text.span, "is no address".into(), &remedy);
        return None;
    };
    // In rtsp://user:12/3@host the password goes on in the path.
    if url.password().is_some() || !url.username().is_empty() || text.value.contains('@') {
        let message = "an address must not hold a user or password".to_owned();
        let remedy = "put them into a [login.NAME] and write login = \"NAME\"; an @ of the path itself is %40";
        entry.problem(key, text.span, message, remedy);
        return None;
    }
    if !schemes.contains(&url.scheme()) {
        // What looks like a scheme may be the user of an address without one.
        let message = match mask::is_scheme(url.scheme()) {
            true => format!("{}:// is not known here", url.scheme()),
            false => "what stands before the colon is not known here".to_owned(),
        };
        entry.problem(key, text.span, message, &remedy);
        return None;
    }
    if url.host_str().is_none_or(str::is_empty) {
        entry.problem(key, text.span, "the address names no host".into(), &remedy);
        return None;
    }
    Some(Located { value: url, span: text.span })
}

fn login(entry: &Entry<'_>, logins: &Logins) -> Option<Arc<Login>> {
    let name = entry.hidden("login")?;
    // Whoever takes it for the place of the password itself is not shown it.
    if logins.contains_key(&name.value) || near(&name.value, logins.keys().map(String::as_str)).is_some() {
        entry.show(&name);
    }
    let all = (logins.contains_key(&name.value), logins.keys().map(String::as_str));
    let name = among(entry, "login", &name, all, "login")?;
    logins.get(&name).cloned().flatten()
}

fn link(entry: &Entry<'_>, links: &BTreeMap<LinkId, Link>) -> Option<LinkId> {
    let name = entry.text("link")?;
    let all = (links.contains_key(name.value.as_str()), links.keys().map(LinkId::as_str));
    among(entry, "link", &name, all, "link").map(|id| id.as_str().into())
}
