//! The demo's commune: 40 public and 200 household cameras, 14 sites, and a configuration with a quick cadence.

use super::demo_agents;
use crate::{
    alert,
    config::Config,
    deliver::{self, Channel, Target},
    health, journal, metrics,
    model::{
        Camera, Commune, DailyHours, Device, Fleet, Kind, Language, Level, Link, LinkKind, Location, Login, Site, View,
        Watcher,
    },
    probe, schedule,
    sim::{SimCamera, Spec, fleet_addresses},
    topology, uptime, web,
};
use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc, time::Duration};

const PUBLIC: usize = 40;
const HOUSEHOLDS: usize = 200;
/// A login that protects nothing: it lives and dies with the demo.
const LOGIN: (&str, &str) = ("camhealth", "demo");

/// Name, hamlet and views of each site; each view takes the next public camera.
const SITES: [(&str, &str, &[&str]); 14] = [
    ("Ngã tư Chợ", "Thôn Đông", &["về phía cảng", "vào chợ", "về phía trường học"]),
    ("Cầu Cảng", "Thôn Đông", &["mặt cầu", "bến cá", "đường ven biển"]),
    ("Ngã ba Đình", "Thôn Đoài", &["về phía đình", "về phía ủy ban", "đường liên thôn"]),
    ("Cổng Trường Tiểu học", "Thôn Đoài", &["cổng chính", "đường vào", "cổng sau"]),
    ("Ngã tư Ủy ban", "Thôn Trung", &["về phía bắc", "về phía nam", "về phía tây"]),
    ("Ngã ba Bưu điện", "Thôn Trung", &["về phía chợ", "về phía đê", "quảng trường"]),
    ("Trạm Y tế", "Thôn Trung", &["cổng", "ngã rẽ", "bãi xe"]),
    ("Cầu Sông Hói", "Thôn Nam", &["đầu cầu bắc", "đầu cầu nam"]),
    ("Ngã ba Miếu", "Thôn Nam", &["về phía miếu", "đường đê", "về phía biển"]),
    ("Bến Thuyền", "Thôn Hải", &["cầu tàu", "bãi neo", "đường xuống bến"]),
    ("Ngã tư Đê biển", "Thôn Hải", &["đê bắc", "đê nam", "vào thôn"]),
    ("Trạm bơm", "Thôn Bắc", &["cửa cống", "đường đê"]),
    ("Nghĩa trang", "Thôn Bắc", &["cổng", "đường liên xã"]),
    ("Cổng chào xã", "Thôn Bắc", &["vào xã", "ra quốc lộ", "đường gom", "vỉa hè"]),
];

/// Latitude and longitude of each site; the commune is 2 km² by the sea.
const PLACES: [(f64, f64); 14] = [
    (19.4052, 105.8011),
    (19.4071, 105.8046),
    (19.4048, 105.7972),
    (19.4032, 105.7958),
    (19.4027, 105.8002),
    (19.4035, 105.8028),
    (19.4019, 105.8017),
    (19.3988, 105.8009),
    (19.3979, 105.8038),
    (19.4012, 105.8079),
    (19.4040, 105.8084),
    (19.4089, 105.8001),
    (19.4098, 105.8032),
    (19.4108, 105.7968),
];

/// Numbers of the cameras that hang on Thôn Hải's fibre: those of its two sites, and its households.
pub(super) const THON_HAI: [usize; 34] = {
    let mut numbers = [0; 34];
    let (mut household, mut filled) = (1, 0);
    while filled < 6 {
        numbers[filled] = 27 + filled;
        filled += 1;
    }
    while household <= HOUSEHOLDS {
        if matches!(household % SITES.len(), 9 | 10) {
            numbers[filled] = PUBLIC + household;
            filled += 1;
        }
        household += 1;
    }
    numbers
};

/// Who takes turns in the demo.
const OFFICERS: [(&str, &str); 3] = [("an", "Trung úy An"), ("binh", "Thiếu úy Bình"), ("chi", "Thượng úy Chi")];

