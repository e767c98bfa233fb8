//! The status page: a pure function of one snapshot and a language.

use super::{
    rendered::Subject,
    router::{Shared, html},
    words::{Words, words},
};
use crate::model::{
    Camera, CameraStatus, Check, Course, Kind, Language, Level, Rung, SiteStatus, Snapshot, State, StreamFacts,
    ViewState,
};
use askama::Template;
use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use futures_util::stream;
use jiff::Timestamp;
use std::{convert::Infallible, sync::Arc};

/// The page around its content. `path` is its address, `events` what its script listens to. Over the content stands
/// that the daemon does not do its work, if so: what looks green might be old.
pub(super) fn whole(
    shared: &Shared,
    main: &str,
    snapshot: &Snapshot,
    language: Language,
    path: &str,
    events: &str,
) -> askama::Result<String> {
    let words = words(language);
    let at = snapshot.at.as_millisecond();
    let menu = [("/", words.wall), ("/map", words.map), ("/reports", words.reports)];
    let trouble = (shared.state.healthy)().err();
    let trouble = trouble.as_deref();
    Whole { words, trouble, commune: &snapshot.fleet.commune.name, main, at, path, events, home: path == "/", menu }
        .render()
}

/// The page around content that others read as well: its bytes are sent, not copied.
pub(super) fn around(
    shared: &Shared,
    main: Bytes,
    snapshot: &Snapshot,
    language: Language,
    path: &str,
    events: &str,
) -> askama::Result<Response> {
    // Names are escaped, so that none of them can be this.
    const PLACE: &str = "<main>";
    let page = whole(shared, PLACE, snapshot, language, path, events)?;
    let (head, tail) = page.split_once(PLACE).unwrap_or((&page, ""));
    let pieces = [Bytes::copy_from_slice(head.as_bytes()), main, Bytes::copy_from_slice(tail.as_bytes())];
    Ok(Html(Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)))).into_response())
}

/// A subject's page at its address, or with what it says that there is no such thing.
pub(super) fn of(
    shared: &Shared,
    snapshot: &Arc<Snapshot>,
    language: Language,
    subject: &Subject,
    missing: &'static str,
) -> Response {
    let (path, wish) = match subject {
        Subject::Wall => ("/".to_owned(), String::new()),
        Subject::Map => ("/map".to_owned(), "&map=all".to_owned()),
        Subject::Site(id) => (format!("/sites/{id}"), format!("&site={id}")),
        Subject::Camera(id) => (format!("/cameras/{id}"), format!("&camera={id}")),
        Subject::Incident(id) => {
            let number = snapshot.incident(id).map_or_else(|| id.clone(), |incident| incident.number.to_string());
            (format!("/incidents/{number}"), format!("&incident={number}"))
        }
    };
    let events = format!("/events?lang={}{wish}", words(language).lang);
    let page = match shared.cache.main(snapshot, subject, language) {
        Ok(Some(main)) => around(shared, main, snapshot, language, &path, &events),
        Ok(None) => Ok((StatusCode::NOT_FOUND, missing).into_response()),
        Err(error) => Err(error),
    };
    page.unwrap_or_else(|error| html(Err(error)))
}

/// The wall's content.
pub(super) fn main(snapshot: &Snapshot, language: Language) -> askama::Result<String> {
    let show = Show { snapshot, language, words: words(language) };
    let (problems, well) = show.cameras();
    let coverage = snapshot.coverage;
    Main {
        words: show.words,
        covered: coverage.covered,
        total: coverage.total,
        percent: coverage.ratio().map(|ratio| (ratio * 100.0).floor() as u32),
        mood: show.mood(),
        at: show.moment(snapshot.at),
        counts: show.counts(),
        states: show.states().map(|state| state.text(language)).collect(),
        cut_off: snapshot.cut_off.map(|since| show.moment(since)),
        on_call: snapshot.on_call.iter().map(|shift| (shift.name.clone(), show.moment(shift.until).text)).collect(),
        incidents: show.incidents(),
        windows: show.windows(),
        sites: show.sites(),
        problems,
        well,
    }
    .render()
}

#[derive(Template)]
#[template(path = "whole.html")]
struct Whole<'a> {
    words: &'static Words,
    commune: &'a str,
    main: &'a str,
    at: i64,
    path: &'a str,
    events: &'a str,
    home: bool,
    trouble: Option<&'a str>,
    menu: [(&'a str, &'static str); 3],
}

