//! Tries the login with one `DESCRIBE` of our own, inside a worker, before retina is let in.
//!
//! retina tells no more than a status, so a stale nonce (`stale=true`) and a rejected password look alike to it. Here
//! they are told apart, and a wrong password costs exactly one rejected request: what is lower on the ladder never
//! repeats it.

use super::{
    response::{self, Head},
    stream::{late, refusal},
    transcript::Transcript,
    wire::{Key, StreamJob},
};
use crate::model::{Failure, FailureKind, RungName};
use secrecy::ExposeSecret;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

/// Requests at most: one to be challenged, one to answer, and one more when the nonce had gone stale.
const REQUESTS: usize = 3;

/// Whether the login is good, or none is wanted. Without a configured login there is nothing to try.
pub(super) async fn try_login(job: &StreamJob, transcript: &mut Transcript) -> Option<()> {
    let Some(login) = &job.login else { return Some(()) };
    let began = Instant::now();
    let mut received = 0;
    let outcome = match timeout(job.answer_timeout, exchange(job, login, &mut received)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(late("DESCRIBE", job)),
    };
    transcript.received(received);
    transcript.step(RungName::Login, began, outcome)
}

async fn exchange(job: &StreamJob, login: &Key, received: &mut u64) -> Result<((), String), Failure> {
    let broken = |_| Failure::new(FailureKind::RtspError, "the connection broke during DESCRIBE");
    let host = job.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let mut stream = TcpStream::connect((host, job.url.port().unwrap_or(554))).await.map_err(broken)?;
    let mut answered = false;
    let mut authorization: Option<String> = None;
    for number in 1..=REQUESTS {
        let line = authorization.as_ref().map_or_else(String::new, |value| format!("Authorization: {value}\r\n"));
        let request = format!(
            "DESCRIBE {} RTSP/1.0\r\nCSeq: {number}\r\nUser-Agent: camhealth\r\nAccept: application/sdp\r\n{line}\r\n",
            job.url
        );
        stream.write_all(request.as_bytes()).await.map_err(broken)?;
        let mut bytes = Vec::new();
        let status = answer(&mut stream, &mut bytes, received).await?;
        if status != 401 {
            return match status {
                200..=299 if answered => Ok(((), "the login is good".into())),
                200..=299 => Ok(((), "the camera wants no login".into())),
                status => Err(refusal("DESCRIBE", Some(status), true)),
            };
        }
        let challenges = response::values(&bytes, "www-authenticate");
        let stale = challenges.iter().any(|challenge| is_stale(challenge));
        if answered && !stale {
            return Err(refusal("DESCRIBE", Some(401), true));
        }
        let answer = respond(&challenges, login, job.url.as_str());
        authorization = Some(answer.ok_or_else(|| {
            Failure::new(FailureKind::Nonconforming, "the camera asks for a login in a way that is not understood")
        })?);
        answered = true;
        // Some close the connection after a challenge.
        if response::values(&bytes, "connection").iter().any(|value| value.eq_ignore_ascii_case("close")) {
            let address = stream.peer_addr().map_err(broken)?;
            stream = TcpStream::connect(address).await.map_err(broken)?;
        }
    }
    Err(Failure::new(FailureKind::Nonconforming, "the camera calls each nonce stale at once"))
}

/// Reads one answer's head; the body that may follow is left where it is, unless another request is to come.
async fn answer(stream: &mut TcpStream, bytes: &mut Vec<u8>, received: &mut u64) -> Result<u16, Failure> {
    loop {
        let read = stream.read_buf(bytes).await;
        match read {
            Ok(0) | Err(_) => {
                return Err(Failure::new(FailureKind::RtspError, "the camera closed the connection during DESCRIBE"));
            }
            Ok(count) => *received += count as u64,
        }
        match response::head(bytes) {
            Head::Complete(status) => return Ok(status),
            Head::Foreign => {
                return Err(Failure::new(FailureKind::RtspError, "the answer to DESCRIBE is no RTSP"));
            }
            Head::Oversized => {
                let detail = "the answer to DESCRIBE claims more than an honest one holds";
                return Err(Failure::new(FailureKind::Oversized, detail));
            }
            Head::Partial => {}
        }
    }
}

/// Whether a Digest challenge says that only the nonce was too old (RFC 2617, section 3.2.1).
fn is_stale(challenge: &str) -> bool {
    challenge.split(',').any(|part| {
        let part = part.trim().to_ascii_lowercase();
        part.split_once('=').is_some_and(|(name, value)| name.ends_with("stale") && value.trim_matches('"') == "true")
    })
}

/// The answer to the strongest challenge that is understood.
fn respond(challenges: &[String], login: &Key, uri: &str) -> Option<String> {
    let of = |scheme: &str| {
        let begins =
            |challenge: &&String| challenge.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        challenges.iter().find(begins)
    };
    // Basic hands the password to whoever listens; it is used only where the camera knows nothing else.
    let challenge = of("digest").or_else(|| of("basic"))?;
    let mut client = http_auth::PasswordClient::try_from(challenge.as_str()).ok()?;
    client
        .respond(&http_auth::PasswordParams {
            username: &login.username,
            password: login.password.expose_secret(),
            uri,
            method: "DESCRIBE",
            body: None,
        })
        .ok()
}

/// Reads a challenge as a look would.
#[cfg(fuzzing)]
pub(super) fn challenge(text: &str) {
    let login = Key { username: "u".into(), password: "p".to_owned().into() };
    is_stale(text);
    respond(&[text.to_owned()], &login, "rtsp://127.0.0.1/");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_nonce_is_told_from_a_rejection() {
        assert!(is_stale("Digest realm=\"a\", nonce=\"b\", stale=TRUE"));
        assert!(is_stale("Digest realm=\"a\", stale=\"true\", nonce=\"b\""));
        assert!(!is_stale("Digest realm=\"a\", nonce=\"b\", stale=FALSE"));
        assert!(!is_stale("Digest realm=\"stale=truely\", nonce=\"b\""));
    }

    #[test]
    fn digest_is_preferred_and_basic_the_last_resort() {
        let login = Key { username: "u".into(), password: "p".to_owned().into() };
        let digest = "Digest realm=\"a\", nonce=\"b\"".to_owned();
        let basic = "Basic realm=\"a\"".to_owned();
        let answer = |challenges: &[String]| respond(challenges, &login, "rtsp://h/").unwrap_or_default();
        assert!(answer(&[basic.clone(), digest]).starts_with("Digest "));
        assert!(answer(&[basic]).starts_with("Basic "));
        assert_eq!(answer(&["Negotiate".to_owned()]), "");
    }
}
