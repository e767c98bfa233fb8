//! Every word that the journal stores comes back as it went in, and what it does not know is told.

use super::{
    sql::values,
    strange::Strange,
    tests::{at, closed, due, for_once, in_folder, notice, recipient, sent, tables_of},
    *,
};
use crate::model::{
    Branch, CameraLine, Cameras, ChannelNotice, Check, Codec, Detail, DigestNotice, Duty, Failure, FailureKind,
    IncidentId, IncidentNotice, JournalNotice, Known, Level, LinkState, OpenAlert, Opinion, OverdueLine, Part, Phrase,
    PlainNotice, Reason, Rung, RungName, State, StreamFacts, Trouble, told,
};

fn settings(folder: &tempfile::TempDir) -> Settings {
    in_folder(folder.path())
}

/// What a journal gives back that was given `batch`, and what was strange in it.
async fn back(batch: Batch) -> (Restored, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, _) = Journal::open(&settings(&folder), at(0)).expect("a journal");
    journal.commit(batch).await.expect("it is written");
    closed(journal).await;
    let (restored, strange) = read(&folder);
    assert_eq!(strange, [""; 0]);
    (restored, folder)
}

fn read(folder: &tempfile::TempDir) -> (Restored, Vec<String>) {
    let strange = Strange::default();
    let connection = database(folder);
    let restored = records::restore(&connection, at(0), &strange).expect("it is read");
    (restored, strange.lines())
}

fn database(folder: &tempfile::TempDir) -> Connection {
    tables_of(&settings(folder))
}

/// Each phrase in its turn.
fn said(number: usize) -> Detail {
    let phrase = Phrase::ALL[number % Phrase::ALL.len()];
    Detail::of(phrase, &vec![&"như đã thấy" as &dyn Part; phrase.places()])
}

fn transitions() -> Vec<Transition> {
    let causes = FailureKind::ALL.into_iter().map(Some).chain([None]);
    let pairs = causes.flat_map(|cause| State::ALL.map(|state| (cause, state)));
    let transition = |(number, (cause, state)): (usize, (Option<FailureKind>, State))| Transition {
        camera: format!("cam-{number:04}").as_str().into(),
        from: State::ALL[number % State::ALL.len()],
        to: state,
        cause,
        detail: said(number),
        since: at(1),
        decided: at(2),
    };
    pairs.enumerate().map(transition).collect()
}

fn opinions() -> Vec<(CameraId, Memory)> {
    let memory = |(number, kind): (usize, FailureKind)| {
        let told = Some(Failure::new(kind, said(number)));
        let codec = Codec::ALL[number % Codec::ALL.len()];
        let memory = Memory {
            survey: Opinion { told, candidate: Some((Some(kind), 1)) },
            stream: Some(Known { now: (codec, Some((640, 360))), before: None }),
            login_good: true,
            ..Memory::default()
        };
        (format!("cam-{number:04}").as_str().into(), memory)
    };
    FailureKind::ALL.into_iter().enumerate().map(memory).collect()
}

#[tokio::test]
async fn every_state_reason_and_level_survives_a_restart() {
    let site = |level: Level| SiteRecord {
        site: level.as_str().into(),
        level,
        since: at(1),
        alert: Some(OpenAlert { since: at(1), worst: level }),
        ended: vec![at(0)],
    };
    let link = |state: LinkState| LinkRecord { branch: Branch::Link(state.as_str().into()), state, since: at(1) };
    let batch = Batch {
        transitions: transitions(),
        sites: Level::ALL.map(site).into(),
        links: LinkState::ALL.map(link).into(),
        memories: opinions().into_iter().map(|(camera, memory)| (camera, Arc::new(memory))).collect(),
        ..Batch::default()
    };
    let (mut restored, folder) = back(batch).await;
    let sorted = |sites: &mut Vec<SiteRecord>| sites.sort_by_key(|site| site.level as u8);
    sorted(&mut restored.sites);
    assert_eq!(restored.cameras, transitions());
    assert_eq!(restored.sites, Level::ALL.map(site));
    assert_eq!(restored.links, LinkState::ALL.map(link));
    assert_eq!(restored.memories, opinions());
    let known = history(&settings(&folder), at(0), at(9)).expect("history");
    assert_eq!(known.transitions, transitions());
    assert_eq!(known.levels.iter().map(|change| change.level).collect::<Vec<_>>(), Level::ALL);
}

