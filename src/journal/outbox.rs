//! The outbox: what is still to be told, to whom, over which of their channels, and in order.

use super::{Error, records::time, rows, table};
use crate::model::{ChannelId, Notice, Reason, Recipient};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params};

/// No retry waits longer. What is due later still was put there before the clock was set back, and is due now; what was
/// never tried is due at once, whatever the clock says.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(65 * 60);

/// One notice on its way to one recipient over one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The outbox row.
    pub id: i64,
    /// Where to now.
    pub channel: ChannelId,
    /// Who it is for, and all their channels.
    pub recipient: Recipient,
    /// Which of those channels this is.
    pub turn: usize,
    /// How often it was tried, over any channel.
    pub attempts: u32,
    /// What the channel called the first message of this incident to this recipient.
    pub first: Option<String>,
    /// What to tell.
    pub notice: Notice,
}

/// Puts a notice into the outbox of each recipient.
pub(super) fn queue(connection: &Connection, notice: &Notice, to: &[Recipient]) -> Result<(), Error> {
    let key = notice.key();
    for recipient in to {
        let Some(channel) = recipient.channels.first() else { continue };
        let sql = "INSERT OR IGNORE INTO outbox (id, notice, incident, recipient, channels, channel, due, sum)
                   SELECT next, :notice, :incident, :recipient, :channels, :channel, :due,
                       row_sum('outbox', next, :notice, :incident, :recipient, :channels, 0, :channel, 'queued', 0, :due,
                           NULL, NULL, NULL)
                   FROM (SELECT ifnull(max(id), 0) + 1 AS next FROM outbox)";
        connection.prepare_cached(sql)?.execute(named_params! {
            ":notice": key,
            ":incident": notice.incident.as_str(),
            ":recipient": recipient.key(),
            ":channels": super::records::json(recipient),
            ":channel": channel.as_str(),
            ":due": notice.at.as_millisecond(),
        })?;
    }
    Ok(())
}

/// A row's channel, incident and recipient.
type Words = (String, String, String);

/// The oldest waiting notice of each channel that is not busy, if its time has come. Where newer ones of the same
/// incident wait for the same recipient, only the newest is told: it says all that the others would have.
pub(super) fn due(connection: &mut Connection, now: Timestamp, busy: &[ChannelId]) -> Result<Vec<Delivery>, Error> {
    let transaction = connection.transaction()?;
    let heads = "SELECT id, channel, incident, recipient FROM outbox
                 WHERE id IN (SELECT min(id) FROM outbox WHERE state = 'queued' GROUP BY channel)
                   AND (attempts = 0 OR due <= ?1 OR due > ?1 + ?2)";
    let heads: Vec<(i64, rusqlite::Result<Words>)> = {
        let mut statement = transaction.prepare_cached(heads)?;
        let rows = statement.query_map([now.as_millisecond(), LONGEST_WAIT.as_millis() as i64], |row| {
            let words = row.get(1).and_then(|channel| Ok((channel, row.get(2)?, row.get(3)?)));
            Ok((row.get(0)?, words))
        })?;
        rows.collect::<Result<_, _>>()?
    };
    let mut deliveries = Vec::new();
    for (id, words) in heads {
        let Ok((channel, incident, recipient)) = words else {
            tracing::error!(row = id, "a message is not sent: its row in the journal is damaged");
            give_up(&transaction, id, now)?;
            continue;
        };
        let newest = "SELECT max(id) FROM outbox WHERE state = 'queued' AND incident = ?1 AND recipient = ?2";
        let newest: i64 = transaction.prepare_cached(newest)?.query_row((&incident, &recipient), |row| row.get(0))?;
        if busy.iter().any(|busy| busy.as_str() == channel) {
            continue;
        }
        if newest != id {
            let sql = "UPDATE outbox SET state = 'superseded', settled = ?4,
                           sum = row_sum('outbox', id, notice, incident, recipient, channels, turn, channel,
                               'superseded', attempts, due, ?4, receipt, error)
                       WHERE state = 'queued' AND incident = ?1 AND recipient = ?2 AND id < ?3";
            transaction.prepare_cached(sql)?.execute((&incident, &recipient, newest, now.as_millisecond()))?;
        }
        match read(&transaction, newest)? {
            Some(mut delivery) if newest == id || busy.iter().all(|busy| *busy != delivery.channel) => {
                if matches!(delivery.notice.reason, Reason::RootFound | Reason::Merged)
                    && let Some(reason) = unheard_alarm(&transaction, &incident, &recipient)?
                {
                    delivery.notice.reason = reason;
                }
                deliveries.push(delivery);
            }
            Some(_) => {}
            // Damaged, or written by another version in words that this one does not know: it holds up nobody.
            None => {
                tracing::error!(key = incident, "a message is not sent: it is damaged, or another version wrote it");
                give_up(&transaction, newest, now)?;
            }
        }
    }
    transaction.commit()?;
    // Two heads may have led to rows of one channel: each takes one at a time.
    let mut channels = std::collections::HashSet::new();
    deliveries.retain(|delivery| channels.insert(delivery.channel.clone()));
    Ok(deliveries)
}

