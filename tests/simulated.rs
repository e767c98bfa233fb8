//! Each fault of the simulated cameras on the wire, seen by the real prober in its worker processes.

use crate::support::{eventually, program, require};
use camhealth::{
    health::{self, Measure},
    model::{
        Camera, Check, DeviceFacts, FailureKind, Login, Memory, Observation, Promise, StreamFacts, stream_address,
    },
    probe::{Look, Pool, Prober, Settings},
    sim::{Fault, SimCamera, Spec, Stage},
};
use std::{sync::Arc, time::Duration};

pub const LOOPBACK: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Short limits, so that silence is told quickly.
pub fn prober() -> Prober {
    let settings = Settings {
        connect_timeout: Duration::from_secs(1),
        answer_timeout: Duration::from_secs(2),
        media_timeout: Duration::from_secs(3),
        ..Settings::default()
    };
    let pool = Pool::new(program().into(), 1, settings.worker_memory_mib);
    Prober::new(settings, pool)
}

/// A simulated camera with ONVIF and a login.
pub async fn start() -> SimCamera {
    let login = Some(("giamsat".to_owned(), "canary".to_owned()));
    SimCamera::start(Spec { onvif: Some(LOOPBACK), login, ..Spec::new(LOOPBACK) }).await.expect("ports")
}

/// The camera as it would stand in a configuration.
pub fn configured(simulated: &SimCamera) -> Camera {
    let login = Login::new("giamsat", "canary".to_owned());
    Camera {
        onvif: simulated.onvif_url().map(|url| url.parse().expect("a URL")),
        login: Some(Arc::new(login)),
        ..Camera::new("cam", simulated.rtsp_url().parse().expect("a URL"))
    }
}

async fn look(simulated: &SimCamera, check: Check) -> Observation {
    let observation = prober().probe(&configured(simulated), Look::new(check, jiff::Timestamp::now())).await;
    let text = format!("{observation:?}");
    assert!(!text.contains("canary"), "a password is shown: {text}");
    observation
}

async fn check(fault: Fault, expected: Option<FailureKind>) -> (SimCamera, Observation) {
    let camera = start().await;
    camera.set_fault(fault).await.expect("the fault is set");
    let observation = look(&camera, Check::Stream).await;
    let failure = observation.failure.as_ref().map(|failure| failure.kind);
    assert_eq!(failure, expected, "{fault:?}: {observation:#?}");
    (camera, observation)
}

#[tokio::test]
async fn a_good_camera_is_up_and_its_session_is_closed() {
    let (camera, observation) = check(Fault::None, None).await;
    let stream = observation.stream.expect("facts");
    assert_eq!((stream.width, stream.height, stream.packets_lost), (Some(640), Some(360), 0));
    assert!((stream.fps.expect("a rate") - 15.0).abs() < 1.0);
    let stats = camera.stats();
    assert_eq!((stats.teardowns, stats.open_sessions, stats.max_open_sessions, stats.failed_logins), (1, 0, 1, 0));
}

#[tokio::test]
async fn what_the_first_rungs_tell_apart() {
    check(Fault::PoweredOff, Some(FailureKind::Timeout)).await;
    check(Fault::PortClosed, Some(FailureKind::Refused)).await;
    check(Fault::Mute, Some(FailureKind::NoRtsp)).await;
    check(Fault::Garbage, Some(FailureKind::NoRtsp)).await;
    check(Fault::Drip, Some(FailureKind::NoRtsp)).await;
    check(Fault::OneByteWrites, None).await;
}

#[tokio::test]
async fn what_the_description_tells_apart() {
    let (camera, _) = check(Fault::WrongLogin, Some(FailureKind::Auth)).await;
    assert_eq!(camera.stats().failed_logins, 1, "one look is one failed login");
    check(Fault::NotFound, Some(FailureKind::NotFound)).await;
    check(Fault::Busy, Some(FailureKind::SessionLimit)).await;
    check(Fault::AudioOnly, Some(FailureKind::NoVideo)).await;
    check(Fault::BrokenDescription, None).await;
    check(Fault::OddContentType, None).await;
    check(Fault::StaleNonce, None).await;
    let (_, observation) = check(Fault::UnsupportedCodec, None).await;
    assert_eq!(observation.stream.expect("facts").codec, camhealth::model::Codec::Vp8);
}

