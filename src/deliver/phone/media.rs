//! The sound of one call: 20 ms go out each 20 ms, and what comes in is listened to for keys and for how loud it is.
//!
//! Nothing of it is kept, and nothing but keys and loudness is heard.

use super::{
    rtp::{self, Out, SAMPLES},
    sdp::{Answer, EVENTS, Law},
    speech::Clip,
};
use argon2::password_hash::rand_core::{OsRng, RngCore};
use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};
use std::{
    io,
    net::{IpAddr, SocketAddr},
};
use tokio::net::UdpSocket;

/// Tries to find an even port: some gateways take the odd ones for RTCP (RFC 3550, section 11).
const TRIES: usize = 20;
/// A mean of samples' sizes above this is a voice; a quiet line has some tens.
const LOUD: u32 = 400;
/// Packets of a tenth of a second.
const TENTH: u32 = 5;

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Key(char),
    Sound(bool),
}

/// The sound of one call.
#[derive(Debug)]
pub(super) struct Media {
    pub(super) socket: UdpSocket,
    answer: Option<Answer>,
    out: Out,
    /// What is being said, and how far it is.
    saying: Option<(Clip, usize)>,
    /// The time of the last key, by which its repetitions are known.
    last_key: Option<u32>,
    packets: u32,
    sum: u32,
}

impl Media {
    pub(super) async fn open(local: IpAddr) -> io::Result<Self> {
        let mut socket = UdpSocket::bind((local, 0)).await?;
        for _ in 0..TRIES {
            if socket.local_addr()?.port() % 2 == 0 {
                break;
            }
            socket = UdpSocket::bind((local, 0)).await?;
        }
        let out = Out {
            kind: Law::A.kind(),
            sequence: OsRng.next_u32() as u16,
            timestamp: OsRng.next_u32(),
            source: OsRng.next_u32(),
            first: true,
        };
        Ok(Self { socket, answer: None, out, saying: None, last_key: None, packets: 0, sum: 0 })
    }

    pub(super) fn begin(&mut self, answer: Answer) {
        self.out.kind = answer.law.kind();
        self.answer = Some(answer);
    }

    pub(super) fn say(&mut self, clip: Clip) {
        self.saying = Some((clip, 0));
    }

    pub(super) fn hush(&mut self) {
        self.saying = None;
    }

    /// Sends the next 20 ms; whether what was to be said has come to its end with them.
    pub(super) async fn frame(&mut self) -> bool {
        let Some(answer) = self.answer else { return false };
        let mut samples = [0; SAMPLES];
        let mut said = false;
        if let Some((clip, at)) = &mut self.saying {
            let rest = clip.get(*at..).unwrap_or_default();
            let count = rest.len().min(SAMPLES);
            samples[..count].copy_from_slice(&rest[..count]);
            *at += count;
            said = *at >= clip.len();
        }
        if said {
            self.saying = None;
        }
        let payload = samples.map(|sample| match answer.law {
            Law::A => encode_alaw(sample),
            Law::Mu => encode_ulaw(sample),
        });
        // A packet that is lost is lost, here as on the way.
        let _ = self.socket.send_to(&self.out.packet(&payload), answer.to).await;
        said
    }

    /// What a packet says. Behind a router that changes ports sound comes from another than the answer named, and is sent
    /// there; from another host it is a stranger's.
    pub(super) fn take(&mut self, bytes: &[u8], from: SocketAddr) -> Option<Heard> {
        let answer = self.answer.as_mut().filter(|answer| answer.to.ip() == from.ip())?;
        let packet = rtp::read(bytes)?;
        // By right they have the number of our offer; some send that of their answer.
        if packet.kind == EVENTS || answer.events == Some(packet.kind) {
            answer.to = from;
            let key = rtp::key(packet.payload)?;
            // One press is some ten packets with one time.
            let again = self.last_key.replace(packet.timestamp) == Some(packet.timestamp);
            return (!again).then_some(Heard::Key(key));
        }
        let decode = match packet.kind {
            kind if kind == Law::A.kind() => decode_alaw,
            kind if kind == Law::Mu.kind() => decode_ulaw,
            _ => return None,
        };
        answer.to = from;
        let size = |byte: &u8| u32::from(decode(*byte).unsigned_abs());
        let samples = &packet.payload[..packet.payload.len().min(2 * SAMPLES)];
        self.sum += samples.iter().map(size).sum::<u32>() / (samples.len() as u32).max(1);
        self.packets += 1;
        if self.packets < TENTH {
            return None;
        }
        let loud = self.sum / self.packets > LOUD;
        (self.packets, self.sum) = (0, 0);
        Some(Heard::Sound(loud))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn media() -> (Media, UdpSocket) {
        let mut media = Media::open([127, 0, 0, 1].into()).await.expect("a socket");
        let other = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        media.begin(Answer { to: other.local_addr().expect("it has one"), law: Law::Mu, events: Some(101) });
        (media, other)
    }

    #[tokio::test]
    async fn what_is_said_goes_out_and_ends() {
        let (mut media, other) = media().await;
        assert!(!media.frame().await, "silence does not end");
        media.say(vec![1000; SAMPLES + 1].into());
        assert!(!media.frame().await && media.frame().await);
        let mut buffer = [0; 400];
        let mut received = Vec::new();
        for _ in 0..3 {
            let (size, _) = other.recv_from(&mut buffer).await.expect("a packet");
            received.push(decode_ulaw(rtp::read(&buffer[..size]).expect("sound").payload[1]));
        }
        assert_eq!(received, [0, 988, 0], "{received:?}");
    }

    #[tokio::test]
    async fn a_key_is_heard_once_and_strangers_are_not() {
        let (mut media, other) = media().await;
        let here = other.local_addr().expect("it has one");
        let mut out = Out { kind: 101, sequence: 1, timestamp: 800, source: 9, first: true };
        let mut press = |timestamp| {
            out.timestamp = timestamp;
            out.packet(&[1, 0x0a, 0, 160])
        };
        let stranger = SocketAddr::new([127, 0, 0, 9].into(), here.port());
        assert_eq!(media.take(&press(800), stranger), None);
        assert_eq!(media.take(&press(800), here), Some(Heard::Key('1')));
        assert_eq!(media.take(&press(800), here), None, "it is the same press");
        assert_eq!(media.take(&press(9_600), here), Some(Heard::Key('1')), "it is another");
    }

    #[tokio::test]
    async fn loud_and_quiet_are_told_apart_each_tenth_of_a_second() {
        let (mut media, other) = media().await;
        let here = other.local_addr().expect("it has one");
        let mut out = Out { kind: 0, sequence: 1, timestamp: 0, source: 9, first: true };
        let mut heard = |sample| -> Vec<Heard> {
            (0..TENTH).filter_map(|_| media.take(&out.packet(&[encode_ulaw(sample); SAMPLES]), here)).collect()
        };
        assert_eq!(heard(3000), [Heard::Sound(true)]);
        assert_eq!(heard(20), [Heard::Sound(false)]);
    }
}
