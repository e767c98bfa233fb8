//! Facts and what they amount to, in tables; and what is remembered from look to look.

use super::*;
use crate::model::Codec;
use std::time::Duration;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

/// A healthy look at a substream.
fn good() -> StreamFacts {
    StreamFacts {
        width: Some(640),
        height: Some(360),
        fps: Some(15.0),
        bytes_per_second: Some(32_000.0),
        keyframe_interval_seconds: Some(2.0),
        frames: 90,
        keyframes: 3,
        packets: 200,
        delta_frame_bytes: Some(2000.0),
        jitter_seconds: Some(0.01),
        media_speed: Some(1.0),
        ..StreamFacts::new(Codec::H264)
    }
}

fn promise() -> Promise {
    Promise {
        codec: Some(Codec::H264),
        size: Some((640, 360)),
        fps: Some(15.0),
        bytes_per_second: Some(32_000.0),
        keyframe_interval: Some(Duration::from_secs(2)),
    }
}

/// A camera with its memory under default settings.
struct Subject {
    promise: Promise,
    serial: Option<&'static str>,
    cause: Option<FailureKind>,
    memory: Memory,
}

impl Subject {
    fn new(promise: Promise) -> Self {
        Self { promise, serial: None, cause: None, memory: Memory::default() }
    }

    fn look(&mut self, second: i64, observation: Observation) -> Option<Failure> {
        let settings = Settings::default();
        let measure = Measure {
            promise: &self.promise,
            serial: self.serial,
            stream: ":554/sub",
            cause: self.cause,
            settings: &settings,
        };
        judge(at(second), &observation, &mut self.memory, measure)
    }

    fn stream(&mut self, second: i64, stream: StreamFacts) -> Option<&'static str> {
        let look = Observation { stream: Some(stream), ..Observation::new(Check::Stream, at(second)) };
        self.look(second, look).map(|failure| failure.kind.as_str())
    }

    fn survey(&mut self, second: i64, stream: StreamFacts) -> Option<&'static str> {
        let look = Observation { stream: Some(stream), ..Observation::new(Check::Survey, at(second)) };
        self.look(second, look).map(|failure| failure.kind.as_str())
    }

    fn device(&mut self, second: i64, device: DeviceFacts) -> Option<&'static str> {
        let look = Observation { device: Some(device), ..Observation::new(Check::Device, at(second)) };
        self.look(second, look).map(|failure| failure.kind.as_str())
    }
}

/// What one look at a camera with promises finds.
#[track_caller]
fn check(change: impl FnOnce(&mut StreamFacts), expected: Option<&str>) {
    let mut facts = good();
    change(&mut facts);
    assert_eq!(Subject::new(promise()).stream(0, facts), expected);
}

#[test]
fn one_look_against_what_was_promised() {
    check(|_| {}, None);
    check(|facts| facts.packets_lost = 2, None);
    check(|facts| facts.packets_lost = 20, Some("loss"));
    check(|facts| facts.timestamp_jumps = 1, Some("timestamps"));
    check(|facts| facts.codec = Codec::H265, Some("parameters_changed"));
    check(|facts| facts.width = Some(1920), Some("parameters_changed"));
    check(|facts| facts.parameter_changes = 1, Some("parameters_changed"));
    check(|facts| facts.fps = Some(8.0), None);
    check(|facts| facts.fps = Some(7.0), Some("low_fps"));
    check(|facts| facts.bytes_per_second = Some(7000.0), None);
    check(|facts| facts.bytes_per_second = Some(6000.0), Some("low_bitrate"));
}

