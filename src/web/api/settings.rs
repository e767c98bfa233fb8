//! What can be edited, and editing it, for programs.

use super::{
    Done, Json, Problem, Refusal, Seen, ToSchema,
    refusal::{Body, Name},
};
use crate::{
    edits::{Field, Item, Kind, Line, Standing, Value, Wish},
    request::{Refused, Request},
    web::{origin::OwnPage, visitor::Visitor},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that can be edited.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Setting {
    /// The id of its entry in the files, or of what was added.
    id: String,
    /// What tells this from what it is after anybody's edit: whoever edits sends it back.
    version: String,
    /// What holds.
    value: Option<BTreeMap<String, Field>>,
    /// What the files say.
    file: Option<BTreeMap<String, Field>>,
    /// Where the files say it: a file's name and a line.
    place: Option<String>,
    /// Who edited it.
    edited_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    edited_at: Option<Timestamp>,
    /// Why what was edited does not hold, if it does not.
    idle: Option<String>,
}

fn setting((item, line): (&Item, &Line)) -> Setting {
    let edit = line.edit.as_ref();
    Setting {
        id: item.id.clone(),
        version: line.version(),
        value: line.value().cloned().map(Into::into),
        file: line.file.clone().map(Into::into),
        place: line.place.as_ref().map(ToString::to_string),
        edited_by: edit.map(|edit| edit.by.clone()),
        edited_at: edit.map(|edit| edit.at),
        idle: match &line.standing {
            Standing::Files | Standing::Edited => None,
            Standing::Orphan => Some("the files have this no more".to_owned()),
            Standing::Unfit(why) => Some(why.clone()),
        },
    }
}

fn kind(name: &str) -> Result<Kind, Refusal> {
    name.parse().map_err(|_| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        Refusal::not_found(&format!("there is nothing like that to edit; there are {}", known.join(", ")))
    })
}

/// All things of a kind that can be edited, with what holds and where it comes from.
#[utoipa::path(get, path = "/api/v1/settings/{kind}", tag = "settings", params(("kind" = String, Path)),
    responses((status = 200, body = Vec<Setting>), (status = 404, body = Problem)))]
pub(super) async fn list(
    Seen(shared): Seen,
    visitor: Visitor,
    Name(name): Name,
) -> Result<Json<Vec<Setting>>, Refusal> {
    let kind = kind(&name)?;
    visitor.sees(kind.subject()).map_err(Refused::Denied)?;
    Ok(Json(shared.sheet().of(kind).map(setting).collect()))
}

/// A wish to edit something.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// The id of its entry in the files, or of what was added; empty where something is to be added.
    #[serde(default)]
    id: String,
    /// The version of what was seen of it; empty where something is to be added.
    #[serde(default)]
    version: String,
    /// What it is to be; without it what the files say holds again.
    value: Option<BTreeMap<String, Given>>,
}

/// The value of a key as it is sent. JSON has one kind of number: 7.0 is 7.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Given {
    /// `true` or `false`.
    Truth(bool),
    /// A whole number.
    Number(f64),
    /// A text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

impl From<Given> for Field {
    fn from(given: Given) -> Self {
        match given {
            Given::Truth(truth) => Self::Truth(truth),
            Given::Number(number) if number.fract() == 0.0 && (0.0..=1e9).contains(&number) => {
                Self::Number(number as u64)
            }
            // That it is no whole number is for the edit to say.
            Given::Number(number) => Self::Text(number.to_string()),
            Given::Text(text) => Self::Text(text),
            Given::List(texts) => Self::List(texts),
        }
    }
}

/// Edits something, or takes an edit back. It holds when this answers.
#[utoipa::path(post, path = "/api/v1/settings/{kind}", tag = "settings", params(("kind" = String, Path)),
    request_body = Change,
    responses((status = 200, body = Done), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn edit(
    Seen(shared): Seen,
    visitor: Visitor,
    Name(name): Name,
    _: OwnPage,
    Body(change): Body<Change>,
) -> Result<Json<Done>, Refusal> {
    let item = Item::new(kind(&name)?, change.id);
    let value = change.value.map(|fields| fields.into_iter().map(|(key, given)| (key, given.into())).collect());
    let wish =
        Wish { item, version: change.version, value: value.map(|fields: BTreeMap<String, Field>| Value::from(fields)) };
    Ok(Json(shared.ask(&visitor.by, Request::Edit(wish)).await?.into()))
}
