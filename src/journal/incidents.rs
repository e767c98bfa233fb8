//! Incidents as rows: as they stand, and how those are found that are open or ended long ago.

use super::{
    Error,
    columns::json,
    rows,
    sql::{Connection, Value, values},
    strange::Strange,
    table::INCIDENT,
    timeline,
};
use crate::model::{Found, Happened, Incident, Sought, Thing};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Incidents that are found at once at most.
const MOST: usize = 1000;
/// Of so many things the incidents are found by each of them; of more, each incident is asked whether it has one.
const FEW: usize = 40;

/// Writes incidents as they stand, as part of a batch's transaction.
pub(super) fn write(connection: &Connection, incident: &Incident) -> Result<(), Error> {
    let (opened, closed) = (incident.opened.as_millisecond(), incident.closed.map(Timestamp::as_millisecond));
    let values = values![incident.id.as_str(), incident.number, opened, closed, json(incident)];
    connection.put(&INCIDENT.put(), values)?;
    let things = names(&incident.things());
    let stale = "DELETE FROM incident_of WHERE number = ?1 AND thing NOT IN (SELECT value FROM json_each(?2))";
    connection.put(stale, values![incident.number, &things])?;
    // What is there already is not summed anew: an incident of a whole commune changes often, and has all its sites.
    let new = "INSERT INTO incident_of (thing, number, sum)
               SELECT value, ?1, row_sum('incident_of', value, ?1) FROM json_each(?2) AS new
               WHERE NOT EXISTS (SELECT 1 FROM incident_of WHERE thing = new.value AND number = ?1)
               ON CONFLICT DO NOTHING";
    connection.put(new, values![incident.number, &things])
}

fn names(things: &BTreeSet<Thing>) -> String {
    json(&things.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// SQL that finds numbers, and what stands in its places.
pub(super) fn search(sought: &Sought) -> (String, Vec<Value<'static>>) {
    let mut values = Vec::new();
    let mut conditions: Vec<String> = Vec::new();
    let mut place = |value: Value<'static>| {
        values.push(value);
        format!("?{}", values.len())
    };
    if let Some(number) = sought.number {
        conditions.push(format!("found.number = {}", place(i64::from(number).into())));
    }
    if let Some(before) = sought.before {
        conditions.push(format!("found.number < {}", place(i64::from(before).into())));
    }
    if let Some((from, until)) = sought.opened {
        let (from, until) = (place(from.as_millisecond().into()), place(until.as_millisecond().into()));
        let span = format!("FROM incident WHERE opened >= {from} AND opened < {until}");
        conditions.push(format!("found.number >= (SELECT min(number) {span})"));
        conditions.push(format!("found.number <= (SELECT max(number) {span})"));
        // A clock that was set back may have left numbers out of order.
        conditions.push(format!(
            "EXISTS (SELECT 1 FROM incident WHERE incident.number = found.number AND +opened >= {from} AND +opened < {until})"
        ));
    }
    let mut all = sought.all.iter().rev();
    let mut sets: Vec<&BTreeSet<Thing>> = sought.any.iter().collect();
    sets.sort_by_key(|set| set.len());
    let mut sets = sets.into_iter().peekable();
    let source = if let Some(set) = sets.next_if(|set| set.len() <= FEW) {
        // A set of few things is the narrowest way in, and sorted afterwards.
        let set = place(names(set).into());
        format!("(SELECT DISTINCT number FROM incident_of WHERE thing IN (SELECT value FROM json_each({set})))")
    } else if let Some(first) = all.next_back() {
        let first = place(first.to_string().into());
        conditions.push(format!("found.thing = {first}"));
        "incident_of".to_owned()
    } else {
        "incident".to_owned()
    };
    for thing in all {
        let thing = place(thing.to_string().into());
        conditions.push(format!(
            "EXISTS (SELECT 1 FROM incident_of AS also WHERE also.thing = {thing} AND also.number = found.number)"
        ));
    }
    for set in sets {
        let set = place(names(set).into());
        // By what is no column alone: an incident has a few things, and a set may have thousands.
        conditions.push(format!(
            "EXISTS (SELECT 1 FROM incident_of AS also WHERE also.number = found.number
                     AND also.thing || '' IN (SELECT value FROM json_each({set})))"
        ));
    }
    let conditions = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
    let most = sought.most.min(MOST) + 1;
    (format!("SELECT number FROM {source} AS found WHERE {conditions} ORDER BY number DESC LIMIT {most}"), values)
}

/// Incidents that are sought, the newest first.
pub(super) fn find(connection: &Connection, sought: &Sought) -> Result<Found, Error> {
    let (sql, values) = search(sought);
    let mut numbers = connection.all(&sql, &values, |row| row.get::<u32>(0))?;
    let more = numbers.len() > sought.most;
    numbers.truncate(sought.most);
    let older = numbers.last().copied().filter(|_| more);
    let strange = Strange::default();
    let mut incidents: Vec<Incident> = Vec::new();
    for number in numbers {
        let one: Vec<Incident> = rows::bodies(connection, &INCIDENT, "number = ?1", number.into(), &strange)?;
        // One that is damaged, or was salvaged with a thing that it has no more, is left out.
        incidents.extend(one.into_iter().filter(|incident| sought.all.is_subset(&incident.things())));
    }
    strange.tell();
    Ok(Found { incidents, older })
}

/// An incident by its number or its id, with what happened to it.
pub(super) fn one(connection: &Connection, name: &str) -> Result<Option<(Incident, Vec<Happened>)>, Error> {
    let strange = Strange::default();
    let sound = INCIDENT.sound();
    let number = name.strip_prefix('#').unwrap_or(name).parse::<u32>().ok();
    let sql = format!("SELECT body, {sound} FROM incident WHERE number = ?1 OR id = ?2 LIMIT 1");
    let bodies = rows::read(connection, &sql, values![number, name], (INCIDENT.name, &strange), |row| {
        row.get::<String>("body")
    })?;
    let incident: Option<Incident> = bodies.first().and_then(|body| strange.record(INCIDENT.name, body));
    strange.tell();
    let Some(incident) = incident else { return Ok(None) };
    let happened = timeline::read(connection, &incident.id)?;
    Ok(Some((incident, happened)))
}
