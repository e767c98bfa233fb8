//! Transitions, sites, notices and transcripts: written as one transaction, read back at start.

use super::{
    Batch, Error,
    columns::{self, json, time},
    incidents, rows,
    sql::{Connection, Misread, Row, values},
    strange::Strange,
    table::{
        self, INCIDENT, LEVEL_CHANGE, LINK_CHANGE, LOGIN, MAINTENANCE, MEMORY, NOTICE, OBSERVATION, PROOF, RUN, SECRET,
        SITE, TRANSITION,
    },
};
use crate::model::{
    Branch, CameraId, FailureKind, Level, LinkRecord, LinkState, LoginRecord, Memory, Observation, Restored, SiteId,
    SiteRecord, Sought, State, Thing, Transition, told,
};
use jiff::Timestamp;

/// Ended incidents that a restart still knows: they are re-sent to Alertmanager and counted as episodes.
const INCIDENTS_LATELY: std::time::Duration = std::time::Duration::from_secs(6 * 60 * 60);

/// A transcript is cut beyond this many bytes of JSON, the texts of each detail to this many letters, and its steps to as many.
const LONGEST_TRANSCRIPT: usize = 16 * 1024;
const LONGEST_DETAIL: usize = 200;
const RUNGS: usize = 32;

/// Writes a batch in one transaction. Rows get their numbers here, since these are summed.
pub(super) fn write(connection: &Connection, batch: &Batch) -> Result<(), Error> {
    let transaction = connection.transaction()?;
    let sql = TRANSITION.append();
    for transition in &batch.transitions {
        let values = values![
            transition.camera.as_str(),
            transition.from.as_str(),
            transition.to.as_str(),
            transition.cause.map(FailureKind::as_str),
            columns::detail(&transition.detail),
            transition.since.as_millisecond(),
            transition.decided.as_millisecond(),
        ];
        transaction.put(&sql, values)?;
    }
    for record in &batch.sites {
        write_site(&transaction, record)?;
    }
    let sql = LINK_CHANGE.append();
    for record in &batch.links {
        let link = branch_name(&record.branch);
        transaction.put(&sql, values![link, record.state.as_str(), record.since.as_millisecond()])?;
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
        transaction.put(&MAINTENANCE.put(), values![&window.id, until, json(window)])?;
    }
    for (notice, recipients) in &batch.notices {
        // A key that is there already was committed by a run that died before it could remember so.
        let place = notice.incident().map_or("", |incident| incident.cause.subject());
        let values = values![notice.key(), place, notice.at().as_millisecond(), json(notice)];
        transaction.put(&NOTICE.put_new(), values)?;
        super::outbox::queue(&transaction, notice, recipients)?;
    }
    let sql = OBSERVATION.append();
    for (camera, observation) in &batch.observations {
        let started = observation.started.as_millisecond();
        let values = values![camera.as_str(), started, observation.failure.is_some(), transcript(observation)];
        transaction.put(&sql, values)?;
    }
    let sql = MEMORY.put();
    for (camera, memory) in &batch.memories {
        transaction.put(&sql, values![camera.as_str(), json(memory.as_ref())])?;
    }
    let sql = PROOF.put();
    for (camera, at) in &batch.proofs {
        transaction.put(&sql, values![camera.as_str(), at.as_millisecond()])?;
    }
    super::people::write(&transaction, batch)?;
    super::edits::write(&transaction, &batch.edits)?;
    super::figures::write(&transaction, &batch.figures)?;
    super::agents::write(&transaction, batch)?;
    let sql = LOGIN.put();
    for record in &batch.logins {
        let values = values![
            record.device.as_str(),
            record.onvif,
            record.fingerprint,
            record.strikes,
            record.until.map(Timestamp::as_millisecond),
            record.good,
        ];
        transaction.put(&sql, values)?;
    }
    transaction.commit()
}

