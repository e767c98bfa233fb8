//! Follows one RTP stream (RFC 3550): media time, what is missing, and whether its sender is still the same.
//!
//! Headers are read here and not by a crate, since players take packets that strict parsers refuse: those whose padding
//! or extension is longer than the packet, and sequence numbers that step back.

/// A step of sequence numbers up to this is loss, and back by as much is reordering; more is a new beginning.
const MAX_GAP: i32 = 1000;
const MAX_BACK: i32 = -64;

/// What a packet's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header<'a> {
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    payload: &'a [u8],
}

/// A packet in its stream.
#[derive(Debug, PartialEq)]
pub(super) struct Tracked<'a> {
    /// Seconds of media time since the first packet.
    pub(super) media: f64,
    /// Packets that are missing before it.
    pub(super) lost: u16,
    /// Whether its sender is another than before.
    pub(super) anew: bool,
    pub(super) payload: &'a [u8],
}

/// A stream.
#[derive(Debug)]
pub(super) struct Track {
    payload_types: Vec<u8>,
    clock_rate: f64,
    last: Option<Last>,
    /// Ticks since the first packet.
    ticks: i64,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

fn header(packet: &[u8]) -> Option<Header<'_>> {
    let (fixed, rest) = packet.split_first_chunk::<12>()?;
    let [first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] = *fixed;
    if first >> 6 != 2 {
        return None;
    }
    let mut payload = rest.get(usize::from(first & 0x0f) * 4..)?;
    if first & 0x10 != 0 {
        let (extension, after) = payload.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([extension[2], extension[3]])) * 4;
        payload = after.get(length..).unwrap_or_default();
    }
    if first & 0x20 != 0 {
        let padding = usize::from(payload.last().copied().unwrap_or(0));
        payload = payload.get(..payload.len().saturating_sub(padding)).unwrap_or_default();
    }
    Some(Header {
        payload_type: second & 0x7f,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
        payload,
    })
}

impl Track {
    pub(super) fn new(payload_types: Vec<u8>, clock_rate: u32) -> Self {
        Self { payload_types, clock_rate: f64::from(clock_rate.max(1)), last: None, ticks: 0 }
    }

    /// Takes in a packet; nothing if it is no packet of this stream.
    pub(super) fn packet<'a>(&mut self, bytes: &'a [u8]) -> Option<Tracked<'a>> {
        let header = header(bytes)?;
        // What a player would not hand to its decoder is no video.
        if !self.payload_types.is_empty() && !self.payload_types.contains(&header.payload_type) {
            return None;
        }
        let Header { sequence, timestamp, ssrc, payload, .. } = header;
        let (mut lost, mut anew, mut newest) = (0, false, sequence);
        if let Some(last) = self.last {
            let step = i32::from(sequence.wrapping_sub(last.sequence).cast_signed());
            anew = ssrc != last.ssrc;
            match step {
                _ if anew => {}
                2..=MAX_GAP => lost = sequence.wrapping_sub(last.sequence) - 1,
                // Late, or again: what was missing before it has been counted.
                MAX_BACK..=0 => newest = last.sequence,
                _ => {}
            }
            self.ticks += i64::from(timestamp.wrapping_sub(last.timestamp).cast_signed());
        }
        self.last = Some(Last { sequence: newest, timestamp, ssrc });
        Some(Tracked { media: self.ticks as f64 / self.clock_rate, lost, anew, payload })
    }
}

/// The time of a sender report in a compound packet (section 6.4.1), in seconds since 1970.
pub(in crate::probe) fn sender_report(mut packet: &[u8]) -> Option<f64> {
    const FROM_1900_TO_1970: f64 = 2_208_988_800.0;
    loop {
        let (head, _) = packet.split_first_chunk::<4>()?;
        let length = (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1) * 4;
        if head[0] >> 6 != 2 {
            return None;
        }
        if head[1] == 200 {
            let word = |at: usize| packet.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
            let (seconds, fraction) = (f64::from(word(8)?), f64::from(word(12)?));
            return Some(seconds + fraction / f64::from(2u32).powi(32) - FROM_1900_TO_1970);
        }
        packet = packet.get(length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(sequence: u16, timestamp: u32, ssrc: u32) -> Vec<u8> {
        let mut bytes = vec![0x80, 96];
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(timestamp.to_be_bytes());
        bytes.extend(ssrc.to_be_bytes());
        bytes.push(0x41);
        bytes
    }

    fn track(packets: &[(u16, u32, u32)]) -> Vec<(f64, u16, bool)> {
        let mut track = Track::new(vec![96], 90_000);
        let mut taken = Vec::new();
        for (sequence, timestamp, ssrc) in packets {
            let bytes = packet(*sequence, *timestamp, *ssrc);
            let tracked = track.packet(&bytes).expect("a packet of the stream");
            taken.push((tracked.media, tracked.lost, tracked.anew));
        }
        taken
    }

    #[test]
    fn time_and_sequence_wrap_and_gaps_are_loss() {
        let taken = track(&[(65_534, u32::MAX - 44_999, 1), (65_535, 45_000, 1), (2, 135_000, 1)]);
        assert_eq!(taken, [(0.0, 0, false), (1.0, 0, false), (2.0, 2, false)]);
    }

    #[test]
    fn steps_back_and_new_senders_are_no_loss() {
        let taken = track(&[(100, 0, 1), (101, 0, 1), (95, 90_000, 1), (96, 90_000, 1), (102, 180_000, 1)]);
        assert!(taken.iter().all(|(_, lost, anew)| *lost == 0 && !anew), "{taken:?}");
        let taken = track(&[(100, 0, 1), (30_000, 90_000, 1), (5, 180_000, 2), (6, 270_000, 2)]);
        assert_eq!(
            taken.iter().map(|(_, lost, anew)| (*lost, *anew)).collect::<Vec<_>>(),
            [(0, false), (0, false), (0, true), (0, false)]
        );
    }

    #[test]
    fn headers_of_all_sorts() {
        let mut track = Track::new(vec![96], 90_000);
        let mut other = packet(1, 0, 1);
        other[1] = 97;
        assert_eq!(track.packet(&other), None, "another payload type");
        let mut extended = packet(1, 0, 1);
        extended.truncate(12);
        extended[0] = 0xb1;
        extended.extend([0, 0, 0, 9, 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 0x65, 0x88, 0, 2]);
        assert_eq!(track.packet(&extended).expect("a packet").payload, [0x65, 0x88], "source, extension, padding");
        extended[19] = 200;
        assert_eq!(track.packet(&extended).expect("a packet").payload, [0u8; 0], "an extension beyond its packet");
        assert_eq!(track.packet(&[0x80; 11]), None);
    }

    #[test]
    fn the_time_of_a_sender_report() {
        let mut report = vec![0x80, 200, 0, 6, 0, 0, 0, 1];
        report.extend(2_208_988_801u32.to_be_bytes());
        report.extend([0x80, 0, 0, 0]);
        report.extend([0; 12]);
        assert_eq!(sender_report(&report), Some(1.5));
        let compound = [vec![0x80, 201, 0, 1, 0, 0, 0, 1], report].concat();
        assert_eq!(sender_report(&compound), Some(1.5));
        assert_eq!(sender_report(&[0x80, 200, 0, 6]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut track = Track::new(Vec::new(), 0);
            track.packet(&bytes);
            track.packet(&bytes);
            sender_report(&bytes);
        }
    }
}
