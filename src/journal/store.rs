//! What the journal's thread works with: the file as it is held, and what waits to be written to it.
//!
//! What became of deliveries while nothing could be written is remembered here, so that nobody is told each second what
//! cannot be noted as told.

use super::{
    Batch, Condition, Error, Settings, Trouble, held::Held, kept::Holds, open, outbox, records, retention,
    settings::Limits, settle, sql::Connection, strange::Strange,
};
use crate::model::{Mark, Restored};
use jiff::Timestamp;
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How often a turn is renewed where daemons stand by for each other.
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(3);
/// A turn that could not be renewed for so long is given up: before another daemon may take it (`held/server.rs`).
const LAPSE: Duration = Duration::from_secs(10);
/// How soon it is tried whether a full disk can be written again.
const AGAIN: Duration = Duration::from_secs(1);

/// The journal as its thread works with it.
#[derive(Debug)]
pub(super) struct Store {
    held: Held,
    condition: watch::Sender<Condition>,
    began: Timestamp,
    /// The row of this run, once it is written.
    run: Option<i64>,
    /// The key that signs links, and whether it is written.
    key: Option<(Vec<u8>, bool)>,
    /// The outbox as it stands while the file cannot be written.
    shadow: Option<Connection>,
    /// Whether nothing could be read at the start, so that it is not known what earlier runs knew.
    blank: bool,
    /// Whether the last batch could not be written.
    batch_fails: bool,
    tried: Option<Instant>,
    transcripts: retention::Counts,
    /// The limits that were taken on last, and from when on they hold.
    holds: Option<(Limits, Holds)>,
    /// What became of deliveries while a server could not be asked: it is written before all else.
    owed: Vec<(Vec<Mark>, Timestamp)>,
    /// A commit whose answer was lost.
    doubt: Option<Doubt>,
    /// The batch of one that turned out to be done.
    was_done: Option<Arc<Batch>>,
    /// When the turn was renewed.
    renewed: Instant,
}

/// A commit of which it is not known whether it was done.
#[derive(Debug)]
struct Doubt {
    /// The number that it carried.
    commits: i64,
    /// The batch in it, and how much of what was owed.
    batch: Option<Arc<Batch>>,
    owed: usize,
}

impl Store {
    /// Opens the journal and reads what earlier runs left in it; fails only where it never can, or must not.
    pub(super) fn open(settings: &Settings, now: Timestamp) -> Result<(Self, Restored), Error> {
        let held = Held::new(settings, now)?;
        let mut store = Self {
            held,
            condition: watch::Sender::default(),
            began: now,
            run: None,
            key: None,
            shadow: None,
            blank: false,
            batch_fails: false,
            tried: None,
            transcripts: retention::Counts::default(),
            holds: None,
            owed: Vec::new(),
            doubt: None,
            was_done: None,
            renewed: Instant::now(),
        };
        match store.held.begin() {
            Err(error @ (Error::Newer { .. } | Error::Locked { .. } | Error::Held { .. } | Error::Path { .. })) => {
                return Err(error);
            }
            // Whose turn it is, is not known.
            Err(error) if settings.standby => return Err(error),
            Err(error) => store.impair(&error),
            Ok(()) => {}
        }
        store.blank = store.held.is_blank();
        store.take_found();
        let strange = Strange::default();
        let restored = store.read(|connection| {
            strange.begin();
            records::restore(connection, now, &strange)
        });
        strange.tell();
        store.skipped(strange.rows());
        let restored = restored.unwrap_or_else(|error| {
            store.impair(&error);
            Restored::default()
        });
        if store.held.is_whole() {
            // The run begins in the journal; a full disk shows by that. What will be forgotten is told at once.
            let _ = store.settle(settings.keep, now);
        }
        Ok((store, restored))
    }

    pub(super) fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    pub(super) fn beside(&self) -> Arc<AtomicBool> {
        self.held.beside()
    }

