//! A wall of odd cameras: the daemon at its default cadence says of each what is true, and its views are covered by
//! those alone that a player plays, whatever they show for a second.

use crate::{
    simulated::{LOOPBACK, start},
    support::{Process, eventually_within, fixture, free_address, program},
};
use camhealth::sim::{Fault, SimCamera, Spec};
use serde_json::Value;
use std::{collections::BTreeMap, process::Command, process::Stdio, time::Duration};

/// A camera's fault, and the state and cause that it must come to.
const CAMERAS: &[(Fault, &str, Option<&str>)] = &[
    (Fault::None, "up", None),
    (Fault::OddContentType, "up", None),
    (Fault::OddSession, "up", None),
    (Fault::SpacedSession, "up", None),
    (Fault::StaleNonce, "up", None),
    (Fault::FreshNonces, "up", None),
    (Fault::LateBody, "up", None),
    (Fault::BrokenDescription, "up", None),
    (Fault::SsrcChange { after_frames: 5 }, "up", None),
    (Fault::SequenceBack { after_frames: 5 }, "up", None),
    (Fault::StrayBytes, "up", None),
    (Fault::CacheThenLive, "up", None),
    (Fault::UnsupportedCodec, "up", None),
    (Fault::Restart { after_frames: 5 }, "degraded", Some("encoder_restarted")),
    (Fault::TimestampJump { after_frames: 5 }, "degraded", Some("timestamps")),
    (Fault::CachedOnly, "down", Some("cached_only")),
    (Fault::AudioOnly, "down", Some("no_video")),
    (Fault::EmptyDescription, "down", Some("no_video")),
    (Fault::NoMedia, "down", Some("no_media")),
    // These pass each short look.
    (Fault::Stall { after_frames: 15 }, "down", Some("stalled")),
    (Fault::Closes { after_frames: 15 }, "down", Some("session_closed")),
    (Fault::Resets { after_frames: 15 }, "down", Some("session_closed")),
    (Fault::Busy, "unknown", Some("session_limit")),
    (Fault::BasicOnly, "unknown", Some("insecure_login")),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_dead_camera_passes_and_no_living_one_is_called_broken() {
    let mut cameras = Vec::new();
    for (fault, ..) in CAMERAS {
        // What asks for nothing meets the clients without a login.
        let camera = match fault {
            Fault::UnsupportedCodec => SimCamera::start(Spec::new(LOOPBACK)).await.expect("ports"),
            _ => start().await,
        };
        camera.set_fault(*fault).await.expect("the fault is set");
        cameras.push(camera);
    }
    let page = free_address();
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = fixture("odd_wall.toml", &[("page", &page.to_string())]);
    for (number, camera) in cameras.iter().enumerate() {
        let (number, rtsp) = (number.to_string(), camera.rtsp_url());
        let values =
            [("number", number.as_str()), ("rtsp", &rtsp), ("more", "login = \"own\""), ("clear_after", "60s")];
        text += &fixture("camera_of_its_own.toml", &values);
    }
    let config = folder.path().join("camhealth.toml");
    std::fs::write(&config, text).expect("it can be written");
    std::fs::write(folder.path().join("password"), "canary\n").expect("it can be written");
    let mut command = Command::new(program());
    command.args(["run", "--config"]).arg(&config).env("RUST_LOG", "off").stdin(Stdio::null());
    let _daemon = Process::start(&mut command);

    let expected: BTreeMap<String, (&str, Option<&str>)> =
        CAMERAS.iter().enumerate().map(|(n, (_, state, cause))| (format!("c{n}"), (*state, *cause))).collect();
    let mut last = Vec::new();
    // The first long look comes within a minute, and is confirmed by three.
    let settled = eventually_within(Duration::from_secs(170), "the truth", async || {
        let text = reqwest::get(format!("http://{page}/api/v1/cameras")).await.ok()?.text().await.ok()?;
        let json: Value = serde_json::from_str(&text).ok()?;
        let list = json["cameras"].as_array().or_else(|| json.as_array())?.clone();
        let wrong: Vec<String> = list
            .iter()
            .filter_map(|camera| {
                let id = camera["id"].as_str()?;
                let seen = (camera["state"].as_str()?, camera["cause"].as_str());
                (expected.get(id) != Some(&seen)).then(|| format!("{id} is {seen:?}, not {:?}", expected.get(id)))
            })
            .collect();
        // Shown where the test fails.
        if last != wrong {
            println!("{wrong:#?}");
            last.clone_from(&wrong);
        }
        wrong.is_empty().then_some(list.len())
    })
    .await;
    assert_eq!(settled, CAMERAS.len());
    let seen = CAMERAS.iter().filter(|(_, state, _)| matches!(*state, "up" | "degraded")).count();
    let metrics = reqwest::get(format!("http://{page}/metrics")).await.expect("metrics").text().await.expect("text");
    assert!(metrics.contains(&format!("camhealth_views{{state=\"covered\"}} {seen}\n")), "{metrics}");
    assert!(metrics.contains("camhealth_views{state=\"unknown\"} 2\n"));
}
