//! Width and height of a picture, from the parameter sets that describe it: no picture is looked at.
//!
//! Sources: ITU-T H.264 section 7.3.2.1.1 by h264-reader, ITU-T H.265 section 7.3.2.2.1, RFC 2435 section 3.1.

use crate::model::Codec;
use h264_reader::{
    nal::sps::SeqParameterSet,
    rbsp::{self, BitRead, BitReader},
};

/// Wider or higher than any camera's picture.
const MAX: u32 = 16_384;

/// The size in pixels, given a sequence parameter set with its header, or an RTP payload of Motion JPEG.
pub(super) fn of(codec: Codec, bytes: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = match codec {
        Codec::H264 => h264(bytes)?,
        Codec::H265 => h265(bytes)?,
        Codec::Mjpeg => (u32::from(*bytes.get(6)?) * 8, u32::from(*bytes.get(7)?) * 8),
        _ => return None,
    };
    ((1..=MAX).contains(&width) && (1..=MAX).contains(&height)).then_some((width, height))
}

fn h264(set: &[u8]) -> Option<(u32, u32)> {
    // h264-reader 0.8 counts on a header and a byte after it.
    if set.len() < 3 || set[0] & 0x1f != 7 {
        return None;
    }
    let bits = rbsp::decode_nal(set).ok()?;
    SeqParameterSet::from_bits(BitReader::new(bits.as_ref())).ok()?.pixel_dimensions().ok()
}

fn h265(set: &[u8]) -> Option<(u32, u32)> {
    let payload = set.get(2..).filter(|payload| payload.len() > 2 && (set[0] >> 1) & 0x3f == 33)?;
    // The same escapes as in H.264; its reader wants a header of one byte.
    let mut unit = vec![0x67];
    unit.extend_from_slice(payload);
    let bits = rbsp::decode_nal(&unit).ok()?;
    let mut bits = BitReader::new(bits.as_ref());
    bits.skip(4, "sps_video_parameter_set_id").ok()?;
    let layers: u8 = bits.read(3, "sps_max_sub_layers_minus1").ok()?;
    bits.skip(1, "sps_temporal_id_nesting_flag").ok()?;
    // General profile, tier and level.
    bits.skip(88, "general_profile").ok()?;
    bits.skip(8, "general_level_idc").ok()?;
    let mut present = Vec::new();
    for _ in 0..layers {
        present.push((bits.read_bool("profile_present").ok()?, bits.read_bool("level_present").ok()?));
    }
    if layers > 0 {
        bits.skip(2 * (8 - u32::from(layers)), "reserved").ok()?;
    }
    for (profile, level) in present {
        bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 }, "sub_layer").ok()?;
    }
    bits.read_ue("sps_seq_parameter_set_id").ok()?;
    let chroma = bits.read_ue("chroma_format_idc").ok()?;
    if chroma == 3 {
        bits.skip(1, "separate_colour_plane_flag").ok()?;
    }
    let width = bits.read_ue("pic_width_in_luma_samples").ok()?;
    let height = bits.read_ue("pic_height_in_luma_samples").ok()?;
    if !bits.read_bool("conformance_window_flag").ok()? {
        return Some((width, height));
    }
    let mut crop = [0; 4];
    for side in &mut crop {
        *side = bits.read_ue("conf_win_offset").ok()?;
    }
    // Table 6-1: chroma planes of 4:2:0 are halved both ways, those of 4:2:2 in width.
    let (across, down) = match chroma {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let cut = |length: u32, unit: u32, sides: [u32; 2]| {
        length.checked_sub(unit.checked_mul(sides[0].checked_add(sides[1])?)?)
    };
    Some((cut(width, across, [crop[0], crop[1]])?, cut(height, down, [crop[2], crop[3]])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_of_real_parameter_sets() {
        // x264, 320x240; and x265, 1920x1080, which is 1088 lines with eight cut off.
        let h264 = [
            0x67, 0x42, 0xc0, 0x0d, 0xd9, 0x01, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 1, 0xe0, 0xf1, 0x42,
            0xa4, 0x80,
        ];
        assert_eq!(of(Codec::H264, &h264), Some((320, 240)));
        let h265 = [
            0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x78, 0xa0, 3, 0xc0, 0x80, 0x10, 0xe5, 0x96,
            0x56, 0x69, 0x24, 0xca, 0xe0, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 1, 0x94, 0x80,
        ];
        assert_eq!(of(Codec::H265, &h265), Some((1920, 1080)));
        assert_eq!(of(Codec::Mjpeg, &[0, 0, 0, 0, 1, 80, 80, 45]), Some((640, 360)));
        assert_eq!(of(Codec::Other, &h264), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            of(Codec::H265, &bytes);
            of(Codec::Mjpeg, &bytes);
            of(Codec::H264, &bytes);
            if bytes.len() > 1 {
                (bytes[0], bytes[1]) = (0x42, 1);
                of(Codec::H265, &bytes);
                bytes[0] = 0x67;
                of(Codec::H264, &bytes);
            }
        }
    }
}
