//! What a source says of cameras that nobody of ours can look at.

use super::{Json, Problem, Refusal, Shared, ToSchema, refusal::Body};
use crate::{
    model::{CameraId, Claim, LinkId},
    request::{Done, Request, SourceClaim, Untaken},
    rights::{By, PassKind},
    web::secrets,
};
use axum::{
    extract::State,
    http::{HeaderMap, header},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::time::Duration;

/// Cameras of which one message speaks at most.
const MOST: usize = 1000;

/// What a source says, all in one message each minute or so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    /// Of which cameras, at most 1,000.
    cameras: Vec<Of>,
}

/// What it says of one camera: a counter, or whether it works.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Of {
    /// The camera's id.
    id: String,
    /// What a number stands at that rises as long as media comes, such as the bytes that were received of it.
    #[serde(default, deserialize_with = "whole")]
    #[schema(maximum = 9007199254740991.0)]
    counter: Option<u64>,
    /// Whether it works.
    working: Option<bool>,
    /// How many seconds ago that was so, at most 60; 0 without it.
    #[serde(default)]
    age_seconds: f64,
}

/// Numbers up to here are exact in any program that knows no other than floating ones.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// A whole number, also as `81234.0`: the same to JSON, and what some programs write.
fn whole<'de, D: Deserializer<'de>>(number: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(number)? else { return Ok(None) };
    let floating = || number.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=LARGEST).contains(number));
    match number.as_u64().or_else(|| floating().map(|number| number as u64)) {
        Some(number) => Ok(Some(number)),
        None => Err(D::Error::custom(format!("{number} is no whole number from 0 to {LARGEST}"))),
    }
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Heard {
    /// Of how many cameras something was said from which something may follow.
    taken: usize,
    /// Of which not.
    untaken: Vec<NotTaken>,
}

/// A camera of which nothing follows from what was said.
#[derive(Debug, Serialize, ToSchema)]
struct NotTaken {
    /// Its id, as it was said.
    id: String,
    /// Why.
    why: Untaken,
}

fn claim(of: &Of) -> Option<SourceClaim> {
    let claim = match (of.counter, of.working) {
        (Some(counter), None) => Claim::Counter(counter),
        (None, Some(works)) => Claim::Works(works),
        _ => return None,
    };
    let age = Duration::try_from_secs_f64(of.age_seconds).ok()?;
    Some(SourceClaim { camera: of.id.as_str().into(), claim, age })
}

/// Takes in what a source knows of its cameras, which shows the token that `camhealth passes source` printed. Say all of them in
/// one message about once a minute; a source of which nothing is heard for five minutes is lost.
#[utoipa::path(post, path = "/api/v1/claims", tag = "cameras", request_body = Said,
    responses((status = 200, body = Heard), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn tell(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Body(said): Body<Said>,
) -> Result<Json<Heard>, Refusal> {
    let access = &shared.state.access;
    let shown = headers.get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok());
    let token = shown.and_then(|shown| shown.strip_prefix("Bearer ")).map(|token| secrets::known_as(token.trim()));
    let now = (access.now)();
    let pass = token.and_then(|token| access.register.borrow().pass(now, &token).cloned());
    let pass = pass.filter(|pass| pass.kind == PassKind::Source).ok_or_else(Refusal::no_source)?;
    shared.source_messages.take(pass.id.clone()).map_err(Refusal::too_many)?;
    if said.cameras.len() > MOST {
        return Err(Refusal::malformed(format!("cameras: at most {MOST} in a message")));
    }
    if pass.is_to_be_noted(now) {
        shared.mention(pass.id.clone());
    }
    let source = LinkId::from(pass.label.as_str());
    let (mut claims, mut untaken) = (Vec::new(), Vec::new());
    for of in &said.cameras {
        match claim(of) {
            Some(claim) => claims.push(claim),
            None => untaken.push((CameraId::from(of.id.as_str()), Untaken::Unclear)),
        }
    }
    // As of agents: it showed what allows this and nothing else.
    if let Done::Claimed { untaken: more } = shared.ask(&By::machine(), Request::Claimed { source, claims }).await? {
        untaken.extend(more);
    }
    let taken = said.cameras.len().saturating_sub(untaken.len());
    let untaken = untaken.into_iter().map(|(id, why)| NotTaken { id: id.to_string(), why }).collect();
    Ok(Json(Heard { taken, untaken }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_a_whole_number_however_it_is_written() {
        let read = |counter: &str| {
            let json = format!("{{\"cameras\": [{{\"id\": \"a\", \"counter\": {counter}}}]}}");
            serde_json::from_str::<Said>(&json).map(|said| said.cameras[0].counter).map_err(|error| error.to_string())
        };
        assert_eq!(read("81234"), Ok(Some(81234)));
        assert_eq!(read("81234.0"), Ok(Some(81234)));
        assert_eq!(read("8.1e4"), Ok(Some(81000)));
        assert_eq!(read("18446744073709551615"), Ok(Some(u64::MAX)));
        assert_eq!(read("null"), Ok(None));
        for wrong in ["-1", "0.5", "1e300", "\"7\"", "[]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
