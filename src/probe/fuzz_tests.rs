//! Seeds of `fuzz/corpus/` and what is like them are survived: the part of fuzzing that needs no fuzzer. `tests/run
//! --fuzz` does the rest.

use super::*;
use proptest::{prelude::*, sample::Index, test_runner::Config};
use std::{fs, path::Path};

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("it can be read")).collect()
}

/// What is done to a seed at a place.
#[derive(Debug, Clone)]
enum Change {
    /// A byte becomes another one.
    Set(u8),
    /// So many bytes go.
    Cut(u8),
    /// So many bytes come twice.
    Repeat(u8),
    /// The rest is that of another seed.
    Splice(Index, Index),
}

fn change() -> impl Strategy<Value = (Index, Change)> {
    let telling = prop::sample::select(b"\0\r\n\t \"=,;:<>$/0\xff".as_slice());
    let change = prop_oneof![
        prop_oneof![telling, any::<u8>()].prop_map(Change::Set),
        (1..64u8).prop_map(Change::Cut),
        (1..64u8).prop_map(Change::Repeat),
        (any::<Index>(), any::<Index>()).prop_map(|(seed, from)| Change::Splice(seed, from)),
    ];
    (any::<Index>(), change)
}

fn changed(seeds: &[Vec<u8>], seed: &Index, changes: &[(Index, Change)]) -> Vec<u8> {
    let mut bytes = seed.get(seeds).clone();
    for (at, change) in changes {
        let at = at.index(bytes.len() + 1);
        let end = |length: u8| (at + usize::from(length)).min(bytes.len());
        match change {
            Change::Set(byte) => {
                if let Some(place) = bytes.get_mut(at) {
                    *place = *byte;
                }
            }
            Change::Cut(length) => drop(bytes.drain(at..end(*length))),
            Change::Repeat(length) => {
                let again = bytes[at..end(*length)].to_vec();
                bytes.splice(at..at, again);
            }
            Change::Splice(seed, from) => {
                let other = seed.get(seeds);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
    bytes
}

/// Feeds a target with its seeds, then with what is like them.
fn feed(target: &str, survive: impl Fn(&[u8])) {
    let seeds = seeds(target);
    seeds.iter().for_each(|seed| survive(seed));
    let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
    proptest!(config, |(seed in any::<Index>(), changes in prop::collection::vec(change(), 1..8))| {
        survive(&changed(&seeds, &seed, &changes));
    });
}

#[test]
fn heads_and_challenges() {
    feed("rtsp_head", rtsp_head);
}

#[test]
fn payloads_and_their_times() {
    feed("packets", packets);
}

#[test]
fn what_a_worker_hands_back() {
    let understood = |seed: &Vec<u8>| matches!(wire::said(seed), Some(Said::Done(_)));
    assert!(seeds("worker_reply").iter().any(understood), "else nothing behind the door is reached");
    feed("worker_reply", worker_reply);
}

#[test]
fn events_as_makes_write_them() {
    feed("events", |bytes| events(&String::from_utf8_lossy(bytes)));
}

#[test]
fn answers_by_onvif() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    feed("soap", |bytes| runtime.block_on(soap(String::from_utf8_lossy(bytes).into_owned())));
}
