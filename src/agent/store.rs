//! Looks on their way: numbered, on the disk, and held until the daemon has them on its own. Bounded: the oldest of those that
//! say nothing new go first, and how many went is told.

use super::ticks::Ticks;
use crate::model::{AgentLook, CameraId, FailureKind, LoginRecord, Observation};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::{collections::BTreeMap, path::Path};

/// Looks that are held at most: a week of twenty cameras that are asked each minute is two hundred thousand.
const MOST: i64 = 300_000;
/// For how long, in milliseconds.
const LONGEST: i64 = 7 * 24 * 3600 * 1000;
/// What of a message is filled with looks, in bytes of JSON, and how many. Packed it is a tenth of that; the daemon takes 64 KiB.
const MESSAGE: usize = 256 * 1024;
const LOOKS: usize = 400;

/// What is held.
pub(super) struct Store {
    connection: Connection,
    /// What was last seen of each camera, to know what is new.
    last: BTreeMap<CameraId, Option<FailureKind>>,
}

/// Looks to be sent.
pub(super) struct Outgoing {
    pub(super) looks: Vec<AgentLook>,
    /// Looks that wait behind them.
    pub(super) behind: u64,
    /// Looks that were given up.
    pub(super) dropped: u64,
}

impl Store {
    /// Opens what is held in a folder; `print` is whose it is, since numbers begin anew with another key.
    pub(super) fn open(folder: &Path, print: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(folder.join("looks.sqlite3"))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A number that was sent must never be given again, after a power cut neither.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "cache_size", -512)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS look (
                 number INTEGER PRIMARY KEY AUTOINCREMENT, camera TEXT NOT NULL, boot TEXT NOT NULL, ticks INTEGER NOT NULL,
                 wall INTEGER NOT NULL, news INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
             CREATE INDEX IF NOT EXISTS look_of_no_news ON look (news, number);
             CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;",
        )?;
        let store = Self { connection, last: BTreeMap::new() };
        if store.state("key")?.as_deref() != Some(print) {
            store.connection.execute_batch("DELETE FROM look; DELETE FROM state; DELETE FROM sqlite_sequence")?;
            store.keep("key", print)?;
        }
        Ok(store)
    }

    fn state(&self, name: &str) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT value FROM state WHERE name = ?1";
        self.connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()
    }

    fn keep(&self, name: &str, value: &str) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO state (name, value) VALUES (?1, ?2)";
        self.connection.prepare_cached(sql)?.execute((name, value)).map(drop)
    }

    /// Holds looks, in one transaction; whether any of them says something new.
    pub(super) fn put(
        &mut self,
        looks: &[(CameraId, Box<Observation>)],
        now: (&Ticks, Timestamp),
    ) -> rusqlite::Result<bool> {
        let (ticks, wall) = now;
        let mut any = false;
        let transaction = self.connection.transaction()?;
        for (camera, seen) in looks {
            let failure = seen.failure.as_ref().map(|failure| failure.kind);
            // A failure is told each time until the state follows from it, which the daemon decides.
            let news = failure.is_some() || self.last.insert(camera.clone(), failure) != Some(failure);
            self.last.insert(camera.clone(), failure);
            any |= news;
            let body = serde_json::to_string(seen).unwrap_or_default();
            let sql = "INSERT INTO look (camera, boot, ticks, wall, news, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let values = params![camera.as_str(), ticks.boot, ticks.since, wall.as_millisecond(), news, body];
            transaction.prepare_cached(sql)?.execute(values)?;
        }
        transaction.commit()?;
        Ok(any)
    }

    /// The number of the look that was put last.
    pub(super) fn last(&self) -> u64 {
        self.connection.last_insert_rowid().unsigned_abs()
    }

    /// The next looks to be sent, by number.
    pub(super) fn next(&self, now: (&Ticks, Timestamp)) -> rusqlite::Result<Outgoing> {
        let (ticks, wall) = now;
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT * FROM look ORDER BY number LIMIT {LOOKS}"))?;
        let mut rows = statement.query([])?;
        let (mut looks, mut size) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let body: String = row.get("body")?;
            size += body.len();
            if size > MESSAGE && !looks.is_empty() {
                break;
            }
            // One of an earlier version that cannot be read is not sent; its number is skipped.
            let Ok(seen) = serde_json::from_str(&body) else { continue };
            let then = Ticks { boot: row.get("boot")?, since: row.get("ticks")? };
            let (age, error) = ticks.age(&then, wall.as_millisecond() - row.get::<_, i64>("wall")?);
            let camera = CameraId::from(row.get::<_, String>("camera")?.as_str());
            looks.push(AgentLook {
                number: row.get::<_, i64>("number")?.unsigned_abs(),
                camera,
                age,
                error,
                seen,
                oversized: false,
            });
        }
        let held: i64 = self.connection.query_row("SELECT count(*) FROM look", [], |row| row.get(0))?;
        let dropped = self.state("dropped")?.and_then(|count| count.parse().ok()).unwrap_or(0);
        Ok(Outgoing { behind: held.unsigned_abs().saturating_sub(looks.len() as u64), looks, dropped })
    }

    /// The daemon has all up to a number.
    pub(super) fn taken(&self, number: u64) -> rusqlite::Result<()> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.connection.prepare_cached("DELETE FROM look WHERE number <= ?1")?.execute([number]).map(drop)
    }

    /// Gives up what is too old or too much, the oldest that says nothing new first; how much.
    pub(super) fn bound(&self, now: (&Ticks, Timestamp)) -> rusqlite::Result<u64> {
        self.bound_to(now, MOST)
    }

    fn bound_to(&self, (ticks, wall): (&Ticks, Timestamp), most: i64) -> rusqlite::Result<u64> {
        let old = "DELETE FROM look WHERE boot = ?1 AND ticks < ?2 OR boot <> ?1 AND wall < ?3";
        let values = params![ticks.boot, ticks.since - LONGEST, wall.as_millisecond() - LONGEST];
        let mut gone = self.connection.prepare_cached(old)?.execute(values)? as i64;
        let held: i64 = self.connection.query_row("SELECT count(*) FROM look", [], |row| row.get(0))?;
        let sql = "DELETE FROM look WHERE number IN (SELECT number FROM look ORDER BY news, number LIMIT ?1)";
        gone += self.connection.prepare_cached(sql)?.execute([(held - most).max(0)])? as i64;
        if gone > 0 {
            let before: u64 = self.state("dropped")?.and_then(|count| count.parse().ok()).unwrap_or(0);
            self.keep("dropped", &(before + gone.unsigned_abs()).to_string())?;
        }
        Ok(gone.unsigned_abs())
    }

    /// How logins fared, so that no restart tries a password again that was refused.
    pub(super) fn logins(&self) -> rusqlite::Result<Vec<LoginRecord>> {
        Ok(self.state("logins")?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    pub(super) fn keep_login(&self, record: &LoginRecord) -> rusqlite::Result<()> {
        let mut logins = self.logins()?;
        logins.retain(|known| known.device != record.device || known.onvif != record.onvif);
        logins.push(record.clone());
        self.keep("logins", &serde_json::to_string(&logins).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Check, Detail, Failure};
    use proptest::prelude::*;

    fn wall(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    fn ticks(second: i64) -> Ticks {
        Ticks { boot: "b".into(), since: second * 1000 }
    }

    fn look(camera: &str, fails: bool) -> (CameraId, Box<Observation>) {
        let failure = fails.then(|| Failure::new(FailureKind::Refused, Detail::default()));
        (camera.into(), Box::new(Observation { failure, ..Observation::new(Check::Liveness, wall(0)) }))
    }

    fn store(folder: &Path) -> Store {
        Store::open(folder, "key").expect("a disk")
    }

    fn numbers(store: &Store, second: i64) -> Vec<u64> {
        let next = store.next((&ticks(second), wall(second))).expect("a disk");
        next.looks.iter().map(|look| look.number).collect()
    }

    #[test]
    fn what_changed_is_new_and_a_number_is_given_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut held = store(folder.path());
        let mut put = |camera: &str, fails| held.put(&[look(camera, fails)], (&ticks(0), wall(0))).expect("a disk");
        assert!(put("a", false), "the first of a camera");
        assert!(!put("a", false));
        assert!(put("a", true) && put("a", true), "failures are told each time");
        assert!(put("a", false) && !put("a", false));
        assert_eq!(numbers(&held, 60), [1, 2, 3, 4, 5, 6]);
        held.taken(6).expect("a disk");
        drop(held);
        let mut held = store(folder.path());
        assert!(numbers(&held, 60).is_empty());
        held.put(&[look("a", false)], (&ticks(61), wall(61))).expect("a disk");
        assert_eq!(numbers(&held, 90), [7], "a restart gives none again");
        let next = held.next((&ticks(90), wall(-9999))).expect("a disk");
        assert_eq!((next.looks[0].age, next.looks[0].error), (29_000, 0), "whatever the wall clock says");
        drop(held);
        let held = Store::open(folder.path(), "another key").expect("a disk");
        assert!(numbers(&held, 90).is_empty(), "what was another's is not sent by this one");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// What goes first says nothing new, and the oldest of it; what is left is in order, and what went is counted.
        #[test]
        fn the_oldest_of_no_news_goes_first(fails in prop::collection::vec(any::<bool>(), 1..60), most in 0..40i64) {
            let folder = tempfile::tempdir().expect("a folder");
            let mut held = store(folder.path());
            let mut news = Vec::new();
            for (number, fails) in (1u64..).zip(&fails) {
                if held.put(&[look("a", *fails)], (&ticks(0), wall(0))).expect("a disk") {
                    news.push(number);
                }
            }
            let gone = held.bound_to((&ticks(1), wall(1)), most).expect("a disk");
            let left = numbers(&held, 1);
            prop_assert_eq!(left.len() as u64 + gone, fails.len() as u64);
            prop_assert!(left.len() as i64 <= most && left.is_sorted());
            prop_assert_eq!(held.next((&ticks(1), wall(1))).expect("a disk").dropped, gone);
            let lost_news = news.iter().filter(|number| !left.contains(number)).count();
            let kept_others = left.iter().filter(|number| !news.contains(number)).count();
            prop_assert!(lost_news == 0 || kept_others == 0, "news goes last");
        }
    }

    #[test]
    fn what_is_older_than_a_week_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut held = store(folder.path());
        for day in 0..10 {
            let second = day * 24 * 3600;
            held.put(&[look("a", true)], (&ticks(second), wall(second))).expect("a disk");
        }
        let now = 9 * 24 * 3600 + 10;
        assert_eq!(held.bound((&ticks(now), wall(now))), Ok(3));
        assert_eq!(numbers(&held, now), [4, 5, 6, 7, 8, 9, 10]);
    }
}
