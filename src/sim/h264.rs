//! H.264 made bit by bit: a grey picture of DC macroblocks, then frames in which one raw macroblock moves.
//!
//! Constrained baseline with CAVLC (ITU-T H.264, sections 7.3 and 9.1). Small, valid for any decoder, and without an
//! encoder: an intra macroblock without coefficients costs one byte, a skipped row a few bits.

/// One group of pictures: parameter sets and the NAL units of its frames, an IDR picture first.
#[derive(Debug)]
pub(super) struct Gop {
    pub(super) sps: Vec<u8>,
    /// Parameters of another level, for the same pictures.
    pub(super) other_sps: Vec<u8>,
    pub(super) pps: Vec<u8>,
    pub(super) frames: Vec<Vec<u8>>,
    /// The same for a camera whose picture stands still.
    pub(super) frozen: Vec<Vec<u8>>,
}

impl Gop {
    /// A group of `length` frames (at most 256, the range of `frame_num` here) of the given size in pixels.
    pub(super) fn new(width: u32, height: u32, length: u32) -> Self {
        let size = Size { columns: width.div_ceil(16), rows: height.div_ceil(16), width, height };
        let length = length.clamp(1, 256);
        let predicted = |moving| (1..length).map(move |number| predicted(size, number, moving));
        let whole = std::iter::once(intra(size));
        Self {
            sps: sequence_parameters(size, 0),
            other_sps: sequence_parameters(size, 1),
            pps: picture_parameters(),
            frames: whole.clone().chain(predicted(true)).collect(),
            frozen: whole.chain(predicted(false)).collect(),
        }
    }
}

/// Size in macroblocks and in pixels.
#[derive(Debug, Clone, Copy)]
struct Size {
    columns: u32,
    rows: u32,
    width: u32,
    height: u32,
}

fn sequence_parameters(size: Size, higher: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    let blocks = size.columns * size.rows;
    // Level 3 holds 1,620 macroblocks, level 4 holds 8,192 (Table A-1).
    let level = if blocks <= 1620 { 30 } else { 40 } + higher;
    bits.fixed(8, 66).fixed(8, 0xc0).fixed(8, level);
    bits.ue(0).ue(4).ue(2).ue(1).fixed(1, 0);
    bits.ue(size.columns - 1).ue(size.rows - 1).fixed(1, 1).fixed(1, 1);
    let (right, bottom) = ((size.columns * 16 - size.width) / 2, (size.rows * 16 - size.height) / 2);
    if right == 0 && bottom == 0 {
        bits.fixed(1, 0);
    } else {
        bits.fixed(1, 1).ue(0).ue(right).ue(0).ue(bottom);
    }
    bits.fixed(1, 0);
    bits.unit(0x67)
}

fn picture_parameters() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.ue(0).ue(0).fixed(1, 0).fixed(1, 0).ue(0).ue(0).ue(0).fixed(1, 0).fixed(2, 0);
    bits.se(0).se(0).se(0).fixed(1, 1).fixed(1, 0).fixed(1, 0);
    bits.unit(0x68)
}

/// A grey picture: each macroblock is predicted from its neighbours and the first from nothing, which is grey.
fn intra(size: Size) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.ue(0).ue(7).ue(0).fixed(8, 0).ue(0);
    bits.fixed(1, 0).fixed(1, 0).se(0).ue(1);
    for _ in 0..size.columns * size.rows {
        // I_16x16 with DC prediction, chroma DC, no change of quantiser, no coefficients.
        bits.ue(3).ue(0).se(0).fixed(1, 1);
    }
    bits.unit(0x65)
}

/// A frame like the one before, but for one raw macroblock whose place and brightness come from its number.
fn predicted(size: Size, number: u32, moving: bool) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.ue(0).ue(5).ue(0).fixed(8, number & 0xff).fixed(1, 0).fixed(1, 0);
    bits.fixed(1, 0).se(0).ue(1);
    let blocks = size.columns * size.rows;
    if !moving {
        bits.ue(blocks);
        return bits.unit(0x41);
    }
    let place = (number * (size.columns + 1)) % blocks;
    bits.ue(place).ue(30).align();
    let bright = 40 + (number * 23 % 180) as u8;
    // Samples are never 0 to 3, so that none of them needs emulation prevention.
    bits.bytes((0..256).map(|sample: u32| bright.saturating_add((sample % 16) as u8)));
    bits.bytes((0..128).map(|sample| if sample < 64 { 90 } else { 170 }));
    if place + 1 < blocks {
        bits.ue(blocks - place - 1);
    }
    bits.unit(0x41)
}

/// A bit string in the making.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits used of the last byte, 0 when it is full.
    used: u32,
}

impl Bits {
    fn bit(&mut self, bit: u32) {
        if self.used == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= ((bit & 1) as u8) << (7 - self.used);
        }
        self.used = (self.used + 1) % 8;
    }

    fn fixed(&mut self, count: u32, value: u32) -> &mut Self {
        (0..count).rev().for_each(|shift| self.bit(value >> shift));
        self
    }

    /// Exponential Golomb, unsigned (section 9.1).
    fn ue(&mut self, value: u32) -> &mut Self {
        let length = 32 - (value + 1).leading_zeros();
        self.fixed(length - 1, 0).fixed(length, value + 1)
    }

    /// The same, signed (section 9.1.1); only zero is needed here, and it is one bit either way.
    fn se(&mut self, value: u32) -> &mut Self {
        self.ue(value)
    }

    fn align(&mut self) {
        while self.used != 0 {
            self.bit(0);
        }
    }

    fn bytes(&mut self, bytes: impl Iterator<Item = u8>) {
        self.bytes.extend(bytes);
    }

    /// The NAL unit: header, the bits with their trailing one, and emulation prevention (section 7.4.1).
    fn unit(mut self, header: u8) -> Vec<u8> {
        self.bit(1);
        self.align();
        let mut unit = vec![header];
        let mut zeros = 0;
        for byte in self.bytes {
            if zeros >= 2 && byte <= 3 {
                unit.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            unit.push(byte);
        }
        unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golomb_codes_are_those_of_the_standard() {
        let code = |value| {
            let mut bits = Bits::default();
            bits.ue(value);
            (bits.bytes, bits.used)
        };
        assert_eq!(code(0), (vec![0b1000_0000], 1));
        assert_eq!(code(3), (vec![0b0010_0000], 5));
        assert_eq!(code(7), (vec![0b0001_0000], 7));
    }

    #[test]
    fn no_unit_holds_a_start_code() {
        let gop = Gop::new(640, 360, 60);
        for unit in gop.frames.iter().chain(&gop.frozen).chain([&gop.sps, &gop.pps]) {
            assert!(unit.windows(3).all(|three| three[..2] != [0, 0] || three[2] > 2));
        }
        assert_eq!(gop.frames.len(), 60);
        assert!(gop.frozen[1].len() < 40 && gop.frames[1].len() > 384);
    }
}
