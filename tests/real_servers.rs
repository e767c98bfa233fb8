//! `camhealth probe` against servers that nobody here wrote: GStreamer, aio-rtsp-toolkit, ipycam, oxvif's mock.

use crate::support::{Server, camhealth, free_address, probe, program, run};
use serde_json::Value;
use std::{
    net::TcpListener,
    process::Command,
    time::{Duration, Instant},
};

#[track_caller]
fn check(arguments: &[&str], code: i32, verdict: &str, cause: Option<&str>) -> Value {
    let (exit, json) = probe(arguments, &[]);
    assert_eq!((exit, json["verdict"].as_str(), json["cause"].as_str()), (code, Some(verdict), cause), "{json:#}");
    json
}

#[track_caller]
fn check_stream(json: &Value, codec: &str, size: Option<(u64, u64)>, fps: f64) {
    let stream = &json["stream"];
    assert_eq!(stream["codec"], codec);
    if let Some((width, height)) = size {
        assert_eq!((stream["width"].as_u64(), stream["height"].as_u64()), (Some(width), Some(height)));
    }
    let seen = stream["fps"].as_f64().expect("a frame rate");
    assert!((seen - fps).abs() < 0.2 * fps, "{seen} frames a second");
    assert!(stream["frames"].as_u64() >= Some(10) && stream["bytes_per_second"].as_f64() > Some(1000.0));
    let rungs: Vec<&str> =
        json["rungs"].as_array().expect("a list").iter().filter_map(|r| r["name"].as_str()).collect();
    assert_eq!(rungs[..7], ["reach", "options", "describe", "setup", "play", "media", "teardown"]);
    assert!(json["rungs"].as_array().expect("a list").iter().all(|rung| rung["ok"] == true));
}

#[test]
fn gstreamer_h264_over_tcp() {
    let camera = Server::gstreamer(&["--codec", "h264"]);
    let json = check(&[&camera.url], 0, "up", None);
    check_stream(&json, "h264", Some((320, 240)), 15.0);
    assert!((json["stream"]["keyframe_interval_seconds"].as_f64().expect("two keyframes") - 1.0).abs() < 0.2);
}

#[test]
fn gstreamer_h264_over_udp() {
    let camera = Server::gstreamer(&["--codec", "h264", "--transports", "udp"]);
    let json = check(&[&camera.url, "--transport", "udp"], 0, "up", None);
    check_stream(&json, "h264", Some((320, 240)), 15.0);
    // The other transport is refused with 461, and the remedy is named.
    let json = check(&[&camera.url], 3, "down", Some("rtsp_error"));
    assert!(json["detail"].as_str().expect("text").contains("transport = \"udp\""), "{json:#}");
}

#[test]
fn gstreamer_h265() {
    let camera = Server::gstreamer(&["--codec", "h265"]);
    check_stream(&check(&[&camera.url], 0, "up", None), "h265", Some((320, 240)), 15.0);
}

#[test]
fn gstreamer_mjpeg() {
    let camera = Server::gstreamer(&["--codec", "mjpeg"]);
    // A description of JPEG holds no size: each picture's header does.
    check_stream(&check(&[&camera.url], 0, "up", None), "mjpeg", Some((320, 240)), 15.0);
}

#[test]
fn gstreamer_vp8_is_counted_without_being_taken_apart() {
    let camera = Server::gstreamer(&["--codec", "vp8"]);
    let json = check(&[&camera.url], 0, "up", None);
    check_stream(&json, "vp8", None, 15.0);
    assert_eq!(json["stream"]["keyframes"], 0, "{json:#}");
}

#[test]
fn gstreamer_digest_login() {
    let camera = Server::gstreamer(&["--user", "giamsat", "--password", "canary-7f3a"]);
    let (user, password) = (["--user", "giamsat"], |value| [("CAMHEALTH_PASSWORD", value)]);
    let (exit, json) = probe(&[&[camera.url.as_str()], &user[..]].concat(), &password("canary-7f3a"));
    assert_eq!((exit, &json["verdict"]), (0, &Value::from("up")), "{json:#}");
    let (exit, json) = probe(&[&[camera.url.as_str()], &user[..]].concat(), &password("wrong-canary"));
    assert_eq!((exit, &json["cause"]), (4, &Value::from("auth")), "{json:#}");
    check(&[&camera.url], 4, "unproven", Some("auth"));
    let text = camhealth(&["probe", &camera.url, "--user", "giamsat"], &password("wrong-canary"));
    let printed = [text.stdout, text.stderr].concat();
    assert!(!String::from_utf8_lossy(&printed).contains("canary"), "a password is shown");
}

