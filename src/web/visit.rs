//! Each page at its address: what is asked for, as a subject that is rendered once for all who ask.

use super::{
    list::{Asked, Filter, What},
    rendered::Subject,
    state::{Shared, Wish},
    whole,
    words::words,
};
use axum::{
    extract::{Path, Query, State},
    response::Response,
};

pub(super) async fn wall(State(shared): State<Shared>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(&shared, &snapshot, language, &Subject::Wall, "")
}

pub(super) async fn area(State(shared): State<Shared>, Path(id): Path<String>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(&shared, &snapshot, language, &Subject::Area(id), words(language).no_area)
}

pub(super) async fn camera(State(shared): State<Shared>, Path(id): Path<String>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(&shared, &snapshot, language, &Subject::Camera(id), words(language).no_camera)
}

pub(super) async fn site(State(shared): State<Shared>, Path(id): Path<String>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(&shared, &snapshot, language, &Subject::Site(id), words(language).no_site)
}

pub(super) async fn map(State(shared): State<Shared>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    let area = wish.area.filter(|area| !area.is_empty());
    whole::of(&shared, &snapshot, language, &Subject::Map(area), words(language).no_area)
}

pub(super) async fn cameras(shared: State<Shared>, wish: Query<Wish>, asked: Query<Asked>) -> Response {
    show(&shared, What::Cameras, &wish, &asked)
}

pub(super) async fn sites(shared: State<Shared>, wish: Query<Wish>, asked: Query<Asked>) -> Response {
    show(&shared, What::Sites, &wish, &asked)
}

pub(super) async fn incidents(shared: State<Shared>, wish: Query<Wish>, asked: Query<Asked>) -> Response {
    show(&shared, What::Incidents, &wish, &asked)
}

fn show(shared: &Shared, what: What, wish: &Wish, asked: &Asked) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    whole::of(shared, &snapshot, language, &Subject::List(Filter::read(what, asked)), "")
}
