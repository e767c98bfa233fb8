//! Reloads: the configuration is read beside the event loop, one reading at a time, and whoever asks meanwhile shares
//! the next one. What a reload would take away is counted before it is believed.

use super::Loader;
use crate::{
    config::Config,
    edits::Edits,
    request::{Done, Refused, TooMany},
};
use futures_util::future::{BoxFuture, FutureExt};
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::oneshot, time::Instant};

/// Reading and taking over a configuration takes at most one part in so many of the time, however often it is asked
/// for.
const SHARE: u32 = 5;
/// People who wait for a reload at once.
const WAITING: usize = 64;
/// A reload that takes away more than one part in so many of anything is not believed: a file that was cut off in the
/// middle is often a good configuration.
const BELIEVED: usize = 10;
/// Names of what would go that are told; the others are counted.
const NAMED: usize = 5;

/// What the loader says: a configuration, or a word for anybody that quotes nothing of the files.
type Read = Result<Config, String>;

/// Reloads that are asked for and under way.
#[derive(Default)]
pub(super) struct Reloads {
    waiting: Vec<Wish>,
    reading: Option<(Vec<Wish>, Instant, BoxFuture<'static, Read>)>,
    not_before: Option<Instant>,
}

/// Somebody who wants a reload.
struct Wish {
    answer: oneshot::Sender<Result<Done, Refused>>,
    force: bool,
}

/// What was read, and for whom.
pub(super) struct Loaded {
    pub(super) read: Read,
    wishes: Vec<Wish>,
    began: Instant,
}

impl Reloads {
    /// Somebody asks for one.
    pub(super) fn ask(&mut self, answer: oneshot::Sender<Result<Done, Refused>>, force: bool) {
        self.waiting.retain(|wish| !wish.answer.is_closed());
        if self.waiting.len() < WAITING {
            self.waiting.push(Wish { answer, force });
            return;
        }
        // Whoever asked may have gone away.
        let _ = answer.send(Err(Refused::TooMany(TooMany::Reloads)));
    }

    /// Begins to read, if somebody waits and it may be.
    pub(super) fn begin(&mut self, loader: &Loader, edits: &Edits) {
        let early = self.not_before.is_some_and(|at| Instant::now() < at);
        if self.reading.is_some() || self.waiting.is_empty() || early {
            return;
        }
        let (loader, edits) = (loader.clone(), edits.clone());
        let reading = async move {
            // What people edited lies over the new files as it lay over the old ones.
            let read =
                move || loader().and_then(|config| if edits.is_empty() { Ok(config) } else { config.edited(&edits) });
            let read = tokio::task::spawn_blocking(read).await;
            read.unwrap_or_else(|_| Err("reading the configuration failed inside camhealth".to_owned()))
        };
        self.reading = Some((std::mem::take(&mut self.waiting), Instant::now(), reading.boxed()));
    }

    /// Whether files are being read.
    pub(super) fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Waits until something was read, or (with `None`) may be; for ever if nobody asks.
    pub(super) async fn wait(&mut self) -> Option<Loaded> {
        let Some((_, _, reading)) = &mut self.reading else {
            match self.not_before.filter(|_| !self.waiting.is_empty()) {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
            return None;
        };
        let read = reading.await;
        let (wishes, began, _) = self.reading.take()?;
        Some(Loaded { read, wishes, began })
    }

    /// What was read is taken over: when the next reading may begin.
    pub(super) fn done(&mut self, took: Duration) {
        self.not_before = Some(Instant::now() + took * (SHARE - 1));
    }
}

impl Loaded {
    /// Whether anybody wants it whatever it takes away.
    pub(super) fn forced(&self) -> bool {
        self.wishes.iter().any(|wish| wish.force)
    }

    /// How long it took since the reading began.
    pub(super) fn took(&self) -> Duration {
        self.began.elapsed()
    }

