//! What is forgotten, and when: a little at a time, so that the thread is never held for long.
//!
//! Of changes, the last row of each thing before the limit stays: it says what held when the time began that is still
//! remembered. Transcripts go by age, by number for each camera, and the oldest first where the file grows too big. The
//! audit trail goes from its beginning on, so that what is left is one chain.

use super::{
    Batch, Error, Settings,
    kept::{self, Holds},
    people,
    settings::Keep,
    sql::{Connection, Value, values},
};
use crate::{model::CameraId, rights::Entry};
use jiff::Timestamp;
use std::{collections::HashMap, time::Duration};

/// How long forgetting may hold the thread, each minute: so long, and the longer the more transcripts were written since
/// it last did, so that what a large fleet writes is forgotten as quickly as it comes.
const AT_A_TIME: Duration = Duration::from_millis(200);
const OF_A_TRANSCRIPT: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_secs(1);
/// Rows that go in one transaction.
const PORTION: u32 = 500;
/// Transcripts of a camera that are kept, of good looks and of failed ones each: a day of looks once a minute, and no
/// more of a camera that fails on purpose a thousand times an hour.
pub(super) const TRANSCRIPTS: usize = 2000;
/// Of the size above which transcripts go, hours may take so much: else years of them would leave no room for any.
const HOURS_PART: i64 = 4;
/// About how much all hours take: 20 bytes a row beside what is in it.
const HOURS: &str = "SELECT (SELECT sum(length(parts) + length(camera) + 20) FROM hour_figures
                             WHERE begins = (SELECT max(begins) - 86400 FROM hour_figures))
                          * (SELECT (max(begins) - min(begins)) / 86400 + 1 FROM hour_figures)";
/// Transcripts after which a camera's are counted again: that walks over all of them.
const COUNTED_EVERY: usize = 100;
/// Cameras whose transcripts are counted at once; the others wait for the next minute.
const COUNTED_AT_ONCE: usize = 20;
/// Pages that are given back to the disk at once.
const PAGES: i64 = 256;

/// Transcripts that were written since they were last counted, of each camera and of good and failed looks.
#[derive(Debug, Default)]
pub(super) struct Counts {
    of: HashMap<(CameraId, bool), usize>,
    /// All of them, since forgetting last began.
    written: u32,
}

impl Counts {
    /// Notes what was written. What is not known yet is counted at the first opportunity.
    pub(super) fn note(&mut self, batch: &Batch) {
        for (camera, observation) in &batch.observations {
            let key = (camera.clone(), observation.failure.is_some());
            *self.of.entry(key).or_insert(COUNTED_EVERY) += 1;
            self.written = self.written.saturating_add(1);
        }
    }

    /// How long forgetting may take this time.
    pub(super) fn take_time(&mut self) -> Duration {
        LONGEST.min(AT_A_TIME + OF_A_TRANSCRIPT * std::mem::take(&mut self.written))
    }

    fn take_due(&mut self) -> Vec<(CameraId, bool)> {
        let due = self.of.iter_mut().filter(|(_, count)| **count >= COUNTED_EVERY).take(COUNTED_AT_ONCE);
        due.map(|(key, count)| {
            *count = 0;
            key.clone()
        })
        .collect()
    }
}

/// Rows of a table that are past their time.
#[derive(Debug)]
pub(super) struct Old {
    keep: Keep,
    table: &'static str,
    /// What a row is known by.
    key: &'static str,
    /// Which rows of `old` are.
    condition: String,
    values: Vec<Value<'static>>,
    /// Until when what they tell of is forgotten, in milliseconds.
    until: i64,
}

impl Old {
    /// SQL that deletes a portion of them.
    pub(super) fn delete(&self) -> String {
        let Self { table, key, condition, .. } = self;
        format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} AS old WHERE {condition} LIMIT {PORTION})"
        )
    }

    #[cfg(test)]
    pub(super) fn values(&self) -> &[Value<'static>] {
        &self.values
    }
}