/// Opens all cameras' ports.
pub(super) async fn cameras() -> io::Result<Vec<SimCamera>> {
    let mut cameras = Vec::with_capacity(PUBLIC + HOUSEHOLDS);
    for (number, (rtsp, onvif)) in fleet_addresses(PUBLIC + HOUSEHOLDS).into_iter().enumerate() {
        let login = Some((LOGIN.0.to_owned(), LOGIN.1.to_owned()));
        let serial = format!("SIM{number:05}");
        cameras.push(SimCamera::start(Spec { onvif: Some(onvif), login, serial, ..Spec::new(rtsp) }).await?);
    }
    Ok(cameras)
}

/// The configuration under which the daemon watches them, with so many agents. `receiver` takes the messages.
pub(super) fn config(
    cameras: &[SimCamera],
    agents: u8,
    (listen, receiver): (SocketAddr, SocketAddr),
) -> Result<Config, String> {
    let webhook = format!("http://{receiver}/").parse().map_err(|error| format!("the receiver's address: {error}"))?;
    let channel = Channel::new(Target::Webhook { url: webhook, token: None, secret: None }, Language::default());
    let seconds = Duration::from_secs;
    let defaults = schedule::Settings::default();
    Ok(Config {
        fleet: Arc::new(fleet(cameras, agents)?),
        metrics: metrics::Detail::default(),
        health: health::Settings {
            stale_after_public: seconds(45),
            stale_after_household: seconds(10 * 60),
            ..health::Settings::default()
        },
        schedule: schedule::Settings {
            public: schedule::Cadence {
                liveness: seconds(5),
                stream: seconds(15),
                survey: seconds(60),
                device: seconds(30),
                ..defaults.public.clone()
            },
            household: schedule::Cadence {
                liveness: seconds(30),
                stream: seconds(120),
                survey: seconds(1800),
                device: seconds(600),
                bytes_per_day: 200_000_000,
                ..defaults.household.clone()
            },
            down_every: seconds(10),
            dead_every: seconds(10),
            // Longer than the script's wrong login lasts, so that the second try is a good one.
            auth_retry_after: seconds(75),
            ..defaults
        },
        probe: probe::Settings::default(),
        journal: journal::Settings { path: None, ..journal::Settings::default() },
        deliver: deliver::Settings {
            channels: [("demo".into(), channel)].into(),
            page: format!("http://{listen}/").parse().ok(),
            ..deliver::Settings::default()
        },
        alert: roster(),
        topology: topology::Settings { settle: seconds(40), ..topology::Settings::default() },
        uptime: uptime::Settings { contract: Some(contract()), ..uptime::Settings::default() },
        web: web::Settings { listen, sign_in: false, ..web::Settings::default() },
        files: crate::config::Files::default(),
        owners: None,
        sheet: Arc::default(),
    })
}

/// Terms that are as quick as the rest: of the demo's faults some are repaired in time.
fn contract() -> uptime::Contract {
    let term = |level, respond: u64, repair: u64| uptime::Term {
        level,
        kinds: Vec::new(),
        respond_by: Some(Duration::from_secs(respond)),
        repair_by: Some(Duration::from_secs(repair)),
        hours: None,
    };
    uptime::Contract {
        contractor: "Công ty Ánh Sáng".to_owned(),
        terms: vec![term(Level::Blind, 60, 180), term(Level::Critical, 180, 600), term(Level::Unknown, 600, 3600)],
    }
}

fn roster() -> alert::Settings {
    let person = |name: &str| alert::Person { name: name.to_owned(), channels: vec!["demo".into()], calls: vec![] };
    alert::Settings {
        people: OFFICERS.iter().map(|(id, name)| ((*id).into(), person(name))).collect(),
        rotations: vec![alert::Rotation {
            id: "oncall".into(),
            people: OFFICERS.iter().map(|(id, _)| (*id).into()).collect(),
            start: jiff::civil::date(2026, 1, 1),
            handovers: vec![jiff::civil::time(7, 0, 0, 0)],
            days: 1,
            handover_notice: std::time::Duration::ZERO,
        }],
        ..alert::Settings::default()
    }
}

