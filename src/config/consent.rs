//! A family's consent, with which alone its camera is looked at.

use super::entry::Entry;
use crate::model::{Consent, Kind};
use jiff::civil::Date;

/// `kind`, and what a family's camera needs: `consent = "2026-03-01"`, or
/// `consent = { given = "2026-03-01", scope = "…", until = "2027-02-28" }`.
pub(super) fn kind(entry: &Entry<'_>) -> Option<(Kind, Option<Consent>)> {
    let consent = consent(entry);
    if !entry.has("kind") {
        entry.problem("kind", entry.span(), "is missing".into(), "add kind = \"public\" or kind = \"household\"");
        return None;
    }
    let kind = entry.word("kind", &Kind::NAMES)?;
    match (kind, &consent) {
        (Kind::Household, None) if !entry.has("consent") => {
            let remedy =
                "add consent = \"2026-03-01\", the day on which the owner agreed in writing, or remove the camera";
            entry.problem("consent", entry.span(), "a household camera needs its owner's consent".into(), remedy);
        }
        (Kind::Public, Some(_)) => {
            let remedy = "remove it, or write kind = \"household\"";
            let message = "a public camera has no owner to consent".to_owned();
            entry.problem("consent", entry.place("consent"), message, remedy);
        }
        _ => {}
    }
    Some((kind, consent))
}

fn consent(entry: &Entry<'_>) -> Option<Consent> {
    const EXAMPLE: &str = "2026-03-01";
    if !entry.has_table("consent") {
        return entry.parsed::<Date>("consent", "date", EXAMPLE).map(|given| Consent::since(given.value));
    }
    let table = entry.child("consent")?;
    let given = match table.has("given") {
        true => table.parsed::<Date>("given", "date", EXAMPLE),
        false => {
            let remedy = "add given = \"2026-03-01\", the day on which the owner agreed in writing";
            table.problem("given", entry.place("consent"), "is missing".into(), remedy);
            None
        }
    };
    let scope = table.text("scope").map(|scope| scope.value).filter(|scope| !scope.trim().is_empty());
    let until = table.parsed::<Date>("until", "date", "2027-02-28");
    table.refuse_unread();
    let given = given?;
    if let Some(until) = until.as_ref().filter(|until| until.value < given.value) {
        let message = "ends before it begins".to_owned();
        table.problem("until", until.span.clone(), message, "write the last day on which the owner agrees");
        return None;
    }
    Some(Consent { given: given.value, scope, until: until.map(|until| until.value) })
}