/// One kind of thing to forget.
#[derive(Debug)]
pub(super) enum Rule {
    /// Rows that are past their time, a portion at a time.
    Old(Old),
    /// The beginning of the audit trail, as far as it was written before this.
    Trail(i64),
    /// Transcripts of a camera, of good looks or of failed ones, beyond their number.
    Many(CameraId, bool),
    /// The oldest hours of figures, where the file is big and they take more than their part of this.
    Hours(i64),
    /// The oldest transcripts, while the file is bigger than this.
    Bytes(i64),
    /// Pages that nothing uses any more, where they are many or the file is bigger than this.
    Pages(i64),
}

/// The moment, in milliseconds, before which what is kept for so long is past its time.
fn past(now: Timestamp, length: Duration) -> i64 {
    now.as_millisecond().saturating_sub(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
}

/// What of a kind is past its time.
fn old(now: Timestamp, keep: Keep, length: Duration) -> Vec<Old> {
    let until = past(now, length);
    let of = |table, key, condition: String, values| Old { keep, table, key, condition, values, until };
    let by_time = |table, key, condition: &str| of(table, key, condition.to_owned(), vec![Value::Integer(until)]);
    let transcripts = |failed: bool| {
        let values = vec![Value::Integer(failed.into()), Value::Integer(until)];
        vec![of("observation", "id", "old.failed = ?1 AND old.started < ?2".to_owned(), values)]
    };
    let figures = |table| {
        vec![of(table, "begins, camera", "old.begins < ?1".to_owned(), vec![Value::Integer(until.div_euclid(1000))])]
    };
    // A plus keeps a condition from being taken as the way in: what is past its time is found by its time.
    match keep {
        Keep::Good => transcripts(false),
        Keep::Failures => transcripts(true),
        Keep::Minutes => figures("minute_figures"),
        Keep::Hours => figures("hour_figures"),
        // Its beginning goes, by Rule::Trail.
        Keep::Audit => Vec::new(),
        Keep::Messages => vec![
            by_time("outbox", "id", "old.settled < ?1 AND old.state <> 'queued'"),
            by_time("timeline", "id", "old.at < ?1"),
            by_time("notice", "key", "old.at < ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.notice = old.key)"),
        ],
        Keep::History => {
            let changes = [
                ("transition", "camera", "decided"),
                ("level_change", "site", "since"),
                ("link_change", "link", "since"),
            ];
            let changes = changes.into_iter().map(|(table, thing, time)| {
                let condition = format!(
                    "old.{time} < ?1 AND (SELECT next.{time} FROM {table} AS next
                                          WHERE next.{thing} = old.{thing} AND next.id > old.id ORDER BY next.id LIMIT 1) < ?1"
                );
                by_time(table, "id", &condition)
            });
            let others = [
                ("run", "old.last_alive < ?1 AND +old.id < (SELECT max(id) FROM run)"),
                ("incident", "old.closed < ?1 AND +old.number < (SELECT max(number) FROM incident)"),
                ("maintenance", "old.until < ?1"),
                ("late", "old.at < ?1"),
            ];
            changes.chain(others.map(|(table, condition)| by_time(table, "id", condition))).collect()
        }
    }
}

/// How many rows of a kind are older than this.
pub(super) fn older(connection: &Connection, keep: Keep, length: Duration, now: Timestamp) -> Result<u64, Error> {
    let count = |table: &str, condition: &str, values: &[Value<'_>]| {
        connection.number(&format!("SELECT count(*) FROM {table} AS old WHERE {condition}"), values)
    };
    let mut rows = 0;
    for old in old(now, keep, length) {
        rows += count(old.table, &old.condition, &old.values)?;
    }
    if keep == Keep::Audit {
        rows += count("audit", "old.at < ?1", &[Value::Integer(past(now, length))])?;
    }
    Ok(rows.unsigned_abs())
}

/// What is to be forgotten now.
pub(super) fn rules(now: Timestamp, settings: &Settings, holds: &Holds, counts: &mut Counts) -> Vec<Rule> {
    let mut rules = Vec::new();
    for keep in Keep::ALL.into_iter().filter(|keep| holds.at(*keep, now)) {
        let length = settings.keep.of(keep);
        rules.extend(old(now, keep, length).into_iter().map(Rule::Old));
        if keep == Keep::Audit {
            rules.push(Rule::Trail(past(now, length)));
        }
    }
    rules.extend(counts.take_due().into_iter().map(|(camera, failed)| Rule::Many(camera, failed)));
    let most = i64::try_from(settings.max_size).unwrap_or(i64::MAX);
    rules.extend([Rule::Hours(most), Rule::Bytes(most), Rule::Pages(most)]);
    rules
}

