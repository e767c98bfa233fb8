//! What a snapshot gave once is not worked out again: pages and events are shared by all who ask, as bytes of
//! which there is one copy. So neither many readers nor a flood of requests cost more than a snapshot does. A large fleet
//! has a new snapshot with every few looks; its pages are made from one of the last half second.

use super::{
    camera, contract, incident,
    incidents::{self, Known, Search},
    link,
    list::{self, Filter, Index},
    map,
    past::Past,
    pieces::{Content, Outline},
    site, sse, wall,
};
use crate::{
    model::{Fleet, Language, Snapshot},
    rights::Bounds,
    uptime::{Of, Range},
};
use axum::body::Bytes;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// What is kept of one snapshot at most; what is beyond is rendered for each who asks.
const MOST: usize = 6 * 1024 * 1024;

/// Fleets of so many cameras share frames.
const LARGE: usize = 1000;
/// How old a frame may be.
const FRAME: Duration = Duration::from_millis(500);

/// The snapshot from which pages of a large fleet are made, and since when.
type Frame = Arc<Mutex<Option<(Arc<Snapshot>, Instant)>>>;

/// Whose page is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// The wall of the fleet, with its past.
    Wall(Range),
    /// The wall of an area, with its past.
    Area(String, Range),
    /// The map of the fleet, or of an area.
    Map(Option<String>),
    List(Filter),
    Site(String, Range),
    Camera(String, Range),
    Link(String, Range),
    /// Incidents that are open or past.
    Incidents(Search),
    /// What is open under the contract.
    Contract,
    /// Not as a signed link shows it, which is for one person; and whether people are named who were told.
    Incident(String, bool),
}

/// What pages show beside the snapshot.
struct AtHand<'a> {
    past: &'a Past,
    /// Whether it is of what somebody sees of the commune.
    part: bool,
    incidents: &'a Known,
}

impl Subject {
    /// The page's content; `None` when there is no such thing.
    fn render(
        &self,
        snapshot: &Snapshot,
        language: Language,
        at_hand: &AtHand<'_>,
        index: impl FnOnce() -> Arc<Index>,
    ) -> askama::Result<Option<String>> {
        let AtHand { past, part, incidents } = *at_hand;
        match self {
            Self::Wall(range) => wall::main(snapshot, None, language, (past, (!part).then_some(*range))),
            Self::Area(id, range) => wall::main(snapshot, Some(id), language, (past, (!part).then_some(*range))),
            Self::Map(area) => map::main(snapshot, area.as_deref(), language),
            Self::List(filter) => list::main(snapshot, &index(), filter, language).map(Some),
            Self::Site(id, range) => site::main(snapshot, id, language, (past, *range)),
            Self::Camera(id, range) => camera::main(snapshot, id, language, (past, *range)),
            Self::Link(id, range) => link::main(snapshot, id, language, (past, *range)),
            Self::Incidents(search) => {
                let sought = search.sought(&snapshot.fleet, &index(), snapshot.at, incidents::ROWS);
                let found = incidents.list(search);
                let clocks = incidents.clocks();
                incidents::list::main(snapshot, found.as_deref(), (search, &sought), (&clocks, part), language)
                    .map(Some)
            }
            Self::Contract => contract::main(snapshot, (&incidents.clocks(), part), language).map(Some),
            Self::Incident(id, named) => {
                let told = incidents.one(id);
                // One that is open, or ended lately, is shown as it is now.
                let known = snapshot.incident(id).map(|known| &**known);
                let Some(known) = known.or(told.as_ref().map(|told| &told.incident)) else { return Ok(None) };
                let names = named.then(|| incidents.names());
                let lines =
                    told.as_ref().map(|told| incidents::lines::lines(snapshot, &told.timeline, names, language));
                let clocks = incidents.clocks();
                let of_one = match clocks.of.contains_key(&known.id) {
                    true => clocks.of_seen(known, part),
                    false => told.as_ref().map_or(&[][..], |told| &told.clocks),
                };
                let contract = contract::part(snapshot, known, of_one, clocks.contractor.as_deref(), language);
                incident::main(snapshot, known, (lines, contract), language, incident::Signed::default()).map(Some)
            }
        }
    }
}

