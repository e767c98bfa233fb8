//! `[contract]`: how soon the contractor answers and repairs, and who answers for them.

use super::{entry::Entry, ids::known, tables::Tables, windows::weekly};
use crate::{
    alert,
    model::Level,
    uptime::{Contract, Term},
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What takes longer is an agreement on something else.
const LONGEST: Duration = Duration::from_secs(28 * 24 * 60 * 60);

const LEVELS: &[(&str, Level)] = &[
    (Level::Blind.as_str(), Level::Blind),
    (Level::Critical.as_str(), Level::Critical),
    (Level::Reduced.as_str(), Level::Reduced),
    (Level::Unknown.as_str(), Level::Unknown),
];

/// What was agreed on repairs; whose taking on is an answer goes to those who decide on that.
pub(super) fn contract(tables: &Tables<'_>, alert: &mut alert::Settings) -> Option<Contract> {
    let table = tables.one("contract")?;
    alert.under_contract = true;
    let contractor = table.required("name", "Công ty Ánh Sáng").map(|name| name.value);
    for name in table.texts("people") {
        let people = alert.people.keys().map(|id| id.as_str());
        let id = known(table, "people", &name, people, "person");
        alert.contractors.extend(id.map(|id| id.as_str().into()));
    }
    let entries = table.children("term");
    if entries.is_empty() && !table.has("term") {
        let remedy = "add [[contract.term]] with level = \"blind\", respond_by = \"30m\" and repair_by = \"4h\"";
        table.problem("term", table.span(), "says how soon of nothing".into(), remedy);
    }
    let mut terms: Vec<Term> = Vec::new();
    for entry in &entries {
        let Some(term) = term(entry) else { continue };
        // One that comes later and says of nothing what those before have not said is a mistake.
        let covers = |earlier: &&Term| {
            let all = earlier.kinds.is_empty();
            let each = !term.kinds.is_empty() && term.kinds.iter().all(|kind| earlier.kinds.contains(kind));
            earlier.level == term.level && (all || each)
        };
        if terms.iter().any(|earlier| covers(&earlier)) {
            let message = format!("never holds: one before it is for {} too", term.level.as_str());
            entry.problem("level", entry.place("level"), message, "put what is for some kinds first, or remove one");
        }
        terms.push(term);
    }
    Some(Contract { contractor: contractor?, terms })
}

fn term(entry: &Entry<'_>) -> Option<Term> {
    let level = match entry.has("level") {
        true => entry.word("level", LEVELS),
        false => {
            entry.problem("level", entry.span(), "is missing".into(), "add level = \"blind\" or \"critical\"");
            None
        }
    };
    let mut kinds = Vec::new();
    for name in entry.one_or_more("kind") {
        match Contract::KINDS.into_iter().find(|kind| *kind == name.value) {
            Some(kind) => kinds.push(kind),
            None => {
                let message = format!("{} is no kind of what can fail", entry.quoted(&name));
                let remedy = format!("write kind = [\"site\"], of {}", Contract::KINDS.join(", "));
                entry.problem("kind", name.span, message, &remedy);
            }
        }
    }
    let by = |key, most| entry.duration(key, SECOND..=most).map(|length| length.value);
    let (respond_by, repair_by) = (by("respond_by", 7 * DAY), by("repair_by", LONGEST));
    if !entry.has("respond_by") && !entry.has("repair_by") {
        let remedy = "add respond_by = \"30m\", repair_by = \"4h\", or both";
        entry.problem("", entry.span(), "says nothing of how soon".into(), remedy);
    }
    let hours = weekly(entry);
    if hours.is_none() && entry.has("days") && !entry.has("hours") {
        entry.problem("days", entry.place("days"), "says nothing without hours".into(), "add hours = \"07:00-17:00\"");
    }
    Some(Term { level: level?, kinds, respond_by, repair_by, hours })
}