#[derive(Template)]
#[template(path = "main.html")]
struct Main {
    words: &'static Words,
    covered: usize,
    total: usize,
    percent: Option<u32>,
    mood: &'static str,
    at: Moment,
    counts: Vec<(&'static str, Vec<usize>)>,
    states: Vec<&'static str>,
    cut_off: Option<Moment>,
    /// Who is on call, and until when.
    on_call: Vec<(String, String)>,
    incidents: Vec<IncidentRow>,
    /// What is out of service on purpose: name, until when, by whom and why.
    windows: Vec<(String, String, String)>,
    sites: Vec<SiteTile>,
    problems: Vec<CameraRow>,
    well: Vec<CameraRow>,
}

/// A time as people and as the page's script read it.
pub(super) struct Moment {
    pub(super) text: String,
    pub(super) millisecond: i64,
}

struct IncidentRow {
    number: u32,
    place: String,
    level: &'static str,
    word: String,
    since: Moment,
    taken_on: Option<String>,
}

struct SiteTile {
    id: String,
    name: String,
    hamlet: String,
    level: &'static str,
    word: &'static str,
    symbol: &'static str,
    lost: String,
    views: String,
    since: Moment,
    /// The open incident's number.
    incident: Option<u32>,
    /// That it is well again and the incident not yet over.
    recovering: Option<String>,
}

struct CameraRow {
    id: String,
    name: String,
    kind: &'static str,
    state: &'static str,
    word: &'static str,
    symbol: &'static str,
    cause: &'static str,
    detail: String,
    since: Moment,
    media: Option<Moment>,
    probe: Option<Moment>,
    stream: String,
    clock: String,
    link: String,
    rungs: Vec<Rung>,
}

struct Show<'a> {
    snapshot: &'a Snapshot,
    language: Language,
    words: &'static Words,
}

impl Show<'_> {
    /// The colour of the headline: that of the worst site.
    fn mood(&self) -> &'static str {
        self.snapshot.counts.worst().unwrap_or(Level::Unknown).as_str()
    }

    /// The usual states, and of the others those that a camera is in.
    fn states(&self) -> impl Iterator<Item = State> {
        let usual = [State::Up, State::Degraded, State::Down, State::Unknown];
        let any = |state: State| self.snapshot.cameras.values().any(|status| status.state == state);
        State::ALL.into_iter().filter(move |state| usual.contains(state) || any(*state))
    }

    fn counts(&self) -> Vec<(&'static str, Vec<usize>)> {
        let count = |kind| self.states().map(|state| self.snapshot.count(kind, state)).collect();
        Kind::ALL.into_iter().map(|kind| (kind.text(self.language), count(kind))).collect()
    }

    fn incidents(&self) -> Vec<IncidentRow> {
        let row = |incident: &Arc<crate::model::Incident>| IncidentRow {
            number: incident.number,
            place: self.snapshot.place(&incident.cause),
            level: self.snapshot.course(incident).level().as_str(),
            word: self.snapshot.course_text(self.snapshot.course(incident), self.language),
            since: self.moment(incident.since),
            taken_on: incident.ack.as_ref().map(|ack| ack.by.clone()),
        };
        self.snapshot.open_incidents().map(row).collect()
    }

    fn windows(&self) -> Vec<(String, String, String)> {
        let fleet = &self.snapshot.fleet;
        let open =
            self.snapshot.windows.iter().filter(|window| window.is_open(self.snapshot.at, &fleet.commune.timezone));
        let until = |window: &crate::model::Window| match &window.span {
            crate::model::Span::Once { until, .. } => self.moment(*until).text,
            crate::model::Span::Weekly { hours, .. } => hours.to.strftime("%H:%M").to_string(),
        };
        open.map(|window| (window.scope.name(fleet), until(window), format!("{}: {}", window.author, window.reason)))
            .collect()
    }

    /// Worst first, then by name; what cannot be said stands between bad and good.
    fn sites(&self) -> Vec<SiteTile> {
        let rank = |level: Level| match level {
            Level::Blind => 0,
            Level::Critical => 1,
            Level::Unknown => 2,
            Level::Reduced => 3,
            Level::Full => 4,
        };
        let mut sites: Vec<_> = (self.snapshot.sites.iter())
            .filter_map(|(id, status)| Some((self.snapshot.fleet.sites.get(id)?, status)))
            .collect();
        sites.sort_by_key(|(site, status)| (rank(status.level), site.name.clone()));
        let tile = |(site, status): (&Arc<crate::model::Site>, &Arc<crate::model::SiteStatus>)| {
            let lost = status.views.iter().filter(|view| view.state == ViewState::Lost);
            let lost: Vec<&str> = lost.map(|view| view.name.as_str()).collect();
            let covered = status.views.iter().filter(|view| view.state == ViewState::Covered).count();
            SiteTile {
                id: site.id.to_string(),
                name: site.name.clone(),
                hamlet: site.hamlet.clone(),
                level: status.level.as_str(),
                word: status.level.text(self.language),
                symbol: level_symbol(status.level),
                lost: lost.join("; "),
                views: format!("{covered}/{}", status.views.len()),
                since: self.moment(status.since),
                incident: self.snapshot.number(status),
                recovering: recovering(self.snapshot, status, self.language),
            }
        };
        sites.into_iter().map(tile).collect()
    }

    /// Those that are not well, worst first and public before household; and the others.
    fn cameras(&self) -> (Vec<CameraRow>, Vec<CameraRow>) {
        let rank = |state: State| match state {
            State::Down => 0,
            State::Unreachable => 1,
            State::Degraded => 2,
            State::Unknown => 3,
            State::Maintenance => 4,
            State::Up => 5,
            State::Off => 6,
        };
        let mut cameras: Vec<_> = (self.snapshot.fleet.cameras.values())
            .filter_map(|camera| Some((camera, self.snapshot.cameras.get(&camera.id)?)))
            .collect();
        cameras.sort_by_key(|(camera, status)| (rank(status.state), camera.kind, camera.public_name().to_owned()));
        let (well, problems): (Vec<_>, Vec<_>) = cameras.into_iter().partition(|(_, status)| status.state == State::Up);
        let rows = |cameras: Vec<(&Arc<Camera>, &Arc<CameraStatus>)>| {
            cameras.into_iter().map(|(camera, status)| self.row(camera, status)).collect()
        };
        (rows(problems), rows(well))
    }

    fn row(&self, camera: &Camera, status: &CameraStatus) -> CameraRow {
        let link = camera.link.as_ref().and_then(|id| self.snapshot.fleet.links.get(id));
        // The deepest look tells most; while nobody answers, the last attempt does.
        let deepest = status.last.get(&Check::Stream);
        let latest = status.last.values().filter(|last| last.failure.is_some()).max_by_key(|last| last.started);
        let last = if status.state == State::Up { deepest } else { latest.or(deepest) };
        CameraRow {
            id: camera.id.to_string(),
            name: camera.public_name().to_owned(),
            kind: camera.kind.text(self.language),
            state: status.state.as_str(),
            word: status.state.text(self.language),
            symbol: symbol(status.state),
            cause: status.cause.map_or("", |cause| cause.text(self.language)),
            detail: camera.discreet(&status.detail),
            since: self.moment(status.since),
            media: status.last_media.map(|at| self.moment(at)),
            probe: status.last_probe.map(|at| self.moment(at)),
            stream: status
                .stream_at(self.snapshot.at)
                .filter(|stream| stream.frames > 0)
                .map_or_else(String::new, |stream| self.stream(&stream)),
            clock: status
                .clock_offset_at(self.snapshot.at)
                .map_or_else(String::new, |offset| format!("{offset:+.0} s")),
            link: link.map_or_else(String::new, |link| link.name.clone()),
            rungs: last.map_or_else(Vec::new, |last| rungs(camera, &last.rungs)),
        }
    }

    fn stream(&self, stream: &StreamFacts) -> String {
        let size = stream.width.zip(stream.height).map_or_else(String::new, |(w, h)| format!(" {w}×{h}"));
        let fps = stream.fps.map_or_else(String::new, |fps| format!(", {fps:.0} {}", self.words.frames));
        let rate = stream.bytes_per_second.map_or_else(String::new, |b| format!(", {:.0} kbit/s", b * 8.0 / 1000.0));
        let lost = match stream.packets_lost {
            0 => String::new(),
            lost => format!(", {lost} {}", self.words.lost_packets),
        };
        format!("{}{size}{fps}{rate}{lost}", stream.codec.as_str().to_uppercase())
    }

    fn moment(&self, at: Timestamp) -> Moment {
        moment(at, self.snapshot)
    }
}

