//! What SMS cost: how many parts a channel was paid for since a time, as the rows of what it took say.

use super::{
    Error, outbox, rows,
    sql::{Connection, values},
    table::{NOTICE, OUTBOX},
};
use crate::model::{ChannelId, Head, Notice, SmsReceipt};
use jiff::Timestamp;

/// Rows behind a head that are looked at for an alarm.
const LOOKED_AT: u32 = 256;

/// Parts that a channel took since a time. A row that does not say how many is one.
pub(super) fn parts(connection: &Connection, channel: &ChannelId, since: Timestamp) -> Result<u32, Error> {
    let sql = "SELECT receipt FROM outbox
               WHERE state <> 'queued' AND state = 'sent' AND settled >= ?1 AND channel = ?2";
    let receipts = connection.all(sql, values![since.as_millisecond(), channel.as_str()], |row| {
        Ok(row.get::<Option<String>>(0).ok().flatten())
    })?;
    let parts = receipts.into_iter().map(|receipt| {
        let receipt = receipt.and_then(|receipt| receipt.parse::<SmsReceipt>().ok());
        receipt.map_or(1, |receipt| receipt.parts)
    });
    Ok(parts.fold(0, u32::saturating_add))
}

/// The first row behind a head for which `is_it` holds: found among the next few hundred.
pub(super) fn first_behind(
    connection: &Connection,
    head: &Head,
    is_it: impl Fn(&Notice) -> bool,
) -> Result<Option<Head>, Error> {
    let (delivery, words) = (OUTBOX.sound(), NOTICE.sound().replace(" AS sound", " AS sound_words"));
    let sql = format!(
        "SELECT outbox.id AS id, channel, incident, recipient, turn, attempts, due, notice.body AS body, {delivery}, {words}
         FROM outbox JOIN notice ON notice.key = outbox.notice
         WHERE outbox.state = 'queued' AND outbox.channel = ?1 AND outbox.id >= ?2
         ORDER BY outbox.id LIMIT {LOOKED_AT}"
    );
    let mut found = None;
    connection.each(&sql, values![head.place.channel.as_str(), head.id], |row| {
        // One that is damaged is given up when its turn comes.
        if found.is_some() || !rows::is_sound(row) || !row.get("sound_words").unwrap_or(false) {
            return Ok(());
        }
        let body: Option<String> = row.get("body").ok();
        let notice = body.and_then(|body| serde_json::from_str::<Notice>(&body).ok());
        if notice.is_some_and(|notice| is_it(&notice)) {
            found = Some(outbox::head(row).ok());
        }
        Ok(())
    })?;
    Ok(found.flatten())
}
