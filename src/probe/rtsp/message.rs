//! Takes RTSP messages and interleaved packets (RFC 2326, sections 4 and 10.12) off a stream of bytes that may come in
//! any pieces.
//!
//! Bounded: a head, a body and what is skipped between messages each have a limit. Each byte is looked at once, however
//! it drips. Tolerant where players are: line ends without a carriage return, empty lines and stray bytes between
//! messages, bytes that are no text.

use tokio_util::bytes::{Buf, Bytes, BytesMut};

/// More head than any camera needs; real ones send some hundred bytes.
pub(in crate::probe) const MAX_HEAD: usize = 16 * 1024;
/// More body than an honest answer has: descriptions are of a few kilobytes.
const MAX_BODY: usize = 64 * 1024;
/// Bytes between messages that are no message; more is no RTSP.
const MAX_STRAY: usize = 64 * 1024;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::probe) enum Item {
    Response(Response),
    /// A request of the camera's own, such as `OPTIONS` while it plays.
    Request(Request),
    /// An interleaved packet of this channel.
    Data(u8, Bytes),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::probe) struct Response {
    pub(in crate::probe) status: u16,
    headers: Vec<(String, String)>,
    pub(in crate::probe) body: Bytes,
}

/// A request that wants an answer.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::probe) struct Request {
    pub(in crate::probe) method: String,
    pub(in crate::probe) cseq: String,
}

/// Why no more can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::probe) enum Broken {
    /// No RTSP.
    Foreign,
    /// An RTSP message of a size that no honest camera sends.
    Oversized,
}

impl Response {
    /// The first value of a header, whose name is given in lower case.
    pub(in crate::probe) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// All values of a header, whose name is given in lower case.
    pub(in crate::probe) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_name = move |(key, _): &&(String, String)| key == name;
        self.headers.iter().filter(of_name).map(|(_, value)| value.as_str())
    }
}

/// What is still to be taken apart.
#[derive(Debug, Default)]
pub(in crate::probe) struct Reader {
    pub(in crate::probe) buffer: BytesMut,
    /// Bytes at the front in which no head ends.
    scanned: usize,
    /// A head that waits for its body.
    waiting: Option<(Response, usize)>,
    stray: usize,
    /// Whether a whole message or packet has come; before, nothing else is borne with.
    begun: bool,
    /// The highest channel of an interleaved packet that is believed among stray bytes.
    pub(in crate::probe) channels: u8,
}

impl Reader {
    /// The next whole item, if there is one. What came does not depend on how it was cut.
    pub(in crate::probe) fn next(&mut self) -> Result<Option<Item>, Broken> {
        loop {
            if let Some((_, length)) = &self.waiting {
                if self.buffer.len() < *length {
                    return Ok(None);
                }
                let (mut response, length) = self.waiting.take().unwrap_or_default();
                response.body = self.buffer.split_to(length).freeze();
                return Ok(Some(Item::Response(response)));
            }
            let Some(&first) = self.buffer.first() else { return Ok(None) };
            if first == b'$' && self.begun {
                let Some(&[_, channel, high, low]) = self.buffer.first_chunk::<4>() else { return Ok(None) };
                let length = usize::from(u16::from_be_bytes([high, low]));
                let believed = self.stray == 0 || channel <= self.channels;
                if believed {
                    if self.buffer.len() < 4 + length {
                        return Ok(None);
                    }
                    self.buffer.advance(4);
                    (self.stray, self.scanned) = (0, 0);
                    return Ok(Some(Item::Data(channel, self.buffer.split_to(length).freeze())));
                }
            } else if self.may_begin_message() {
                let Some(end) = self.head_end()? else { return Ok(None) };
                let head = self.buffer.split_to(end);
                self.scanned = 0;
                match parse(&head)? {
                    Some(Head::Response(response, length)) => {
                        (self.begun, self.stray) = (true, 0);
                        self.waiting = Some((response, length));
                        continue;
                    }
                    Some(Head::Request(request)) => {
                        (self.begun, self.stray) = (true, 0);
                        return Ok(Some(Item::Request(request)));
                    }
                    None if self.begun => {
                        self.stray += head.len();
                        continue;
                    }
                    None => return Err(Broken::Foreign),
                }
            }
            match first {
                _ if self.begun => self.skip(),
                // Some write an empty line before each answer.
                b'\r' | b'\n' => {
                    self.buffer.advance(1);
                    self.stray += 1;
                }
                _ => return Err(Broken::Foreign),
            }
            if self.stray > MAX_STRAY {
                return Err(Broken::Foreign);
            }
        }
    }

