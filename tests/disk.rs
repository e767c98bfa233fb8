//! A disk that is full: the daemon starts, watches and shows, says that it cannot remember, and goes on by itself.
//!
//! The disk is a real one of a megabyte (tmpfs) in a mount namespace of the daemon's own, reached through /proc.

use crate::{
    daemon::{Daemon, World},
    support::{eventually, program},
};
use std::{fs, io::Write, path::PathBuf, process::Command};

/// A world whose journal lies on a small disk.
struct Disk {
    world: World,
    folder: PathBuf,
}

impl Disk {
    async fn new() -> Self {
        let world = World::new().await;
        let folder = world.folder.path().join("disk");
        fs::create_dir(&folder).expect("it can be made");
        let text = fs::read_to_string(world.config()).expect("it was written");
        fs::write(world.config(), text.replace("journal.sqlite3", "disk/journal.sqlite3")).expect("it can be written");
        Self { world, folder }
    }

    /// A daemon after `before` was done in its namespace.
    fn start(&self, before: &str) -> Daemon {
        let disk = self.folder.display();
        let script = format!("mount -t tmpfs -o size=1m none '{disk}' && {{ {before}; exec \"$@\"; }}");
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", &script, "sh", program(), "run", "--config"]);
        self.world.start_by(command.arg(self.world.config()))
    }

    /// The file that takes what is free on the daemon's disk.
    fn filler(&self, daemon: &Daemon) -> PathBuf {
        let folder = self.folder.strip_prefix("/").expect("it is absolute");
        PathBuf::from(format!("/proc/{}/root", daemon.id())).join(folder).join("filler")
    }

