//! Taking an incident on, answering for the contractor that they see to it, and passing it on.

use super::{Done, Field, Refused, Unknown, name};
use crate::model::{Ack, Incident};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who takes it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeOn {
    /// The name by which others know them.
    #[schema(min_length = 1, max_length = 80)]
    pub by: String,
}

/// What becomes of taking an incident on, or of answering for the contractor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakingOn {
    /// It is to be noted.
    Now(Ack, Done),
    /// Somebody was first.
    Before(Done),
}

/// Somebody takes on the incident of a name: `open` if it is, else whether it is `known` at all.
pub fn take_on(
    now: Timestamp,
    (called, open, known): (&str, Option<&Incident>, bool),
    by: &str,
    via: String,
) -> Result<TakingOn, Refused> {
    let by = name(by, Field::By)?;
    let incident = open.ok_or_else(|| not_open(called, known))?;
    let number = incident.number;
    Ok(match &incident.ack {
        Some(ack) => TakingOn::Before(Done::TakenOnBefore { number, by: ack.by.clone() }),
        None => TakingOn::Now(Ack { by, via, at: now }, Done::TakenOn { number }),
    })
}

/// Somebody answers for the contractor that they see to the incident of a name: `open` if it is, else whether it is `known`
/// at all.
pub fn respond(
    now: Timestamp,
    (called, open, known): (&str, Option<&Incident>, bool),
    by: &str,
    via: String,
) -> Result<TakingOn, Refused> {
    let by = name(by, Field::By)?;
    // There is nothing to see to where nothing failed.
    let incident = open.filter(|incident| !incident.is_drill()).ok_or_else(|| not_open(called, known))?;
    let number = incident.number;
    Ok(match &incident.responded {
        Some(ack) => TakingOn::Before(Done::RespondedBefore { number, by: ack.by.clone() }),
        None => TakingOn::Now(Ack { by, via, at: now }, Done::Responded { number }),
    })
}

fn not_open(called: &str, known: bool) -> Refused {
    let called = called.to_owned();
    if known { Refused::Over(called) } else { Refused::Unknown(Unknown::Incident(called)) }
}

/// What it means to pass on the incident of a name: `open` if it is, else whether it is `known` at all.
pub fn pass_on((called, open, known): (&str, Option<&Incident>, bool)) -> Result<Done, Refused> {
    match open {
        Some(Incident { ack: None, number, .. }) => Ok(Done::PassedOn { number: *number }),
        Some(Incident { ack: Some(ack), number, .. }) => {
            Ok(Done::TakenOnBefore { number: *number, by: ack.by.clone() })
        }
        None => Err(not_open(called, known)),
    }
}
