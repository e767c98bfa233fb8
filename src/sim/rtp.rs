//! RTP over the RTSP connection (RFC 2326 section 10.12): packets of one frame, and sender reports.

/// Largest payload before a unit is cut into fragments.
const MAX_PAYLOAD: usize = 1400;

/// Where a stream stands.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub(super) channel: u8,
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) packets: u32,
    pub(super) octets: u32,
    /// Leaves out one packet in so many.
    pub(super) lossy: Option<u32>,
}

impl Stream {
    /// Appends the packets of one frame, made of NAL units (RFC 6184, single units and FU-A).
    pub(super) fn frame<'u>(&mut self, units: impl IntoIterator<Item = &'u [u8]>, out: &mut Vec<u8>) {
        let mut units = units.into_iter().peekable();
        while let Some(unit) = units.next() {
            let last = units.peek().is_none();
            let Some((header, rest)) = unit.split_first().filter(|_| unit.len() > MAX_PAYLOAD) else {
                self.packet(&[unit], last, out);
                continue;
            };
            let chunks = rest.chunks(MAX_PAYLOAD);
            let count = chunks.len();
            for (number, chunk) in chunks.enumerate() {
                let (start, end) = (number == 0, number + 1 == count);
                let fragment = (u8::from(start) << 7) | (u8::from(end) << 6) | (header & 0x1f);
                self.packet(&[&[(header & 0xe0) | 28, fragment], chunk], last && end, out);
            }
        }
    }

    fn packet(&mut self, payload: &[&[u8]], marker: bool, out: &mut Vec<u8>) {
        let length = payload.iter().map(|part| part.len()).sum::<usize>();
        self.sequence = self.sequence.wrapping_add(1);
        self.packets += 1;
        self.octets = self.octets.wrapping_add(length as u32);
        if self.lossy.is_some_and(|one_in| self.packets.is_multiple_of(one_in.max(1))) {
            return;
        }
        out.extend([b'$', self.channel]);
        out.extend(((length + 12) as u16).to_be_bytes());
        out.extend([0x80, (u8::from(marker) << 7) | 96]);
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        payload.iter().for_each(|part| out.extend_from_slice(part));
    }

    /// Appends a sender report (RFC 3550 section 6.4.1). `ntp` is seconds since 1900.
    pub(super) fn sender_report(&self, ntp: f64, out: &mut Vec<u8>) {
        out.extend([b'$', self.channel + 1, 0, 28, 0x80, 200, 0, 6]);
        out.extend(self.ssrc.to_be_bytes());
        out.extend((ntp as u32).to_be_bytes());
        out.extend(((ntp.fract() * f64::from(u32::MAX)) as u32).to_be_bytes());
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.packets.to_be_bytes());
        out.extend(self.octets.to_be_bytes());
    }
}