    /// Whether what stands at the front is, or may become, the head of a message. Among media only the answers and
    /// requests of RTSP itself count.
    fn may_begin_message(&self) -> bool {
        const BEGINNINGS: [&[u8]; 8] = [
            b"RTSP/",
            b"OPTIONS ",
            b"ANNOUNCE ",
            b"REDIRECT ",
            b"TEARDOWN ",
            b"GET_PARAMETER ",
            b"SET_PARAMETER ",
            b"PLAY_NOTIFY ",
        ];
        let wanted = if self.begun { &BEGINNINGS[..] } else { &BEGINNINGS[..1] };
        wanted.iter().any(|beginning| {
            let compared = self.buffer.len().min(beginning.len());
            self.buffer[..compared] == beginning[..compared]
        })
    }

    /// Where the head at the front ends, behind its empty line.
    fn head_end(&mut self) -> Result<Option<usize>, Broken> {
        while let Some(found) = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') {
            let next = self.scanned + found + 1;
            match &self.buffer[next..] {
                _ if next > MAX_HEAD => return Err(Broken::Oversized),
                [b'\n', ..] => return Ok(Some(next + 1)),
                [b'\r', b'\n', ..] => return Ok(Some(next + 2)),
                [] | [b'\r'] => {
                    // The line end is looked at again with what follows it.
                    self.scanned = next - 1;
                    break;
                }
                _ => self.scanned = next,
            }
        }
        if !self.buffer[self.scanned..].contains(&b'\n') {
            self.scanned = self.buffer.len();
        }
        if self.buffer.len() > MAX_HEAD { Err(Broken::Oversized) } else { Ok(None) }
    }

    /// Leaves out the byte at the front, and what follows it up to where something may begin.
    fn skip(&mut self) {
        let begins = |byte: &u8| *byte == b'$' || byte.is_ascii_uppercase();
        let rest = &self.buffer[1..];
        let count = 1 + rest.iter().position(begins).unwrap_or(rest.len());
        self.buffer.advance(count);
        self.stray += count;
        self.scanned = 0;
    }
}

enum Head {
    /// With the length of its body.
    Response(Response, usize),
    Request(Request),
}

fn parse(head: &[u8]) -> Result<Option<Head>, Broken> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split('\n').map(str::trim_end);
    let first = lines.next().unwrap_or_default();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    if !first.starts_with("RTSP/") {
        let method = first.split(' ').next().unwrap_or_default().to_owned();
        let cseq = headers.iter().find(|(name, _)| name == "cseq").map(|(_, value)| value.as_str());
        // It is sent back: digits only.
        let cseq = cseq.unwrap_or_default().chars().filter(char::is_ascii_digit).take(10).collect();
        return Ok(first.contains(" RTSP/").then_some(Head::Request(Request { method, cseq })));
    }
    let Some(status) = status(first) else { return Ok(None) };
    let response = Response { status, headers, body: Bytes::new() };
    let length = response.headers("content-length").map(length).max();
    match length.unwrap_or(0) {
        length if length > MAX_BODY => Err(Broken::Oversized),
        length => Ok(Some(Head::Response(response, length))),
    }
}

/// A length that may have something behind it; one without digits is more than anything.
fn length(value: &str) -> usize {
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    value[..digits].parse().unwrap_or(usize::MAX)
}

/// The status of `RTSP/1.0 200 OK`; the reason phrase may be missing.
fn status(line: &str) -> Option<u16> {
    let (version, rest) = line.split_once(' ')?;
    let version = version.strip_prefix("RTSP/")?;
    let digits = version.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let status = rest.trim_start().split(' ').next()?;
    let status: u16 = (status.len() == 3).then(|| status.parse().ok())??;
    (digits && (100..600).contains(&status)).then_some(status)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
