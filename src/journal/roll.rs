//! The roll of a province on its server: which machines share it, and which of them watches which commune.
//!
//! Each member writes its own row each second and holds a lock by its name as long as its session lives. A move
//! counts where the row still stands as it did when it was decided.

use super::{
    Error,
    held::{end_of, held, made, process, signed_in},
    server::Server,
    sql::{Connection, values},
};
use crate::model::{CommuneId, Holding, Member, MemberId, Move, Province};
use jiff::Timestamp;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

/// The format of the roll's tables.
const FORMAT: i64 = 1;
/// For so long a member must have had its session before it believes that others have none any more: a server that was started
/// anew has none of anybody's at first.
const SETTLED: Duration = Duration::from_secs(5);
/// Who was not seen for so long by the server's clock is taken for gone.
const GONE_AFTER: &str = "15 seconds";
/// How often a member says anew which communes it has, where nothing changed.
const LIST_EVERY: Duration = Duration::from_secs(60 * 60);
/// What was not listed, and who was not seen, for so long is forgotten.
const FORGOTTEN_AFTER: &str = "7 days";

/// A number that a member's lock is known by; `name` is a place or a column.
fn lock_of(name: &str) -> String {
    format!("hashtextextended(current_setting('search_path') || ' ' || {name}, 9741)")
}

/// A commune as a member's configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// By the schema of its journal.
    pub id: CommuneId,
    /// Its name, for people.
    pub name: String,
    /// How many cameras it has.
    pub cameras: u32,
    /// The port of its pages.
    pub port: u16,
    /// The machine that one of its channels hangs on.
    pub home: Option<MemberId>,
}

/// The roll as a member has it.
pub struct Roll {
    server: Arc<Server>,
    me: MemberId,
    address: IpAddr,
    began: Instant,
    session: Option<Connection>,
    signed_in: Option<Instant>,
    /// By which the server knows the session, so that one of ours that lingers there is ended.
    process: Option<i64>,
    listed: Option<(Instant, Vec<Listed>)>,
}

impl Roll {
    /// Nothing is asked yet.
    pub fn new(server: Arc<Server>, me: MemberId, address: IpAddr) -> Self {
        let began = Instant::now();
        Self { server, me, address, began, session: None, signed_in: None, process: None, listed: None }
    }

    /// Whether the session has lasted for long enough to believe what it shows of others.
    pub fn is_settled(&self) -> bool {
        self.signed_in.is_some_and(|at| at.elapsed() >= SETTLED)
    }

    /// Says that this member lives and what it has; what stands in the roll then. Blocks, for some seconds where the server does
    /// not answer.
    pub fn say(&mut self, has: &[Listed], able: &BTreeSet<CommuneId>, is_leaving: bool) -> Result<Province, Error> {
        let said = self.try_to_say(has, able, is_leaving);
        if said.is_err() {
            self.forget_session();
        }
        said
    }

    fn try_to_say(&mut self, has: &[Listed], able: &BTreeSet<CommuneId>, is_leaving: bool) -> Result<Province, Error> {
        if self.session.is_none() {
            self.sign_in()?;
        }
        let session = self.session.as_ref().ok_or(Error::Closed)?;
        let able: Vec<&str> = able.iter().map(CommuneId::as_str).collect();
        let (able, age) = (serde_json::json!(able).to_string(), self.began.elapsed().as_millis() as i64);
        let transaction = session.transaction()?;
        if self.listed.as_ref().is_none_or(|(at, listed)| at.elapsed() >= LIST_EVERY || listed != has) {
            for commune in has {
                let sql = "INSERT INTO commune (id, name, cameras, port, home, listed) VALUES (?1, ?2, ?3, ?4, ?5, now())
                           ON CONFLICT (id) DO UPDATE SET name = ?2, cameras = ?3, port = ?4, home = ?5, listed = now()";
                let (port, home) = (u32::from(commune.port), commune.home.as_ref().map(MemberId::as_str));
                transaction.put(sql, values![commune.id.as_str(), &commune.name, commune.cameras, port, home])?;
            }
            let old = format!("now() - interval '{FORGOTTEN_AFTER}'");
            transaction.put(&format!("DELETE FROM commune WHERE listed < {old}"), values![])?;
            transaction.put(&format!("DELETE FROM member WHERE seen < {old}"), values![])?;
            self.listed = Some((Instant::now(), has.to_vec()));
        }
        let sql = "INSERT INTO member (name, address, version, process, began, seen, leaving, communes)
                   VALUES (?1, ?2, ?3, ?4, clock_timestamp() - ?5::bigint * interval '1 millisecond', clock_timestamp(), ?6, ?7)
                   ON CONFLICT (name) DO UPDATE SET address = ?2, version = ?3, process = ?4, began = excluded.began,
                       seen = excluded.seen, leaving = ?6, communes = ?7";
        let (address, version) = (self.address.to_string(), env!("CARGO_PKG_VERSION"));
        let row = values![self.me.as_str(), address, version, process(), age, is_leaving, &able];
        transaction.put(sql, row)?;
        transaction.commit()?;
        read(session)
    }

