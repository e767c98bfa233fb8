//! Performs the plan: starts looks when they are due, and hands their observations on.

use super::{Order, Plan, Settings};
use crate::{
    clock::Clock,
    model::{CameraId, Check, Failure, FailureKind, Fleet, LoginRecord, Observation, Outlooks, later},
};
use futures_util::future::BoxFuture;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::{Id, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// Performs an order.
pub type ProbeFn = Arc<dyn Fn(Order) -> BoxFuture<'static, Observation> + Send + Sync>;

/// What the runner is told while it runs.
#[derive(Debug)]
pub enum Command {
    /// The configuration changed.
    Replan(Box<Settings>, Arc<Fleet>),
    /// These cameras should be looked at now.
    Ask(Vec<CameraId>),
}

/// What the runner hands on.
#[derive(Debug)]
pub enum Found {
    /// What a look at a camera found.
    Seen(CameraId, Box<Observation>),
    /// How a device's login fares: to be remembered before anything else is tried.
    Login(LoginRecord),
}

/// How the runner fares.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pulse {
    /// Looks under way.
    pub in_flight: usize,
    /// How late the most overdue look is.
    pub lag: Duration,
    /// What is planned.
    pub outlooks: Arc<Outlooks>,
}

/// How often what is planned is published.
const PULSE_EVERY: Duration = Duration::from_secs(2);

/// Runs until `stop`. A full `found` queue holds back new looks rather than losing old ones.
pub async fn run(
    mut plan: Plan,
    clock: Clock,
    probe: ProbeFn,
    found: mpsc::Sender<Found>,
    mut commands: mpsc::Receiver<Command>,
    pulse: watch::Sender<Pulse>,
    stop: CancellationToken,
) {
    let mut looks: JoinSet<Observation> = JoinSet::new();
    let mut orders: HashMap<Id, Order> = HashMap::new();
    let mut pulse_at = clock.now();
    loop {
        let now = clock.now();
        while let Some(order) = plan.take(now) {
            let look = looks.spawn(probe(order.clone()));
            orders.insert(look.id(), order);
        }
        if pulse_at <= now {
            let outlooks = Arc::new(plan.outlooks(now));
            // A large fleet's plan takes a while to tell.
            let share = u32::try_from(outlooks.cameras.len() / 2000).unwrap_or(u32::MAX);
            pulse_at = later(now, PULSE_EVERY.saturating_mul(share.saturating_add(1)));
            pulse.send_replace(Pulse { in_flight: looks.len(), lag: plan.lag(now), outlooks });
        }
        let wake = plan.wake_at(now).unwrap_or(jiff::Timestamp::MAX).min(pulse_at);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(command) = commands.recv() => match command {
                Command::Replan(settings, fleet) => plan.replan(*settings, &fleet, clock.now()),
                Command::Ask(cameras) => plan.hasten(&cameras, clock.now()),
            },
            Some(ended) = looks.join_next_with_id() => {
                let (id, observation) = match ended {
                    Ok((id, observation)) => (id, Some(observation)),
                    Err(error) => (error.id(), None),
                };
                let Some(order) = orders.remove(&id) else { continue };
                let observation = observation.unwrap_or_else(|| failed(order.check, clock.now()));
                let failure = observation.failure.as_ref().map(|failure| failure.kind);
                let login = plan.finished(clock.now(), &order, failure, observation.bytes);
                let seen = Found::Seen(order.camera.id.clone(), Box::new(observation));
                for news in login.map(Found::Login).into_iter().chain([seen]) {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        sent = found.send(news) => if sent.is_err() { return },
                    }
                }
            }
            () = clock.sleep_until(wake) => {}
        }
    }
}

/// A look that panicked is our own fault, and says nothing about the camera.
fn failed(check: Check, now: jiff::Timestamp) -> Observation {
    Observation {
        failure: Some(Failure::new(FailureKind::ProbeFailed, "the probe failed inside the monitor")),
        ..Observation::new(check, now)
    }
}
