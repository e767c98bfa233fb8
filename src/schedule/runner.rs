//! Performs the plan: starts looks when they are due, and hands their observations on.

use super::{Order, Plan, Settings};
use crate::{
    clock::Clock,
    model::{CameraId, Check, Failure, FailureKind, Fleet, LoginRecord, Observation, Outlooks, later, told},
};
use futures_util::{StreamExt, future::BoxFuture, stream::BoxStream};
use jiff::Timestamp;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::{Id, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// Performs an order.
pub type ProbeFn = Arc<dyn Fn(Order) -> BoxFuture<'static, Observation> + Send + Sync>;

/// What is to be looked at, and how.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Cadence and limits.
    pub settings: Settings,
    /// The cameras.
    pub fleet: Arc<Fleet>,
}

/// What the runner is told while it runs.
pub struct Inputs {
    /// Each new configuration; of several changes the newest is enough, so that whoever tells waits for nothing.
    pub assignments: BoxStream<'static, Assignment>,
    /// Cameras that should be looked at now.
    pub asks: mpsc::Receiver<Vec<CameraId>>,
}

/// Where the runner tells what it does.
pub struct Outputs {
    /// What it finds.
    pub found: mpsc::Sender<Found>,
    /// How it fares.
    pub pulse: watch::Sender<Pulse>,
    /// Called each time that it gets on.
    pub turn: Arc<dyn Fn() + Send + Sync>,
    /// Called with how much later each look begins than it might have.
    pub began: Arc<dyn Fn(Duration) + Send + Sync>,
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
    /// When all this was so.
    pub at: Timestamp,
    /// What is planned.
    pub outlooks: Arc<Outlooks>,
}

/// How often it is told how the runner fares, and what is planned.
const PULSE_EVERY: Duration = Duration::from_secs(2);

/// Runs until `stop`. A full `found` queue holds back new looks rather than
/// losing old ones; nothing else is waited for.
pub async fn run(
    mut plan: Plan,
    clock: Clock,
    probe: ProbeFn,
    mut inputs: Inputs,
    outputs: Outputs,
    stop: CancellationToken,
) {
    let Outputs { found, pulse, turn, began } = outputs;
    let mut looks: JoinSet<Observation> = JoinSet::new();
    let mut orders: HashMap<Id, Order> = HashMap::new();
    let mut pulse_at = clock.now();
    loop {
        turn();
        let now = clock.now();
        while let Some(order) = plan.take(now) {
            began(order.delay);
            let look = looks.spawn(probe(order.clone()));
            orders.insert(look.id(), order);
        }
        if pulse_at <= now {
            pulse_at = later(now, PULSE_EVERY);
            let outlooks = Arc::new(plan.outlooks(now));
            pulse.send_replace(Pulse { in_flight: looks.len(), lag: plan.lag(now), at: now, outlooks });
        }
        let wake = plan.wake_at(now).unwrap_or(Timestamp::MAX).min(pulse_at);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(Assignment { settings, fleet }) = inputs.assignments.next() => {
                plan.replan(settings, &fleet, clock.now());
            }
            Some(cameras) = inputs.asks.recv() => plan.hasten(&cameras, clock.now()),
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
                        // waits: schedule -> event_loop
                        sent = found.send(news) => if sent.is_err() { return },
                    }
                }
            }
            () = clock.sleep_until(wake) => {}
        }
    }
}

/// A look that panicked is our own fault, and says nothing about the camera.
fn failed(check: Check, now: Timestamp) -> Observation {
    Observation {
        failure: Some(Failure::new(FailureKind::ProbeFailed, told!(FailedInside))),
        ..Observation::new(check, now)
    }
}
