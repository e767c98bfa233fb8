//! The fleet's metrics: a pure function of one snapshot.

use crate::model::{Camera, CameraId, CameraStatus, Check, Kind, Level, Site, SiteStatus, Snapshot, State, ViewState};
use jiff::Timestamp;
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use std::collections::{BTreeMap, BTreeSet};

/// All families that have at least one series.
pub(super) fn families(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    cameras(snapshot, &mut families);
    sites(snapshot, &mut families);
    commune(snapshot, &mut families);
    super::incidents::families(snapshot, &mut families);
    super::budgets::budgets(&snapshot.outlooks, &mut families);
    families.retain(|family| !family.get_metric().is_empty());
    families
}

fn cameras(snapshot: &Snapshot, families: &mut Vec<MetricFamily>) {
    let all = || {
        let status = |camera: &'_ std::sync::Arc<Camera>| snapshot.cameras.get(&camera.id).cloned();
        snapshot.fleet.cameras.values().filter_map(move |camera| Some((camera.clone(), status(camera)?)))
    };
    let mut each = |name: &str, help: &str, value: &dyn Fn(&CameraStatus) -> Option<f64>| {
        let mut family = Family::gauge(name, help);
        for (camera, status) in all() {
            if let Some(value) = value(&status) {
                family.add(&[("camera", camera.id.as_str())], value);
            }
        }
        families.push(family.done());
    };
    let seconds = |at: Option<Timestamp>| at.map(|at| at.as_millisecond() as f64 / 1000.0);
    each(
        "camhealth_camera_state_since_timestamp_seconds",
        "Since when the camera is in its state, as Unix time in seconds.",
        &|status| seconds(Some(status.since)),
    );
    each(
        "camhealth_camera_last_probe_timestamp_seconds",
        "When the camera was last looked at, as Unix time in seconds.",
        &|status| seconds(status.last_probe),
    );
    each(
        "camhealth_camera_last_media_timestamp_seconds",
        "When video last arrived, as Unix time in seconds; the age of the stream figures.",
        &|status| seconds(status.last_media),
    );
    each("camhealth_camera_frames_per_second", "Frame rate by RTP timestamps in the last look at the stream.", &|s| {
        s.stream_at(snapshot.at)?.fps
    });
    each(
        "camhealth_camera_stream_bytes_per_second",
        "RTP payload in bytes a second of media time in the last look at the stream.",
        &|s| s.stream_at(snapshot.at)?.bytes_per_second,
    );
    each(
        "camhealth_camera_keyframe_interval_seconds",
        "Longest time between keyframes in the last look at the stream that saw two, in seconds.",
        &|s| s.stream_at(snapshot.at)?.keyframe_interval_seconds,
    );
    each("camhealth_camera_packets_lost", "RTP packets missing in the last look at the stream.", &|s| {
        Some(f64::from(s.stream_at(snapshot.at)?.packets_lost))
    });
    each(
        "camhealth_camera_identical_frames",
        "Frames that repeat the one before in the last look at the stream.",
        &|s| Some(f64::from(s.stream_at(snapshot.at)?.identical_frames)),
    );
    each(
        "camhealth_camera_delta_frame_bytes",
        "Mean size of the frames between keyframes in the last look at the stream, in bytes.",
        &|s| s.stream_at(snapshot.at)?.delta_frame_bytes,
    );
    each(
        "camhealth_camera_jitter_seconds",
        "Worst interarrival jitter (RFC 3550) in the last look at the stream, in seconds.",
        &|s| s.stream_at(snapshot.at)?.jitter_seconds,
    );
    each(
        "camhealth_camera_media_speed_ratio",
        "Media time a second of arrival in the last look at the stream that was long enough; 1 is right.",
        &|s| s.stream_at(snapshot.at)?.media_speed,
    );
    each("camhealth_camera_timestamp_jumps", "Timestamps that jumped in the last look at the stream.", &|s| {
        Some(f64::from(s.stream_at(snapshot.at)?.timestamp_jumps))
    });
    each("camhealth_camera_parameter_changes", "Parameter sets that changed in the last look at the stream.", &|s| {
        Some(f64::from(s.stream_at(snapshot.at)?.parameter_changes))
    });
    each(
        "camhealth_camera_sender_clock_offset_seconds",
        "Camera time by its last RTCP sender report minus the monitor's, in seconds; only its change means anything.",
        &|s| s.stream_at(snapshot.at)?.sender_clock_seconds,
    );
    each("camhealth_camera_boots", "Starts of the device that were noticed lately.", &|s| {
        s.memory.device.as_ref().map(|_| s.memory.boots.len() as f64)
    });
    each("camhealth_camera_clock_offset_seconds", "Camera clock minus the monitor's, in seconds.", &|s| {
        s.clock_offset_at(snapshot.at)
    });
    let mut counters = [
        Family::counter("camhealth_camera_transitions_total", "Changes of state since the daemon started."),
        Family::counter("camhealth_camera_received_bytes_total", "Bytes received from the camera by probes."),
    ];
    let mut info = Family::gauge("camhealth_camera_info", "What the camera is; always 1. Household names stay out.");
    let mut make_and_model =
        Family::gauge("camhealth_camera_device_info", "What the device says that it is; always 1.");
    let mut streams = Family::gauge(
        "camhealth_camera_stream_info",
        "What the camera sends, and which RTSP client saw it last; always 1, and absent where no video came lately.",
    );
    let mut state = Family::gauge("camhealth_camera_state", "1 for the state that the camera is in, else 0.");
    let mut failure = Family::gauge("camhealth_camera_failure", "1 for the reason why the camera is not well.");
    let mut probes = Family::counter("camhealth_camera_probes_total", "Looks at the camera by depth and outcome.");
    let mut took = Family::gauge("camhealth_camera_probe_duration_seconds", "Time of the last look of each depth.");
    // The hamlet of the first site that it watches; cameras that no view names have none.
    let mut hamlets: BTreeMap<&CameraId, &str> = BTreeMap::new();
    for site in snapshot.fleet.sites.values() {
        for watcher in site.watchers() {
            hamlets.entry(&watcher.camera).or_insert(&site.hamlet);
        }
    }
    for (camera, status) in all() {
        let (id, kind) = (camera.id.as_str(), camera.kind.as_str());
        counters[0].add(&[("camera", id)], status.transitions as f64);
        counters[1].add(&[("camera", id)], status.bytes as f64);
        let name = if camera.kind == Kind::Public { camera.name.as_str() } else { "" };
        let link = camera.link.as_ref().map_or("", |link| link.as_str());
        let device = camera.device.as_str();
        let hamlet = hamlets.get(&camera.id).copied().unwrap_or_default();
        let labels =
            [("camera", id), ("device", device), ("hamlet", hamlet), ("kind", kind), ("link", link), ("name", name)];
        info.add(&labels, 1.0);
        if let Some(facts) = &status.device {
            let (make, model, firmware) = (&facts.manufacturer, &facts.model, &facts.firmware);
            make_and_model
                .add(&[("camera", id), ("firmware", firmware), ("manufacturer", make), ("model", model)], 1.0);
        }
        if let Some(stream) = status.stream_at(snapshot.at) {
            let labels = [("camera", id), ("client", stream.client.as_str()), ("codec", stream.codec.as_str())];
            streams.add(&labels, 1.0);
        }
        for one in State::ALL {
            let labels = [("camera", id), ("kind", kind), ("state", one.as_str())];
            state.add(&labels, f64::from(u8::from(status.state == one)));
        }
        if let Some(cause) = status.cause {
            failure.add(&[("camera", id), ("cause", cause.as_str()), ("kind", kind)], 1.0);
        }
        for check in Check::ALL {
            for (outcome, failed) in [("ok", false), ("failed", true)] {
                let of =
                    |((depth, cause), _): &(&(Check, _), &u64)| *depth == check && Option::is_some(cause) == failed;
                let count: u64 = status.probes.iter().filter(of).map(|(_, count)| count).sum();
                probes.add(&[("camera", id), ("check", check.as_str()), ("outcome", outcome)], count as f64);
            }
            if let Some(last) = status.last.get(&check) {
                took.add(&[("camera", id), ("check", check.as_str())], last.took.as_secs_f64());
            }
        }
    }
    families.extend(counters.map(Family::done));
    families.extend([info, make_and_model, streams, state, failure, probes, took].map(Family::done));
}

