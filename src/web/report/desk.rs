//! Where reports are worked out: one at a time, kept for a while, and handed to all who ask.
//!
//! A report reads a month of the journal, which takes a second and many times the memory of what comes out. So it is
//! neither made twice nor twice at once, and only what comes out is kept, in bounded memory. Its pages are made when they
//! are asked for, since each is a small part of it; whole tables are written one at a time, and who asks for one that
//! somebody else is still taking gets the same bytes.

use super::{
    Reporter, csv,
    detail::{self, Detail},
    navigation,
    page::{self, View},
    terms_csv,
};
use crate::{
    model::{Fleet, Kind, Language, Snapshot},
    rights::Bounds,
    uptime::{Line, Month, Report, TermLine},
};
use axum::body::Bytes;
use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::{Mutex as Turn, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, watch},
    task::JoinHandle,
    time::Instant,
};

/// One that is worked out, and eight who wait for it or for the next.
const PLACES: usize = 1 + 8;
/// How long a month that still runs is shown as it was; its figures change with each look.
const RUNNING: Duration = Duration::from_secs(60);
/// The same for a month that is over. The journal still learns of it: an incident that began in it ends, is taken on,
/// or a state is noted with an earlier beginning. That is rare, and nobody looks for it by the minute.
const OVER: Duration = Duration::from_secs(600);
/// Fleets of so many cameras have their reports at hand; of smaller ones they are made in an instant.
const LARGE: usize = 1000;
/// How much older a report may be that is shown while the next is made.
const LATE: Duration = Duration::from_secs(600);
/// All reports that are kept together; the latest is kept whatever it takes, since its pages are made from it.
const MOST: usize = 32 * 1024 * 1024;
/// Tables up to this size are kept as they were written.
const SMALL: usize = 2 * 1024 * 1024;

/// A report with its pages and other forms; an error is for people.
pub(in crate::web) struct Forms {
    month: Month,
    /// Names and agreements are the fleet's: a reload outdates them. A fleet that is over is not kept for its reports.
    fleet: Weak<Fleet>,
    /// Whether that fleet is a large one.
    large: bool,
    until: Instant,
    report: Report,
    /// About how many bytes the report takes.
    size: usize,
    /// One in each language.
    pages: [Form; Language::ALL.len()],
    csv: Mutex<Written>,
    json: Mutex<Written>,
}

type Form = Result<Bytes, String>;

/// A whole table that was written: kept if it is small, else known while somebody still takes it.
#[derive(Default)]
struct Written {
    kept: Option<Arc<[u8]>>,
    taken: Option<Weak<[u8]>>,
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) enum Unready {
    /// Too many wait.
    Crowded,
    /// It cannot be made, for this reason.
    Failed(String),
}

/// The desk.
pub(in crate::web) struct Desk {
    reporter: Reporter,
    turn: Arc<Turn<()>>,
    places: Arc<Semaphore>,
    /// The latest last.
    kept: Arc<Mutex<Vec<Arc<Forms>>>>,
    /// The areas that it is of, where it is not of the whole commune.
    bounds: Option<Bounds>,
}

impl Desk {
    pub(in crate::web) fn new(reporter: Reporter) -> Self {
        let places = Arc::new(Semaphore::new(PLACES));
        Self { reporter, turn: Arc::default(), places, kept: Arc::default(), bounds: None }
    }

    /// One of what lies in some areas: its reports are worked out in turn with those of this one.
    pub(in crate::web) fn within(&self, bounds: Bounds) -> Self {
        let (reporter, turn, places) = (self.reporter.clone(), self.turn.clone(), self.places.clone());
        Self { reporter, turn, places, kept: Arc::default(), bounds: Some(bounds) }
    }

