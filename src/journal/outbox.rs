//! The outbox as rows: what waits to be told, to whom and over which channel, and what became of it. What is told next is
//! decided by the core (`outbox`); here rows are stored and read, of each question no more than it asks for.

use super::{
    Error,
    columns::{json, time},
    rows,
    sql::{Connection, Misread, Row, values},
    table::{self, OUTBOX},
    timeline,
};
use crate::model::{Behind, ChannelId, Head, IncidentId, Mark, Newest, Notice, Place, Reason, Recipient, Thread};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Rows of a thread that a recipient was to hear before its newest and did not: so many are read, the newest of them.
/// An incident has some ten notices.
const UNHEARD: u32 = 64;
/// Rows behind one that its channel refuses that are looked at, and of these such as can go another way.
const LOOKED_AT: u32 = 256;
const MOVED: usize = 16;

/// Puts a notice into the outbox of each recipient.
pub(super) fn queue(connection: &Connection, notice: &Notice, to: &[Recipient]) -> Result<(), Error> {
    let (key, sql) = (notice.key(), OUTBOX.append());
    for recipient in to {
        let Some(channel) = recipient.channels.first() else { continue };
        // Who is queued already is not queued again, and nothing happens to them.
        timeline::queued(connection, notice, recipient)?;
        let (incident, whom) = (notice.id().as_str(), recipient.key());
        let (first, due) = (channel.as_str(), notice.at().as_millisecond());
        // Nothing became of it yet: neither when it was settled, nor what its channel called it, nor what failed.
        let none = None::<&str>;
        let row = values![&key, incident, &whom, json(recipient), 0_i64, first, "queued", 0_i64, due, none, none, none];
        connection.put(&sql, row)?;
    }
    Ok(())
}

/// The row that has waited longest for each channel. Found by a step in the index for each channel, however many wait.
pub(super) fn heads(connection: &Connection, now: Timestamp) -> Result<Vec<Head>, Error> {
    let transaction = connection.transaction()?;
    // What waited behind damaged rows is the next to go.
    let heads = loop {
        let (heads, damaged) = read_heads(&transaction)?;
        if damaged.is_empty() {
            break heads;
        }
        damaged.into_iter().try_for_each(|id| give_up(&transaction, id, now))?;
    };
    transaction.commit()?;
    Ok(heads)
}

/// Heads, and the numbers of those that are damaged.
fn read_heads(connection: &Connection) -> Result<(Vec<Head>, Vec<i64>), Error> {
    let (mut heads, mut damaged) = (Vec::new(), Vec::new());
    connection.each(&heads_sql(), values![], |row| {
        match rows::is_sound(row).then(|| head(row)) {
            Some(Ok(head)) => heads.push(head),
            _ => damaged.push(row.get("id")?),
        }
        Ok(())
    })?;
    Ok((heads, damaged))
}

pub(super) fn heads_sql() -> String {
    let sound = OUTBOX.sound();
    format!(
        "WITH RECURSIVE line (channel) AS (
             SELECT min(channel) FROM outbox WHERE state = 'queued'
             UNION ALL SELECT (SELECT min(channel) FROM outbox WHERE state = 'queued' AND channel > line.channel)
             FROM line WHERE line.channel IS NOT NULL)
         SELECT id, channel, incident, recipient, turn, attempts, due, {sound} FROM outbox
         WHERE id IN (SELECT (SELECT min(id) FROM outbox WHERE state = 'queued' AND channel = line.channel) FROM line)
         ORDER BY id"
    )
}

pub(super) fn head(row: Row<'_>) -> Result<Head, Misread> {
    let thread = Thread { incident: IncidentId::stored(row.get("incident")?), recipient: row.get("recipient")? };
    Ok(Head { id: row.get("id")?, thread, place: place(row)?, due: time(row.get("due")?) })
}

fn place(row: Row<'_>) -> Result<Place, Misread> {
    let (channel, turn): (String, i64) = (row.get("channel")?, row.get("turn")?);
    let nth = usize::try_from(turn).unwrap_or(0);
    Ok(Place { channel: channel.as_str().into(), nth, attempts: row.get("attempts")? })
}

/// The first rows that wait behind a head, of recipients who have further channels: a few, found among [`LOOKED_AT`].
pub(super) fn behind(connection: &Connection, head: &Head) -> Result<Vec<Behind>, Error> {
    let mut found = Vec::new();
    connection.each(&behind_sql(), values![head.place.channel.as_str(), head.id], |row| {
        let read = || Some((self::head(row).ok()?, serde_json::from_str(&row.get::<String>("channels").ok()?).ok()?));
        // One that is damaged is given up when its turn comes.
        let read: Option<(Head, Recipient)> = rows::is_sound(row).then(read).flatten();
        let fits = read.filter(|(_, recipient)| recipient.channels.len() > 1 && found.len() < MOVED);
        found.extend(fits.map(|(row, recipient)| Behind { row, recipient }));
        Ok(())
    })?;
    Ok(found)
}

