//! The roster by the whole program: whoever takes over is told, a shift without anybody is told days before, two people swap
//! shifts on the page, and a phone's calendar, read by another's parser, shows what holds.

use crate::{
    support::{camhealth, eventually, run},
    telling::{Receiver, World, channel, person},
};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};
use std::{collections::BTreeMap, process::Command};

/// Shifts by their names: when they begin and end, in seconds.
type Shifts = BTreeMap<String, (i64, i64)>;

/// What an independent parser of calendars finds.
const READER: &str = r#"
import sys, json, icalendar
calendar = icalendar.Calendar.from_ical(open(sys.argv[1], 'rb').read())
assert not calendar.errors, calendar.errors
events = calendar.walk("VEVENT")
assert all(not event.errors and event["DTSTAMP"] for event in events)
print(json.dumps({
    "name": str(calendar["X-WR-CALNAME"]),
    "events": [[str(e["UID"]), int(e["DTSTART"].dt.timestamp()), int(e["DTEND"].dt.timestamp()), str(e["SUMMARY"])] for e in events],
}))
"#;

async fn feed(address: &str) -> (Shifts, Value) {
    let answer = reqwest::get(address).await.expect("an answer").error_for_status().expect("it is there");
    assert_eq!(answer.headers()["content-type"], "text/calendar; charset=utf-8");
    let text = answer.text().await.expect("text");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines.iter().all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
    assert_eq!((lines[0], lines[lines.len() - 2]), ("BEGIN:VCALENDAR", "END:VCALENDAR"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("calendar.ics");
    std::fs::write(&file, &text).expect("it can be written");
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-venv/bin/python");
    let mut command = Command::new(python);
    let output = run(command.args(["-c", READER]).arg(&file));
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}\n{text}", String::from_utf8_lossy(&output.stderr)));
    let events = said["events"].as_array().expect("events").clone();
    let second = |value: &Value| value.as_i64().expect("a time");
    let shifts = events
        .iter()
        .map(|event| (event[0].as_str().expect("a name").to_owned(), (second(&event[1]), second(&event[2]))));
    let shifts: Shifts = shifts.collect();
    assert_eq!(shifts.len(), events.len(), "each has a name of its own");
    (shifts, said)
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").expect("Vietnam")
}

fn local(at: Timestamp) -> String {
    at.to_zoned_datetime(zone()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn shifts_are_told_swapped_and_seen_on_phones() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let hook = |id: &str| channel(id, "webhook", &format!("url = \"http://{here}/{id}\""));
    // The day after tomorrow somebody is away, and nobody stands in yet.
    // At noon, far from the hour of handing over: a gap of two shifts is told for each of them.
    let day = Timestamp::now().to_zoned_datetime(zone()).date().checked_add(2.days()).expect("a day");
    let noon = day.at(12, 0, 0, 0).to_zoned_datetime(zone());
    let away = noon.expect("a time").timestamp();
    let contacts = [
        hook("hook-an"),
        hook("hook-binh"),
        hook("keeper"),
        person("an", "Trung úy An; (a, b)", "\"hook-an\""),
        person("binh", "Thiếu úy Bình", "\"hook-binh\""),
        "[rotation]\nid = \"truc-dem\"\npeople = [\"an\", \"binh\"]\nstart = \"2026-11-02\"\nhandover_notice = \"24h\"\n".to_owned(),
        format!("[[override]]\nfrom = \"{}\"\nuntil = \"{}\"\nreason = \"phép\"\n", local(away), local(away + 3.hours())),
        "[alert]\nmaintainers = [\"keeper\"]\n".to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    // The next shift begins within a day: its person is told at once, with what is open, and nobody else.
    let next = eventually("a notice", async || {
        let mut told = [receiver.at("/hook-an"), receiver.at("/hook-binh")].concat();
        told.retain(|taken| taken.body["reason"] == "handover");
        told.pop()
    })
    .await;
    assert_eq!(next.body["remark"]["note"]["count"], 0);
    let gap = receiver.wait("/keeper", "roster_gap").await;
    assert_eq!(
        (&gap.body["remark"]["note"]["why"], &gap.body["remark"]["note"]["rotation"]),
        (&json!("open"), &json!("truc-dem"))
    );
    let address = world.page;
    let page = |path: &str| format!("http://{address}{path}");
    let shown = reqwest::get(page("/roster")).await.expect("an answer").text().await.expect("text");
    assert!(shown.contains("chưa có ai trực thay") && shown.contains("Thiếu úy Bình"), "{shown}");
    assert_eq!(shown.matches("<tr").count(), 15, "a line for each of two weeks");

    // Their calendars: all days are somebody's, and none is both's.
    let config = world.config();
    let ask = |arguments: &[&str]| {
        let output = camhealth(&[arguments, &["--config", &config]].concat(), &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let addresses = ["an", "binh"].map(|person| ask(&["passes", "calendar", person]));
    let (an, said) = feed(&addresses[0]).await;
    let (binh, _) = feed(&addresses[1]).await;
    assert_eq!((&said["name"], &said["events"][3][3]), (&json!("Ca trực – Xã Thử"), &json!("Trực truc-dem")));
    let mut all: Vec<(i64, i64)> = an.values().chain(binh.values()).copied().collect();
    all.sort();
    assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0), "{all:?}");
    assert!(all.len() > 80 && all.last().is_some_and(|last| last.1 - all[0].0 == 12 * 7 * 24 * 3600), "{}", all.len());

    // Two shifts are swapped on the page: each calendar has the other's, and all else is as it was.
    let options: Vec<String> = shown
        .split("<option value=\"")
        .filter_map(|rest| rest.split('"').next())
        .filter(|value| value.contains("|truc-dem"))
        .map(str::to_owned)
        .collect();
    let begins = |option: &String| option.split('|').next().and_then(|from| from.parse::<i64>().ok()).expect("a time");
    let of = |shifts: &Shifts, option: &&String| shifts.values().any(|shift| shift.0 == begins(option));
    let mine = options.iter().rev().find(|option| of(&an, option)).expect("a shift of An's").clone();
    let theirs = options.iter().rev().find(|option| of(&binh, option)).expect("a shift of Bình's").clone();
    let swap = async |one: &str, other: &str| {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("one", one), ("other", other)])
            .finish();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let request = client.post(page("/roster/swap")).header("content-type", "application/x-www-form-urlencoded");
        request.body(form).send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(swap(&mine, &mine).await, 400, "with oneself nobody swaps");
    assert_eq!(swap("1|truc-dem", &theirs).await, 400, "nor what is over");
    assert_eq!(swap(&mine, &theirs).await, 303);
    let (after, _) = feed(&addresses[0]).await;
    let (other, _) = feed(&addresses[1]).await;
    assert!(!of(&after, &&mine) && of(&after, &&theirs) && of(&other, &&mine) && !of(&other, &&theirs));
    let kept = an.iter().filter(|(name, shift)| after.get(*name) == Some(*shift)).count();
    // Two are swapped, and the two at the ends of what is told move with the clock.
    assert!(kept + 4 >= an.len(), "{kept} of {} are as they were", an.len());
    let listed = ask(&["audit"]);
    assert_eq!(listed.matches("đổi ca: ").count(), 2, "{listed}");

    // kill -9: nobody is told twice, and the swap holds.
    let mut daemon = world.daemon.take().expect("it runs");
    daemon.kill().expect("it is our child");
    daemon.wait().expect("it is our child");
    world.start().await;
    world.camera.set_fault(camhealth::sim::Fault::PortClosed).await.expect("the fault is set");
    let path = next.path.clone();
    eventually("an alarm", async || {
        let all = [receiver.at("/hook-an"), receiver.at("/hook-binh")].concat();
        all.into_iter().find(|taken| taken.body["reason"] == "coverage_lost")
    })
    .await;
    assert_eq!(receiver.at(&path).iter().filter(|taken| taken.body["reason"] == "handover").count(), 1);
    assert_eq!(receiver.at("/keeper").iter().filter(|taken| taken.body["reason"] == "roster_gap").count(), 1);
    let (restarted, _) = feed(&addresses[0]).await;
    assert!(of(&restarted, &&theirs) && !of(&restarted, &&mine));

    // An address that is ended opens nothing any more, and none opens anything else.
    let passes = ask(&["passes"]);
    let line = passes.lines().find(|line| line.contains("Trung úy An")).expect("it is listed");
    ask(&["passes", "end", line.split_whitespace().next().expect("an id")]);
    let status = async |address: &str| reqwest::get(address).await.expect("an answer").status().as_u16();
    assert_eq!((status(&addresses[0]).await, status(&addresses[1]).await), (404, 200));
    let secret = addresses[1].rsplit('/').next().expect("a secret").trim_end_matches(".ics").to_owned();
    assert_eq!(status(&page(&format!("/screen/{secret}"))).await, 404);
    let log = world.log();
    assert!(!log.contains(&secret));
}
