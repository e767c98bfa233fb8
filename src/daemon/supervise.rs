//! Watches over the daemon's own tasks: one that ends before it is told to makes the whole daemon unhealthy at once,
//! with its name and why, and whoever runs the daemon then ends it in order.
//!
//! Nothing is started again in place: a part that broke has left the others in a state that nobody has thought of,
//! and a start from the journal is the path that is tested most. Only what costs nothing beside itself is not here:
//! worker processes and single looks, which the pool and the runner make anew.

use super::{progress::Progress, task::Task};
use crate::metrics::Own;
use futures_util::FutureExt;
use std::{any::Any, collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// A task that ended before it was told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub task: Task,
    /// Why, for people.
    pub why: String,
}

/// How tasks end: `Err` says why, and `Ok` is as bad before they are told to.
pub(super) type Outcome = Result<(), String>;

/// Starts tasks, and notes which of them ended.
pub(super) struct Supervisor {
    tasks: BTreeMap<Task, JoinHandle<()>>,
    own: Arc<Own>,
    stop: CancellationToken,
    broken: Arc<watch::Sender<Option<Broken>>>,
}

impl Supervisor {
    /// Tasks may end after `stop`.
    pub(super) fn new(own: Arc<Own>, stop: CancellationToken) -> Self {
        Self { tasks: BTreeMap::new(), own, stop, broken: Arc::new(watch::Sender::new(None)) }
    }

    /// Starts a task.
    pub(super) fn start(&mut self, task: Task, work: impl Future<Output = Outcome> + Send + 'static) {
        self.own.task_up(task.as_str(), true);
        // What is dropped before it ends was cut off: that is noted as well.
        let mut end = End {
            task,
            why: "it was cut off".to_owned(),
            own: self.own.clone(),
            stop: self.stop.clone(),
            broken: self.broken.clone(),
        };
        let watched = async move {
            end.because(match AssertUnwindSafe(work).catch_unwind().await {
                Ok(Ok(())) => "it ended".to_owned(),
                Ok(Err(why)) => why,
                Err(panic) => format!("it panicked: {}", words(&*panic)),
            });
        };
        self.tasks.insert(task, tokio::spawn(watched));
    }

    /// The first task that ended before it was told to, as soon as one did.
    pub(super) fn broken(&self) -> watch::Receiver<Option<Broken>> {
        self.broken.subscribe()
    }

    /// Waits for a task's end, and cuts it off after `limit`.
    pub(super) async fn ended(&mut self, task: Task, limit: Duration) {
        let Some(handle) = self.tasks.get_mut(&task) else { return };
        if timeout(limit, &mut *handle).await.is_err() {
            tracing::debug!(task = task.as_str(), "did not end by itself and is cut off");
            handle.abort();
        }
    }

    /// Cuts off whatever still runs.
    pub(super) fn abort(&self) {
        self.tasks.values().for_each(JoinHandle::abort);
    }

    #[cfg(test)]
    pub(super) fn tasks(&self) -> &BTreeMap<Task, JoinHandle<()>> {
        &self.tasks
    }
}

/// Notes the end of a task when it is dropped.
struct End {
    task: Task,
    why: String,
    own: Arc<Own>,
    stop: CancellationToken,
    broken: Arc<watch::Sender<Option<Broken>>>,
}

impl End {
    fn because(&mut self, why: String) {
        self.why = why;
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.own.task_up(self.task.as_str(), false);
        if self.stop.is_cancelled() {
            return;
        }
        let (task, why) = (self.task, std::mem::take(&mut self.why));
        tracing::error!(task = task.as_str(), why, "a part of the daemon ended that must not");
        // Others may end because of the first: it is the one to name.
        self.broken.send_if_modified(|broken| {
            let first = broken.is_none();
            broken.get_or_insert(Broken { task, why });
            first
        });
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}

/// Whether the daemon does its work.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) broken: watch::Receiver<Option<Broken>>,
    pub(super) progress: Progress,
}

impl Health {
    /// Why it does not, for people: something does not get on, or nothing can be remembered and so nobody is told.
    pub(super) fn check(&self) -> Outcome {
        self.runs()?;
        self.progress.sightless()?;
        match self.progress.forgetful() {
            Some(why) => Err(format!("nothing can be remembered, and so nobody is told of faults: {why}")),
            None => Ok(()),
        }
    }

    /// The same without what a start anew would not help against: who restarts a daemon for a full disk has none.
    pub(super) fn runs(&self) -> Outcome {
        // What a panic says is for the log alone: it may quote anything.
        if let Some(Broken { task, .. }) = &*self.broken.borrow() {
            return Err(format!("the task {} ended; the log tells why", task.as_str()));
        }
        self.progress.stuck()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal, metrics,
        model::{Commune, DailyHours, Fleet, Language, one_name},
        monitor::{self, Monitor},
    };