pub(super) fn behind_sql() -> String {
    let sound = OUTBOX.sound();
    format!(
        "SELECT id, channel, incident, recipient, channels, turn, attempts, due, {sound} FROM outbox
         WHERE state = 'queued' AND channel = ?1 AND id > ?2 ORDER BY id LIMIT {LOOKED_AT}"
    )
}

/// The newest row that waits in a thread, if any does.
pub(super) fn newest(connection: &Connection, thread: &Thread, now: Timestamp) -> Result<Option<Newest>, Error> {
    let transaction = connection.transaction()?;
    let (incident, recipient) = (thread.incident.as_str(), thread.recipient.as_str());
    let newest = loop {
        let sql = "SELECT max(id) FROM outbox WHERE state = 'queued' AND incident = ?1 AND recipient = ?2";
        let id = transaction.first(sql, values![incident, recipient], |row| row.get::<Option<i64>>(0))?;
        let Some(id) = id.flatten() else { break None };
        match read(&transaction, id)? {
            Some(read) => break Some((id, read)),
            // Damaged, or written by another version in words that this one does not know: it holds up nobody.
            None => give_up(&transaction, id, now)?,
        }
    };
    let newest = match newest {
        None => None,
        Some((id, (place, to, notice))) => {
            let older = "SELECT id FROM outbox
                         WHERE state = 'queued' AND incident = ?1 AND recipient = ?2 AND id < ?3 LIMIT 1";
            let has_older = transaction.first(older, values![incident, recipient, id], |_| Ok(()))?.is_some();
            let (unheard, first) = (unheard(&transaction, thread, id)?, first(&transaction, thread)?);
            Some(Newest { id, place, recipient: to, notice, has_older, unheard, first })
        }
    };
    transaction.commit()?;
    Ok(newest)
}

fn read(connection: &Connection, id: i64) -> Result<Option<(Place, Recipient, Notice)>, Error> {
    let (delivery, words) = (OUTBOX.sound(), table::NOTICE.sound().replace(" AS sound", " AS sound_words"));
    let sql = format!(
        "SELECT outbox.channel AS channel, outbox.channels AS channels, outbox.turn AS turn,
             outbox.attempts AS attempts, notice.body AS body, {delivery}, {words}
         FROM outbox JOIN notice ON notice.key = outbox.notice WHERE outbox.id = ?1"
    );
    let read = connection.first(&sql, values![id], |row| {
        let whole = rows::is_sound(row) && row.get("sound_words").unwrap_or(false);
        let read = || Ok::<_, Misread>((place(row)?, row.get::<String>("channels")?, row.get::<String>("body")?));
        Ok(whole.then(read).and_then(Result::ok))
    });
    let Some((place, channels, body)) = read?.flatten() else { return Ok(None) };
    match (serde_json::from_str(&channels), serde_json::from_str(&body)) {
        (Ok(recipient), Ok(notice)) => Ok(Some((place, recipient, notice))),
        _ => Ok(None),
    }
}

/// Why a recipient was to be told, since they last were and before a row; oldest first.
fn unheard(connection: &Connection, thread: &Thread, before: i64) -> Result<Vec<Reason>, Error> {
    let sql = "SELECT notice.body FROM outbox JOIN notice ON notice.key = outbox.notice
               WHERE outbox.incident = ?1 AND outbox.recipient = ?2 AND outbox.id < ?3
                 AND outbox.id > (SELECT coalesce(max(id), 0) FROM outbox AS told
                                  WHERE told.incident = ?1 AND told.recipient = ?2 AND told.state = 'sent')
               ORDER BY outbox.id DESC LIMIT ?4";
    #[derive(serde::Deserialize)]
    struct Told {
        reason: Reason,
    }
    let key = values![thread.incident.as_str(), &thread.recipient, before, UNHEARD];
    let bodies = connection.all(sql, key, |row| Ok(row.get::<String>(0).ok()))?;
    // One that is damaged says nothing.
    let told = bodies.iter().flatten().filter_map(|body| serde_json::from_str::<Told>(body).ok());
    let mut reasons: Vec<Reason> = told.map(|told| told.reason).collect();
    reasons.reverse();
    Ok(reasons)
}

/// What each channel called the first message of a thread.
fn first(connection: &Connection, thread: &Thread) -> Result<BTreeMap<ChannelId, String>, Error> {
    let sql = "SELECT channel, receipt FROM outbox WHERE incident = ?1 AND recipient = ?2 AND receipt IS NOT NULL
               ORDER BY id DESC";
    let told = connection.all(sql, values![thread.incident.as_str(), &thread.recipient], |row| {
        let read = || Ok::<_, Misread>((row.get::<String>(0)?.as_str().into(), row.get(1)?));
        Ok(read().ok())
    })?;
    Ok(told.into_iter().flatten().collect())
}

