//! The timeline as rows: what happened to incidents, and to each message of them, in the transaction in which it does.
//! What happens is decided by the core; here it is stored and read.

use super::{
    Error,
    columns::{self, time},
    rows,
    sql::{Connection, Misread, Row, Value, values},
    strange::Strange,
    table::TIMELINE,
};
use crate::model::{
    ChannelId, Detail, Feedback, Happened, Happening, IncidentId, Level, Mark, Notice, PersonId, Place, Recipient,
};
use jiff::Timestamp;

/// Entries of one incident that are read, the first of them.
const READ: u32 = 4000;
/// So many entries of one incident are kept of tries that failed: a channel may refuse for weeks.
const FAILURES: u32 = 400;

/// SQL: whether there is no such entry yet, at whatever time, and not enough of its kind. Its values are those of an entry.
fn is_new() -> String {
    format!(
        "NOT (SELECT count(*) >= {FAILURES}
                  OR count(CASE WHEN step = ?4 AND person IS NOT DISTINCT FROM ?5 AND channel IS NOT DISTINCT FROM ?6
                                     AND detail = ?9 THEN 1 END) > 0
              FROM timeline WHERE incident = ?1 AND what = ?3)"
    )
}

/// Puts an entry behind the others.
fn put(connection: &Connection, happened: &Happened) -> Result<(), Error> {
    // What is tried again and again is worth an entry where it fails otherwise than before.
    let repeats = matches!(happened.what, Happening::Failed | Happening::Moved);
    put_where(connection, happened, if repeats { is_new() } else { "true".to_owned() }, &[])
}

/// Puts an entry behind the others where a condition holds. The values of that stand behind those of the entry.
fn put_where(connection: &Connection, happened: &Happened, condition: String, more: &[Value<'_>]) -> Result<(), Error> {
    let entry = values![
        happened.incident.as_str(),
        happened.at.as_millisecond(),
        happened.what.as_str(),
        happened.step,
        happened.person.as_ref().map(PersonId::as_str),
        happened.channel.as_ref().map(ChannelId::as_str),
        happened.level.map(Level::as_str),
        happened.until.map(Timestamp::as_millisecond),
        columns::detail(&happened.detail),
    ];
    connection.put(&TIMELINE.append_where(&condition), &[entry, more].concat())
}

/// Writes what happened to incidents, as part of a batch's transaction.
pub(super) fn write(connection: &Connection, happened: &[Happened]) -> Result<(), Error> {
    happened.iter().try_for_each(|happened| put(connection, happened))
}

/// A message is to be told to somebody, unless that is queued already: before it is.
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
    let is_new = "NOT EXISTS (SELECT 1 FROM outbox WHERE notice = ?10 AND recipient = ?11)";
    put_where(connection, &happened, is_new.to_owned(), values![notice.key(), to.key()])
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
        connection.first(&sql, values![id], Self::read)
    }

    fn read(row: Row<'_>) -> Result<Self, Misread> {
        let (recipient, notice, channel): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(4)?);
        let step = notice.rsplit_once('-').and_then(|(_, step)| step.parse().ok()).unwrap_or(0);
        let nth = usize::try_from(row.get::<i64>(3)?).unwrap_or(0);
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
        let older =
            "SELECT id FROM outbox WHERE state = 'queued' AND incident = ?1 AND recipient = ?2 AND id < ?3 LIMIT 1";
        let key = values![thread.incident.as_str(), &thread.recipient, *before];
        if connection.first(older, key, |_| Ok(()))?.is_none() {
            return Ok(());
        }
    }
    for (what, channel, detail) in mark.happenings(&message.place, message.rings) {
        put(connection, &message.clone().happens(what, channel, detail, now))?;
    }
    Ok(())
}

/// Notes what a channel says later of a message; whether there is such a message. What it says twice is noted once.
pub(super) fn feedback(connection: &Connection, feedback: &Feedback) -> Result<bool, Error> {
    let transaction = connection.transaction()?;
    let sql = format!("{MESSAGE} outbox.channel = ?1 AND outbox.receipt = ?2 ORDER BY outbox.id DESC LIMIT 1");
    let of = values![feedback.channel.as_str(), &feedback.receipt];
    let Some(message) = transaction.first(&sql, of, Message::read)? else { return Ok(false) };
    let happened = message.happens(feedback.what, Some(feedback.channel.clone()), Detail::default(), feedback.at);
    put_where(&transaction, &happened.saying(&feedback.detail), is_new(), &[])?;
    transaction.commit()?;
    Ok(true)
}

/// What happened to an incident, in order.
pub(super) fn read(connection: &Connection, incident: &IncidentId) -> Result<Vec<Happened>, Error> {
    let sql = format!("SELECT *, {} FROM timeline WHERE incident = ?1 ORDER BY at, id LIMIT {READ}", TIMELINE.sound());
    let strange = Strange::default();
    let entries = rows::read(connection, &sql, values![incident.as_str()], (TIMELINE.name, &strange), |row| {
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
            until: row.get::<Option<i64>>("until")?.map(time),
            detail: columns::read_detail(&row.get::<String>("detail")?),
        }))
    })?;
    strange.tell();
    Ok(entries.into_iter().flatten().collect())
}

/// Brings entries that were noted while the file could not be written into it.
pub(super) fn write_back(from: &Connection, to: &Connection) -> Result<(), Error> {
    let incidents = "SELECT incident FROM timeline GROUP BY incident ORDER BY min(id)";
    let incidents = from.all(incidents, values![], |row| row.get::<String>(0))?;
    for incident in incidents {
        write(to, &read(from, &IncidentId::stored(incident))?)?;
    }
    Ok(())
}