fn write_site(connection: &Connection, record: &SiteRecord) -> Result<(), Error> {
    let (site, level) = (record.site.as_str(), record.level.as_str());
    // Before the site itself is written: what it was says whether this is a change.
    let changes = "(SELECT level FROM site WHERE site = ?1) IS DISTINCT FROM ?2";
    let since = record.since.as_millisecond();
    connection.put(&LEVEL_CHANGE.append_where(changes), values![site, level, since])?;
    let values = values![site, level, since, record.alert.as_ref().map(json), json(&record.ended)];
    connection.put(&SITE.put(), values)
}

/// What earlier runs knew.
pub(super) fn restore(connection: &Connection, now: Timestamp, strange: &Strange) -> Result<Restored, Error> {
    let all = |table: &table::Table| format!("SELECT *, {} FROM {}", table.sound(), table.name);
    let cameras = rows::read(connection, &rows::latest(&TRANSITION), values![], ("transition", strange), |row| {
        read_transition(row, strange)
    })?;
    let sites = rows::read(connection, &all(&SITE), values![], ("site", strange), |row| read_site(row, strange))?;
    let memories = memories(connection, strange)?;
    let logins = rows::read(connection, &all(&LOGIN), values![], ("login", strange), read_login)?;
    let links = rows::read(connection, &rows::latest(&LINK_CHANGE), values![], ("link_change", strange), |row| {
        read_link(row, strange)
    })?;
    let lately = now.as_millisecond() - INCIDENTS_LATELY.as_millis() as i64;
    let incidents = rows::bodies(connection, &INCIDENT, "closed IS NULL OR closed > ?1", lately, strange)?;
    let windows = rows::bodies(connection, &MAINTENANCE, "until > ?1", now.as_millisecond(), strange)?;
    let last_number = rows::last_number(connection, strange)?;
    let drills = Sought { all: [Thing::Cause("drill")].into(), most: 1, ..Sought::default() };
    let drilled = incidents::find(connection, &drills)?.incidents.first().map(|incident| incident.opened);
    let proof = |row: Row<'_>| Ok((row.get::<String>("camera")?.as_str().into(), time(row.get("at")?)));
    let proofs = rows::read(connection, &all(&PROOF), values![], ("proof", strange), proof)?.into_iter().collect();
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

pub(super) fn read_link(row: Row<'_>, strange: &Strange) -> Result<LinkRecord, Misread> {
    let link: String = row.get("link")?;
    Ok(LinkRecord {
        branch: branch_named(&link),
        state: strange.word("link_change.state", &row.get::<String>("state")?).unwrap_or(LinkState::Unknown),
        since: time(row.get("since")?),
    })
}

/// The key that signs links, if there is one that can be believed.
pub(super) fn signing_key(connection: &Connection) -> Result<Option<Vec<u8>>, Error> {
    let sql = format!("SELECT value, {} FROM secret WHERE name = 'signing_key'", SECRET.sound());
    let strange = Strange::default();
    let keys = rows::read(connection, &sql, values![], ("secret", &strange), |row| row.get::<Vec<u8>>("value"))?;
    if strange.rows() > 0 {
        tracing::error!("the key that signs links is damaged: links that were sent so far are good no more");
    }
    Ok(keys.into_iter().next())
}

/// A new key, of the system's randomness.
pub(super) fn new_key() -> Result<Vec<u8>, Error> {
    let mut key = vec![0; 32];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| std::io::Error::other("the system gives no random numbers"))?;
    Ok(key)
}

/// Writes a key, unless there is one.
pub(super) fn keep_key(connection: &Connection, key: &[u8]) -> Result<(), Error> {
    let damaged = "WHERE secret.sum IS DISTINCT FROM row_sum('secret', secret.name, secret.value)";
    connection.put(&format!("{} {damaged}", SECRET.put()), values!["signing_key", key])
}