fn sites(snapshot: &Snapshot, families: &mut Vec<MetricFamily>) {
    let mut info = Family::gauge("camhealth_site_info", "What the site is; always 1.");
    let mut level = Family::gauge("camhealth_site_level", "1 for the level of coverage that the site has, else 0.");
    let mut views = Family::gauge("camhealth_site_views", "Views of the site by whether they are seen.");
    let mut incident =
        Family::gauge("camhealth_site_incident_open", "1 while people were told and not yet taken back.");
    let mut since = Family::gauge(
        "camhealth_site_level_since_timestamp_seconds",
        "Since when the site has its level, as Unix time in seconds.",
    );
    let mut latitude = Family::gauge("camhealth_site_latitude_degrees", "Where the site lies, north of the equator.");
    let mut longitude = Family::gauge("camhealth_site_longitude_degrees", "Where the site lies, east of Greenwich.");
    let mut watches = Family::gauge("camhealth_site_camera_info", "A camera that sees a view of the site; always 1.");
    let mut view_state = Family::gauge("camhealth_view_state", "1 for whether the view is seen, else 0.");
    for (id, status) in &snapshot.sites {
        let Some(site) = snapshot.fleet.sites.get(id) else { continue };
        let (site, status): (&Site, &SiteStatus) = (site, status);
        let id = id.as_str();
        info.add(&[("hamlet", &site.hamlet), ("name", &site.name), ("site", id)], 1.0);
        for one in Level::ALL {
            level.add(&[("level", one.as_str()), ("site", id)], f64::from(u8::from(status.level == one)));
        }
        if let Some(location) = site.location {
            latitude.add(&[("site", id)], location.latitude);
            longitude.add(&[("site", id)], location.longitude);
        }
        let cameras: BTreeSet<_> = site.watchers().map(|one| &one.camera).collect();
        for camera in cameras {
            watches.add(&[("camera", camera.as_str()), ("hamlet", &site.hamlet), ("site", id)], 1.0);
        }
        for view in &status.views {
            for one in [ViewState::Covered, ViewState::Lost, ViewState::Unknown] {
                let labels = [("site", id), ("state", one.as_str()), ("view", view.name.as_str())];
                view_state.add(&labels, f64::from(u8::from(view.state == one)));
            }
        }
        for one in [ViewState::Covered, ViewState::Lost, ViewState::Unknown] {
            let count = status.views.iter().filter(|view| view.state == one).count();
            views.add(&[("site", id), ("state", one.as_str())], count as f64);
        }
        incident.add(&[("site", id)], f64::from(u8::from(status.incident.is_some())));
        since.add(&[("site", id)], status.since.as_millisecond() as f64 / 1000.0);
    }
    let places = [latitude, longitude, watches, view_state];
    families.extend([info, level, views, incident, since].into_iter().chain(places).map(Family::done));
}

