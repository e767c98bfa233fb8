//! Sources: a real daemon that is told of cameras which nobody looks at, by whoever has the token, and what people read of it.

use crate::support::{Process, camhealth, eventually, eventually_within, fixture, free_address, program};
use serde_json::{Value, json};
use std::{
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
    time::Duration,
};

struct World {
    folder: tempfile::TempDir,
    page: SocketAddr,
    http: reqwest::Client,
    _daemon: Process,
}

impl World {
    async fn new() -> Self {
        let (folder, page) = (tempfile::tempdir().expect("a folder"), free_address());
        let path = folder.path().join("camhealth.toml");
        fs::write(&path, fixture("sources.toml", &[("page", &page.to_string())])).expect("a disk");
        let mut command = Command::new(program());
        command.args(["run", "--config", path.to_str().expect("letters")]);
        let daemon = Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        let world = Self { folder, page, http: reqwest::Client::new(), _daemon: daemon };
        eventually("the daemon", async || world.get("/api/v1/status").await).await;
        world
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.page)
    }

    async fn get(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.http.get(self.url(path)).send().await.ok()?.text().await.ok()?).ok()
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.http.get(self.url(path)).send().await.expect("an answer");
        answer.text().await.expect("text")
    }

    fn token(&self, link: &str) -> Result<String, String> {
        let config = self.folder.path().join("camhealth.toml");
        let output = camhealth(&["passes", "source", link, "--config", config.to_str().expect("letters")], &[]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// The status and what was answered.
    async fn say(&self, token: &str, cameras: Value) -> (u16, Value) {
        let said = self.http.post(self.url("/api/v1/claims")).bearer_auth(token);
        let said = said.header("content-type", "application/json").body(json!({ "cameras": cameras }).to_string());
        let answer = said.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.expect("text")).expect("JSON"))
    }

    async fn camera(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/cameras/{id}")).await.expect("there is such a camera")
    }

    /// Says a thing again and again, as a source does, until the camera is seen so.
    async fn until(&self, token: &str, id: &str, state: &str, said: impl Fn(u64) -> Value) {
        let count = std::sync::atomic::AtomicU64::new(0);
        eventually_within(Duration::from_secs(60), &format!("{id} becomes {state}"), async || {
            let (status, answer) =
                self.say(token, said(count.fetch_add(1, std::sync::atomic::Ordering::Relaxed))).await;
            assert!(status == 429 || (status == 200 && answer["untaken"] == json!([])), "{status}: {answer}");
            (self.camera(id).await["state"] == state).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_tells_of_its_own_cameras_as_strongly_as_they_are_believed() {
    let world = World::new().await;
    let refused = world.token("nowhere").expect_err("there is no such link");
    assert!(refused.contains("kind = \"source\""), "{refused}");
    let token = world.token("dau-ghi").expect("a token");

    // Nobody else, and of nothing else.
    let (status, answer) = world.say("nobody", json!([{ "id": "nha-1", "counter": 1 }])).await;
    assert!(status == 401 && answer["error"].to_string().contains("passes source"), "{answer}");
    let said = json!([
        { "id": "nha-1", "counter": 1 }, { "id": "own", "working": true }, { "id": "nobody", "working": true },
        { "id": "nha-1", "working": true }, { "id": "nha-2" }, { "id": "nha-2", "working": true, "age_seconds": 61 },
        { "id": "nha-2", "counter": 1, "working": true }, { "id": "nha-2", "working": true, "age_seconds": -1 }
    ]);
    let (status, answer) = world.say(&token, said).await;
    let why: Vec<_> =
        answer["untaken"].as_array().expect("a list").iter().map(|one| one["why"].as_str().unwrap_or("")).collect();
    assert_eq!((status, &answer["taken"]), (200, &json!(1)), "{answer}");
    for (kind, count) in [("unclear", 3), ("not_theirs", 2), ("too_weak", 1), ("too_old", 1)] {
        assert_eq!(why.iter().filter(|why| **why == kind).count(), count, "{kind}: {answer}");
    }
    let malformed = json!([{ "id": "nha-1", "counter": -1 }]);
    assert_eq!(world.say(&token, malformed).await.0, 400);
    let bearer = world.http.get(world.url("/api/v1/passes")).bearer_auth(&token).send().await.expect("an answer");
    assert_ne!(bearer.status(), 500);

    // By a counter that rises, and by a word.
    world.until(&token, "nha-1", "up", |count| json!([{ "id": "nha-1", "counter": 1000 + count }])).await;
    world.until(&token, "nha-2", "up", |_| json!([{ "id": "nha-2", "working": true, "age_seconds": 2.5 }])).await;
    let proof = world.camera("nha-1").await["proof"].clone();
    assert_eq!(
        (&proof["observer"], &proof["link"], &proof["strength"]),
        (&json!("source"), &json!("dau-ghi"), &json!("counter"))
    );
    assert_eq!(world.get("/api/v1/sites/cong").await.expect("a site")["level"], "full");
    for (path, wanted) in [
        ("/cameras/nha-1?lang=vi", "Bằng chứng gần nhất"),
        ("/cameras/nha-1?lang=vi", "số đếm tăng ở nguồn tin (Đầu ghi Ủy ban)"),
        ("/cameras/nha-2?lang=en", "It is not looked at: Đầu ghi Ủy ban, a source"),
        ("/sites/cong?lang=vi", "(theo lời báo của nguồn tin)"),
        ("/links/dau-ghi?lang=vi", "nguồn tin"),
        (
            "/metrics",
            "camhealth_camera_proof_info{camera=\"nha-2\",link=\"dau-ghi\",observer=\"source\",strength=\"word\"} 1",
        ),
    ] {
        let page = world.text(path).await;
        assert!(page.contains(wanted), "{path} lacks {wanted}: {page}");
        assert!(!page.contains("told.invalid"), "{path}: what stands for an address is nobody's business");
    }

    // It stands still, and it is said to be dead.
    world.until(&token, "nha-2", "down", |_| json!([{ "id": "nha-2", "working": false }])).await;
    let told = world.camera("nha-2").await;
    assert_eq!(told["detail"], "nguồn tin Đầu ghi Ủy ban báo camera không hoạt động");
    assert_eq!(world.get("/api/v1/sites/cong").await.expect("a site")["level"], "critical");
    world.until(&token, "nha-1", "down", |_| json!([{ "id": "nha-1", "counter": 5000 }])).await;
    assert_eq!(world.camera("nha-1").await["cause"], "stalled");
}
