//! Transitions, sites, notices and transcripts: written as one transaction, read back at start.

use super::{Batch, Error, Settings, strange::Strange};
use crate::model::{
    CameraId, FailureKind, Level, LinkRecord, LinkState, LoginRecord, Memory, Restored, SiteId, SiteRecord, State,
    Transition, elapsed,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde::{Serialize, de::DeserializeOwned};

/// Ended incidents that a restart still knows: they are re-sent to Alertmanager and counted as episodes.
const INCIDENTS_LATELY: std::time::Duration = std::time::Duration::from_secs(6 * 60 * 60);

/// Writes a batch in one transaction.
pub(super) fn write(connection: &mut Connection, batch: &Batch) -> Result<(), Error> {
    let transaction = connection.transaction()?;
    for transition in &batch.transitions {
        let sql = "INSERT INTO transition (camera, from_state, to_state, cause, detail, since, decided)
                   VALUES (:camera, :from, :to, :cause, :detail, :since, :decided)";
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":camera": transition.camera.as_str(),
            ":from": transition.from.as_str(),
            ":to": transition.to.as_str(),
            ":cause": transition.cause.map(FailureKind::as_str),
            ":detail": transition.detail,
            ":since": transition.since.as_millisecond(),
            ":decided": transition.decided.as_millisecond(),
        })?;
    }
    for record in &batch.sites {
        write_site(&transaction, record)?;
    }
    for record in &batch.links {
        let sql = "INSERT INTO link_change (link, state, since) VALUES (?1, ?2, ?3)";
        let link = record.link.as_ref().map_or("", |link| link.as_str());
        let since = record.since.as_millisecond();
        transaction.prepare_cached(sql)?.execute((link, record.state.as_str(), since))?;
    }
    for incident in &batch.incidents {
        let sql = "INSERT INTO incident (id, number, opened, closed, body)
                   VALUES (:id, :number, :opened, :closed, :body)
                   ON CONFLICT (id) DO UPDATE SET closed = :closed, body = :body";
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":id": incident.id.as_str(),
            ":number": incident.number,
            ":opened": incident.opened.as_millisecond(),
            ":closed": incident.closed.map(Timestamp::as_millisecond),
            ":body": json(incident),
        })?;
    }
    for window in &batch.windows {
        let until = match window.span {
            crate::model::Span::Once { until, .. } => until.as_millisecond(),
            crate::model::Span::Weekly { .. } => i64::MAX,
        };
        let sql = "INSERT OR REPLACE INTO maintenance (id, until, body) VALUES (?1, ?2, ?3)";
        transaction.prepare_cached(sql)?.execute((&window.id, until, json(window)))?;
    }
    for (notice, recipients) in &batch.notices {
        // A key that is there already was committed by a run that died before it could remember so.
        let sql = "INSERT OR IGNORE INTO notice (key, site, at, body) VALUES (:key, :site, :at, :body)";
        let key = notice.key();
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":key": key,
            ":site": notice.cause.as_ref().map_or("", |cause| cause.subject()),
            ":at": notice.at.as_millisecond(),
            ":body": json(notice),
        })?;
        super::outbox::queue(&transaction, notice, recipients)?;
    }
    for (camera, observation) in &batch.observations {
        let sql = "INSERT INTO observation (camera, started, failed, body) VALUES (:camera, :started, :failed, :body)";
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":camera": camera.as_str(),
            ":started": observation.started.as_millisecond(),
            ":failed": observation.failure.is_some(),
            ":body": json(observation),
        })?;
    }
    for (camera, memory) in &batch.memories {
        let sql = "INSERT OR REPLACE INTO memory (camera, body) VALUES (?1, ?2)";
        transaction.prepare_cached(sql)?.execute((camera.as_str(), json(memory.as_ref())))?;
    }
    for (camera, at) in &batch.proofs {
        let sql = "INSERT OR REPLACE INTO proof (camera, at) VALUES (?1, ?2)";
        transaction.prepare_cached(sql)?.execute((camera.as_str(), at.as_millisecond()))?;
    }
    for record in &batch.logins {
        let sql = "INSERT OR REPLACE INTO login (device, onvif, fingerprint, strikes, until, good)
                   VALUES (:device, :onvif, :fingerprint, :strikes, :until, :good)";
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":device": record.device.as_str(),
            ":onvif": record.onvif,
            ":fingerprint": record.fingerprint,
            ":strikes": record.strikes,
            ":until": record.until.map(Timestamp::as_millisecond),
            ":good": record.good,
        })?;
    }
    transaction.commit()?;
    Ok(())
}

