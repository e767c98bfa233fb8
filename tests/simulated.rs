//! Each fault of the simulated cameras on the wire, seen by the real prober in its worker processes.

use crate::support::{eventually, program, require};
use camhealth::{
    model::{Camera, Check, FailureKind, Kind, Login, Observation, Transport},
    probe::{Pool, Prober, Settings},
    sim::{Fault, SimCamera, Spec, Stage},
};
use std::{sync::Arc, time::Duration};

const LOOPBACK: std::net::SocketAddr =
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
    let login = Login { username: "giamsat".into(), password: "canary".to_owned().into() };
    Camera {
        id: "cam".into(),
        name: String::new(),
        kind: Kind::Public,
        device: "cam".into(),
        link: None,
        rtsp: simulated.rtsp_url().parse().expect("a URL"),
        transport: Transport::Tcp,
        onvif: simulated.onvif_url().map(|url| url.parse().expect("a URL")),
        login: Some(Arc::new(login)),
    }
}

async fn look(simulated: &SimCamera, check: Check) -> Observation {
    let observation = prober().probe(&configured(simulated), check, jiff::Timestamp::now()).await;
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
    check(Fault::UnsupportedCodec, Some(FailureKind::CodecUnsupported)).await;
    check(Fault::AudioOnly, Some(FailureKind::CodecUnsupported)).await;
    check(Fault::OddContentType, Some(FailureKind::Nonconforming)).await;
    check(Fault::StaleNonce, Some(FailureKind::Nonconforming)).await;
}

#[tokio::test]
async fn what_media_tells_apart() {
    check(Fault::NoMedia, Some(FailureKind::NoMedia)).await;
    let (camera, _) = check(Fault::Stall { after_frames: 4 }, Some(FailureKind::Stalled)).await;
    assert_eq!(camera.stats().open_sessions, 0, "a stalled session is closed too");
    check(Fault::SsrcChange { after_frames: 4 }, Some(FailureKind::EncoderRestarted)).await;
    // A request from the camera loses retina's wakeup; the tick beside it keeps the look going.
    check(Fault::CameraSendsOptions, None).await;
    // The foreign host of Content-Base is not followed over TCP.
    check(Fault::ForeignContentBase, None).await;
    let (_, observation) = check(Fault::Lossy { one_in: 3 }, None).await;
    assert!(observation.stream.expect("facts").packets_lost >= 2, "loss is counted; what it means, health judges");
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
            tokio::spawn(async move { prober.probe(&configured, Check::Stream, jiff::Timestamp::now()).await })
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
