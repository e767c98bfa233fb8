//! Tells keyframes apart by the first bytes of an RTP payload, without depacketising or decoding.
//!
//! Sources: RFC 6184 section 5.2 (H.264), RFC 7798 section 4.4 (H.265), RFC 2435 (JPEG).

use crate::model::Codec;

/// Whether keyframes of this codec can be told apart here.
pub(super) fn tells(codec: Codec) -> bool {
    matches!(codec, Codec::H264 | Codec::H265 | Codec::Mjpeg)
}

/// Whether this packet begins (part of) a picture that can be shown without earlier ones, or carries the parameters
/// that encoders send right before one.
pub(super) fn begins_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::H264 => h264(payload),
        Codec::H265 => h265(payload),
        // Each JPEG stands alone.
        Codec::Mjpeg => !payload.is_empty(),
        _ => false,
    }
}

fn h264(payload: &[u8]) -> bool {
    const IDR: u8 = 5;
    const SPS: u8 = 7;
    let keyframe = |nal: u8| matches!(nal & 0x1f, IDR | SPS);
    match payload {
        // STAP-A: two bytes of length, then the first unit.
        [first, _, _, nal, ..] if first & 0x1f == 24 => keyframe(*nal),
        // FU-A: the unit's type stands in the second byte, with a start bit.
        [indicator, header, ..] if indicator & 0x1f == 28 => header & 0x80 != 0 && keyframe(*header),
        [nal, ..] => keyframe(*nal),
        [] => false,
    }
}

fn h265(payload: &[u8]) -> bool {
    // BLA, IDR and CRA pictures (16 to 21), VPS, SPS and PPS (32 to 34).
    let keyframe = |kind: u8| matches!(kind, 16..=21 | 32..=34);
    let kind_of = |byte: u8| (byte >> 1) & 0x3f;
    match payload {
        // AP: two bytes of header, two of length, then the first unit.
        [first, _, _, _, nal, ..] if kind_of(*first) == 48 => keyframe(kind_of(*nal)),
        // FU: the unit's type stands in the third byte, with a start bit.
        [first, _, header, ..] if kind_of(*first) == 49 => header & 0x80 != 0 && keyframe(header & 0x3f),
        [first, ..] => keyframe(kind_of(*first)),
        [] => false,
    }
}

/// Whether (part of) a picture begins in this packet, or it carries more of one. Parameter sets, notes (SEI), filler
/// and empty packets, which some send to keep a line open, show nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    Nothing,
    /// A later piece of what began in another packet: nothing can be shown by it alone.
    More,
    Picture,
}

/// What of a picture is in this packet.
pub(super) fn shows(codec: Codec, payload: &[u8]) -> Shows {
    let picture = |is| if is { Shows::Picture } else { Shows::Nothing };
    match (codec, payload) {
        (_, []) => Shows::Nothing,
        (Codec::H264, [first, rest @ ..]) => {
            // Slices and their partitions, and those of the extensions for layers and views.
            let of_picture = |nal: u8| matches!(nal & 0x1f, 1..=5 | 20 | 21);
            match first & 0x1f {
                24 => picture(units(rest).any(|unit| unit.first().is_some_and(|nal| of_picture(*nal)))),
                28 | 29 => match rest {
                    [header, _, ..] if of_picture(*header) => fragment(*header),
                    _ => Shows::Nothing,
                },
                25..=27 => Shows::Picture,
                _ => picture(of_picture(*first) && !rest.is_empty()),
            }
        }
        (Codec::H265, [first, _, rest @ ..]) => match (first >> 1) & 0x3f {
            48 => picture(units(rest).any(|unit| unit.first().is_some_and(|nal| (nal >> 1) & 0x3f < 32))),
            49 => match rest {
                [header, _, ..] if header & 0x3f < 32 => fragment(*header),
                _ => Shows::Nothing,
            },
            kind => picture((kind < 32 || kind == 50) && !rest.is_empty()),
        },
        (Codec::H265, _) => Shows::Nothing,
        // Type-specific byte, offset of three bytes, type, quality, width, height; then data.
        (Codec::Mjpeg, [_, 0, 0, 0, _, _, _, _, _, ..]) => Shows::Picture,
        (Codec::Mjpeg, payload) => {
            if payload.len() > 8 {
                Shows::More
            } else {
                Shows::Nothing
            }
        }
        _ => Shows::Picture,
    }
}

fn fragment(header: u8) -> Shows {
    if header & 0x80 != 0 { Shows::Picture } else { Shows::More }
}

/// The units of an aggregate behind its header; what is cut off is left out.
fn units(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (unit, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = after;
        Some(unit)
    })
}

