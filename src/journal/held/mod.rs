//! The journal as its thread holds it: a file, or a schema on a server.

mod file;
mod server;

use super::{Error, Settings, sql::Connection};
use file::File;
use jiff::Timestamp;
use server::Taken;
use std::sync::{Arc, atomic::AtomicBool};

pub(super) use file::Found;
#[cfg(test)]
pub(super) use server::end_of_holder;
pub use server::{Asked, Turn, ask, turn};
pub(super) use server::{WITHOUT_END, alone, end_of, held, known, made, process, reader, signed_in, write_anew};

/// The journal, or what stands in for it.
#[derive(Debug)]
pub(super) enum Held {
    File(Box<File>),
    Server(Box<Taken>),
}

impl Held {
    /// Nothing is opened yet; refuses what can never be a journal.
    pub(super) fn new(settings: &Settings, now: Timestamp) -> Result<Self, Error> {
        match &settings.server {
            Some(server) => Ok(Self::Server(Box::new(Taken::new(server.clone(), settings.standby)))),
            None => Ok(Self::File(Box::new(File::new(settings, now)?))),
        }
    }

    /// What is read and written; an error where a server cannot be asked.
    pub(super) fn connection(&self) -> Result<&Connection, Error> {
        match self {
            Self::File(file) => Ok(&file.connection),
            Self::Server(taken) => taken.connection(),
        }
    }

    /// Whether what cannot be noted now is worked on in memory: of a file it is known what waits.
    pub(super) fn has_shadow(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Opens it for the first time. Where it cannot be written, the error says why, and what can be read is there.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        match self {
            Self::File(file) => file.begin(),
            Self::Server(taken) => taken.begin(),
        }
    }

    /// Where a reader of this process may read it beside us.
    pub(super) fn beside(&self) -> Arc<AtomicBool> {
        match self {
            Self::File(file) => file.beside(),
            Self::Server(taken) => taken.beside(),
        }
    }

    /// Whether it can be written, as far as is known.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::File(file) => file.is_whole(),
            Self::Server(taken) => taken.is_whole(),
        }
    }

    /// Whether nothing could be read of it when it was opened first.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::File(file) => file.is_blank(),
            Self::Server(taken) => taken.is_blank(),
        }
    }

    /// Whether somebody else held it since we did.
    pub(super) fn was_taken(&self) -> bool {
        match self {
            Self::File(_) => false,
            Self::Server(taken) => taken.was_taken(),
        }
    }

    /// How many transactions it is known to hold of those that this run committed; a file never leaves that open.
    pub(super) fn commits(&self) -> i64 {
        match self {
            Self::File(_) => 0,
            Self::Server(taken) => taken.commits(),
        }
    }

    /// Whether it was opened, or tried to be, within the last second.
    pub(super) fn tried_lately(&self) -> bool {
        match self {
            Self::File(file) => file.tried_lately(),
            Self::Server(taken) => taken.tried_lately(),
        }
    }

    /// What was found damaged since this was asked last.
    pub(super) fn take_found(&mut self) -> Found {
        match self {
            Self::File(file) => file.take_found(),
            Self::Server(_) => Found::default(),
        }
    }

    /// Opens it again.
    pub(super) fn attach_again(&mut self) -> Result<(), Error> {
        match self {
            Self::File(file) => file.attach_again(),
            Self::Server(taken) => taken.attach(),
        }
    }

    /// Notes that a write failed; a session knows by itself that it is lost.
    pub(super) fn failed(&mut self, error: &Error) {
        match self {
            Self::File(file) => file.failed(error),
            Self::Server(_) => {}
        }
    }

    /// Sets a damaged file aside and goes on with what is left of it; a server mends its own.
    pub(super) fn recover(&mut self, error: &Error) -> Result<(), Error> {
        match self {
            Self::File(file) => file.recover(error),
            Self::Server(_) => Err(Error::Impaired(format!("the server's tables are damaged ({error}): see its log"))),
        }
    }
}