#[tokio::test]
async fn every_message_is_read_as_it_was_decided() {
    let (journal, _) = Journal::open(&for_once(), at(0)).expect("a journal");
    let camera = |(number, kind): (usize, FailureKind)| CameraLine {
        name: "Cổng chợ".into(),
        state: State::ALL[number % State::ALL.len()],
        cause: Some(kind),
        since: at(1),
    };
    let cameras: Vec<_> = FailureKind::ALL.into_iter().enumerate().map(camera).collect();
    let cameras = Cameras { public: cameras.len(), named: cameras, households: 3 };
    let plain = |id: &str| PlainNotice { id: IncidentId::stored(id.into()), place: "Xã Thử".into(), at: at(1) };
    let incident = |reason: Reason| {
        let Notice::Incident(news) = notice(1, 1) else { panic!("it is of an incident") };
        let incident = IncidentId::stored(reason.as_str().into());
        Notice::Incident(Box::new(IncidentNotice { incident, reason, cameras: cameras.clone(), ..*news }))
    };
    let trouble = |trouble: Trouble| {
        Notice::Journal(JournalNotice { plain: plain(trouble.as_str()), trouble, what: "ổ đĩa đầy".into() })
    };
    let (channel, error) = ("zalo".into(), "503".into());
    let others = [
        Notice::Digest(DigestNotice {
            plain: plain("digest"),
            level: Level::Blind,
            cameras: cameras.clone(),
            overdue: vec![OverdueLine { number: 17, place: "chợ".into(), duty: Duty::Repair, since: at(0) }],
            overdue_total: 3,
        }),
        Notice::Channel(ChannelNotice { plain: plain("channel"), level: Level::Full, channel, error }),
        Notice::Test(plain("test")),
    ];
    for told in Reason::ALL.map(incident).into_iter().chain(Trouble::ALL.map(trouble)).chain(others) {
        let batch = Batch { notices: vec![(told.clone(), vec![recipient("an", &["zalo"])])], ..Batch::default() };
        journal.commit(batch).await.expect("it is written");
        let due = due(&journal, 2).await;
        assert_eq!(due[0].1.notice, told);
        sent(&journal, &due[0], None, 2).await;
    }
}

/// What waited in the journal of an earlier version is told by this one.
#[tokio::test]
async fn what_an_earlier_version_had_to_tell_is_told() {
    let (journal, _) = Journal::open(&for_once(), at(0)).expect("a journal");
    for body in include_str!("../model/notices.jsonl").lines() {
        let earlier: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let told: Notice = serde_json::from_value(earlier.clone()).expect("a notice");
        let batch = Batch { notices: vec![(told, vec![recipient("an", &["zalo"])])], ..Batch::default() };
        journal.commit(batch).await.expect("it is written");
        let sql = "UPDATE notice SET body = ?1, sum = row_sum('notice', key, site, at, ?1)
                   WHERE key = (SELECT notice FROM outbox ORDER BY id DESC LIMIT 1)";
        let changed = journal.with(move |store| store.connection().execute(sql, values![body])).await;
        assert_eq!(changed.expect("it is written"), 1);
        let due = due(&journal, 2).await;
        assert_eq!(due[0].1.notice.reason(), earlier["reason"]);
        sent(&journal, &due[0], None, 2).await;
    }
}

