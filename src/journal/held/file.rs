//! The journal's file as its thread holds it: opened as far as the disk lets it, set aside and made anew when it is
//! damaged, and opened again when somebody wants to write.

use super::super::{Error, Settings, open, place::Place, salvage, sql::Connection};
use crate::model::later;
use jiff::Timestamp;
use rusqlite::ErrorCode;
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a journal that is about to be closed is waited for, by the first to open it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How soon a file that could not be written is opened again.
const AGAIN: Duration = Duration::from_secs(1);
/// A disk that damages files faster than this is not written to until then.
const BETWEEN_SALVAGES: Duration = Duration::from_secs(60);

/// What the connection leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// The journal itself.
    Whole,
    /// The journal, which cannot be written.
    Reading,
    /// Memory, with what could be read of the journal.
    Memory,
}

/// What was found damaged and is not yet told.
#[derive(Debug, Default)]
pub(in crate::journal) struct Found {
    /// What was set aside, for people.
    pub(in crate::journal) set_aside: Option<String>,
    /// Rows that could not be salvaged.
    pub(in crate::journal) skipped: u64,
}

/// The file, or what stands in for it.
#[derive(Debug)]
pub(in crate::journal) struct File {
    /// Closed before the lock is let go, since fields are dropped in order.
    pub(super) connection: Connection,
    lock: Option<fs::File>,
    place: Option<Place>,
    access: Access,
    /// Whether it is to be opened again before it is written.
    stale: bool,
    /// Whether it was looked over.
    sound: bool,
    /// Whether nothing could be read, not even page by page.
    blank: bool,
    /// Whether others of this process may read the file beside us.
    beside: Arc<AtomicBool>,
    opened: (Timestamp, Instant),
    tried: Option<Instant>,
    salvaged: Option<Instant>,
    /// When it was last tried, well or not.
    rebuilt: Option<Instant>,
    found: Found,
}

impl File {
    /// Nothing is opened yet; refuses what can never be a journal.
    pub(super) fn new(settings: &Settings, now: Timestamp) -> Result<Self, Error> {
        let place = settings.path.as_deref().map(Place::new).transpose()?;
        Ok(Self {
            access: if place.is_some() { Access::Memory } else { Access::Whole },
            place,
            lock: None,
            connection: open::memory()?.into(),
            stale: false,
            sound: false,
            blank: false,
            beside: Arc::default(),
            opened: (now, Instant::now()),
            tried: None,
            salvaged: None,
            rebuilt: None,
            found: Found::default(),
        })
    }