#[test]
fn what_takes_seconds_to_see_is_believed_when_two_long_looks_agree() {
    type Change = fn(&mut StreamFacts);
    let table: [(Change, &str); 4] = [
        (|facts| facts.media_speed = Some(0.5), "timestamps"),
        (|facts| facts.media_speed = Some(1.3), "timestamps"),
        (|facts| facts.jitter_seconds = Some(0.3), "jitter"),
        (|facts| facts.keyframe_interval_seconds = Some(5.0), "keyframe_interval"),
    ];
    for (change, expected) in table {
        let mut bad = good();
        change(&mut bad);
        let mut subject = Subject::new(promise());
        assert_eq!(subject.survey(0, bad.clone()), None, "{expected}");
        assert_eq!(subject.stream(60, good()), None, "{expected}");
        assert_eq!(subject.survey(1800, bad), Some(expected));
        assert_eq!(subject.stream(1860, good()), Some(expected), "a short look must not deny it");
        subject.survey(3600, good());
        subject.survey(5400, good());
        assert_eq!(subject.stream(5460, good()), None, "{expected}");
    }
}

#[test]
fn a_threshold_is_left_with_a_margin() {
    let mut subject = Subject::new(promise());
    let edge = StreamFacts { fps: Some(8.0), ..good() };
    assert_eq!(subject.stream(0, edge.clone()), None);
    subject.cause = Some(FailureKind::LowFps);
    assert_eq!(subject.stream(1, edge), Some("low_fps"));
    assert_eq!(subject.stream(2, StreamFacts { fps: Some(10.0), ..good() }), None);
}

#[test]
fn without_a_promise_its_own_past_at_the_same_hour_is_the_measure() {
    let mut subject = Subject::new(Promise::default());
    let night = 12 * 3600;
    let dark = StreamFacts { fps: Some(7.0), delta_frame_bytes: Some(150.0), bytes_per_second: Some(5000.0), ..good() };
    for look in 0..20 {
        assert_eq!(subject.stream(look * 60, good()), None);
        assert_eq!(subject.stream(night + look * 60, dark.clone()), None, "the first night is the measure of nights");
    }
    assert_eq!(subject.stream(86_400, dark), Some("frozen_suspect"), "by day the same is a fault");
    let slow = StreamFacts { fps: Some(7.0), ..good() };
    assert_eq!(subject.stream(86_460, slow), Some("low_fps"));
    let thin = StreamFacts { bytes_per_second: Some(5000.0), ..good() };
    assert_eq!(subject.stream(86_520, thin), Some("low_bitrate"));
    assert_eq!(subject.stream(86_580, good()), None);
}

#[test]
fn a_changed_stream_is_told_for_a_day_and_then_taken_for_meant() {
    let mut subject = Subject::new(Promise::default());
    let wide = StreamFacts { width: Some(1920), height: Some(1080), ..good() };
    assert_eq!(subject.stream(0, good()), None);
    subject.stream(60, wide.clone());
    assert_eq!(subject.stream(120, wide.clone()), Some("parameters_changed"));
    assert_eq!(subject.stream(80_000, wide.clone()), Some("parameters_changed"));
    assert_eq!(subject.stream(90_000, wide), None);
}

#[test]
fn a_clock_that_runs_fast_shows_in_its_sender_reports() {
    let mut subject = Subject::new(promise());
    let report = |offset| StreamFacts { sender_clock_seconds: Some(offset), ..good() };
    for (second, offset) in [(0, 100.0), (1800, 104.0), (3600, 108.0)] {
        subject.survey(second, report(offset));
    }
    assert_eq!(subject.stream(3660, good()), Some("clock_drift"));
    // A clock that was set once is no drift.
    let mut subject = Subject::new(promise());
    for (second, offset) in [(0, 100.0), (1800, 0.0), (3600, 0.1), (5400, 0.1)] {
        subject.survey(second, report(offset));
    }
    assert_eq!(subject.stream(5460, good()), None);
}

#[test]
fn a_clock_that_is_off_stays_known_and_tells_why() {
    let mut subject = Subject::new(promise());
    let clock = |offset| Observation { clock_offset_seconds: Some(offset), ..Observation::new(Check::Device, at(0)) };
    let told = |failure: Option<Failure>| failure.map(|failure| failure.detail.to_string());
    assert_eq!(told(subject.look(0, clock(59.0))), None);
    assert_eq!(
        told(subject.look(1, clock(25_201.0))).as_deref(),
        Some("camera clock is +25201 s off; check its time zone")
    );
    assert_eq!(subject.stream(2, good()), Some("clock"));
    let factory = told(subject.look(3, clock(-1_790_000_000.0))).expect("a fault");
    assert!(factory.ends_with("give it an NTP server"), "{factory}");
    assert_eq!(subject.memory.boots.len(), 1, "a clock that fell back is evidence of a start");
    assert_eq!(told(subject.look(4, clock(0.0))), None);
}

