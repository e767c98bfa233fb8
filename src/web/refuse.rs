//! Refusals before a request reaches its page: for people in both languages, for programs as JSON.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// A refusal in the form that whoever asks for `path` reads.
pub(super) fn refuse(path: &str, status: StatusCode, vietnamese: &str, english: &str) -> Response {
    match path.starts_with("/api/") {
        true => (status, Json(serde_json::json!({ "error": english }))).into_response(),
        false => (status, format!("{vietnamese}\n{english}\n")).into_response(),
    }
}
