//! `/api/v1`: everything that pages show, for programs. Routes and their OpenAPI description are one and the same.
//!
//! Answers are JSON, errors too. Times are RFC 3339 in UTC, lengths are seconds, shares lie between 0 and 1.

mod accounts;
mod agents;
mod areas;
mod cameras;
mod claims;
mod contract;
mod drills;
mod incidents;
mod owners;
mod refusal;
mod reports;
mod settings;
mod silences;
mod sites;
mod status;
mod strips;

use super::{seen::Seen, state::Shared};
use crate::model::{Kind, Language};
use axum::{Json, Router, routing::get};
use refusal::{Problem, Refusal};
use std::collections::BTreeMap;
use utoipa::{
    OpenApi, ToSchema,
    openapi::{
        Content, Ref, ResponseBuilder,
        path::{Operation, PathItem},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(OpenApi)]
#[openapi(
    components(schemas(Kind, Language)),
    info(
        title = "camhealth",
        description = "Which cameras of a commune work, which intersections are seen, what is told to whom, and the uptime \
                   of each month. Device status only: no picture is decoded, stored or shown."
    )
)]
struct Description;

/// The routes below `/api/v1`, and their description beside them.
pub(super) fn routes() -> Router<Shared> {
    let (router, mut description) = described();
    description.paths.paths.values_mut().for_each(describe_gate);
    let json = description.to_json().unwrap_or_default();
    let describe = async move || ([(axum::http::header::CONTENT_TYPE, "application/json")], json);
    router.route("/api/v1/openapi.json", get(describe)).route("/api/v1/{*path}", axum::routing::any(nothing))
}

fn described() -> (Router<Shared>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(status::status))
        .routes(routes!(status::channels))
        .routes(routes!(cameras::list))
        .routes(routes!(cameras::one))
        .routes(routes!(cameras::http_sd))
        .routes(routes!(sites::list))
        .routes(routes!(sites::one))
        .routes(routes!(sites::links))
        .routes(routes!(areas::list))
        .routes(routes!(agents::list))
        .routes(routes!(claims::tell))
        .routes(routes!(strips::commune))
        .routes(routes!(strips::area))
        .routes(routes!(strips::site))
        .routes(routes!(strips::link))
        .routes(routes!(strips::camera))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::one))
        .routes(routes!(incidents::timeline))
        .routes(routes!(incidents::take_on))
        .routes(routes!(contract::open))
        .routes(routes!(contract::respond))
        .routes(routes!(drills::begin))
        .routes(routes!(silences::list, silences::silence))
        .routes(routes!(silences::unsilence))
        .routes(routes!(reports::month))
        .routes(routes!(accounts::list, accounts::invite))
        .routes(routes!(accounts::change))
        .routes(routes!(accounts::passes, accounts::issue))
        .routes(routes!(accounts::end))
        .routes(routes!(accounts::audit))
        .routes(routes!(settings::list, settings::edit))
        .routes(routes!(owners::note))
        .split_for_parts()
}

/// The addresses that are described.
#[cfg(test)]
pub(super) fn paths() -> Vec<String> {
    described().1.paths.paths.into_keys().collect()
}

/// What any request may be told before it reaches its handler.
fn describe_gate(path: &mut PathItem) {
    let problem = || Content::new(Some(Ref::from_schema_name("Problem")));
    let refusal = |operation: &mut Operation, status: &str, words: &str| {
        let response = ResponseBuilder::new().description(words).content("application/json", problem()).build();
        operation.responses.responses.entry(status.to_owned()).or_insert(response.into());
    };
    for operation in [&mut path.get, &mut path.post, &mut path.delete].into_iter().flatten() {
        refusal(operation, "401", "Nobody has signed in: show a token, `Authorization: Bearer …`.");
        refusal(operation, "403", "The role of whoever asks does not allow it.");
        refusal(operation, "421", "It is asked for by a name that it is not known by; see `[web] hosts`.");
    }
    for operation in [&mut path.post, &mut path.delete].into_iter().flatten() {
        refusal(operation, "408", "The body did not arrive in time.");
        refusal(operation, "413", "The body is larger than 64 KiB.");
        refusal(operation, "429", "Too many wishes from this address; `Retry-After` tells when to try again.");
    }
}

/// That there is no such thing.
async fn nothing() -> Refusal {
    Refusal::not_found("there is no such address; /api/v1/openapi.json lists those that there are")
}

/// That something was done.
#[derive(Debug, serde::Serialize, ToSchema)]
struct Done {
    /// What was done, in a sentence.
    done: String,
}

impl From<crate::request::Done> for Done {
    fn from(done: crate::request::Done) -> Self {
        Self { done: done.to_string() }
    }
}

/// A map from names to figures.
type Counts = BTreeMap<&'static str, usize>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_names_every_address_with_its_refusals() {
        let (_, description) = described();
        let json: serde_json::Value = serde_json::from_str(&description.to_json().expect("JSON")).expect("JSON");
        let paths = json["paths"].as_object().expect("paths");
        assert_eq!(paths.len(), 33, "{:?}", paths.keys());
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().expect("methods") {
                assert!(operation["summary"].is_string(), "{method} {path} says what it does");
                let responses = operation["responses"].as_object().expect("responses");
                let by_id = path.contains('{');
                assert!(!by_id || responses.keys().any(|code| code.starts_with('4')), "{method} {path}");
            }
        }
    }
}