fn device(serial: &str, firmware: &str) -> DeviceFacts {
    DeviceFacts { serial: serial.into(), firmware: firmware.into(), ..DeviceFacts::default() }
}

#[test]
fn another_device_and_an_older_firmware_are_told() {
    let mut subject = Subject::new(promise());
    assert_eq!(subject.device(0, device("A", "V5.5.10 build 1")), None);
    assert_eq!(subject.device(1, device("A", "V5.6.2 build 2")), None, "an update is no fault");
    assert_eq!(subject.device(2, device("A", "V5.5.10 build 1")), Some("firmware_rollback"));
    assert_eq!(subject.device(3, device("B", "V5.5.10 build 1")), Some("device_swapped"));
    assert_eq!(subject.stream(4, good()), Some("device_swapped"), "looks at the stream do not deny it");
    assert_eq!(subject.device(90_000, device("B", "V5.5.10 build 1")), None, "taken for meant after a day");
    assert_eq!(subject.device(90_000, device("", "V5.5.10 build 1")), None, "it forgot to tell");
    subject.serial = Some("A");
    assert_eq!(subject.device(90_000, device("", "V5.5.10 build 1")), None);
    assert_eq!(subject.device(90_001, device("B", "V5.5.10 build 1")), Some("device_swapped"));
}

#[test]
fn starts_again_and_again_are_a_loop() {
    let mut subject = Subject::new(promise());
    let started = |second| DeviceFacts { last_reboot: Some(at(second)), ..device("A", "1") };
    let seen: Vec<_> = [0, 600, 1200, 1800].map(|second| subject.device(second, started(second))).to_vec();
    assert_eq!(seen, [None, None, None, Some("reboot_loop")]);
    assert_eq!(subject.device(1801, started(1803)), Some("reboot_loop"), "a clock that is set is no start");
    assert_eq!(subject.memory.boots.len(), 3);
    assert_eq!(subject.device(9000, started(1800)), None);
}

#[test]
fn what_the_device_reports_of_itself() {
    let mut subject = Subject::new(promise());
    let reports = |topic: &str| DeviceFacts { alarms: vec![topic.into()], ..device("A", "1") };
    assert_eq!(subject.device(0, reports("VideoSource/SignalLoss")), Some("signal_loss"));
    assert_eq!(subject.device(1, reports("Device/HardwareFailure/StorageFailure")), Some("hardware_failure"));
    assert_eq!(subject.device(2, device("A", "1")), None);
}

#[test]
fn a_stream_that_is_no_longer_named_has_moved() {
    let mut subject = Subject::new(promise());
    let names = |stream: &str| DeviceFacts { streams: vec![stream.into()], ..device("A", "1") };
    assert_eq!(subject.device(0, names(":554/alias")), None, "many devices name one of several addresses");
    assert_eq!(subject.device(1, names(":554/sub?transportmode=unicast")), None);
    assert_eq!(subject.device(2, names(":554/new")), Some("stream_uri_changed"));
    assert!(same_stream(":554/cam?channel=1&subtype=1", ":554/cam?channel=1&subtype=1&unicast=true"));
    assert!(!same_stream(":554/cam?channel=1&subtype=1", ":554/cam?channel=2&subtype=1"));
}

#[test]
fn a_login_that_was_good_is_told_from_one_that_never_was() {
    let mut subject = Subject::new(promise());
    let refused = || Observation {
        failure: Some(Failure::new(FailureKind::Auth, Detail::plain("no"))),
        ..Observation::new(Check::Stream, at(0))
    };
    assert_eq!(subject.look(0, refused()).map(|failure| failure.kind), Some(FailureKind::Auth));
    subject.stream(1, good());
    assert_eq!(subject.look(2, refused()).map(|failure| failure.kind), Some(FailureKind::AuthChanged));
}
