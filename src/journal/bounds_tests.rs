//! The journal stays within its bounds, and what reports are made from stays in it for as long as they need it.

use super::{
    sql::values,
    tests::{at, for_once, in_folder, incident, mark, notice, on_server, recipient},
    *,
};
use crate::model::{
    Branch, Check, Detail, Failure, FailureKind, Level, LinkState, Rung, RungName, Scope, Span, State, later,
};
use std::time::Duration;

const DAY: i64 = 24 * 60 * 60;

fn in_memory() -> (Journal, Settings) {
    let settings = for_once();
    (Journal::open(&settings, at(0)).expect("a journal").0, settings)
}

fn look(second: i64, failure: Option<FailureKind>) -> Observation {
    let failure = failure.map(|kind| Failure::new(kind, Detail::plain("như đã thấy")));
    Observation { failure, ..Observation::new(Check::Stream, at(second)) }
}

async fn number(journal: &Journal, sql: &'static str) -> i64 {
    let read = journal.with(move |store| store.connection().number(sql, values![]));
    read.await.expect("a number")
}

/// Keeps until nothing goes any more.
async fn keep(journal: &Journal, now: Timestamp, settings: &Settings) {
    let rows =
        "SELECT (SELECT count(*) FROM transition) + (SELECT count(*) FROM observation) + (SELECT count(*) FROM outbox)
                     + (SELECT count(*) FROM notice) + (SELECT count(*) FROM run) + (SELECT count(*) FROM incident)";
    let mut before = number(journal, rows).await;
    loop {
        journal.keep(now, settings.clone()).await.expect("it is kept");
        let after = number(journal, rows).await;
        if after == before {
            return;
        }
        before = after;
    }
}

#[tokio::test]
async fn a_camera_that_fails_a_thousand_times_an_hour_fills_no_disk() {
    let (journal, settings) = in_memory();
    for hour in 0..6 {
        let hostile =
            (0..1280).map(|look_of| ("hostile".into(), look(hour * 3600 + look_of, Some(FailureKind::Oversized))));
        let honest = (0..20).map(|look_of| ("honest".into(), look(hour * 3600 + look_of, None)));
        let observations = hostile.chain(honest).collect();
        journal.commit(Batch { observations, ..Batch::default() }).await.expect("it is written");
        journal.keep(at(hour * 3600 + 3599), settings.clone()).await.expect("it is kept");
    }
    assert_eq!(number(&journal, "SELECT count(*) FROM observation WHERE camera = 'hostile'").await, 2000);
    assert_eq!(number(&journal, "SELECT count(*) FROM observation WHERE camera = 'honest'").await, 120);
    let oldest = number(&journal, "SELECT min(started) FROM observation WHERE camera = 'hostile'").await;
    assert_eq!(oldest, at(4 * 3600 + 560).as_millisecond(), "the newest stay");
}

