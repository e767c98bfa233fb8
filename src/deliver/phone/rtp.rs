//! Packets of sound: 20 ms of G.711 each (RFC 3550, 3551), and keys between them (RFC 4733).

/// Samples of 20 ms at 8 kHz.
pub(super) const SAMPLES: usize = 160;
/// The header without what is optional.
const HEADER: usize = 12;

/// A packet that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) kind: u8,
    pub(super) timestamp: u32,
    pub(super) payload: &'a [u8],
}

/// Reads a packet; nothing of what is none.
pub(super) fn read(bytes: &[u8]) -> Option<Packet<'_>> {
    let header = bytes.get(..HEADER)?;
    if header[0] >> 6 != 2 {
        return None;
    }
    let mut payload = bytes.get(HEADER + 4 * usize::from(header[0] & 0x0f)..)?;
    if header[0] & 0x10 != 0 {
        let words = u16::from_be_bytes([*payload.get(2)?, *payload.get(3)?]);
        payload = payload.get(4 + 4 * usize::from(words)..)?;
    }
    if header[0] & 0x20 != 0 {
        let padding = usize::from(*payload.last()?);
        payload = payload.get(..payload.len().checked_sub(padding)?)?;
    }
    let timestamp = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    Some(Packet { kind: header[1] & 0x7f, timestamp, payload })
}

/// The key of an event's payload.
pub(super) fn key(payload: &[u8]) -> Option<char> {
    match payload.get(..4)?[0] {
        digit @ 0..=9 => Some(char::from(b'0' + digit)),
        10 => Some('*'),
        11 => Some('#'),
        letter @ 12..=15 => Some(char::from(b'A' + letter - 12)),
        _ => None,
    }
}

/// What goes out, one packet after the other.
#[derive(Debug, Clone)]
pub(super) struct Out {
    pub(super) kind: u8,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) source: u32,
    /// The first packet after a silence is marked; we are never silent, so it is the first.
    pub(super) first: bool,
}

impl Out {
    /// The next packet of 20 ms.
    pub(super) fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.push(0x80);
        bytes.push(self.kind | if self.first { 0x80 } else { 0 });
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.source.to_be_bytes());
        bytes.extend(payload);
        self.first = false;
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(SAMPLES as u32);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_goes_out_is_read_again() {
        let mut out = Out { kind: 8, sequence: u16::MAX, timestamp: u32::MAX - 159, source: 7, first: true };
        let first = out.packet(&[0xd5; SAMPLES]);
        assert_eq!(read(&first), Some(Packet { kind: 8, timestamp: u32::MAX - 159, payload: &[0xd5; SAMPLES] }));
        assert_eq!(first[1], 0x88, "it is marked");
        let second = out.packet(&[1]);
        assert_eq!(second[1..4], [8, 0, 0]);
        assert_eq!(read(&second).map(|packet| packet.timestamp), Some(0), "times go round");
    }

    #[test]
    fn keys_have_their_numbers() {
        for (number, wanted) in
            [(1, Some('1')), (9, Some('9')), (10, Some('*')), (11, Some('#')), (15, Some('D')), (16, None)]
        {
            assert_eq!(key(&[number, 0x8a, 0, 160]), wanted);
        }
        assert_eq!(key(&[1, 2]), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_breaks_nothing(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(packet) = read(&bytes) {
                prop_assert!(packet.payload.len() + HEADER <= bytes.len());
                let _ = key(packet.payload);
            }
        }
    }
}
