//! What is forgotten, and when: a little at a time, so that the thread is never held for long.
//!
//! Of changes, the last row of each thing before the limit stays: it says what held when the time began that is still
//! remembered. Transcripts go by age, by number for each camera, and the oldest first where the file grows too big.

use super::{Batch, Error, Settings};
use crate::model::CameraId;
use jiff::Timestamp;
use rusqlite::{Connection, params_from_iter, types::Value};
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
/// How long figures are kept by the minute: pages look back on a day; and by the hour, thirteen months.
pub(super) const KEEP_MINUTES: Duration = Duration::from_secs(25 * 60 * 60);
pub(super) const KEEP_HOURS: Duration = Duration::from_secs(397 * 24 * 60 * 60);
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

/// One kind of thing to forget.
#[derive(Debug)]
pub(super) enum Rule {
    /// Rows that a statement deletes, a portion at a time.
    Rows(String, Vec<Value>),
    /// The oldest hours of figures, where the file is big and they take more than their part of this.
    Hours(i64),
    /// The oldest transcripts, while the file is bigger than this.
    Bytes(i64),
    /// Pages that nothing uses any more, where they are many or the file is bigger than this.
    Pages(i64),
}

/// What is to be forgotten now.
pub(super) fn rules(now: Timestamp, settings: &Settings, counts: &mut Counts) -> Vec<Rule> {
    let before = |keep: Duration| {
        Value::Integer(now.as_millisecond().saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX)))
    };
    let history = before(settings.keep_history);
    let rows = |table: &str, column: &str, condition: String, values: Vec<Value>| {
        let sql = format!(
            "DELETE FROM {table} WHERE {column} IN (SELECT {column} FROM {table} AS old WHERE {condition} LIMIT {PORTION})"
        );
        Rule::Rows(sql, values)
    };
    let mut rules = Vec::new();
    // A plus keeps a condition from being taken as the way in: what is past its time is found by its time.
    for (table, key, time) in
        [("transition", "camera", "decided"), ("level_change", "site", "since"), ("link_change", "link", "since")]
    {
        let condition = format!(
            "old.{time} < ?1 AND (SELECT next.{time} FROM {table} AS next
                                  WHERE next.{key} = old.{key} AND next.id > old.id ORDER BY next.id LIMIT 1) < ?1"
        );
        rules.push(rows(table, "id", condition, vec![history.clone()]));
    }
    for (table, column, condition) in [
        ("run", "id", "old.last_alive < ?1 AND +old.id < (SELECT max(id) FROM run)"),
        ("incident", "id", "old.closed < ?1 AND +old.number < (SELECT max(number) FROM incident)"),
        ("maintenance", "id", "old.until < ?1"),
        // The last one is what the next hangs on.
        ("audit", "id", "old.at < ?1 AND +old.id < (SELECT max(id) FROM audit)"),
        ("outbox", "id", "old.settled < ?1 AND old.state <> 'queued'"),
        ("notice", "key", "old.at < ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.notice = old.key)"),
    ] {
        rules.push(rows(table, column, condition.to_owned(), vec![history.clone()]));
    }
    for (failed, keep) in [(false, settings.keep_good), (true, settings.keep_failures)] {
        let condition = "old.failed = ?1 AND old.started < ?2".to_owned();
        rules.push(rows("observation", "id", condition, vec![Value::Integer(failed.into()), before(keep)]));
    }
    for (table, keep) in [("minute_figures", KEEP_MINUTES), ("hour_figures", KEEP_HOURS.min(settings.keep_history))] {
        let sql = format!(
            "DELETE FROM {table} WHERE (begins, camera) IN
                 (SELECT begins, camera FROM {table} WHERE begins < ?1 LIMIT {PORTION})"
        );
        let seconds = i64::try_from(keep.as_secs()).unwrap_or(i64::MAX);
        rules.push(Rule::Rows(sql, vec![Value::Integer(now.as_second().saturating_sub(seconds))]));
    }
    for (camera, failed) in counts.take_due() {
        // What is beyond the number goes, oldest and all.
        let sql = format!(
            "DELETE FROM observation WHERE id IN (SELECT id FROM observation WHERE camera = ?1 AND failed = ?2
                                                  ORDER BY id DESC LIMIT {PORTION} OFFSET {TRANSCRIPTS})"
        );
        let values = vec![Value::Text(camera.as_str().to_owned()), Value::Integer(failed.into())];
        rules.push(Rule::Rows(sql, values));
    }
    let most = i64::try_from(settings.max_size).unwrap_or(i64::MAX);
    rules.extend([Rule::Hours(most), Rule::Bytes(most), Rule::Pages(most)]);
    rules
}

impl Rule {
    /// Forgets a portion; whether there may be more.
    pub(super) fn portion(&self, connection: &mut Connection) -> Result<bool, Error> {
        match self {
            Self::Rows(sql, values) => {
                let rows = connection.prepare_cached(sql)?.execute(params_from_iter(values))?;
                Ok(rows >= PORTION as usize)
            }
            Self::Hours(most) => {
                let (pages, unused, size) = pages(connection)?;
                if (pages - unused) * size <= most / 2 {
                    return Ok(false);
                }
                // Each day takes about as much as the last whole one.
                let bytes = connection.prepare_cached(HOURS)?.query_row([], |row| row.get::<_, Option<i64>>(0))?;
                if bytes.unwrap_or(0) <= most / HOURS_PART {
                    return Ok(false);
                }
                let oldest = "DELETE FROM hour_figures WHERE (begins, camera) IN
                                  (SELECT begins, camera FROM hour_figures ORDER BY begins LIMIT ?1)";
                Ok(connection.prepare_cached(oldest)?.execute([PORTION])? > 0)
            }
            Self::Bytes(most) => {
                let (pages, unused, size) = pages(connection)?;
                if (pages - unused) * size <= *most {
                    return Ok(false);
                }
                // Nothing else is given up for room: a file of history alone grows.
                let oldest = "DELETE FROM observation WHERE id IN (SELECT id FROM observation ORDER BY id LIMIT ?1)";
                Ok(connection.prepare_cached(oldest)?.execute([PORTION])? > 0)
            }
            Self::Pages(most) => {
                let (pages, unused, size) = pages(connection)?;
                if unused < PAGES || (pages * size <= *most && unused < pages / 4) {
                    return Ok(false);
                }
                connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
                let (left, ..) = self::pages(connection)?;
                // A file of an earlier format gives nothing back: what is unused is used again.
                Ok(left < pages)
            }
        }
    }
}

/// The pages of the file, those that nothing uses, and the size of each.
fn pages(connection: &Connection) -> Result<(i64, i64, i64), Error> {
    let sql = "SELECT page_count, freelist_count, page_size
               FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    Ok(connection.prepare_cached(sql)?.query_row([], read)?)
}