fn write_site(connection: &Connection, record: &SiteRecord) -> Result<(), Error> {
    let known = "SELECT level FROM site WHERE site = ?1";
    let before: Option<String> =
        connection.prepare_cached(known)?.query_row([record.site.as_str()], |row| row.get(0)).optional()?;
    let sql = "INSERT INTO site (site, level, since, alert, ended) VALUES (:site, :level, :since, :alert, :ended)
               ON CONFLICT (site) DO UPDATE SET level = :level, since = :since, alert = :alert, ended = :ended";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":site": record.site.as_str(),
        ":level": record.level.as_str(),
        ":since": record.since.as_millisecond(),
        ":alert": record.alert.as_ref().map(json),
        ":ended": json(&record.ended),
    })?;
    if before.as_deref() != Some(record.level.as_str()) {
        let sql = "INSERT INTO level_change (site, level, since) VALUES (:site, :level, :since)";
        connection.prepare_cached(sql)?.execute(named_params! {
            ":site": record.site.as_str(),
            ":level": record.level.as_str(),
            ":since": record.since.as_millisecond(),
        })?;
    }
    Ok(())
}

/// What earlier runs knew.
pub(super) fn restore(connection: &Connection, now: Timestamp, strange: &Strange) -> Result<Restored, Error> {
    let sql = "SELECT camera, from_state, to_state, cause, detail, since, decided FROM transition
               WHERE id IN (SELECT max(id) FROM transition GROUP BY camera)";
    let read = |row: &Row<'_>| read_transition(row, strange);
    let cameras = connection.prepare(sql)?.query_map([], read)?.collect::<Result<_, _>>()?;
    let sql = "SELECT site, level, since, alert, ended FROM site";
    let read = |row: &Row<'_>| read_site(row, strange);
    let sites = connection.prepare(sql)?.query_map([], read)?.collect::<Result<_, _>>()?;
    let memories = memories(connection, strange)?;
    let sql = "SELECT device, onvif, fingerprint, strikes, until, good FROM login";
    let logins = connection.prepare(sql)?.query_map([], read_login)?.collect::<Result<_, _>>()?;
    let sql = "SELECT link, state, since FROM link_change
               WHERE id IN (SELECT max(id) FROM link_change GROUP BY link)";
    let read = |row: &Row<'_>| read_link(row, strange);
    let links = connection.prepare(sql)?.query_map([], read)?.collect::<Result<_, _>>()?;
    let lately = now.as_millisecond() - INCIDENTS_LATELY.as_millis() as i64;
    let sql = "SELECT body FROM incident WHERE closed IS NULL OR closed > ?1";
    let incidents = bodies(connection, sql, lately, ("incident", strange))?;
    let sql = "SELECT body FROM maintenance WHERE until > ?1";
    let windows = bodies(connection, sql, now.as_millisecond(), ("maintenance", strange))?;
    let sql = "SELECT coalesce(max(number), 0) FROM incident";
    let last_number = connection.prepare(sql)?.query_row([], |row| row.get(0))?;
    let proof = |row: &Row<'_>| Ok((row.get::<_, String>("camera")?.as_str().into(), time(row.get("at")?)));
    let proofs = connection.prepare("SELECT camera, at FROM proof")?.query_map([], proof)?.collect::<Result<_, _>>()?;
    Ok(Restored { cameras, sites, memories, proofs, logins, links, incidents, last_number, windows })
}

/// Whole records as JSON; what another version wrote and this one cannot read is left out.
pub(super) fn bodies<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    after: i64,
    (place, strange): (&'static str, &Strange),
) -> Result<Vec<T>, Error> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([after], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(rows.iter().filter_map(|body| strange.record(place, body)).collect())
}

pub(super) fn read_link(row: &Row<'_>, strange: &Strange) -> rusqlite::Result<LinkRecord> {
    let link: String = row.get("link")?;
    Ok(LinkRecord {
        link: (!link.is_empty()).then(|| link.as_str().into()),
        state: strange.word("link_change.state", &row.get::<_, String>("state")?).unwrap_or(LinkState::Unknown),
        since: time(row.get("since")?),
    })
}

