//! The list of incidents and the timeline on pages: what is asked for is bounded, names are escaped, and people are named only
//! to those who may know them.

use super::*;
use crate::{
    model::{
        Ack, Cause, Detail, Happened, Happening, Incident, IncidentId, Language, Level, Snapshot, State as CameraState,
        Timeline, elapsed, later,
    },
    rights::Reach,
    web::{
        incident::{Signed, main},
        list::Index,
        province::province,
        router::tests::snapshot,
    },
};
use futures_util::FutureExt;
use jiff::Timestamp;
use proptest::prelude::*;
use tokio::sync::watch;

/// What happened to an incident of tests: An was told, did not answer, and Bình took it on.
pub(in crate::web) fn happened(incident: &Incident) -> Vec<Happened> {
    let entry = |seconds: u64, what: Happening, person: Option<&str>| Happened {
        person: person.map(Into::into),
        channel: what.is_of_a_message().then(|| "zalo-truc-ban".into()),
        ..Happened::to(incident, what, later(incident.opened, Duration::from_secs(seconds)))
    };
    vec![
        Happened { level: Some(Level::Blind), ..entry(0, Happening::Opened, None) },
        entry(0, Happening::Queued, Some("an")),
        entry(1, Happening::Failed, Some("an")).saying(&Detail::plain("<b>503</b>")),
        entry(2, Happening::Sent, Some("an")),
        entry(300, Happening::Escalated, None),
        entry(300, Happening::Queued, Some("binh")),
        entry(301, Happening::Sent, Some("binh")),
    ]
}

/// Incidents of the snapshot, and one that ended long ago.
pub(in crate::web) fn sources(snapshots: watch::Receiver<Arc<Snapshot>>) -> Incidents {
    let reach_of = {
        let snapshots = snapshots.clone();
        move |bounds: Option<Bounds>| bounds.map(|bounds| Reach::of(&bounds, &snapshots.borrow().fleet))
    };
    let all = move || {
        let snapshot = snapshots.borrow().clone();
        let mut all: Vec<Incident> = snapshot.incidents.iter().map(|incident| (**incident).clone()).collect();
        all.push(past(snapshot.at));
        all
    };
    let (known, reached) = (all.clone(), reach_of.clone());
    Incidents {
        find: Arc::new(move |sought, bounds| {
            let incidents = all().into_iter().filter(|incident| sought.takes(incident)).collect();
            let found = Found { incidents, older: None };
            let found = reach_of(bounds).map_or_else(|| found.clone(), |reach| reach.found(found.clone()));
            async move { Ok(found) }.boxed()
        }),
        one: Arc::new(move |name, bounds| {
            let incident = known().into_iter().find(|incident| incident.is_named(&name));
            let whole = incident.map(|incident| {
                let timeline = Timeline::of(&incident, happened(&incident));
                (incident, timeline)
            });
            let seen = match reached(bounds) {
                Some(reach) => whole.and_then(|(incident, timeline)| reach.told(incident, timeline)),
                None => whole,
            };
            async move { Ok(seen.map(|(incident, timeline)| Told { incident, timeline, clocks: Vec::new() })) }.boxed()
        }),
        name: Arc::new(|person| format!("Trung úy {person}")),
        clocks: tokio::sync::watch::channel(Arc::default()).1,
    }
}

/// One that cannot be read.
pub(in crate::web) fn unreadable() -> Incidents {
    Incidents {
        find: Arc::new(|_, _| async { Err("it cannot be read".to_owned()) }.boxed()),
        one: Arc::new(|_, _| async { Err("it cannot be read".to_owned()) }.boxed()),
        name: Arc::new(ToString::to_string),
        clocks: tokio::sync::watch::channel(Arc::default()).1,
    }
}

fn past(now: Timestamp) -> Incident {
    let since = now.checked_sub(jiff::SignedDuration::from_hours(24 * 40)).expect("a time");
    Incident {
        id: IncidentId::stored("cho-0".into()),
        number: 3,
        opened: since,
        ack: Some(Ack { by: "Đại úy <i>Bình</i>".into(), via: "page".into(), at: since }),
        closed: Some(later(since, Duration::from_secs(3600))),
        ..Incident::new(Cause::Site("cho".into()), since, Level::Critical)
    }
}

fn search(query: &str) -> Search {
    Search::read(&serde_urlencoded(query))
}

fn serde_urlencoded(query: &str) -> Asked {
    let uri: axum::http::Uri = format!("/incidents?{query}").parse().unwrap_or_default();
    axum::extract::Query::<Asked>::try_from_uri(&uri).map(|asked| asked.0).unwrap_or_default()
}

async fn shown(snapshot: &Arc<Snapshot>, sources: Incidents, query: &str, language: Language) -> String {
    let (known, search, index) = (Known::new(sources), search(query), Index::of(&snapshot.fleet));
    let sought = search.sought(&snapshot.fleet, &index, snapshot.at, search::ROWS);
    known.ready_list(&search, || sought.clone()).await;
    list::main(snapshot, known.list(&search).as_deref(), (&search, &sought), (&Default::default(), false), language)
        .expect("it is rendered")
}

fn of(snapshot: &Arc<Snapshot>) -> Incidents {
    sources(watch::channel(snapshot.clone()).1)
}