#[tokio::test]
async fn what_media_tells_apart() {
    check(Fault::NoMedia, Some(FailureKind::NoMedia)).await;
    let (camera, _) = check(Fault::Stall { after_frames: 4 }, Some(FailureKind::Stalled)).await;
    assert_eq!(camera.stats().open_sessions, 0, "a stalled session is closed too");
    let (_, observation) = check(Fault::Restart { after_frames: 4 }, Some(FailureKind::EncoderRestarted)).await;
    assert!(observation.proves(), "it goes on after that: {observation:#?}");
    for quirk in [Fault::SsrcChange { after_frames: 4 }, Fault::SequenceBack { after_frames: 4 }, Fault::StrayBytes] {
        check(quirk, None).await;
    }
    // A request from the camera loses retina's wakeup; the tick beside it keeps the look going.
    check(Fault::CameraSendsOptions, None).await;
    // The foreign host of Content-Base is not followed over TCP.
    check(Fault::ForeignContentBase, None).await;
    let (_, observation) = check(Fault::Lossy { one_in: 3 }, None).await;
    assert!(observation.stream.expect("facts").packets_lost >= 2, "loss is counted; what it means, health judges");
}

/// A long look at a camera with a fault: the facts that health judges.
async fn survey(fault: Fault) -> StreamFacts {
    let camera = start().await;
    camera.set_fault(fault).await.expect("the fault is set");
    let settings = Settings { media_timeout: Duration::from_millis(5500), ..Settings::default() };
    let pool = Pool::new(program().into(), 1, settings.worker_memory_mib);
    let look = Look::new(Check::Survey, jiff::Timestamp::now());
    let observation = Prober::new(settings, pool).probe(&configured(&camera), look).await;
    assert_eq!(observation.failure, None, "{fault:?}: {observation:#?}");
    observation.stream.expect("facts")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_long_look_tells_apart() {
    let faults = [
        Fault::None,
        Fault::HalfSpeed,
        Fault::Bursts,
        Fault::TimestampJump { after_frames: 20 },
        Fault::NewParameters { after_frames: 20 },
        Fault::Slow { one_in: 3 },
        Fault::Still,
        Fault::FastClock,
    ];
    let facts = futures_util::future::join_all(faults.map(|fault| tokio::spawn(survey(fault)))).await;
    let facts: Vec<StreamFacts> = facts.into_iter().map(|facts| facts.expect("it does not panic")).collect();
    let [good, half, bursts, jump, parameters, slow, still, fast] = facts.as_slice() else { panic!("eight") };
    assert!((good.media_speed.expect("seconds") - 1.0).abs() < 0.1, "{good:?}");
    assert!(good.jitter_seconds.expect("frames") < 0.1, "{good:?}");
    assert!((good.keyframe_interval_seconds.expect("keyframes") - 2.0).abs() < 0.1, "{good:?}");
    assert!(good.sender_clock_seconds.expect("a report").abs() < 1.0, "{good:?}");
    assert_eq!((good.timestamp_jumps, good.parameter_changes, good.identical_frames), (0, 0, 0));
    assert!((half.media_speed.expect("seconds") - 0.5).abs() < 0.1, "{half:?}");
    assert!(bursts.jitter_seconds.expect("frames") > 0.1, "{bursts:?}");
    assert_eq!(jump.timestamp_jumps, 1, "{jump:?}");
    assert_eq!(parameters.parameter_changes, 1, "{parameters:?}");
    assert!((slow.fps.expect("frames") - 5.0).abs() < 0.5, "{slow:?}");
    let usual = good.delta_frame_bytes.expect("frames");
    assert!(still.delta_frame_bytes.expect("frames") < usual / 10.0, "{still:?} against {usual}");
    assert!(fast.sender_clock_seconds.expect("a report") > 1e6, "{fast:?}");
}

#[tokio::test]
async fn a_hanging_encoder_is_frozen() {
    check(Fault::Frozen, Some(FailureKind::Frozen)).await;
}

#[tokio::test]
async fn a_401_is_not_always_a_wrong_password() {
    let (camera, observation) = check(Fault::StaleFirst, None).await;
    assert_eq!((camera.stats().failed_logins, camera.stats().connections), (0, 2), "a stale nonce is answered anew");
    assert!(observation.rungs.iter().any(|rung| rung.name.as_str() == "login" && rung.ok), "{observation:#?}");
    let (camera, _) = check(Fault::RefusesSecondLogin, None).await;
    let second = look(&camera, Check::Stream).await.failure.expect("its connections have run out");
    assert_eq!(second.kind, FailureKind::Auth, "health knows that this login was good before");
}

#[tokio::test]
async fn a_look_ends_when_its_bytes_are_spent() {
    let camera = start().await;
    let look = Look { byte_limit: 8000, ..Look::new(Check::Survey, jiff::Timestamp::now()) };
    let observation = prober().probe(&configured(&camera), look).await;
    assert!(observation.bytes < 12_000, "{} bytes", observation.bytes);
    assert_eq!(observation.failure, None, "what it saw until then is well: {observation:#?}");
    assert_eq!(camera.stats().teardowns, 1);
}

/// What the device says of itself under a fault.
async fn device(fault: Fault) -> DeviceFacts {
    let camera = start().await;
    camera.set_fault(fault).await.expect("the fault is set");
    let observation = look(&camera, Check::Device).await;
    assert_eq!(observation.failure, None, "{fault:?}: {observation:#?}");
    observation.device.expect("facts")
}

#[tokio::test]
async fn onvif_tells_what_the_device_knows_of_its_health() {
    let good = device(Fault::None).await;
    assert_eq!((good.alarms.as_slice(), good.events_read), (&[][..], true));
    assert_eq!(good.last_reboot.map(|at| at.as_second()), Some(1_790_000_000));
    let camera = start().await;
    let configured = configured(&camera);
    let found = prober().probe(&configured, Look::new(Check::Device, jiff::Timestamp::now())).await;
    let named = found.device.expect("facts").streams;
    let expected = format!(":{}/sub", camera.rtsp_addr().port());
    assert_eq!(named, [expected], "the address that it names is another's, port and path are its own");

    assert_eq!(device(Fault::SignalLoss).await.alarms, ["VideoSource/SignalLoss"]);
    assert_eq!(device(Fault::StorageFailure).await.alarms, ["Device/HardwareFailure/StorageFailure"]);
    assert_ne!(device(Fault::Reboots).await.last_reboot, good.last_reboot);
    assert_eq!(device(Fault::Swapped).await.serial, "another");
    assert_eq!(device(Fault::OldFirmware).await.firmware, "0.0.1");
    assert!(device(Fault::OtherStreams).await.streams[0].ends_with("/elsewhere"));
}

/// The promise to the people who are filmed: nothing about pictures is asked for, on the wire.
#[tokio::test]
async fn only_device_status_topics_are_asked_for() {
    let camera = start().await;
    look(&camera, Check::Device).await;
    assert_eq!(
        camera.topics_asked(),
        [
            "tns1:VideoSource/SignalLoss",
            "tns1:Device/HardwareFailure//.",
            "tns1:Monitoring/OperatingTime/LastReboot",
            "tns1:Monitoring/OperatingTime/LastClockSynchronization"
        ]
    );
}

#[tokio::test]
async fn onvif_tells_the_clock_without_and_the_device_with_a_login() {
    let camera = start().await;
    let observation = look(&camera, Check::Device).await;
    assert_eq!(observation.failure, None, "{observation:#?}");
    assert_eq!(observation.device.expect("facts").model, "simulated");
    assert!(observation.clock_offset_seconds.expect("a clock").abs() < 2.0);
    assert_eq!(camera.stats().failed_logins, 0);

    camera.set_fault(Fault::WrongClock { seconds: 25_200 }).await.expect("the fault is set");
    let offset = look(&camera, Check::Device).await.clock_offset_seconds.expect("a clock");
    assert!((offset - 25_200.0).abs() < 2.0, "{offset}");

    camera.set_fault(Fault::WrongLogin).await.expect("the fault is set");
    let observation = look(&camera, Check::Device).await;
    assert_eq!(observation.failure.map(|failure| failure.kind), Some(FailureKind::Auth));
    assert!(observation.clock_offset_seconds.is_some(), "the clock needs no login");
    assert_eq!(camera.stats().failed_logins, 1, "one look is one failed login");
}

#[tokio::test]
async fn a_full_camera_refuses_the_third_session() {
    let camera = start().await;
    let configured = Arc::new(configured(&camera));
    // Two looks that want more frames than they have time for hold the camera's two sessions.
    let holders: Vec<_> = (0..2)
        .map(|_| {
            let settings = Settings { frames: 300, ..Settings::default() };
            let pool = Pool::new(program().into(), 1, settings.worker_memory_mib);
            let (prober, configured) = (Prober::new(settings, pool), configured.clone());
            tokio::spawn(
                async move { prober.probe(&configured, Look::new(Check::Stream, jiff::Timestamp::now())).await },
            )
        })
        .collect();
    eventually("two open sessions", async || (camera.stats().open_sessions == 2).then_some(())).await;
    let third = look(&camera, Check::Stream).await;
    assert_eq!(third.failure.map(|failure| failure.kind), Some(FailureKind::SessionLimit));
    for holder in holders {
        holder.await.expect("the probe does not panic");
    }
    assert_eq!(camera.stats().open_sessions, 0);
}

#[tokio::test]
async fn a_real_player_decodes_the_simulated_stream_without_a_complaint() {
    require("/usr/bin/ffmpeg");
    let camera = SimCamera::start(Spec { width: 646, height: 362, ..Spec::new(LOOPBACK) }).await.expect("ports");
    let mut ffmpeg = tokio::process::Command::new("/usr/bin/ffmpeg");
    ffmpeg.args([
        "-v",
        "error",
        "-rtsp_transport",
        "tcp",
        "-i",
        &camera.rtsp_url(),
        "-frames:v",
        "45",
        "-f",
        "null",
        "-",
    ]);
    let output = ffmpeg.output().await.expect("it runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The pool hands back what a hostile stage did, without ending our process.
#[tokio::test]
async fn a_flood_behind_the_login_is_contained() {
    check(Fault::HugeBody(Stage::Describe), Some(FailureKind::Oversized)).await;
    check(Fault::EndlessHeaders(Stage::Describe), Some(FailureKind::Oversized)).await;
    check(Fault::HugeBody(Stage::Options), Some(FailureKind::Oversized)).await;
    check(Fault::EndlessHeaders(Stage::Options), Some(FailureKind::Oversized)).await;
}

/// From the wire to the reason: what each fault is called, against a promise and the camera's own past.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_gets_its_reason() {
    let cases = [
        (Fault::None, Check::Stream, None),
        (Fault::Lossy { one_in: 3 }, Check::Stream, Some(FailureKind::Loss)),
        (Fault::Still, Check::Stream, Some(FailureKind::FrozenSuspect)),
        (Fault::Slow { one_in: 3 }, Check::Stream, Some(FailureKind::LowFps)),
        (Fault::TimestampJump { after_frames: 5 }, Check::Stream, Some(FailureKind::Timestamps)),
        (Fault::NewParameters { after_frames: 5 }, Check::Stream, Some(FailureKind::ParametersChanged)),
        (Fault::HalfSpeed, Check::Survey, Some(FailureKind::Timestamps)),
        (Fault::Bursts, Check::Survey, Some(FailureKind::Jitter)),
        (Fault::SignalLoss, Check::Device, Some(FailureKind::SignalLoss)),
        (Fault::StorageFailure, Check::Device, Some(FailureKind::Hardware)),
        (Fault::Swapped, Check::Device, Some(FailureKind::Swapped)),
        (Fault::OldFirmware, Check::Device, Some(FailureKind::Rollback)),
        (Fault::OtherStreams, Check::Device, Some(FailureKind::UriDrift)),
        (Fault::WrongClock { seconds: 25_200 }, Check::Device, Some(FailureKind::Clock)),
        (Fault::WrongLogin, Check::Stream, Some(FailureKind::AuthChanged)),
    ];
    let looks = cases.map(|(fault, check, expected)| tokio::spawn(reason(fault, check, expected)));
    for look in futures_util::future::join_all(looks).await {
        look.expect("it does not panic");
    }
}

async fn reason(fault: Fault, check: Check, expected: Option<FailureKind>) {
    let camera = start().await;
    let configured = configured(&camera);
    let settings = Settings { media_timeout: Duration::from_millis(5500), ..Settings::default() };
    let pool = Pool::new(program().into(), 1, settings.worker_memory_mib);
    let prober = Prober::new(settings, pool);
    let settings = health::Settings::default();
    let (promise, stream) = (Promise::default(), stream_address(&configured.rtsp));
    let measure = Measure { promise: &promise, serial: None, stream: &stream, cause: None, settings: &settings };
    let mut memory = Memory::default();
    let now = jiff::Timestamp::now();
    for check in [Check::Stream, Check::Device] {
        let good = prober.probe(&configured, Look::new(check, now)).await;
        // The same look again and again is a past, too.
        for _ in 0..12 {
            assert_eq!(health::judge(now, &good, &mut memory, measure), None, "{good:#?}");
        }
    }
    camera.set_fault(fault).await.expect("the fault is set");
    let seen = prober.probe(&configured, Look::new(check, now)).await;
    health::judge(now, &seen, &mut memory, measure);
    let failure = health::judge(now, &seen, &mut memory, measure);
    assert_eq!(failure.as_ref().map(|failure| failure.kind), expected, "{fault:?}: {failure:?} {seen:#?}");
}
