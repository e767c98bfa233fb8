//! What happened to messages and incidents stands in the timeline once, in order, whatever became of the disk meanwhile;
//! and incidents are found by what they are about.

use super::{
    sql::values,
    tests::{at, block, due, for_once, incident, mark, notice, on_server, recipient, sent, tables, waits},
    *,
};
use crate::model::{Cause, Detail, Happening, IncidentId, Level, Thing};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn memory() -> Journal {
    Journal::open(&for_once(), at(0)).expect("a journal").0
}

/// The entries of an incident in words.
async fn told(journal: &Journal, number: u32) -> Vec<String> {
    let (_, happened) = journal.incident(number.to_string()).await.expect("it is read").expect("it is there");
    let word = |entry: &Happened| {
        let person = entry.person.as_ref().map_or(String::new(), |person| format!(" {person}"));
        let channel = entry.channel.as_ref().map_or(String::new(), |channel| format!(" {channel}"));
        let detail = if entry.detail.is_empty() { String::new() } else { format!(" ({})", entry.detail) };
        let second = entry.at.as_second() - at(0).as_second();
        format!("{second} {} {}{person}{channel}{detail}", entry.step, entry.what.as_str())
    };
    happened.iter().map(word).collect()
}

/// The incident that notices of tests are of.
fn of_notices() -> Arc<Incident> {
    let id = IncidentId::new(&Cause::Site("cho".into()), at(0));
    Arc::new(Incident { id, ..incident(1) })
}

async fn tell(journal: &Journal, step: u32, second: i64, to: &[Recipient]) {
    let batch =
        Batch { incidents: vec![of_notices()], notices: vec![(notice(step, second), to.to_vec())], ..Batch::default() };
    journal.commit(batch).await.expect("it is written");
}

#[tokio::test]
async fn the_way_of_a_message_stands_in_the_timeline() {
    let journal = memory();
    let (an, wall) =
        (recipient("an", &["zalo", "sms"]), Recipient { person: None, channels: vec!["wall".into()], rings: false });
    let opened = Happened::to(&Incident { step: 0, ..(*of_notices()).clone() }, Happening::Opened, at(0));
    journal.commit(Batch { happened: vec![opened], ..Batch::default() }).await.expect("it is written");
    tell(&journal, 1, 1, &[wall, an.clone()]).await;
    // A batch that is tried again queues nobody twice.
    tell(&journal, 1, 1, std::slice::from_ref(&an)).await;
    let heads = due(&journal, 2).await;
    let of = |channel: &str| heads.iter().find(|(head, _)| head.place.channel.as_str() == channel).expect("it waits");
    sent(&journal, of("wall"), None, 2).await;
    let (_, newest) = of("zalo");
    for (tries, second) in [(1, 3), (1, 4), (2, 5)] {
        mark(&journal, waits(newest, ("zalo", 0, tries), second), second).await;
    }
    mark(&journal, waits(newest, ("sms", 1, 3), 6), 6).await;
    // Worse, before the first was told.
    tell(&journal, 2, 7, &[an]).await;
    let heads = due(&journal, 8).await;
    sent(&journal, &heads[0], Some("m7"), 8).await;
    let told = told(&journal, 1).await;
    assert_eq!(
        told,
        [
            "0 1 opened",
            "1 1 queued wall",
            "1 1 queued an zalo",
            "2 1 sent wall",
            // The same again and again is one.
            "3 1 failed an zalo (503)",
            "6 1 moved an sms",
            "7 2 queued an zalo",
            "8 2 superseded an",
            "8 2 sent an zalo",
        ]
    );
    let report = |receipt: &str, second: i64| Feedback {
        channel: "zalo".into(),
        receipt: receipt.into(),
        what: Happening::Delivered,
        at: at(second),
        detail: Detail::default(),
    };
    for (receipt, known) in [("m8", false), ("m7", true), ("m7", true)] {
        assert_eq!(journal.feedback(report(receipt, 9)).await.expect("it is noted"), known, "{receipt}");
    }
    let after = self::told(&journal, 1).await;
    assert_eq!(after[told.len()..], ["9 2 delivered an zalo"], "a gateway that repeats itself is heard once");
}

