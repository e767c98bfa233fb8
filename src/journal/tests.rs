//! The journal on a real file: what is committed comes back, in order and once.

use super::*;
use crate::model::{FailureKind, IncidentId, Level, OpenAlert, Reason, State, later};
use std::time::Duration;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn transition(camera: &str, to: State, second: i64) -> Transition {
    Transition {
        camera: camera.into(),
        from: State::Up,
        to,
        cause: (to == State::Down).then_some(FailureKind::Timeout),
        detail: "không trả lời".into(),
        since: at(second - 6),
        decided: at(second),
    }
}

fn notice(step: u32, second: i64) -> Notice {
    Notice {
        incident: IncidentId::new(&"cho".into(), at(0)),
        step,
        reason: Reason::CoverageLost,
        site: "cho".into(),
        site_name: "Ngã tư Chợ".into(),
        hamlet: "Thôn 1".into(),
        level: Level::Blind,
        views_lost: vec!["về phía cảng".into()],
        views_total: 1,
        since: at(0),
        at: at(second),
        cameras: Vec::new(),
        households: 0,
    }
}

fn settings(folder: &tempfile::TempDir) -> Settings {
    Settings { path: Some(folder.path().join("journal.sqlite3")), ..Settings::default() }
}

fn open(settings: &Settings) -> (Journal, Restored) {
    Journal::open(settings, at(0)).expect("the journal opens")
}

#[tokio::test]
async fn what_was_committed_comes_back_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, restored) = open(&settings(&folder));
    assert_eq!(restored, Restored::default());
    let alert =
        OpenAlert { incident: IncidentId::new(&"cho".into(), at(0)), since: at(0), told: Level::Blind, step: 1 };
    let record = SiteRecord { site: "cho".into(), level: Level::Blind, since: at(9), alert: Some(alert) };
    let batch = Batch {
        transitions: vec![transition("a", State::Down, 9), transition("b", State::Down, 9)],
        sites: vec![record.clone()],
        ..Batch::default()
    };
    journal.commit(batch).await.expect("it is written");
    let batch = Batch { transitions: vec![transition("a", State::Up, 20)], ..Batch::default() };
    journal.commit(batch).await.expect("it is written");
    let (_, restored) = open(&settings(&folder));
    assert_eq!(restored.cameras, [transition("b", State::Down, 9), transition("a", State::Up, 20)]);
    assert_eq!(restored.sites, [record]);
}

#[tokio::test]
async fn a_channel_gets_its_notices_in_order_and_a_failing_one_holds_up_no_other() {
    let (journal, _) = open(&Settings { path: None, ..Settings::default() });
    let both = vec!["ntfy".into(), "hook".into()];
    for (step, second) in [(1, 10), (2, 20)] {
        let batch = Batch { notices: vec![(notice(step, second), both.clone())], ..Batch::default() };
        journal.commit(batch).await.expect("it is written");
    }
    let due = journal.due(at(30)).await.expect("it is read");
    assert_eq!(due.iter().map(|delivery| delivery.notice.step).collect::<Vec<_>>(), [1, 1]);
    let id = |deliveries: &[Delivery], channel: &str| {
        deliveries.iter().find(|delivery| delivery.channel.as_str() == channel).expect("it is due").id
    };
    journal.postponed(id(&due, "ntfy"), at(60), "503".into()).await.expect("it is written");
    journal.sent(id(&due, "hook"), at(30)).await.expect("it is written");
    let due = journal.due(at(30)).await.expect("it is read");
    assert_eq!((due.len(), due[0].channel.as_str(), due[0].notice.step), (1, "hook", 2));
    journal.sent(due[0].id, at(31)).await.expect("it is written");
    assert_eq!(journal.waiting().await.expect("it is read"), (Some(at(60)), 2));
    let due = journal.due(at(60)).await.expect("it is read");
    assert_eq!((due[0].notice.clone(), due[0].attempts), (notice(1, 10), 1));
}