    /// The report of a month that has begun. Of a large fleet it takes a second: one that is somewhat old is shown as it
    /// is, with the time that it is of, and made anew for whoever asks next.
    pub(in crate::web) async fn of(&self, month: Month, snapshot: &Arc<Snapshot>) -> Result<Arc<Forms>, Unready> {
        match self.known(month, snapshot) {
            Some(forms) if forms.is_fresh() => return Ok(forms),
            Some(forms) if forms.large => {
                if let (Ok(place), Ok(turn)) =
                    (self.places.clone().try_acquire_owned(), self.turn.clone().try_lock_owned())
                {
                    drop(self.make(month, snapshot, (place, turn)));
                }
                return Ok(forms);
            }
            _ => {}
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| Unready::Crowded)?;
        let turn = self.turn.clone().lock_owned().await;
        if let Some(forms) = self.known(month, snapshot).filter(|forms| forms.is_fresh()) {
            return Ok(forms);
        }
        self.make(month, snapshot, (place, turn)).await.unwrap_or_else(|_| Err(broken()))
    }

    /// Has the month that runs at hand before anybody asks for it, of a large fleet. Runs for ever.
    pub(in crate::web) async fn keep_at_hand(&self, snapshots: watch::Receiver<Arc<Snapshot>>) {
        loop {
            let snapshot = snapshots.borrow().clone();
            let month = Month::of(snapshot.at, &snapshot.fleet.commune.timezone);
            if is_large(&snapshot.fleet)
                && let Err(Unready::Failed(why)) = self.of(month, &snapshot).await
            {
                tracing::debug!(why, "the month's report cannot be made before somebody asks for it");
            }
            tokio::time::sleep(LATE / 2).await;
        }
    }

    /// Makes one in a task of its own: whoever goes away while it is worked out must not make room for another beside it.
    fn make(
        &self,
        month: Month,
        snapshot: &Arc<Snapshot>,
        held: (OwnedSemaphorePermit, OwnedMutexGuard<()>),
    ) -> JoinHandle<Result<Arc<Forms>, Unready>> {
        let work = (self.reporter)(month, self.bounds.clone());
        let (kept, snapshot) = (self.kept.clone(), snapshot.clone());
        tokio::spawn(async move {
            let _held = held;
            let report = work.await.map_err(Unready::Failed)?;
            let made = tokio::task::spawn_blocking(move || Forms::of(report, month, &snapshot)).await;
            let forms = Arc::new(made.map_err(|_| broken())?);
            keep(&mut kept.lock().unwrap_or_else(PoisonError::into_inner), forms.clone());
            Ok(forms)
        })
    }

    fn known(&self, month: Month, snapshot: &Snapshot) -> Option<Arc<Forms>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        kept.retain(|forms| now < forms.until + LATE && forms.is_of(&snapshot.fleet));
        kept.iter().find(|forms| forms.month == month).cloned()
    }
}

fn is_large(fleet: &Fleet) -> bool {
    fleet.cameras.len() >= LARGE
}

fn broken() -> Unready {
    Unready::Failed("working it out failed inside camhealth; the log tells more".to_owned())
}

/// Keeps the latest, and of the others as many as there is room for.
fn keep(kept: &mut Vec<Arc<Forms>>, forms: Arc<Forms>) {
    kept.retain(|known| known.month != forms.month);
    kept.push(forms);
    let mut size = 0;
    let fit = kept.iter().rev().take_while(|forms| {
        size += forms.size;
        size <= MOST
    });
    let drop_first = (kept.len() - fit.count()).min(kept.len() - 1);
    kept.drain(..drop_first);
}

impl Forms {
    fn is_of(&self, fleet: &Arc<Fleet>) -> bool {
        std::ptr::eq(self.fleet.as_ptr(), Arc::as_ptr(fleet))
    }

    fn is_fresh(&self) -> bool {
        Instant::now() < self.until
    }

