//! Reads what a player needs of a session description (RFC 8866, and RFC 2326 appendix C): the video stream, its codec,
//! and the addresses by which it is asked for.
//!
//! Tolerant: lines that are no fields are passed over, as players do. Nothing that it names is ever connected to.

use crate::{
    model::Codec,
    probe::{size, text::clean},
};
use base64::prelude::{BASE64_STANDARD, Engine};

/// Longer addresses are cut: they are sent back to the camera.
const MAX_CONTROL: usize = 1024;
/// Streams beyond these are passed over.
const MAX_MEDIA: usize = 32;

/// A description.
#[derive(Debug, Default, PartialEq)]
pub(in crate::probe) struct Description {
    /// How the whole session is addressed, relative to its base.
    pub(in crate::probe) control: Option<String>,
    pub(in crate::probe) media: Vec<Media>,
}

/// One stream of it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::probe) struct Media {
    /// `video`, `audio`, `application` …
    pub(in crate::probe) kind: String,
    /// RTP payload types, the preferred one first.
    pub(in crate::probe) payload_types: Vec<u8>,
    pub(in crate::probe) control: Option<String>,
    pub(in crate::probe) codec: Codec,
    /// The codec's name, as the camera writes it.
    pub(in crate::probe) encoding: String,
    /// Ticks a second of its timestamps.
    pub(in crate::probe) clock_rate: u32,
    /// Width and height in pixels, where its parameter sets are described.
    pub(in crate::probe) size: Option<(u32, u32)>,
}

/// Takes a description apart; what it lacks is left out.
pub(in crate::probe) fn parse(bytes: &[u8]) -> Description {
    let text = String::from_utf8_lossy(bytes);
    let mut description = Description::default();
    for line in text.split(['\r', '\n']) {
        let Some((field, value)) = line.trim_start().split_once('=') else { continue };
        match field {
            "m" if description.media.len() < MAX_MEDIA => description.media.push(media(value)),
            "m" => break,
            "a" => attribute(&mut description, value),
            _ => {}
        }
    }
    description
}

impl Description {
    /// The first video stream whose codec is known well; or else the first one.
    pub(in crate::probe) fn video(&self) -> Option<&Media> {
        let video = || self.media.iter().filter(|media| media.kind == "video");
        video().find(|media| matches!(media.codec, Codec::H264 | Codec::H265 | Codec::Mjpeg)).or_else(|| video().next())
    }
}

/// `video 0 RTP/AVP 96`
fn media(value: &str) -> Media {
    let mut words = value.split_ascii_whitespace();
    let kind = words.next().unwrap_or_default().to_ascii_lowercase();
    let payload_types: Vec<u8> = words.skip(2).filter_map(|word| word.parse().ok()).take(16).collect();
    // RFC 3551, table 5: of the static types, video uses only these in cameras.
    let (codec, encoding) = match payload_types.first() {
        Some(26) => (Codec::Mjpeg, "JPEG"),
        Some(34) => (Codec::Other, "H263"),
        _ => (Codec::Other, ""),
    };
    let (encoding, clock_rate) = (encoding.to_owned(), 90_000);
    Media { kind, payload_types, control: None, codec, encoding, clock_rate, size: None }
}

fn attribute(description: &mut Description, value: &str) {
    let (name, value) = value.split_once(':').unwrap_or((value, ""));
    let value = value.trim();
    let Some(media) = description.media.last_mut() else {
        if name == "control" {
            description.control = control(value);
        }
        return;
    };
    // `96 H264/90000`: of several payload types the first counts.
    let of_payload = || {
        let (payload_type, rest) = value.split_once(' ')?;
        let payload_type: u8 = payload_type.parse().ok()?;
        media.payload_types.first().is_none_or(|first| *first == payload_type).then_some((payload_type, rest.trim()))
    };
    match name {
        "control" => media.control = control(value),
        "rtpmap" => {
            let Some((payload_type, mapping)) = of_payload() else { return };
            let mut parts = mapping.split('/');
            let encoding = parts.next().unwrap_or_default();
            if media.payload_types.is_empty() {
                media.payload_types.push(payload_type);
            }
            media.codec = codec(encoding);
            media.encoding = clean(encoding);
            let rate = parts.next().and_then(|rate| rate.trim().parse().ok());
            media.clock_rate = rate.filter(|rate| (1000..=10_000_000).contains(rate)).unwrap_or(90_000);
        }
        "fmtp" => {
            let Some((_, parameters)) = of_payload() else { return };
            media.size = media.size.or_else(|| described_size(media.codec, parameters));
        }
        _ => {}
    }
}

