//! Transitions, sites, notices and transcripts: written as one transaction, read back at start.

use super::{
    Batch, Error,
    columns::{self, json, time},
    incidents, rows,
    strange::Strange,
    table::{self, INCIDENT, LINK_CHANGE, LOGIN, MAINTENANCE, MEMORY, PROOF, SECRET, SITE, TRANSITION},
};
use crate::model::{
    Branch, CameraId, FailureKind, Level, LinkRecord, LinkState, LoginRecord, Memory, Observation, Restored, SiteId,
    SiteRecord, Sought, State, Thing, Transition, told,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// Ended incidents that a restart still knows: they are re-sent to Alertmanager and counted as episodes.
const INCIDENTS_LATELY: std::time::Duration = std::time::Duration::from_secs(6 * 60 * 60);

/// A transcript is cut beyond this many bytes of JSON, the texts of each detail to this many letters, and its steps to as many.
const LONGEST_TRANSCRIPT: usize = 16 * 1024;
const LONGEST_DETAIL: usize = 200;
const RUNGS: usize = 32;

/// Writes a batch in one transaction. Rows get their numbers here, since these are summed.
pub(super) fn write(connection: &mut Connection, batch: &Batch) -> Result<(), Error> {
    let transaction = connection.transaction()?;
    for transition in &batch.transitions {
        let sql = "INSERT INTO transition
                   SELECT next, :camera, :from, :to, :cause, :detail, :since, :decided,
                       row_sum('transition', next, :camera, :from, :to, :cause, :detail, :since, :decided)
                   FROM (SELECT ifnull(max(id), 0) + 1 AS next FROM transition)";
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":camera": transition.camera.as_str(),
            ":from": transition.from.as_str(),
            ":to": transition.to.as_str(),
            ":cause": transition.cause.map(FailureKind::as_str),
            ":detail": columns::detail(&transition.detail),
            ":since": transition.since.as_millisecond(),
            ":decided": transition.decided.as_millisecond(),
        })?;
    }
    for record in &batch.sites {
        write_site(&transaction, record)?;
    }
    for record in &batch.links {
        let sql = "INSERT INTO link_change SELECT next, ?1, ?2, ?3, row_sum('link_change', next, ?1, ?2, ?3)
                   FROM (SELECT ifnull(max(id), 0) + 1 AS next FROM link_change)";
        let link = branch_name(&record.branch);
        let since = record.since.as_millisecond();
        transaction.prepare_cached(sql)?.execute((link, record.state.as_str(), since))?;
    }
    for incident in &batch.incidents {
        super::incidents::write(&transaction, incident)?;
    }
    super::timeline::write(&transaction, &batch.happened)?;
    for window in &batch.windows {
        let until = match window.span {
            crate::model::Span::Once { until, .. } => until.as_millisecond(),
            crate::model::Span::Weekly { .. } => i64::MAX,
        };
        let sql = "INSERT OR REPLACE INTO maintenance (id, until, body, sum)
                   VALUES (?1, ?2, ?3, row_sum('maintenance', ?1, ?2, ?3))";
        transaction.prepare_cached(sql)?.execute((&window.id, until, json(window)))?;
    }
    for (notice, recipients) in &batch.notices {
        // A key that is there already was committed by a run that died before it could remember so.
        let sql = "INSERT OR IGNORE INTO notice (key, site, at, body, sum)
                   VALUES (:key, :site, :at, :body, row_sum('notice', :key, :site, :at, :body))";
        let key = notice.key();
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":key": key,
            ":site": notice.incident().map_or("", |incident| incident.cause.subject()),
            ":at": notice.at().as_millisecond(),
            ":body": json(notice),
        })?;
        super::outbox::queue(&transaction, notice, recipients)?;
    }
    for (camera, observation) in &batch.observations {
        let sql = "INSERT INTO observation
                   SELECT next, :camera, :started, :failed, :body,
                       row_sum('observation', next, :camera, :started, :failed, :body)
                   FROM (SELECT ifnull(max(id), 0) + 1 AS next FROM observation)";
        transaction.prepare_cached(sql)?.execute(named_params! {
            ":camera": camera.as_str(),
            ":started": observation.started.as_millisecond(),
            ":failed": observation.failure.is_some(),
            ":body": transcript(observation),
        })?;
    }
    for (camera, memory) in &batch.memories {
        let sql = "INSERT OR REPLACE INTO memory (camera, body, sum) VALUES (?1, ?2, row_sum('memory', ?1, ?2))";
        transaction.prepare_cached(sql)?.execute((camera.as_str(), json(memory.as_ref())))?;
    }
    for (camera, at) in &batch.proofs {
        let sql = "INSERT OR REPLACE INTO proof (camera, at, sum) VALUES (?1, ?2, row_sum('proof', ?1, ?2))";
        transaction.prepare_cached(sql)?.execute((camera.as_str(), at.as_millisecond()))?;
    }
    super::people::write(&transaction, batch)?;
    super::edits::write(&transaction, &batch.edits)?;
    super::figures::write(&transaction, &batch.figures)?;
    super::agents::write(&transaction, batch)?;
    for record in &batch.logins {
        let sql = "INSERT OR REPLACE INTO login (device, onvif, fingerprint, strikes, until, good, sum)
                   VALUES (:device, :onvif, :fingerprint, :strikes, :until, :good,
                       row_sum('login', :device, :onvif, :fingerprint, :strikes, :until, :good))";
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
    // A level that cannot be read is none: then it has changed.
    let known = "SELECT iif(typeof(level) = 'text', level, NULL) FROM site WHERE site = ?1";
    let before: Option<Option<String>> =
        connection.prepare_cached(known)?.query_row([record.site.as_str()], |row| row.get(0)).optional()?;
    let sql = "INSERT OR REPLACE INTO site (site, level, since, alert, ended, sum)
               VALUES (:site, :level, :since, :alert, :ended,
                   row_sum('site', :site, :level, :since, :alert, :ended))";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":site": record.site.as_str(),
        ":level": record.level.as_str(),
        ":since": record.since.as_millisecond(),
        ":alert": record.alert.as_ref().map(json),
        ":ended": json(&record.ended),
    })?;
    if before.flatten().as_deref() != Some(record.level.as_str()) {
        let sql = "INSERT INTO level_change
                   SELECT next, :site, :level, :since, row_sum('level_change', next, :site, :level, :since)
                   FROM (SELECT ifnull(max(id), 0) + 1 AS next FROM level_change)";
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
    let all = |table: &table::Table| format!("SELECT *, {} FROM {}", table.sound(), table.name);
    let cameras = rows::read(connection, &rows::latest(&TRANSITION), [], ("transition", strange), |row| {
        read_transition(row, strange)
    })?;
    let sites = rows::read(connection, &all(&SITE), [], ("site", strange), |row| read_site(row, strange))?;
    let memories = memories(connection, strange)?;
    let logins = rows::read(connection, &all(&LOGIN), [], ("login", strange), read_login)?;
    let links = rows::read(connection, &rows::latest(&LINK_CHANGE), [], ("link_change", strange), |row| {
        read_link(row, strange)
    })?;
    let lately = now.as_millisecond() - INCIDENTS_LATELY.as_millis() as i64;
    let incidents = rows::bodies(connection, &INCIDENT, "closed IS NULL OR closed > ?1", lately, strange)?;
    let windows = rows::bodies(connection, &MAINTENANCE, "until > ?1", now.as_millisecond(), strange)?;
    let last_number = rows::last_number(connection, strange)?;
    let drills = Sought { all: [Thing::Cause("drill")].into(), most: 1, ..Sought::default() };
    let drilled = incidents::find(connection, &drills)?.incidents.first().map(|incident| incident.opened);
    let proof = |row: &Row<'_>| Ok((row.get::<_, String>("camera")?.as_str().into(), time(row.get("at")?)));
    let proofs = rows::read(connection, &all(&PROOF), [], ("proof", strange), proof)?.into_iter().collect();
    let agents = super::agents::marks(connection, strange)?;
    Ok(Restored { cameras, sites, memories, proofs, logins, links, incidents, last_number, drilled, windows, agents })
}