/// The steps of a look as others may read them.
pub(super) fn rungs(camera: &Camera, rungs: &[Rung]) -> Vec<Rung> {
    rungs.iter().map(|rung| Rung { detail: camera.discreet(&rung.detail), ..rung.clone() }).collect()
}

/// The time of day where people live, with the day where it is not today.
pub(super) fn moment(at: Timestamp, snapshot: &Snapshot) -> Moment {
    let zone = &snapshot.fleet.commune.timezone;
    let (then, now) = (at.to_zoned_datetime(zone.clone()), snapshot.at.to_zoned_datetime(zone.clone()));
    let format = if then.date() == now.date() { "%H:%M:%S" } else { "%H:%M %d/%m/%Y" };
    Moment { text: then.strftime(format).to_string(), millisecond: at.as_millisecond() }
}

/// That a site is well again while its incident is not yet over.
pub(super) fn recovering(snapshot: &Snapshot, site: &SiteStatus, language: Language) -> Option<String> {
    site.incident.as_ref()?;
    Some(snapshot.course_text(Course::Recovering(site.recovering?), language))
}

/// A level as a sign beside its colour.
pub(super) fn level_symbol(level: Level) -> &'static str {
    match level {
        Level::Full => "●",
        Level::Reduced => "◐",
        Level::Critical => "▲",
        Level::Blind => "✕",
        Level::Unknown => "?",
    }
}

/// A state as a sign beside its colour.
pub(super) fn symbol(state: State) -> &'static str {
    match state {
        State::Up => "●",
        State::Degraded => "◐",
        State::Down => "✕",
        State::Unreachable => "⇹",
        State::Unknown => "?",
        State::Maintenance => "⚒",
        State::Off => "○",
    }
}