    fn fill(&self, daemon: &Daemon) {
        let mut file = fs::File::create(self.filler(daemon)).expect("it can be made");
        for size in [4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_it_watches_and_says_that_it_cannot_remember_and_recovers_by_itself() {
    let disk = Disk::new().await;
    let daemon = disk.start("true");
    disk.world.metric("camhealth_coverage_ratio", 1.0).await;
    disk.fill(&daemon);
    disk.world.break_camera(1).await;
    disk.world.metric("camhealth_camera_state{camera=\"cam-1\",kind=\"public\",state=\"down\"}", 1.0).await;
    let why = disk.world.health(503).await;
    assert!(why.contains("nothing can be remembered"), "{why}");
    disk.world.metric("camhealth_watching", 0.0).await;
    // The message on the site waits, and that is told, once, over one channel.
    disk.world.metric("camhealth_notices_pending", 2.0).await;
    disk.world.is_told("journal_failing").await;
    assert_eq!((disk.world.told("journal_failing"), disk.world.told("coverage_lost")), (1, 0));
    fs::remove_file(disk.filler(&daemon)).expect("it is ours");
    for reason in ["coverage_lost", "journal_restored"] {
        disk.world.is_told(reason).await;
    }
    disk.world.health(200).await;
    disk.world.metric("camhealth_notices_pending", 0.0).await;
    assert_eq!((disk.world.told("journal_failing"), disk.world.told("coverage_lost")), (1, 1), "nothing is told twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_on_a_full_disk_and_remembers_as_soon_as_it_can() {
    let disk = Disk::new().await;
    let filler = disk.folder.join("filler");
    let daemon = disk.start(&format!("cat /dev/zero > '{}' 2> /dev/null", filler.display()));
    disk.world.metric("camhealth_coverage_ratio", 1.0).await;
    disk.world.health(503).await;
    fs::remove_file(disk.filler(&daemon)).expect("it is ours");
    disk.world.health(200).await;
    disk.world.break_camera(1).await;
    disk.world.is_told("coverage_lost").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_edited_on_a_full_disk_changes_nothing_until_it_is_written() {
    let disk = Disk::new().await;
    let daemon = disk.start("true");
    disk.world.metric("camhealth_coverage_ratio", 1.0).await;
    let client = reqwest::Client::new();
    let address = |path: &str| format!("http://{}{path}", disk.world.page);
    let site = async || {
        let text = disk.world.get("/api/v1/settings/site_name").await?;
        let all: serde_json::Value = serde_json::from_str(&text).ok()?;
        all.as_array()?.first().cloned()
    };
    let name = async || Some(site().await?["value"]["name"].as_str()?.to_owned());
    let edit = async |name: &str| {
        let site = site().await.expect("it is listed");
        let wish = serde_json::json!({ "id": site["id"], "version": site["version"], "value": { "name": name } });
        let sent = client.post(address("/api/v1/settings/site_name")).header("content-type", "application/json");
        let answer = sent.body(wish.to_string()).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let (status, text) = edit("Chợ một").await;
    assert_eq!((status, name().await.as_deref()), (200, Some("Chợ một")), "{text}");
    disk.fill(&daemon);
    // What the file has of its own room takes some edits yet.
    let mut last = "Chợ một".to_owned();
    let refused = loop {
        let next = format!("{last}!");
        match edit(&next).await {
            (200, _) => last = next,
            (status, text) => break (next, status, text),
        }
    };
    assert_eq!(refused.1, 503, "{}", refused.2);
    assert!(refused.2.contains("cannot be remembered until the journal can be written"), "{}", refused.2);
    assert_eq!(name().await.as_ref(), Some(&last), "it does not hold");
    // Another is not left waiting, neither on the page.
    let (status, text) = edit("Chợ ba").await;
    assert!(status == 503 && text.contains("nothing was changed: the journal cannot be written"), "{status} {text}");
    let known = site().await.expect("it is listed");
    let part = |key: &str| known[key].as_str().expect("text").to_owned();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("kind", "site_name"), ("id", &part("id")), ("version", &part("version")), ("name", "Chợ bốn")])
        .finish();
    let sent = client.post(address("/settings/sites?lang=vi")).body(form);
    let sent = sent.header("content-type", "application/x-www-form-urlencoded");
    let answer = sent.send().await.expect("an answer");
    let (status, page) = (answer.status().as_u16(), answer.text().await.expect("text"));
    assert!(status == 503 && page.contains("Chưa đổi gì: chưa ghi được vào đĩa"), "{status} {page}");
    assert!(page.contains("value=\"Chợ bốn\""), "what was typed stays: {page}");
    assert_eq!(name().await.as_ref(), Some(&last));

    fs::remove_file(disk.filler(&daemon)).expect("it is ours");
    // What was taken holds now, what was refused never does, and the next is done.
    eventually("it holds", async || (name().await? == refused.0).then_some(())).await;
    let (status, text) = edit("Chợ năm").await;
    assert_eq!((status, name().await.as_deref()), (200, Some("Chợ năm")), "{text}");
    let trail = disk.world.get("/api/v1/audit").await.expect("it is read");
    let trail: serde_json::Value = serde_json::from_str(&trail).expect("JSON");
    assert!(trail["broken"].is_null(), "{trail}");
    let told = trail.to_string();
    assert!(told.contains("Chợ năm") && !told.contains("Chợ ba") && !told.contains("Chợ bốn"), "{told}");
}

/// As when a disk is not there at boot and comes later.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_comes_late_is_read_before_it_is_written() {
    let disk = Disk::new().await;
    let run = |command: &mut Command| disk.world.start_by(command.args(["run", "--config"]).arg(disk.world.config()));
    let first = run(&mut Command::new(program()));
    disk.world.metric("camhealth_coverage_ratio", 1.0).await;
    disk.world.break_camera(1).await;
    disk.world.is_told("coverage_lost").await;
    // Whoever is killed between telling and noting may tell it twice.
    disk.world.metric("camhealth_notices_pending", 0.0).await;
    drop(first);

    // An empty disk that nobody may write lies over the folder.
    let script = format!("mount -t tmpfs -o ro none '{}' && exec \"$@\"", disk.folder.display());
    let mut command = Command::new("unshare");
    let daemon = run(command.args(["--mount", "--map-root-user", "sh", "-c", &script, "sh", program()]));
    let why = disk.world.health(503).await;
    assert!(why.contains("nothing can be remembered"), "{why}");
    let process = daemon.id().to_string();
    let mut lift = Command::new("nsenter");
    lift.args(["--target", &process, "--user", "--mount", "--preserve-credentials", "umount"]).arg(&disk.folder);
    assert!(lift.status().expect("util-linux is there").success());
    disk.world.health(200).await;
    // The incident goes on under its number, and is not told anew.
    disk.world.mend_camera(1).await;
    disk.world.is_told("coverage_restored").await;
    let taken = disk.world.receiver.taken();
    assert_eq!((disk.world.told("coverage_lost"), disk.world.told("coverage_restored")), (1, 1), "{taken:#?}");
    assert!(disk.world.is_one_incident(), "{taken:#?}");
}
