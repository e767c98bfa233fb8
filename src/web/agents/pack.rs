//! How messages of agents are packed: deflate with a dictionary that both sides have, since a message is short and most of it is the
//! names of what it says. What an hour's looks say is a third of what gzip makes of them.

use crate::model::AgentMessage;
use flate2::{Compress, Compression, Decompress, read::ZlibDecoder, write::ZlibEncoder};
use std::io::{Error, Read, Write};

/// Messages as an agent sends them, the usual ones last: deflate looks back from there.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");
/// The first byte of what is packed with it. Another dictionary is another byte, and agents of the version before still send this.
const PACKED: u8 = 1;
/// What a message holds unpacked, at most, and how many looks.
const LARGEST: u64 = 2 * 1024 * 1024;
const LOOKS: usize = 500;
/// What is seen in a look takes a few kilobytes of JSON.
const LOOK: usize = 16 * 1024;

/// A message's JSON as it goes over the line.
///
/// # Errors
/// Where there is no memory for it.
pub fn packed(json: &[u8]) -> Result<Vec<u8>, Error> {
    let mut deflate = Compress::new(Compression::best(), false);
    deflate.set_dictionary(DICTIONARY)?;
    let mut encoder = ZlibEncoder::new_with_compress(vec![PACKED], deflate);
    encoder.write_all(json)?;
    encoder.finish()
}

/// A message as it was packed, within bounds; otherwise why it is not read.
pub(in crate::web) fn unpacked(body: &[u8]) -> Result<AgentMessage, String> {
    let Some((&PACKED, rest)) = body.split_first() else {
        return Err("the message is not packed as agents of this version do".into());
    };
    let mut inflate = Decompress::new(false);
    let mut text = Vec::new();
    let ready = inflate.set_dictionary(DICTIONARY).map_err(Error::from);
    let read =
        ready.and_then(|_| ZlibDecoder::new_with_decompress(rest, inflate).take(LARGEST + 1).read_to_end(&mut text));
    if read.is_err() {
        return Err("the message cannot be unpacked".into());
    }
    if text.len() as u64 > LARGEST {
        return Err(format!("the message is larger than {LARGEST} bytes unpacked"));
    }
    let mut message: AgentMessage = serde_json::from_slice(&text).map_err(|error| format!("the message: {error}"))?;
    if message.looks.len() > LOOKS {
        return Err(format!("the message holds more than {LOOKS} looks"));
    }
    // Here and not where it is decided: one event loop decides for all.
    for look in &mut message.looks {
        look.oversized = !serde_json::to_vec(&look.seen).is_ok_and(|json| json.len() <= LOOK);
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AgentLook, Check, Observation, Rung, RungName};
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::Duration;

    fn message(looks: Vec<AgentLook>) -> AgentMessage {
        let (version, plan) = ("0.1.0".to_owned(), "5f2d9a0c8e7b41d6a3c2f1e0d9b8a7c6".to_owned());
        AgentMessage {
            version,
            plan,
            backlog: 0,
            dropped: 0,
            wait: AgentMessage::LONGEST_WAIT,
            clock: Some(1_795_812_345_678),
            alarms: 0,
            looks,
        }
    }

    #[test]
    fn what_is_sent_is_bounded() {
        let bomb = packed(&vec![b' '; 100 * 1024 * 1024]).expect("memory");
        assert!(bomb.len() < 128 * 1024 && unpacked(&bomb).is_err_and(|why| why.contains("larger")));
        assert!(unpacked(b"").is_err() && unpacked(b"not packed").is_err());
        assert!(unpacked(&packed(b"{}").expect("memory")).is_err_and(|why| why.starts_with("the message: ")));
        let many = serde_json::to_vec(&message(vec![look(1); LOOKS + 1])).expect("JSON");
        assert!(unpacked(&packed(&many).expect("memory")).is_err_and(|why| why.contains("500")));
    }

    fn look(number: u64) -> AgentLook {
        let mut seen = Observation::new(Check::Liveness, "2026-11-28T03:12:45.918273645Z".parse().expect("a time"));
        seen.took = Duration::from_nanos(8_274_913);
        let detail = |detail: serde_json::Value| serde_json::from_value(detail).expect("a detail");
        let rung = |name, seconds, said| Rung { name, ok: true, seconds, detail: detail(said) };
        seen.rungs = vec![
            rung(RungName::Reach, 0.003_918_273, json!(["accepts", "192.168.1.27:554"])),
            rung(RungName::Options, 0.004_182_736, json!(["rtsp_answers", "200"])),
        ];
        AgentLook { number, camera: "nha-27".into(), age: 31_415, error: 0, seen, oversized: false }
    }

    #[test]
    fn a_look_that_is_larger_than_any_is_marked() {
        let mut huge = look(1);
        huge.seen.failure = Some(crate::model::Failure::new(
            crate::model::FailureKind::Refused,
            crate::model::Detail::plain(&"x".repeat(20_000)),
        ));
        let json = serde_json::to_vec(&message(vec![huge, look(2)])).expect("JSON");
        let read = unpacked(&packed(&json).expect("memory")).expect("it is read");
        assert_eq!(read.looks.iter().map(|look| look.oversized).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_usual_message_takes_a_third_of_what_gzip_makes_of_it() {
        let json = serde_json::to_vec(&message(vec![look(48_213)])).expect("JSON");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&json).expect("memory");
        let (gzip, ours) = (gzip.finish().expect("memory").len(), packed(&json).expect("memory").len());
        assert!(ours * 3 < gzip, "{ours} bytes, and {gzip} by gzip");
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_as_it_was(count in 0..20u64, clock in proptest::option::of(any::<i64>()), wait in any::<u64>()) {
            let message = AgentMessage { clock, wait, ..message((0..count).map(look).collect()) };
            let json = serde_json::to_vec(&message).expect("JSON");
            prop_assert_eq!(unpacked(&packed(&json).expect("memory")), Ok(message));
        }

        #[test]
        fn whatever_comes_is_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0..200usize) {
            let _ = unpacked(&bytes);
            bytes.insert(0, PACKED);
            let _ = unpacked(&bytes);
            let json = serde_json::to_vec(&message(vec![look(1)])).expect("JSON");
            let mut whole = packed(&json).expect("memory");
            whole.truncate(cut.min(whole.len() - 1));
            prop_assert!(unpacked(&whole).is_err(), "cut off after {} bytes", cut);
        }
    }
}
