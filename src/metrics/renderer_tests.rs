//! That a text that is put together from kept lines is the one that would be written anew.

use super::*;
use crate::model::{
    Camera, Check, Client, Codec, Commune, Counts, Coverage, DailyHours, FailureKind, Fleet, Kind, Language, Level,
    Location, Site, SiteStatus, State, StreamFacts, View, ViewState, ViewStatus, Watcher,
};
use imbl::OrdMap;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn fleet(cameras: usize) -> Arc<Fleet> {
    let mut fleet = Fleet::empty(Commune {
        name: "Hải Bình".into(),
        language: Language::Vi,
        timezone: jiff::tz::TimeZone::fixed(jiff::tz::offset(7)),
        night: DailyHours::NIGHT,
    });
    for number in 0..cameras {
        let id = format!("cam-{number:05}");
        let url = "rtsp://127.0.0.1/live".parse().expect("a URL");
        let kind = if number % 6 == 0 { Kind::Public } else { Kind::Household };
        let camera = Camera { kind, name: "Cổng \"chợ\"\\".into(), ..Camera::new(&id, url) };
        fleet.cameras.insert(camera.id.clone(), Arc::new(camera));
        if number % 3 == 0 {
            let view = View::new("đường vào", vec![Watcher { camera: id.as_str().into(), spare: false }]);
            let site = Site::new(&format!("site-{number}"), vec![view]);
            let location = Some(Location { latitude: 19.4, longitude: 105.8 });
            fleet.sites.insert(site.id.clone(), Arc::new(Site { location, hamlet: "Thôn Hải".into(), ..site }));
        }
    }
    Arc::new(fleet)
}

fn snapshot(fleet: &Arc<Fleet>) -> Snapshot {
    let unseen = |id: &CameraId| (id.clone(), Arc::new(CameraStatus::unseen(State::Unknown, at(0))));
    let view =
        || ViewStatus { name: "đường vào".into(), state: ViewState::Unknown, seeing: 0, needs: 1, weight: 1.0 };
    let site = |id: &crate::model::SiteId| {
        let views = vec![view()];
        let status =
            SiteStatus { revision: 0, level: Level::Unknown, since: at(0), views, incident: None, recovering: None };
        (id.clone(), Arc::new(status))
    };
    Snapshot {
        at: at(0),
        fleet: fleet.clone(),
        cameras: fleet.cameras.keys().map(unseen).collect(),
        sites: fleet.sites.keys().map(site).collect(),
        counts: Counts::default(),
        coverage: Coverage::default(),
        hamlets: OrdMap::new(),
        areas: OrdMap::new(),
        links: OrdMap::new(),
        agents: OrdMap::new(),
        cut_off: None,
        anchors: None,
        incidents: Arc::default(),
        windows: Arc::default(),
        on_call: Arc::default(),
        outlooks: Arc::default(),
    }
}

/// What a look leaves of a camera.
fn seen(status: &mut CameraStatus, now: Timestamp, state: State) {
    status.state = state;
    status.cause = (state == State::Down).then_some(FailureKind::Timeout);
    (status.last_probe, status.last_media, status.surveyed) = (Some(now), Some(now), Some(now));
    let fps = Some(15.0);
    status.stream = Some(StreamFacts { fps, client: Client::Own, ..StreamFacts::new(Codec::H264) });
    status.clock_measured = Some(now);
    status.clock_offset_seconds = Some(-1.5);
    *status.probes.entry((Check::Stream, status.cause)).or_default() += 1;
    status.reasoning = Some(crate::model::Reasoning {
        bad: 0,
        bad_kind: None,
        bad_needed: 3,
        good: 2,
        good_needed: 2,
        shade: None,
        proven: Some(now),
        stale_after: std::time::Duration::from_secs(300),
    });
}

/// Without what tells of this process and of the moment at which it was written.
fn of_the_fleet(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.contains("process_")).collect()
}

#[test]
fn each_series_of_a_fleet_has_its_family_and_names_are_escaped() {
    let text = super::super::render(&snapshot(&fleet(3)), &Own::new([]));
    let info = "camhealth_camera_info{camera=\"cam-00000\",device=\"cam-00000\",hamlet=\"Thôn Hải\",kind=\"public\",\
        link=\"\",name=\"Cổng \\\"chợ\\\"\\\\\"} 1\n";
    assert!(text.contains(info), "{text}");
    let mut family = "";
    for line in text.lines() {
        match line.strip_prefix("# TYPE ") {
            Some(kind) => family = kind.split(' ').next().unwrap_or_default(),
            None if line.starts_with('#') => {}
            None => assert!(line.starts_with(family), "{line} stands under {family}"),
        }
    }
}

#[test]
fn a_lean_fleet_has_fewer_series_and_the_same_state() {
    let (snapshot, own) = (snapshot(&fleet(60)), Own::new([]));
    let count = |detail| {
        let text = Renderer::default().render(&snapshot, &own, detail);
        assert!(text.contains("camhealth_camera_state{camera=\"cam-00007\",kind=\"household\",state=\"unknown\"} 1"));
        text.lines().filter(|line| line.contains("{camera=")).count()
    };
    assert!(2 * count(Detail::Lean) < count(Detail::Full));
    assert_eq!(count(Detail::BySize), count(Detail::Full));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever changes between scrapes, and however much later the next one comes.
    #[test]
    fn kept_lines_are_those_that_would_be_written_anew(
        steps in prop::collection::vec((0usize..5, 0usize..State::ALL.len(), prop::sample::select(vec![0i64, 1, 299, 301, 90_001])), 1..30),
    ) {
        let (fleet, own, renderer) = (fleet(5), Own::new([]), Renderer::default());
        let mut snapshot = snapshot(&fleet);
        let (mut second, mut revision) = (0, 0);
        for (camera, state, later) in steps {
            second += later;
            snapshot.at = at(second);
            let id = CameraId::from(format!("cam-{camera:05}").as_str());
            // Now and then time alone passes.
            if state > 0 {
                revision += 1;
                let mut status = (*snapshot.cameras[&id]).clone();
                seen(&mut status, snapshot.at, State::ALL[state]);
                status.revision = revision;
                snapshot.cameras.insert(id, Arc::new(status));
            }
            let kept = renderer.render(&snapshot, &own, Detail::Full);
            let anew = Renderer::default().render(&snapshot, &own, Detail::Full);
            prop_assert_eq!(of_the_fleet(&kept), of_the_fleet(&anew));
        }
    }
}
