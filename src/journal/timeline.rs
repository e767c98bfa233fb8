//! The timeline as rows: what happened to incidents, and to each message of them, in the transaction in which it does.
//! What happens is decided by the core; here it is stored and read.

use super::{
    Error,
    columns::{self, time},
    rows,
    strange::Strange,
    table::TIMELINE,
};
use crate::model::{
    ChannelId, Detail, Feedback, Happened, Happening, IncidentId, Level, Mark, Notice, PersonId, Place, Recipient,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// Entries of one incident that are read, the first of them.
const READ: u32 = 4000;
/// So many entries of one incident are kept of tries that failed: a channel may refuse for weeks.
const FAILURES: u32 = 400;

/// Puts an entry behind the others.
fn put(connection: &Connection, happened: &Happened) -> Result<(), Error> {
    // What is tried again and again is worth an entry where it fails otherwise than before.
    let repeats = matches!(happened.what, Happening::Failed | Happening::Moved);
    let detail = columns::detail(&happened.detail);
    if repeats && is_known(connection, happened, &detail)? {
        return Ok(());
    }
    let sql = "INSERT INTO timeline
               SELECT next, :incident, :at, :what, :step, :person, :channel, :level, :until, :detail,
                   row_sum('timeline', next, :incident, :at, :what, :step, :person, :channel, :level, :until, :detail)
               FROM (SELECT ifnull(max(id), 0) + 1 AS next FROM timeline)";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":incident": happened.incident.as_str(),
        ":at": happened.at.as_millisecond(),
        ":what": happened.what.as_str(),
        ":step": happened.step,
        ":person": happened.person.as_ref().map(PersonId::as_str),
        ":channel": happened.channel.as_ref().map(ChannelId::as_str),
        ":level": happened.level.map(Level::as_str),
        ":until": happened.until.map(Timestamp::as_millisecond),
        ":detail": detail,
    })?;
    Ok(())
}

/// Whether there is such an entry already, at whatever time, or enough of its kind.
fn is_known(connection: &Connection, happened: &Happened, detail: &str) -> Result<bool, Error> {
    let sql = "SELECT count(*) >= :most OR max(step = :step AND person IS :person AND channel IS :channel AND detail = :detail)
               FROM timeline WHERE incident = :incident AND what = :what";
    let known = connection.prepare_cached(sql)?.query_row(
        named_params! {
            ":most": FAILURES,
            ":incident": happened.incident.as_str(),
            ":what": happened.what.as_str(),
            ":step": happened.step,
            ":person": happened.person.as_ref().map(PersonId::as_str),
            ":channel": happened.channel.as_ref().map(ChannelId::as_str),
            ":detail": detail,
        },
        |row| row.get::<_, Option<bool>>(0),
    )?;
    Ok(known.unwrap_or(false))
}

/// Writes what happened to incidents, as part of a batch's transaction.
pub(super) fn write(connection: &Connection, happened: &[Happened]) -> Result<(), Error> {
    happened.iter().try_for_each(|happened| put(connection, happened))
}

/// A message is to be told to somebody.
pub(super) fn queued(connection: &Connection, notice: &Notice, to: &Recipient) -> Result<(), Error> {
    let Some(incident) = notice.incident() else { return Ok(()) };
    // No telephone rings for mere news.
    if to.rings && !notice.pages() {
        return Ok(());
    }
    let happened = Happened {
        incident: incident.incident.clone(),
        at: notice.at(),
        what: Happening::Queued,
        step: notice.step(),
        person: to.person.clone(),
        channel: to.channels.first().cloned(),
        level: None,
        until: None,
        detail: Detail::default(),
    };
    put(connection, &happened)
}

/// A row of the outbox, as far as its timeline goes: whose it is, and where it waits.
#[derive(Clone)]
struct Message {
    incident: IncidentId,
    step: u32,
    person: Option<PersonId>,
    /// Whether it is a call.
    rings: bool,
    place: Place,
}

const MESSAGE: &str =
    "SELECT outbox.incident, outbox.recipient, outbox.notice, outbox.turn, outbox.channel, outbox.attempts
                       FROM outbox JOIN notice ON notice.key = outbox.notice WHERE notice.site <> '' AND ";