/// A secret of our own making.
pub(super) fn secret(connection: &Connection, name: &str) -> Result<secrecy::SecretSlice<u8>, Error> {
    // randomblob is SQLite's generator, seeded from the operating system's.
    let sql = "INSERT OR IGNORE INTO secret (name, value) VALUES (?1, randomblob(32))";
    connection.prepare_cached(sql)?.execute([name])?;
    let sql = "SELECT value FROM secret WHERE name = ?1";
    let value: Vec<u8> = connection.prepare_cached(sql)?.query_row([name], |row| row.get(0))?;
    Ok(value.into())
}

/// What was learned of each camera.
pub(super) fn memories(connection: &Connection, strange: &Strange) -> Result<Vec<(CameraId, Memory)>, Error> {
    let sql = "SELECT camera, body FROM memory";
    // What another version learned and this one cannot read is learned anew, and only that.
    let read = |row: &Row<'_>| {
        let memory = strange.fields("memory", &row.get::<_, String>("body")?);
        Ok((CameraId::from(row.get::<_, String>("camera")?.as_str()), memory))
    };
    Ok(connection.prepare(sql)?.query_map([], read)?.collect::<Result<_, _>>()?)
}

fn read_login(row: &Row<'_>) -> rusqlite::Result<LoginRecord> {
    Ok(LoginRecord {
        device: row.get::<_, String>("device")?.as_str().into(),
        onvif: row.get("onvif")?,
        fingerprint: row.get("fingerprint")?,
        strikes: row.get("strikes")?,
        until: row.get::<_, Option<i64>>("until")?.map(time),
        good: row.get("good")?,
    })
}

pub(super) fn read_transition(row: &Row<'_>, strange: &Strange) -> rusqlite::Result<Transition> {
    let state = |column| {
        let name: String = row.get(column)?;
        Ok::<_, rusqlite::Error>(strange.word("transition.state", &name).unwrap_or(State::Unknown))
    };
    let (reason, mut detail): (Option<String>, String) = (row.get("cause")?, row.get("detail")?);
    let cause = reason.as_deref().and_then(|name| strange.word("transition.cause", name));
    if let (Some(name), None) = (reason, cause) {
        detail = format!("{name} (a reason that this version does not know): {detail}");
    }
    Ok(Transition {
        camera: CameraId::from(row.get::<_, String>("camera")?.as_str()),
        // A state or reason of another version reads as unknown rather than as an error that stops the daemon.
        from: state("from_state")?,
        to: state("to_state")?,
        cause,
        detail,
        since: time(row.get("since")?),
        decided: time(row.get("decided")?),
    })
}

fn read_site(row: &Row<'_>, strange: &Strange) -> rusqlite::Result<SiteRecord> {
    let alert: Option<String> = row.get("alert")?;
    Ok(SiteRecord {
        site: SiteId::from(row.get::<_, String>("site")?.as_str()),
        level: strange.word("site.level", &row.get::<_, String>("level")?).unwrap_or(Level::Unknown),
        since: time(row.get("since")?),
        alert: alert.and_then(|body| strange.record("site.alert", &body)),
        ended: strange.record("site.ended", &row.get::<_, String>("ended")?).unwrap_or_default(),
    })
}

pub(super) fn begin_run(connection: &Connection, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO run (version, started, last_alive) VALUES (?1, ?2, ?2)";
    connection.execute(sql, (env!("CARGO_PKG_VERSION"), now.as_millisecond()))?;
    Ok(())
}

pub(super) fn keep(connection: &Connection, now: Timestamp, settings: &Settings) -> Result<(), Error> {
    let sql = "UPDATE run SET last_alive = ?1 WHERE id = (SELECT max(id) FROM run)";
    connection.prepare_cached(sql)?.execute([now.as_millisecond()])?;
    let age = elapsed(now, Timestamp::UNIX_EPOCH).as_millis() as i64;
    for (failed, keep) in [(0, settings.keep_good), (1, settings.keep_failures)] {
        let before = age.saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
        let sql = "DELETE FROM observation WHERE failed = ?1 AND started < ?2";
        connection.prepare_cached(sql)?.execute([failed, before])?;
    }
    Ok(())
}

/// A time as it is stored.
pub(super) fn time(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data with text keys can always be written as JSON")
}