    /// Reads; of a file that turns out to be damaged, what is left.
    pub(super) fn read<T>(&mut self, job: impl Fn(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        match self.held.connection().and_then(&job) {
            Err(error) if error.is_damage() => {
                self.recover(&error)?;
                job(self.held.connection()?)
            }
            other => {
                if let Err(error) = &other {
                    self.held.failed(error);
                }
                other
            }
        }
    }

    /// Writes, if the disk lets it; the job is given the number of this run too.
    pub(super) fn write<T>(&mut self, job: impl Fn(&Connection, i64) -> Result<T, Error>) -> Result<T, Error> {
        let done = self.attached().and_then(|()| self.write_once(&job));
        let done = match done {
            Err(error) if error.is_damage() => match self.recover(&error) {
                Ok(()) if self.held.is_whole() => self.write_once(&job),
                Ok(()) => Err(error),
                Err(error) => Err(error),
            },
            other => other,
        };
        match &done {
            Ok(_) if self.batch_fails => {}
            Ok(_) => self.mended(),
            Err(error) => {
                self.held.failed(error);
                if let Error::InDoubt { commits, .. } = error {
                    self.doubt = Some(Doubt { commits: *commits, batch: None, owed: self.owed.len() });
                }
                self.impair(error);
            }
        }
        done
    }

    /// Works on the outbox: on the file's, or on what is known of it while that cannot be written.
    pub(super) fn outbox<T>(&mut self, job: impl Fn(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        // Of a server it is not known what waits while it cannot be asked: then nobody is told anything.
        if !self.held.has_shadow() {
            return self.write(|connection, _| job(connection));
        }
        if self.is_impaired() && self.tried.is_none_or(|tried| tried.elapsed() >= AGAIN) {
            // Nothing new is written: it shows whether anything can be.
            let _ = self.write(records::touch);
            self.tried = Some(Instant::now());
        }
        if !self.is_impaired() {
            match self.write(|connection, _| job(connection)) {
                Err(_) if self.is_impaired() => self.tried = Some(Instant::now()),
                other => return other,
            }
        }
        if self.shadow.is_none() {
            let shadow = open::memory()?.into();
            let copied = self.held.connection().and_then(|connection| outbox::copy_waiting(connection, &shadow));
            if let Err(error) = copied {
                tracing::warn!(%error, "what waits to be told cannot be read");
            }
            self.shadow = Some(shadow);
        }
        match &self.shadow {
            Some(shadow) => job(shadow),
            None => Err(Error::Closed),
        }
    }

    /// Notes what became of deliveries. Where a server cannot be asked it is owed: until it is written nothing else is told, so
    /// it cannot be told twice.
    pub(super) fn mark(&mut self, marks: Vec<Mark>, now: Timestamp) -> Result<(), Error> {
        if self.held.has_shadow() {
            return self.outbox(|connection| outbox::mark(connection, &marks, now));
        }
        self.owed.push((marks, now));
        match self.write(|_, _| Ok(())) {
            Err(error) if !error.is_disks() => Err(error),
            _ => Ok(()),
        }
    }

    /// Remembers a batch. One whose commit is in doubt is to be handed over again as it was, and is then written once.
    pub(super) fn commit(&mut self, batch: &Arc<Batch>) -> Result<(), Error> {
        if self.is_doubtful(batch) {
            // It is decided when the server is asked again.
            let asked = self.write(|_, _| Ok(()));
            if let (Err(error), true) = (asked, self.is_doubtful(batch)) {
                let commits = self.doubt.as_ref().map_or(0, |doubt| doubt.commits);
                return Err(Error::InDoubt { commits, trouble: Trouble::after(&error) });
            }
        }
        if self.was_done.take_if(|done| Arc::ptr_eq(done, batch)).is_some() {
            self.transcripts.note(batch);
            return Ok(());
        }
        // That something small can be written does not mean that this can: only its own success takes that back.
        self.batch_fails = false;
        let written = self.write(|connection, _| records::write(connection, batch));
        self.batch_fails = written.is_err();
        if let (Err(Error::InDoubt { .. }), Some(doubt)) = (&written, &mut self.doubt) {
            doubt.batch = Some(batch.clone());
        }
        written?;
        self.transcripts.note(batch);
        Ok(())
    }

    /// Notes that the run is alive, and forgets what is past its time, a little at a time.
    pub(super) fn keep(&mut self, now: Timestamp, settings: &Settings) -> Result<(), Error> {
        self.write(|connection, run| records::alive(connection, run, now))?;
        let (began, most) = (Instant::now(), self.transcripts.take_time());
        let holds = self.settle(settings.keep, now)?;
        for rule in retention::rules(now, settings, &holds, &mut self.transcripts) {
            while self.write(|connection, _| rule.portion(connection))? && began.elapsed() < most {}
        }
        Ok(())
    }

    /// Renews the turn, or gives it up: then a start anew stands by.
    pub(super) fn renew(&mut self) {
        if self.renewed.elapsed() < RENEW_EVERY || self.condition.borrow().outdated {
            return;
        }
        match self.write(|connection, _| connection.put("SELECT 1", &[])) {
            Ok(()) => self.renewed = Instant::now(),
            Err(error) if self.renewed.elapsed() >= LAPSE => {
                tracing::warn!(%error, "the journal could not be asked for so long that another daemon may take it: giving it up");
                self.condition.send_modify(|condition| condition.outdated = true);
            }
            Err(_) => {}
        }
    }

    /// Takes limits on, and tells what goes by those that became shorter.
    fn settle(&mut self, limits: Limits, now: Timestamp) -> Result<Holds, Error> {
        if let Some((_, holds)) = self.holds.filter(|(known, _)| *known == limits) {
            return Ok(holds);
        }
        let (holds, going) = self.write(|connection, _| settle::settle(connection, &limits, now))?;
        self.holds = Some((limits, holds));
        for settle::Going { keep, length, rows, from } in going {
            let (key, days) = (keep.as_str(), length.as_secs() / (24 * 60 * 60));
            tracing::warn!(
                key,
                rows,
                %from,
                "the journal holds what is older than {days} days: it is forgotten from then on, unless [journal] {key} \
                 is made longer before"
            );
        }
        Ok(holds)
    }

    /// The key that signs links. While it cannot be written it is one of this run, and is written when it can be.
    pub(super) fn signing_key(&mut self) -> Result<Vec<u8>, Error> {
        if let Some((key, _)) = &self.key {
            return Ok(key.clone());
        }
        let stored = self.read(records::signing_key).unwrap_or_else(|error| {
            tracing::error!(%error, "the key that signs links cannot be read: one of this run signs them");
            None
        });
        let written = stored.is_some();
        let key = match stored {
            Some(key) => key,
            None => records::new_key()?,
        };
        self.key = Some((key.clone(), written));
        if !written && !self.is_impaired() {
            // Where it cannot be written, each later write tries again.
            let _ = self.write(|_, _| Ok(()));
        }
        Ok(key)
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        self.held.connection().expect("it is open")
    }

    fn write_once<T>(&mut self, job: &impl Fn(&Connection, i64) -> Result<T, Error>) -> Result<T, Error> {
        let (run, done) = {
            let connection = self.held.connection()?;
            // A server is given all of it as one transaction, with its fence; of a file each part is one.
            let whole = connection.server().map(|_| connection.transaction()).transpose()?;
            let run = match self.run {
                Some(run) => run,
                None => records::begin_run(connection, self.began)?,
            };
            if let Some((key, false)) = &self.key {
                records::keep_key(connection, key)?;
            }
            if let Some(shadow) = &self.shadow {
                outbox::write_back(shadow, connection)?;
            }
            for (marks, at) in &self.owed {
                outbox::mark(connection, marks, *at)?;
            }
            match whole {
                Some(whole) => {
                    let done = job(connection, run)?;
                    whole.commit()?;
                    (run, Some(done))
                }
                None => (run, None),
            }
        };
        self.begun(run);
        let done = match done {
            Some(done) => done,
            None => job(self.held.connection()?, run)?,
        };
        // It is only gone when it is known that it can be written: until then what is noted is noted there.
        self.shadow = None;
        Ok(done)
    }

    /// What stands before each job is written.
    fn begun(&mut self, run: i64) {
        self.run = Some(run);
        self.owed.clear();
        if let Some((_, written)) = &mut self.key {
            *written = true;
        }
    }

    fn attached(&mut self) -> Result<(), Error> {
        if self.condition.borrow().outdated {
            return Err(Error::Impaired(
                "it can be read again, and only a start anew knows what stands in it".to_owned(),
            ));
        }
        if self.held.is_whole() {
            return Ok(());
        }
        if self.held.tried_lately() {
            let why = self.condition.borrow().impaired.clone();
            return Err(Error::Impaired(why.unwrap_or_else(|| "it cannot be written".to_owned())));
        }
        let attached = self.held.attach_again();
        self.moved();
        attached?;
        self.settle_doubt();
        // What this run numbers and decides would contradict what earlier ones did, or whoever held it meanwhile.
        let knows_more = self.held.was_taken() || self.blank && records::knows_runs(self.held.connection()?)?;
        self.blank = false;
        if knows_more {
            tracing::warn!("the journal can be read again: a start anew will know what stands in it");
            self.condition.send_modify(|condition| condition.outdated = true);
            return self.attached();
        }
        Ok(())
    }

    fn is_doubtful(&self, batch: &Arc<Batch>) -> bool {
        let doubtful = self.doubt.as_ref().and_then(|doubt| doubt.batch.as_ref());
        doubtful.is_some_and(|doubtful| Arc::ptr_eq(doubtful, batch))
    }

    /// A commit whose answer was lost was done, or was not: now that is known.
    fn settle_doubt(&mut self) {
        let Some(doubt) = self.doubt.take() else { return };
        if self.held.commits() >= doubt.commits {
            self.owed.drain(..doubt.owed.min(self.owed.len()));
            self.was_done = doubt.batch;
        }
    }

    fn recover(&mut self, error: &Error) -> Result<(), Error> {
        let recovered = self.held.recover(error);
        self.moved();
        if recovered.is_ok() && !self.held.is_whole() {
            self.impair(error);
        }
        recovered
    }

    /// The connection may lead to another file, of which nothing is certain.
    fn moved(&mut self) {
        self.take_found();
        if let Some((_, written)) = &mut self.key {
            *written = false;
        }
        let began = self.began;
        let connection = self.held.connection().ok();
        let run = self.run.filter(|run| connection.is_none_or(|known| records::is_run(known, *run, began)));
        self.run = run;
        self.transcripts = retention::Counts::default();
        self.holds = None;
    }

    fn is_impaired(&self) -> bool {
        self.condition.borrow().impaired.is_some()
    }

    fn impair(&self, error: &Error) {
        let why = match error {
            Error::Impaired(why) => why.clone(),
            other => other.to_string(),
        };
        self.condition.send_if_modified(|condition| {
            let changed = condition.impaired.as_ref() != Some(&why);
            if changed {
                tracing::error!(why, "the journal cannot be written");
                condition.impaired = Some(why);
            }
            changed
        });
    }

    fn mended(&self) {
        self.condition.send_if_modified(|condition| {
            let was = condition.impaired.take();
            if was.is_some() {
                tracing::warn!("the journal can be written again");
            }
            was.is_some()
        });
    }

    fn take_found(&mut self) {
        let found = self.held.take_found();
        if let Some(told) = found.set_aside {
            self.condition.send_modify(|condition| condition.set_aside = Some(told));
        }
        self.skipped(found.skipped);
    }

    fn skipped(&self, rows: u64) {
        if rows > 0 {
            self.condition.send_modify(|condition| condition.rows_skipped += rows);
        }
    }
}