    /// Who is to be told of the outcome.
    pub(super) fn answers(self) -> impl Iterator<Item = oneshot::Sender<Result<Done, Refused>>> {
        self.wishes.into_iter().map(|wish| wish.answer)
    }
}

/// What a new configuration would take away, for people, if that is more than a slip of the pen should.
pub(super) fn losses(old: &Config, new: &Config) -> Option<String> {
    let kinds = [
        lost("cameras", &old.fleet.cameras, &new.fleet.cameras),
        lost("sites", &old.fleet.sites, &new.fleet.sites),
        lost("links", &old.fleet.links, &new.fleet.links),
        lost("channels", &old.deliver.channels, &new.deliver.channels),
        lost("people", &old.alert.people, &new.alert.people),
    ];
    let lost: Vec<String> = kinds.into_iter().flatten().collect();
    let remedy = "If that is meant: camhealth reload --force, or POST /-/reload?force=1";
    (!lost.is_empty()).then(|| format!("the new configuration would take away {}. {remedy}", lost.join("; ")))
}

fn lost<K: Ord + std::fmt::Display, A, B>(kind: &str, old: &BTreeMap<K, A>, new: &BTreeMap<K, B>) -> Option<String> {
    let gone: Vec<&K> = old.keys().filter(|id| !new.contains_key(id)).collect();
    if gone.len() * BELIEVED <= old.len() {
        return None;
    }
    let names: Vec<String> = gone.iter().take(NAMED).map(ToString::to_string).collect();
    let more = gone.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("{} of {} {kind} ({}{more})", gone.len(), old.len(), names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    fn map(ids: impl IntoIterator<Item = usize>) -> BTreeMap<String, ()> {
        ids.into_iter().map(|id| (format!("cam-{id:02}"), ())).collect()
    }

    #[test]
    fn what_is_taken_away_is_counted_by_name() {
        assert_eq!(lost("cameras", &map(0..10), &map(0..10)), None);
        assert_eq!(lost("cameras", &map(0..10), &map(1..20)), None, "a tenth may go");
        let told = lost("cameras", &map(0..10), &map(2..20));
        assert_eq!(told.as_deref(), Some("2 of 10 cameras (cam-00, cam-01)"));
        let told = lost("cameras", &map(0..40), &map([]));
        let names = "cam-00, cam-01, cam-02, cam-03, cam-04 and 35 more";
        assert_eq!(told, Some(format!("40 of 40 cameras ({names})")));
        assert_eq!(lost("cameras", &map([]), &map(0..3)), None);
    }

    fn loader() -> (Loader, Arc<AtomicUsize>) {
        let read = Arc::new(AtomicUsize::new(0));
        let count = read.clone();
        let loader: Loader = Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Err("3 problems in 1 file".to_owned())
        });
        (loader, read)
    }

    #[tokio::test]
    async fn whoever_asks_while_one_is_read_shares_the_next() {
        let ((loader, read), mut reloads) = (loader(), Reloads::default());
        let ask = |reloads: &mut Reloads| {
            let (answer, answered) = oneshot::channel();
            reloads.ask(answer, false);
            answered
        };
        let first = ask(&mut reloads);
        reloads.begin(&loader, &Edits::default());
        let _others: Vec<_> = (0..40).map(|_| ask(&mut reloads)).collect();
        reloads.begin(&loader, &Edits::default());
        let loaded = reloads.wait().await.expect("it was read");
        assert_eq!((loaded.wishes.len(), read.load(Ordering::SeqCst)), (1, 1));
        reloads.done(Duration::ZERO);
        loaded.answers().for_each(|answer| answer.send(Ok(Done::Reloaded)).expect("they wait"));
        assert_eq!(first.await, Ok(Ok(Done::Reloaded)));
        reloads.begin(&loader, &Edits::default());
        let loaded = reloads.wait().await.expect("it was read");
        assert_eq!((loaded.wishes.len(), read.load(Ordering::SeqCst)), (40, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn reading_takes_a_small_part_of_the_time_however_often_it_is_asked_for() {
        let ((loader, read), mut reloads) = (loader(), Reloads::default());
        let began = Instant::now();
        let mut answered = Vec::new();
        while began.elapsed() < Duration::from_secs(60) {
            let (answer, waits) = oneshot::channel();
            reloads.ask(answer, false);
            answered.push(waits);
            reloads.begin(&loader, &Edits::default());
            if reloads.wait().await.is_some() {
                reloads.done(Duration::from_secs(1));
            }
        }
        assert!((15..=16).contains(&read.load(Ordering::SeqCst)), "{read:?}: one in four seconds");
    }

    #[test]
    fn those_who_wait_are_bounded_and_told_so() {
        let mut reloads = Reloads::default();
        let mut waits: Vec<_> = (0..WAITING)
            .map(|_| {
                let (answer, waits) = oneshot::channel();
                reloads.ask(answer, false);
                waits
            })
            .collect();
        let (answer, mut refused) = oneshot::channel();
        reloads.ask(answer, false);
        assert!(matches!(refused.try_recv(), Ok(Err(Refused::TooMany(TooMany::Reloads)))));
        // Who has gone away makes room.
        waits.pop();
        let (answer, mut taken) = oneshot::channel();
        reloads.ask(answer, false);
        assert!(taken.try_recv().is_err());
    }
}