/// The name under which a branch stands in the journal: its link's, and none for the commune, which has none.
fn branch_name(branch: &Branch) -> &str {
    match branch {
        Branch::Link(link) => link.as_str(),
        Branch::Commune => "",
    }
}

fn branch_named(name: &str) -> Branch {
    if name.is_empty() { Branch::Commune } else { Branch::Link(name.into()) }
}

pub(super) fn read_link(row: &Row<'_>, strange: &Strange) -> rusqlite::Result<LinkRecord> {
    let link: String = row.get("link")?;
    Ok(LinkRecord {
        branch: branch_named(&link),
        state: strange.word("link_change.state", &row.get::<_, String>("state")?).unwrap_or(LinkState::Unknown),
        since: time(row.get("since")?),
    })
}

/// The key that signs links, if there is one that can be believed.
pub(super) fn signing_key(connection: &Connection) -> Result<Option<Vec<u8>>, Error> {
    let sql = format!("SELECT value, {} FROM secret WHERE name = 'signing_key'", SECRET.sound());
    let strange = Strange::default();
    let keys = rows::read(connection, &sql, [], ("secret", &strange), |row| row.get::<_, Vec<u8>>("value"))?;
    if strange.rows() > 0 {
        tracing::error!("the key that signs links is damaged: links that were sent so far are good no more");
    }
    Ok(keys.into_iter().next())
}