#[tokio::test]
async fn a_notice_that_is_committed_twice_is_sent_once() {
    let (journal, _) = open(&Settings { path: None, ..Settings::default() });
    for _ in 0..2 {
        let batch = Batch { notices: vec![(notice(1, 10), vec!["ntfy".into()])], ..Batch::default() };
        journal.commit(batch).await.expect("it is written");
    }
    assert_eq!(journal.waiting().await.expect("it is read").1, 1);
}

#[tokio::test]
async fn a_journal_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(&settings(&folder)));
    let path = settings(&folder).path.expect("a file");
    let connection = Connection::open(path).expect("a database");
    connection.pragma_update(None, "user_version", 99).expect("it is written");
    let error = Journal::open(&settings(&folder), at(0)).expect_err("it is newer").to_string();
    assert!(error.contains("format 99") && error.contains("newer camhealth"), "{error}");
}

#[tokio::test]
async fn old_transcripts_go_and_failures_stay_longer() {
    let (journal, _) = open(&Settings { path: None, ..Settings::default() });
    let look = |failure| Observation {
        check: crate::model::Check::Stream,
        started: at(0),
        took: Duration::ZERO,
        rungs: Vec::new(),
        failure,
        stream: None,
        device: None,
        clock_offset_seconds: None,
        bytes: 0,
    };
    let failure = crate::model::Failure::new(FailureKind::Timeout, "");
    let observations = vec![("a".into(), look(None)), ("a".into(), look(Some(failure)))];
    journal.commit(Batch { observations, ..Batch::default() }).await.expect("it is written");
    let count = async || {
        let count = |connection: &mut Connection| {
            Ok(connection.query_row("SELECT count(*) FROM observation", [], |row| row.get::<_, i64>(0))?)
        };
        journal.with(count).await.expect("it is read")
    };
    let day = Duration::from_secs(24 * 3600);
    for (days, left) in [(0, 2), (2, 1), (31, 0)] {
        journal.keep(later(at(0), days * day), Settings::default()).await.expect("it is written");
        assert_eq!(count().await, left, "after {days} days");
    }
}

#[tokio::test]
async fn what_was_learned_and_how_logins_fared_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, _) = open(&settings(&folder));
    let mut memory = Memory { login_good: true, boots: vec![at(1)], ..Memory::default() };
    let seen = crate::model::Hour { looks: 0, fps: 15.0, bytes_per_second: 1.5, delta_frame_bytes: 0.1 };
    memory.baseline.learn(at(0), seen, false);
    let login = |strikes, until| LoginRecord {
        device: "nvr".into(),
        onvif: false,
        fingerprint: 0xabcd,
        strikes,
        until,
        good: false,
    };
    for record in [login(1, Some(at(60))), login(2, None)] {
        let memories = vec![("a".into(), Arc::new(memory.clone()))];
        journal.commit(Batch { memories, logins: vec![record], ..Batch::default() }).await.expect("it is written");
    }
    let (_, restored) = open(&settings(&folder));
    assert_eq!(restored.memories, [("a".into(), memory.clone())]);
    assert_eq!(restored.logins, [login(2, None)]);
    let path = settings(&folder).path.expect("a path");
    assert_eq!(learned(&path), [("a".into(), memory)]);
    assert_eq!(learned(Path::new("nowhere")), []);
}

#[test]
fn a_journal_of_the_first_format_is_brought_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = settings(&folder).path.expect("a path");
    let old = Connection::open(&path).expect("a file");
    old.execute_batch(include_str!("schema/1.sql")).expect("the first format");
    old.pragma_update(None, "user_version", 1).expect("the first format");
    let sql = "INSERT INTO transition (camera, from_state, to_state, detail, since, decided) VALUES ('a', 'up', 'down', '', 1, 1)";
    old.execute(sql, []).expect("a transition");
    drop(old);
    let (_, restored) = open(&settings(&folder));
    assert_eq!((restored.cameras.len(), restored.logins.len()), (1, 0));
}
