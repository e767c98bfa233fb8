//! The journal on a real file: what is committed comes back, in order and once.

pub(super) use super::stores_tests::{for_once, in_folder, on_server, tables, tables_of};
use super::{sql::values, *};
use crate::model::{
    Branch, Cameras, Cause, Detail, FailureKind, IncidentId, IncidentNotice, Level, LinkState, OpenAlert, Place,
    Reason, Scope, Span, State, later,
};
use std::time::Duration;

/// Runs to its end what waits.
pub(super) fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(work)
}

/// Lets the journal go, and waits until its file is closed.
pub(super) async fn closed(journal: Journal) {
    let end = journal.ended();
    drop(journal);
    end.await;
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

pub(super) fn transition(camera: &str, to: State, second: i64) -> Transition {
    Transition {
        camera: camera.into(),
        from: State::Up,
        to,
        cause: (to == State::Down).then_some(FailureKind::Timeout),
        detail: Detail::plain("không trả lời"),
        since: at(second - 6),
        decided: at(second),
    }
}

pub(super) fn notice(step: u32, second: i64) -> Notice {
    of_incident(IncidentId::new(&Cause::Site("cho".into()), at(0)), step, second)
}

fn of_incident(incident: IncidentId, step: u32, second: i64) -> Notice {
    Notice::Incident(Box::new(IncidentNotice {
        incident,
        number: 1,
        step,
        round: 0,
        reason: Reason::CoverageLost,
        cause: Cause::Site("cho".into()),
        place: "Ngã tư Chợ".into(),
        hamlet: Some("Thôn 1".into()),
        level: Level::Blind,
        sites: Vec::new(),
        since: at(0),
        at: at(second),
        recovering: None,
        cameras: Cameras::default(),
        episode: 1,
        related: Vec::new(),
        taken_on_by: None,
        link_answers: false,
    }))
}

/// An open incident of one site that nobody was told of.
pub(super) fn incident(number: u32) -> Incident {
    Incident {
        id: IncidentId::stored(format!("i{number}")),
        number,
        sites: [("cho".into(), Level::Blind)].into(),
        step: 1,
        ..Incident::new(Cause::Site("cho".into()), at(0), Level::Blind)
    }
}

pub(super) fn recipient(person: &str, channels: &[&str]) -> Recipient {
    let channels = channels.iter().map(|channel| (*channel).into()).collect();
    Recipient { person: Some(person.into()), channels, rings: false }
}

fn told(notice: Notice, to: &[Recipient]) -> Batch {
    Batch { notices: vec![(notice, to.to_vec())], ..Batch::default() }
}

/// The head of each channel, with the newest row of its thread.
pub(super) async fn due(journal: &Journal, second: i64) -> Vec<(Head, Newest)> {
    let mut due = Vec::new();
    for head in journal.heads(at(second)).await.expect("it is read") {
        let newest = journal.newest(head.thread.clone(), at(second)).await.expect("it is read");
        due.extend(newest.map(|newest| (head, newest)));
    }
    due
}

pub(super) async fn mark(journal: &Journal, mark: Mark, second: i64) {
    journal.mark(vec![mark], at(second)).await.expect("it is noted");
}

/// A channel took the newest row of a thread.
pub(super) async fn sent(journal: &Journal, (head, newest): &(Head, Newest), receipt: Option<&str>, second: i64) {
    let superseded = Mark::Superseded { thread: head.thread.clone(), before: newest.id };
    let sent = Mark::Sent { id: newest.id, receipt: receipt.map(str::to_owned) };
    journal.mark(vec![superseded, sent], at(second)).await.expect("it is noted");
}

/// It is to be tried again.
pub(super) fn waits(newest: &Newest, (channel, nth, attempts): (&str, usize, u32), due: i64) -> Mark {
    let place = Place { channel: channel.into(), nth, attempts };
    Mark::Waits { id: newest.id, place, due: at(due), error: Some("503".into()) }
}

fn settings(folder: &tempfile::TempDir) -> Settings {
    in_folder(folder.path())
}

fn open(settings: &Settings) -> (Journal, Restored) {
    Journal::open(settings, at(0)).expect("the journal opens")
}

#[tokio::test]
async fn what_was_committed_comes_back_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, restored) = open(&settings(&folder));
    assert_eq!(restored, Restored::default());
    let alert = OpenAlert { since: at(0), worst: Level::Blind };
    let (site, ended) = ("cho".into(), vec![at(-60)]);
    let record = SiteRecord { site, level: Level::Blind, since: at(9), alert: Some(alert), ended };
    let batch = Batch {
        transitions: vec![transition("a", State::Down, 9), transition("b", State::Down, 9)],
        sites: vec![record.clone()],
        ..Batch::default()
    };
    journal.commit(batch).await.expect("it is written");
    let batch = Batch { transitions: vec![transition("a", State::Up, 20)], ..Batch::default() };
    journal.commit(batch).await.expect("it is written");
    drop(journal);
    let (_, restored) = open(&settings(&folder));
    assert_eq!(restored.cameras, [transition("b", State::Down, 9), transition("a", State::Up, 20)]);
    assert_eq!(restored.sites, [record]);
}

