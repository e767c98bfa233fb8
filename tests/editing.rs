//! Editing by the whole program: what was answered survives kill -9, what is exported is what holds, and a family's camera
//! is contacted as long as they agree.

use crate::support::{Process, camhealth, eventually, fixture, free_address, program};
use serde_json::{Value, json};
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A daemon over a site, two people and a camera that a family lent.
pub struct Editing {
    folder: tempfile::TempDir,
    pub page: SocketAddr,
    /// How often somebody knocked at the family's camera.
    knocks: Arc<AtomicUsize>,
}

impl Editing {
    /// The family agrees up to that day.
    pub fn new(until: &str) -> Self {
        let camera = TcpListener::bind("127.0.0.1:0").expect("a port");
        let rtsp = format!("rtsp://{}/sub", camera.local_addr().expect("an address"));
        let knocks = Arc::<AtomicUsize>::default();
        let count = knocks.clone();
        std::thread::spawn(move || {
            camera.incoming().for_each(|_| {
                count.fetch_add(1, Ordering::SeqCst);
            })
        });
        let world = Self { folder: tempfile::tempdir().expect("a folder"), page: free_address(), knocks };
        let page = world.page.to_string();
        let values = [("page", page.as_str()), ("until", until), ("rtsp", &rtsp)];
        fs::write(world.config(), fixture("editing.toml", &values)).expect("it can be written");
        world
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("camhealth.toml")
    }

    pub async fn start(&self) -> Process {
        let mut command = Command::new(program());
        command.args(["run", "--config"]).arg(self.config());
        let daemon = Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        eventually("pages", async || reqwest::get(self.address("/-/ready")).await.ok()?.error_for_status().ok()).await;
        daemon
    }

    fn address(&self, path: &str) -> String {
        format!("http://{}{path}", self.page)
    }

    async fn json(&self, path: &str) -> Value {
        let text = reqwest::get(self.address(path)).await.expect("an answer").text().await.expect("text");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Edits something as it stands.
    async fn edit(&self, kind: &str, id: &str, value: Value) -> (u16, String) {
        let path = format!("/api/v1/settings/{kind}");
        let all = self.json(&path).await;
        let known = all.as_array().expect("a list").iter().find(|known| known["id"] == id);
        let version = known.map_or(json!(""), |known| known["version"].clone());
        let wish = json!({"id": id, "version": version, "value": value});
        let request = reqwest::Client::new().post(self.address(&path)).header("content-type", "application/json");
        let answer = request.body(wish.to_string()).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    fn command(&self, arguments: &[&str]) -> String {
        let config = self.config().display().to_string();
        let named = ["--config", &config];
        let output = camhealth(&[arguments, &named[..]].concat(), &[]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_kill_9_and_is_exported() {
    let world = Editing::new("2099-12-31");
    for round in 0..5 {
        let daemon = world.start().await;
        let name = format!("Ngã tư Chợ {round}");
        assert_eq!(world.edit("site_name", "cho", json!({"name": name})).await.0, 200);
        if round == 0 {
            let roster = json!({"people": ["binh", "an"], "start": "2026-11-02", "days": 7});
            assert_eq!(world.edit("roster", "oncall", roster).await.0, 200);
            let (status, told) =
                world.edit("roster", "oncall", json!({"people": ["bihn"], "start": "2026-11-02"})).await;
            assert!(status == 422 && told.contains("did you mean \\\"binh\\\"?"), "{status} {told}");
        }
        // Dropped, it is killed: nothing is written after the answer.
        drop(daemon);
        let daemon = world.start().await;
        assert_eq!(world.json("/api/v1/sites/cho").await["name"], name.as_str());
        assert_eq!(world.json("/api/v1/settings/roster").await[0]["value"]["people"], json!(["binh", "an"]));
        drop(daemon);
    }
    let checked = world.command(&["check"]);
    assert!(checked.contains("2  things edited on pages"), "{checked}");
    let elsewhere = world.folder.path().join("elsewhere");
    world.command(&["export", "--out", &elsewhere.display().to_string()]);
    let text = fs::read_to_string(elsewhere.join("camhealth.toml")).expect("it is written");
    assert!(text.contains("name = \"Ngã tư Chợ 4\" # nơi đông nhất"), "{text}");
    assert!(text.contains("people = [\"binh\", \"an\"] # theo thứ tự"), "{text}");
    // In the place of the old files it says the same without any edit.
    fs::copy(elsewhere.join("camhealth.toml"), world.config()).expect("it can be copied");
    fs::remove_file(world.folder.path().join("journal.sqlite3")).expect("it is there");
    let again = world.command(&["check"]);
    assert!(!again.contains("edited"), "{again}");
    assert_eq!(world.command(&["oncall"]).lines().nth(1).map(|line| line.contains("▶")), Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_familys_camera_is_contacted_as_long_as_they_agree() {
    let world = Editing::new("2026-03-31");
    let checked = world.command(&["check"]);
    assert!(
        checked.contains("camera \"ho-01\" is not contacted: its owner's consent ended after 31/03/2026"),
        "{checked}"
    );
    let _daemon = world.start().await;
    let state = async || world.json("/api/v1/cameras/ho-01").await;
    eventually("it is off", async || (state().await["state"] == "off").then_some(())).await;
    // The other camera was looked at meanwhile.
    eventually("looks", async || (world.json("/api/v1/cameras/cho-01").await["state"] == "down").then_some(())).await;
    assert_eq!(world.knocks.load(Ordering::SeqCst), 0, "nobody knocked");
    let page = reqwest::get(world.address("/settings/consent")).await.expect("an answer").text().await.expect("text");
    assert!(page.contains("đã hết hạn sau ngày 31/03/2026") && !page.contains("Xuyến"), "{page}");
    let status = world.json("/api/v1/status").await;
    assert_eq!(status["cameras"]["household"]["off"], 1, "it is not counted as down: {status:#}");
    // They agree again, and to no end.
    assert_eq!(world.edit("consent", "ho-01", json!({"given": "2026-03-01", "scope": "ngõ"})).await.0, 200);
    eventually("a look", async || (world.knocks.load(Ordering::SeqCst) > 0).then_some(())).await;
    // They withdraw it.
    let ended = json!({"given": "2026-03-01", "until": "2026-03-31"});
    assert_eq!(world.edit("consent", "ho-01", ended).await.0, 200);
    eventually("it is off again", async || (state().await["state"] == "off").then_some(())).await;
    let before = world.knocks.load(Ordering::SeqCst);
    let seen = world.json("/api/v1/cameras/cho-01").await["recent"][0]["started"].clone();
    eventually("another look at the other camera", async || {
        (world.json("/api/v1/cameras/cho-01").await["recent"][0]["started"] != seen).then_some(())
    })
    .await;
    // One that was under way when they withdrew may have knocked once more.
    assert!(world.knocks.load(Ordering::SeqCst) <= before + 1, "nobody knocks any more");
}