    /// Opens the file for the first time. Where it cannot be written, the error says why, and what can be read is there.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        let begun = self.attach(PATIENCE);
        if let Some(place) = &self.place {
            place.look_at_folder();
        }
        begun
    }

    /// Where a reader of this process may read the file beside us.
    pub(super) fn beside(&self) -> Arc<AtomicBool> {
        self.beside.clone()
    }

    /// Whether it can be written, as far as is known.
    pub(super) fn is_whole(&self) -> bool {
        self.access == Access::Whole && !self.stale
    }

    /// Whether nothing could be read of it when it was opened first.
    pub(super) fn is_blank(&self) -> bool {
        self.blank
    }

    /// Whether it was opened, or tried to be, within the last second.
    pub(super) fn tried_lately(&self) -> bool {
        self.tried.is_some_and(|tried| tried.elapsed() < AGAIN)
    }

    /// What was found damaged since this was asked last.
    pub(super) fn take_found(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }

    /// Opens the file again.
    pub(super) fn attach_again(&mut self) -> Result<(), Error> {
        self.attach(Duration::ZERO)
    }

    /// Notes that a write failed: most of what a disk can do to a file ends with opening it anew.
    pub(super) fn failed(&mut self, error: &Error) {
        let passes = |code| matches!(code, Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy));
        let passes = matches!(error, Error::Sqlite(error) if passes(error.sqlite_error_code()));
        self.stale = self.place.is_some() && !passes;
    }

    /// Sets a damaged file aside and goes on with what is left of it: in a new file, or else in memory.
    pub(super) fn recover(&mut self, error: &Error) -> Result<(), Error> {
        if self.place.is_none() || self.salvaged.is_some_and(|last| last.elapsed() < BETWEEN_SALVAGES) {
            return Err(Error::Impaired(format!("it was damaged again within a minute ({error}): look at the disk")));
        }
        // Closing must not tidy up what is to be set aside as it is.
        if let Some(file) = self.connection.file() {
            open::leave_as_it_is(file, true)?;
        }
        self.let_go()?;
        match self.rebuild(error).and_then(|()| self.open()) {
            Ok(file) => self.take(file.into()),
            Err(why) => {
                tracing::error!(%why, "the damaged journal cannot be set aside: what is left of it is in memory");
                self.stand_in(true)?;
            }
        }
        Ok(())
    }

    fn attach(&mut self, patience: Duration) -> Result<(), Error> {
        if self.place.is_none() {
            return Ok(());
        }
        let first = self.tried.is_none();
        self.tried = Some(Instant::now());
        // SQLite's locks are the process's: they do not survive that the file is opened and closed beside it.
        let was_open = self.access != Access::Memory;
        if was_open {
            self.let_go()?;
        }
        let opened = self.own(patience).and_then(|()| self.open());
        let (opened, ruined) = match opened {
            // A salvage reads the whole file: on a disk that has no room for its outcome it is not begun each second.
            Err(error) if error.is_ruin() && self.rebuilt.is_some_and(|at| at.elapsed() < BETWEEN_SALVAGES) => {
                (Err(error), true)
            }
            Err(error) if error.is_ruin() => {
                let rebuilt = self.rebuild(&error).and_then(|()| self.open());
                self.rebuilt = Some(Instant::now());
                (rebuilt, true)
            }
            other => (other, false),
        };
        match opened {
            Ok(file) => {
                self.take(file.into());
                Ok(())
            }
            Err(error) => {
                // What was salvaged into memory stays: to do that again each second would cost more than it gives.
                if first || was_open {
                    self.stand_in(ruined)?;
                }
                Err(error)
            }
        }
    }

    fn let_go(&mut self) -> Result<(), Error> {
        self.beside.store(false, Ordering::Relaxed);
        (self.connection, self.access) = (open::memory()?.into(), Access::Memory);
        Ok(())
    }

    fn take(&mut self, connection: Connection) {
        (self.connection, self.access) = (connection, Access::Whole);
        (self.stale, self.sound) = (false, true);
        self.beside.store(true, Ordering::Relaxed);
    }

    /// Takes what can be read where nothing can be written.
    fn stand_in(&mut self, ruined: bool) -> Result<(), Error> {
        let Some(place) = &self.place else { return Ok(()) };
        let read = match ruined {
            true => Err(Error::Damaged(String::new())),
            false => open::read_only(place.path()),
        };
        (self.connection, self.access) = match read {
            Ok(file) => (file.into(), Access::Reading),
            Err(_) => match salvage::to_memory(place.path()) {
                Ok((file, salvaged)) => {
                    self.found.skipped += salvaged.skipped;
                    (file.into(), Access::Memory)
                }
                // There may be no file at all.
                Err(_) => {
                    self.blank = true;
                    (open::memory()?.into(), Access::Memory)
                }
            },
        };
        Ok(())
    }

    /// Takes the file for this process, with a lock and with rights that keep others out.
    fn own(&mut self, patience: Duration) -> Result<(), Error> {
        let Some(place) = &self.place else { return Ok(()) };
        if self.lock.is_none() {
            place.make_folder()?;
            self.lock = Some(place.lock(patience)?);
        }
        place.make_file()
    }

    fn open(&self) -> Result<rusqlite::Connection, Error> {
        match &self.place {
            Some(place) => open::whole(place.path(), !self.sound),
            None => open::memory(),
        }
    }

    /// Makes a sound file of a damaged one, which is set aside.
    fn rebuild(&mut self, why: &Error) -> Result<(), Error> {
        let Some(place) = &self.place else { return Ok(()) };
        let now = later(self.opened.0, self.opened.1.elapsed());
        tracing::error!(%why, "the journal is damaged: what can be read of it goes into a new one");
        let fresh = place.beside(".new");
        let salvaged = salvage::to_file(place.path(), &fresh)?;
        let aside = place.exchange(&fresh, now)?;
        self.salvaged = Some(Instant::now());
        self.sound = true;
        let told = format!(
            "the journal was damaged ({why}); it lies at {}, and {} rows of it went into a new one",
            aside.display(),
            salvaged.rows
        );
        tracing::error!(skipped = salvaged.skipped, "{told}");
        self.found.set_aside = Some(told);
        self.found.skipped += salvaged.skipped;
        Ok(())
    }
}