/// Behind which agent a household's camera hangs, if it does: the last ones do, two with each.
fn behind(household: usize, agents: u8) -> Option<u8> {
    u8::try_from((HOUSEHOLDS - household) / 2 + 1).ok().filter(|agent| *agent <= agents)
}

fn fleet(simulated: &[SimCamera], agents: u8) -> Result<Fleet, String> {
    let login = Arc::new(Login::new(LOGIN.0, LOGIN.1.to_owned()));
    let views = SITES.iter().flat_map(|(site, hamlet, views)| views.iter().map(move |view| (*site, *hamlet, *view)));
    let mut places = views.take(PUBLIC);
    let mut cameras = BTreeMap::new();
    let mut links = BTreeMap::new();
    for (number, camera) in simulated.iter().enumerate() {
        let (id, name, kind, hamlet, agent) = match places.next() {
            Some((site, hamlet, view)) => {
                (format!("cam-{:02}", number + 1), format!("{site}, {view}"), Kind::Public, hamlet, None)
            }
            None => {
                let household = number + 1 - PUBLIC;
                let hamlet = SITES[household % SITES.len()].1;
                let (id, name) = (format!("ho-{household:03}"), format!("Hộ {household:03}"));
                (id, name, Kind::Household, hamlet, behind(household, agents))
            }
        };
        let fibre = crate::model::folded(hamlet).to_lowercase().replace(' ', "-");
        let as_link = |name: String, kind, parent: Option<&str>| Link {
            name,
            kind,
            parent: parent.map(Into::into),
            bytes_per_day: None,
            // The first look at all 240 must not keep the visitor waiting.
            looks_per_second: 20.0,
            probe: None,
        };
        let of_fibre = || as_link(format!("Cáp quang {hamlet}"), LinkKind::Uplink, None);
        links.entry(fibre.as_str().into()).or_insert_with(of_fibre);
        let link = agent.map_or_else(|| fibre.clone(), demo_agents::link);
        if let Some(agent) = agent {
            let of_agent = || as_link(format!("Hộp theo dõi hẻm {agent}"), LinkKind::Agent, Some(&fibre));
            links.entry(link.as_str().into()).or_insert_with(of_agent);
        }
        let parse = |url: String| url.parse().map_err(|error| format!("a simulated camera's address: {error}"));
        let rtsp = parse(camera.rtsp_url())?;
        let camera = Camera {
            name,
            kind,
            link: Some(link.as_str().into()),
            onvif: camera.onvif_url().map(parse).transpose()?,
            login: Some(login.clone()),
            ..Camera::new(&id, rtsp)
        };
        cameras.insert(camera.id.clone(), Arc::new(camera));
    }
    let commune = Commune {
        name: "Xã Hải Bình (mô phỏng)".into(),
        language: Language::default(),
        timezone: jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh")
            .unwrap_or_else(|_| jiff::tz::TimeZone::fixed(jiff::tz::offset(7))),
        night: DailyHours::NIGHT,
    };
    let devices = cameras.values().map(|camera| (camera.device.clone(), Device { sessions: 1, notes: None })).collect();
    Ok(Fleet { devices, cameras, sites: sites(), links, ..Fleet::empty(commune) })
}

fn sites() -> BTreeMap<crate::model::SiteId, Arc<Site>> {
    let mut number = 0;
    let site = |(place, (name, hamlet, views)): (usize, &(&str, &str, &[&str]))| {
        let views = views.iter().map(|view| {
            number += 1;
            let camera = format!("cam-{number:02}");
            View::new(view, vec![Watcher { camera: camera.as_str().into(), spare: false }])
        });
        let id = format!("site-{:02}", place + 1);
        let site = Site {
            name: (*name).into(),
            hamlet: (*hamlet).into(),
            location: PLACES
                .get(place)
                .map(|(latitude, longitude)| Location { latitude: *latitude, longitude: *longitude }),
            clear_after: Duration::from_secs(5),
            ..Site::new(&id, views.collect())
        };
        (site.id.clone(), Arc::new(site))
    };
    SITES.iter().enumerate().map(site).collect()
}