#[tokio::test]
async fn each_channel_has_one_head_and_what_is_noted_of_it_stays() {
    let (journal, _) = open(&for_once());
    let both = [recipient("an", &["ntfy"]), recipient("binh", &["hook"])];
    for (incident, second) in [("a", 10), ("b", 20)] {
        let notice = of_incident(IncidentId::stored(incident.into()), 1, second);
        journal.commit(told(notice, &both)).await.expect("it is written");
    }
    let first = due(&journal, 30).await;
    let shown = |due: &[(Head, Newest)]| {
        let one = |(head, newest): &(Head, Newest)| format!("{} {}", head.place.channel, newest.notice.id());
        due.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(shown(&first), ["ntfy a", "hook a"]);
    mark(&journal, waits(&first[0].1, ("ntfy", 0, 1), 60), 30).await;
    sent(&journal, &first[1], None, 30).await;
    let second = due(&journal, 30).await;
    assert_eq!(shown(&second), ["ntfy a", "hook b"]);
    let (head, newest) = &second[0];
    assert_eq!((head.due, head.place.attempts, &newest.place), (at(60), 1, &head.place));
    sent(&journal, &second[1], None, 31).await;
    mark(&journal, Mark::Abandoned { id: second[0].0.id, error: None }, 32).await;
    assert_eq!(shown(&due(&journal, 60).await), ["ntfy b"]);
    assert_eq!(journal.waiting().await.expect("it is read"), 1);
}

#[tokio::test]
async fn the_newest_of_a_thread_comes_with_what_was_not_heard_since_it_was_last_told() {
    let (journal, _) = open(&for_once());
    let an = [recipient("an", &["zalo", "sms"])];
    let queue = async |step, reason| {
        let notice = notice(step, i64::from(step)).because(reason);
        journal.commit(told(notice, &an)).await.expect("it is written");
        due(&journal, 100).await.swap_remove(0)
    };
    let (_, one) = queue(1, Reason::CoverageLost).await;
    assert_eq!((one.has_older, one.unheard), (false, vec![]));
    queue(2, Reason::CoverageWorse).await;
    let three = queue(3, Reason::RootFound).await;
    let (head, newest) = &three;
    assert_eq!((head.id, newest.notice.step(), newest.has_older), (one.id, 3, true));
    assert_eq!(newest.unheard, [Reason::CoverageLost, Reason::CoverageWorse]);
    mark(&journal, Mark::Superseded { thread: head.thread.clone(), before: newest.id }, 100).await;
    let (head, newest) = due(&journal, 100).await.swap_remove(0);
    assert_eq!((head.id, newest.has_older, newest.unheard.len()), (newest.id, false, 2), "a second try knows it too");
    sent(&journal, &three, Some("m1"), 101).await;
    assert_eq!(journal.waiting().await.expect("it is read"), 0);
    let (_, four) = queue(4, Reason::Escalated).await;
    assert_eq!((four.has_older, four.unheard), (false, vec![]), "it was told since");
    assert_eq!(four.first, [("zalo".into(), "m1".to_owned())].into());
}

#[tokio::test]
async fn a_row_moves_to_another_channel_and_later_ones_know_the_first_message_there() {
    let (journal, _) = open(&for_once());
    let an = [recipient("an", &["zalo", "sms"])];
    journal.commit(told(notice(1, 10), &an)).await.expect("it is written");
    let first = due(&journal, 10).await;
    assert_eq!((first[0].0.place.channel.as_str(), first[0].0.place.nth), ("zalo", 0));
    mark(&journal, waits(&first[0].1, ("sms", 1, 2), 10), 10).await;
    let second = due(&journal, 10).await;
    assert_eq!(second[0].0.place, Place { channel: "sms".into(), nth: 1, attempts: 2 });
    assert_eq!(second[0].1.recipient, an[0]);
    sent(&journal, &second[0], Some("m1"), 11).await;
    journal.commit(told(notice(2, 20), &[recipient("an", &["sms"])])).await.expect("it is written");
    assert_eq!(due(&journal, 20).await[0].1.first.get("sms").map(String::as_str), Some("m1"));
}

#[tokio::test]
async fn who_waits_behind_a_head_is_found_if_they_have_another_channel() {
    let (journal, _) = open(&for_once());
    let all = [recipient("an", &["zalo"]), recipient("binh", &["zalo"]), recipient("cuc", &["zalo", "sms"])];
    journal.commit(told(notice(1, 10), &all)).await.expect("it is written");
    let (head, _) = due(&journal, 10).await.swap_remove(0);
    let behind = journal.behind(head).await.expect("it is read");
    assert_eq!(behind.iter().map(|one| &one.recipient).collect::<Vec<_>>(), [&all[2]]);
    assert_eq!(behind[0].row.thread.recipient, all[2].key());
}

#[tokio::test]
async fn a_notice_that_is_committed_twice_is_sent_once() {
    let (journal, _) = open(&for_once());
    for _ in 0..2 {
        journal.commit(told(notice(1, 10), &[recipient("an", &["ntfy"])])).await.expect("it is written");
    }
    assert_eq!(journal.waiting().await.expect("it is read"), 1);
}

#[tokio::test]
async fn what_another_version_wrote_holds_up_nobody() {
    let (journal, _) = open(&for_once());
    let an = [recipient("an", &["ntfy"])];
    journal.commit(told(of_incident(IncidentId::stored("a".into()), 1, 10), &an)).await.expect("it is written");
    journal.commit(told(of_incident(IncidentId::stored("b".into()), 1, 20), &an)).await.expect("it is written");
    let spoil = "UPDATE notice SET body = '{}', sum = row_sum('notice', key, site, at, '{}') WHERE key = 'a-1'";
    journal.with(move |store| store.connection().execute(spoil, values![])).await.expect("it is written");
    assert_eq!(due(&journal, 30).await, []);
    assert_eq!(due(&journal, 30).await[0].1.notice.id().as_str(), "b");
}

#[tokio::test]
async fn incidents_links_and_windows_come_back_and_the_key_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, _) = open(&settings(&folder));
    let incident = |number: u32, closed: Option<i64>| Incident {
        cause: Cause::Link("tu-dong".into()),
        since: at(-7 * 3600),
        opened: at(-7 * 3600),
        audience: vec![recipient("an", &["zalo"])],
        paged: true,
        escalated: 1,
        escalates: Some(at(60)),
        merged: vec![3],
        closed: closed.map(at),
        ..incident(number)
    };
    // Over for weeks, and remembered: the next exercise hangs on it.
    let drill = Incident {
        cause: Cause::Drill("cho".into()),
        opened: at(-30 * 86_400),
        ..incident(3, Some(-30 * 86_400 + 600))
    };
    let window = |id: &str, until: i64| Window {
        id: id.into(),
        scope: Scope::Site("cho".into()),
        span: Span::Once { from: at(-60), until: at(until) },
        author: "An".into(),
        reason: "thay camera".into(),
    };
    let link = |state, second| LinkRecord { branch: Branch::Link("tu-dong".into()), state, since: at(second) };
    let batch = Batch {
        incidents: [incident(1, Some(-6 * 3600 - 60)), incident(2, None), drill, incident(4, Some(-60))]
            .map(Arc::new)
            .into(),
        links: vec![link(LinkState::Down, -60), link(LinkState::Up, -30)],
        windows: vec![window("w1", 60), window("w2", -1)],
        ..Batch::default()
    };
    journal.commit(batch).await.expect("it is written");
    let key = journal.signing_key().await.expect("a key");
    drop(journal);
    let (again, restored) = open(&settings(&folder));
    assert_eq!(restored.incidents, [incident(2, None), incident(4, Some(-60))]);
    assert_eq!((restored.last_number, restored.links), (4, vec![link(LinkState::Up, -30)]));
    assert_eq!((restored.windows, restored.drilled), (vec![window("w1", 60)], Some(at(-30 * 86_400))));
    use secrecy::ExposeSecret;
    let same = again.signing_key().await.expect("a key");
    assert_eq!((same.expose_secret(), same.expose_secret().len()), (key.expose_secret(), 32));
}