/// The last snapshot's renderings.
pub(super) struct Cache {
    past: Arc<Past>,
    incidents: Known,
    /// Whether it is of what somebody sees of the commune: the past of all its sites together is not theirs.
    part: bool,
    pages: Mutex<Pages>,
    frame: Frame,
}

#[derive(Default)]
struct Pages {
    /// The snapshot that they are of. It is not kept for them: all that has changed since would be held twice.
    of: Weak<Snapshot>,
    size: usize,
    kept: HashMap<(Subject, Language), Arc<Content>>,
    /// Events by what a page shows, where it shows anything.
    events: HashMap<(Subject, Language, Option<u64>), Bytes>,
    standing: Option<u64>,
    /// Of the inventory, so it outlives the snapshot.
    index: Option<Arc<Index>>,
}

impl Cache {
    pub(super) fn new(past: Arc<Past>, incidents: Known) -> Self {
        Self { past, incidents, part: false, pages: Mutex::default(), frame: Frame::default() }
    }

    /// One of what somebody sees of the commune. What is known of the past of each thing is shared.
    pub(super) fn of_a_part(&self, bounds: Bounds) -> Self {
        Self { part: true, ..Self::new(self.past.clone(), self.incidents.within(bounds)) }
    }

    fn at_hand(&self) -> AtHand<'_> {
        AtHand { past: &self.past, part: self.part, incidents: &self.incidents }
    }

    /// What is known of incidents, open and past.
    pub(super) fn incidents(&self) -> &Known {
        &self.incidents
    }

    /// What is known of the past.
    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// Has at hand what a page shows of the past.
    pub(super) async fn ready(&self, subject: &Subject, snapshot: &Snapshot) {
        match subject {
            Subject::Incidents(search) => {
                let sought =
                    || search.sought(&snapshot.fleet, &self.index(&snapshot.fleet), snapshot.at, incidents::ROWS);
                self.incidents.ready_list(search, sought).await;
            }
            Subject::Incident(id, _) => self.incidents.ready_one(id).await,
            subject => self.past.ready(subject.past()).await,
        }
    }

    /// The index of an inventory.
    pub(super) fn index(&self, fleet: &Arc<Fleet>) -> Arc<Index> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        Index::kept(&mut pages.index, fleet)
    }

    /// The snapshot that a page is made from: the one at hand, or for a large fleet one that is a little older, so that
    /// many who ask share it. Incidents are always shown as they are: somebody has just taken one on.
    pub(super) fn frame(&self, latest: &Arc<Snapshot>, subject: &Subject) -> Arc<Snapshot> {
        if latest.fleet.cameras.len() < LARGE || matches!(subject, Subject::Incident(..)) {
            return latest.clone();
        }
        let mut frame = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        match &*frame {
            Some((frame, since)) if since.elapsed() < FRAME && Arc::ptr_eq(&frame.fleet, &latest.fleet) => {
                frame.clone()
            }
            _ => {
                let since = Instant::now();
                *frame = Some((latest.clone(), since));
                tokio::spawn(let_go(self.frame.clone(), since));
                latest.clone()
            }
        }
    }

    /// A page's content; `None` when there is no such thing.
    pub(super) fn main(
        &self,
        snapshot: &Arc<Snapshot>,
        subject: &Subject,
        language: Language,
    ) -> askama::Result<Option<Bytes>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(pages.content(snapshot, subject, language, &self.at_hand())?.map(|content| content.html.clone()))
    }

    /// What a page must be told that shows `shown`, or nothing yet: the whole, what has changed, or `None` where nothing
    /// has; and what it shows then. `Err(None)` when there is no such thing any more.
    pub(super) fn event(
        &self,
        snapshot: &Arc<Snapshot>,
        subject: &Subject,
        language: Language,
        shown: Option<&Shown>,
    ) -> Result<(Option<Bytes>, Shown), Option<askama::Error>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let content = pages.content(snapshot, subject, language, &self.at_hand()).map_err(Some)?.ok_or(None)?;
        let key = (subject.clone(), language, shown.map(|shown| shown.fingerprint));
        let now = Shown::of(&content);
        if let Some(event) = pages.events.get(&key).filter(|_| !subject.is_read()) {
            return Ok((Some(event.clone()), now));
        }
        let id = snapshot.at.as_millisecond().to_string();
        let event = match shown.and_then(|shown| content.since(&shown.outline)) {
            Some(patch) if patch.is_empty() => return Ok((None, now)),
            Some(patch) => sse::event("patch", Some(&id), &patch),
            None => sse::event("wall", Some(&id), &content.html),
        };
        if !subject.is_read() && pages.has_room(event.len()) {
            pages.events.insert(key, event.clone());
        }
        Ok((Some(event), now))
    }

    /// A fingerprint of all that must be shown without delay.
    pub(super) fn standing(&self, snapshot: &Arc<Snapshot>) -> u64 {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.turn_to(snapshot);
        *pages.standing.get_or_insert_with(|| standing(snapshot))
    }
}

