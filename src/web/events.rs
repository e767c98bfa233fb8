//! Server-sent events: what changed of a page, now and then the whole, and a pulse by which a page knows how old it is.

use super::{
    incidents::{self, Search},
    list::{Asked, Filter, What},
    rendered::{Shown, Subject},
    seen::Seen,
    server::Guest,
    sse,
    state::{Shared, Wish},
    visitor::Visitor,
};
use crate::{
    model::{Language, Snapshot},
    rights::Right,
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::Query,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

/// Between two events to one page.
const PAUSE: Duration = Duration::from_secs(1);
/// Figures such as frame rates are renewed this often while no state changes.
const RENEW: Duration = Duration::from_secs(10);
/// A list is searched through anew at most this often.
const LISTS: Duration = Duration::from_secs(5);
/// A page is sent the whole again after so long, whatever has happened to what it shows.
const WHOLE: Duration = Duration::from_secs(300);
/// How often it is asked whether the daemon does its work, whether or not anything changes.
const CHECK: Duration = Duration::from_secs(2);
/// After so long without any event a comment is sent.
const SILENCE: Duration = Duration::from_secs(15);

impl Subject {
    fn of(wish: Wish, asked: &Asked, sought: &incidents::Asked, named: bool) -> Self {
        if wish.list.as_deref() == Some("incidents") {
            return Self::Incidents(Search::read(sought));
        }
        if wish.list.as_deref() == Some("contract") {
            return Self::Contract;
        }
        let what = match wish.list.as_deref() {
            Some("cameras") => Some(What::Cameras),
            Some("sites") => Some(What::Sites),
            Some("links") => Some(What::Links),
            _ => None,
        };
        let range = wish.range();
        match (what, wish) {
            (Some(what), _) => Self::List(Filter::read(what, asked)),
            (_, Wish { incident: Some(id), .. }) => Self::Incident(id, named),
            (_, Wish { camera: Some(id), .. }) => Self::Camera(id, range),
            (_, Wish { site: Some(id), .. }) => Self::Site(id, range),
            (_, Wish { link: Some(id), .. }) => Self::Link(id, range),
            (_, Wish { map: Some(_), area, .. }) => Self::Map(area),
            (_, Wish { area: Some(id), .. }) => Self::Area(id, range),
            _ => Self::Wall(range),
        }
    }

    /// Between two events to one page.
    fn pause(&self) -> Duration {
        if matches!(self, Self::List(_) | Self::Incidents(_) | Self::Contract) { LISTS } else { PAUSE }
    }
}

/// One page that listens.
struct Listener {
    shared: Shared,
    visitor: Visitor,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    language: Language,
    subject: Subject,
    not_before: Instant,
    /// How things stood when it was last sent something, and when.
    stood: Option<(u64, Instant)>,
    /// What it shows since, and when it was last sent the whole.
    shown: Option<(Shown, Instant)>,
    /// Whether the page was last told that the daemon does its work, and when.
    well: Option<(bool, Instant)>,
    said: Instant,
}

pub(super) async fn events(
    Seen(shared): Seen,
    guest: Option<Extension<Guest>>,
    visitor: Visitor,
    Query(wish): Query<Wish>,
    Query(asked): Query<Asked>,
    Query(sought): Query<incidents::Asked>,
) -> Response {
    if let Some(Extension(guest)) = guest {
        guest.listens();
    }
    let mut snapshots = shared.state.snapshots.clone();
    // The page was rendered a moment ago; what changed since is sent at once.
    snapshots.mark_changed();
    let language = wish.language(&snapshots.borrow());
    let subject = Subject::of(wish, &asked, &sought, visitor.may(Right::SeeTold));
    let not_before = Instant::now();
    // A camera's page shows more than others do, and so do its events.
    if matches!(subject, Subject::Camera(..)) && !visitor.may(Right::SeeDevices) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (stood, shown, well) = (None, None, None);
    let listener =
        Listener { shared, visitor, snapshots, language, subject, not_before, stood, shown, well, said: not_before };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

impl Listener {
    /// `None` ends the stream: the daemon stops, what the page showed is gone, or whoever listens is signed out.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            sleep_until(self.not_before).await;
            let changed = timeout(CHECK, self.snapshots.changed()).await;
            if !self.visitor.is_known(&self.shared.state.access) {
                return None;
            }
            if let Some(event) = self.health() {
                // What changed is shown right after.
                if changed.is_ok() {
                    self.snapshots.mark_changed();
                }
                self.said = Instant::now();
                return Some(event);
            }
            match changed {
                Ok(changed) => break changed.ok()?,
                Err(_) if self.said.elapsed() >= SILENCE => {
                    self.said = Instant::now();
                    return Some(sse::COMMENT);
                }
                Err(_) => {}
            }
        }
        (self.not_before, self.said) = (Instant::now() + self.subject.pause(), Instant::now());
        let whole = self.snapshots.borrow_and_update().clone();
        let latest = self.shared.narrowed(&whole);
        let snapshot = self.shared.cache.frame(&latest, &self.subject);
        if !Arc::ptr_eq(&snapshot, &latest) {
            // What is newer than the frame is shown with the next one, whether or not anything else happens.
            self.snapshots.mark_changed();
        }
        if let Subject::Incident(id, _) = &self.subject {
            self.shared.cache.ready(&self.subject, &snapshot).await;
            return self.of_incident(&snapshot, &id.clone());
        }
        let standing = match &self.subject {
            // A camera's page shows each look.
            Subject::Camera(id, _) => {
                let last = snapshot.cameras.get(id.as_str()).and_then(|status| status.last_probe);
                u64::try_from(last.map_or(0, |at| at.as_millisecond())).unwrap_or(0)
            }
            _ => self.shared.cache.standing(&snapshot),
        };
        let due = self.stood.is_none_or(|(last, at)| last != standing || at.elapsed() >= RENEW);
        if !due {
            return Some(pulse(&snapshot));
        }
        self.stood = Some((standing, Instant::now()));
        self.shared.cache.ready(&self.subject, &snapshot).await;
        self.change(&snapshot)
    }

    /// Whether the daemon does its work: told at first, when that changes, and again and again while it does not.
    fn health(&mut self) -> Option<Bytes> {
        let health = (self.shared.state.healthy)();
        let told = self.well.filter(|(_, at)| health.is_ok() || at.elapsed() < RENEW);
        if told.is_some_and(|(well, _)| well == health.is_ok()) {
            return None;
        }
        self.well = Some((health.is_ok(), Instant::now()));
        Some(match health {
            Ok(()) => sse::event("well", None, b"1"),
            Err(why) => sse::event("trouble", None, why.as_bytes()),
        })
    }

    /// What the page must be told to show a snapshot; `None` when there is no such page any more.
    fn change(&mut self, snapshot: &Arc<Snapshot>) -> Option<Bytes> {
        let shown = self.shown.take_if(|(_, whole)| whole.elapsed() < WHOLE);
        let told =
            self.shared.cache.event(snapshot, &self.subject, self.language, shown.as_ref().map(|(shown, _)| shown));
        let (event, shows) = match told {
            Ok(told) => told,
            Err(error) => {
                error.inspect(|error| tracing::error!(%error, "a page that listens cannot be rendered"));
                return None;
            }
        };
        self.shown = Some((shows, shown.map_or_else(Instant::now, |(_, whole)| whole)));
        Some(event.unwrap_or_else(|| pulse(snapshot)))
    }

    /// An incident's page is renewed only when the incident changed: somebody may be typing.
    fn of_incident(&mut self, snapshot: &Arc<Snapshot>, id: &str) -> Option<Bytes> {
        let Some(known) = snapshot.incident(id) else { return Some(pulse(snapshot)) };
        let mut hasher = DefaultHasher::new();
        (known.step, known.ack.is_some(), known.sites.len(), snapshot.course(known)).hash(&mut hasher);
        self.shared.cache.incidents().one(id).map_or(0, |told| told.timeline.lines.len()).hash(&mut hasher);
        for id in known.sites.keys() {
            snapshot.sites.get(id).map(|site| (site.level, site.recovering)).hash(&mut hasher);
        }
        let standing = hasher.finish();
        let before = self.stood.replace((standing, Instant::now()));
        let changed = before.is_some_and(|(last, _)| last != standing);
        changed.then(|| self.change(snapshot)).flatten().or_else(|| Some(pulse(snapshot)))
    }
}

fn pulse(snapshot: &Snapshot) -> Bytes {
    sse::event("pulse", None, snapshot.at.as_millisecond().to_string().as_bytes())
}
