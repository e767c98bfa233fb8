//! A site's page: its views, the cameras that see each, and what is open on it.

use super::{
    page::{self, Moment, moment, symbol},
    past::{self, Called, Past},
    words::{Words, words},
};
use crate::{
    model::{Language, Level, Snapshot, State as CameraState, ViewState},
    uptime::{Of, Range},
};
use askama::Template;

#[derive(Template)]
#[template(path = "site.html")]
struct Main {
    words: &'static Words,
    past: past::Section,
    id: String,
    name: String,
    hamlet: String,
    level: &'static str,
    word: &'static str,
    symbol: &'static str,
    since: Moment,
    at: Moment,
    incident: Option<u32>,
    recovering: Option<String>,
    on_map: bool,
    views: Vec<View>,
}

struct View {
    name: String,
    class: &'static str,
    word: &'static str,
    symbol: &'static str,
    seeing: String,
    cameras: Vec<Watcher>,
}

struct Watcher {
    id: String,
    name: String,
    class: &'static str,
    word: &'static str,
    symbol: &'static str,
    spare: bool,
    /// The weaker proof by which it counts as seeing.
    proof: Option<&'static str>,
    cause: &'static str,
    since: Moment,
}

/// The page's content; `None` when there is no such site.
pub(super) fn main(
    snapshot: &Snapshot,
    id: &str,
    language: Language,
    (past, range): (&Past, Range),
) -> askama::Result<Option<String>> {
    let (Some(site), Some(status)) = (snapshot.fleet.sites.get(id), snapshot.sites.get(id)) else { return Ok(None) };
    let words = words(language);
    let views = site.views.iter().zip(&status.views).map(|(view, now)| {
        let cameras = view.watchers.iter().filter_map(|watcher| {
            let camera = snapshot.fleet.cameras.get(&watcher.camera)?;
            let status = snapshot.cameras.get(&watcher.camera)?;
            Some(Watcher {
                id: camera.id.to_string(),
                name: camera.public_name().to_owned(),
                class: status.state.as_str(),
                word: status.state.text(language),
                symbol: symbol(status.state),
                spare: watcher.spare,
                proof: camera.weaker_proof().map(|proof| proof.text(language)),
                cause: status.cause.map_or("", |cause| cause.text(language)),
                since: moment(status.since, snapshot),
            })
        });
        let (class, symbol) = match now.state {
            ViewState::Covered => (Level::Full.as_str(), symbol(CameraState::Up)),
            ViewState::Lost => (Level::Blind.as_str(), symbol(CameraState::Down)),
            ViewState::Unknown => (Level::Unknown.as_str(), symbol(CameraState::Unknown)),
        };
        View {
            name: view.name.clone(),
            class,
            word: now.state.text(language),
            symbol,
            seeing: format!("{}/{}", now.seeing, now.needs),
            cameras: cameras.collect(),
        }
    });
    let looked = past.one(&Of::Site(site.id.clone()), range);
    let address = format!("/sites/{}", site.id);
    let template = Main {
        past: past::of_one(
            snapshot,
            (language, Called::Sites),
            (&address, range),
            looked.as_deref().map(|looked| &looked.strip),
        ),
        words,
        id: site.id.to_string(),
        name: site.name.clone(),
        hamlet: site.hamlet.clone(),
        level: status.level.as_str(),
        word: status.level.text(language),
        symbol: page::level_symbol(status.level),
        since: moment(status.since, snapshot),
        at: moment(snapshot.at, snapshot),
        incident: snapshot.number(status),
        recovering: page::recovering(snapshot, status, language),
        on_map: site.location.is_some(),
        views: views.collect(),
    };
    template.render().map(Some)
}