#[tokio::test]
async fn a_journal_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    closed(open(&settings(&folder)).0).await;
    let connection = tables_of(&settings(&folder));
    match connection.file() {
        Some(file) => file.pragma_update(None, "user_version", 99).expect("it is written"),
        None => connection.put("UPDATE holder SET format = 99", values![]).expect("it is written"),
    }
    drop(connection);
    let error = Journal::open(&settings(&folder), at(0)).expect_err("it is newer").to_string();
    assert!(error.contains("format 99") && error.contains("newer camhealth"), "{error}");
}

#[tokio::test]
async fn old_transcripts_go_and_failures_stay_longer() {
    let (journal, _) = open(&for_once());
    let look = |failure| Observation {
        login_scheme: None,
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
    let failure = crate::model::Failure::new(FailureKind::Timeout, Detail::default());
    let observations = vec![("a".into(), look(None)), ("a".into(), look(Some(failure)))];
    journal.commit(Batch { observations, ..Batch::default() }).await.expect("it is written");
    let count = async || {
        let count = "SELECT count(*) FROM observation";
        let count = |store: &mut Store| store.connection().number(count, values![]);
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
        let memories = [("a".into(), Arc::new(memory.clone()))].into();
        journal.commit(Batch { memories, logins: vec![record], ..Batch::default() }).await.expect("it is written");
    }
    drop(journal);
    let (_, restored) = open(&settings(&folder));
    assert_eq!(restored.memories, [("a".into(), memory.clone())]);
    assert_eq!(restored.logins, [login(2, None)]);
    assert_eq!(learned(&settings(&folder)), [("a".into(), memory)]);
    assert_eq!(learned(&Settings { path: Some("nowhere".into()), ..Settings::default() }), []);
}

#[test]
fn a_journal_of_the_first_format_is_brought_up() {
    if on_server() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = settings(&folder).path.expect("a path");
    let old = rusqlite::Connection::open(&path).expect("a file");
    old.execute_batch(include_str!("schema/1.sql")).expect("the first format");
    old.pragma_update(None, "user_version", 1).expect("the first format");
    let sql = "INSERT INTO transition (camera, from_state, to_state, detail, since, decided) VALUES ('a', 'up', 'down', '', 1, 1)";
    old.execute(sql, []).expect("a transition");
    drop(old);
    let (_, restored) = open(&settings(&folder));
    assert_eq!((restored.cameras.len(), restored.logins.len()), (1, 0));
}

#[tokio::test]
async fn the_history_of_a_span_begins_with_what_held_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(&folder);
    let rows = [
        transition("a", State::Up, 10),
        transition("a", State::Down, 50),
        transition("b", State::Up, 60),
        transition("a", State::Up, 150),
        // Decided after the span, about a time within it.
        transition("b", State::Down, 203),
        transition("b", State::Up, 300),
    ];
    let level =
        |level, second| SiteRecord { site: "cho".into(), level, since: at(second), alert: None, ended: Vec::new() };
    let link = |state, second| LinkRecord { branch: Branch::Link("fibre".into()), state, since: at(second) };
    {
        let (journal, _) = Journal::open(&settings, at(0)).expect("a journal");
        for batch in [
            Batch { transitions: rows.to_vec(), ..Batch::default() },
            Batch { sites: vec![level(Level::Full, 10)], links: vec![link(LinkState::Up, 10)], ..Batch::default() },
            Batch {
                sites: vec![level(Level::Blind, 120)],
                links: vec![link(LinkState::Down, 130)],
                ..Batch::default()
            },
            Batch { sites: vec![level(Level::Full, 250)], links: vec![link(LinkState::Up, 250)], ..Batch::default() },
        ] {
            journal.commit(batch).await.expect("it is written");
        }
        journal.keep(at(310), settings.clone()).await.expect("it is noted");
        assert_eq!(
            journal.history(at(100), at(200)).await.expect("history"),
            history(&settings, at(100), at(200)).expect("history")
        );
    }
    let (_journal, _) = Journal::open(&settings, at(400)).expect("a journal");
    let known = history(&settings, at(100), at(200)).expect("history");
    assert_eq!(known.transitions, [rows[1].clone(), rows[2].clone(), rows[3].clone(), rows[4].clone()]);
    let levels: Vec<_> = known.levels.iter().map(|change| change.level).collect();
    assert_eq!(levels, [Level::Full, Level::Blind]);
    assert_eq!(known.links.len(), 2);
    assert_eq!(known.runs, [crate::model::Run { from: at(0), until: at(310) }], "the later run is not yet of it");
}

#[test]
fn the_journal_of_another_version_is_read_by_nobody_but_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(&folder);
    let connection = tables_of(&settings);
    for (version, told) in [(2, "start camhealth run once"), (99, "newer camhealth")] {
        match connection.file() {
            Some(file) => file.pragma_update(None, "user_version", version).expect("a version"),
            None => connection.put("UPDATE holder SET format = ?1", values![i64::from(version)]).expect("a version"),
        }
        let error = history(&settings, at(0), at(1)).expect_err("another version").to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_journal_whose_thread_dies_says_so() {
    let (journal, _) = open(&for_once());
    let ended = journal.ended();
    assert!(matches!(journal.with(|_| -> Result<(), Error> { panic!("a test panics") }).await, Err(Error::Closed)));
    assert!(ended.await.contains("panicked"));
    assert!(matches!(journal.waiting().await, Err(Error::Closed)), "it does nothing any more");
}
