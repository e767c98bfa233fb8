//! The journal as commands and pages read it, beside whoever holds it.

use super::{Error, Settings, held, open, sql::Connection};
use std::sync::{Mutex, PoisonError};

/// Sessions with a server that nobody reads by at the moment.
pub(super) type Readers = Mutex<Vec<Connection>>;

/// Of these so many are kept.
const READERS: usize = 4;

/// Opens the journal of whoever holds it, or of nobody, to read it; `None` where there is no such file.
pub(super) fn reader(settings: &Settings) -> Result<Option<Connection>, Error> {
    match (&settings.server, &settings.path) {
        (Some(server), _) => held::reader(server),
        (None, Some(path)) if path.exists() => open::read_only(path).map(|file| Some(file.into())),
        (None, _) => Ok(None),
    }
}

/// Reads by a session that is there, or by one more.
pub(super) fn beside<T>(
    settings: &Settings,
    readers: &Readers,
    job: &impl Fn(&Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    let held = || readers.lock().unwrap_or_else(PoisonError::into_inner);
    let is_alive = |known: &Connection| known.server().is_some_and(|session| !session.is_lost());
    let known = held().pop().filter(is_alive);
    let connection = match known {
        Some(known) => known,
        None => opened(settings)?,
    };
    let read = job(&connection);
    let mut held = held();
    if is_alive(&connection) && held.len() < READERS {
        held.push(connection);
    }
    read
}

/// The journal of whoever holds it, to be read.
pub(super) fn opened(settings: &Settings) -> Result<Connection, Error> {
    if let Some(server) = &settings.server {
        return held::known(server);
    }
    let none = || std::io::Error::from(std::io::ErrorKind::NotFound).into();
    reader(settings)?.ok_or_else(none)
}
