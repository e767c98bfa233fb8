//! What both sides say of the sound: our offer, and what is used of the answer (RFC 8866, RFC 3264).

use std::net::{IpAddr, SocketAddr};

/// Lines that are read of an answer, and how long each may be.
const LINES: usize = 200;
const LONGEST: usize = 1000;
/// Our number for keys, of those that are free.
pub(super) const EVENTS: u8 = 101;

/// How a sample is written: G.711, which every exchange speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Law {
    /// A-law, Europe's and Vietnam's.
    A,
    /// µ-law.
    Mu,
}

impl Law {
    /// Its number in RTP (RFC 3551).
    pub(super) fn kind(self) -> u8 {
        match self {
            Self::A => 8,
            Self::Mu => 0,
        }
    }
}

/// Where sound goes, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) to: SocketAddr,
    pub(super) law: Law,
    /// The number of keys, where they come beside the sound.
    pub(super) events: Option<u8>,
}

/// What we offer: sound both ways at this address.
pub(super) fn offer(at: SocketAddr, session: u32) -> String {
    let (ip, port) = (at.ip(), at.port());
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    let (a, mu) = (Law::A.kind(), Law::Mu.kind());
    format!(
        "v=0\r\no=- {session} 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {a} {mu} {EVENTS}\r\n\
         a=rtpmap:{a} PCMA/8000\r\na=rtpmap:{mu} PCMU/8000\r\n\
         a=rtpmap:{EVENTS} telephone-event/8000\r\na=fmtp:{EVENTS} 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

/// What an answer says of the sound; nothing where there is none that we can make.
pub(super) fn answer(body: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(body.get(..body.len().min(LINES * LONGEST))?);
    let (mut all, mut own, mut port, mut kinds, mut events) = (None, None, None, Vec::new(), None);
    let mut is_audio = false;
    for line in text.lines().take(LINES) {
        let Some((key, value)) = line.split_once('=') else { continue };
        match key {
            // What follows the first line of sound is another medium.
            "m" if port.is_some() => break,
            "m" => {
                let mut words = value.split_ascii_whitespace();
                is_audio = words.next() == Some("audio");
                if is_audio {
                    port = words.next().and_then(|word| word.split('/').next()?.parse::<u16>().ok());
                    kinds = words.skip(1).filter_map(|word| word.parse::<u8>().ok()).collect();
                }
            }
            "c" => {
                let address = value.split_ascii_whitespace().nth(2);
                let address = address.and_then(|word| word.split('/').next()?.parse::<IpAddr>().ok());
                if is_audio {
                    own = address
                } else if port.is_none() {
                    all = all.or(address)
                }
            }
            "a" if is_audio => events = events.or_else(|| event_kind(value)),
            _ => {}
        }
    }
    let law = kinds.iter().find_map(|kind| [Law::A, Law::Mu].into_iter().find(|law| law.kind() == *kind))?;
    let to = SocketAddr::new(own.or(all)?, port.filter(|port| *port != 0)?);
    let usable = !to.ip().is_unspecified() && !to.ip().is_multicast();
    usable.then_some(Answer { to, law, events: events.filter(|kind| kinds.contains(kind)) })
}

/// The number that `rtpmap:101 telephone-event/8000` gives to keys.
fn event_kind(attribute: &str) -> Option<u8> {
    let (kind, name) = attribute.strip_prefix("rtpmap:")?.split_once(' ')?;
    name.trim_start().to_ascii_lowercase().starts_with("telephone-event/8000").then(|| kind.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_offer_can_be_answered_by_itself() {
        let at = "10.20.0.2:4000".parse().expect("an address");
        let answered = answer(offer(at, 1).as_bytes());
        assert_eq!(answered, Some(Answer { to: at, law: Law::A, events: Some(101) }));
        let at = "[2001:db8::2]:4000".parse().expect("an address");
        assert_eq!(answer(offer(at, 1).as_bytes()).map(|answer| answer.to), Some(at));
    }

    #[test]
    fn answers_of_exchanges_are_read() {
        let asterisk = "v=0\r\no=root 1 1 IN IP4 10.0.0.1\r\ns=Asterisk\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
            m=audio 18000 RTP/AVP 0 96\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:96 telephone-event/8000\r\na=sendrecv\r\n";
        let read = answer(asterisk.as_bytes()).expect("an answer");
        assert_eq!(read, Answer { to: "10.0.0.1:18000".parse().expect("one"), law: Law::Mu, events: Some(96) });
        let own_line = "v=0\nc=IN IP4 10.0.0.1\nm=audio 5004 RTP/AVP 8\nc=IN IP4 10.0.0.9\n";
        assert_eq!(answer(own_line.as_bytes()).map(|answer| answer.to), "10.0.0.9:5004".parse().ok());
        let video_first = "c=IN IP4 10.0.0.1\nm=video 0 RTP/AVP 96\nm=audio 5006 RTP/AVP 8\n";
        assert_eq!(answer(video_first.as_bytes()).map(|answer| answer.to.port()), Some(5006));
    }

    #[test]
    fn what_cannot_be_spoken_to_is_no_answer() {
        for text in [
            "",
            "v=0\nc=IN IP4 10.0.0.1\nm=audio 0 RTP/AVP 8\n",
            "v=0\nc=IN IP4 0.0.0.0\nm=audio 5004 RTP/AVP 8\n",
            "v=0\nc=IN IP4 10.0.0.1\nm=audio 5004 RTP/AVP 18\n",
            "v=0\nc=IN IP4 media.example\nm=audio 5004 RTP/AVP 8\n",
            "v=0\nc=IN IP4 224.0.0.1/8\nm=audio 5004 RTP/AVP 8\n",
            "v=0\nm=audio 5004 RTP/AVP 8\n",
        ] {
            assert_eq!(answer(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_breaks_nothing(body in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = answer(&body);
        }

        #[test]
        fn broken_answers_break_nothing(lines in prop::collection::vec("[mac]=[a-z0-9 :./]{0,40}", 0..20)) {
            let _ = answer(lines.join("\n").as_bytes());
        }
    }
}