/// A new key. `randomblob` is SQLite's generator, seeded from the operating system's.
pub(super) fn new_key(connection: &Connection) -> Result<Vec<u8>, Error> {
    Ok(connection.query_row("SELECT randomblob(32)", [], |row| row.get(0))?)
}

/// Writes a key, unless there is one.
pub(super) fn keep_key(connection: &Connection, key: &[u8]) -> Result<(), Error> {
    let sql = "INSERT INTO secret (name, value, sum) VALUES (?1, ?2, row_sum('secret', ?1, ?2))
               ON CONFLICT (name) DO UPDATE SET value = excluded.value, sum = excluded.sum
               WHERE secret.sum IS NOT row_sum('secret', secret.name, secret.value)";
    connection.prepare_cached(sql)?.execute(("signing_key", key))?;
    Ok(())
}

/// What was learned of each camera.
pub(super) fn memories(connection: &Connection, strange: &Strange) -> Result<Vec<(CameraId, Memory)>, Error> {
    let sql = format!("SELECT camera, body, {} FROM memory", MEMORY.sound());
    // What another version learned and this one cannot read is learned anew, and only that.
    rows::read(connection, &sql, [], ("memory", strange), |row| {
        let memory = strange.fields("memory", &row.get::<_, String>("body")?);
        Ok((CameraId::from(row.get::<_, String>("camera")?.as_str()), memory))
    })
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
    let (reason, detail): (Option<String>, String) = (row.get("cause")?, row.get("detail")?);
    let mut detail = columns::read_detail(&detail);
    let cause = reason.as_deref().and_then(|name| strange.word("transition.cause", name));
    if let (Some(name), None) = (reason, cause) {
        detail = told!(ReasonUnknown, name, detail);
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

/// Whether any run ever wrote here.
pub(super) fn knows_runs(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.query_row("SELECT EXISTS (SELECT 1 FROM run)", [], |row| row.get(0))?)
}

/// Notes that a run began; its number.
pub(super) fn begin_run(connection: &Connection, began: Timestamp) -> Result<i64, Error> {
    let sql = "INSERT INTO run SELECT next, ?1, ?2, ?2, row_sum('run', next, ?1, ?2, ?2)
               FROM (SELECT ifnull(max(id), 0) + 1 AS next FROM run)";
    connection.prepare_cached(sql)?.execute((env!("CARGO_PKG_VERSION"), began.as_millisecond()))?;
    Ok(connection.last_insert_rowid())
}

/// Whether this is the number of the run that began then.
pub(super) fn is_run(connection: &Connection, run: i64, began: Timestamp) -> bool {
    let sql = "SELECT 1 FROM run WHERE id = ?1 AND started = ?2";
    connection.query_row(sql, (run, began.as_millisecond()), |_| Ok(())).is_ok()
}

/// Notes that the run is alive.
pub(super) fn alive(connection: &Connection, run: i64, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE run SET last_alive = ?2, sum = row_sum('run', id, version, started, ?2) WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((run, now.as_millisecond()))?;
    Ok(())
}

/// Writes what is there already, to see whether anything can be written.
pub(super) fn touch(connection: &mut Connection, run: i64) -> Result<(), Error> {
    connection.prepare_cached("UPDATE run SET last_alive = last_alive WHERE id = ?1")?.execute([run])?;
    Ok(())
}

/// A transcript as it is stored: what a camera says at length is cut.
fn transcript(seen: &Observation) -> String {
    let whole = json(seen);
    if whole.len() <= LONGEST_TRANSCRIPT {
        return whole;
    }
    let mut short = seen.clone();
    short.device = None;
    short.rungs.truncate(RUNGS);
    short.rungs.iter_mut().for_each(|rung| rung.detail = rung.detail.shortened(LONGEST_DETAIL));
    if let Some(failure) = &mut short.failure {
        failure.detail = failure.detail.shortened(LONGEST_DETAIL);
    }
    match json(&short) {
        short if short.len() <= LONGEST_TRANSCRIPT => short,
        _ => json(&Observation { failure: short.failure, ..Observation::new(seen.check, seen.started) }),
    }
}
