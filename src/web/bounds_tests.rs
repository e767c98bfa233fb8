//! Somebody bound to an area, at every address, in every role: what they read holds nothing of elsewhere, what they ask for
//! is done only there, and the documentation's table says so.

use super::{
    Limits,
    needed::{ALL, Needed},
    router::{router, tests},
    secrets,
    street::Street,
};
use crate::{
    edits::{Choices, Item, Kind, Place, Sheet, Value},
    model::{
        Area, Camera, CameraStatus, Cause, Consent, Device, History, Incident, IncidentId, Level, Link, LinkKind,
        LinkState, LinkStatus, Location, Scope, Site, SiteStatus, Snapshot, Span, State, View, ViewState, ViewStatus,
        Watcher, Window,
    },
    request::{Done, Ground, Request},
    rights::{Bounds, Pass, PassKind, Reach, Register, Right, Role, Wish, decide},
    uptime,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::{mpsc, watch};

/// Another address each time: nobody here wishes for too much.
fn somewhere() -> IpAddr {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let [.., high, low] = LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, 3, high, low))
}

/// What every name of things outside holds, and none of what lies within.
const OUTSIDE: &str = "ngoai";

/// What an address gives somebody bound to areas who has the right that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Given {
    /// What lies in their areas, of all that it lists.
    Part,
    /// The one thing that is named, if it lies in their areas; else it is as if it were not there.
    Thing,
    /// Nothing: it is about the whole commune.
    Nothing,
    /// What everybody is given who is known, or anybody.
    Same,
}

fn given(method: &str, route: &str, needed: Needed) -> Given {
    match needed {
        Needed::Nothing | Needed::Known => Given::Same,
        Needed::Whole(_) => Given::Nothing,
        Needed::Right(right) if right.is_of_the_commune() => Given::Nothing,
        Needed::Right(_) if method == "GET" && (!route.contains("{id}")) => Given::Part,
        Needed::Right(_) => Given::Thing,
    }
}

/// Things of one side: all their names begin with it.
fn side(snapshot: &mut Snapshot, of: &str, number: u32) {
    let at = snapshot.at;
    let name = |what: &str| format!("{of}-{what}");
    let fleet = Arc::make_mut(&mut snapshot.fleet);
    let area = Area { name: name("khu vuc"), parent: Some("xa".into()) };
    fleet.areas.insert(name("khu").as_str().into(), area);
    let link = Link {
        name: name("tuyen cap"),
        kind: LinkKind::Switch,
        parent: None,
        bytes_per_day: None,
        looks_per_second: 1.0,
        probe: None,
    };
    fleet.links.insert(name("link").as_str().into(), link);
    fleet.devices.insert(name("nvr").as_str().into(), Device { sessions: 1, notes: None });
    for camera in [name("cam"), name("cam-2")] {
        let rtsp = format!("rtsp://10.0.0.{number}/{camera}").parse().expect("a URL");
        let mut camera = Camera { name: name("ong kinh"), ..Camera::new(&camera, rtsp) };
        (camera.area, camera.link) = (Some(name("khu").as_str().into()), Some(name("link").as_str().into()));
        camera.device = name("nvr").as_str().into();
        camera.notes = Some(name("ghi chu"));
        let status = CameraStatus::unseen(State::Unreachable, at);
        snapshot.cameras.insert(camera.id.clone(), Arc::new(status));
        snapshot.counts.camera(camera.kind, None, State::Unreachable);
        fleet.cameras.insert(camera.id.clone(), Arc::new(camera));
    }
    let mut lent = Camera::new(&name("ho"), "rtsp://10.0.0.9/x".parse().expect("a URL"));
    lent.area = Some(name("khu").as_str().into());
    lent.device = name("nvr").as_str().into();
    let given = "2020-01-01".parse().expect("a day");
    let until = Some("2020-06-01".parse().expect("a day"));
    lent.consent = Some(Consent { given, scope: Some(name("pham vi")), until });
    snapshot.cameras.insert(lent.id.clone(), Arc::new(CameraStatus::unseen(State::Off, at)));
    fleet.cameras.insert(lent.id.clone(), Arc::new(lent));
    let watchers = [name("cam"), name("cam-2")].map(|camera| Watcher { camera: camera.as_str().into(), spare: false });
    let mut site = Site::new(&name("cho"), vec![View::new(&name("huong"), watchers.into())]);
    (site.name, site.hamlet, site.area) = (name("cho lon"), name("thon"), Some(name("khu").as_str().into()));
    site.location = Some(Location { latitude: 20.0 + f64::from(number) / 100.0, longitude: 106.0 });
    let view = ViewStatus { name: name("huong"), state: ViewState::Lost, seeing: 0, needs: 1, weight: 1.0 };
    let id = IncidentId::stored(name("su-co"));
    let status = SiteStatus {
        revision: 0,
        level: Level::Blind,
        since: at,
        views: vec![view],
        incident: Some(id.clone()),
        recovering: None,
    };
    snapshot.sites.insert(site.id.clone(), Arc::new(status));
    snapshot.counts.site(None, Level::Blind);
    let link = LinkStatus { state: LinkState::Down, since: at, beacon: None, probe: None, cameras: 2, unreachable: 2 };
    snapshot.links.insert(name("link").as_str().into(), link);
    let mut incident = Incident::clone(&snapshot.incidents[0]);
    (incident.id, incident.number, incident.cause) = (id, number, Cause::Site(site.id.clone()));
    incident.sites = [(site.id.clone(), Level::Blind)].into();
    Arc::make_mut(&mut snapshot.incidents).push(Arc::new(incident));
    let span = Span::Once { from: at, until: crate::model::later(at, std::time::Duration::from_secs(3600)) };
    let (author, reason) = (name("Bà An"), name("thay cot"));
    let window = Window { id: format!("w{number}"), scope: Scope::Site(site.id.clone()), span, author, reason };
    Arc::make_mut(&mut snapshot.windows).push(window);
    fleet.sites.insert(site.id.clone(), Arc::new(site));
}

