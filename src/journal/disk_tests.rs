//! A disk that is full, or that cannot be written: what can be read is read, nothing is lost that somebody still holds,
//! and all goes on when the disk does.
//!
//! Real ones, small and in memory, in a namespace of their own: each test starts itself again in there.

use super::{
    tests::{at, closed, due, mark, notice, recipient, sent, waits},
    *,
};
use crate::model::{Detail, FailureKind, State};
use secrecy::ExposeSecret;
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// By which a test knows that it is in there.
const WORLD: &str = "CAMHEALTH_TEST_DISK";

/// Runs a test on a disk of its own of one megabyte; the folder, if this is in there.
fn on_a_small_disk(test: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(WORLD) {
        return Some(folder.into());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = "mount -t tmpfs -o size=1m none \"$CAMHEALTH_TEST_DISK\" && exec \"$0\" --exact \"$1\" --nocapture";
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script])
        .arg(std::env::current_exe().expect("this program"))
        .arg(format!("journal::disk_tests::{test}"))
        .env(WORLD, folder.path())
        .output()
        .expect("unshare (util-linux) is there");
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    None
}

fn settings(folder: &Path) -> Settings {
    Settings { path: Some(folder.join("journal.sqlite3")), ..Settings::default() }
}

fn remount(folder: &Path, options: &str) {
    let status = Command::new("mount").args(["-o", options]).arg(folder).status().expect("mount");
    assert!(status.success(), "{options}");
}

/// Takes all room that is left.
fn fill(folder: &Path) -> PathBuf {
    let ballast = folder.join("ballast");
    let mut file = File::create(&ballast).expect("a file");
    while file.write_all(&[1; 4096]).is_ok() {}
    ballast
}

fn transition(camera: &str, second: i64) -> Transition {
    Transition {
        camera: camera.into(),
        from: State::Up,
        to: State::Down,
        cause: Some(FailureKind::Timeout),
        detail: Detail::plain("không trả lời"),
        since: at(second - 6),
        decided: at(second),
    }
}

fn batch(camera: &str, second: i64) -> Batch {
    Batch { transitions: vec![transition(camera, second)], ..Batch::default() }
}

/// A batch that no small disk holds.
fn big() -> Batch {
    let transitions =
        (0..4000).map(|number| Transition { detail: Detail::plain(&"x".repeat(400)), ..transition("big", number) });
    Batch { transitions: transitions.collect(), ..Batch::default() }
}

fn impaired(journal: &Journal) -> Option<String> {
    journal.condition().borrow().impaired.clone()
}

/// Two messages wait, of one incident and for one person, and one of another.
async fn fill_outbox(journal: &Journal) {
    for (step, person) in [(1, "an"), (2, "an"), (3, "binh")] {
        let notices = vec![(notice(step, i64::from(step)), vec![recipient(person, &[person])])];
        journal.commit(Batch { notices, ..Batch::default() }).await.expect("it is written");
    }
}