#[tokio::test]
async fn a_channel_that_refuses_for_weeks_fills_no_disk() {
    let journal = memory();
    tell(&journal, 1, 1, &[recipient("an", &["zalo"])]).await;
    let heads = due(&journal, 2).await;
    let (_, newest) = &heads[0];
    for tries in 1..1000 {
        let Mark::Waits { id, place, due, .. } = waits(newest, ("zalo", 0, tries), 3) else { panic!("it waits") };
        let error = Some(format!("refused for the {tries}th time: {}", "á".repeat(500)));
        mark(&journal, Mark::Waits { id, place, due, error }, 3).await;
    }
    let (_, happened) = journal.incident("1".into()).await.expect("it is read").expect("it is there");
    assert_eq!(happened.len(), 401);
    assert!(happened.iter().all(|entry| entry.detail.to_string().chars().count() <= 200));
}

#[tokio::test]
async fn what_is_of_no_incident_has_no_timeline() {
    let journal = memory();
    let plain =
        crate::model::PlainNotice { id: IncidentId::stored("test-1".into()), place: "Hải Bình".into(), at: at(1) };
    let batch = Batch { notices: vec![(Notice::Test(plain), vec![recipient("an", &["zalo"])])], ..Batch::default() };
    journal.commit(batch).await.expect("it is written");
    let heads = due(&journal, 2).await;
    sent(&journal, &heads[0], None, 2).await;
    let rows = journal.with(|store| store.connection().number("SELECT count(*) FROM timeline", values![]));
    assert_eq!(rows.await.expect("a number"), 0);
}

#[test]
fn what_happened_while_nothing_could_be_written_is_written_once() {
    // Of a server nothing is worked on in memory.
    let (file, shadow) =
        (Connection::from(open::memory().expect("a journal")), Connection::from(open::memory().expect("a journal")));
    let batch = Batch {
        incidents: vec![of_notices()],
        notices: vec![(notice(1, 1), vec![recipient("an", &["zalo"])])],
        ..Batch::default()
    };
    records::write(&file, &batch).expect("it is written");
    outbox::copy_waiting(&file, &shadow).expect("it is copied");
    let heads = outbox::heads(&shadow, at(2)).expect("it is read");
    outbox::mark(&shadow, &[Mark::Sent { id: heads[0].id, receipt: None }], at(2)).expect("it is noted");
    for _ in 0..2 {
        outbox::write_back(&shadow, &file).expect("it is written");
    }
    let happened = timeline::read(&file, &of_notices().id).expect("it is read");
    let whats: Vec<_> = happened.iter().map(|entry| entry.what).collect();
    assert_eq!(whats, [Happening::Queued, Happening::Sent]);
    assert!(inspect::inspect(&file, &mut |_| {}).expect("it is looked over").is_sound());
}

#[test]
fn an_entry_comes_back_as_it_was_written() {
    let connection = tables();
    let all: Vec<Happened> = Happening::ALL
        .into_iter()
        .zip(0..)
        .map(|(what, second)| Happened {
            level: Some(Level::Blind),
            until: Some(at(99)),
            person: Some("an".into()),
            channel: Some("zalo".into()),
            ..Happened::to(&incident(1), what, at(second)).saying(&crate::model::told!(PartOf, 7u32))
        })
        .collect();
    let batch = Batch { incidents: vec![incident(1).into()], happened: all.clone(), ..Batch::default() };
    records::write(&connection, &batch).expect("it is written");
    assert_eq!(incidents::one(&connection, "#1").expect("it is read"), Some((incident(1), all.clone())));
    // What is damaged, or of a later version, costs itself.
    let damage = if on_server() { "sum = NULL" } else { "detail = 'x'" };
    connection.execute(&format!("UPDATE timeline SET {damage} WHERE id = 2"), values![]).expect("a row");
    let sql = "UPDATE timeline SET what = 'haunted',
                   sum = row_sum('timeline', id, incident, at, 'haunted', step, person, channel, level, until, detail)
               WHERE id = 3";
    connection.execute(sql, values![]).expect("a row");
    let left = incidents::one(&connection, "i1").expect("it is read").expect("it is there").1;
    assert_eq!(left, [&all[..1], &all[3..]].concat());
}