/// The sequence parameter set in this packet, alone or in an aggregate; one that is cut into fragments is not looked
/// for, since it is always small.
pub(super) fn sequence_parameters(codec: Codec, payload: &[u8]) -> Option<&[u8]> {
    let (header, aggregate, wanted, kind_of): (usize, u8, u8, fn(u8) -> u8) = match codec {
        Codec::H264 => (1, 24, 7, |byte| byte & 0x1f),
        Codec::H265 => (2, 48, 33, |byte| (byte >> 1) & 0x3f),
        _ => return None,
    };
    let kind = kind_of(*payload.first()?);
    if kind == wanted {
        return Some(payload);
    }
    let rest = payload.get(header..).filter(|_| kind == aggregate)?;
    units(rest).find(|unit| unit.first().is_some_and(|first| kind_of(*first) == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(codec: Codec, payload: &[u8], expected: bool) {
        assert_eq!(begins_keyframe(codec, payload), expected, "{payload:x?}");
    }

    #[test]
    fn h264_units() {
        check(Codec::H264, &[0x65], true);
        check(Codec::H264, &[0x67, 0x42], true);
        check(Codec::H264, &[0x41], false);
        check(Codec::H264, &[0x06], false);
        check(Codec::H264, &[0x78, 0, 9, 0x67], true);
        check(Codec::H264, &[0x78, 0, 9, 0x41], false);
        check(Codec::H264, &[0x7c, 0x85], true);
        check(Codec::H264, &[0x7c, 0x05], false);
        check(Codec::H264, &[0x7c, 0x81], false);
        check(Codec::H264, &[], false);
    }

    #[test]
    fn h265_units() {
        check(Codec::H265, &[0x26, 1], true);
        check(Codec::H265, &[0x40, 1], true);
        check(Codec::H265, &[0x02, 1], false);
        check(Codec::H265, &[0x62, 1, 0x93], true);
        check(Codec::H265, &[0x62, 1, 0x13], false);
        check(Codec::H265, &[0x62, 1, 0x81], false);
        check(Codec::H265, &[0x60, 1, 0, 9, 0x40], true);
        check(Codec::H265, &[0x60, 1, 0, 9, 0x02], false);
        check(Codec::H265, &[0x62], false);
    }

    #[test]
    fn what_shows_no_picture_is_told_apart() {
        let check = |codec, payload: &[u8], expected| assert_eq!(shows(codec, payload), expected, "{payload:x?}");
        for nothing in [&[][..], &[0x67, 1, 2], &[0x68, 1], &[0x06, 5, 1], &[0x09, 0x10], &[0x0c, 0xff], &[0x41]] {
            check(Codec::H264, nothing, Shows::Nothing);
        }
        check(Codec::H264, &[0x41, 0x9a], Shows::Picture);
        check(Codec::H264, &[0x7c, 0x85, 1], Shows::Picture);
        check(Codec::H264, &[0x7c, 0x05, 1], Shows::More);
        check(Codec::H264, &[0x7c, 0x86, 1], Shows::Nothing);
        check(Codec::H264, &[0x78, 0, 1, 0x67, 0, 2, 0x65, 1], Shows::Picture);
        check(Codec::H264, &[0x78, 0, 1, 0x67, 0, 1, 0x68], Shows::Nothing);
        check(Codec::H265, &[0x02, 1, 9], Shows::Picture);
        check(Codec::H265, &[0x4e, 1, 9], Shows::Nothing);
        check(Codec::H265, &[0x62, 1, 0x93, 9], Shows::Picture);
        check(Codec::H265, &[0x62, 1, 0x13, 9], Shows::More);
        check(Codec::Mjpeg, &[0, 0, 0, 0, 1, 80, 80, 45, 1], Shows::Picture);
        check(Codec::Mjpeg, &[0, 0, 5, 0, 1, 80, 80, 45, 1], Shows::More);
        check(Codec::Mjpeg, &[0; 8], Shows::Nothing);
        check(Codec::Vp8, &[1], Shows::Picture);
        check(Codec::Other, &[], Shows::Nothing);
    }

    #[test]
    fn parameter_sets_are_found_alone_and_in_aggregates() {
        let find = sequence_parameters;
        assert_eq!(find(Codec::H264, &[0x67, 1, 2]), Some(&[0x67, 1, 2][..]));
        assert_eq!(find(Codec::H264, &[0x78, 0, 1, 0x68, 0, 2, 0x67, 9]), Some(&[0x67, 9][..]));
        assert_eq!(find(Codec::H264, &[0x78, 0, 1, 0x68]), None);
        assert_eq!(find(Codec::H264, &[0x78, 0xff, 0xff, 0x67]), None);
        assert_eq!(find(Codec::H264, &[0x65, 1]), None);
        assert_eq!(find(Codec::H265, &[0x60, 1, 0, 2, 0x42, 1]), Some(&[0x42, 1][..]));
        assert_eq!(find(Codec::H265, &[]), None);
    }
}