fn snapshot() -> Arc<Snapshot> {
    let mut snapshot = Snapshot::clone(&tests::snapshot(State::Up, 0));
    Arc::make_mut(&mut snapshot.fleet).areas.insert("xa".into(), Area { name: "Xã Hải Bình".into(), parent: None });
    side(&mut snapshot, "trong", 51);
    side(&mut snapshot, OUTSIDE, 52);
    // An incident that has kept both sides down, and the one of the tests' own, which lies nowhere.
    let mut both = Incident::clone(&snapshot.incidents[0]);
    both.sites = snapshot.sites.keys().map(|site| (site.clone(), Level::Blind)).collect();
    (both.id, both.number, both.cause) = (IncidentId::stored("ca-xa".into()), 53, Cause::Commune);
    Arc::make_mut(&mut snapshot.incidents).push(Arc::new(both));
    Arc::new(snapshot)
}

fn sheet(snapshot: &Snapshot) -> Sheet {
    let place = || Place { file: "cameras.toml".into(), line: 7 };
    let text = |key: &str, value: &str| Value::default().text(key, value);
    let mut lines = Vec::new();
    for (id, site) in &snapshot.fleet.sites {
        lines.push((Item::new(Kind::SiteName, id.as_str()), text("name", &site.name), place()));
        let window = text("site", id.as_str()).text("reason", site.name.as_str());
        lines.push((Item::new(Kind::Maintenance, format!("f-{id}")), window, place()));
    }
    for (id, camera) in &snapshot.fleet.cameras {
        lines.push((Item::new(Kind::CameraName, id.as_str()), text("name", &camera.name), place()));
        lines.push((Item::new(Kind::Notes, id.as_str()), text("notes", &camera.name), place()));
        if camera.consent.is_some() {
            lines.push((Item::new(Kind::Consent, id.as_str()), text("scope", &camera.name), place()));
        }
    }
    lines.push((Item::new(Kind::Roster, "dem"), text("people", "ngoai-an"), place()));
    let people = [("an".to_owned(), "ngoai-an".to_owned())].into();
    Sheet::of_files(lines, Choices { people, ..Choices::default() })
}

