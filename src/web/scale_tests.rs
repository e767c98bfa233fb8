//! A province of 20,000 cameras: no page is larger than a visitor, a wall and the daemon can bear.

use super::{
    incidents::{self, Known, Search},
    list::Asked,
    past::{self, Past},
    province::province,
    rendered::{Cache, Subject},
};
use crate::{
    model::{Language, Snapshot},
    uptime::Range,
    web::list::{Filter, What},
};
use axum::extract::Query;
use std::sync::Arc;
use tokio::sync::watch;

/// The largest that a page's content may be, in bytes. What is around it takes some 3 kB.
const LARGEST: usize = 295_000;

fn list(what: What, query: &str) -> Subject {
    let Query(asked) =
        Query::<Asked>::try_from_uri(&format!("/?{query}").parse().expect("it is one")).expect("a query");
    Subject::List(Filter::read(what, &asked))
}

fn pages() -> Vec<Subject> {
    let map = |area: &str| Subject::Map(Some(area.into()));
    vec![
        Subject::Wall(Range::Day),
        Subject::Wall(Range::Month),
        Subject::Area("khu-000".into(), Range::Month),
        Subject::Area("khu-129".into(), Range::Day),
        Subject::Map(None),
        map("khu-000"),
        map("khu-129"),
        list(What::Cameras, ""),
        list(What::Cameras, "page=200"),
        list(What::Cameras, "state=unwell&sort=since&page=33"),
        list(What::Cameras, "q=duong+khai+123"),
        list(What::Cameras, "area=khu-004&sort=name"),
        list(What::Sites, ""),
        list(What::Sites, "level=unwell&q=nga+tu"),
        Subject::Incidents(Search::default()),
        list(What::Links, ""),
        Subject::Site("site-00000".into(), Range::Week),
        Subject::Camera("camera-00003".into(), Range::Month),
        Subject::Incident("17".into(), true),
    ]
}

async fn sizes(snapshot: &Arc<Snapshot>) {
    let past = Arc::new(Past::new(past::tests::worst(snapshot)));
    let (_publish, snapshots) = watch::channel(snapshot.clone());
    let at_hand = past.keep_at_hand(snapshots);
    tokio::pin!(at_hand);
    assert!(futures_util::poll!(&mut at_hand).is_pending(), "it goes on for ever");
    let cache = Cache::new(past.clone(), Known::new(incidents::tests::sources(watch::channel(snapshot.clone()).1)));
    for subject in pages() {
        cache.ready(&subject, snapshot).await;
        for language in [Language::Vi, Language::En] {
            let began = std::time::Instant::now();
            let main = cache.main(snapshot, &subject, language).expect("it is rendered");
            let took = began.elapsed();
            let size = main.map_or(0, |main| main.len());
            // For whoever runs this by hand; a machine in a hurry must not fail the test.
            println!("{size:>7} bytes {:>6.1} ms  {subject:?}", took.as_secs_f64() * 1000.0);
            assert!(size < LARGEST, "{subject:?} takes {size} bytes");
        }
    }
}

#[tokio::test]
async fn no_page_of_a_province_is_large() {
    sizes(&province(20_000, 130)).await;
}

/// The same where nobody has told areas.
#[tokio::test]
async fn nor_is_one_without_areas() {
    sizes(&province(20_000, 0)).await;
}

/// Around the bounds between the kinds of walls.
#[tokio::test]
async fn nor_is_one_of_any_other_size() {
    for (cameras, areas) in [(0, 0), (180, 0), (183, 4), (480, 5), (483, 5), (600, 400), (2_000, 1_000)] {
        sizes(&province(cameras, areas)).await;
    }
}
