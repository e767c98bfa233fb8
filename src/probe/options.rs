//! The second rung: does an RTSP server answer `OPTIONS` on the camera's real path, without a login?
//!
//! Any status shows that the server process lives, 401 and 404 included; it shows no more than that: servers answer
//! 200 for paths that do not exist.

use super::{
    Settings,
    exhaustion::{could_not_ask, own_fault},
    reach::words,
    rtsp::message::{Broken, Item, Reader},
    transcript::Transcript,
};
use crate::model::{Detail, Failure, FailureKind, RungName, told};
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
        Err(_) if received == 0 => Err(no_rtsp(told!(OpenAndSilent, format_args!("{limit:?}")))),
        Err(_) => Err(no_rtsp(told!(HalfAnswer, format_args!("{limit:?}"), format_args!("{received}")))),
    };
    transcript.received(received);
    transcript.step(RungName::Options, began, outcome).is_some()
}

async fn exchange(stream: &mut TcpStream, url: &Url, received: &mut u64) -> Result<((), Detail), Failure> {
    let request = format!("OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: camhealth\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| broken(&error))?;
    let mut reader = Reader::default();
    loop {
        match stream.read_buf(&mut reader.buffer).await.map_err(|error| broken(&error))? {
            0 => return Err(no_rtsp(told!(ClosedUnanswered))),
            count => *received += count as u64,
        }
        match reader.next() {
            Ok(Some(Item::Response(response))) => {
                return Ok(((), told!(RtspAnswers, response.status)));
            }
            Ok(Some(_)) | Err(Broken::Foreign) => return Err(no_rtsp(told!(SpeaksNoRtsp))),
            Err(Broken::Oversized) => {
                return Err(Failure::new(FailureKind::Oversized, told!(ClaimsTooMuch)));
            }
            Ok(None) => {}
        }
    }
}

fn broken(error: &io::Error) -> Failure {
    if own_fault(error) {
        return could_not_ask();
    }
    no_rtsp(told!(Broke, words(error.kind())))
}

fn no_rtsp(detail: Detail) -> Failure {
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