fn token(role: Role, bound: bool) -> String {
    format!("token-of-{}-{bound}", role.as_str())
}

/// What was asked for and allowed.
type Asked = Arc<Mutex<Vec<Request>>>;

/// A street with two areas: of each role a token that is bound to one of them, and one that is not.
fn house() -> (Street, watch::Sender<Arc<Register>>, Asked) {
    let (mut state, behind) = tests::state();
    let whole = snapshot();
    behind.publish.send_replace(whole.clone());
    let (now, mut register) = (whole.at, Register::default());
    for role in Role::ALL {
        for bound in [true, false] {
            let areas = Bounds::of(bound.then(|| "trong-khu".into()));
            let id = secrets::known_as(&token(role, bound));
            let pass = Pass::of_thing(id, PassKind::Token, role.as_str().into(), role, (now, None)).within(areas);
            let issued = decide(&mut register, now, Wish::Issue(pass));
            assert_eq!(issued.is_ok(), role != Role::Administrator || !bound);
        }
    }
    let (registers, known) = watch::channel(Arc::new(register));
    (state.access.register, state.access.sign_in) = (known, true);
    let shown = Arc::new(sheet(&whole));
    state.sheet = Arc::new({
        let shown = shown.clone();
        move || shown.clone()
    });
    state.channels = Arc::new(|| serde_json::json!({ "ngoai-sms": 1 }));
    state.reporter = Arc::new({
        let fleet = whole.fleet.clone();
        move |month, bounds| {
            let mut history = History::default();
            history.incidents.extend(whole.incidents.iter().map(|incident| Incident::clone(incident)));
            let settings = uptime::Settings::default();
            // As daemon/pages.rs does it.
            let report = match bounds.map(|bounds| Reach::of(&bounds, &fleet)) {
                Some(reach) => uptime::of_month(&reach.fleet(&fleet), &reach.history(history), month, &settings, now),
                None => uptime::of_month(&fleet, &history, month, &settings, now),
            };
            Box::pin(async move { Ok(report) })
        }
    });
    let (requests, mut inbox) = mpsc::channel::<super::Asked>(16);
    state.requests = requests;
    let asked: Asked = Arc::default();
    let heard = asked.clone();
    tokio::spawn(async move {
        while let Some(super::Asked { request, by, answer }) = inbox.recv().await {
            let snapshot = behind.publish.borrow().clone();
            let (mut incident, mut window) = (None, None);
            match &request {
                Request::TakeOn { incident: called, .. } | Request::Respond { incident: called, .. } => {
                    incident = snapshot.incident(called).map(|known| &**known)
                }
                Request::Unsilence { window: id } => window = snapshot.windows.iter().find(|window| window.id == *id),
                _ => {}
            }
            let ground = Ground { fleet: &snapshot.fleet, incident, window, sheet: &shown };
            let outcome = request.allowed(&by.who, ground).map(|()| Done::Edited);
            if outcome.is_ok() {
                heard.lock().expect("no panic").push(request);
            }
            let _ = answer.send(outcome);
        }
    });
    (Street::open(router(state), Limits::default()), registers, asked)
}