    /// Makes a change, if what it was decided by still stands there; whether it did.
    pub fn make(&mut self, step: &Move, now: Timestamp) -> Result<bool, Error> {
        let made = self.try_to_make(step, now);
        if made.is_err() {
            self.forget_session();
        }
        made
    }

    fn try_to_make(&self, step: &Move, now: Timestamp) -> Result<bool, Error> {
        let session = self.session.as_ref().ok_or(Error::Closed)?;
        let (me, id, now) = (self.me.as_str(), step.commune().as_str(), now.as_millisecond());
        let changed = match step {
            Move::Claim { from, .. } => {
                let sql = "UPDATE commune SET holder = ?1, since = ?4, next = NULL, ready = false
                           WHERE id = ?2 AND holder IS NOT DISTINCT FROM ?3";
                session.execute(sql, values![me, id, from.as_ref().map(MemberId::as_str), now])?
            }
            Move::Offer { to, .. } => {
                let sql = "UPDATE commune SET next = ?3, ready = false WHERE id = ?2 AND holder = ?1 AND next IS NULL";
                session.execute(sql, values![me, id, to.as_str()])?
            }
            Move::Withdraw { to, .. } => {
                let sql = "UPDATE commune SET next = NULL, ready = false WHERE id = ?2 AND holder = ?1 AND next = ?3";
                session.execute(sql, values![me, id, to.as_str()])?
            }
            Move::Ready { .. } => {
                let sql = "UPDATE commune SET ready = true WHERE id = ?2 AND next = ?1";
                session.execute(sql, values![me, id])?
            }
            Move::HandOver { to, .. } => {
                let sql = "UPDATE commune SET holder = ?3, since = ?4, next = NULL, ready = false
                           WHERE id = ?2 AND holder = ?1 AND next = ?3 AND ready";
                session.execute(sql, values![me, id, to.as_str(), now])?
            }
            Move::LetGo { .. } => {
                let sql = "UPDATE commune SET holder = NULL, since = NULL, next = NULL, ready = false
                           WHERE id = ?2 AND holder = ?1";
                session.execute(sql, values![me, id])?
            }
        };
        Ok(changed > 0)
    }

    /// Takes this member out of the roll.
    pub fn leave(&mut self) -> Result<(), Error> {
        let session = self.session.take().ok_or(Error::Closed)?;
        session.put("DELETE FROM member WHERE name = ?1", values![self.me.as_str()])
    }

    fn forget_session(&mut self) {
        (self.session, self.signed_in, self.listed) = (None, None, None);
    }

    fn sign_in(&mut self) -> Result<(), Error> {
        let session = prepared(&self.server)?;
        let lock = format!("SELECT pg_try_advisory_lock({})", lock_of("?1"));
        let taken = || session.first(&lock, values![self.me.as_str()], |row| row.get::<bool>(0));
        if taken()? != Some(true) {
            if let Some(process) = self.process.take() {
                // It is ended only where it holds our name: another's number may be the same by now.
                session.put(&end_of(&lock_of("?1"), "AND pid = ?2"), values![self.me.as_str(), process])?;
            }
            let by = session.first("SELECT process FROM member WHERE name = ?1", values![self.me.as_str()], |row| {
                row.get::<String>(0)
            })?;
            let by = by.map(|by| format!(" ({by})")).unwrap_or_default();
            let why = format!(
                "another machine is in the roll as {:?}{by}, or was a moment ago: give this one a name of its own in [province] \
                 member, or wait for half a minute",
                self.me.as_str()
            );
            return Err(Error::Impaired(why));
        }
        self.process = session.first("SELECT pg_backend_pid()", values![], |row| row.get(0))?;
        (self.session, self.signed_in) = (Some(session), Some(Instant::now()));
        Ok(())
    }
}

