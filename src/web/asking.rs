//! Asking other servers over HTTP, within bounds of time and size.

use axum::http::{Request, Response};
use std::{fmt, time::Duration};

/// What an answer holds at most: documents, keys and certificates are some kilobytes.
pub(super) const LARGEST: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The way, or the server.
    Way(reqwest::Error),
    /// It is larger than any that is meant for us.
    TooLarge,
    /// The request or the answer is none of HTTP.
    Strange(String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Way(error) => f.write_str(&why(error)),
            Self::TooLarge => f.write_str("its answer is larger than any certificate"),
            Self::Strange(why) => f.write_str(why),
        }
    }
}

/// What went wrong on the way, down to its cause: no name, nobody there, no certificate.
pub fn why(error: &reqwest::Error) -> String {
    let mut why = error.to_string();
    let mut below = std::error::Error::source(error);
    while let Some(cause) = below {
        why = format!("{why}: {cause}");
        below = cause.source();
    }
    why
}

/// One request and its answer.
pub(super) async fn asked(
    http: &reqwest::Client,
    request: Request<impl Into<reqwest::Body>>,
    within: Duration,
) -> Result<Response<Vec<u8>>, NoAnswer> {
    let strange = |error: &dyn fmt::Display| NoAnswer::Strange(error.to_string());
    let mut request = reqwest::Request::try_from(request).map_err(|error| strange(&error))?;
    *request.timeout_mut() = Some(within);
    let mut answer = http.execute(request).await.map_err(NoAnswer::Way)?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(NoAnswer::Way)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(NoAnswer::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    response.body(body).map_err(|error| strange(&error))
}