/// What was learned of each camera.
pub(super) fn memories(connection: &Connection, strange: &Strange) -> Result<Vec<(CameraId, Memory)>, Error> {
    let sql = format!("SELECT camera, body, {} FROM memory", MEMORY.sound());
    // What another version learned and this one cannot read is learned anew, and only that.
    rows::read(connection, &sql, values![], ("memory", strange), |row| {
        let memory = strange.fields("memory", &row.get::<String>("body")?);
        Ok((CameraId::from(row.get::<String>("camera")?.as_str()), memory))
    })
}

fn read_login(row: Row<'_>) -> Result<LoginRecord, Misread> {
    Ok(LoginRecord {
        device: row.get::<String>("device")?.as_str().into(),
        onvif: row.get("onvif")?,
        fingerprint: row.get("fingerprint")?,
        strikes: row.get("strikes")?,
        until: row.get::<Option<i64>>("until")?.map(time),
        good: row.get("good")?,
    })
}

pub(super) fn read_transition(row: Row<'_>, strange: &Strange) -> Result<Transition, Misread> {
    let state = |column| {
        let name: String = row.get(column)?;
        Ok::<_, Misread>(strange.word("transition.state", &name).unwrap_or(State::Unknown))
    };
    let (reason, detail): (Option<String>, String) = (row.get("cause")?, row.get("detail")?);
    let mut detail = columns::read_detail(&detail);
    let cause = reason.as_deref().and_then(|name| strange.word("transition.cause", name));
    if let (Some(name), None) = (reason, cause) {
        detail = told!(ReasonUnknown, name, detail);
    }
    Ok(Transition {
        camera: CameraId::from(row.get::<String>("camera")?.as_str()),
        // A state or reason of another version reads as unknown rather than as an error that stops the daemon.
        from: state("from_state")?,
        to: state("to_state")?,
        cause,
        detail,
        since: time(row.get("since")?),
        decided: time(row.get("decided")?),
    })
}

fn read_site(row: Row<'_>, strange: &Strange) -> Result<SiteRecord, Misread> {
    let alert: Option<String> = row.get("alert")?;
    Ok(SiteRecord {
        site: SiteId::from(row.get::<String>("site")?.as_str()),
        level: strange.word("site.level", &row.get::<String>("level")?).unwrap_or(Level::Unknown),
        since: time(row.get("since")?),
        alert: alert.and_then(|body| strange.record("site.alert", &body)),
        ended: strange.record("site.ended", &row.get::<String>("ended")?).unwrap_or_default(),
    })
}

/// Whether any run ever wrote here.
pub(super) fn knows_runs(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.first("SELECT id FROM run LIMIT 1", values![], |_| Ok(()))?.is_some())
}

/// Notes that a run began; its number.
pub(super) fn begin_run(connection: &Connection, began: Timestamp) -> Result<i64, Error> {
    let run = connection.number("SELECT max(id) FROM run", values![])? + 1;
    let began = began.as_millisecond();
    connection.put(&RUN.put(), values![run, env!("CARGO_PKG_VERSION"), began, began])?;
    Ok(run)
}

/// Whether this is the number of the run that began then.
pub(super) fn is_run(connection: &Connection, run: i64, began: Timestamp) -> bool {
    let sql = "SELECT 1 FROM run WHERE id = ?1 AND started = ?2";
    matches!(connection.first(sql, values![run, began.as_millisecond()], |_| Ok(())), Ok(Some(())))
}

/// Notes that the run is alive.
pub(super) fn alive(connection: &Connection, run: i64, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE run SET last_alive = ?2, sum = row_sum('run', id, version, started, ?2) WHERE id = ?1";
    connection.put(sql, values![run, now.as_millisecond()])
}

/// Writes what is there already, to see whether anything can be written.
pub(super) fn touch(connection: &Connection, run: i64) -> Result<(), Error> {
    connection.put("UPDATE run SET last_alive = last_alive WHERE id = ?1", values![run])
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
