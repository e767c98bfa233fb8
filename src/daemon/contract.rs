//! Keeps the contract's clock: works out from the journal how incidents stand under their terms, for pages and metrics, and
//! tells the event loop which of them an incident outlasted.

use super::{shared::Shared, supervise::Outcome};
use crate::{
    model::{Duty, Fleet, Incident, Overdue, elapsed, later},
    monitor::Event,
    uptime::{self, Clock, Clocks, IncidentClocks, Stand},
};
use jiff::{SignedDuration, Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, sleep},
};

/// How often it is worked out, whatever happens, and how long after something happened to incidents.
const EVERY: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(2);
/// Seconds are counted whole: a term is outlasted by the one after its last.
const MARGIN: Duration = Duration::from_millis(1500);
/// The journal is read from so long before an incident on: that a run is alive is noted once a minute.
const BEFORE: SignedDuration = SignedDuration::from_mins(3);
/// An incident that ended so long ago is not reckoned again.
const SETTLED: Duration = Duration::from_secs(120);
/// Of more cameras the journal is read as a whole: a question each would take longer.
const MANY: usize = 2000;
/// The time that it took is waited for as well, so many times over: an incident that keeps a province down reads much.
const SHARE: u32 = 20;

/// Runs until the daemon stops.
pub(super) async fn run(shared: Shared, clocks: watch::Sender<Arc<Clocks>>) -> Outcome {
    let (mut snapshots, mut configs) = (shared.snapshots.clone(), shared.configs.clone());
    loop {
        let began = Instant::now();
        let (incidents, config) =
            (snapshots.borrow_and_update().incidents.clone(), configs.borrow_and_update().clone());
        // A journal that cannot be read leaves what was known.
        let before = clocks.borrow().clone();
        if let Some(now) = reckon(&shared, &incidents, &before).await {
            // Without a contract nothing is reckoned anew: what was noted stays.
            let known = now.contractor.as_ref().map(|_| incidents.iter()).into_iter().flatten();
            let told = known.filter_map(|incident| news(incident, &now));
            for event in told.collect::<Vec<_>>() {
                // waits: contract -> event_loop
                let _ = shared.news.send(event).await;
            }
            shared.own.set_deadlines(counts(&now, &incidents));
            clocks.send_replace(Arc::new(now));
        }
        // What is used up in a moment is noticed when it is.
        let due = soonest(&clocks.borrow(), shared.clock.now()).map_or(EVERY, |left| EVERY.min(left + MARGIN));
        let rest = began.elapsed() * SHARE;
        let happens = async {
            let others = snapshots.wait_for(|now| !Arc::ptr_eq(&now.incidents, &incidents));
            tokio::select! {
                changed = others => drop(changed.map(drop)),
                changed = configs.wait_for(|now| now.uptime != config.uptime) => drop(changed.map(drop)),
            }
            // What was decided this moment has no second yet that could be counted, and may not be written yet.
            sleep(SOON.max(rest)).await;
        };
        tokio::select! {
            () = shared.stop.cancelled() => return Ok(()),
            () = happens => {}
            () = sleep(due.max(rest)) => {}
        }
    }
}

/// The clocks of incidents that are open, or ended lately; `None` where the journal cannot be read. One at a time, since an
/// incident may keep a province down; what ended is not read again.
async fn reckon(shared: &Shared, incidents: &[Arc<Incident>], before: &Clocks) -> Option<Clocks> {
    let (config, now) = (shared.configs.borrow().clone(), shared.clock.now());
    let Some(contract) = &config.uptime.contract else { return Some(Clocks { at: now, ..Clocks::default() }) };
    let mut clocks = Clocks { at: now, contractor: Some(contract.contractor.clone()), ..Clocks::default() };
    for incident in incidents.iter().filter(|incident| contract.terms_of(incident).next().is_some()) {
        // What is learned of its last seconds is written by then.
        let over = incident.closed.is_some_and(|at| later(at, SETTLED) < before.at);
        let known = before.of.get(&incident.id).filter(|_| over && before.contractor == clocks.contractor);
        let reckoned = match known {
            Some(known) => known.clone(),
            None => match of(shared, incident.clone(), now).await {
                Ok(clocks) => IncidentClocks { sites: incident.sites.len(), clocks },
                Err(error) => {
                    tracing::debug!(error, "the contract's clock cannot be read");
                    return None;
                }
            },
        };
        clocks.of.insert(incident.id.clone(), reckoned);
    }
    Some(clocks)
}