impl Message {
    /// The row of a number; `None` where there is none, or it is of no incident.
    fn of_row(connection: &Connection, id: i64) -> Result<Option<Self>, Error> {
        let sql = format!("{MESSAGE} outbox.id = ?1");
        Ok(connection.prepare_cached(&sql)?.query_row([id], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (recipient, notice, channel): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(4)?);
        let step = notice.rsplit_once('-').and_then(|(_, step)| step.parse().ok()).unwrap_or(0);
        let nth = usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
        let (person, rings) = Recipient::of_key(&recipient);
        Ok(Self {
            incident: IncidentId::stored(row.get(0)?),
            step,
            person,
            rings,
            place: Place { channel: channel.as_str().into(), nth, attempts: row.get(5)? },
        })
    }

    fn happens(self, what: Happening, channel: Option<ChannelId>, detail: Detail, at: Timestamp) -> Happened {
        let Self { incident, step, person, .. } = self;
        Happened { incident, at, what, step, person, channel, level: None, until: None, detail }
    }
}

/// Notes what happens to a message by a mark, before that is made.
pub(super) fn marked(connection: &Connection, mark: &Mark, now: Timestamp) -> Result<(), Error> {
    let (Mark::Sent { id, .. }
    | Mark::Waits { id, .. }
    | Mark::Abandoned { id, .. }
    | Mark::Superseded { before: id, .. }) = mark;
    let Some(message) = Message::of_row(connection, *id)? else { return Ok(()) };
    if let Mark::Superseded { thread, before } = mark {
        let older = "SELECT EXISTS (SELECT 1 FROM outbox
                         WHERE state = 'queued' AND incident = ?1 AND recipient = ?2 AND id < ?3)";
        let key = (thread.incident.as_str(), &thread.recipient, before);
        if !connection.prepare_cached(older)?.query_row(key, |row| row.get::<_, bool>(0))? {
            return Ok(());
        }
    }
    for (what, channel, detail) in mark.happenings(&message.place, message.rings) {
        put(connection, &message.clone().happens(what, channel, detail, now))?;
    }
    Ok(())
}

/// Notes what a channel says later of a message; whether there is such a message. What it says twice is noted once.
pub(super) fn feedback(connection: &mut Connection, feedback: &Feedback) -> Result<bool, Error> {
    let transaction = connection.transaction()?;
    let sql = format!("{MESSAGE} outbox.channel = ?1 AND outbox.receipt = ?2 ORDER BY outbox.id DESC LIMIT 1");
    let of = (feedback.channel.as_str(), &feedback.receipt);
    let Some(message) = transaction.prepare_cached(&sql)?.query_row(of, Message::read).optional()? else {
        return Ok(false);
    };
    let happened = message.happens(feedback.what, Some(feedback.channel.clone()), Detail::default(), feedback.at);
    let happened = happened.saying(&feedback.detail);
    if !is_known(&transaction, &happened, &columns::detail(&happened.detail))? {
        put(&transaction, &happened)?;
    }
    transaction.commit()?;
    Ok(true)
}

/// What happened to an incident, in order.
pub(super) fn read(connection: &Connection, incident: &IncidentId) -> Result<Vec<Happened>, Error> {
    let sql = format!("SELECT *, {} FROM timeline WHERE incident = ?1 ORDER BY at, id LIMIT {READ}", TIMELINE.sound());
    let strange = Strange::default();
    let entries = rows::read(connection, &sql, [incident.as_str()], (TIMELINE.name, &strange), |row| {
        let what: String = row.get("what")?;
        // What another version notes and this one does not know is left out.
        let Some(what) = strange.word("timeline.what", &what) else { return Ok(None) };
        let (person, channel): (Option<String>, Option<String>) = (row.get("person")?, row.get("channel")?);
        let level: Option<String> = row.get("level")?;
        Ok(Some(Happened {
            incident: incident.clone(),
            at: time(row.get("at")?),
            what,
            step: row.get("step")?,
            person: person.as_deref().map(Into::into),
            channel: channel.as_deref().map(Into::into),
            level: level.and_then(|level| strange.word("timeline.level", &level)),
            until: row.get::<_, Option<i64>>("until")?.map(time),
            detail: columns::read_detail(&row.get::<_, String>("detail")?),
        }))
    })?;
    strange.tell();
    Ok(entries.into_iter().flatten().collect())
}

/// Brings entries that were noted while the file could not be written into it.
pub(super) fn write_back(from: &Connection, to: &Connection) -> Result<(), Error> {
    let mut statement = from.prepare("SELECT DISTINCT incident FROM timeline ORDER BY id")?;
    let incidents = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    for incident in incidents {
        write(to, &read(from, &IncidentId::stored(incident))?)?;
    }
    Ok(())
}