#[tokio::test]
async fn a_salvage_brings_timelines_back_and_what_incidents_are_found_by() {
    if on_server() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let (journal, _) =
        Journal::open(&Settings { path: Some(path.clone()), ..Settings::default() }, at(0)).expect("a journal");
    tell(&journal, 1, 1, &[recipient("an", &["zalo"])]).await;
    super::tests::closed(journal).await;
    // Whatever the trees lead to: rows are found by their sums.
    let (left, _) = salvage::to_memory(&path).expect("it is salvaged");
    let left = Connection::from(left);
    let happened = timeline::read(&left, &of_notices().id).expect("it is read");
    assert_eq!(happened.iter().map(|entry| entry.what).collect::<Vec<_>>(), [Happening::Queued]);
    let sought = Sought { all: [Thing::Site("cho".into())].into(), most: 9, ..Sought::default() };
    assert_eq!(super::incidents::find(&left, &sought).expect("it is found").incidents.len(), 1);
}

const SITES: [&str; 4] = ["cho", "cau", "truong", "ben"];

fn incidents() -> impl Strategy<Value = Vec<Incident>> {
    let cause = prop_oneof![
        (0..SITES.len()).prop_map(|site| Cause::Site(SITES[site].into())),
        (0..SITES.len()).prop_map(|site| Cause::Unproven(SITES[site].into())),
        (0..2usize).prop_map(|link| Cause::Link(["tu-dong", "tu-tay"][link].into())),
        Just(Cause::Device("dau-ghi".into())),
        Just(Cause::Commune),
        Just(Cause::Monitor),
    ];
    let levels = prop::sample::select(vec![Level::Blind, Level::Critical, Level::Unknown]);
    let sites = prop::collection::btree_set(0..SITES.len(), 0..3);
    let one = (cause, levels, sites, 0..100i64);
    prop::collection::vec(one, 1..40).prop_map(|all| {
        let one = |((cause, told, sites, opened), number): ((Cause, Level, BTreeSet<usize>, i64), u32)| Incident {
            id: IncidentId::stored(format!("i{number}")),
            number,
            sites: sites.into_iter().map(|site| (SITES[site].into(), told)).collect(),
            // A clock may have been set back between two of them.
            opened: at(opened),
            ..Incident::new(cause, at(0), told)
        };
        all.into_iter().zip(1..).map(one).collect()
    })
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        (0..SITES.len()).prop_map(|site| Thing::Site(SITES[site].into())),
        prop::sample::select(vec!["site", "unproven", "link", "device", "commune", "monitor"]).prop_map(Thing::Cause),
        Just(Thing::Root("link", "tu-dong".into())),
        prop::sample::select(vec![Level::Blind, Level::Critical]).prop_map(Thing::told),
        // Which nothing has.
        (0..60u32).prop_map(|number| Thing::Site(format!("xa-{number}").as_str().into())),
    ]
}

fn sought() -> impl Strategy<Value = Sought> {
    let sets = prop::collection::vec(prop::collection::btree_set(thing(), 0..60), 0..3);
    let all = prop::collection::btree_set(thing(), 0..3);
    let span = prop::option::of((0..100i64, 0..100i64).prop_map(|(from, until)| (at(from), at(until))));
    (all, sets, span, prop::option::of(1..40u32), prop::option::of(1..40u32), 1..20usize).prop_map(
        |(all, any, opened, number, before, most)| Sought {
            all,
            any,
            opened,
            number: number.filter(|number| number % 4 == 0),
            before,
            most,
        },
    )
}

