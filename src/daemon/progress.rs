//! When each part of the daemon last got on with its work: what health says hangs on this, and on nothing that is
//! merely assumed.
//!
//! A part marks each turn that it has really done; one that waits for work wakes up to do so. All times are tokio's,
//! so that a wall clock that is set neither hides a part that hangs nor invents one.

use super::Task;
use crate::journal;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// How often a part that has nothing to do marks that it could.
pub(super) const TURN: Duration = Duration::from_secs(2);
/// A part that has done nothing for so long does not get on. With [`TURN`] and a second between two questions it is
/// told within ten seconds.
pub(super) const STUCK: Duration = Duration::from_secs(7);
/// The parts that mark their turns: those without which a fault is not found, not decided, or not told.
const MARKED: [Task; 3] = [Task::EventLoop, Task::Schedule, Task::Relay];

/// What every part has done, and when.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Marks>);

#[derive(Debug)]
struct Marks {
    began: Instant,
    turns: BTreeMap<Task, AtomicU64>,
    /// Since when the journal has a job in hand; 0 if it has none.
    writing: AtomicU64,
    /// Since when no look could be made at all; 0 if the last one could.
    sightless: AtomicU64,
    /// How the journal says that it fares.
    journal: watch::Receiver<journal::Condition>,
}

impl Progress {
    /// Everything gets on as of now.
    pub(super) fn new(journal: watch::Receiver<journal::Condition>) -> Self {
        let turns = MARKED.map(|task| (task, AtomicU64::new(0))).into();
        let (writing, sightless) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Marks { began: Instant::now(), turns, writing, sightless, journal }))
    }

    /// A part has done a turn.
    pub(super) fn turn(&self, task: Task) {
        if let Some(mark) = self.0.turns.get(&task) {
            mark.store(self.now(), Ordering::Relaxed);
        }
    }

    /// The journal was given a job, or has done it.
    pub(super) fn journal_works(&self, works: bool) {
        let since = if works { self.now() } else { 0 };
        self.0.writing.store(since, Ordering::Relaxed);
    }

    /// A look that took so long could be made, or could not for a want of this machine's own.
    pub(super) fn looked(&self, could: bool, took: Duration) {
        let since = self.0.sightless.load(Ordering::Relaxed);
        let began = self.now().saturating_sub(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        match (could, since) {
            // Only the first of them says since when.
            (false, 0) => self.0.sightless.store(self.now(), Ordering::Relaxed),
            // One that began before then proves nothing for the time since.
            (true, since) if began > since => self.0.sightless.store(0, Ordering::Relaxed),
            _ => {}
        }
    }

    /// What does not get on, for people. A start of the daemon anew may help.
    pub(super) fn stuck(&self) -> Result<(), String> {
        for (task, mark) in &self.0.turns {
            let age = self.age(mark);
            if age > STUCK {
                return Err(format!("{} has done nothing for {} s", task.as_str(), age.as_secs()));
            }
        }
        for (since, what) in [
            (&self.0.writing, "the journal's disk does not answer"),
            (&self.0.sightless, "no camera can be asked: this machine has no sockets, memory or workers left"),
        ] {
            if since.load(Ordering::Relaxed) != 0 && self.age(since) > STUCK {
                return Err(format!("{what} (for {} s)", self.age(since).as_secs()));
            }
        }
        Ok(())
    }

    /// Why nothing can be remembered, and so nobody told. To start anew helps nothing against a full disk.
    pub(super) fn forgetful(&self) -> Option<String> {
        self.0.journal.borrow().impaired.clone()
    }

    /// Milliseconds since the beginning, never 0.
    fn now(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn age(&self, mark: &AtomicU64) -> Duration {
        Duration::from_millis(self.now().saturating_sub(mark.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn progress() -> (watch::Sender<journal::Condition>, Progress) {
        let (tell, journal) = watch::channel(journal::Condition::default());
        (tell, Progress::new(journal))
    }

    #[tokio::test(start_paused = true)]
    async fn each_part_must_get_on_by_itself() {
        for stuck in MARKED {
            let (_tell, progress) = progress();
            for _ in 0..20 {
                advance(TURN).await;
                MARKED.iter().for_each(|task| progress.turn(*task));
                assert_eq!(progress.stuck(), Ok(()));
            }
            let mut after = Duration::ZERO;
            while progress.stuck().is_ok() {
                advance(Duration::from_secs(1)).await;
                after += Duration::from_secs(1);
                MARKED.iter().filter(|task| **task != stuck).for_each(|task| progress.turn(*task));
            }
            assert!(after <= Duration::from_secs(10), "{} is told after {after:?}", stuck.as_str());
            assert!(progress.stuck().is_err_and(|why| why.starts_with(stuck.as_str())));
            progress.turn(stuck);
            assert_eq!(progress.stuck(), Ok(()), "it gets on again");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_does_not_answer_and_looks_that_cannot_be_made_are_told() {
        let (_tell, progress) = progress();
        let go_on = async |seconds: u64| {
            for _ in 0..seconds {
                advance(Duration::from_secs(1)).await;
                MARKED.iter().for_each(|task| progress.turn(*task));
            }
            progress.stuck()
        };
        progress.journal_works(true);
        assert_eq!(go_on(6).await, Ok(()));
        assert!(go_on(2).await.is_err_and(|why| why.starts_with("the journal's disk does not answer")));
        progress.journal_works(false);
        assert_eq!(go_on(60).await, Ok(()));
        progress.looked(false, Duration::ZERO);
        assert_eq!(go_on(5).await, Ok(()));
        progress.looked(false, Duration::ZERO);
        progress.looked(true, Duration::from_secs(6));
        assert!(go_on(3).await.is_err_and(|why| why.contains("no camera can be asked")), "the first says since when");
        progress.looked(true, Duration::from_secs(1));
        assert_eq!(go_on(60).await, Ok(()));
    }

    #[tokio::test]
    async fn a_journal_that_refuses_is_told_by_its_own_words() {
        let (tell, progress) = progress();
        assert_eq!(progress.forgetful(), None);
        tell.send_modify(|journal| journal.impaired = Some("the disk is full".into()));
        assert_eq!(progress.forgetful().as_deref(), Some("the disk is full"));
        assert_eq!(progress.stuck(), Ok(()), "to start anew would not help");
    }
}
