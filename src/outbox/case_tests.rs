//! Single decisions of the outbox, each in a line of a table.

use super::*;
use crate::model::{
    Cameras, Cause, ChannelNotice, Head, IncidentId, IncidentNotice, Level, Mark, Newest, Notice, Place, PlainNotice,
    Reason, Refusal, Thread, later,
};
use jiff::Timestamp;
use std::time::Duration;

const HOUR: i64 = 3600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn thread(incident: &str, recipient: &str) -> Thread {
    Thread { incident: IncidentId::stored(incident.into()), recipient: recipient.into() }
}

fn place(channel: &str, nth: usize, attempts: u32) -> Place {
    Place { channel: channel.into(), nth, attempts }
}

fn head(id: i64, thread: &Thread, place: Place, due: i64) -> Head {
    Head { id, thread: thread.clone(), place, due: at(due) }
}

fn newest(id: i64, place: Place, channels: &[&str]) -> Newest {
    let channels = channels.iter().map(|channel| (*channel).into()).collect();
    Newest {
        id,
        place,
        recipient: Recipient { person: Some("an".into()), channels, rings: false },
        notice: news(Reason::CoverageLost),
        has_older: false,
        unheard: Vec::new(),
        first: [("zalo".into(), "m1".to_owned())].into(),
    }
}

/// News of an incident.
pub(super) fn news(reason: Reason) -> Notice {
    Notice::Incident(Box::new(IncidentNotice {
        incident: IncidentId::stored("cho-1".into()),
        number: 1,
        step: 1,
        round: 0,
        reason,
        cause: Cause::Site("cho".into()),
        place: "Ngã tư Chợ".into(),
        hamlet: None,
        level: Level::Blind,
        sites: Vec::new(),
        since: at(0),
        at: at(0),
        recovering: None,
        cameras: Cameras::default(),
        episode: 1,
        related: Vec::new(),
        taken_on_by: None,
        link_answers: false,
    }))
}

fn all(_: &ChannelId) -> bool {
    true
}

#[test]
fn whose_turn_it_is() {
    let (a, b) = (thread("a", "an"), thread("b", "binh"));
    let row = |id, thread: &Thread, channel, attempts, due| head(id, thread, place(channel, 0, attempts), due);
    let flight = |channel: &str, thread: &Thread| InFlight::from([(channel.into(), thread.clone())]);
    let none = InFlight::new();
    #[rustfmt::skip]
    let cases = [
        ("what was never tried, whatever the clock says", vec![row(1, &a, "zalo", 0, 9 * HOUR)], none.clone(), vec![vec![1]]),
        ("not before its time", vec![row(1, &a, "zalo", 1, 60)], none.clone(), vec![]),
        ("a time before the clock was set back", vec![row(1, &a, "zalo", 1, 2 * HOUR)], none.clone(), vec![vec![1]]),
        ("a channel is busy", vec![row(1, &a, "zalo", 0, 0), row(2, &b, "sms", 0, 0)], flight("zalo", &b), vec![]),
        ("its recipient is being told", vec![row(1, &a, "zalo", 0, 0), row(2, &b, "sms", 0, 0)], flight("mail", &a), vec![vec![2]]),
        ("two places of one thread", vec![row(5, &a, "sms", 0, 0), row(3, &a, "zalo", 0, 0), row(4, &b, "mail", 0, 0)],
            none.clone(), vec![vec![3, 5], vec![4]]),
    ];
    for (what, heads, in_flight, expected) in cases {
        let ready = ready(at(0), &heads, &in_flight);
        let ids: Vec<Vec<i64>> = ready.iter().map(|one| one.rows.iter().map(|(id, _)| *id).collect()).collect();
        assert_eq!(ids, expected, "{what}");
    }
    let heads = [row(1, &a, "zalo", 1, 60), row(2, &b, "sms", 1, 30)];
    assert_eq!(wake(at(0), &heads, &none), Some(at(30)));
    assert_eq!(wake(at(0), &heads, &flight("sms", &b)), Some(at(60)), "what is in flight ends by itself");
    assert_eq!(wake(at(0), &heads, &flight("sms", &a)), None);
}

