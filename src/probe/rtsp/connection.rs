//! One connection to a camera: requests and their answers, and the interleaved packets and requests of the camera's own
//! that come between.

use super::{
    auth::Auth,
    message::{Broken, Item, Reader, Response},
    tls,
};
use crate::{
    model::{Failure, FailureKind, rtsp_port, told},
    probe::{reach, watch::unanswered, wire::StreamJob},
};
use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::bytes::Bytes;

/// Packets that come before the answer to `PLAY` are kept up to this many bytes.
const MAX_EARLY: usize = 512 * 1024;
/// What keeping a packet costs beside its bytes: even empty ones fill memory.
const KEPT: usize = 64;
/// Read at once.
const CHUNK: usize = 16 * 1024;

trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Wire for T {}

/// What ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// The camera closed or reset it.
    Closed,
    /// It sent what is no RTSP.
    Foreign,
    /// It sent more than an honest camera does.
    Oversized,
}

impl Lost {
    /// What that means while an answer to `request` is awaited.
    fn failure(self, request: &str) -> Failure {
        match self {
            Self::Closed => Failure::new(FailureKind::RtspError, told!(ClosedDuring, request)),
            Self::Foreign => Failure::new(FailureKind::RtspError, told!(AnswerIsNoRtsp, request)),
            Self::Oversized => Failure::new(FailureKind::Oversized, told!(AnswerClaimsTooMuch, request)),
        }
    }
}

/// A connection.
pub(super) struct Connection {
    wire: Box<dyn Wire>,
    /// The only address that is ever connected to.
    address: SocketAddr,
    ours: IpAddr,
    reader: Reader,
    pub(super) auth: Auth,
    cseq: u32,
    /// The last answer, and whether a request has none yet.
    answer: Option<Response>,
    unanswered: bool,
    early: VecDeque<(u8, Bytes)>,
    early_bytes: usize,
    /// Bytes received so far.
    pub(super) received: u64,
}

impl Connection {
    /// Connects to the camera of `job`.
    pub(super) async fn open(job: &StreamJob) -> Result<Self, Failure> {
        let encrypted = job.url.scheme() == "rtsps";
        let host = job.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let address = host.parse::<IpAddr>().map_err(|_| Failure::new(FailureKind::ProbeFailed, told!(NoIp)))?;
        let address = SocketAddr::new(address, rtsp_port(&job.url));
        let (wire, ours) = dial(job, address).await?;
        Ok(Self {
            wire,
            address,
            ours,
            reader: Reader::default(),
            auth: Auth::new(job.login.clone(), encrypted),
            cseq: 0,
            answer: None,
            unanswered: false,
            early: VecDeque::new(),
            early_bytes: 0,
            received: 0,
        })
    }

    /// The camera's address and our own towards it.
    pub(super) fn ends(&self) -> (IpAddr, IpAddr) {
        (self.address.ip(), self.ours)
    }

    /// Connects anew where a camera closes the connection with its challenge.
    async fn reopen(&mut self, job: &StreamJob) -> Result<(), Failure> {
        (self.wire, self.ours) = dial(job, self.address).await?;
        self.reader = Reader::default();
        self.unanswered = false;
        Ok(())
    }

    /// Channels up to this one carry our packets.
    pub(super) fn expect_channels(&mut self, up_to: u8) {
        self.reader.channels = up_to;
    }

    /// Asks and waits for the answer, within the job's limit; challenges are answered on the way.
    pub(super) async fn request(
        &mut self,
        job: &StreamJob,
        method: &str,
        uri: &str,
        headers: &str,
    ) -> Result<Response, Failure> {
        match timeout(job.answer_timeout, self.negotiate(job, method, uri, headers)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(unanswered(method, job)),
        }
    }

    async fn negotiate(
        &mut self,
        job: &StreamJob,
        method: &str,
        uri: &str,
        headers: &str,
    ) -> Result<Response, Failure> {
        let mut answered = 0;
        let mut reopened = false;
        loop {
            let response = match self.ask(method, uri, headers).await {
                Ok(response) => response,
                // Some close with the challenge; a session would be lost with it, so only the first request is repeated.
                Err(Lost::Closed) if method == "DESCRIBE" && answered > 0 && !reopened => {
                    reopened = true;
                    self.reopen(job).await?;
                    continue;
                }
                Err(lost) => return Err(lost.failure(method)),
            };
            if response.status != 401 {
                return Ok(response);
            }
            self.auth.challenged(method, response.headers("www-authenticate"), answered)?;
            answered += 1;
            let closes = response.headers("connection").any(|value| value.eq_ignore_ascii_case("close"));
            if closes && method == "DESCRIBE" {
                reopened = true;
                self.reopen(job).await?;
            }
        }
    }