#[tokio::test]
async fn every_transcript_is_read_as_it_was_written() {
    let (journal, _) = Journal::open(&for_once(), at(0)).expect("a journal");
    let look = |(number, kind): (usize, FailureKind)| Observation {
        rungs: RungName::ALL.map(|name| Rung { name, ok: false, seconds: 0.5, detail: said(number) }).into(),
        failure: Some(Failure::new(kind, said(number))),
        stream: Some(StreamFacts::new(Codec::ALL[number % Codec::ALL.len()])),
        ..Observation::new(Check::ALL[number % Check::ALL.len()], at(1))
    };
    let looks: Vec<_> = FailureKind::ALL.into_iter().enumerate().map(look).collect();
    let observations = looks.iter().map(|look| ("a".into(), look.clone())).collect();
    journal.commit(Batch { observations, ..Batch::default() }).await.expect("it is written");
    let strange = Strange::default();
    let read = journal.with(move |store| {
        let read: Vec<Observation> =
            rows::bodies(store.connection(), &table::OBSERVATION, "started > ?1 ORDER BY id", 0, &strange)?;
        Ok((read, strange.lines()))
    });
    assert_eq!(read.await.expect("it is read"), (looks, Vec::new()));
}

/// Journals that were written while four reasons had two names hold both.
#[tokio::test]
async fn names_of_before_are_read() {
    let (_, folder) = back(Batch { transitions: transitions(), ..Batch::default() }).await;
    let connection = database(&folder);
    let rename = "UPDATE transition SET cause = ?2,
                      sum = row_sum('transition', id, camera, from_state, to_state, ?2, detail, since, decided)
                  WHERE cause = ?1";
    assert!(connection.execute(rename, values!["stream_uri_changed", "uri_drift"]).expect("it is written") > 0);
    let body = r#"{"survey":{"told":{"kind":"hardware","detail":"quạt"},"candidate":["swapped",1]}}"#;
    connection
        .execute("INSERT INTO memory VALUES ('a', ?1, row_sum('memory', 'a', ?1))", values![body])
        .expect("it is written");
    drop(connection);
    let (restored, strange) = read(&folder);
    assert_eq!((restored.cameras, strange), (transitions(), Vec::new()));
    let survey = &restored.memories[0].1.survey;
    assert_eq!(survey.told, Some(Failure::new(FailureKind::Hardware, Detail::plain("quạt"))));
    assert_eq!(survey.candidate, Some((Some(FailureKind::Swapped), 1)));
}

#[tokio::test]
async fn a_word_of_a_newer_version_is_told_and_costs_only_itself() {
    let (_, folder) = back(Batch { transitions: transitions()[..2].to_vec(), ..Batch::default() }).await;
    let connection = database(&folder);
    let sql = "UPDATE transition SET cause = 'haunted',
                   sum = row_sum('transition', id, camera, from_state, to_state, 'haunted', detail, since, decided)
               WHERE camera = 'cam-0001'";
    connection.execute(sql, values![]).expect("it is written");
    let body =
        r#"{"survey":{"told":{"kind":"haunted","detail":"ma"}},"login_good":true,"boots":["2026-09-22T00:00:00Z"]}"#;
    connection
        .execute("INSERT INTO memory VALUES ('a', ?1, row_sum('memory', 'a', ?1))", values![body])
        .expect("it is written");
    let incident = "INSERT INTO incident (id, number, opened, body, sum)
                    VALUES ('a', 7, 1, ?1, row_sum('incident', 'a', 7, 1, NULL, ?1))";
    connection.execute(incident, values!["{}"]).expect("it is written");
    drop(connection);
    let (restored, strange) = read(&folder);
    let mut expected = transitions()[..2].to_vec();
    expected[1].cause = None;
    expected[1].detail = told!(ReasonUnknown, "haunted", said(1));
    assert_eq!(restored.cameras, expected);
    let memory = &restored.memories[0].1;
    assert_eq!((memory.login_good, memory.boots.len(), &memory.survey), (true, 1, &Opinion::default()));
    assert_eq!(strange.len(), 3, "{strange:#?}");
    let told = |place: &str, what: &str| strange.iter().any(|line| line.starts_with(place) && line.contains(what));
    assert!(told("transition.cause", "\"haunted\" (1 times)"), "{strange:#?}");
    assert!(told("memory", "survey: unknown variant `haunted`"), "{strange:#?}");
    assert!(told("incident", "missing field"), "{strange:#?}");
    assert_eq!(restored.last_number, 7, "the number of what cannot be read is not given out again");
}