#[test]
fn gstreamer_unknown_path() {
    let camera = Server::gstreamer(&[]);
    check(&[&camera.url.replace("/stream", "/nothing")], 3, "down", Some("not_found"));
}

#[test]
fn gstreamer_frozen_and_without_media() {
    let camera = Server::gstreamer(&["--fault", "freeze-after", "4"]);
    check(&[&camera.url], 3, "down", Some("stalled"));
    // One that shows its best for two seconds does not fool a long look.
    let camera = Server::gstreamer(&["--fault", "freeze-after", "30"]);
    check(&[&camera.url, "--long"], 3, "down", Some("stalled"));
    let camera = Server::gstreamer(&["--fault", "no-media"]);
    check(&[&camera.url], 3, "down", Some("no_media"));
}

#[test]
fn gstreamer_killed_in_mid_stream() {
    let mut camera = Server::gstreamer(&["--fault", "freeze-after", "4"]);
    let url = camera.url.clone();
    let began = Instant::now();
    let looking = std::thread::spawn(move || probe(&[&url], &[]));
    // The look still waits for more frames when the server dies.
    camera.wait_for("FROZEN");
    camera.kill();
    let (exit, json) = looking.join().expect("the probe ends");
    assert_eq!((exit, json["cause"].as_str()), (3, Some("session_closed")), "{json:#}");
    assert!(began.elapsed() < Duration::from_secs(20));
    check(&[&camera.url], 3, "down", Some("refused"));
}

#[test]
fn a_port_that_is_closed_or_silent() {
    check(&[&format!("rtsp://{}/x", free_address())], 3, "down", Some("refused"));
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    check(&[&format!("rtsp://{address}/x")], 3, "down", Some("no_rtsp"));
    check(&["rtsp://no-such-host.invalid/x"], 3, "down", Some("unresolved"));
}

#[test]
fn a_host_to_which_there_is_no_way() {
    // A network namespace of its own has no way anywhere; nothing leaves this machine.
    let mut command = Command::new("unshare");
    command.args(["--net", "--map-root-user", program(), "probe", "--json", "rtsp://192.0.2.1/x"]);
    let output = run(&mut command);
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}): {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((output.status.code(), json["cause"].as_str()), (Some(3), Some("unreachable")), "{json:#}");
}

#[test]
fn wrong_usage_is_told_apart_from_a_dead_camera() {
    for (url, word) in [("http://127.0.0.1/", "rtsp://"), ("rtsp://u:canary@127.0.0.1/", "--password-file")] {
        let output = camhealth(&["probe", url], &[]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(word) && !message.contains("canary"), "{message}");
    }
}

#[test]
fn aio_rtsp_toolkit() {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-venv/bin/python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/aio_camera.py");
    let media = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-media");
    let camera = Server::start(python, &[script, media]);
    let json = check(&[&format!("{}/t.mp4?play_count=0", camera.url)], 0, "up", None);
    assert_eq!(json["stream"]["codec"], "h264");
}

#[test]
fn ipycam_rtsp_and_onvif_together() {
    let wrapper = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/ipycam_run.sh");
    let output = run(Command::new(wrapper).args([
        program(),
        "probe",
        "--json",
        "rtsp://127.0.0.1:8554/video_main",
        "--onvif",
        "http://127.0.0.1:8080/onvif/device_service",
    ]));
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}): {}", String::from_utf8_lossy(&output.stderr)));
    assert!(matches!(output.status.code(), Some(0 | 1)), "{json:#}");
    assert_eq!(json["stream"]["codec"], "h264");
    assert!(!json["device"]["manufacturer"].as_str().expect("text").is_empty(), "{json:#}");
    assert!(json["clock_offset_seconds"].as_f64().expect("a number").abs() < 5.0, "{json:#}");
}

