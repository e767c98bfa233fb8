//! The line to the daemon: what waits is sent, the answer is heard, and after each trouble it is tried again, later and later, at
//! moments that differ from agent to agent.

use super::{
    alarm::Contact,
    identity::{Identity, why},
    store::Store,
    ticks::Ticks,
};
use crate::{
    clock::Clock,
    model::{AgentAnswer, AgentMessage, AgentPlan},
    web::{packed, signed},
};
use reqwest::StatusCode;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// How long an answer may take beyond the time for which the daemon may keep it back. What says nothing new is gathered meanwhile
/// and sent together.
const ANSWER: Duration = Duration::from_secs(12);
/// Pauses after a trouble.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the line shares with the looks.
pub(super) struct Line {
    pub(super) identity: Identity,
    pub(super) store: Arc<Mutex<Store>>,
    pub(super) clock: Clock,
    /// That there is something new.
    pub(super) news: Arc<Notify>,
    /// The plan that is in force.
    pub(super) plan: watch::Sender<Option<Arc<AgentPlan>>>,
    /// When the agent started.
    pub(super) started: Instant,
    /// What was last heard of the daemon.
    pub(super) contact: watch::Sender<Contact>,
    /// How many alarms were told by the agent's own channel.
    pub(super) alarms: watch::Receiver<u64>,
}

/// How a message fared that met no trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    Answered,
    /// There was something new before the answer.
    Interrupted,
}

/// Why a message was not taken.
enum Trouble {
    /// The line, the daemon, or its disk: later.
    Later(String),
    /// Our idea of the daemon's time was wrong by so many milliseconds.
    Time(i64),
    /// The daemon does not know us: somebody must see to it.
    Revoked(String),
}

/// How long to wait after so many troubles in a row: twice as long each time, up to a minute, and up to half as long again at
/// random, so that five hundred agents that lost their daemon together do not come back together.
fn pause(troubles: u32, random: f64) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1 << troubles.min(6)).min(LONGEST_PAUSE);
    pause.mul_f64(1.0 + random.clamp(0.0, 1.0) / 2.0)
}