impl Rule {
    /// Forgets a portion; whether there may be more.
    pub(super) fn portion(&self, connection: &Connection) -> Result<bool, Error> {
        match self {
            Self::Old(old) => {
                let transaction = connection.transaction()?;
                let rows = transaction.execute(&old.delete(), &old.values)?;
                // A server would make a transaction durable that changed nothing.
                if rows == 0 {
                    return Ok(false);
                }
                kept::forgot(&transaction, old.keep, old.until)?;
                transaction.commit()?;
                Ok(rows >= PORTION.into())
            }
            Self::Trail(until) => trail(connection, *until),
            Self::Many(camera, failed) => {
                // What is beyond the number goes, oldest and all.
                let sql = format!(
                    "DELETE FROM observation WHERE id IN (SELECT id FROM observation WHERE camera = ?1 AND failed = ?2
                                                          ORDER BY id DESC LIMIT {PORTION} OFFSET {TRANSCRIPTS})"
                );
                let rows = connection.execute(&sql, values![camera.as_str(), *failed])?;
                Ok(rows >= PORTION.into())
            }
            Self::Hours(most) => {
                let Some((pages, unused, size)) = pages(connection)? else { return Ok(false) };
                if (pages - unused) * size <= most / 2 {
                    return Ok(false);
                }
                // Each day takes about as much as the last whole one.
                if connection.number(HOURS, values![])? <= most / HOURS_PART {
                    return Ok(false);
                }
                let oldest = "DELETE FROM hour_figures WHERE (begins, camera) IN
                                  (SELECT begins, camera FROM hour_figures ORDER BY begins LIMIT ?1)";
                Ok(connection.execute(oldest, values![PORTION])? > 0)
            }
            Self::Bytes(most) => {
                let Some((pages, unused, size)) = pages(connection)? else { return Ok(false) };
                if (pages - unused) * size <= *most {
                    return Ok(false);
                }
                // Nothing else is given up for room: a file of history alone grows.
                let oldest = "DELETE FROM observation WHERE id IN (SELECT id FROM observation ORDER BY id LIMIT ?1)";
                Ok(connection.execute(oldest, values![PORTION])? > 0)
            }
            Self::Pages(most) => {
                let Some((pages, unused, size)) = pages(connection)? else { return Ok(false) };
                if unused < PAGES || (pages * size <= *most && unused < pages / 4) {
                    return Ok(false);
                }
                if let Some(file) = connection.file() {
                    file.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
                }
                // A file of an earlier format gives nothing back: what is unused is used again.
                Ok(self::pages(connection)?.is_some_and(|(left, ..)| left < pages))
            }
        }
    }
}

/// Forgets a portion of the trail's beginning, and notes on what the rest hangs. Entries of a time when the clock was wrong
/// wait until those before them go; the last of all stays, since the next hangs on it.
fn trail(connection: &Connection, until: i64) -> Result<bool, Error> {
    let is_old = |entry: &Entry| entry.at.as_millisecond() < until;
    if !people::trail(connection, 0, 1)?.first().is_some_and(is_old) {
        return Ok(false);
    }
    let transaction = connection.transaction()?;
    let newest = transaction.number("SELECT max(id) FROM audit", values![])?;
    let entries = people::trail(&transaction, 0, PORTION as usize)?;
    let old = entries.iter().take_while(|entry| is_old(entry) && entry.number < newest.unsigned_abs()).count();
    if let Some(last) = entries[..old].last() {
        let last = i64::try_from(last.number).unwrap_or(i64::MAX);
        transaction.put("DELETE FROM audit WHERE id <= ?1", values![last])?;
        kept::forgot_entries(&transaction, &entries[..old], until)?;
    }
    transaction.commit()?;
    Ok(old >= PORTION as usize)
}

/// The pages of the file, those that nothing uses, and the size of each; a server sees to its room by itself.
fn pages(connection: &Connection) -> Result<Option<(i64, i64, i64)>, Error> {
    if connection.file().is_none() {
        return Ok(None);
    }
    let sql = "SELECT page_count, freelist_count, page_size
               FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    connection.first(sql, values![], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}