/// A sensor that hangs before a real encoder: each JPEG is the same byte for byte.
#[test]
fn gstreamer_mjpeg_frozen() {
    let camera = Server::gstreamer(&["--codec", "mjpeg", "--pattern", "smpte75"]);
    check(&[&camera.url], 3, "down", Some("frozen"));
}

/// What only a long look measures is measured on a stream that nobody here made, and found in order.
#[test]
fn ipycam_over_a_long_look() {
    let wrapper = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/ipycam_run.sh");
    let output =
        run(Command::new(wrapper).args([program(), "probe", "--json", "--long", "rtsp://127.0.0.1:8554/video_sub"]));
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}): {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((output.status.code(), json["verdict"].as_str()), (Some(0), Some("up")), "{json:#}");
    let stream = &json["stream"];
    assert!((stream["media_speed"].as_f64().expect("seconds") - 1.0).abs() < 0.1, "{json:#}");
    assert!(stream["sender_clock_seconds"].as_f64().expect("sender reports").abs() < 2.0, "{json:#}");
    assert_eq!((stream["timestamp_jumps"].as_u64(), stream["parameter_changes"].as_u64()), (Some(0), Some(0)));
}

/// ipycam announces itself by WS-Discovery and names its streams, as cameras do.
#[test]
fn ipycam_is_discovered() {
    let wrapper = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/ipycam_run.sh");
    let output = run(Command::new(wrapper).args([program(), "discover", "--no-multicast", "--range", "127.0.0.1"]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let entries =
        text.find("# set kind").unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    let parsed: toml::Table = text[entries..].parse().expect("TOML");
    let camera = &parsed["camera"][0];
    assert!(camera["rtsp"].as_str().expect("an address").starts_with("rtsp://127.0.0.1:8554/video_"), "{text}");
    assert_eq!(camera["onvif"].as_str(), Some("http://127.0.0.1:8080/onvif/device_service"));
    assert!(camera["endpoint"].as_str().expect("an endpoint").contains("uuid"), "{text}");
    assert!(!camera["serial"].as_str().expect("a serial").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn oxvif_mock_beside_gstreamer() {
    let mock = oxvif::mock::MockServer::start().await.expect("the mock starts");
    let onvif = mock.device_url().to_owned();
    let (exit, json) = tokio::task::spawn_blocking(move || {
        let camera = Server::gstreamer(&[]);
        probe(&[&camera.url, "--onvif", &onvif], &[])
    })
    .await
    .expect("the probe ends");
    assert!(matches!(exit, 0 | 1), "{json:#}");
    assert!(!json["device"]["model"].as_str().expect("text").is_empty(), "{json:#}");
}

/// A device that knows no HTTP Digest: the login goes as WS-UsernameToken, once, with the device's own clock.
#[tokio::test(flavor = "multi_thread")]
async fn oxvif_mock_wants_a_username_token() {
    let mock = oxvif::mock::MockServer::builder().enforce_auth(true).start().await.expect("the mock starts");
    let look = async |password: &'static str| {
        let onvif = mock.device_url().to_owned();
        tokio::task::spawn_blocking(move || {
            let camera = Server::gstreamer(&[]);
            probe(&[&camera.url, "--onvif", &onvif, "--user", "admin"], &[("CAMHEALTH_PASSWORD", password)])
        })
        .await
        .expect("the probe ends")
    };
    let (_, json) = look("admin").await;
    assert!(!json["device"]["serial"].as_str().unwrap_or_default().is_empty(), "{json:#}");
    let rungs = json["rungs"].as_array().expect("a list");
    let of = |name: &str| rungs.iter().find(|rung| rung["name"] == name).cloned().unwrap_or_default();
    assert_eq!((&of("onvif_device")["ok"], &of("onvif_streams")["ok"]), (&Value::Bool(true), &Value::Bool(true)));
    assert!(json["device"]["streams"][0].as_str().expect("an address").starts_with(":554/"), "{json:#}");

    let (_, json) = look("wrong").await;
    assert!(json["device"].is_null() && json.to_string().contains("rejects the login"), "{json:#}");
}