/// Lets go of a frame whose time is over: if nobody asked for long, all that has changed since would be held twice.
async fn let_go(frame: Frame, since: Instant) {
    sleep(FRAME).await;
    let mut frame = frame.lock().unwrap_or_else(PoisonError::into_inner);
    if frame.as_ref().is_some_and(|(_, of)| *of == since) {
        *frame = None;
    }
}

/// What a page that listens was last sent.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    outline: Outline,
    fingerprint: u64,
}

impl Shown {
    fn of(content: &Content) -> Self {
        Self { outline: content.outline().clone(), fingerprint: content.outline().fingerprint() }
    }
}

impl Pages {
    fn turn_to(&mut self, snapshot: &Arc<Snapshot>) {
        if !std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(snapshot)) {
            *self = Self { of: Arc::downgrade(snapshot), index: self.index.take(), ..Self::default() };
        }
    }

    fn content(
        &mut self,
        snapshot: &Arc<Snapshot>,
        subject: &Subject,
        language: Language,
        at_hand: &AtHand<'_>,
    ) -> askama::Result<Option<Arc<Content>>> {
        self.turn_to(snapshot);
        let key = (subject.clone(), language);
        if let Some(content) = self.kept.get(&key).filter(|_| !subject.is_read()) {
            return Ok(Some(content.clone()));
        }
        let index = || Index::kept(&mut self.index, &snapshot.fleet);
        let Some(main) = subject.render(snapshot, language, at_hand, index)? else { return Ok(None) };
        let content = Arc::new(Content::of(&main));
        if !subject.is_read() && self.has_room(content.size() + subject.size()) {
            self.kept.insert(key, content.clone());
        }
        Ok(Some(content))
    }

    /// Whether so much may be kept as well; if so it is counted.
    fn has_room(&mut self, size: usize) -> bool {
        let fits = self.size + size <= MOST;
        self.size += if fits { size } else { 0 };
        fits
    }
}

impl Subject {
    /// Bytes that its name takes: an incident's number can be written in many ways, and long ones.
    fn size(&self) -> usize {
        match self {
            Self::Wall(_) | Self::Contract => 0,
            Self::Map(id) => id.as_ref().map_or(0, String::len),
            Self::List(filter) => filter.query().len(),
            Self::Incidents(search) => search.query().len(),
            Self::Incident(id, _) => id.len(),
            Self::Area(id, _) | Self::Site(id, _) | Self::Camera(id, _) | Self::Link(id, _) => id.len(),
        }
    }

    /// Whether its page shows what is read of the journal while the snapshot stays the same.
    fn is_read(&self) -> bool {
        matches!(self, Self::Incidents(_) | Self::Incident(..) | Self::Contract)
    }

    /// What its page shows of the past, where that is read for it.
    fn past(&self) -> Option<(Of, Range)> {
        match self {
            Self::Site(id, range) => Some((Of::Site(id.as_str().into()), *range)),
            Self::Camera(id, range) => Some((Of::Camera(id.as_str().into()), *range)),
            Self::Link(id, range) => Some((Of::Link(id.as_str().into()), *range)),
            _ => None,
        }
    }
}

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