/// How many rows wait.
pub(super) fn waiting(connection: &Connection) -> Result<usize, Error> {
    let count = "SELECT count(*) FROM outbox WHERE state = 'queued'";
    Ok(usize::try_from(connection.number(count, values![])?).unwrap_or(0))
}

/// Notes what became of rows, all of it or nothing.
pub(super) fn mark(connection: &Connection, marks: &[Mark], now: Timestamp) -> Result<(), Error> {
    let transaction = connection.transaction()?;
    for mark in marks {
        timeline::marked(&transaction, mark, now)?;
        match mark {
            Mark::Sent { id, receipt } => settle(&transaction, *id, "sent", receipt.as_deref(), now)?,
            Mark::Abandoned { id, .. } => settle(&transaction, *id, "abandoned", None, now)?,
            Mark::Superseded { thread, before } => supersede(&transaction, thread, *before, now)?,
            Mark::Waits { id, place, due, error } => wait(&transaction, *id, place, *due, error.as_deref())?,
        }
    }
    transaction.commit()
}

fn supersede(connection: &Connection, thread: &Thread, before: i64, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE outbox SET state = 'superseded', settled = ?4,
                   sum = row_sum('outbox', id, notice, incident, recipient, channels, turn, channel,
                       'superseded', attempts, due, ?4, receipt, error)
               WHERE state = 'queued' AND incident = ?1 AND recipient = ?2 AND id < ?3";
    connection.put(sql, values![thread.incident.as_str(), &thread.recipient, before, now.as_millisecond()])
}

fn settle(connection: &Connection, id: i64, state: &str, receipt: Option<&str>, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE outbox SET state = ?2, attempts = attempts + 1, settled = ?3, receipt = ?4, error = NULL,
                   sum = row_sum('outbox', id, notice, incident, recipient, channels, turn, channel, ?2, attempts + 1,
                       due, ?3, ?4, NULL)
               WHERE id = ?1";
    connection.put(sql, values![id, state, now.as_millisecond(), receipt])
}

fn wait(connection: &Connection, id: i64, place: &Place, due: Timestamp, error: Option<&str>) -> Result<(), Error> {
    let sql = "UPDATE outbox SET attempts = ?6, due = ?2, channel = ?3, turn = ?4, error = ?5,
                   sum = row_sum('outbox', id, notice, incident, recipient, channels, ?4, ?3, state, ?6, ?2, settled,
                       receipt, ?5)
               WHERE id = ?1";
    let nth = i64::try_from(place.nth).unwrap_or(0);
    let (due, channel) = (due.as_millisecond(), place.channel.as_str());
    connection.put(sql, values![id, due, channel, nth, error, place.attempts])
}

/// Holds a row up no longer that cannot be read; it gets no sum, by which it would be believed.
fn give_up(connection: &Connection, id: i64, now: Timestamp) -> Result<(), Error> {
    tracing::error!(row = id, "a message is not sent: its row in the journal is damaged, or another version wrote it");
    let sql = "UPDATE outbox SET state = 'abandoned', settled = ?2, sum = NULL WHERE id = ?1";
    connection.put(sql, values![id, now.as_millisecond()])
}

/// Copies what waits, and what was told of the same incidents, to where it can be worked on while the file cannot be
/// written.
pub(super) fn copy_waiting(from: &Connection, to: &Connection) -> Result<(), Error> {
    let incidents = "SELECT incident FROM outbox WHERE state = 'queued'";
    let words = format!("key IN (SELECT notice FROM outbox WHERE incident IN ({incidents}))");
    rows::copy(from, to, &table::NOTICE, &words)?;
    rows::copy(from, to, &table::OUTBOX, &format!("incident IN ({incidents})"))
}

/// Notes in the file what became of deliveries meanwhile.
pub(super) fn write_back(from: &Connection, to: &Connection) -> Result<(), Error> {
    let transaction = to.transaction()?;
    let read =
        "SELECT id, notice, recipient, turn, channel, state, attempts, due, settled, receipt, error, sum FROM outbox";
    from.each(read, values![], |row| {
        let values = (0..12_usize).map(|column| row.value(column)).collect::<Result<Vec<_>, _>>()?;
        // In a file that was made anew the number alone might be another's.
        let sql = "UPDATE outbox SET turn = ?4, channel = ?5, state = ?6, attempts = ?7, due = ?8, settled = ?9,
                       receipt = ?10, error = ?11, sum = ?12
                   WHERE id = ?1 AND notice = ?2 AND recipient = ?3";
        transaction.put(sql, &values)
    })?;
    timeline::write_back(from, &transaction)?;
    transaction.commit()?;
    // What follows may fail, and is then tried again: entries are put behind the others once.
    from.put("DELETE FROM timeline", values![])
}
