//! What a camera or a server says never stands in a log as it came, whatever the log's form.

use super::*;
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

/// Keeps entries instead of writing them.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Entry>>>);

impl<S: Subscriber> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.lock().expect("nobody panicked").push(Entry::of(event, Timestamp::UNIX_EPOCH));
    }
}

/// The entry of an event that holds a text in every way in which one can.
fn logged(text: &str) -> Entry {
    let kept = Kept::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(kept.clone()), || {
        tracing::warn!(shown = %text, debug = ?text, plain = text, count = 7_u64, "it said {text}");
    });
    let mut entries = kept.0.lock().expect("nobody panicked");
    entries.pop().expect("one event")
}

/// What a terminal, a journal or a reader of lines takes for more than a letter.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn holds_nothing_that_acts(text: &str) {
    let entry = logged(text);
    let [people, json, journald] = [entry.people(Paint::off()), entry.json(), entry.journald()];
    for line in [&people, &json] {
        let line = line.strip_suffix('\n').expect("it ends its line");
        assert!(!line.contains(acts), "{line:?}");
    }
    let parsed: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(parsed["fields"]["count"], 7);
    // A journal entry has the fields of the event, and what a field holds can make no other.
    let names: Vec<&str> = journald.lines().map(|line| line.split_once('=').expect("a field").0).collect();
    let fields = ["SHOWN", "DEBUG", "PLAIN", "COUNT"].map(|name| format!("CAMHEALTH_{name}"));
    let wanted: Vec<&str> = ["PRIORITY", "SYSLOG_IDENTIFIER", "TARGET", "MESSAGE"]
        .into_iter()
        .chain(fields.iter().map(String::as_str))
        .collect();
    assert_eq!(names, wanted);
    assert!(!journald.replace('\n', "").contains(acts), "{journald:?}");
}

#[test]
fn commands_for_terminals_and_line_breaks_are_escaped() {
    for text in [
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "one\nPRIORITY=0\nMESSAGE=two",
        "one\r\n2026-11-26T00:00:00Z ERROR all is lost",
        "\u{9b}31m\u{85}\u{2028}\u{2029}",
        "abc\u{202e}gpj.exe\u{2066}",
        "nul\0del\u{7f}",
    ] {
        holds_nothing_that_acts(text);
    }
    assert!(logged("a\nb").people(Paint::off()).contains("it said a\\nb"));
}

#[test]
fn what_people_write_stands_as_it_is() {
    let entry = logged("Ngã tư Chợ, về phía cảng");
    assert!(
        entry.people(Paint::off()).contains("shown=\"Ngã tư Chợ, về phía cảng\""),
        "{}",
        entry.people(Paint::off())
    );
    assert!(entry.journald().contains("\nCAMHEALTH_SHOWN=Ngã tư Chợ, về phía cảng\n"));
    assert!(entry.json().contains("it said Ngã tư Chợ, về phía cảng"));
}

#[test]
fn a_long_text_is_cut() {
    assert!(logged(&"\u{1b}".repeat(1_000_000)).journald().len() < 150_000, "an entry fits into a datagram");
}

proptest! {
    #[test]
    fn nothing_that_acts_is_written(text in any::<String>()) {
        holds_nothing_that_acts(&text);
    }
}
