//! Each page at its address: what is asked for, as a subject that is rendered once for all who ask.

use super::{
    list::{Asked, Filter, What},
    rendered::Subject,
    state::{Shared, Wish},
    visitor::Visitor,
    whole,
    words::words,
};
use axum::{
    extract::{Path, Query, State},
    response::Response,
};

pub(super) async fn wall(State(shared): State<Shared>, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(&shared, &snapshot, (language, &visitor), &Subject::Wall, "")
}

pub(super) async fn area(
    State(shared): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(&shared, &snapshot, (language, &visitor), &Subject::Area(id), words(language).no_area)
}

pub(super) async fn camera(
    State(shared): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(&shared, &snapshot, (language, &visitor), &Subject::Camera(id), words(language).no_camera)
}

pub(super) async fn site(
    State(shared): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(&shared, &snapshot, (language, &visitor), &Subject::Site(id), words(language).no_site)
}

pub(super) async fn map(State(shared): State<Shared>, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    let area = wish.area.filter(|area| !area.is_empty());
    whole::of(&shared, &snapshot, (language, &visitor), &Subject::Map(area), words(language).no_area)
}

pub(super) async fn cameras(
    shared: State<Shared>,
    visitor: Visitor,
    wish: Query<Wish>,
    asked: Query<Asked>,
) -> Response {
    show(&shared, &visitor, What::Cameras, (&wish, &asked))
}

pub(super) async fn sites(shared: State<Shared>, visitor: Visitor, wish: Query<Wish>, asked: Query<Asked>) -> Response {
    show(&shared, &visitor, What::Sites, (&wish, &asked))
}

pub(super) async fn incidents(
    shared: State<Shared>,
    visitor: Visitor,
    wish: Query<Wish>,
    asked: Query<Asked>,
) -> Response {
    show(&shared, &visitor, What::Incidents, (&wish, &asked))
}

fn show(shared: &Shared, visitor: &Visitor, what: What, (wish, asked): (&Wish, &Asked)) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(shared, &snapshot, (language, visitor), &Subject::List(Filter::read(what, asked)), "")
}
