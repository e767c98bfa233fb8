//! The RTSP server of a simulated camera (RFC 2326): one task a connection, media interleaved in it.

use super::{
    connection::{Connection, Request, Session},
    digest,
    fault::{Fault, Stage},
    shared::Shared,
};
use base64::prelude::{BASE64_STANDARD, Engine};
use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// More than any client asks in one request.
const MAX_REQUEST: usize = 16 * 1024;
/// What comes after the head of a 401.
const LATE_BODY: &str = "<html>401</html>";

/// The next connection.
pub(super) async fn next(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // Out of descriptors: give others time to close theirs.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Serves a connection until its client or the camera is gone.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let serial = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
    let nonce = format!("{:016x}", serial.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let fault = shared.fault.clone();
    let mut connection = Connection { stream, shared, fault, nonce, buffer: Vec::new(), session: None };
    // A client that goes away ends its connection and nothing else.
    let _ = connection.serve().await;
    connection.end_session();
}

impl Connection {
    async fn serve(&mut self) -> io::Result<()> {
        loop {
            let playing = self.session.as_mut().and_then(|session| session.playing.as_mut());
            let mut ticks = playing;
            tokio::select! {
                changed = self.fault.changed() => {
                    if changed.is_err() || *self.fault.borrow_and_update() == Fault::PortClosed {
                        return Ok(());
                    }
                }
                read = self.stream.read_buf(&mut self.buffer) => {
                    if read? == 0 || self.buffer.len() > MAX_REQUEST {
                        return Ok(());
                    }
                    while let Some(request) = take_request(&mut self.buffer) {
                        self.answer(&request).await?;
                    }
                }
                () = async { match ticks.as_mut() { Some(playing) => drop(playing.ticks.tick().await), None => std::future::pending().await } } => {
                    self.send_frame().await?;
                }
            }
        }
    }

    async fn answer(&mut self, request: &Request) -> io::Result<()> {
        let fault = self.shared.fault();
        let describing = request.method != "OPTIONS";
        match fault {
            Fault::Mute | Fault::PoweredOff => return Ok(()),
            Fault::Garbage => {
                return self.send(b"HTTP/1.1 400 Bad Request\r\nServer: printer\r\n\r\n\x00\xff\x00").await;
            }
            Fault::EndlessHeaders(stage) if describing || stage == Stage::Options => {
                return self.endless_headers().await;
            }
            Fault::FloodsSecondClient if describing => {
                if self.shared.logins.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
                    return self.huge_body(request).await;
                }
                let answer = format!("RTSP/1.0 500 Internal Server Error\r\nCSeq: {}\r\n\r\n", request.cseq);
                return self.send(answer.as_bytes()).await;
            }
            Fault::RefusesFirstClient
                if request.method == "DESCRIBE" && self.shared.logins.fetch_add(1, Ordering::Relaxed) == 0 =>
            {
                let answer = format!("RTSP/1.0 500 Internal Server Error\r\nCSeq: {}\r\n\r\n", request.cseq);
                return self.send(answer.as_bytes()).await;
            }
            Fault::HugeBody(stage) if describing || stage == Stage::Options => return self.huge_body(request).await,
            _ => {}
        }
        let answer = self.compose(request, fault);
        if let Fault::Betrayer { .. } = fault
            && request.method == "TEARDOWN"
        {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        match fault {
            Fault::LateBody if answer.contains(" 401 ") => {
                self.send(answer.as_bytes()).await?;
                sleep(Duration::from_millis(50)).await;
                self.send(LATE_BODY.as_bytes()).await
            }
            Fault::Drip => self.send_slowly(answer.as_bytes(), Duration::from_secs(1)).await,
            Fault::OneByteWrites => self.send_slowly(answer.as_bytes(), Duration::ZERO).await,
            _ => self.send(answer.as_bytes()).await,
        }
    }

    fn compose(&mut self, request: &Request, fault: Fault) -> String {
        let Request { method, cseq, .. } = request;
        let plain = |status: &str, headers: &str| format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{headers}\r\n");
        let ok = |headers: &str| plain("200 OK", headers);
        if method == "OPTIONS" {
            return ok("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n");
        }
        if let Some(challenge) = self.refuse_login(request, fault) {
            let length = match fault {
                Fault::LateBody => format!("Content-Length: {}\r\n", LATE_BODY.len()),
                _ => String::new(),
            };
            return plain("401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n{length}"));
        }
        let known = request.uri.split_once("://").is_some_and(|(_, rest)| rest.contains(&self.shared.spec.path));
        if !known || fault == Fault::NotFound {
            return plain("404 Not Found", "");
        }
        let elsewhere = match fault {
            Fault::Redirects if request.uri.ends_with(&self.shared.spec.path) => Some(format!("{}/live", request.uri)),
            Fault::RedirectsAway { sink } => Some(format!("rtsp://127.0.0.1:{sink}/sub")),
            _ => None,
        };
        if let Some(location) = elsewhere.filter(|_| method == "DESCRIBE") {
            return plain("302 Moved Temporarily", &format!("Location: {location}\r\n"));
        }
        match method.as_str() {
            "DESCRIBE" => {
                let content_type = match fault {
                    Fault::OddContentType => "application/sdp; charset=utf-8",
                    _ => "application/sdp",
                };
                let base = match fault {
                    Fault::ForeignContentBase => "rtsp://192.0.2.1:554/sub/".to_owned(),
                    Fault::Betrayer { sink } => format!("rtsp://127.0.0.1:{sink}/sub/"),
                    _ => format!("{}/", request.uri.trim_end_matches('/')),
                };
                if fault == Fault::StaleNonce {
                    self.another_nonce();
                }
                let sdp = self.sdp(fault);
                let headers = format!(
                    "Content-Base: {base}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n",
                    sdp.len()
                );
                ok(&headers) + &sdp
            }
            "SETUP" if !request.transport.contains("TCP") => plain("461 Unsupported Transport", ""),
            "SETUP" => match self.begin_session(fault) {
                Some((id, channel)) => ok(&format!(
                    "Session: {id}{}\r\nTransport: RTP/AVP/TCP;unicast;interleaved={channel}-{}\r\n",
                    session_parameters(fault),
                    channel + 1
                )),
                None => plain("453 Not Enough Bandwidth", ""),
            },
            "PLAY" => match self.play() {
                Some(headers) => ok(&headers),
                None => plain("454 Session Not Found", ""),
            },
            "TEARDOWN" => {
                self.shared.teardowns.fetch_add(1, Ordering::Relaxed);
                self.end_session();
                ok("")
            }
            "GET_PARAMETER" | "SET_PARAMETER" => ok(""),
            _ => plain("405 Method Not Allowed", ""),
        }
    }

    /// The challenge, when the request's login is missing or wrong.
    fn refuse_login(&mut self, request: &Request, fault: Fault) -> Option<String> {
        let login = self.shared.spec.login.as_ref();
        if login.is_none() && fault != Fault::WrongLogin {
            return None;
        }
        let given = request.authorization.as_deref();
        let right = login.zip(given).is_some_and(|(login, given)| {
            digest::accepts(given, &request.method, login, &self.nonce) && fault != Fault::WrongLogin
        });
        let used_up = fault == Fault::RefusesSecondLogin
            && request.method == "DESCRIBE"
            && right
            && self.shared.logins.fetch_add(1, Ordering::Relaxed) > 0;
        let stale = match fault {
            Fault::StaleFirst => self.shared.logins.fetch_add(1, Ordering::Relaxed) == 0,
            Fault::AlwaysStale => true,
            _ => false,
        };
        if right && stale {
            self.another_nonce();
            return Some(format!("{}, stale=TRUE", digest::challenge(&self.nonce)));
        }
        if right && !used_up {
            if fault == Fault::FreshNonces {
                self.another_nonce();
            }
            return None;
        }
        if fault == Fault::BasicOnly {
            self.shared.basic_logins.fetch_add(u64::from(given.is_some()), Ordering::Relaxed);
            let good = login.map(|(user, password)| BASE64_STANDARD.encode(format!("{user}:{password}")));
            let good = good.is_some_and(|good| given == Some(&format!("Basic {good}")));
            return (!good).then(|| "Basic realm=\"camhealth-sim\"".to_owned());
        }
        self.shared.failed_logins.fetch_add(u64::from(given.is_some()), Ordering::Relaxed);
        Some(digest::challenge(&self.nonce))
    }

    fn another_nonce(&mut self) {
        let serial = self.shared.serial.fetch_add(1, Ordering::Relaxed);
        self.nonce = format!("{:016x}", serial.wrapping_mul(0x2545_f491_4f6c_dd1d));
    }

    fn sdp(&self, fault: Fault) -> String {
        let gop = &self.shared.gop;
        let media = match fault {
            Fault::AudioOnly => "m=audio 0 RTP/AVP 0\r\na=control:trackID=0\r\n".to_owned(),
            Fault::EmptyDescription => return String::new(),
            Fault::UnsupportedCodec => {
                "m=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=control:trackID=0\r\n".to_owned()
            }
            Fault::UnknownCodec => {
                "m=video 0 RTP/AVP 96\r\na=rtpmap:96 X-NOVA/90000\r\na=control:trackID=0\r\n".to_owned()
            }
            _ => format!(
                "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
                 a=fmtp:96 packetization-mode=1;profile-level-id={:02x}{:02x}{:02x};sprop-parameter-sets={},{}\r\n\
                 a=framerate:{}\r\na=control:trackID=0\r\n",
                gop.sps[1],
                gop.sps[2],
                gop.sps[3],
                BASE64_STANDARD.encode(&gop.sps),
                BASE64_STANDARD.encode(&gop.pps),
                self.shared.spec.fps
            ),
        };
        let odd = match fault {
            Fault::BrokenDescription => "no field\r\na=tool:x\r\n".to_owned(),
            Fault::Betrayer { sink } => {
                format!("a=tool:LIVE555 Streaming Media v2013.04.08\r\na=control:rtsp://127.0.0.1:{sink}/sub/\r\n")
            }
            _ => String::new(),
        };
        format!("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=sim\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n{odd}{media}")
    }

    /// The new session's id and channel, or nothing when all are taken.
    fn begin_session(&mut self, fault: Fault) -> Option<(String, u8)> {
        if let Some(session) = &self.session {
            return Some((session.id.clone(), session.channel));
        }
        let open = &self.shared.open_sessions;
        let limit = self.shared.spec.sessions;
        let taken = open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| (open < limit).then_some(open + 1));
        if fault == Fault::Busy || taken.is_err() {
            if taken.is_ok() {
                open.fetch_sub(1, Ordering::Relaxed);
            }
            return None;
        }
        self.shared.max_open_sessions.fetch_max(open.load(Ordering::Relaxed), Ordering::Relaxed);
        let id = format!("{:08}", self.shared.serial.fetch_add(1, Ordering::Relaxed));
        self.session = Some(Session { id: id.clone(), channel: 0, playing: None });
        Some((id, 0))
    }

    fn end_session(&mut self) {
        if self.session.take().is_some() {
            self.shared.open_sessions.fetch_sub(1, Ordering::Relaxed);
        }
    }

    async fn send_slowly(&mut self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        for byte in bytes {
            self.send(&[*byte]).await?;
            sleep(pause).await;
        }
        Ok(())
    }
}

/// What stands behind the session's name.
fn session_parameters(fault: Fault) -> &'static str {
    match fault {
        Fault::OddSession => ";timeout=60;foo=bar",
        Fault::SpacedSession => "; Timeout=60",
        Fault::Betrayer { .. } => ";timeout=4294967295",
        _ => ";timeout=60",
    }
}

/// Takes a whole request off the front; skips interleaved packets, by which clients report.
fn take_request(buffer: &mut Vec<u8>) -> Option<Request> {
    while buffer.first() == Some(&b'$') {
        let length = 4 + usize::from(u16::from_be_bytes([*buffer.get(2)?, *buffer.get(3)?]));
        if buffer.len() < length {
            return None;
        }
        buffer.drain(..length);
    }
    let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end);
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, uri) = (first.next()?.to_owned(), first.next().unwrap_or_default().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    Some(Request {
        method,
        uri,
        cseq: header("cseq").unwrap_or_default(),
        authorization: header("authorization"),
        transport: header("transport").unwrap_or_default(),
    })
}
