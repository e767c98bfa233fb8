//! What SMS cost is counted from rows, over a start anew; an alarm is found behind what waits.

use super::{
    Batch, Journal,
    tests::{at, closed, due, for_once, in_folder, mark, recipient, sent, waits},
};
use crate::model::{IncidentId, Note, Notice, PlainNotice, SmsReceipt};

async fn tell(journal: &Journal, notice: Notice, channel: &str) {
    let notices = vec![(notice, vec![recipient("an", &[channel])])];
    journal.commit(Batch { notices, ..Batch::default() }).await.expect("it is written");
}

/// A notice that is no alarm.
fn note(id: &str, second: i64) -> Notice {
    let plain = PlainNotice { id: IncidentId::stored(id.into()), place: "Xã Thử".into(), at: at(second) };
    Notice::Note(plain, Note::Spending { channel: "sms".into(), parts: 1, per_day: 1 })
}

#[tokio::test]
async fn parts_are_counted_since_a_time_of_one_channel_and_a_restart_forgets_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = in_folder(folder.path());
    let (journal, _) = Journal::open(&settings, at(0)).expect("it opens");
    let two = SmsReceipt { parts: 2, id: Some("d53".into()) }.to_string();
    let none = SmsReceipt { parts: 0, id: None }.to_string();
    for (number, channel, receipt) in [
        (1, "sms", Some(two.as_str())),
        (2, "sms", None),
        (3, "zalo", Some("m1")),
        (4, "sms", Some(&none)),
        (5, "sms", Some(&two)),
    ] {
        tell(&journal, note(&format!("n{number}"), number), channel).await;
        let row = due(&journal, number).await.swap_remove(0);
        sent(&journal, &row, receipt, number).await;
    }
    tell(&journal, note("waits", 6), "sms").await;
    let count =
        async |journal: &Journal, since| journal.parts_since("sms".into(), at(since)).await.expect("it is read");
    assert_eq!([count(&journal, 0).await, count(&journal, 2).await, count(&journal, 3).await], [5, 3, 2]);
    closed(journal).await;
    let (journal, _) = Journal::open(&settings, at(10)).expect("it opens");
    assert_eq!((count(&journal, 0).await, count(&journal, 6).await), (5, 0));
}

#[tokio::test]
async fn the_first_alarm_behind_what_waits_is_found() {
    let (journal, _) = Journal::open(&for_once(), at(0)).expect("it opens");
    tell(&journal, note("first", 1), "sms").await;
    let (head, newest) = due(&journal, 1).await.swap_remove(0);
    let alarm = async || journal.first_behind(head.clone(), Notice::pages).await.expect("it is read");
    assert_eq!(alarm().await, None);
    mark(&journal, waits(&newest, ("sms", 0, 1), 3600), 2).await;
    tell(&journal, note("second", 3), "sms").await;
    tell(&journal, super::tests::notice(1, 4), "zalo").await;
    assert_eq!(alarm().await, None, "it is another channel's");
    tell(&journal, super::tests::notice(2, 5), "sms").await;
    let found = alarm().await.expect("an alarm");
    assert_eq!((found.id, found.place.channel.as_str(), found.place.attempts), (4, "sms", 0));
}