#[test]
fn the_newest_is_told_where_it_is_the_turn_of_an_older_one() {
    let a = thread("a", "an");
    let ready = |rows: &[(i64, Place)]| Ready { thread: a.clone(), rows: rows.to_vec() };
    let older = |newest| Newest { has_older: true, ..newest };
    let superseded = Mark::Superseded { thread: a.clone(), before: 9 };
    let moved = |place| Mark::Waits { id: 9, place, due: at(0), error: None };
    #[rustfmt::skip]
    let cases = [
        ("it is alone", ready(&[(9, place("zalo", 0, 1))]), newest(9, place("zalo", 0, 1), &["zalo", "sms"]),
            vec![], Some(place("zalo", 0, 1))),
        ("it inherits place and tries", ready(&[(5, place("sms", 1, 3))]), older(newest(9, place("zalo", 0, 0), &["zalo", "sms"])),
            vec![superseded.clone(), moved(place("sms", 1, 3))], Some(place("sms", 1, 3))),
        ("its own place is preferred", ready(&[(5, place("sms", 1, 3)), (9, place("zalo", 0, 0))]),
            older(newest(9, place("zalo", 0, 0), &["zalo", "sms"])), vec![superseded.clone()], Some(place("zalo", 0, 0))),
        ("the same channel is of another number since a reload", ready(&[(5, place("sms", 1, 1))]),
            older(newest(9, place("mail", 0, 0), &["mail", "zalo", "sms"])),
            vec![superseded.clone(), moved(place("sms", 2, 1))], Some(place("sms", 2, 1))),
        ("no place of theirs: it waits at its own", ready(&[(5, place("fax", 1, 1))]),
            older(newest(9, place("zalo", 0, 0), &["zalo", "sms"])), vec![superseded.clone()], None),
    ];
    for (what, ready, newest, marks, sent) in cases {
        let step = step(at(0), &ready, newest, all);
        assert_eq!((step.marks, step.send.as_ref().map(|send| send.place.clone())), (marks, sent), "{what}");
    }
    let first = |channel: &str| {
        let row = (9, place(channel, 0, 0));
        step(at(0), &ready(std::slice::from_ref(&row)), newest(9, row.1, &["zalo", "sms"]), all)
            .send
            .and_then(|send| send.first)
    };
    assert_eq!((first("zalo").as_deref(), first("sms")), (Some("m1"), None), "each channel knows its own messages");
}

#[test]
fn a_channel_that_is_gone_gives_way_to_the_next() {
    let ready = Ready { thread: thread("a", "an"), rows: vec![(9, place("zalo", 0, 1))] };
    let after = |known: &[&str]| {
        let newest = newest(9, place("zalo", 0, 1), &["zalo", "sms", "mail"]);
        step(at(0), &ready, newest, |channel| known.contains(&channel.as_str()))
    };
    let gone = after(&["mail", "other"]);
    let error = Some("the channel zalo is gone".to_owned());
    let expected = Mark::Waits { id: 9, place: place("mail", 2, 1), due: at(0), error };
    assert_eq!((gone.marks, gone.send), (vec![expected], None), "it waits for its turn there");
    assert_eq!(after(&["other"]).marks, [Mark::Abandoned { id: 9, error: None }]);
}

