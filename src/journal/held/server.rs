//! The journal on a server as its thread holds it: taken for this process alone, and taken again when the session was lost.
//!
//! A session takes an advisory lock, which ends with it: so nobody else writes meanwhile, and a daemon that dies lets go at
//! once. Whoever takes the journal raises its fence, which each commit carries (`schema/server`): one that was cut off, and
//! comes back when somebody else has taken it, is refused.

use super::super::{
    Error, schema,
    server::Server,
    sql::{Connection, Fence, Misread, Row, Session, values},
    table,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long the thread waits for the server: several such waits fit into the time after which the daemon's health says that
/// nothing gets on.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a journal that is about to be let go is waited for, by the first to take it.
const LET_GO: Duration = Duration::from_secs(5);
/// A holder that was not seen for so long by the server's clock has lost its turn, where daemons stand by for each other. It gives it
/// up by itself before that (`store.rs`).
const LOST_AFTER: &str = "15 seconds";
/// How soon a server that could not be asked is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a page may take to be read.
const READING: Duration = Duration::from_secs(60);
/// What a command does may take as long as it takes.
pub(in crate::journal) const WITHOUT_END: Duration = Duration::from_secs(24 * 60 * 60);

/// By which a session holds the journal of its schema.
const LOCK: &str = "hashtextextended(current_setting('search_path'), 9740)";

/// What a session asks of the server. A transaction whose session is gone ends there within half a minute.
const SETTINGS: &str = "
    SET client_min_messages = warning;
    SET timezone = 'UTC';
    SET idle_in_transaction_session_timeout = '20s';
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
";

/// The schema, as far as it is ours.
#[derive(Debug)]
pub(in crate::journal) struct Taken {
    server: Arc<Server>,
    /// Whether a holder that has lost its turn is ended.
    standby: bool,
    /// The session that holds it; none while it cannot be asked.
    connection: Option<Connection>,
    /// Why it cannot be asked, for people.
    why: String,
    /// By which the server knows the session, so that one that was lost and lingers there is ended.
    process: Option<i64>,
    fence: Option<Fence>,
    blank: bool,
    taken: bool,
    tried: Option<Instant>,
    beside: Arc<AtomicBool>,
}

impl Taken {
    pub(super) fn new(server: Arc<Server>, standby: bool) -> Self {
        Self {
            server,
            standby,
            connection: None,
            why: String::new(),
            process: None,
            fence: None,
            blank: false,
            taken: false,
            tried: None,
            beside: Arc::default(),
        }
    }

    pub(super) fn connection(&self) -> Result<&Connection, Error> {
        self.connection.as_ref().ok_or_else(|| Error::Impaired(self.why.clone()))
    }

    pub(super) fn begin(&mut self) -> Result<(), Error> {
        let begun = self.take(LET_GO);
        self.blank = begun.is_err();
        begun
    }

    pub(super) fn beside(&self) -> Arc<AtomicBool> {
        self.beside.clone()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.session().is_some_and(|session| !session.is_lost())
    }

    pub(super) fn is_blank(&self) -> bool {
        self.blank
    }

    pub(super) fn was_taken(&self) -> bool {
        self.taken
    }

    pub(super) fn commits(&self) -> i64 {
        self.session().and_then(Session::carried).or(self.fence).map_or(0, |fence| fence.commits)
    }

    pub(super) fn tried_lately(&self) -> bool {
        self.tried.is_some_and(|tried| tried.elapsed() < AGAIN)
    }

    /// Takes it again.
    pub(super) fn attach(&mut self) -> Result<(), Error> {
        self.take(Duration::ZERO)
    }

    fn session(&self) -> Option<&Session> {
        self.connection.as_ref().and_then(Connection::server)
    }

    fn take(&mut self, let_go: Duration) -> Result<(), Error> {
        self.tried = Some(Instant::now());
        let taken = self.try_to_take(let_go);
        if let Err(error) = &taken {
            self.why = error.to_string();
        }
        taken
    }

    fn try_to_take(&mut self, let_go: Duration) -> Result<(), Error> {
        self.fence = self.session().and_then(Session::carried).or(self.fence);
        self.connection = None;
        self.beside.store(false, Ordering::Relaxed);
        let session = signed_in(&self.server)?;
        self.lock(&session, let_go)?;
        prepare(&session, &self.server)?;
        let known = self.holder(&session)?;
        let fence = match self.fence {
            // What an answer was lost of is decided by now: the session that sent it is at its end.
            Some(ours) if ours.fence == known.fence => known,
            ours => {
                self.taken |= ours.is_some();
                let next = Fence { fence: known.fence + 1, commits: 0 };
                let sql =
                    "UPDATE holder SET fence = ?1, commits = 0, name = ?2, renews = ?3, since = now(), seen = now()";
                session.put(sql, values![next.fence, process(), self.standby])?;
                next
            }
        };
        session.carry(fence);
        self.process = one(&session, "SELECT pg_backend_pid()", |row| row.get(0))?;
        self.connection = Some(Connection::Server(Box::new(session)));
        self.beside.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Takes the lock, which is the session's. One of our own that lingers on the server is ended.
    fn lock(&self, session: &Session, let_go: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + let_go.max(if self.process.is_some() { PATIENCE } else { Duration::ZERO });
        let mut ended = false;
        loop {
            if try_lock(session)? {
                return Ok(());
            }
            // Another's number may be the same by now; it is ended only where it holds our lock.
            let of_ours = self.process.map(|process| format!("AND pid = {process}"));
            let of_others = if self.standby && is_lost(session)? { Some(String::new()) } else { None };
            if let (Some(whose), false) = (of_others.or(of_ours), ended) {
                session.put(&end_of_holder(&whose), values![])?;
                ended = true;
            }
            if Instant::now() >= deadline {
                // Who it is stands in a table that there may not be yet.
                let by = holder_name(session).ok().flatten().map(|name| format!(" ({name})")).unwrap_or_default();
                return Err(Error::Held { journal: self.server.told(), by });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn holder(&self, session: &Session) -> Result<Fence, Error> {
        let fence = one(session, "SELECT fence, commits FROM holder", |row| {
            Ok(Fence { fence: row.get(0)?, commits: row.get(1)? })
        })?;
        fence.ok_or_else(|| Error::Damaged(format!("{} has no row in its table holder", self.server.told())))
    }
}

/// Takes the lock for a session, if nobody has it.
fn try_lock(session: &Session) -> Result<bool, Error> {
    let taken = one(session, &format!("SELECT pg_try_advisory_lock({LOCK})"), |row| row.get(0))?;
    Ok(taken.unwrap_or(false))
}

/// SQL that ends the session which holds the journal; `whose` is a further condition.
pub(in crate::journal) fn end_of_holder(whose: &str) -> String {
    end_of(LOCK, whose)
}

/// The same of any lock of ours.
pub(in crate::journal) fn end_of(lock: &str, whose: &str) -> String {
    format!("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {} {whose}", held(lock))
}

/// That a row of `pg_locks` is a session's which holds a lock.
pub(in crate::journal) fn held(lock: &str) -> String {
    format!(
        "locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = {lock}
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

/// This machine and process, for people.
pub(in crate::journal) fn process() -> String {
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{machine}, process {}", std::process::id())
}

/// SQL that makes a server's schema: whoever may make none finds one that an administrator made.
pub(in crate::journal) fn made(server: &Server) -> String {
    let name = server.schema();
    format!("DO $$ BEGIN IF to_regnamespace('{name}') IS NULL THEN CREATE SCHEMA {name}; END IF; END $$")
}

fn holder_name(session: &Session) -> Result<Option<String>, Error> {
    one(session, "SELECT name FROM holder", |row| row.get(0))
}

/// Whether whoever holds the journal has lost its turn.
fn is_lost(session: &Session) -> Result<bool, Error> {
    // One that is alone does not renew its turn, and never loses it.
    let sql = format!("SELECT renews AND seen < clock_timestamp() - interval '{LOST_AFTER}' FROM holder");
    // Before the tables are made it was seen at that moment.
    match one(session, &sql, |row| row.get(0)) {
        Ok(lost) => Ok(lost.unwrap_or(false)),
        Err(Error::Server(trouble)) if !trouble.ends_session() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whose turn it is to hold a journal for which daemons stand by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Nobody holds it, or whoever does has lost its turn.
    Ours,
    /// Another holds it, by this name.
    Others(String),
}

/// Asks whose turn it is. Blocks for some seconds where the server does not answer.
pub fn turn(server: &Server) -> Result<Turn, Error> {
    let session = signed_in(server)?;
    // It is let go with the session.
    if try_lock(&session)? || is_lost(&session)? {
        return Ok(Turn::Ours);
    }
    Ok(Turn::Others(holder_name(&session)?.unwrap_or_default()))
}

/// Takes the journal for a command, while no daemon runs.
pub(in crate::journal) fn alone(server: &Arc<Server>) -> Result<Connection, Error> {
    let mut taken = Taken::new(server.clone(), false);
    taken.begin()?;
    let connection = taken.connection.take();
    connection.ok_or(Error::Closed)
}

/// Reads the journal beside whoever holds it; `None` where there is none yet.
pub(in crate::journal) fn reader(server: &Server) -> Result<Option<Connection>, Error> {
    let session = signed_in(server)?;
    let limit = READING.as_millis();
    session.script(&format!("SET default_transaction_read_only = on; SET statement_timeout = {limit}"))?;
    session.wait_for(READING);
    match format(&session, server)? {
        Some(found) if found < schema::LATEST => Err(Error::Older { found, known: schema::LATEST }),
        Some(_) => Ok(Some(Connection::Server(Box::new(session)))),
        None => Ok(None),
    }
}

/// The same where there is to be one.
pub(in crate::journal) fn known(server: &Server) -> Result<Connection, Error> {
    let none = || Error::Impaired(format!("there is no journal at {} yet: camhealth run makes it", server.told()));
    reader(server)?.ok_or_else(none)
}

/// Writes a server's tables anew without what nothing uses, however long that takes.
pub(in crate::journal) fn write_anew(connection: &Connection) -> Result<(), Error> {
    let Some(session) = connection.server() else { return Ok(()) };
    session.wait_for(WITHOUT_END);
    table::ALL.iter().try_for_each(|table| session.script(&format!("VACUUM (FULL) {}", table.name)))
}

/// How a server fares that is to hold the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Whether there is a journal yet.
    pub is_there: bool,
    /// Whether a daemon holds it.
    pub is_held: bool,
    /// Whether its pages have sums, by which it tells damage.
    pub has_sums: bool,
    /// Its clock minus ours, in seconds.
    pub ahead: f64,
}

/// Asks a server, without a change.
pub fn ask(server: &Server, now: impl Fn() -> jiff::Timestamp) -> Result<Asked, Error> {
    let session = signed_in(server)?;
    let is_there = format(&session, server)?.is_some();
    let is_held = !try_lock(&session)?;
    let sums: Option<String> = one(&session, "SELECT current_setting('data_checksums')", |row| row.get(0))?;
    let (before, theirs) = (now(), "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
    let theirs: i64 = one(&session, theirs, |row| row.get(0))?.unwrap_or_default();
    let ours = i64::midpoint(before.as_millisecond(), now().as_millisecond());
    let ahead = theirs.saturating_sub(ours) as f64 / 1000.0;
    Ok(Asked { is_there, is_held, has_sums: sums.as_deref() == Some("on"), ahead })
}

/// A session in the server's schema.
pub(in crate::journal) fn signed_in(server: &Server) -> Result<Session, Error> {
    let session = Session::connect(server, PATIENCE)?;
    session.script(&format!("{SETTINGS} SET search_path = {}", server.schema()))?;
    Ok(session)
}

/// The journal's format, if there is one.
fn format(session: &Session, server: &Server) -> Result<Option<i64>, Error> {
    let there = "SELECT 1 FROM pg_tables WHERE schemaname = ?1 AND tablename = 'holder'";
    let mut found = false;
    session.each(there, values![server.schema()], |_| {
        found = true;
        Ok(())
    })?;
    let format = if found { one(session, "SELECT format FROM holder", |row| row.get(0))? } else { None };
    match format {
        Some(found) if found > schema::LATEST => Err(Error::Newer { found, known: schema::LATEST }),
        other => Ok(other),
    }
}

/// Makes the tables, or brings them to the latest format, each step whole or not at all.
fn prepare(session: &Session, server: &Server) -> Result<(), Error> {
    let found = format(session, server)?.unwrap_or(0);
    if found == schema::LATEST {
        return Ok(());
    }
    session.wait_for(WITHOUT_END);
    for (number, step) in schema::SERVER_STEPS.iter().filter(|(number, _)| *number > found) {
        let make = made(server);
        session.script(&format!("BEGIN; {make}; {step}; UPDATE holder SET format = {number}; COMMIT"))?;
    }
    session.wait_for(PATIENCE);
    Ok(())
}

fn one<T>(
    session: &Session,
    sql: &str,
    mut read: impl FnMut(Row<'_>) -> Result<T, Misread>,
) -> Result<Option<T>, Error> {
    let mut found = None;
    session.each(sql, values![], |row| {
        found = Some(read(Row::Server(row))?);
        Ok(())
    })?;
    Ok(found)
}
