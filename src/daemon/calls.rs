//! What a call is about, answered for by the daemon: keys become wishes, and a call ends with its reason.

use super::shared::Shared;
use crate::{
    call::{Needless, Settled},
    deliver::Matter,
    model::{Cause, ChannelId, Incident, IncidentId, IncidentNotice, Snapshot},
    request::{Done, Refused, Request},
    rights::{By, Who},
    web,
};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// The incident that somebody is called about.
pub(super) struct Subject {
    incident: IncidentId,
    number: u32,
    step: u32,
    /// Who is called, as others know them.
    who: String,
    channel: ChannelId,
    requests: mpsc::Sender<web::Asked>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
}

impl Subject {
    pub(super) fn new(shared: &Shared, notice: &IncidentNotice, who: String, channel: ChannelId) -> Self {
        let (requests, snapshots) = (shared.requests.clone(), shared.snapshots.clone());
        let (incident, number, step) = (notice.incident.clone(), notice.number, notice.step);
        Self { incident, number, step, who, channel, requests, snapshots }
    }

    /// The number of the incident as it stands.
    fn called(&self) -> String {
        let snapshot = self.snapshots.borrow();
        current(&snapshot, &self.incident, self.step).map_or(self.number, |known| known.number).to_string()
    }

    async fn ask(&self, request: Request) -> Option<Result<Done, Refused>> {
        let (answer, answered) = oneshot::channel();
        let by = By { who: Who::Called(self.who.clone()), from: self.channel.to_string() };
        // waits: relay -> event_loop
        self.requests.send(web::Asked { request, by, answer }).await.ok()?;
        answered.await.ok()
    }

    fn settled(&self, outcome: Option<Result<Done, Refused>>, passes: bool) -> Settled {
        match outcome {
            Some(Ok(Done::TakenOnBefore { by, .. })) if passes || by != self.who => Settled::Before(by),
            // What is not durable yet is done all the same.
            Some(Ok(_) | Err(Refused::NotDurable)) => Settled::Done,
            Some(Err(Refused::NoNext(_))) => Settled::NoNext,
            Some(Err(Refused::Over(_) | Refused::Unknown(_))) => Settled::Over,
            Some(Err(_)) | None => Settled::Failed,
        }
    }
}

#[async_trait]
impl Matter for Subject {
    async fn take_on(&self) -> Settled {
        let (incident, by, via) = (self.called(), self.who.clone(), self.channel.to_string());
        self.settled(self.ask(Request::TakeOn { incident, by, via }).await, false)
    }

    async fn pass_on(&self) -> Settled {
        let (incident, by, via) = (self.number.to_string(), self.who.clone(), self.channel.to_string());
        self.settled(self.ask(Request::PassOn { incident, step: self.step, by, via }).await, true)
    }

    async fn needless(&self) -> Needless {
        let mut snapshots = self.snapshots.clone();
        loop {
            let why = current(&snapshots.borrow_and_update(), &self.incident, self.step).and_then(needless);
            if let Some(why) = why {
                return why;
            }
            if snapshots.changed().await.is_err() {
                // The daemon is stopping; whoever is on the line hears it to its end.
                std::future::pending::<()>().await;
            }
        }
    }

    fn newest(&self, notice: &IncidentNotice) -> IncidentNotice {
        let (mut newest, snapshot) = (notice.clone(), self.snapshots.borrow().clone());
        if let Some(incident) = current(&snapshot, &self.incident, self.step) {
            let course = snapshot.course(incident);
            newest.cause = incident.cause.clone();
            newest.place = snapshot.place(&incident.cause);
            newest.recovering = course.recovering();
            newest.level = match &incident.cause {
                Cause::Site(site) => snapshot.sites.get(site).map_or(newest.level, |status| status.level),
                _ => course.level(),
            };
        }
        newest
    }
}

/// An incident as it stands, or the one that it turned out to be part of. A snapshot that is older than the notice knows
/// nothing of why somebody is called.
fn current<'s>(snapshot: &'s Snapshot, id: &IncidentId, step: u32) -> Option<&'s Incident> {
    let known = snapshot.incident(id.as_str()).filter(|known| known.step >= step)?;
    let whole =
        || snapshot.incidents.iter().find(|other| other.merged.contains(&known.number) && other.closed.is_none());
    Some(known.closed.and_then(|_| whole()).unwrap_or(known))
}

/// Why nobody needs to be called about an incident any more, if so.
fn needless(incident: &Incident) -> Option<Needless> {
    match &incident.ack {
        _ if incident.closed.is_some() => Some(Needless::Ended),
        Some(ack) => Some(Needless::TakenOn(ack.by.clone())),
        None => None,
    }
}