#[test]
fn an_alarm_that_was_not_heard_keeps_its_ring() {
    use Reason::*;
    #[rustfmt::skip]
    let cases: [(&str, Reason, &[Reason], Reason); 12] = [
        ("nothing was superseded", RootFound, &[], RootFound),
        ("news over an alarm", RootFound, &[CoverageLost], CoverageLost),
        ("the first is what they do not know", RootFound, &[CoverageLost, CoverageWorse], CoverageLost),
        ("news over news over an alarm", Merged, &[CoverageLost, RootFound], CoverageLost),
        ("an alarm that came after news", RootFound, &[RootFound, CoverageWorse], CoverageWorse),
        ("it was never to ring", RootFound, &[CoverageUnproven], RootFound),
        ("an escalation rings too", RootFound, &[Escalated], Escalated),
        ("somebody took it on", RootFound, &[CoverageLost, Acknowledged], RootFound),
        ("and it was told anew since", RootFound, &[CoverageLost, Acknowledged, Reminder], Reminder),
        ("it ended", Merged, &[CoverageLost, CoverageRestored], Merged),
        ("an alarm says itself why it rings", CoverageWorse, &[CoverageLost], CoverageWorse),
        ("an all-clear does not ring", CoverageRestored, &[CoverageLost], CoverageRestored),
    ];
    for (what, reason, unheard, expected) in cases {
        assert_eq!(kept_reason(reason, unheard), expected, "{what}");
    }
}

#[test]
fn a_failure_is_tried_again_and_then_another_way() {
    let passing = || Refusal::passing("503");
    let asks = |seconds| Refusal { wait: Some(Duration::from_secs(seconds)), ..passing() };
    let never = || Refusal { permanent: true, ..passing() };
    #[rustfmt::skip]
    let cases = [
        ("the first failure", place("zalo", 0, 0), passing(), place("zalo", 0, 1), 5),
        ("the second: the next channel, at once", place("zalo", 0, 1), passing(), place("sms", 1, 2), 0),
        ("the next channel has two tries as well", place("sms", 1, 2), passing(), place("sms", 1, 3), 20),
        ("once around it takes patience", place("sms", 1, 3), passing(), place("zalo", 0, 4), 10),
        ("and more each time", place("sms", 1, 7), passing(), place("zalo", 0, 8), 40),
        ("it will never take it: its tries are used up", place("zalo", 0, 0), never(), place("sms", 1, 2), 0),
        ("it wants to be left alone for long", place("zalo", 0, 0), asks(3600), place("sms", 1, 2), 0),
        ("for a moment", place("zalo", 0, 0), asks(20), place("zalo", 0, 1), 20),
        ("the counter's end", place("zalo", 0, u32::MAX), passing(), place("zalo", 0, u32::MAX), 300),
    ];
    let sending = |place, channels: &[&str]| {
        let ready = Ready { thread: thread("a", "an"), rows: vec![(9, place)] };
        let newest = newest(9, ready.rows[0].1.clone(), channels);
        step(at(0), &ready, newest, all).send.expect("it is sent")
    };
    let settled = |place, channels: &[&str], refusal| match settle(at(0), &sending(place, channels), Err(refusal), all)
    {
        Mark::Waits { id: 9, place, due, error: Some(error) } if error == "503" => (place, due),
        other => panic!("{other:?}"),
    };
    for (what, from, refusal, to, wait) in cases {
        assert_eq!(settled(from, &["zalo", "sms"], refusal), (to, at(wait)), "{what}");
    }
    // Who has one channel only is told over that, however long it takes.
    let (place_after, due) =
        settled(place("zalo", 0, 1), &["zalo"], Refusal { wait: Some(Duration::from_secs(90)), ..never() });
    assert_eq!((place_after, due), (place("zalo", 0, 2), at(90)));
    let next = settle(at(0), &sending(place("zalo", 0, 1), &["zalo", "fax", "sms"]), Err(passing()), |channel| {
        channel.as_str() != "fax"
    });
    assert!(matches!(next, Mark::Waits { place: Place { nth: 2, .. }, .. }), "what the configuration has: {next:?}");
    let taken = settle(at(0), &sending(place("zalo", 0, 1), &["zalo"]), Ok(Some("m2".into())), all);
    assert_eq!(taken, Mark::Sent { id: 9, receipt: Some("m2".into()) });
}