    struct World {
        supervisor: Supervisor,
        health: Health,
        own: Arc<Own>,
        stop: CancellationToken,
        journal: watch::Sender<journal::Condition>,
    }

    fn world() -> World {
        let (own, stop) = (Arc::new(Own::new([])), CancellationToken::new());
        let (journal, condition) = watch::channel(journal::Condition::default());
        let supervisor = Supervisor::new(own.clone(), stop.clone());
        let health = Health { broken: supervisor.broken(), progress: Progress::new(condition) };
        World { supervisor, health, own, stop, journal }
    }

    /// What metrics of an empty fleet say.
    fn rendered(own: &Own) -> String {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let fleet = Fleet::empty(Commune {
            name: "Hải Bình".into(),
            language: Language::Vi,
            timezone: jiff::tz::TimeZone::UTC,
            night: DailyHours::NIGHT,
        });
        let (mut monitor, _) = Monitor::new(Arc::new(fleet), monitor::Settings::default(), Default::default(), now);
        metrics::render(&monitor.snapshot(now), own)
    }

    impl World {
        fn metric(&self, task: Task, value: u8) {
            let text = rendered(&self.own);
            let line = format!("camhealth_task_up{{task=\"{}\"}} {value}", task.as_str());
            assert!(text.lines().any(|known| known == line), "{line} is not in {text}");
        }

        /// The relay does `work` beside a healthy event loop; why that made the daemon unhealthy.
        async fn breaks(mut self, work: impl Future<Output = Outcome> + Send + 'static) -> String {
            self.supervisor.start(Task::EventLoop, std::future::pending());
            let (go, gone) = tokio::sync::oneshot::channel::<()>();
            self.supervisor.start(Task::Relay, async {
                let _ = gone.await;
                work.await
            });
            self.metric(Task::Relay, 1);
            assert_eq!(self.health.check(), Ok(()));
            go.send(()).expect("it waits");
            let mut broken = self.supervisor.broken();
            let broken = broken.wait_for(Option::is_some).await.expect("it is watched").clone().expect("one broke");
            self.metric(Task::Relay, 0);
            self.metric(Task::EventLoop, 1);
            assert_eq!(self.health.check(), Err("the task relay ended; the log tells why".to_owned()));
            assert_eq!(broken.task, Task::Relay);
            broken.why
        }
    }

    #[tokio::test]
    async fn a_task_that_ends_fails_or_panics_makes_the_daemon_unhealthy_and_says_why() {
        let why = world().breaks(async { Ok(()) }).await;
        assert_eq!(why, "it ended");
        let why = world().breaks(async { Err("no socket".to_owned()) }).await;
        assert_eq!(why, "no socket");
        let why = world().breaks(async { panic!("index {} of 3", 4) }).await;
        assert_eq!(why, "it panicked: index 4 of 3");
    }

    #[tokio::test]
    async fn the_first_that_broke_is_named() {
        let mut world = world();
        for task in [Task::Schedule, Task::EventLoop] {
            world.supervisor.start(task, async { Ok(()) });
            world.supervisor.tasks.get_mut(&task).expect("it was started").await.expect("no panic gets out");
        }
        assert_eq!(world.health.check(), Err("the task schedule ended; the log tells why".to_owned()));
    }

    #[tokio::test]
    async fn what_ends_because_it_was_told_to_is_no_fault() {
        let mut world = world();
        let stopped = world.stop.clone();
        world.supervisor.start(Task::Relay, async move {
            stopped.cancelled().await;
            Ok(())
        });
        world.supervisor.start(Task::Web, std::future::pending());
        world.stop.cancel();
        world.supervisor.ended(Task::Relay, Duration::from_secs(60)).await;
        world.supervisor.ended(Task::Web, Duration::ZERO).await;
        assert_eq!(world.health.check(), Ok(()));
        assert_eq!(*world.supervisor.broken().borrow(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_get_on_is_unhealthy_until_it_does() {
        let world = world();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(world.health.check(), Ok(()));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(world.health.check(), Err("event_loop has done nothing for 10 s".to_owned()));
        assert_eq!(world.health.runs(), world.health.check());
        for task in Task::ALL {
            world.health.progress.turn(task);
        }
        assert_eq!(world.health.check(), Ok(()));
    }

    #[tokio::test]
    async fn a_full_disk_is_unhealthy_and_no_reason_to_start_anew() {
        let world = world();
        world.journal.send_modify(|journal| journal.impaired = Some("the disk is full".into()));
        assert!(world.health.check().is_err_and(|why| why.ends_with("nobody is told of faults: the disk is full")));
        assert_eq!(world.health.runs(), Ok(()));
    }

    #[test]
    fn each_task_has_one_name() {
        one_name::<Task>();
    }
}