#[tokio::test]
async fn open_and_past_ones_are_listed_and_names_are_escaped() {
    let snapshot = snapshot(CameraState::Down, 0);
    let list = shown(&snapshot, of(&snapshot), "", Language::Vi).await;
    assert!(list.contains("#17 · cho") && list.contains("#3 · cho") && list.contains("&#60;i&#62;Bình"), "{list}");
    let list = shown(&snapshot, of(&snapshot), "level=critical&q=%233", Language::En).await;
    assert!(!list.contains("#17 ·") && list.contains("#3 · cho") && list.contains("value=\"critical\" selected"));
    let list = shown(&snapshot, of(&snapshot), "cause=link", Language::En).await;
    assert!(list.contains("Nothing") && !list.contains("<table"), "{list}");
    // Where the journal cannot be read, the snapshot's are shown, and that says so.
    let list = shown(&snapshot, unreadable(), "", Language::Vi).await;
    assert!(list.contains("#17 · cho") && !list.contains("#3 · cho") && list.contains("role=\"status\""), "{list}");
}

#[test]
fn people_are_named_to_those_who_may_know_and_to_nobody_else() {
    let snapshot = snapshot(CameraState::Down, 0);
    let incident = &snapshot.incidents[0];
    let timeline = Timeline::of(incident, happened(incident));
    let name = |person: &crate::model::PersonId| format!("Trung úy {person}");
    let page = |names: Option<&sources::Names>, language| {
        let lines = lines::lines(&snapshot, &timeline, names, language);
        main(&snapshot, incident, (Some(lines), None), language, Signed::default()).expect("it is rendered")
    };
    let named = page(Some(&name), Language::Vi);
    for part in ["Trung úy an", "Trung úy binh", "zalo-truc-ban", "Không trả lời", "&#60;b&#62;503", "mù hoàn toàn"]
    {
        assert!(named.contains(part), "{part} is missing in {named}");
    }
    assert!(!named.contains("<b>503"));
    let hidden = page(None, Language::En);
    for part in ["Trung úy an", "zalo-truc-ban", "503"] {
        assert!(!hidden.contains(part), "{part} stands in {hidden}");
    }
    assert!(hidden.contains("Nobody took it on: escalated") && hidden.contains("Sent"));
    assert_eq!(elapsed(snapshot.at, incident.opened), Duration::ZERO);
}

#[test]
fn a_timeline_without_end_has_a_page_with_one() {
    let snapshot = snapshot(CameraState::Down, 0);
    let incident = &snapshot.incidents[0];
    let entries = (0..5000).flat_map(|_| happened(incident)).collect();
    let name = |person: &crate::model::PersonId| format!("Trung úy {person}");
    let lines = lines::lines(&snapshot, &Timeline::of(incident, entries), Some(&name), Language::Vi);
    assert_eq!((lines.lines.len(), lines.left_out), (400, 35_000 - 400));
    let html = main(&snapshot, incident, (Some(lines), None), Language::Vi, Signed::default()).expect("it is rendered");
    assert!(html.len() < 300_000 && html.contains("34600"), "{}", html.len());
}

#[tokio::test(start_paused = true)]
async fn it_is_read_once_for_all_who_ask_at_once() {
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = asked.clone();
    let one = move |_, _| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async { Ok(None) }.boxed()
    };
    let known = Known::new(Incidents { one: Arc::new(one), ..unreadable() });
    for _ in 0..10 {
        known.ready_one("17").await;
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
    tokio::time::sleep(FRESH).await;
    known.ready_one("17").await;
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2);
    for number in 0..1000 {
        known.ready_one(&number.to_string()).await;
    }
    assert_eq!(known.kept().len(), KEPT);
}

#[test]
fn words_are_looked_up_in_the_fleet_as_it_is() {
    let snapshot = province(400, 4);
    let index = Index::of(&snapshot.fleet);
    let sought = |query: &str| search(query).sought(&snapshot.fleet, &index, snapshot.at, 50);
    assert_eq!((sought("q=42").number, sought("q=%2342").number), (Some(42), Some(42)));
    let of_words = sought("q=site-00003").any;
    assert_eq!(of_words, [[crate::model::Thing::Site("site-00003".into())].into()]);
    assert_eq!(sought("q=khong+co+gi+nhu+the").any, [std::collections::BTreeSet::new()], "nothing is found by it");
    let (from, until) = sought("month=2026-02").opened.expect("a month");
    assert_eq!(elapsed(until, from), Duration::from_secs(28 * 24 * 60 * 60));
    assert_eq!(sought("month=2026-13").opened, None);
}

proptest! {
    #[test]
    fn whatever_is_asked_is_bounded_and_its_address_means_the_same(q in ".*", site in ".{0,100}", month in ".{0,30}") {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let pairs = [("q", &q), ("site", &site), ("month", &month), ("level", &q), ("cause", &site), ("before", &month)];
        let query = query.extend_pairs(pairs).finish();
        let search = search(&query);
        prop_assert!(search.query().len() < 2000);
        prop_assert_eq!(&super::tests::search(&search.query()), &search);
        let snapshot = snapshot(CameraState::Up, 0);
        let sought = search.sought(&snapshot.fleet, &Index::of(&snapshot.fleet), snapshot.at, 50);
        let html = list::main(&snapshot, None, (&search, &sought), (&Default::default(), false), Language::Vi).expect("it is rendered");
        prop_assert!(!html.contains("<script") && html.len() < 20_000);
    }
}
