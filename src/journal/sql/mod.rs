//! What the journal's SQL is given to: a file of SQLite or a PostgreSQL server. Statements are written once, in what both
//! understand; `dialect` says what is put otherwise for a server.
//!
//! What is `put` may be written later, in one flight with what else a transaction has: a server is asked once for all of
//! it. Whatever reads, counts or commits waits for that.

mod dialect;
mod row;
mod server;
mod value;

pub(super) use row::{Misread, Row};
pub(super) use server::{Fence, Session};
pub(super) use value::Value;

use super::Error;
use std::ops::Deref;

/// Values for the places of a statement, in their order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::journal::sql::Value::from($value)),*] };
}
pub(super) use values;

/// What is read and written.
#[derive(Debug)]
pub(super) enum Connection {
    /// A file, or memory.
    File(rusqlite::Connection),
    /// A schema of a server's database.
    Server(Box<Session>),
}

impl From<rusqlite::Connection> for Connection {
    fn from(connection: rusqlite::Connection) -> Self {
        Self::File(connection)
    }
}

impl Connection {
    /// The file, if it is one.
    pub(super) fn file(&self) -> Option<&rusqlite::Connection> {
        match self {
            Self::File(file) => Some(file),
            Self::Server(_) => None,
        }
    }

    /// The server, if it is one.
    pub(super) fn server(&self) -> Option<&Session> {
        match self {
            Self::File(_) => None,
            Self::Server(session) => Some(session),
        }
    }

    /// Writes; how many rows that changed.
    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
        match self {
            Self::File(file) => {
                Ok(file.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?.try_into().unwrap_or(0))
            }
            Self::Server(session) => session.execute(sql, values),
        }
    }

    /// Writes, where nobody asks how many rows that changed. Within a transaction an error may be told by what comes after.
    pub(super) fn put(&self, sql: &str, values: &[Value<'_>]) -> Result<(), Error> {
        match self {
            Self::File(_) => self.execute(sql, values).map(drop),
            Self::Server(session) => session.put(sql, values),
        }
    }

    /// Shows each row that is found; the first error ends that.
    pub(super) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut show: impl FnMut(Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Self::File(file) => {
                let mut statement = file.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                // An error of the next row is one of the file, and one within a row is the row's.
                while let Some(row) = rows.next()? {
                    show(Row::File(row))?;
                }
                Ok(())
            }
            Self::Server(session) => session.each(sql, values, |row| show(Row::Server(row))),
        }
    }

    /// What is read of each row that is found.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, Misread>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// What is read of the first row that is found, if there is one.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, Misread>,
    ) -> Result<Option<T>, Error> {
        let mut found = None;
        self.each(sql, values, |row| {
            if found.is_none() {
                found = Some(read(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// A number that a statement gives, such as a count; 0 where it gives none.
    pub(super) fn number(&self, sql: &str, values: &[Value<'_>]) -> Result<i64, Error> {
        Ok(self.first(sql, values, |row| row.get::<Option<i64>>(0))?.flatten().unwrap_or(0))
    }

    /// Begins a transaction: what is not committed is undone. On a server those within another belong to it.
    pub(super) fn transaction(&self) -> Result<Transaction<'_>, Error> {
        let held = match self {
            Self::File(file) => Some(file.unchecked_transaction()?),
            Self::Server(session) => {
                session.begin();
                None
            }
        };
        Ok(Transaction { connection: self, held, open: true })
    }
}

/// What is committed or undone as a whole.
#[derive(Debug)]
pub(super) struct Transaction<'c> {
    connection: &'c Connection,
    held: Option<rusqlite::Transaction<'c>>,
    open: bool,
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Transaction<'_> {
    pub(super) fn commit(mut self) -> Result<(), Error> {
        self.open = false;
        match (self.held.take(), self.connection) {
            (Some(held), _) => Ok(held.commit()?),
            (None, Connection::Server(session)) => session.commit(),
            (None, Connection::File(_)) => Ok(()),
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if let (true, Connection::Server(session)) = (self.open, self.connection) {
            session.undo();
        }
    }
}