async fn ask(street: &Street, token: &str, line: &str, body: &str) -> (u16, String) {
    let mut visitor = street.visit(somewhere());
    let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
    let head = format!("{line} HTTP/1.1\r\nhost: 10.20.0.2:9740\r\nconnection: close\r\ncontent-type: {kind}\r\n");
    let length = body.len();
    visitor.say(&format!("{head}content-length: {length}\r\nauthorization: Bearer {token}\r\n\r\n{body}")).await;
    let answer = visitor.rest().await;
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// An address with a thing of a side in it, and what is sent there about that thing.
fn filled(method: &str, route: &str, side: &str) -> (String, String) {
    let number = if side == OUTSIDE { 52 } else { 51 };
    let thing = |after: &str| match after {
        "areas" => format!("{side}-khu"),
        "sites" => format!("{side}-cho"),
        "links" => format!("{side}-link"),
        "cameras" => format!("{side}-cam"),
        "silences" => format!("w{number}"),
        _ => number.to_string(),
    };
    let mut before = "";
    let parts: Vec<String> = route
        .split('/')
        .map(|part| {
            let filled = match part {
                "{month}" => "2026-09".to_owned(),
                "{table}" => "cameras".to_owned(),
                "{kind}" => "site_name".to_owned(),
                "{id}" => thing(before),
                part if part.starts_with('{') => "17".to_owned(),
                part => part.to_owned(),
            };
            before = part;
            filled
        })
        .collect();
    let path = parts.join("/");
    let body = match (method, route) {
        ("GET" | "DELETE", _) => String::new(),
        (_, "/incidents/{id}/ack" | "/incidents/{id}/respond" | "/sites/{id}/drill") => "by=An".into(),
        (_, "/api/v1/drills") => format!(r#"{{"site":"{side}-cho","by":"An"}}"#),
        (_, "/api/v1/incidents/{id}/ack" | "/api/v1/incidents/{id}/respond") => r#"{"by":"An"}"#.into(),
        (_, "/incidents/{id}/silence" | "/settings/silences") => {
            format!("scope=site:{side}-cho&minutes=5&author=An&reason=x")
        }
        (_, "/api/v1/silences") => {
            format!(r#"{{"scope":{{"kind":"site","id":"{side}-cho"}},"minutes":5,"author":"An","reason":"x"}}"#)
        }
        (_, "/settings/sites") => format!("kind=site_name&id={side}-cho&version=&name=x"),
        (_, "/settings/cameras") => format!("kind=notes&id={side}-cam&version=&notes=x"),
        (_, "/settings/consent") => format!("kind=consent&id={side}-ho&version=&given=2026-01-01"),
        (_, "/settings/maintenance") => {
            format!("kind=maintenance&id=&version=&scope=site:{side}-cho&hours=22:00-23:00&reason=x")
        }
        (_, "/settings/roster") => "kind=roster&id=dem&version=&people=an".into(),
        (_, "/settings/stand-ins") => "kind=stand_in&id=&version=&person=an".into(),
        (_, "/settings/people") => "kind=reach&id=an&version=&channels=x".into(),
        (_, "/api/v1/settings/{kind}") => format!(r#"{{"id":"{side}-cho","version":"","value":{{"name":"x"}}}}"#),
        _ => "{}".into(),
    };
    (path, body)
}

/// What an address needs of a role, whatever it is bound to.
fn has(role: Role, needed: Needed, route: &str) -> bool {
    match needed {
        Needed::Nothing | Needed::Known => true,
        // What is edited needs the right of its kind, too; the walk edits names of sites.
        Needed::Right(right) if route == "/api/v1/settings/{kind}" => role.has(right) && role.has(Right::Names),
        // These tokens are programs', which are told nobody's name.
        Needed::Right(Right::Owners) => false,
        Needed::Right(right) | Needed::Whole(right) => role.has(right),
    }
}

#[tokio::test(start_paused = true)]
async fn each_address_gives_whoever_is_bound_what_the_table_says_and_nothing_of_elsewhere() {
    let (street, _, asked) = house();
    // Events do not end, and links with a secret of their own are of nobody's account.
    let walked = |route: &&(&str, &str, Needed)| route.1 != "/events" && route.2 != Needed::Nothing;
    for (method, route, needed) in ALL.iter().filter(walked) {
        let given = given(method, route, *needed);
        for (role, side) in Role::ALL.into_iter().flat_map(|role| ["trong", OUTSIDE].map(|side| (role, side))) {
            let (path, body) = filled(method, route, side);
            let line = format!("{method} {path}");
            let free = ask(&street, &token(role, false), &line, &body).await;
            let may = has(role, *needed, route)
                || *method == "GET" && role.has(Right::SeeSettings) && route.ends_with("{kind}");
            assert_eq!(free.0 == 403, !may, "{role:?}, bound to nothing, at {line}: {free:?}");
            if role == Role::Administrator {
                continue;
            }
            asked.lock().expect("no panic").clear();
            let (status, told) = ask(&street, &token(role, true), &line, &body).await;
            let done = asked.lock().expect("no panic").len();
            let whose = format!("{role:?}, bound, at {line}: {status} {told}");
            match given {
                _ if !may => assert_eq!(status, 403, "{whose}"),
                Given::Nothing => assert!(status == 403 && told.contains("account is bound to areas"), "{whose}"),
                Given::Thing if side == OUTSIDE => assert_eq!((status, done), (404, 0), "{whose}"),
                Given::Thing if *method != "GET" => {
                    assert!((200..400).contains(&status) && done == 1, "{whose}");
                }
                Given::Part | Given::Thing => assert_eq!(status, 200, "{whose}"),
                Given::Same => assert_eq!(status, free.0, "{whose}"),
            }
            if *method == "GET" && side != OUTSIDE {
                assert!(!told.contains(OUTSIDE), "{whose}");
                let names_them = matches!(given, Given::Part | Given::Thing) && status == 200;
                // The list of a month's cameras, and of reports, is of those of which something is known.
                let empty = route.starts_with("/reports") || ["/settings", "/api/v1/status"].contains(route);
                // Here is no contract.
                let empty = empty || *route == "/api/v1/contract";
                // A strip names nobody.
                let empty = empty || route.ends_with("/strip");
                assert!(!names_them || empty || told.contains("trong"), "{whose}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_touches_both_sides_is_seen_in_part_and_refused_in_both_languages() {
    let (street, _, asked) = house();
    let officer = token(Role::Officer, true);
    let (status, told) = ask(&street, &officer, "GET /incidents/53", "").await;
    assert!(status == 200 && told.contains("trong-cho") && !told.contains(OUTSIDE), "{told}");
    let (status, told) = ask(&street, &officer, "POST /incidents/53/ack", "by=An").await;
    assert!(status == 403 && asked.lock().expect("no panic").is_empty(), "{told}");
    assert!(told.contains("ra ngoài khu vực") && told.contains("outside the areas"), "{told}");
    let (status, told) =
        ask(&street, &officer, "POST /settings/silences", "scope=all&minutes=5&author=An&reason=x").await;
    assert!(status == 403 && told.contains("ra ngoài khu vực"), "{told}");
    let (_, told) = ask(&street, &officer, "GET /settings/roster", "").await;
    assert!(told.contains("toàn xã") && told.contains("the whole commune"), "{told}");
    // The page says what they are bound to, and offers nothing that they may not.
    let (_, told) = ask(&street, &officer, "GET /settings/maintenance", "").await;
    assert!(told.contains("chỉ xem và thao tác trong: <b>trong-khu vuc</b>"), "{told}");
    assert!(told.contains("value=\"site:trong-cho\"") && !told.contains("value=\"all\""), "{told}");
    let (_, told) = ask(&street, &officer, "GET /settings", "").await;
    assert!(!told.contains("/settings/roster") && told.contains("/settings/sites"), "{told}");
    let (_, told) = ask(&street, &officer, "GET /api/v1/status", "").await;
    assert!(told.contains("\"blind\":1") && told.contains("\"unreachable\":2"), "{told}");
    let (_, told) = ask(&street, &officer, "GET /cameras?q=ngoai", "").await;
    assert!(!told.contains("ngoai-"), "{told}");
    let (_, told) = ask(&street, &officer, "GET /reports/2026-09.csv", "").await;
    assert!(told.contains("trong-cam") && !told.contains(OUTSIDE), "{told}");
}

#[tokio::test(start_paused = true)]
async fn events_tell_what_lies_within_and_end_when_somebody_is_bound_to_another_area() {
    let (street, registers, _) = house();
    let officer = token(Role::Officer, true);
    let listen = async |query: &str| {
        let mut listener = street.visit(somewhere());
        let head = "host: 10.20.0.2:9740\r\nconnection: close\r\n";
        listener.say(&format!("GET /events?{query} HTTP/1.1\r\n{head}authorization: Bearer {officer}\r\n\r\n")).await;
        listener
    };
    for query in ["", "site=trong-cho", "map=all", "list=sites", "list=cameras", "list=incidents", "list=links"] {
        let told = listen(query).await.hears("event: wall").await;
        assert!(!told.contains(OUTSIDE), "{query}: {told}");
    }
    for query in ["site=ngoai-cho", "camera=ngoai-cam", "link=ngoai-link", "area=ngoai-khu"] {
        let told = listen(query).await.rest().await;
        assert!(!told.contains("event: wall"), "{query}: {told}");
    }
    let mut listener = listen("").await;
    listener.hears("event: wall").await;
    let mut register = (**registers.borrow()).clone();
    let now = snapshot().at;
    let id = secrets::known_as(&officer);
    let pass = register.pass(now, &id).expect("it is there").clone();
    decide(&mut register, now, Wish::Revoke(id)).expect("it is ended");
    decide(&mut register, now, Wish::Issue(pass.within(Bounds::of(["ngoai-khu".into()])))).expect("it is issued");
    registers.send_replace(Arc::new(register));
    let rest = tokio::time::timeout(std::time::Duration::from_secs(10), listener.rest()).await;
    assert!(rest.is_ok_and(|told| !told.contains(OUTSIDE)), "it went on");
}

#[tokio::test(start_paused = true)]
async fn an_area_that_is_gone_shows_nothing_at_all() {
    let (street, registers, _) = house();
    let (now, mut register) = (snapshot().at, (**registers.borrow()).clone());
    let pass = Pass::of_thing(secrets::known_as("gone"), PassKind::Token, "x".into(), Role::Chief, (now, None));
    decide(&mut register, now, Wish::Issue(pass.within(Bounds::of(["weg".into()])))).expect("it is issued");
    registers.send_replace(Arc::new(register));
    let (status, told) = ask(&street, "gone", "GET /", "").await;
    assert!(status == 200 && told.contains("Không có camera nào") && told.contains("<b>weg</b>"), "{told}");
    assert!(!told.contains("trong-") && !told.contains(OUTSIDE), "{told}");
}

/// The table of the documentation, made from the code.
fn documented() -> String {
    let mut text = String::from("| whoever is bound to areas gets | at |\n| --- | --- |\n");
    for (kind, words) in [
        (Given::Part, "what lies in them, of all that is listed"),
        (Given::Thing, "the thing that is named, where it lies in them; else it is as if it were not there (404)"),
        (Given::Nothing, "nothing (403): it is about the whole commune"),
    ] {
        let at = ALL.iter().filter(|(method, route, needed)| given(method, route, *needed) == kind);
        let at: Vec<String> = at.map(|(method, route, _)| format!("`{method} {route}`")).collect();
        text += &format!("| {words} | {} |\n", at.join(", "));
    }
    text
}

#[test]
fn the_documentation_has_the_table_of_areas() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rights.md");
    let text = std::fs::read_to_string(path).expect("it is there");
    let (before, rest) = text.split_once("<!-- areas -->\n").expect("a mark before the table");
    let (table, after) = rest.split_once("<!-- /areas -->").expect("a mark behind it");
    if std::env::var_os("CAMHEALTH_BLESS").is_some() {
        let text = format!("{before}<!-- areas -->\n{}<!-- /areas -->{after}", documented());
        std::fs::write(path, text).expect("it can be written");
        return;
    }
    assert_eq!(table, documented(), "CAMHEALTH_BLESS=1 writes it anew");
}

/// A handler that is given all could show all: those that are have nothing of the fleet in their answers, or show one thing
/// by a secret of its own.
#[test]
fn handlers_are_given_what_their_visitor_sees() {
    let sources = [
        include_str!("accounts.rs"),
        include_str!("visit.rs"),
        include_str!("events.rs"),
        include_str!("report/visit.rs"),
        include_str!("editing/mod.rs"),
        include_str!("editing/silences.rs"),
        include_str!("api/areas.rs"),
        include_str!("api/cameras.rs"),
        include_str!("api/incidents.rs"),
        include_str!("api/reports.rs"),
        include_str!("api/settings.rs"),
        include_str!("api/silences.rs"),
        include_str!("api/sites.rs"),
        include_str!("api/status.rs"),
        include_str!("api/accounts.rs"),
    ];
    for source in sources {
        assert!(!source.contains("State(shared)") && !source.contains("state.snapshots.borrow"), "{source}");
    }
}