fn is_sought(incident: &Incident, sought: &Sought) -> bool {
    let things = incident.things();
    sought.all.iter().all(|thing| things.contains(thing))
        && sought.any.iter().all(|set| set.iter().any(|thing| things.contains(thing)))
        && sought.opened.is_none_or(|(from, until)| from <= incident.opened && incident.opened < until)
        && sought.number.is_none_or(|number| incident.number == number)
        && sought.before.is_none_or(|before| incident.number < before)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_found_is_what_a_search_through_all_finds(all in incidents(), wanted in prop::collection::vec(sought(), 1..8)) {
        let connection = tables();
        let batch = Batch { incidents: all.iter().cloned().map(Arc::new).collect(), ..Batch::default() };
        records::write(&connection, &batch).expect("it is written");
        for sought in wanted {
            let found = super::incidents::find(&connection, &sought).expect("it is found");
            let mut matches: Vec<&Incident> = all.iter().filter(|incident| is_sought(incident, &sought)).collect();
            matches.reverse();
            let older = matches.get(sought.most).map(|_| matches[sought.most - 1].number);
            matches.truncate(sought.most);
            let numbers: Vec<u32> = found.incidents.iter().map(|incident| incident.number).collect();
            prop_assert_eq!(numbers, matches.iter().map(|one| one.number).collect::<Vec<_>>(), "{:?}", sought);
            prop_assert_eq!(found.older, older);
        }
    }

    #[test]
    fn an_incident_that_changes_is_found_by_what_it_is_now(before in incidents(), after in incidents()) {
        let connection = tables();
        for all in [&before, &after] {
            let batch = Batch { incidents: all.iter().cloned().map(Arc::new).collect(), ..Batch::default() };
            records::write(&connection, &batch).expect("it is written");
        }
        for incident in &after {
            let sql = "SELECT thing FROM incident_of WHERE number = ?1";
            let things = connection.all(sql, values![incident.number], |row| row.get::<String>(0)).expect("words");
            let things: BTreeSet<String> = things.into_iter().collect();
            prop_assert_eq!(things, incident.things().iter().map(ToString::to_string).collect::<BTreeSet<_>>());
        }
    }

}

