//! What each request passes before it reaches its page: a name that is known, and a bounded body; and wishes, that they
//! are not too many.

use super::{
    refuse::refuse,
    server::{BODY, BODY_WITHIN, Guest},
    state::Shared,
};
use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};
use tokio::time::timeout;

pub(super) async fn gate(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if let Some(name) = shared.state.hosts.unknown(&parts.uri, &parts.headers) {
        let vietnamese = format!(
            "Máy chủ không nhận tên {name:?}. Hãy dùng địa chỉ IP, hoặc thêm tên này vào [web] hosts rồi khởi động lại."
        );
        let english = format!(
            "camhealth is not known as {name:?}: use its IP address, or add the name to [web] hosts and restart it"
        );
        return refuse(path, StatusCode::MISDIRECTED_REQUEST, &vietnamese, &english);
    }
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, Body::empty())).await;
    }
    match timeout(BODY_WITHIN, to_bytes(body, BODY)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        // It is too large, or the visitor went away and reads no answer.
        Ok(Err(_)) => refuse(
            path,
            StatusCode::PAYLOAD_TOO_LARGE,
            "Nội dung gửi lên quá 64 KiB.",
            "what is sent must not be larger than 64 KiB",
        ),
        Err(_) => refuse(
            path,
            StatusCode::REQUEST_TIMEOUT,
            "Nội dung gửi lên không đến kịp; hãy thử lại.",
            "what is sent did not arrive in time; try again",
        ),
    }
}

/// That whoever sends a wish has not sent too many. What nobody would hear anyway is not counted.
pub(super) struct Modest;

impl FromRequestParts<Shared> for Modest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Response> {
        let address = parts.extensions.get::<Guest>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Guest::address);
        shared.wishes.take(address).map(|()| Self).map_err(|wait| too_many(parts.uri.path(), wait))
    }
}

fn too_many(path: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let vietnamese = format!("Quá nhiều yêu cầu từ địa chỉ này; hãy thử lại sau {seconds} giây.");
    let english = format!("too many requests from this address; try again in {seconds} s");
    let mut response = refuse(path, StatusCode::TOO_MANY_REQUESTS, &vietnamese, &english);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
