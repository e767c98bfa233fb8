//! The first day: a dozen answers become a configuration that passes `check`, and a real look says that the camera works.

use crate::{
    simulated::start,
    support::{Process, camhealth, eventually, free_address, program},
};
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Answers line by line, as a script would.
async fn answered(folder: &Path, answers: &[&str]) -> Output {
    let (folder, answers) = (folder.to_owned(), answers.join("\n") + "\n");
    let run = move || {
        let mut command = Command::new(program());
        command.arg("init").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        // One that refuses at once has closed it.
        let _ = child.stdin.take().expect("it is piped").write_all(answers.as_bytes());
        child.wait_with_output().expect("it ends")
    };
    tokio::task::spawn_blocking(run).await.expect("it does not panic")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_and_a_dozen_answers_become_a_daemon_that_watches() {
    let camera = start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (sheet, target) = (folder.path().join("camera.csv"), folder.path().join("xa"));
    let rtsp = camera.rtsp_url();
    let rows = format!(
        "Tên camera,Loại,RTSP,Đường truyền,Ngày đồng ý\n\"Ngã tư Chợ, về phía cảng\",công cộng,{rtsp},tu-dong,\n\
         Nhà bà Tư,hộ dân,rtsp://127.0.0.1:9/sub,,\nNhà ông Bình,hộ dân,rtsp://127.0.0.1:9/s2,,2026-03-01\n"
    );
    fs::write(&sheet, rows).expect("a disk");
    let page = free_address().to_string();
    let answers = [
        "xx", // no language
        "vi",
        "Xã Hải Bình",
        "Thôn Đông",
        "1",
        sheet.to_str().expect("letters"),
        "giamsat",
        "canary",
        "127.0.0.1",
        "",               // nobody to tell yet
        "10.20.0.2:9740", // would need a certificate
        &page,
    ];
    let output = answered(&target, &answers).await;
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.contains("camera.csv:3: Ngày đồng ý"), "a household that never agreed stays out: {said}");
    assert!(said.contains("có hình trực tiếp") && said.contains("Ngã tư Chợ, về phía cảng"), "{said}");
    assert_eq!(said.matches("Không hiểu; hãy viết như").count(), 2, "{said}");
    let written: String =
        ["camhealth.toml", "cameras.toml", "logins.toml", "sites.toml", "oncall.toml", "surroundings.toml"]
            .map(|name| fs::read_to_string(target.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")))
            .concat();
    assert!(!(written + &said).contains("canary"), "the password lies in a file of its own");
    let secret = target.join("secrets/camera");
    assert_eq!(fs::read_to_string(&secret).expect("it is there"), "canary");
    assert_eq!(fs::metadata(&secret).expect("it is there").permissions().mode() & 0o777, 0o600);

    let config = target.join("camhealth.toml");
    let config = config.to_str().expect("letters");
    let checked = camhealth(&["check", "--config", config], &[]);
    let summary = text(&checked.stdout);
    assert!(checked.status.success(), "{summary}{}", text(&checked.stderr));
    for line in ["1  public cameras", "1  household cameras", "1  links", "1  sites"] {
        assert!(summary.contains(line), "{line} in {summary}");
    }
    let again = answered(&target, &answers).await;
    assert_eq!(again.status.code(), Some(2), "nothing is overwritten: {}", text(&again.stderr));

    let mut command = Command::new(program());
    let log = fs::File::create(folder.path().join("log")).expect("a file");
    command.args(["run", "--config", config]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let _daemon = Process::start(&mut command);
    let token = eventually("a token", async || {
        let output = camhealth(&["passes", "token", "thử", "--config", config], &[]);
        output.status.success().then(|| text(&output.stdout).trim().to_owned())
    });
    let token = token.await;
    let seen = async || {
        let request = reqwest::Client::new().get(format!("http://{page}/metrics")).bearer_auth(&token);
        let metrics = request.send().await.ok()?.text().await.ok()?;
        metrics.lines().find(|line| line.starts_with("camhealth_coverage_ratio 1")).map(str::to_owned)
    };
    eventually("the site is seen", seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_and_answers_that_end_too_early() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("xa");
    let output = answered(&target, &["en", "Commune", "", "3", "rtsp://a:b@127.0.0.1/s"]).await;
    let complained = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{complained}");
    assert!(complained.contains("the answers ended before \"RTSP address, without a password\""), "{complained}");
    assert!(!target.exists(), "nothing was written");
}
