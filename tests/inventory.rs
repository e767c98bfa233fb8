//! The commands around the inventory: import, discover, explain.

use crate::{
    daemon::World,
    support::{camhealth, eventually, fixture},
};
use camhealth::sim::{SimCamera, Spec};
use std::{fs, process::Output};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What an import writes, a configuration takes.
#[test]
fn an_imported_sheet_is_a_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let sheet = "Tên camera;Loại;IP;Cổng;Đường dẫn;Serial;Ngày đồng ý;Giờ tắt;Khu vực\n\
        Ngã tư Chợ;công cộng;10.20.1.7;554;/sub;S1;;;khu-dong\n\
        Hộ 001;hộ dân;10.20.100.2;8554;sub;;31/12/2025;22h-5h;\n";
    fs::write(path("cameras.csv"), sheet).expect("it can be written");
    let output = camhealth(&["import", &path("cameras.csv"), "--write", &path("cameras-new.toml")], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let main = fixture("imported.toml", &[]);
    fs::write(path("camhealth.toml"), main).expect("it can be written");
    let checked = camhealth(&["check", "--config", &path("camhealth.toml")], &[]);
    assert_eq!(checked.status.code(), Some(0), "{}{}", stdout(&checked), stderr(&checked));

    assert!(stdout(&checked).contains("1  areas"), "{}", stdout(&checked));

    let again = camhealth(&["import", &path("cameras.csv"), "--write", &path("cameras-new.toml")], &[]);
    assert_eq!(again.status.code(), Some(3), "a file that is there is not overwritten");
    assert!(stderr(&again).contains("does not exist yet"));
}

#[test]
fn bad_rows_are_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cameras.csv");
    fs::write(&path, "Tên,IP\nA,10.20.300.1\nB,10.20.1.8\n").expect("it can be written");
    let path = path.display().to_string();
    let refused = camhealth(&["import", &path], &[]);
    assert_eq!((refused.status.code(), stdout(&refused).as_str()), (Some(2), ""));
    assert!(stderr(&refused).contains("cameras.csv:2: IP: \"10.20.300.1\" is no address"), "{}", stderr(&refused));
    let skipped = camhealth(&["import", &path, "--skip-bad"], &[]);
    assert_eq!(skipped.status.code(), Some(1));
    assert!(stdout(&skipped).contains("id = \"b\""));
}

/// A camera that DHCP moved is found by its serial number, and the edit names file and line.
#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_moved_is_found_again() {
    let at = |host: &str, port: u16| format!("{host}:{port}").parse().expect("an address");
    let login = Some(("giamsat".to_owned(), "canary".to_owned()));
    let (moved, new) = ("127.77.3.9", "127.77.3.10");
    let mut cameras = Vec::new();
    for (host, serial) in [(moved, "S-MOVED"), (new, "S-NEW")] {
        let spec = Spec {
            onvif: Some(at(host, 8000)),
            login: login.clone(),
            serial: serial.into(),
            ..Spec::new(at(host, 8554))
        };
        cameras.push(SimCamera::start(spec).await.expect("ports"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("camhealth.toml");
    let text = fixture("moved.toml", &[]);
    fs::write(&config, text).expect("it can be written");
    let config = config.display().to_string();
    let output = tokio::task::spawn_blocking(move || {
        let arguments = [
            "discover",
            "--no-multicast",
            "--range",
            "127.77.3.1-127.77.3.14",
            "--config",
            &config,
            "--user",
            "giamsat",
        ];
        camhealth(&arguments, &[("CAMHEALTH_PASSWORD", "canary")])
    })
    .await
    .expect("it ends");
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("moved: cho-01, from 127.77.3.1 (by serial)"), "{text}");
    assert!(text.contains("camhealth.toml:10"), "the edit names file and line: {text}");
    assert!(text.contains("- rtsp://127.77.3.1:8554/sub") && text.contains("+ rtsp://127.77.3.9:8554/sub"), "{text}");
    assert!(text.contains("serial = \"S-NEW\"") && text.contains("rtsp = \"rtsp://127.77.3.10:8554/sub\""), "{text}");
    assert!(!text.contains("canary"));
    for camera in &cameras {
        assert_eq!(camera.stats().failed_logins, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_is_explained_on_the_command_line_and_in_json() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    let url = format!("http://{}/", world.page);
    let explain = async |arguments: &[&str]| {
        let arguments: Vec<String> =
            ["explain", "--url", &url].iter().chain(arguments).map(|&argument| argument.to_owned()).collect();
        tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            camhealth(&arguments, &[])
        })
        .await
        .expect("it ends")
    };
    let id = "cam-1";
    let json = eventually("the camera is down and its next look planned", async || {
        let output = explain(&[id, "--json"]).await;
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (json["state"] == "down" && json["next"].is_object()).then_some(json)
    })
    .await;
    assert_eq!(json["cause"], "refused");
    assert_eq!(json["recent"][0]["failure"]["kind"], "refused");
    assert!(json["bytes_budget"]["left"].as_u64() > Some(0), "{json:#}");
    let english = stdout(&explain(&[id, "--lang", "en"]).await);
    assert!(english.contains("3 failed looks in a row"), "{english}");
    assert!(english.contains("Turn RTSP on again"), "{english}");
    let vietnamese = stdout(&explain(&[id, "--lang", "vi"]).await);
    assert!(vietnamese.contains("lần kiểm tra hỏng liên tiếp"), "{vietnamese}");
    let unknown = explain(&["nobody"]).await;
    assert_eq!(unknown.status.code(), Some(3));
    assert!(stderr(&unknown).contains("nobody"), "{}", stderr(&unknown));
}