fn commune(snapshot: &Snapshot, families: &mut Vec<MetricFamily>) {
    let mut cameras = Family::gauge("camhealth_cameras", "Cameras by kind and state.");
    for kind in Kind::ALL {
        for state in State::ALL {
            let labels = [("kind", kind.as_str()), ("state", state.as_str())];
            cameras.add(&labels, snapshot.count(kind, state) as f64);
        }
    }
    let coverage = snapshot.coverage;
    let mut views = Family::gauge("camhealth_views", "Views of the commune by whether they are seen.");
    let unknown = coverage.total.saturating_sub(coverage.covered + coverage.lost);
    for (state, count) in [("covered", coverage.covered), ("lost", coverage.lost), ("unknown", unknown)] {
        views.add(&[("state", state)], count as f64);
    }
    let mut ratio = Family::gauge("camhealth_coverage_ratio", "Covered views as a share of all by weight, 0 to 1.");
    if let Some(value) = coverage.ratio() {
        ratio.add(&[], value);
    }
    let mut at = Family::gauge("camhealth_snapshot_timestamp_seconds", "The moment that all this speaks of.");
    at.add(&[], snapshot.at.as_millisecond() as f64 / 1000.0);
    families.extend([cameras, views, ratio, at].map(Family::done));
}

/// A metric family in the making.
pub(super) struct Family {
    proto: MetricFamily,
    kind: MetricType,
}

impl Family {
    pub(super) fn gauge(name: &str, help: &str) -> Self {
        Self::new(name, help, MetricType::GAUGE)
    }

    pub(super) fn counter(name: &str, help: &str) -> Self {
        Self::new(name, help, MetricType::COUNTER)
    }

    fn new(name: &str, help: &str, kind: MetricType) -> Self {
        let mut proto = MetricFamily::default();
        proto.set_name(name.to_owned());
        proto.set_help(help.to_owned());
        proto.set_field_type(kind);
        Self { proto, kind }
    }

    pub(super) fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        let pair = |(name, value): &(&str, &str)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        };
        let mut metric = Metric::default();
        metric.set_label(labels.iter().map(pair).collect());
        if self.kind == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.proto.mut_metric().push(metric);
    }

    pub(super) fn done(self) -> MetricFamily {
        self.proto
    }
}
