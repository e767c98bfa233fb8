//! Fleets for tests, in memory: cameras, sites and areas with long names, in any state.

use crate::model::{
    Area, AreaId, Camera, CameraStatus, Cause, Check, Codec, Commune, Counts, Coverage, DailyHours, FailureKind, Fleet,
    Incident, IncidentId, Kind, Language, LastCheck, Level, Link, LinkKind, Location, Reasoning, Rung, RungName, Site,
    SiteStatus, Snapshot, State, StreamFacts, View, ViewState, ViewStatus, Watcher, told,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

/// A camera as a test wants it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) state: State,
    pub(super) cause: Option<FailureKind>,
    /// The number of its area; of the first half of the areas each has the one of the same number in the second half
    /// for a part.
    pub(super) area: Option<usize>,
    /// Seconds for which it has stood so.
    pub(super) age: i64,
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

pub(super) fn area(number: usize) -> AreaId {
    format!("khu-{number:03}").as_str().into()
}

/// A snapshot in which every three cameras have a site, of three views, where the first of them lies.
pub(super) fn snapshot(wanted: &[Wanted], areas: usize) -> Arc<Snapshot> {
    let mut fleet = Fleet::empty(Commune {
        name: "Tỉnh Thử".into(),
        language: Language::Vi,
        timezone: jiff::tz::TimeZone::fixed(jiff::tz::offset(7)),
        night: DailyHours::NIGHT,
    });
    for number in 0..areas {
        let parent = (number >= areas.div_ceil(2)).then(|| area(number - areas.div_ceil(2)));
        fleet.areas.insert(area(number), Area { name: format!("Xã Đường Thượng số {number}"), parent });
    }
    let link = Link {
        name: "Cáp quang liên xã số 1".into(),
        kind: LinkKind::Uplink,
        parent: None,
        bytes_per_day: None,
        looks_per_second: 5.0,
        probe: None,
    };
    fleet.links.insert("quang".into(), link);
    let mut counts = Counts::default();
    let mut statuses = Vec::new();
    for (number, wanted) in wanted.iter().enumerate() {
        let id = format!("camera-{number:05}");
        let rtsp = format!("rtsp://10.1.{}.{}/x", number / 250, number % 250).parse().expect("a URL");
        let camera = Camera {
            name: wanted.name.clone(),
            kind: wanted.kind,
            area: wanted.area.map(area),
            link: Some("quang".into()),
            ..Camera::new(&id, rtsp)
        };
        let status = seen(wanted);
        counts.camera(camera.kind, None, status.state);
        statuses.push((camera.id.clone(), Arc::new(status)));
        fleet.cameras.insert(camera.id.clone(), Arc::new(camera));
    }
    let mut sites = Vec::new();
    for (number, three) in wanted.chunks(3).enumerate() {
        let views = (0..three.len()).map(|view| {
            let camera = format!("camera-{:05}", number * 3 + view);
            let watchers = vec![Watcher { camera: camera.as_str().into(), spare: false }];
            View::new(&format!("về phía thứ {view}"), watchers)
        });
        let site = Site {
            name: format!("Ngã tư {}", three[0].name),
            hamlet: format!("Thôn {}", number % 700),
            area: three[0].area.map(area),
            location: Some(Location {
                latitude: 19.0 + (number % 97) as f64 / 100.0,
                longitude: 105.0 + (number % 89) as f64 / 100.0,
            }),
            ..Site::new(&format!("site-{number:05}"), views.collect())
        };
        let views = three.iter().zip(&site.views).map(|(wanted, view)| {
            let state = match wanted.state {
                State::Up | State::Degraded => ViewState::Covered,
                State::Down | State::Unreachable => ViewState::Lost,
                _ => ViewState::Unknown,
            };
            ViewStatus { name: view.name.clone(), state, seeing: 1, needs: 1, weight: 1.0 }
        });
        let views: Vec<ViewStatus> = views.collect();
        let lost = views.iter().filter(|view| view.state == ViewState::Lost).count();
        let level = match lost {
            0 if views.iter().any(|view| view.state == ViewState::Unknown) => Level::Unknown,
            0 => Level::Full,
            lost if lost == views.len() => Level::Blind,
            _ => Level::Critical,
        };
        let status =
            SiteStatus { revision: 0, level, since: at(-three[0].age), views, incident: None, recovering: None };
        counts.site(None, level);
        sites.push((site.id.clone(), Arc::new(status)));
        fleet.sites.insert(site.id.clone(), Arc::new(site));
    }
    let base = super::router::tests::snapshot(State::Up, 0);
    let mut coverage = Coverage::default();
    let mut by_area: BTreeMap<AreaId, Coverage> =
        (0..areas).map(|number| (area(number), Coverage::default())).collect();
    for (id, status) in &sites {
        for view in &status.views {
            coverage.add(view.state, view.weight);
            for area in fleet.areas_up_from(fleet.sites[id].area.as_ref()) {
                by_area.get_mut(area).expect("it is there").add(view.state, view.weight);
            }
        }
    }
    let bad: Vec<_> = sites.iter().filter(|(_, status)| status.level == Level::Blind).collect();
    let incidents = bad.chunks(30).enumerate().map(|(number, sites)| {
        let number = u32::try_from(number).expect("few") + 18;
        Arc::new(Incident {
            id: IncidentId::stored(format!("cause-{number}")),
            number,
            cause: Cause::Site(sites[0].0.clone()),
            sites: sites.iter().map(|(id, status)| (id.clone(), status.level)).collect(),
            ..(*base.incidents[0]).clone()
        })
    });
    Arc::new(Snapshot {
        incidents: Arc::new(incidents.chain(base.incidents.iter().cloned()).collect()),
        counts,
        fleet: Arc::new(fleet),
        cameras: statuses.into_iter().collect(),
        sites: sites.into_iter().collect(),
        coverage,
        areas: by_area.into_iter().collect(),
        ..(*base).clone()
    })
}

/// What was last seen of a camera, with as many words as there may be.
fn seen(wanted: &Wanted) -> CameraStatus {
    let stream = StreamFacts {
        frames: 200,
        packets_lost: 3,
        width: Some(1920),
        height: Some(1080),
        fps: Some(25.0),
        bytes_per_second: Some(64_000.0),
        ..StreamFacts::new(Codec::H264)
    };
    let rung = |name: &RungName| Rung {
        name: *name,
        ok: wanted.cause.is_none(),
        seconds: 0.0123,
        detail: told!(LoginRejected, "401 Unauthorized, Digest realm \"IP Camera (C1234)\"", "DESCRIBE"),
    };
    let last = LastCheck {
        started: at(-20),
        took: std::time::Duration::from_millis(740),
        failure: wanted.cause,
        rungs: RungName::ALL.iter().take(8).map(rung).collect(),
    };
    CameraStatus {
        cause: wanted.cause,
        detail: told!(SessionsTaken, "503 Service Unavailable", "DESCRIBE"),
        last_probe: Some(at(-20)),
        last_media: Some(at(-30)),
        stream: Some(stream),
        last: [(Check::Stream, last)].into(),
        clock_offset_seconds: Some(-12.0),
        clock_measured: Some(at(-60)),
        reasoning: Some(Reasoning {
            bad: 0,
            bad_kind: None,
            bad_needed: 3,
            good: 9,
            good_needed: 2,
            shade: None,
            proven: Some(at(-30)),
            stale_after: std::time::Duration::from_secs(300),
        }),
        ..CameraStatus::unseen(wanted.state, at(-wanted.age))
    }
}

/// A province: every camera public or lent, a third of them not well.
pub(super) fn province(cameras: usize, areas: usize) -> Arc<Snapshot> {
    let wanted: Vec<Wanted> = (0..cameras)
        .map(|number| Wanted {
            name: format!("Đường Nguyễn Thị Minh Khai, đoạn <số> {number}, về phía cầu"),
            kind: if number % 6 == 0 { Kind::Household } else { Kind::Public },
            state: if number % 3 == 0 { State::ALL[number / 3 % State::ALL.len()] } else { State::Up },
            cause: (number % 3 == 0).then(|| FailureKind::ALL[number / 3 % FailureKind::ALL.len()]),
            area: (areas > 0).then(|| number / 3 % areas),
            age: (number * 7 % 100_000) as i64,
        })
        .collect();
    snapshot(&wanted, areas)
}