/// Why a recipient was to be rung for an incident of which they never heard: mere news must not take the ring out of
/// an alarm that it superseded.
fn unheard_alarm(connection: &Connection, incident: &str, recipient: &str) -> Result<Option<Reason>, Error> {
    let sql = "SELECT notice.body FROM outbox JOIN notice ON notice.key = outbox.notice
               WHERE outbox.incident = ?1 AND outbox.recipient = ?2 AND outbox.state = 'superseded'
                 AND NOT EXISTS (SELECT 1 FROM outbox AS other
                                 WHERE other.incident = ?1 AND other.recipient = ?2 AND other.state = 'sent')
               ORDER BY outbox.id LIMIT 1";
    let body: Option<String> =
        connection.prepare_cached(sql)?.query_row((incident, recipient), |row| row.get(0)).optional()?;
    let notice = body.and_then(|body| serde_json::from_str::<Notice>(&body).ok());
    Ok(notice.map(|notice| notice.reason).filter(|reason| reason.pages()))
}

fn read(connection: &Connection, id: i64) -> Result<Option<Delivery>, Error> {
    let (delivery, words) = (table::OUTBOX.sound(), table::NOTICE.sound().replace(" AS sound", " AS sound_words"));
    let sql = format!(
        "SELECT outbox.channel, outbox.channels, outbox.turn, outbox.attempts, notice.body,
             (SELECT receipt FROM outbox AS other
              WHERE other.incident = outbox.incident AND other.recipient = outbox.recipient
                AND other.channel = outbox.channel AND other.receipt IS NOT NULL
              ORDER BY other.id LIMIT 1), {delivery}, {words}
         FROM outbox JOIN notice ON notice.key = outbox.notice WHERE outbox.id = ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query([id])?;
    let Some(row) = found.next()? else { return Ok(None) };
    if !rows::is_sound(row) || !row.get("sound_words").unwrap_or(false) {
        return Ok(None);
    }
    let read = || {
        let (channel, channels, turn): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok::<_, rusqlite::Error>((channel, channels, turn, row.get(3)?, row.get::<_, String>(4)?, row.get(5)?))
    };
    let Ok((channel, channels, turn, attempts, body, first)) = read() else { return Ok(None) };
    let (Ok(recipient), Ok(notice)) = (serde_json::from_str(&channels), serde_json::from_str(&body)) else {
        return Ok(None);
    };
    let (channel, turn) = (ChannelId::from(channel.as_str()), usize::try_from(turn).unwrap_or(0));
    Ok(Some(Delivery { id, channel, recipient, turn, attempts, first, notice }))
}

pub(super) fn waiting(connection: &Connection) -> Result<(Option<Timestamp>, usize), Error> {
    let heads = "SELECT min(CASE WHEN attempts = 0 THEN 0 ELSE due END) FROM outbox
                 WHERE id IN (SELECT min(id) FROM outbox WHERE state = 'queued' GROUP BY channel)";
    let next: Option<i64> = connection.prepare_cached(heads)?.query_row([], |row| row.get(0))?;
    let count = "SELECT count(*) FROM outbox WHERE state = 'queued'";
    let count: i64 = connection.prepare_cached(count)?.query_row([], |row| row.get(0))?;
    Ok((next.map(time), usize::try_from(count).unwrap_or(0)))
}

pub(super) fn settle(
    connection: &Connection,
    id: i64,
    state: &str,
    receipt: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE outbox SET state = ?2, attempts = attempts + 1, settled = ?3, receipt = ?4, error = NULL,
                   sum = row_sum('outbox', id, notice, incident, recipient, channels, turn, channel, ?2, attempts + 1,
                       due, ?3, ?4, NULL)
               WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((id, state, now.as_millisecond(), receipt))?;
    Ok(())
}

/// Holds a row up no longer that is damaged; it gets no sum, by which it would be believed.
fn give_up(connection: &Connection, id: i64, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE outbox SET state = 'abandoned', settled = ?2, sum = NULL WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((id, now.as_millisecond()))?;
    Ok(())
}

/// Tries again at `due`, over `channel`, the recipient's channel of number `turn`.
pub(super) fn postpone(
    connection: &Connection,
    id: i64,
    due: Timestamp,
    channel: &ChannelId,
    turn: usize,
    error: &str,
) -> Result<(), Error> {
    let sql = "UPDATE outbox SET attempts = attempts + 1, due = ?2, channel = ?3, turn = ?4, error = ?5,
                   sum = row_sum('outbox', id, notice, incident, recipient, channels, ?4, ?3, state, attempts + 1, ?2,
                       settled, receipt, ?5)
               WHERE id = ?1";
    let turn = i64::try_from(turn).unwrap_or(0);
    connection.prepare_cached(sql)?.execute((id, due.as_millisecond(), channel.as_str(), turn, error))?;
    Ok(())
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
pub(super) fn write_back(from: &Connection, to: &mut Connection) -> Result<(), Error> {
    let transaction = to.transaction()?;
    let read =
        "SELECT id, notice, recipient, turn, channel, state, attempts, due, settled, receipt, error, sum FROM outbox";
    let mut statement = from.prepare(read)?;
    let mut waited = statement.query([])?;
    while let Some(row) = waited.next()? {
        let values = (0..12).map(|column| row.get::<_, rusqlite::types::Value>(column));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        // In a file that was made anew the number alone might be another's.
        let sql = "UPDATE outbox SET turn = ?4, channel = ?5, state = ?6, attempts = ?7, due = ?8, settled = ?9,
                       receipt = ?10, error = ?11, sum = ?12
                   WHERE id = ?1 AND notice = ?2 AND recipient = ?3";
        transaction.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?;
    }
    transaction.commit()?;
    Ok(())
}