proptest! {
    // Each is a file on a real disk.
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The step of the schema says in SQL what the model says.
    #[test]
    fn incidents_of_a_journal_of_format_8_are_found_after_an_upgrade(all in incidents()) {
        if on_server() {
            return Ok(());
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.sqlite3");
        let old = rusqlite::Connection::open(&path).expect("a file");
        table::register(&old).expect("a function");
        for step in &schema::STEPS[..8] {
            old.execute_batch(step).expect("a step");
        }
        old.pragma_update(None, "user_version", 8).expect("a format");
        let sql = "INSERT INTO incident VALUES (?1, ?2, ?3, NULL, ?4, row_sum('incident', ?1, ?2, ?3, NULL, ?4))";
        for one in &all {
            let body = serde_json::to_string(one).expect("JSON");
            old.execute(sql, (one.id.as_str(), one.number, one.opened.as_millisecond(), body)).expect("a row");
        }
        old.execute("INSERT INTO incident VALUES ('x', 99, 1, 2, '{', 0)", []).expect("a row that is damaged");
        drop(old);
        let (journal, restored) =
            Journal::open(&Settings { path: Some(path.clone()), ..Settings::default() }, at(0)).expect("it is brought up");
        prop_assert_eq!(restored.incidents.len(), all.len());
        let (here, opened) = block(async {
            let rows = journal.with(|store| {
                let rows = store.connection().all("SELECT thing, number FROM incident_of", values![], |row| {
                    Ok((row.get::<String>(0)?, row.get::<u32>(1)?))
                })?;
                Ok(rows.into_iter().collect::<BTreeSet<_>>())
            });
            (rows.await.expect("rows"), journal.incidents(Sought { most: 100, ..Sought::default() }).await.expect("all"))
        });
        let expected: BTreeSet<(String, u32)> =
            all.iter().flat_map(|one| one.things().into_iter().map(|thing| (thing.to_string(), one.number))).collect();
        prop_assert_eq!(here, expected);
        prop_assert_eq!(opened.incidents.len(), all.len(), "the damaged one is none");
    }
}

/// However many incidents there are: a page of them takes the steps of what it shows.
#[test]
fn a_page_of_a_hundred_thousand_costs_what_it_shows() {
    let connection = open::memory().expect("a journal");
    let fill = |from: u32, until: u32| {
        let numbers =
            format!("WITH RECURSIVE n (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM n WHERE n < {until})");
        let incidents = "INSERT INTO incident SELECT 'i' || n, n, n * 60000, n * 60000, '{}', 0 FROM n";
        // One in fifty of them is of a link, and each site has its own.
        let things = "INSERT INTO incident_of SELECT 'site:s' || (n % 5000), n, 0 FROM n
                      UNION ALL SELECT iif(n % 50, 'cause:site', 'cause:link'), n, 0 FROM n
                      UNION ALL SELECT 'told:blind', n, 0 FROM n";
        connection.execute(&format!("{numbers} {incidents}"), []).expect("rows");
        connection.execute(&format!("{numbers} {things}"), []).expect("rows");
    };
    let site = |number: u32| Thing::Site(format!("s{number}").as_str().into());
    let all = |things: &[Thing]| things.iter().cloned().collect::<BTreeSet<_>>();
    let searches = || {
        let month = |from: i64| Some((Timestamp::from_second(from * 60), Timestamp::from_second((from + 600) * 60)));
        let month = |from| month(from).and_then(|(from, until)| Some((from.ok()?, until.ok()?)));
        [
            Sought { most: 50, ..Sought::default() },
            Sought { most: 50, before: Some(4000), ..Sought::default() },
            Sought { most: 50, opened: month(3000), ..Sought::default() },
            Sought { most: 50, all: all(&[Thing::Cause("link"), Thing::told(Level::Blind)]), ..Sought::default() },
            Sought { most: 50, all: all(&[site(17), Thing::told(Level::Blind)]), ..Sought::default() },
            // Words that half of all names have, and whoever is bound to these.
            Sought { most: 50, any: vec![(0..2500).map(site).collect(); 2], ..Sought::default() },
        ]
    };
    let steps = || {
        searches().map(|sought| {
            let (sql, values) = super::incidents::search(&sought);
            let mut statement = connection.prepare(&sql).expect("a statement");
            let rows = statement.query_map(rusqlite::params_from_iter(values), |_| Ok(())).expect("rows").count();
            (rows, statement.get_status(rusqlite::StatementStatus::VmStep))
        })
    };
    fill(1, 10_000);
    let few = steps();
    fill(10_001, 100_000);
    let many = steps();
    for ((sought, few), many) in searches().iter().zip(few).zip(many) {
        // Sets of things are sorted first, which is no part of what is found.
        assert!(many.1 < few.1 * 2 + 2000, "{sought:?}: {few:?} {many:?}");
        assert!(many.0 >= few.0 && many.1 < 300_000, "{many:?}");
    }
}

/// A page costs what it shows: each way in is an index, and nothing is sorted but what a few things have.
#[test]
fn what_is_sought_is_found_by_an_index() {
    let connection = open::memory().expect("a journal");
    let things = |count: u32| (0..count).map(|site| Thing::Site(format!("s{site}").as_str().into())).collect();
    let all: BTreeSet<Thing> = [Thing::Cause("link"), Thing::told(Level::Blind)].into();
    let span = Some((at(0), at(9)));
    for (sought, way) in [
        (Sought::default(), "SCAN found USING COVERING INDEX incident_by_number"),
        (Sought { before: Some(9), ..Sought::default() }, "SEARCH found USING COVERING INDEX incident_by_number"),
        (Sought { opened: span, ..Sought::default() }, "SEARCH found USING COVERING INDEX incident_by_number"),
        (Sought { all: all.clone(), ..Sought::default() }, "SEARCH found USING PRIMARY KEY (thing=?"),
        (Sought { all, any: vec![things(500)], opened: span, ..Sought::default() }, "SEARCH found USING PRIMARY KEY"),
        (Sought { any: vec![things(3)], ..Sought::default() }, "SEARCH incident_of USING PRIMARY KEY (thing=?"),
    ] {
        let few = sought.any.iter().any(|set| set.len() < 40);
        let (sql, values) = super::incidents::search(&sought);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let plan = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>("detail"));
        let plan: Vec<String> = plan.expect("a plan").collect::<Result<_, _>>().expect("a plan");
        assert!(plan.iter().any(|step| step.starts_with(way)), "{sought:?}: {plan:#?}");
        assert!(few || !plan.iter().any(|step| step.contains("TEMP B-TREE")), "{sought:?}: {plan:#?}");
        assert!(!plan.iter().any(|step| step.starts_with("SCAN also") || step == "SCAN incident"), "{plan:#?}");
    }
}