/// Waits until a batch is taken again: at most once a second is it tried.
async fn until_it_is_written(journal: &Journal, batch: &Batch) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Err(error) = journal.commit(batch.clone()).await {
        assert!(Instant::now() < deadline, "{error}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_full_disk_is_read_and_told_to_nobody_twice() {
    let Some(folder) = on_a_small_disk("a_full_disk_is_read_and_told_to_nobody_twice") else { return };
    let (journal, _) = Journal::open(&settings(&folder), at(0)).expect("a journal");
    journal.commit(batch("a", 9)).await.expect("it is written");
    fill_outbox(&journal).await;
    let key = journal.signing_key().await.expect("a key");
    closed(journal).await;

    let ballast = fill(&folder);
    let (journal, restored) =
        Journal::open(&settings(&folder), at(100)).expect("a full disk keeps nobody from starting");
    assert_eq!(restored.cameras, [transition("a", 9)]);
    let why = impaired(&journal).expect("it is told");
    assert!(why.contains("full") || why.contains("room"), "{why}");
    assert_eq!(journal.signing_key().await.expect("a key").expose_secret(), key.expose_secret());
    assert!(journal.commit(batch("b", 109)).await.is_err());
    assert!(journal.commit(big()).await.is_err());
    assert_eq!(journal.history(at(0), at(200)).await.expect("history").transitions, [transition("a", 9)]);
    // What waits is told, once; what becomes of it is not forgotten.
    let waiting = due(&journal, 100).await;
    assert_eq!(waiting.iter().map(|(_, newest)| newest.notice.step()).collect::<Vec<_>>(), [2, 3]);
    sent(&journal, &waiting[0], Some("m1"), 101).await;
    mark(&journal, waits(&waiting[1].1, ("binh", 0, 1), 161), 101).await;
    let left = async |second| {
        let heads = journal.heads(at(second)).await.expect("it is read");
        heads.iter().map(|head| (head.place.channel.to_string(), head.place.attempts, head.due)).collect::<Vec<_>>()
    };
    assert_eq!(left(102).await, [("binh".to_owned(), 1, at(161))]);
    assert_eq!(journal.waiting().await.expect("it is read"), 1);

    fs::remove_file(ballast).expect("room");
    until_it_is_written(&journal, &batch("b", 109)).await;
    assert_eq!(impaired(&journal), None);
    assert_eq!(left(103).await, [("binh".to_owned(), 1, at(161))]);
    journal.keep(at(160), settings(&folder)).await.expect("it is noted");
    closed(journal).await;
    let (journal, restored) = Journal::open(&settings(&folder), at(200)).expect("a journal");
    assert_eq!(restored.cameras, [transition("a", 9), transition("b", 109)], "nothing of the batch that failed");
    let left = due(&journal, 200).await;
    assert_eq!(
        left.iter().map(|(head, newest)| (newest.notice.step(), head.place.attempts)).collect::<Vec<_>>(),
        [(3, 1)]
    );
    let runs = journal.history(at(0), at(300)).await.expect("history").runs;
    assert!(runs.contains(&crate::model::Run { from: at(100), until: at(160) }), "{runs:?}");
}

#[tokio::test]
async fn a_disk_that_fills_up_while_it_runs_loses_nothing() {
    let Some(folder) = on_a_small_disk("a_disk_that_fills_up_while_it_runs_loses_nothing") else { return };
    let (journal, _) = Journal::open(&settings(&folder), at(0)).expect("a journal");
    fill_outbox(&journal).await;
    assert_eq!(impaired(&journal), None);
    let mut condition = journal.condition();
    let error = journal.commit(big()).await.expect_err("it does not fit").to_string();
    assert!(error.contains("full"), "{error}");
    assert!(condition.has_changed().expect("it lives"));
    assert_eq!(condition.borrow_and_update().impaired, Some(error));
    let ballast = fill(&folder);
    let waiting = due(&journal, 10).await;
    for one in &waiting {
        sent(&journal, one, None, 11).await;
    }
    assert_eq!((waiting.len(), journal.waiting().await.expect("it is read")), (2, 0));
    fs::remove_file(ballast).expect("room");
    until_it_is_written(&journal, &batch("b", 20)).await;
    closed(journal).await;
    let (journal, restored) = Journal::open(&settings(&folder), at(100)).expect("a journal");
    assert_eq!(restored.cameras, [transition("b", 20)], "no half of what did not fit");
    assert_eq!(journal.waiting().await.expect("it is read"), 0, "what was told is noted");
}

#[tokio::test]
async fn a_first_start_on_a_full_disk_signs_with_a_key_that_stays() {
    let Some(folder) = on_a_small_disk("a_first_start_on_a_full_disk_signs_with_a_key_that_stays") else { return };
    let ballast = fill(&folder);
    let (journal, restored) = Journal::open(&settings(&folder), at(0)).expect("it starts");
    assert_eq!(restored, Restored::default());
    assert!(impaired(&journal).is_some());
    let key = journal.signing_key().await.expect("one of this run");
    assert_eq!(journal.heads(at(1)).await.expect("nothing"), []);
    assert_eq!(journal.waiting().await.expect("nothing"), 0);
    fs::remove_file(ballast).expect("room");
    until_it_is_written(&journal, &batch("a", 9)).await;
    closed(journal).await;
    let (journal, restored) = Journal::open(&settings(&folder), at(100)).expect("a journal");
    assert_eq!(restored.cameras, [transition("a", 9)]);
    assert_eq!(journal.signing_key().await.expect("a key").expose_secret(), key.expose_secret());
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_read_and_written_when_it_can() {
    let Some(folder) = on_a_small_disk("a_disk_that_cannot_be_written_is_read_and_written_when_it_can") else { return };
    let (journal, _) = Journal::open(&settings(&folder), at(0)).expect("a journal");
    journal.commit(batch("a", 9)).await.expect("it is written");
    fill_outbox(&journal).await;
    let key = journal.signing_key().await.expect("a key");
    closed(journal).await;
    remount(&folder, "remount,ro");
    let (journal, restored) = Journal::open(&settings(&folder), at(100)).expect("it starts");
    assert_eq!(restored.cameras, [transition("a", 9)]);
    let why = impaired(&journal).expect("it is told");
    assert!(why.to_lowercase().contains("read-only"), "{why}");
    assert!(journal.commit(batch("b", 109)).await.is_err());
    assert_eq!(journal.signing_key().await.expect("a key").expose_secret(), key.expose_secret());
    assert_eq!(journal.heads(at(100)).await.expect("it is read").len(), 2);
    assert_eq!(journal.history(at(0), at(200)).await.expect("history").transitions, [transition("a", 9)]);
    assert_eq!(history(&settings(&folder), at(0), at(200)).expect("history").transitions.len(), 1);
    remount(&folder, "remount,rw");
    until_it_is_written(&journal, &batch("b", 109)).await;
    assert_eq!(impaired(&journal), None);
    closed(journal).await;
    let (_, restored) = Journal::open(&settings(&folder), at(200)).expect("a journal");
    assert_eq!(restored.cameras, [transition("a", 9), transition("b", 109)]);
}

/// The disk went read-only while nobody could tidy up, as ext4 does after an error: the latest lies in the WAL.
#[tokio::test]
async fn what_lies_in_the_wal_of_a_read_only_disk_is_read() {
    let Some(folder) = on_a_small_disk("what_lies_in_the_wal_of_a_read_only_disk_is_read") else { return };
    let (journal, _) = Journal::open(&settings(&folder), at(0)).expect("a journal");
    journal.commit(batch("a", 9)).await.expect("it is written");
    let other = folder.join("other");
    fs::create_dir(&other).expect("a folder");
    for suffix in ["", "-wal"] {
        let name = format!("journal.sqlite3{suffix}");
        fs::copy(folder.join(&name), other.join(&name)).expect("a copy");
    }
    closed(journal).await;
    remount(&folder, "remount,ro");
    let (journal, restored) = Journal::open(&settings(&other), at(100)).expect("it starts");
    assert_eq!(restored.cameras, [transition("a", 9)]);
    assert!(impaired(&journal).is_some());
    assert_eq!(journal.condition().borrow().set_aside, None, "nothing is damaged");
}

#[tokio::test]
async fn a_damaged_journal_on_a_full_disk_is_read_and_set_aside_when_there_is_room() {
    let Some(folder) = on_a_small_disk("a_damaged_journal_on_a_full_disk_is_read_and_set_aside_when_there_is_room")
    else {
        return;
    };
    let (journal, _) = Journal::open(&settings(&folder), at(0)).expect("a journal");
    journal.commit(batch("a", 9)).await.expect("it is written");
    closed(journal).await;
    let path = folder.join("journal.sqlite3");
    let mut bytes = fs::read(&path).expect("a journal");
    bytes[..4096].fill(0);
    fs::write(&path, bytes).expect("damage");
    let ballast = fill(&folder);
    let (journal, restored) = Journal::open(&settings(&folder), at(100)).expect("it starts");
    assert_eq!(restored.cameras, [transition("a", 9)]);
    assert!(impaired(&journal).is_some());
    assert!(journal.commit(batch("b", 109)).await.is_err());
    fs::remove_file(ballast).expect("room");
    until_it_is_written(&journal, &batch("b", 109)).await;
    assert!(journal.condition().borrow().set_aside.is_some());
    closed(journal).await;
    let (_, restored) = Journal::open(&settings(&folder), at(200)).expect("a journal");
    assert_eq!(restored.cameras, [transition("a", 9), transition("b", 109)]);
}