#[tokio::test]
async fn above_its_size_the_oldest_transcripts_go_and_the_file_shrinks() {
    if on_server() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let settings = Settings { path: Some(path.clone()), max_size: 3_000_000, ..Settings::default() };
    let (journal, _) = Journal::open(&settings, at(0)).expect("a journal");
    let rungs =
        || vec![Rung { name: RungName::Reach, ok: true, seconds: 0.1, detail: Detail::plain(&"x".repeat(2000)) }];
    for camera in 0..20 {
        let name = format!("cam-{camera}");
        let seen = |second| Observation { rungs: rungs(), ..look(camera * 100 + second, None) };
        let observations = (0..100).map(|second| (name.as_str().into(), seen(second))).collect();
        let transitions = vec![changed(&name, State::Down, camera)];
        journal.commit(Batch { observations, transitions, ..Batch::default() }).await.expect("it is written");
    }
    assert!(
        number(&journal, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").await > 8_000_000
    );
    for _ in 0..20 {
        journal.keep(at(3600), settings.clone()).await.expect("it is kept");
    }
    let size = number(&journal, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").await;
    assert!(size < 4_000_000, "{size}: pages are given back to the disk");
    let (oldest, count) = (
        number(&journal, "SELECT min(started) FROM observation").await,
        number(&journal, "SELECT count(*) FROM observation").await,
    );
    assert!(oldest > at(1000).as_millisecond() && count > 100, "{count} since {oldest}");
    assert_eq!(number(&journal, "SELECT count(*) FROM transition").await, 20, "history is not given up for room");
}

#[tokio::test]
async fn a_transcript_that_never_ends_is_cut() {
    let (journal, _) = in_memory();
    let rung =
        || Rung { name: RungName::Reach, ok: false, seconds: 0.1, detail: Detail::plain(&"lời ".repeat(10_000)) };
    let failure = Some(Failure::new(FailureKind::Oversized, Detail::plain(&"x".repeat(1_000_000))));
    let seen = Observation { rungs: (0..2000).map(|_| rung()).collect(), failure, ..look(0, None) };
    let observations = vec![("a".into(), seen), ("b".into(), look(1, None))];
    journal.commit(Batch { observations, ..Batch::default() }).await.expect("it is written");
    let read = journal.with(|store| {
        let strange = strange::Strange::default();
        let read: Vec<Observation> =
            rows::bodies(store.connection(), &table::OBSERVATION, "started > ?1 ORDER BY id", 0, &strange)?;
        Ok(read)
    });
    let read = read.await.expect("it is read");
    assert!(serde_json::to_string(&read[0]).expect("JSON").len() <= 16 * 1024);
    assert_eq!(read[0].failure.as_ref().map(|failure| failure.kind), Some(FailureKind::Oversized));
    assert_eq!(read[0].rungs[0].detail.to_string().chars().count(), 200);
    assert_eq!(read[1], look(1, None));
}

fn changed(camera: &str, to: State, second: i64) -> Transition {
    Transition {
        camera: camera.into(),
        from: State::Up,
        to,
        cause: None,
        detail: Detail::default(),
        since: at(second),
        decided: at(second),
    }
}

fn ended(number: u32, closed: i64) -> Incident {
    Incident { closed: Some(at(closed)), ..incident(number) }
}

#[tokio::test]
async fn history_goes_when_its_time_is_over_and_says_the_same_of_what_is_left() {
    let (journal, mut settings) = in_memory();
    for keep in [Keep::History, Keep::Messages] {
        settings.keep.set(keep, Duration::from_secs(800 * 24 * 60 * 60));
    }
    let level = |level, second| SiteRecord { site: "cho".into(), level, since: at(second), alert: None, ended: vec![] };
    let link = |state, second| LinkRecord { branch: Branch::Link("fibre".into()), state, since: at(second) };
    for day in 0..1000 {
        let even = day % 2 == 0;
        let told = notice(day as u32, day * DAY);
        let batch = Batch {
            // One that changes daily, and one that went down on the third day and never came back.
            transitions: [changed("a", if even { State::Down } else { State::Up }, day * DAY)]
                .into_iter()
                .chain((day == 3).then(|| changed("b", State::Down, day * DAY)))
                .collect(),
            sites: vec![level(if even { Level::Blind } else { Level::Full }, day * DAY)],
            links: vec![link(if even { LinkState::Down } else { LinkState::Up }, day * DAY)],
            incidents: vec![ended(1000 - day as u32, day * DAY + 60).into()],
            windows: vec![Window {
                id: format!("w{day}"),
                scope: Scope::All,
                span: Span::Once { from: at(day * DAY), until: at(day * DAY + 60) },
                author: "An".into(),
                reason: "thay camera".into(),
            }],
            notices: vec![(told, vec![recipient("an", &["zalo"])])],
            ..Batch::default()
        };
        journal.commit(batch).await.expect("it is written");
        if day < 998 {
            let heads = journal.heads(at(day * DAY)).await.expect("it is read");
            mark(&journal, Mark::Sent { id: heads[0].id, receipt: None }, day * DAY).await;
        }
    }
    let now = at(1000 * DAY);
    let spans = [(201, 300), (210, 240), (500, 501), (0, 1000)].map(|(from, until)| (at(from * DAY), at(until * DAY)));
    let mut before = Vec::new();
    for (from, until) in spans {
        before.push(journal.history(from, until).await.expect("history"));
    }
    let restored = journal.with(move |store| records::restore(store.connection(), now, &strange::Strange::default()));
    let restored = restored.await.expect("it is read");
    keep(&journal, now, &settings).await;
    for ((from, until), before) in spans.into_iter().zip(before).take(3) {
        let known = journal.history(from, until).await.expect("history");
        assert_eq!((known.transitions, known.levels), (before.transitions, before.levels));
        assert_eq!((known.links, known.incidents, known.windows), (before.links, before.incidents, before.windows));
    }
    let again = journal.with(move |store| records::restore(store.connection(), now, &strange::Strange::default()));
    assert_eq!(again.await.expect("it is read"), restored);
    assert_eq!(restored.last_number, 1000, "the number of the first, which is the highest, is not given out again");
    let left = journal.history(at(0), now).await.expect("history");
    assert_eq!(left.transitions.first(), Some(&changed("b", State::Down, 3 * DAY)), "it still holds");
    assert_eq!(left.transitions.len(), 802);
    for (sql, expected) in [
        ("SELECT count(*) FROM level_change", 801),
        ("SELECT count(*) FROM link_change", 801),
        ("SELECT count(*) FROM incident", 801),
        ("SELECT count(*) FROM maintenance", 800),
        ("SELECT count(*) FROM notice", 800),
        ("SELECT count(*) FROM outbox", 800),
        ("SELECT count(*) FROM outbox WHERE state = 'queued'", 2),
        ("SELECT count(*) FROM run", 1),
    ] {
        assert_eq!(number(&journal, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn runs_and_what_still_waits_are_not_forgotten_by_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = in_folder(folder.path());
    for run in 0..4 {
        let (journal, _) = Journal::open(&settings, at(run * 300 * DAY)).expect("a journal");
        let notices = vec![(notice(run as u32, run * 300 * DAY), vec![recipient("an", &["zalo"])])];
        journal.commit(Batch { notices, ..Batch::default() }).await.expect("it is written");
        journal.keep(at(run * 300 * DAY + 60), settings.clone()).await.expect("it is kept");
        if run == 3 {
            assert_eq!(number(&journal, "SELECT count(*) FROM run").await, 2);
            assert_eq!(number(&journal, "SELECT count(*) FROM notice").await, 4, "they wait to be told");
        }
        let end = journal.ended();
        drop(journal);
        end.await;
    }
}

/// What a year of history costs to read is what the span holds, not what the file does.
#[test]
fn reports_read_by_indexes() {
    let connection = open::memory().expect("a journal");
    for sql in history::statements() {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let times = [0; 3];
        let times = rusqlite::params_from_iter(&times[..statement.parameter_count()]);
        let plan = statement.query_map(times, |row| row.get::<_, String>("detail")).expect("rows");
        let plan: Vec<_> = plan.collect::<Result<_, _>>().expect("a plan");
        for step in &plan {
            let whole = step.starts_with("SCAN") && !["SCAN known", "SCAN CONSTANT ROW"].contains(&step.as_str());
            // Runs are few; each is looked at. What was read of one thing is put into order, and bounded.
            let few = step.starts_with("SCAN run") || step == "SCAN last";
            assert!(!whole || few, "{step}\n{sql}\n{plan:#?}");
        }
        if sql.contains("decided) FROM transition") {
            assert!(plan.iter().any(|step| step.contains("transition_by_time")), "{plan:#?}");
        }
    }
}

/// Work is proportional to what goes: each rule finds its rows by an index.
#[test]
fn forgetting_reads_by_indexes() {
    let connection = open::memory().expect("a journal");
    let mut counts = retention::Counts::default();
    let observations = vec![("a".into(), look(0, None))];
    counts.note(&Batch { observations, ..Batch::default() });
    let holds = kept::Holds::default();
    let rules = retention::rules(later(at(0), Duration::from_secs(1)), &Settings::default(), &holds, &mut counts);
    let statements: Vec<_> = rules
        .iter()
        .filter_map(|rule| match rule {
            retention::Rule::Old(old) => Some((old.delete(), old.values().to_vec())),
            _ => None,
        })
        .collect();
    assert_eq!((statements.len(), rules.len()), (3 + 6 + 3 + 2, 3 + 6 + 3 + 2 + 5));
    for (sql, values) in statements {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let plan = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>("detail"));
        let plan: Vec<_> = plan.expect("rows").collect::<Result<_, _>>().expect("a plan");
        assert!(plan.iter().all(|step| !step.starts_with("SCAN")), "{sql}\n{plan:#?}");
    }
}

/// However many rows there are: one more costs what the first did.
#[test]
fn a_row_is_appended_by_steps_that_do_not_grow() {
    let connection = Connection::from(open::memory().expect("a journal"));
    let file = connection.file().expect("memory");
    let steps = |sql: &str| {
        let mut statement = file.prepare(sql).expect("a statement");
        let places = vec!["x"; statement.parameter_count()];
        statement.execute(rusqlite::params_from_iter(places)).expect("a row");
        statement.get_status(rusqlite::StatementStatus::VmStep)
    };
    let sql = table::LEVEL_CHANGE.append_where("(SELECT level FROM site WHERE site = ?1) IS DISTINCT FROM ?2");
    for sql in [table::LINK_CHANGE.append(), sql] {
        // Columns that hold numbers take no words.
        let sql = sql.replace("?3", "3");
        let [_, few] = [steps(&sql), steps(&sql)];
        let many = (0..2000).map(|_| steps(&sql)).max();
        assert!(many.is_some_and(|many| many <= few + 10), "{few}, {many:?}: {sql}");
    }
}

/// However many messages wait: whose turn it is costs a step in an index for each channel.
#[test]
fn the_outbox_is_read_by_steps_in_an_index() {
    let connection = Connection::from(open::memory().expect("a journal"));
    let add = |connection: &Connection, notices: std::ops::Range<u32>| {
        let to: Vec<_> =
            (0..10).map(|person| recipient(&format!("p{person}"), &[&format!("c{person}"), "sms"])).collect();
        let notices = notices.map(|step| (notice(step, 0), to.clone())).collect();
        records::write(connection, &Batch { notices, ..Batch::default() }).expect("it is written");
    };
    let steps = |connection: &Connection, sql: &str, parameters: &[&dyn rusqlite::ToSql]| {
        let mut statement = connection.file().expect("memory").prepare(sql).expect("a statement");
        let rows = statement.query_map(parameters, |_| Ok(())).expect("rows").count();
        (rows, statement.get_status(rusqlite::StatementStatus::VmStep))
    };
    let read = |connection: &Connection| {
        let (heads, few) = steps(connection, &outbox::heads_sql(), &[]);
        let (behind, some) = steps(connection, &outbox::behind_sql(), &[&"c1", &0]);
        ((heads, behind), few, some)
    };
    add(&connection, 0..300);
    let (rows, few, some) = read(&connection);
    assert_eq!(rows, (10, 256));
    add(&connection, 300..2000);
    let (rows, many_heads, many_behind) = read(&connection);
    assert_eq!(rows, (10, 256));
    assert!(
        many_heads <= few + few / 10 && many_behind <= some + some / 10,
        "{few} {some}: {many_heads} {many_behind}"
    );
}
