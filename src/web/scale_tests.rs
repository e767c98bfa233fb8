//! A province of 20,000 cameras: no page is larger than a visitor, a wall and the daemon can bear.

use super::{
    list::Asked,
    province::province,
    rendered::{Cache, Subject},
};
use crate::{
    model::{Language, Snapshot},
    web::list::{Filter, What},
};
use axum::extract::Query;
use std::sync::Arc;

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
        Subject::Wall,
        Subject::Area("khu-000".into()),
        Subject::Area("khu-129".into()),
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
        list(What::Incidents, ""),
        Subject::Site("site-00000".into()),
        Subject::Camera("camera-00003".into()),
        Subject::Incident("17".into()),
    ]
}

fn sizes(snapshot: &Arc<Snapshot>) {
    let cache = Cache::default();
    for subject in pages() {
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

#[test]
fn no_page_of_a_province_is_large() {
    sizes(&province(20_000, 130));
}

/// The same where nobody has told areas.
#[test]
fn nor_is_one_without_areas() {
    sizes(&province(20_000, 0));
}

/// Around the bounds between the kinds of walls.
#[test]
fn nor_is_one_of_any_other_size() {
    for (cameras, areas) in [(0, 0), (180, 0), (183, 4), (480, 5), (483, 5), (600, 400), (2_000, 1_000)] {
        sizes(&province(cameras, areas));
    }
}