    async fn ask(&mut self, method: &str, uri: &str, headers: &str) -> Result<Response, Lost> {
        self.cseq += 1;
        let cseq = self.cseq;
        let login = self.auth.authorization(method, uri);
        let login = login.map_or_else(String::new, |value| format!("Authorization: {value}\r\n"));
        let request =
            format!("{method} {uri} RTSP/1.0\r\nCSeq: {cseq}\r\nUser-Agent: camhealth\r\n{headers}{login}\r\n");
        // One that we gave up waiting for.
        let unanswered = std::mem::replace(&mut self.unanswered, true);
        self.send(request.as_bytes()).await?;
        loop {
            match self.item().await? {
                // Some cameras leave the number out, and some count for themselves, which players bear with. But the
                // answer to an earlier request may be late, or come twice.
                Item::Response(response) => {
                    let number = response.header("cseq").and_then(|value| value.parse::<u32>().ok());
                    let of_another = number.is_some_and(|number| number < cseq)
                        && (unanswered || response.status == 200 && self.answer.as_ref() == Some(&response));
                    if !of_another && response.status >= 200 {
                        self.answer = Some(response.clone());
                        self.unanswered = false;
                        return Ok(response);
                    }
                }
                Item::Data(channel, packet) => {
                    self.early_bytes = self.early_bytes.saturating_add(packet.len() + KEPT);
                    if self.early_bytes <= MAX_EARLY {
                        // A copy: a few bytes would keep the whole buffer that they came in.
                        self.early.push_back((channel, Bytes::copy_from_slice(&packet)));
                    }
                }
                Item::Request(_) => {}
            }
        }
    }

    /// The next interleaved packet, or nothing where something else came: whoever watches must be able to look at the
    /// time between any two items, since a flood of answers would otherwise never let it. May be dropped while it
    /// waits; nothing is lost then.
    pub(super) async fn packet(&mut self) -> Result<Option<(u8, Bytes)>, Lost> {
        if let Some(early) = self.early.pop_front() {
            return Ok(Some(early));
        }
        Ok(match self.item().await? {
            Item::Data(channel, packet) => Some((channel, packet)),
            Item::Response(_) | Item::Request(_) => None,
        })
    }

    /// The next item; requests of the camera's own are answered on the way.
    async fn item(&mut self) -> Result<Item, Lost> {
        loop {
            match self.reader.next() {
                Ok(Some(Item::Request(request))) => {
                    let answer = format!("RTSP/1.0 200 OK\r\nCSeq: {}\r\n\r\n", request.cseq);
                    self.send(answer.as_bytes()).await?;
                    return Ok(Item::Request(request));
                }
                Ok(Some(item)) => return Ok(item),
                Ok(None) => {}
                Err(Broken::Foreign) => return Err(Lost::Foreign),
                Err(Broken::Oversized) => return Err(Lost::Oversized),
            }
            self.reader.buffer.reserve(CHUNK);
            match self.wire.read_buf(&mut self.reader.buffer).await {
                Ok(0) | Err(_) => return Err(Lost::Closed),
                Ok(count) => self.received += count as u64,
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        let sent = async {
            self.wire.write_all(bytes).await?;
            self.wire.flush().await
        };
        sent.await.map_err(|_: io::Error| Lost::Closed)
    }
}

async fn dial(job: &StreamJob, address: SocketAddr) -> Result<(Box<dyn Wire>, IpAddr), Failure> {
    let stream = match timeout(job.answer_timeout, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(reach::failure(address, &error)),
        Err(_) => {
            let detail = told!(NoSecond, address, format_args!("{:?}", job.answer_timeout));
            return Err(Failure::new(FailureKind::RtspError, detail));
        }
    };
    let ours = stream.local_addr().map_or(address, |ours| ours).ip();
    // Requests are single small packets: they need not wait for each other.
    let _ = stream.set_nodelay(true);
    if job.url.scheme() != "rtsps" {
        return Ok((Box::new(stream), ours));
    }
    match timeout(job.answer_timeout, tls::connect(stream, address.ip(), job.certificate)).await {
        Ok(connected) => Ok((Box::new(connected?), ours)),
        Err(_) => Err(unanswered("TLS", job)),
    }
}
