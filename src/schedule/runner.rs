//! Performs the plan: starts looks when they are due, and hands their observations on.

use super::{Plan, Settings};
use crate::{
    clock::Clock,
    model::{Camera, CameraId, Check, Failure, FailureKind, Fleet, Observation},
};
use futures_util::future::BoxFuture;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::{Id, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// Looks at a camera once, to a depth.
pub type ProbeFn = Arc<dyn Fn(Arc<Camera>, Check) -> BoxFuture<'static, Observation> + Send + Sync>;

/// What the runner is told while it runs.
#[derive(Debug)]
pub enum Command {
    /// The configuration changed.
    Replan(Settings, Arc<Fleet>),
}

/// How the runner fares.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pulse {
    /// Looks under way.
    pub in_flight: usize,
    /// How late the most overdue look is.
    pub lag: Duration,
}

/// Runs until `stop`. A full `observations` queue holds back new looks rather than losing old ones.
pub async fn run(
    mut plan: Plan,
    clock: Clock,
    probe: ProbeFn,
    observations: mpsc::Sender<(CameraId, Observation)>,
    mut commands: mpsc::Receiver<Command>,
    pulse: watch::Sender<Pulse>,
    stop: CancellationToken,
) {
    let mut looks: JoinSet<Observation> = JoinSet::new();
    let mut cameras: HashMap<Id, (Arc<Camera>, Check)> = HashMap::new();
    loop {
        let now = clock.now();
        while let Some((camera, check)) = plan.take(now) {
            let look = looks.spawn(probe(camera.clone(), check));
            cameras.insert(look.id(), (camera, check));
        }
        pulse.send_replace(Pulse { in_flight: looks.len(), lag: plan.lag(now) });
        let wake = plan.wake_at(now).unwrap_or(jiff::Timestamp::MAX);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(Command::Replan(settings, fleet)) = commands.recv() => plan.replan(settings, &fleet, clock.now()),
            Some(ended) = looks.join_next_with_id() => {
                let (id, observation) = match ended {
                    Ok((id, observation)) => (id, Some(observation)),
                    Err(error) => (error.id(), None),
                };
                let Some((camera, check)) = cameras.remove(&id) else { continue };
                let observation = observation.unwrap_or_else(|| failed(check, clock.now()));
                let failure = observation.failure.as_ref().map(|failure| failure.kind);
                plan.finished(clock.now(), &camera, check, failure);
                tokio::select! {
                    () = stop.cancelled() => break,
                    sent = observations.send((camera.id.clone(), observation)) => if sent.is_err() { break },
                }
            }
            () = clock.sleep_until(wake) => {}
        }
    }
}

/// A look that panicked is our own fault, and says nothing about the camera.
fn failed(check: Check, now: jiff::Timestamp) -> Observation {
    Observation {
        check,
        started: now,
        took: Duration::ZERO,
        rungs: Vec::new(),
        failure: Some(Failure::new(FailureKind::ProbeFailed, "the probe failed inside the monitor")),
        stream: None,
        device: None,
        clock_offset_seconds: None,
        bytes: 0,
    }
}
