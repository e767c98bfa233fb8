//! Notices as earlier versions wrote them: each is read as what it is, and written as it was.

use super::*;
use serde_json::Value;

/// Bodies as versions up to format 5 wrote them into journals and posted them to webhooks, the second without what came
/// after format 3.
const EARLIER: &str = include_str!("notices.jsonl");

fn read() -> Vec<(Value, Notice)> {
    let read = |line: &str| {
        let json: Value = serde_json::from_str(line).expect("JSON");
        let notice = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        (json, notice)
    };
    EARLIER.lines().map(read).collect()
}

#[test]
fn what_earlier_versions_wrote_is_read_as_what_it_is() {
    let notices: Vec<Notice> = read().into_iter().map(|(_, notice)| notice).collect();
    let [lost, root, taken, reminder, monitor, digest, channel, failing, restored, damaged, test] = &notices[..] else {
        panic!("{} notices", notices.len());
    };
    let incident = |notice: &Notice| notice.incident().cloned().expect("it is of an incident");
    let lost = incident(lost);
    assert_eq!((lost.number, lost.reason, lost.hamlet.as_deref()), (17, Reason::CoverageLost, Some("Thôn Đông")));
    assert_eq!((lost.cause, lost.sites.len()), (Cause::Site("nga-tu-cho".into()), 1));
    assert_eq!((lost.cameras.named.len(), lost.cameras.public, lost.cameras.households), (1, 1, 2));
    let root = incident(root);
    assert_eq!((root.round, root.link_answers, root.taken_on_by, root.related), (0, true, None, vec![3, 4]));
    let taken = incident(taken);
    assert_eq!((taken.hamlet, taken.taken_on_by.as_deref(), taken.link_answers), (None, Some("Trung úy An"), false));
    let reminder = incident(reminder);
    assert!(reminder.round == 1 && reminder.recovering.is_some() && reminder.cause == Cause::Commune);
    assert_eq!(incident(monitor).cause, Cause::Monitor);
    assert!(matches!(digest, Notice::Digest(DigestNotice { level: Level::Blind, cameras, .. }) if cameras.public == 3));
    assert!(matches!(channel, Notice::Channel(ChannelNotice { channel, error, .. })
        if channel.as_str() == "zalo-an" && error == "HTTP 503"));
    let troubles = [(failing, Trouble::Failing), (restored, Trouble::Restored), (damaged, Trouble::Damaged)];
    for (notice, expected) in troubles {
        assert!(matches!(notice, Notice::Journal(JournalNotice { trouble, .. }) if *trouble == expected), "{notice:?}");
    }
    assert!(matches!(test, Notice::Test(plain) if plain.place == "Xã Hải Bình"));
    assert_eq!(test.key(), "test-1790000000000-1");
    assert!(notices[5..].iter().all(|notice| notice.incident().is_none() && !notice.pages()));
}

#[test]
fn receivers_and_earlier_versions_find_each_notice_as_it_was() {
    for (mut earlier, notice) in read() {
        // What is newer than the oldest has a default.
        earlier.as_object_mut().expect("a record").entry("round").or_insert(0.into());
        let written = serde_json::to_value(&notice).expect("JSON");
        assert_eq!(written, earlier);
        assert_eq!(notice.reason(), earlier["reason"]);
        assert_eq!(notice.key(), format!("{}-{}", notice.id(), notice.step()));
    }
}

#[test]
fn what_is_no_notice_is_refused() {
    let (json, _) = read().swap_remove(0);
    let with = |key: &str, value: Value| {
        let mut json = json.clone();
        json[key] = value;
        serde_json::from_value::<Notice>(json).map_err(|error| error.to_string())
    };
    assert!(with("cause", Value::Null).is_err_and(|error| error.contains("what failed")));
    assert!(with("reason", "of a newer version".into()).is_err_and(|error| error.contains("no reason")));
    assert!(with("reason", "channel_failing".into()).is_err_and(|error| error.contains("the channel")));
    assert!(with("number", 18.into()).is_ok());
}