/// What a camera names is sent back as part of a request line: without spaces and control characters.
fn control(value: &str) -> Option<String> {
    let fit = value.chars().filter(|c| c.is_ascii_graphic()).take(MAX_CONTROL).collect::<String>();
    (!fit.is_empty() && fit != "*").then_some(fit)
}

fn codec(encoding: &str) -> Codec {
    match encoding.to_ascii_uppercase().as_str() {
        "H264" => Codec::H264,
        "H265" | "HEVC" => Codec::H265,
        "JPEG" => Codec::Mjpeg,
        "MP4V-ES" => Codec::Mpeg4,
        "H266" => Codec::H266,
        "VP8" => Codec::Vp8,
        "VP9" => Codec::Vp9,
        "AV1" => Codec::Av1,
        _ => Codec::Other,
    }
}

/// RFC 6184 section 8.1 and RFC 7798 section 7.1: parameter sets in base 64.
fn described_size(codec: Codec, parameters: &str) -> Option<(u32, u32)> {
    let wanted = match codec {
        Codec::H264 => "sprop-parameter-sets",
        Codec::H265 => "sprop-sps",
        _ => return None,
    };
    let fields = parameters.split(';').filter_map(|field| field.trim().split_once('='));
    let sets = fields.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).flat_map(|(_, value)| value.split(','));
    sets.filter_map(|set| BASE64_STANDARD.decode(set.trim().as_bytes()).ok()).find_map(|set| size::of(codec, &set))
}

/// The address of a part: an absolute one is taken as it stands, a relative one is appended to the base, as players do.
pub(in crate::probe) fn address(base: &str, control: Option<&str>) -> String {
    match control {
        None => base.to_owned(),
        Some(control) if control.contains("://") => control.to_owned(),
        Some(control) if base.ends_with('/') => format!("{base}{control}"),
        Some(control) => format!("{base}/{}", control.trim_start_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USUAL: &str = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\na=control:*\r\nm=audio 0 RTP/AVP 0\r\n\
        a=control:track1\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
        a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LADdkBQfsBEAAAAwAQAAADAeDxQqSA,aMuDyyA=\r\na=control:track2\r\n";

    #[test]
    fn the_video_stream_is_found_with_its_size() {
        let video = parse(USUAL.as_bytes()).video().cloned().expect("video");
        assert_eq!((video.codec, video.clock_rate, video.payload_types.as_slice()), (Codec::H264, 90_000, &[96][..]));
        assert_eq!((video.control.as_deref(), video.size), (Some("track2"), Some((320, 240))));
    }

    #[test]
    fn what_is_no_field_is_passed_over() {
        let odd = USUAL.replace("s=x", "no field\r\n\u{fffd}").replace("a=control:*", "a=x\r\n=\r\nb");
        assert_eq!(parse(odd.as_bytes()).video(), parse(USUAL.as_bytes()).video());
        assert_eq!(parse(b"").video(), None);
        assert_eq!(parse(b"m=audio 0 RTP/AVP 0\r\n").video(), None);
        let bare = parse(b"m=video 0 RTP/AVP 96\n");
        assert_eq!(bare.video().map(|video| (video.codec, video.clock_rate)), Some((Codec::Other, 90_000)));
        let static_type = parse(b"m=video 0 RTP/AVP 26\n");
        assert_eq!(static_type.video().map(|video| video.codec), Some(Codec::Mjpeg));
        let rate = parse(b"m=video 0 RTP/AVP 97\na=rtpmap:97 vp8/0\n");
        assert_eq!(rate.video().map(|video| (video.codec, video.clock_rate)), Some((Codec::Vp8, 90_000)));
    }

    #[test]
    fn addresses_are_put_together_as_players_do() {
        let check = |base: &str, control: Option<&str>, expected: &str| assert_eq!(address(base, control), expected);
        check("rtsp://h/a", None, "rtsp://h/a");
        check("rtsp://h/a/", Some("track1"), "rtsp://h/a/track1");
        check("rtsp://h/a?x=1", Some("track1"), "rtsp://h/a?x=1/track1");
        check("rtsp://h/a", Some("rtsp://other/track1"), "rtsp://other/track1");
        assert_eq!(control("a b\u{1b}c"), Some("abc".into()));
        assert_eq!(control("*"), None);
    }

    proptest! {
        #[test]
        fn no_description_makes_it_panic(text in "([a-z]=|m=video |a=rtpmap:|a=fmtp:|[0-9]{1,4}|[/;=, \r\n]|\\PC){0,60}") {
            parse(text.as_bytes()).video();
        }
    }
}
