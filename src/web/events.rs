//! Server-sent events: the wall's content when it changes, and a pulse by which a page knows how old it is.

use super::{
    camera, incident, map,
    router::{Shared, Wish},
    site,
};
use crate::model::{Language, Snapshot};
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream;
use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until},
};

/// Between two events to one page.
const PAUSE: Duration = Duration::from_secs(1);
/// Figures such as frame rates are renewed this often while no state changes.
const RENEW: Duration = Duration::from_secs(10);

/// Whose page listens.
enum Subject {
    Wall,
    Map,
    Site(String),
    Camera(String),
    Incident(String),
}

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
    _place: OwnedSemaphorePermit,
}

pub(super) async fn events(State(shared): State<Shared>, Query(wish): Query<Wish>) -> Response {
    let Ok(place) = shared.listeners.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages listen\n").into_response();
    };
    let mut snapshots = shared.state.snapshots.clone();
    // The page was rendered a moment ago; what changed since is sent at once.
    snapshots.mark_changed();
    let language = wish.language(&snapshots.borrow());
    let (subject, not_before) = (Subject::of(wish), Instant::now());
    let listener = Listener { shared, snapshots, language, subject, not_before, shown: None, _place: place };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        sleep_until(self.not_before).await;
        self.snapshots.changed().await.ok()?;
        self.not_before = Instant::now() + PAUSE;
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
        let main = match &self.subject {
            Subject::Camera(id) => camera::main(&snapshot, id, self.language).ok()??.into(),
            Subject::Site(id) => site::main(&snapshot, id, self.language).ok()??.into(),
            Subject::Map => map::main(&snapshot, self.language).ok()?.into(),
            Subject::Wall | Subject::Incident(_) => self.shared.cache.main(&snapshot, self.language),
        };
        Some(Event::default().event("wall").id(snapshot.at.as_millisecond().to_string()).data(&*main))
    }
}

impl Listener {
    /// An incident's page is renewed only when the incident changed: somebody may be typing.
    fn of_incident(&mut self, snapshot: &Snapshot, id: &str) -> Event {
        let Some(known) = snapshot.incident(id) else { return pulse(snapshot) };
        let mut hasher = DefaultHasher::new();
        (known.step, known.ack.is_some(), known.sites.len(), snapshot.course(known)).hash(&mut hasher);
        for id in known.sites.keys() {
            snapshot.sites.get(id).map(|site| (site.level, site.recovering)).hash(&mut hasher);
        }
        let standing = hasher.finish();
        let before = self.shown.replace((standing, Instant::now()));
        match incident::main(snapshot, known, self.language, incident::Signed::default()) {
            Ok(main) if before.is_some_and(|(last, _)| last != standing) => {
                Event::default().event("wall").id(snapshot.at.as_millisecond().to_string()).data(main)
            }
            _ => pulse(snapshot),
        }
    }
}

fn pulse(snapshot: &Snapshot) -> Event {
    Event::default().event("pulse").data(snapshot.at.as_millisecond().to_string())
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
