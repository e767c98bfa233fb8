//! Server-sent events: the wall's content when it changes, and a pulse by which a page knows how old it is.

use super::{
    rendered::Subject,
    router::{Shared, Wish},
    server::Guest,
    sse,
};
use crate::model::{Language, Snapshot};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Query, State},
    http::header,
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
/// How often it is asked whether the daemon does its work, whether or not anything changes.
const CHECK: Duration = Duration::from_secs(2);
/// After so long without any event a comment is sent.
const SILENCE: Duration = Duration::from_secs(15);

impl Subject {
    fn of(wish: Wish) -> Self {
        match wish {
            Wish { incident: Some(id), .. } => Self::Incident(id),
            Wish { camera: Some(id), .. } => Self::Camera(id),
            Wish { site: Some(id), .. } => Self::Site(id),
            Wish { map: Some(_), .. } => Self::Map,
            _ => Self::Wall,
        }
    }
}

/// One page that listens.
struct Listener {
    shared: Shared,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    language: Language,
    subject: Subject,
    not_before: Instant,
    shown: Option<(u64, Instant)>,
    /// Whether the page was last told that the daemon does its work, and when.
    well: Option<(bool, Instant)>,
    said: Instant,
}

pub(super) async fn events(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    Query(wish): Query<Wish>,
) -> Response {
    if let Some(Extension(guest)) = guest {
        guest.listens();
    }
    let mut snapshots = shared.state.snapshots.clone();
    // The page was rendered a moment ago; what changed since is sent at once.
    snapshots.mark_changed();
    let language = wish.language(&snapshots.borrow());
    let (subject, not_before) = (Subject::of(wish), Instant::now());
    let listener =
        Listener { shared, snapshots, language, subject, not_before, shown: None, well: None, said: not_before };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

impl Listener {
    /// `None` ends the stream: the daemon stops, or what the page showed is gone.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            sleep_until(self.not_before).await;
            let changed = timeout(CHECK, self.snapshots.changed()).await;
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
        (self.not_before, self.said) = (Instant::now() + PAUSE, Instant::now());
        let snapshot = self.snapshots.borrow_and_update().clone();
        if let Subject::Incident(id) = &self.subject {
            return Some(self.of_incident(&snapshot, &id.clone()));
        }
        let standing = match &self.subject {
            // A camera's page shows each look.
            Subject::Camera(id) => {
                let last = snapshot.cameras.get(id.as_str()).and_then(|status| status.last_probe);
                u64::try_from(last.map_or(0, |at| at.as_millisecond())).unwrap_or(0)
            }
            _ => standing(&snapshot),
        };
        let due = self.shown.is_none_or(|(last, at)| last != standing || at.elapsed() >= RENEW);
        if !due {
            return Some(pulse(&snapshot));
        }
        self.shown = Some((standing, Instant::now()));
        self.wall(&snapshot)
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

    fn wall(&self, snapshot: &Arc<Snapshot>) -> Option<Bytes> {
        let event = self.shared.cache.event(snapshot, &self.subject, self.language);
        event.inspect_err(|error| tracing::error!(%error, "a page that listens cannot be rendered")).ok()?
    }

    /// An incident's page is renewed only when the incident changed: somebody may be typing.
    fn of_incident(&mut self, snapshot: &Arc<Snapshot>, id: &str) -> Bytes {
        let Some(known) = snapshot.incident(id) else { return pulse(snapshot) };
        let mut hasher = DefaultHasher::new();
        (known.step, known.ack.is_some(), known.sites.len(), snapshot.course(known)).hash(&mut hasher);
        for id in known.sites.keys() {
            snapshot.sites.get(id).map(|site| (site.level, site.recovering)).hash(&mut hasher);
        }
        let standing = hasher.finish();
        let before = self.shown.replace((standing, Instant::now()));
        let changed = before.is_some_and(|(last, _)| last != standing);
        changed.then(|| self.wall(snapshot)).flatten().unwrap_or_else(|| pulse(snapshot))
    }
}

fn pulse(snapshot: &Snapshot) -> Bytes {
    sse::event("pulse", None, snapshot.at.as_millisecond().to_string().as_bytes())
}

/// A fingerprint of all that must be shown without delay.
fn standing(snapshot: &Snapshot) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (id, camera) in &snapshot.cameras {
        (id, camera.state, camera.cause, camera.since).hash(&mut hasher);
    }
    for (id, site) in &snapshot.sites {
        (id, site.level, site.since, &site.incident, site.recovering).hash(&mut hasher);
    }
    Arc::as_ptr(&snapshot.fleet).hash(&mut hasher);
    hasher.finish()
}
