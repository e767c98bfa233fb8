//! The second rung: does an RTSP server answer `OPTIONS` on the camera's real path, without a login?
//!
//! Any status shows that the server process lives, 401 and 404 included; it shows no more than that: servers answer
//! 200 for paths that do not exist.

use super::{
    Settings,
    exhaustion::{self, own_fault},
    rtsp::message::{Broken, Item, Reader},
    transcript::Transcript,
};
use crate::model::{Failure, FailureKind, RungName};
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use url::Url;

/// Asks; whether an RTSP server answered.
pub(super) async fn ask(stream: &mut TcpStream, url: &Url, settings: &Settings, transcript: &mut Transcript) -> bool {
    let began = Instant::now();
    let limit = settings.answer_timeout;
    let mut received = 0;
    let outcome = match timeout(limit, exchange(stream, url, &mut received)).await {
        Ok(outcome) => outcome,
        Err(_) if received == 0 => Err(no_rtsp(format!("the port is open, but nothing came within {limit:?}"))),
        Err(_) => Err(no_rtsp(format!("no whole answer within {limit:?}, only {received} bytes"))),
    };
    transcript.received(received);
    transcript.step(RungName::Options, began, outcome).is_some()
}

async fn exchange(stream: &mut TcpStream, url: &Url, received: &mut u64) -> Result<((), String), Failure> {
    let request = format!("OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: camhealth\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| broken(&error))?;
    let mut reader = Reader::default();
    loop {
        match stream.read_buf(&mut reader.buffer).await.map_err(|error| broken(&error))? {
            0 => return Err(no_rtsp("the camera closed the connection without an answer")),
            count => *received += count as u64,
        }
        match reader.next() {
            Ok(Some(Item::Response(response))) => {
                return Ok(((), format!("an RTSP server answers, status {}", response.status)));
            }
            Ok(Some(_)) | Err(Broken::Foreign) => return Err(no_rtsp("what answers there does not speak RTSP")),
            Err(Broken::Oversized) => {
                return Err(Failure::new(FailureKind::Oversized, "the answer claims more than an honest one holds"));
            }
            Ok(None) => {}
        }
    }
}

fn broken(error: &io::Error) -> Failure {
    if own_fault(error) {
        return Failure::new(FailureKind::ProbeFailed, exhaustion::DETAIL);
    }
    no_rtsp(format!("the connection broke: {}", error.kind()))
}

fn no_rtsp(detail: impl Into<String>) -> Failure {
    Failure::new(FailureKind::NoRtsp, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn a_machine_without_buffers_does_not_say_that_the_camera_speaks_no_rtsp() {
        let kind = |code: Errno| broken(&io::Error::from_raw_os_error(code.raw_os_error())).kind;
        assert_eq!(kind(Errno::NOBUFS), FailureKind::ProbeFailed);
        assert_eq!(kind(Errno::CONNRESET), FailureKind::NoRtsp);
    }
}
