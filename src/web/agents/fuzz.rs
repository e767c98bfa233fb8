//! The door for the fuzz target of what agents send, and for the test that needs no fuzzer. Not part of any other build.

use super::pack::{packed, unpacked};
use crate::{
    model::{Camera, Commune, DailyHours, Fleet, Language, Link, LinkId, LinkKind},
    request::sorted,
};
use jiff::Timestamp;
use std::sync::Arc;

/// A house with an agent `a` and its camera `a-1`, and a camera of the daemon's own.
fn fleet() -> Fleet {
    let (name, timezone) = ("Hải Bình".to_owned(), jiff::tz::TimeZone::UTC);
    let mut fleet = Fleet::empty(Commune { name, language: Language::default(), timezone, night: DailyHours::NIGHT });
    let (kind, looks_per_second) = (LinkKind::Agent, 1.0);
    let link = Link { name: "a".into(), kind, parent: None, bytes_per_day: None, looks_per_second, probe: None };
    fleet.links.insert("a".into(), link);
    for (id, link) in [("a-1", Some(LinkId::from("a"))), ("own", None)] {
        let Ok(rtsp) = format!("rtsp://10.0.0.1/{id}").parse() else { continue };
        fleet.cameras.insert(id.into(), Arc::new(Camera { link, ..Camera::new(id, rtsp) }));
    }
    fleet
}

/// What an agent sends, as the bytes of its JSON: packed or not it is read or refused, nothing of another's camera is taken, each
/// look is accounted for, and sent again none of it counts.
pub fn agent_message(bytes: &[u8]) {
    // As they are, they are packed by nobody, or whatever the fuzzer makes of that.
    let _ = unpacked(bytes);
    let Ok(packed) = packed(bytes) else { return };
    let Ok(message) = unpacked(&packed) else { return };
    let (fleet, now, before) = (fleet(), Timestamp::UNIX_EPOCH + std::time::Duration::from_secs(1_790_000_000), 3);
    let agent = LinkId::from("a");
    let looks = message.looks;
    let first = sorted(now, before, (&agent, &fleet), looks.clone());
    assert!(first.taken >= before);
    assert!(first.fresh.iter().all(|fresh| fresh.camera.as_str() == "a-1"));
    assert!(first.late.iter().all(|look| look.camera.as_str() == "a-1" && look.at <= now));
    let told = (first.fresh.len() + first.late.len()) as u64 + first.uneventful + first.repeated + first.refused;
    assert_eq!(told, looks.len() as u64, "each counts once");
    let again = sorted(now, first.taken, (&agent, &fleet), looks.clone());
    assert_eq!((again.taken, again.repeated), (first.taken, looks.len() as u64));
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds_are_read_as_they_are_meant() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/agent_message");
        let mut read = 0;
        for file in std::fs::read_dir(folder).expect("there are seeds").flatten() {
            let bytes = std::fs::read(file.path()).expect("a file");
            super::agent_message(&bytes);
            read += 1;
            let message = serde_json::from_slice::<crate::model::AgentMessage>(&bytes);
            assert!(message.is_ok(), "{}: {message:?}", file.path().display());
        }
        assert!(read >= 2, "{read}");
    }
}