/// The clocks of an incident, read now; an error is for people.
async fn of(shared: &Shared, incident: Arc<Incident>, now: Timestamp) -> Result<Vec<Clock>, String> {
    let (settings, fleet): (_, Arc<Fleet>) = {
        let config = shared.configs.borrow();
        (config.uptime.clone(), config.fleet.clone())
    };
    let since = incident.opened.checked_sub(BEFORE).unwrap_or(incident.opened);
    let until = later(now, Duration::from_secs(1));
    let bearing = uptime::bearing(&fleet, &incident);
    let history = match bearing.cameras.len() > MANY {
        true => shared.journal.history(since, until).await,
        false => shared.journal.history_of(bearing, since, until).await,
    };
    let history = history.map_err(|error| error.to_string())?;
    let work = move || uptime::clocks(&fleet, &history, &settings, &incident, now);
    spawn_blocking(work).await.map_err(|_| "working it out failed inside camhealth".to_owned())
}

/// The clocks of one incident that ended long ago; nothing where that keeps down more than a page can wait for.
pub(super) async fn of_past(shared: &Shared, incident: Incident) -> Vec<Clock> {
    let terms = shared.configs.borrow().uptime.contract.as_ref().map_or(0, |known| known.terms_of(&incident).count());
    if terms == 0 || incident.sites.len() > MANY / 4 {
        return Vec::new();
    }
    let now = incident.closed.unwrap_or_else(|| shared.clock.now());
    let clocks = of(shared, Arc::new(incident), now).await;
    clocks.inspect_err(|error| tracing::debug!(error, "the contract's clock cannot be read")).unwrap_or_default()
}

/// What the loop is told where it does not know it yet.
fn news(incident: &Incident, now: &Clocks) -> Option<Event> {
    let clocks = now.of.get(&incident.id).map(|known| known.clocks.as_slice()).unwrap_or_default();
    let mut overdue: Vec<Overdue> = clocks.iter().flat_map(Clock::overdue).collect();
    overdue.sort_by_key(|one| (one.at, one.duty));
    (overdue != incident.overdue).then(|| Event::Overdue(incident.id.clone(), overdue))
}

/// How long it takes until the next term is used up, if nothing is done about it.
fn soonest(clocks: &Clocks, now: Timestamp) -> Option<Duration> {
    let all = clocks.of.values().flat_map(|known| &known.clocks).flat_map(Clock::deadlines);
    let running = all.filter(|(_, deadline)| deadline.stands == Stand::Running);
    running.filter_map(|(_, deadline)| deadline.at).min().map(|at| elapsed(at, now))
}

/// Deadlines of open incidents, by what is to be done and how they stand.
fn counts(now: &Clocks, incidents: &[Arc<Incident>]) -> Vec<(&'static str, &'static str, usize)> {
    if now.contractor.is_none() {
        return Vec::new();
    }
    let open = incidents.iter().filter(|incident| incident.closed.is_none());
    let clocks = open.filter_map(|incident| now.of.get(&incident.id)).flat_map(|known| &known.clocks);
    let deadlines: Vec<(Duty, Stand)> =
        clocks.flat_map(|clock| clock.deadlines().map(|(duty, deadline)| (duty, deadline.stands))).collect();
    let all = Duty::ALL
        .into_iter()
        .flat_map(|duty| [Stand::Running, Stand::Paused, Stand::Kept, Stand::Missed].map(|stands| (duty, stands)));
    all.map(|(duty, stands)| {
        let count = deadlines.iter().filter(|deadline| **deadline == (duty, stands)).count();
        (duty.as_str(), stands.as_str(), count)
    })
    .collect()
}