/// A session in the roll's schema, with its tables.
fn prepared(server: &Server) -> Result<Connection, Error> {
    let session = signed_in(server)?;
    let session = Connection::Server(Box::new(session));
    if !is_there(&session, server)?
        && let Some(script) = session.server()
    {
        // Of several who find none at once, one makes it.
        script.script(&format!("BEGIN; SELECT pg_advisory_xact_lock({})", lock_of("''")))?;
        if !is_there(&session, server)? {
            script.script(&format!("{}; {}", made(server), include_str!("schema/server/roll.sql")))?;
        }
        script.script("COMMIT")?;
    }
    known(&session)?;
    Ok(session)
}

/// Refuses a roll of a later version.
fn known(session: &Connection) -> Result<(), Error> {
    match session.number("SELECT format FROM roll", values![])? {
        found if found > FORMAT => Err(Error::Impaired(format!(
            "it has format {found}, this program knows up to {FORMAT}: a newer camhealth wrote it; upgrade this machine"
        ))),
        _ => Ok(()),
    }
}

/// A command's session; none where there is no roll yet.
fn beside(server: &Server) -> Result<Option<Connection>, Error> {
    let session = Connection::Server(Box::new(signed_in(server)?));
    if !is_there(&session, server)? {
        return Ok(None);
    }
    known(&session)?;
    Ok(Some(session))
}

fn is_there(session: &Connection, server: &Server) -> Result<bool, Error> {
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = ?1 AND tablename = 'roll'";
    Ok(session.number(sql, values![server.schema()])? > 0)
}

/// What stands in the roll, for a command.
pub fn province(server: &Server) -> Result<Province, Error> {
    beside(server)?.map_or_else(|| Ok(Province::default()), |session| read(&session))
}

/// Notes where an administrator wants a commune to be, or that it is all the same; whether there is such a commune.
pub fn wish(server: &Server, commune: &CommuneId, at: Option<&MemberId>) -> Result<bool, Error> {
    let Some(session) = beside(server)? else { return Ok(false) };
    let at = at.map(MemberId::as_str);
    Ok(session.execute("UPDATE commune SET wish = ?2 WHERE id = ?1", values![commune.as_str(), at])? > 0)
}

fn read(session: &Connection) -> Result<Province, Error> {
    let ago = |column: &str| format!("(extract(epoch FROM clock_timestamp() - {column}) * 1000)::bigint");
    let sql = format!(
        "SELECT name, address, version, leaving, communes, {}, {},
                seen > clock_timestamp() - interval '{GONE_AFTER}' AND EXISTS (SELECT 1 FROM pg_locks WHERE {})
         FROM member",
        ago("began"),
        ago("seen"),
        held(&lock_of("member.name"))
    );
    let length = |milliseconds: i64| Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
    let members = session.all(&sql, values![], |row| {
        let member = Member {
            // An address that is none is reached by nobody, and harms nothing.
            address: row.get::<String>(1)?.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            version: row.get(2)?,
            is_leaving: row.get(3)?,
            communes: serde_json::from_str(&row.get::<String>(4)?).unwrap_or_default(),
            age: length(row.get(5)?),
            seen: length(row.get(6)?),
            is_alive: row.get(7)?,
        };
        Ok((MemberId::from(row.get::<String>(0)?.as_str()), member))
    })?;
    let sql = "SELECT id, name, cameras, port, holder, since, next, ready, wish, home FROM commune";
    let communes = session.all(sql, values![], |row| {
        let member = |place: usize| Ok(row.get::<Option<String>>(place)?.map(|name| MemberId::from(name.as_str())));
        let since = row.get::<Option<i64>>(5)?.and_then(|since| Timestamp::from_millisecond(since).ok());
        let holding = Holding {
            name: row.get(1)?,
            cameras: row.get(2)?,
            port: row.get::<u32>(3)?.try_into().unwrap_or(0),
            holder: member(4)?,
            since,
            next: member(6)?,
            is_ready: row.get(7)?,
            wish: member(8)?,
            home: member(9)?,
        };
        Ok((CommuneId::from(row.get::<String>(0)?.as_str()), holding))
    })?;
    Ok(Province { members: members.into_iter().collect(), communes: communes.into_iter().collect() })
}

#[cfg(test)]
#[path = "roll_tests.rs"]
mod tests;