    fn of(report: Report, month: Month, snapshot: &Snapshot) -> Self {
        let kept_for = if report.complete { OVER } else { RUNNING };
        let (fleet, size) = (&snapshot.fleet, weight(&report));
        let home = format!("/reports/{month}");
        let shown = |language: Language| {
            let json = ("JSON", format!("/api/v1/reports/{month}"));
            let name = language.pick("CSV hợp đồng", "CSV of the contract");
            let terms = report.contract.is_some().then(|| (name, format!("{home}.terms.csv")));
            let links: Vec<_> = [("CSV", format!("{home}.csv")), json].into_iter().chain(terms).collect();
            let view = View { report: &report, language, lent: &|id| is_lent(fleet, id), home: Some(&home) };
            let main = match report.is_known() {
                true => page::main(view, &links),
                false => page::unknown(view),
            };
            let main = main.map_err(|error| error.to_string())?;
            Ok(Bytes::from(navigation(snapshot, language, (month, report.known_since)) + &main))
        };
        let pages = Language::ALL.map(shown);
        let length: usize = pages.iter().flatten().map(Bytes::len).sum();
        Self {
            month,
            until: Instant::now() + kept_for,
            size: size + length + 2 * SMALL.min(size),
            pages,
            csv: Mutex::default(),
            json: Mutex::default(),
            fleet: Arc::downgrade(fleet),
            large: is_large(fleet),
            report,
        }
    }

    /// The page's content.
    pub(in crate::web) fn page(&self, language: Language) -> &Form {
        &self.pages[language as usize]
    }

    /// The content of a page of detail.
    pub(super) fn detail(&self, detail: &Detail, search: &str, page: usize, language: Language) -> Form {
        let home = format!("/reports/{}", self.month);
        let fleet = self.fleet.upgrade();
        // Of a fleet that ended this moment nobody's camera is named.
        let lent = |id: &str| fleet.as_ref().is_none_or(|fleet| is_lent(fleet, id));
        let view = View { report: &self.report, language, lent: &lent, home: Some(&home) };
        detail::main(view, detail, search, page).map(Bytes::from).map_err(|error| error.to_string())
    }

    /// The report as one table.
    pub(in crate::web) async fn csv(self: Arc<Self>) -> Form {
        let written = move || self.written(&self.csv, |report| csv(report).map_err(|error| error.to_string()));
        tokio::task::spawn_blocking(written).await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// The contract's terms as one table.
    pub(in crate::web) fn terms(&self) -> Form {
        terms_csv(&self.report).map(Bytes::from).map_err(|error| error.to_string())
    }

    /// The report as JSON.
    pub(in crate::web) async fn json(self: Arc<Self>) -> Form {
        let json = |report: &Report| serde_json::to_string(report).map_err(|error| error.to_string());
        let written = move || self.written(&self.json, json);
        tokio::task::spawn_blocking(written).await.unwrap_or_else(|error| Err(error.to_string()))
    }

    fn written(&self, form: &Mutex<Written>, write: impl FnOnce(&Report) -> Result<String, String>) -> Form {
        let mut written = form.lock().unwrap_or_else(PoisonError::into_inner);
        let known = written.kept.clone().or_else(|| written.taken.as_ref()?.upgrade());
        let bytes: Arc<[u8]> = match known {
            Some(bytes) => bytes,
            None => write(&self.report)?.into_bytes().into(),
        };
        if bytes.len() <= SMALL {
            written.kept = Some(bytes.clone());
        } else {
            written.taken = Some(Arc::downgrade(&bytes));
        }
        Ok(Bytes::from_owner(bytes))
    }
}

fn is_lent(fleet: &Fleet, id: &str) -> bool {
    fleet.cameras.get(id).is_some_and(|camera| camera.kind == Kind::Household)
}

/// About how many bytes a report takes: nearly all of it are its lines.
fn weight(report: &Report) -> usize {
    let of = |line: &Line| {
        size_of::<Line>() + line.id.capacity() + line.name.capacity() + line.days.capacity() * size_of::<Option<f64>>()
    };
    let lines = [
        &report.sites,
        &report.cameras,
        &report.links,
        &report.cameras_by_link,
        &report.cameras_by_area,
        &report.makes,
    ];
    lines.into_iter().flatten().map(of).sum::<usize>()
        + report.incidents.len() * 200
        + report.contract.as_ref().map_or(0, |terms| terms.lines.len() * size_of::<TermLine>() * 2)
}