#[test]
fn telephones_are_tried_twice_each_while_the_next_step_is_taken() {
    let busy = || Refusal { wait: Some(Duration::from_secs(20)), unreached: true, ..Refusal::passing("busy") };
    let dead = || Refusal::passing("dead");
    let sending = |place: Place, channels: &[&str]| {
        let ready = Ready { thread: thread("a", "an"), rows: vec![(9, place.clone())] };
        let mut newest = newest(9, place, channels);
        newest.recipient.rings = true;
        step(at(0), &ready, newest, all).send.expect("it is sent")
    };
    #[rustfmt::skip]
    let cases = [
        ("the only one, for the first time", &["goi"][..], place("goi", 0, 0), busy(), true, Some((place("goi", 0, 1), 20))),
        ("and the second", &["goi"], place("goi", 0, 1), busy(), true, None),
        ("the first of two", &["goi", "nha"], place("goi", 0, 0), busy(), false, Some((place("goi", 0, 1), 20))),
        ("again", &["goi", "nha"], place("goi", 0, 1), busy(), false, Some((place("nha", 1, 2), 0))),
        ("the second of two", &["goi", "nha"], place("nha", 1, 2), busy(), true, Some((place("nha", 1, 3), 20))),
        ("all of them", &["goi", "nha"], place("nha", 1, 3), busy(), true, None),
        ("a dead exchange is tried for as long as it takes", &["goi"], place("goi", 0, 9), dead(), true, Some((place("goi", 0, 10), 300))),
    ];
    for (what, channels, from, refusal, unreached, waits) in cases {
        let sending = sending(from, channels);
        assert_eq!(is_unreached(&sending, true, all), unreached, "{what}");
        assert!(!is_unreached(&sending, false, all), "{what}");
        let mark = match settle(at(0), &sending, Err(refusal), all) {
            Mark::Waits { place, due, .. } => Some((place, due)),
            Mark::Abandoned { id: 9, error: Some(error) } if error == "busy" => None,
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(mark, waits.map(|(place, second)| (place, at(second))), "{what}");
    }
}

#[test]
fn waits_double_up_to_five_minutes_and_honour_the_receiver() {
    let seconds: Vec<u64> = (0..8).map(|attempts| retry_after(attempts, None).as_secs()).collect();
    assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300]);
    let asked = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(retry_after(0, asked(90)).as_secs(), 90);
    assert_eq!(retry_after(99, asked(7 * 86_400)).as_secs(), 3600);
    // Whatever is decided is believed again after the clock was set back.
    let row = head(1, &thread("a", "an"), place("zalo", 0, 1), 3600);
    assert_eq!(
        wake(at(0), std::slice::from_ref(&row), &InFlight::new()),
        Some(later(at(0), retry_after(99, asked(7 * 86_400))))
    );
}

#[test]
fn a_failing_channel_is_reported_once_until_it_works_again() {
    let plain = PlainNotice { id: IncidentId::stored("c".into()), place: String::new(), at: at(0) };
    let (channel, error) = ("zalo".into(), String::new());
    let report = Notice::Channel(ChannelNotice { plain, level: Level::Full, channel, error });
    let lost = news(Reason::CoverageLost);
    let (lost, report) = (Some(&lost), Some(&report));
    #[rustfmt::skip]
    let cases = [
        ("three in a row", vec![(false, lost); 5], vec![2]),
        ("twice, with a success in between", vec![(false, lost), (false, lost), (false, lost), (true, lost), (false, lost), (false, lost), (false, lost)],
            vec![2, 6]),
        ("never three in a row", vec![(false, lost), (false, lost), (true, lost), (false, lost), (false, lost)], vec![]),
        ("a report is not reported, and takes no report away", vec![(false, lost), (false, lost), (false, report), (false, lost)], vec![3]),
        ("states are no single notices", vec![(false, None); 4], vec![2]),
    ];
    for (what, notes, expected) in cases {
        let mut failures = Failures::default();
        let zalo = "zalo".into();
        let noted = notes.iter().map(|(ok, told)| failures.note(&zalo, *ok, *told)).enumerate();
        let reported: Vec<usize> = noted.filter_map(|(number, reported)| reported.then_some(number)).collect();
        assert_eq!(reported, expected, "{what}");
        assert!(!failures.note(&"sms".into(), false, lost), "each channel by itself");
    }
}
