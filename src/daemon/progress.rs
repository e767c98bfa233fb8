//! When each part of the daemon last got on with its work: what health says hangs on this, and on nothing that is
//! merely assumed.
//!
//! A part marks each turn that it has really done; one that waits for work wakes up to do so. All times are tokio's,
//! so that a wall clock that is set neither hides a part that hangs nor invents one.

use super::task::Task;
use crate::{journal, model::Check};
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
/// Looks in a row that could not be made for a want of this machine's own, and are no chance.
const SEVERAL: u64 = 3;
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
    /// Looks from the daemon itself, and those that take a worker.
    looks: [Looks; 2],
    /// How the journal says that it fares.
    journal: watch::Receiver<journal::Condition>,
}

/// Looks of one kind that this machine could not make.
#[derive(Debug, Default)]
struct Looks {
    /// Since when none could be made; 0 if the last one could.
    since: AtomicU64,
    /// How many could not since then.
    failed: AtomicU64,
}

impl Progress {
    /// Everything gets on as of now.
    pub(super) fn new(journal: watch::Receiver<journal::Condition>) -> Self {
        let turns = MARKED.map(|task| (task, AtomicU64::new(0))).into();
        let (writing, looks) = (AtomicU64::new(0), Default::default());
        Self(Arc::new(Marks { began: Instant::now(), turns, writing, looks, journal }))
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
    pub(super) fn looked(&self, check: Check, could: bool, took: Duration) {
        let looks = &self.0.looks[usize::from(check != Check::Liveness)];
        let since = looks.since.load(Ordering::Relaxed);
        let began = self.now().saturating_sub(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        if !could {
            // Only the first of them says since when.
            if since == 0 {
                looks.since.store(self.now(), Ordering::Relaxed);
            }
            looks.failed.fetch_add(1, Ordering::Relaxed);
        // One that began before then proves nothing for the time since.
        } else if began > since {
            looks.since.store(0, Ordering::Relaxed);
            looks.failed.store(0, Ordering::Relaxed);
        }
    }

    /// What does not get on, for people. A start of the daemon anew may help.
    pub(super) fn stuck(&self) -> Result<(), String> {
        // What waits for a journal that refuses is not to blame, and starting anew would not help it.
        let forgetful = self.forgetful().is_some();
        for (task, mark) in self.0.turns.iter().filter(|(task, _)| !forgetful || **task != Task::Relay) {
            let age = self.age(mark);
            if age > STUCK {
                return Err(format!("{} has done nothing for {} s", task.as_str(), age.as_secs()));
            }
        }
        match self.lasts(&self.0.writing).filter(|_| !forgetful) {
            Some(seconds) => Err(format!("the journal's disk does not answer (for {seconds} s)")),
            None => Ok(()),
        }
    }

    /// That this machine can make no looks, for people. One look may fail by chance or by its camera's budget; several in
    /// a row of one kind, and none that could be made for so long, do not.
    pub(super) fn sightless(&self) -> Result<(), String> {
        let whose = [
            "no camera can be asked: this machine has no sockets or memory left",
            "no stream can be looked at: \
                     this machine has no worker processes, sockets or memory left",
        ];
        for (looks, what) in self.0.looks.iter().zip(whose) {
            if let Some(seconds) = self.lasts(&looks.since)
                && looks.failed.load(Ordering::Relaxed) >= SEVERAL
            {
                return Err(format!("{what} (for {seconds} s)"));
            }
        }
        Ok(())
    }

    /// For how many seconds something lasts, if that is too long.
    fn lasts(&self, since: &AtomicU64) -> Option<u64> {
        let age = self.age(since);
        (since.load(Ordering::Relaxed) != 0 && age > STUCK).then_some(age.as_secs())
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
    async fn a_disk_that_does_not_answer_is_told() {
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
    }

    #[tokio::test(start_paused = true)]
    async fn looks_that_cannot_be_made_are_told_of_each_kind_by_itself() {
        let second = Duration::from_secs(1);
        for (check, other, part) in [
            (Check::Liveness, Check::Survey, "no camera can be asked"),
            (Check::Stream, Check::Liveness, "no stream can be looked at"),
        ] {
            let (_tell, progress) = progress();
            progress.looked(check, false, Duration::ZERO);
            advance(60 * second).await;
            assert_eq!(progress.sightless(), Ok(()), "one may fail by chance");
            progress.looked(check, true, second);
            for _ in 0..8 {
                progress.looked(check, false, Duration::ZERO);
                // The other kind goes on, and looks that began before say nothing.
                progress.looked(other, true, Duration::ZERO);
                progress.looked(check, true, 60 * second);
                assert_eq!(progress.sightless(), Ok(()));
                advance(second).await;
            }
            assert!(progress.sightless().is_err_and(|why| why.contains(part)), "{part}");
            progress.looked(check, true, second);
            assert_eq!(progress.sightless(), Ok(()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_journal_that_refuses_is_told_by_its_own_words() {
        let (tell, progress) = progress();
        assert_eq!(progress.forgetful(), None);
        tell.send_modify(|journal| journal.impaired = Some("the disk is full".into()));
        assert_eq!(progress.forgetful().as_deref(), Some("the disk is full"));
        assert_eq!(progress.stuck(), Ok(()), "to start anew would not help");
        // Nor does it while everything waits for that journal.
        progress.journal_works(true);
        advance(Duration::from_secs(60)).await;
        progress.turn(Task::EventLoop);
        progress.turn(Task::Schedule);
        assert_eq!(progress.stuck(), Ok(()));
    }
}
