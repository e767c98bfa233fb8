//! Why a request was refused, as JSON, and extractors that refuse in that way.

use crate::{
    request::{Invalid, Refused, Unknown},
    web::asked,
};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use utoipa::ToSchema;

/// What is wrong, and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// For people.
    error: String,
}

/// A refusal with its status.
#[derive(Debug)]
pub(super) struct Refusal(StatusCode, String);

impl Refusal {
    pub(super) fn no_incident() -> Self {
        Self::not_found("there is no such incident, or it ended long ago; /api/v1/incidents lists them")
    }

    pub(super) fn not_found(error: &str) -> Self {
        Self(StatusCode::NOT_FOUND, error.to_owned())
    }

    pub(super) fn unavailable(error: String) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error)
    }

    pub(super) fn no_source() -> Self {
        let why = "no source is known by this token: camhealth passes source LINK prints one, which is shown as Authorization: Bearer";
        Self(StatusCode::UNAUTHORIZED, why.to_owned())
    }

    pub(super) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let why = format!("a source says all that it knows in one message each minute or so: wait {seconds} s");
        Self(StatusCode::TOO_MANY_REQUESTS, why)
    }

    pub(super) fn malformed(error: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, error.into())
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match &refused {
            Refused::Unknown(Unknown::Incident(_)) => Self::no_incident(),
            Refused::Invalid(Invalid::Minutes) => Self::malformed(refused.to_string()),
            refused => Self(
                match asked::status(refused) {
                    // What the event loop refuses is well-formed.
                    StatusCode::BAD_REQUEST => StatusCode::UNPROCESSABLE_ENTITY,
                    status => status,
                },
                refused.to_string(),
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(Problem { error: self.1.trim().to_owned() })).into_response()
    }
}

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(Refusal::malformed(rejection.body_text())),
        }
    }
}

/// What stands behind the question mark.
pub(super) struct Ask<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Ask<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Refusal::malformed(rejection.body_text())),
        }
    }
}

/// The last part of the address.
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            // What is no text names nothing.
            Err(rejection) => Err(Refusal(StatusCode::NOT_FOUND, rejection.body_text())),
        }
    }
}