impl Line {
    /// Runs until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let (mut troubles, mut told, mut offset, mut seed) = (0u32, String::new(), 0i64, 0u64);
        let mut hurry = false;
        loop {
            let round = tokio::select! {
                () = stop.cancelled() => return,
                round = self.round(offset, hurry) => round,
            };
            let wait = match round {
                Ok(round) => {
                    hurry = round == Round::Interrupted;
                    if troubles > 0 {
                        tracing::info!("the daemon answers");
                    }
                    (troubles, told) = (0, String::new());
                    continue;
                }
                Err(Trouble::Time(by)) if by.abs_diff(offset) > 1000 => {
                    tracing::warn!(
                        milliseconds = by,
                        "this machine's clock is not the daemon's: the daemon's is gone by"
                    );
                    offset = by;
                    Duration::ZERO
                }
                Err(trouble) => {
                    let (why, wait) = match trouble {
                        Trouble::Later(why) => (why, None),
                        Trouble::Time(_) => ("the daemon does not believe our time".to_owned(), None),
                        Trouble::Revoked(why) => (why, Some(LONGEST_PAUSE)),
                    };
                    if why != told {
                        tracing::warn!("nothing can be told, and is kept: {why}");
                        told = why;
                    }
                    seed = seed
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(Ticks::now().since.unsigned_abs() | 1);
                    let random = (seed >> 33) as f64 / f64::from(1u32 << 31);
                    let wait = wait.unwrap_or_else(|| pause(troubles, random));
                    troubles = troubles.saturating_add(1);
                    wait
                }
            };
            // While the daemon cannot be reached, news make no difference.
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// One message and its answer, which the daemon keeps back for as long as it has nothing to say: on the same connection, with
    /// what is not new gathered meanwhile. Where more waits, or in a `hurry`, it does not.
    async fn round(&self, offset: i64, hurry: bool) -> Result<Round, Trouble> {
        let wall = self.clock.now();
        let store = self.store.clone();
        let next = tokio::task::spawn_blocking(move || {
            store.lock().unwrap_or_else(PoisonError::into_inner).next((&Ticks::now(), wall))
        });
        let next = next.await.map_err(|error| Trouble::Later(error.to_string()))?;
        let next = next.map_err(|error| Trouble::Later(format!("looks cannot be read: {error}")))?;
        let message = AgentMessage {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plan: self.plan.borrow().as_ref().map(|plan| plan.print.clone()).unwrap_or_default(),
            backlog: next.behind,
            dropped: next.dropped,
            wait: if next.behind > 0 || hurry { 0 } else { AgentMessage::LONGEST_WAIT },
            clock: Some(wall.as_millisecond()),
            alarms: *self.alarms.borrow(),
            looks: next.looks,
        };
        // What is new meanwhile is sent at once, and with it again what was not answered yet, which counts once. That is answered at
        // once: with a camera that fails again and again nothing would ever be answered, and all of it be sent each time.
        let is_held_back = message.wait > 0;
        let answer = tokio::select! {
            answer = self.exchange(&message, offset) => answer?,
            () = self.news.notified(), if is_held_back => return Ok(Round::Interrupted),
        };
        let answered = self.started.elapsed();
        self.contact.send_modify(|contact| {
            *contact = Contact { answered, taken: contact.taken.max(answer.taken) };
        });
        if answer.taken > 0 {
            let (store, taken) = (self.store.clone(), answer.taken);
            let done =
                tokio::task::spawn_blocking(move || store.lock().unwrap_or_else(PoisonError::into_inner).taken(taken));
            let done = done.await.map_err(|error| Trouble::Later(error.to_string()))?;
            done.map_err(|error| Trouble::Later(format!("what was taken cannot be noted: {error}")))?;
        }
        if let Some(plan) = answer.plan {
            self.plan.send_replace(Some(Arc::new(plan)));
        }
        Ok(Round::Answered)
    }

    async fn exchange(&self, message: &AgentMessage, offset: i64) -> Result<AgentAnswer, Trouble> {
        let later = |why: &str| Trouble::Later(why.to_owned());
        let json = serde_json::to_vec(message).map_err(|_| later("the message cannot be written"))?;
        let packed = packed(&json).map_err(|_| later("no memory"))?;
        let (path, now) = ("/agent/exchange", self.clock.now().as_millisecond());
        let at = now + offset;
        let shown = self.identity.shown(&signed(path, at, &packed), at);
        let address = self.identity.at(path).map_err(Trouble::Later)?;
        let limit = Duration::from_secs(message.wait) + ANSWER;
        let request = self.identity.http.post(address).timeout(limit).header("authorization", shown).body(packed);
        let answer = request.send().await.map_err(|error| Trouble::Later(why(error)))?;
        let status = answer.status();
        if status == StatusCode::NO_CONTENT {
            return Ok(AgentAnswer { taken: 0, plan: None });
        }
        let text = answer.text().await.map_err(|error| Trouble::Later(why(error)))?;
        if status.is_success() {
            return serde_json::from_str(&text).map_err(|_| later("what answers is no camhealth"));
        }
        let told: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let why = format!("{status}: {}", told["error"].as_str().unwrap_or("what answers is no camhealth"));
        Err(match (status.as_u16(), told["now"].as_i64()) {
            (401, Some(theirs)) => Trouble::Time(theirs - now),
            (401 | 403, None) => Trouble::Revoked(why),
            _ => Trouble::Later(why),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_differ() {
        let pauses: Vec<u64> = (0..10).map(|troubles| pause(troubles, 0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(pause(9, 1.0), Duration::from_secs(90));
        assert_eq!(pause(0, f64::NAN.max(0.0)), Duration::from_secs(1));
    }
}
