//! The outbox: what is still to be told, by channel and in order.

use super::{Error, records::time};
use crate::model::{ChannelId, Notice};
use jiff::Timestamp;
use rusqlite::Connection;

/// One notice on its way to one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The outbox row.
    pub id: i64,
    /// Where to.
    pub channel: ChannelId,
    /// How often it was tried.
    pub attempts: u32,
    /// What to tell.
    pub notice: Notice,
}

pub(super) fn due(connection: &Connection, now: Timestamp) -> Result<Vec<Delivery>, Error> {
    let sql = "SELECT outbox.id, outbox.channel, outbox.attempts, notice.body
               FROM outbox JOIN notice ON notice.key = outbox.notice
               WHERE outbox.id IN (SELECT min(id) FROM outbox WHERE state = 'queued' GROUP BY channel)
                 AND outbox.due <= ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([now.as_millisecond()])?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(3)?;
        let notice = serde_json::from_str(&body)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, error.into()))?;
        let channel = ChannelId::from(row.get::<_, String>(1)?.as_str());
        deliveries.push(Delivery { id: row.get(0)?, channel, attempts: row.get(2)?, notice });
    }
    Ok(deliveries)
}

pub(super) fn waiting(connection: &Connection) -> Result<(Option<Timestamp>, usize), Error> {
    let heads = "SELECT min(due) FROM outbox
                 WHERE id IN (SELECT min(id) FROM outbox WHERE state = 'queued' GROUP BY channel)";
    let next: Option<i64> = connection.prepare_cached(heads)?.query_row([], |row| row.get(0))?;
    let count = "SELECT count(*) FROM outbox WHERE state = 'queued'";
    let count: i64 = connection.prepare_cached(count)?.query_row([], |row| row.get(0))?;
    Ok((next.map(time), usize::try_from(count).unwrap_or(0)))
}

pub(super) fn settle(connection: &Connection, id: i64, state: &str, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE outbox SET state = ?2, attempts = attempts + 1, settled = ?3, error = NULL WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((id, state, now.as_millisecond()))?;
    Ok(())
}

pub(super) fn postpone(connection: &Connection, id: i64, due: Timestamp, error: &str) -> Result<(), Error> {
    let sql = "UPDATE outbox SET attempts = attempts + 1, due = ?2, error = ?3 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((id, due.as_millisecond(), error))?;
    Ok(())
}
