//! Each page at its address: what is asked for, as a subject that is rendered once for all who ask.

use super::{
    incidents::{self, Search},
    list::{Asked, Filter, What},
    rendered::Subject,
    seen::Seen,
    state::{Shared, Wish},
    visitor::Visitor,
    whole,
    words::words,
};
use crate::model::Language;
use axum::{
    extract::{Path, Query},
    response::Response,
};

/// A subject's page, or what `missing` says when there is no such thing.
pub(super) async fn show(
    shared: &Shared,
    visitor: &Visitor,
    wish: &Wish,
    subject: &Subject,
    missing: fn(Language) -> &'static str,
) -> Response {
    let snapshot = shared.snapshot();
    let language = wish.language(&snapshot);
    shared.cache.ready(subject, &snapshot).await;
    whole::of(shared, &snapshot, (language, visitor), subject, missing(language))
}

fn no_area(language: Language) -> &'static str {
    words(language).no_area
}

/// Of what there always is.
fn never(_: Language) -> &'static str {
    ""
}

pub(super) async fn wall(Seen(shared): Seen, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    show(&shared, &visitor, &wish, &Subject::Wall(wish.range()), never).await
}

pub(super) async fn area(
    Seen(shared): Seen,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    show(&shared, &visitor, &wish, &Subject::Area(id, wish.range()), no_area).await
}

pub(super) async fn camera(
    Seen(shared): Seen,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    show(&shared, &visitor, &wish, &Subject::Camera(id, wish.range()), |language| words(language).no_camera).await
}

pub(super) async fn site(
    Seen(shared): Seen,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    show(&shared, &visitor, &wish, &Subject::Site(id, wish.range()), |language| words(language).no_site).await
}

pub(super) async fn map(Seen(shared): Seen, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    let area = wish.area.clone().filter(|area| !area.is_empty());
    show(&shared, &visitor, &wish, &Subject::Map(area), no_area).await
}

pub(super) async fn cameras(
    Seen(shared): Seen,
    visitor: Visitor,
    Query(wish): Query<Wish>,
    Query(asked): Query<Asked>,
) -> Response {
    show(&shared, &visitor, &wish, &Subject::List(Filter::read(What::Cameras, &asked)), never).await
}

pub(super) async fn sites(
    Seen(shared): Seen,
    visitor: Visitor,
    Query(wish): Query<Wish>,
    Query(asked): Query<Asked>,
) -> Response {
    show(&shared, &visitor, &wish, &Subject::List(Filter::read(What::Sites, &asked)), never).await
}

pub(super) async fn incidents(
    Seen(shared): Seen,
    visitor: Visitor,
    Query(wish): Query<Wish>,
    Query(asked): Query<incidents::Asked>,
) -> Response {
    show(&shared, &visitor, &wish, &Subject::Incidents(Search::read(&asked)), never).await
}

pub(super) async fn contract(Seen(shared): Seen, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    show(&shared, &visitor, &wish, &Subject::Contract, never).await
}

pub(super) async fn link(
    Seen(shared): Seen,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    show(&shared, &visitor, &wish, &Subject::Link(id, wish.range()), |language| words(language).no_link).await
}

pub(super) async fn links(
    Seen(shared): Seen,
    visitor: Visitor,
    Query(wish): Query<Wish>,
    Query(asked): Query<Asked>,
) -> Response {
    show(&shared, &visitor, &wish, &Subject::List(Filter::read(What::Links, &asked)), never).await
}
