//! Where reports are worked out: one at a time, kept for a while, and handed to all who ask as the same bytes.
//!
//! A report reads a month of the journal, which takes a second and many times the memory of what comes out. So it is
//! neither made twice nor twice at once, and only its forms are kept, all of them, in bounded memory.

use super::{Reporter, csv, households, navigation, page};
use crate::{
    model::{Fleet, Language, Snapshot},
    uptime::{Month, Report},
};
use axum::body::Bytes;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Mutex as Turn, Semaphore},
    time::Instant,
};

/// One that is worked out, and eight who wait for it or for the next.
const PLACES: usize = 1 + 8;
/// How long a month that still runs is shown as it was; its figures change with each look.
const RUNNING: Duration = Duration::from_secs(60);
/// The same for a month that is over. The journal still learns of it: an incident that began in it ends, is taken on,
/// or a state is noted with an earlier beginning. That is rare, and nobody looks for it by the minute.
const OVER: Duration = Duration::from_secs(600);
/// All forms that are kept together.
const MOST: usize = 32 * 1024 * 1024;

/// A report in all its forms; an error is for people.
pub(in crate::web) struct Forms {
    month: Month,
    /// Names and agreements are the fleet's: a reload outdates them.
    fleet: Arc<Fleet>,
    until: Instant,
    vietnamese: Form,
    english: Form,
    pub(in crate::web) csv: Form,
    pub(in crate::web) json: Form,
}

type Form = Result<Bytes, String>;

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
}

impl Desk {
    pub(in crate::web) fn new(reporter: Reporter) -> Self {
        let places = Arc::new(Semaphore::new(PLACES));
        Self { reporter, turn: Arc::default(), places, kept: Arc::default() }
    }

    /// The report of a month that has begun.
    pub(in crate::web) async fn of(&self, month: Month, snapshot: &Arc<Snapshot>) -> Result<Arc<Forms>, Unready> {
        if let Some(forms) = self.known(month, snapshot) {
            return Ok(forms);
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| Unready::Crowded)?;
        let turn = self.turn.clone().lock_owned().await;
        if let Some(forms) = self.known(month, snapshot) {
            return Ok(forms);
        }
        let (work, kept, snapshot) = ((self.reporter)(month), self.kept.clone(), snapshot.clone());
        // A task of its own: whoever goes away while it is worked out must not make room for another beside it.
        let made = tokio::spawn(async move {
            let _held = (place, turn);
            let report = work.await.map_err(Unready::Failed)?;
            let made = tokio::task::spawn_blocking(move || Forms::of(&report, month, &snapshot)).await;
            let forms = Arc::new(made.map_err(|_| broken())?);
            keep(&mut kept.lock().unwrap_or_else(PoisonError::into_inner), forms.clone());
            Ok(forms)
        });
        made.await.unwrap_or_else(|_| Err(broken()))
    }

    fn known(&self, month: Month, snapshot: &Snapshot) -> Option<Arc<Forms>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        kept.retain(|forms| now < forms.until && Arc::ptr_eq(&forms.fleet, &snapshot.fleet));
        kept.iter().find(|forms| forms.month == month).cloned()
    }
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
        size += forms.size();
        size <= MOST
    });
    let drop_first = kept.len() - fit.count();
    kept.drain(..drop_first);
}

impl Forms {
    fn of(report: &Report, month: Month, snapshot: &Snapshot) -> Self {
        let kept_for = if report.complete { OVER } else { RUNNING };
        let lent = households(&snapshot.fleet);
        let links = [("CSV", format!("/reports/{month}.csv")), ("JSON", format!("/api/v1/reports/{month}"))];
        let shown = |language| {
            let main = page::main(report, &lent, language, &links).map_err(|error| error.to_string())?;
            Ok(Bytes::from(navigation(snapshot, language, month) + &main))
        };
        Self {
            month,
            fleet: snapshot.fleet.clone(),
            until: Instant::now() + kept_for,
            vietnamese: shown(Language::Vi),
            english: shown(Language::En),
            csv: csv(report).map(Bytes::from).map_err(|error| error.to_string()),
            json: serde_json::to_vec(report).map(Bytes::from).map_err(|error| error.to_string()),
        }
    }

    /// The page's content.
    pub(in crate::web) fn page(&self, language: Language) -> &Form {
        match language {
            Language::Vi => &self.vietnamese,
            Language::En => &self.english,
        }
    }

    fn size(&self) -> usize {
        [&self.vietnamese, &self.english, &self.csv, &self.json].into_iter().flatten().map(Bytes::len).sum()
    }
}
