//! Files with edits laid over them: whatever is edited, taking it back gives the files again, and what is exported is
//! what holds.

use crate::config::{Config, export, load_with};
use crate::edits::{Edit, Edits, Field, Item, Kind, Standing, Value};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, LazyLock},
};

const MAIN: &str = r#"include = ["more/*.toml", "people.toml"]
[commune]
name = "Xã Thử"
[journal]
path = "journal.sqlite3"
[[site]]
id = "cho"
name = "Ngã tư Chợ" # nơi đông nhất
hamlet = "Thôn Đông"
view = [{ name = "về cảng", cameras = ["cho-01", "ho-01"] }]
"#;
const CAMERAS: &str = r#"
# Camera của xã.
[[camera]]
id = "cho-01"
name = "Chợ, về phía cảng"
kind = "public"
rtsp = "rtsp://10.20.1.7/sub"
[camera.promise]
fps = 15
[[camera]]
id = "ho-01"
name = "Nhà ông Bình"
kind = "household"
consent = "2026-03-01" # giấy số 12
rtsp = "rtsp://10.20.1.8/sub"
[[recorder]]
id = "nvr"
sessions = 4 # theo nhãn
"#;
const PEOPLE: &str = r#"
channel = [
    { id = "sms-an", type = "gammu", phone = "+84900000001" },
    { id = "zalo-binh", type = "zalo", chat = "binh", token_file = "token" },
    { id = "shared", type = "webhook", url = "http://10.20.0.9/su-co" }, { id = "goi-an", type = "sip", phone = "0900000001" },
]
[[person]]
id = "an"
name = "Trung úy An"
channels = ["sms-an"]
[[person]]
id = "binh"
name = "Thiếu úy Bình"
channels = ["zalo-binh", "shared"]
[rotation]
people = ["an", "binh"] # theo thứ tự
start = "2026-11-02"
handover = "07:00"
[override]
person = "binh"
from = "2027-02-05 07:00"
until = "2027-02-09 07:00"
reason = "Tết"
[[maintenance]] # hai lần như nhau
site = "cho"
hours = "01:00-02:00"
author = "Dũng"
reason = "vệ sinh"
[[maintenance]]
site = "cho"
hours = "01:00-02:00"
author = "Dũng"
reason = "vệ sinh"
[[trunk]]
id = "tong-dai"
host = "10.20.0.7"
from = "02383860000"
[[maintenance]]
all = true
days = ["sun"]
hours = "03:00-04:00"
author = "Dũng"
reason = "cúp điện"
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("more")).expect("a folder");
    let files = [("camhealth.toml", MAIN), ("more/cameras.toml", CAMERAS), ("people.toml", PEOPLE), ("token", "abc")];
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).expect("it can be written"));
    folder
}

fn read(folder: &Path) -> Config {
    load_with(&folder.join("camhealth.toml"), &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn edited(config: &Config, edits: &Edits) -> Config {
    config.edited_with(edits, &|_| None).expect("it can be read")
}

fn edit(version: u64, kind: Kind, id: &str, value: Value) -> Arc<Edit> {
    let at = jiff::Timestamp::UNIX_EPOCH;
    Arc::new(Edit { item: Item::new(kind, id), version, value, over: None, by: "An".into(), at })
}

fn texts(fields: &[(&str, &str)]) -> Value {
    fields.iter().fold(Value::default(), |value, (key, text)| value.text(key, text))
}

fn list(texts: &[&str]) -> Field {
    Field::List(texts.iter().map(|text| (*text).to_owned()).collect())
}

fn standing(config: &Config, kind: Kind, id: &str) -> Standing {
    config.sheet.line(&Item::new(kind, id)).map(|line| line.standing.clone()).expect("it is known")
}

/// What holds, as far as it can be edited, and all else that might have been touched.
fn told(config: &Config) -> String {
    let Config { fleet, alert, deliver, health, schedule, probe, web, .. } = config;
    format!("{fleet:#?}{alert:#?}{:#?}{health:?}{schedule:?}{probe:?}{web:?}", deliver.channels)
}

#[test]
fn what_comes_from_where_is_known() {
    let folder = folder();
    let config = read(folder.path());
    let place = |kind, id: &str| {
        let line = config.sheet.line(&Item::new(kind, id)).expect("it is known");
        (
            line.place.as_ref().map(ToString::to_string).unwrap_or_default(),
            line.value().map(Value::to_string).unwrap_or_default(),
        )
    };
    let is = |kind, id: &str, at: &str, value: &str| assert_eq!(place(kind, id), (at.to_owned(), value.to_owned()));
    is(Kind::SiteName, "cho", "camhealth.toml:8", "name = Ngã tư Chợ");
    is(Kind::CameraName, "cho-01", "cameras.toml:5", "name = Chợ, về phía cảng");
    is(Kind::Notes, "ho-01", "cameras.toml:10", "");
    is(Kind::Consent, "ho-01", "cameras.toml:14", "given = 2026-03-01");
    is(Kind::Roster, "oncall", "people.toml:16", "handover = 07:00; people = an, binh; start = 2026-11-02");
    is(Kind::Address, "zalo-binh", "people.toml:4", "chat = binh");
    is(Kind::Reach, "binh", "people.toml:14", "channels = zalo-binh, shared");
    is(
        Kind::StandIn,
        config.sheet.of(Kind::StandIn).next().expect("one").0.id.as_str(),
        "people.toml:20",
        "from = 2027-02-05 07:00; person = binh; reason = Tết; until = 2027-02-09 07:00",
    );
    // A family's name stays in the file, and a webhook leads to nobody's telephone.
    for (kind, id) in [(Kind::CameraName, "ho-01"), (Kind::Consent, "cho-01"), (Kind::Address, "shared")] {
        assert_eq!(config.sheet.line(&Item::new(kind, id)), None, "{id}");
    }
    assert!(
        !format!("{config:?}").contains("+84900000001") || format!("{:?}", config.files).find("84900000001").is_none()
    );
}

#[test]
fn an_edit_changes_what_it_edits_and_no_comment() {
    let folder = folder();
    let config = read(folder.path());
    let edits = [
        edit(1, Kind::SiteName, "cho", texts(&[("name", "Chợ \"mới\"")])),
        edit(2, Kind::Notes, "cho-01", texts(&[("notes", "thay nguồn 26/11")])),
        edit(
            3,
            Kind::Roster,
            "oncall",
            texts(&[("start", "2026-12-01")]).with("people", list(&["binh", "an"])).with("days", Field::Number(7)),
        ),
        edit(4, Kind::Address, "sms-an", texts(&[("phone", "+84900000009")])),
        edit(
            5,
            Kind::Consent,
            "ho-01",
            texts(&[("given", "2026-03-01"), ("until", "2027-02-28"), ("scope", "cổng nhà")]),
        ),
        edit(
            6,
            Kind::StandIn,
            "e6",
            texts(&[("person", "an"), ("from", "2027-02-06 07:00"), ("until", "2027-02-07 07:00"), ("reason", "ốm")]),
        ),
        edit(
            7,
            Kind::Maintenance,
            "e7",
            texts(&[("camera", "cho-01"), ("hours", "02:00-03:00"), ("author", "Dũng"), ("reason", "khởi động lại")])
                .with("days", list(&["sun"])),
        ),
        edit(8, Kind::Reach, "an", Value::default().with("channels", list(&["shared", "sms-an"]))),
        edit(9, Kind::SiteName, "gone", texts(&[("name", "x")])),
        edit(10, Kind::Calls, "an", Value::default().with("calls", list(&["goi-an"]))),
    ];
    let edits: Edits = edits.into_iter().collect();
    let config = edited(&config, &edits);
    assert_eq!(config.fleet.sites.values().next().map(|site| site.name.as_str()), Some("Chợ \"mới\""));
    let camera = |id: &str| config.fleet.cameras.get(id).expect("it is there").clone();
    assert_eq!(camera("cho-01").notes.as_deref(), Some("thay nguồn 26/11"));
    assert_eq!(camera("ho-01").consent.as_ref().and_then(|consent| consent.scope.clone()).as_deref(), Some("cổng nhà"));
    assert_eq!(config.alert.rotations[0].people.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["binh", "an"]);
    let reasons: Vec<&str> = config.alert.overrides.iter().map(|other| other.reason.as_str()).collect();
    assert_eq!(reasons, ["Tết", "ốm"], "what is added on a page comes last, and counts");
    assert_eq!((config.fleet.windows.len(), config.alert.people["an"].channels.len()), (4, 2));
    let calls = |id: &str| config.alert.people[id].calls.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((calls("an"), calls("binh")), (vec!["goi-an".to_owned()], vec![]));
    assert_eq!(standing(&config, Kind::SiteName, "gone"), Standing::Orphan);
    let exported = export(&config).expect("it can be written");
    let all: String = exported.iter().map(|(_, text)| text.as_str()).collect();
    for comment in ["# nơi đông nhất", "# Camera của xã.", "# giấy số 12", "# theo thứ tự", "+84900000009"]
    {
        assert!(all.contains(comment), "{comment} is lost: {all}");
    }
}

#[test]
fn what_does_not_fit_is_set_aside_and_said_in_the_words_of_check() {
    let folder = folder();
    let config = read(folder.path());
    let wrong = [
        edit(1, Kind::SiteName, "cho", texts(&[("name", "Chợ mới")])),
        edit(2, Kind::Roster, "oncall", texts(&[("start", "2026-12-01")]).with("people", list(&["an", "bihn"]))),
        edit(3, Kind::Reach, "an", Value::default()),
        edit(
            4,
            Kind::StandIn,
            "e4",
            texts(&[("person", "an"), ("from", "hôm nay"), ("until", "2027-02-07 07:00"), ("reason", "ốm")]),
        ),
        edit(5, Kind::Notes, "cho-01", texts(&[("notes", "tốt")])),
        edit(6, Kind::Consent, "ho-01", texts(&[("given", "2026-03-01"), ("until", "2026-02-28")])),
        edit(7, Kind::Address, "sms-an", texts(&[("phone", "không có")])),
        edit(8, Kind::Calls, "an", Value::default().with("calls", list(&["sms-an"]))),
    ];
    let config = edited(&config, &wrong.into_iter().collect());
    for (kind, id) in [(Kind::SiteName, "cho"), (Kind::Notes, "cho-01")] {
        assert_eq!(standing(&config, kind, id), Standing::Edited, "the rest of them holds");
    }
    for (kind, id, words) in [
        (Kind::Roster, "oncall", "[rotation]: people: there is no person \"bihn\"; did you mean \"binh\"?"),
        (Kind::Reach, "an", "person \"an\": channels: nothing reaches this person; add channels"),
        (Kind::StandIn, "e4", "is no day and time; write it like \"2027-02-05 07:00\""),
        (Kind::Consent, "ho-01", "ends before it begins; write the last day on which the owner agrees"),
        (Kind::Address, "sms-an", "phone: is no telephone number; write phone = "),
        (Kind::Calls, "an", "person \"an\": calls: there is no telephone \"sms-an\""),
    ] {
        let Standing::Unfit(why) = standing(&config, kind, id) else { panic!("{id} holds") };
        assert!(why.contains(words), "{why}");
        assert!(!why.contains("không có"), "what may be a secret is quoted nowhere: {why}");
    }
    assert_eq!(config.alert.rotations[0].people.len(), 2, "what the files say holds");
}

/// Entries of the files that can be struck out.
static STANDING: LazyLock<Vec<(Item, Value)>> = LazyLock::new(|| {
    let (folder, kinds) = (folder(), [Kind::StandIn, Kind::Maintenance]);
    let sheet = read(folder.path()).sheet;
    let of = |kind| sheet.of(kind).map(|(item, line)| (item.clone(), line.file.clone().expect("it is of a file")));
    kinds.into_iter().flat_map(of).collect()
});

#[test]
fn what_the_files_have_is_struck_out_wherever_it_stands_and_nothing_else() {
    let folder = folder();
    let config = read(folder.path());
    assert_eq!(STANDING.len(), 4, "a stand-in, two windows that are alike, and one more");
    let windows = |config: &Config| config.fleet.windows.iter().map(|window| window.reason.clone()).collect::<Vec<_>>();
    assert_eq!((config.alert.overrides.len(), windows(&config).len()), (1, 3));
    let strike = |which: usize| made(&[(10, which)]);
    assert_eq!(edited(&config, &strike(0)).alert.overrides.len(), 0);
    for (which, (_, value)) in STANDING.iter().enumerate().skip(1) {
        let (mut expected, own) = (windows(&config), value.typed("reason"));
        let place = expected.iter().position(|reason| *reason == own).expect("it is there");
        expected.remove(place);
        assert_eq!(windows(&edited(&config, &strike(which))), expected);
    }
    // Somebody writes another before it: what was meant is struck out, and not what stands in its place now.
    let text = PEOPLE.replace("[override]", "[[override]]\nperson = \"an\"\nfrom = \"2027-03-05 07:00\"\nuntil = \"2027-03-09 07:00\"\nreason = \"phép\"\n[[override]]");
    fs::write(folder.path().join("people.toml"), &text).expect("it can be written");
    let moved = edited(&read(folder.path()), &strike(0));
    assert_eq!(moved.alert.overrides.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(), ["phép"]);
    // Somebody changes it: then it is another, and holds.
    fs::write(folder.path().join("people.toml"), text.replace("Tết", "nghỉ Tết")).expect("it can be written");
    let changed = edited(&read(folder.path()), &strike(0));
    assert_eq!(changed.alert.overrides.len(), 2);
    assert_eq!(standing(&changed, Kind::StandIn, &STANDING[0].0.id), Standing::Orphan);
}

/// Edits of all kinds, most of which fit.
fn some_edits() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..12usize, 0..4usize), 0..12)
}

fn made(choices: &[(usize, usize)]) -> Edits {
    let one = |(version, (kind, which)): (u64, &(usize, usize))| {
        let names = ["Chợ", "Ngã ba # [x]", "\"quoted\" \\ 'x'", "một\u{2003}hai"];
        let name = names[*which];
        match kind {
            0 => edit(version, Kind::SiteName, "cho", texts(&[("name", name)])),
            1 => edit(version, Kind::CameraName, "cho-01", texts(&[("name", name)])),
            2 => edit(version, Kind::Notes, ["cho-01", "ho-01", "gone", "cho-01"][*which], texts(&[("notes", name)])),
            3 => {
                let people = [vec!["an"], vec!["binh", "an"], vec!["nobody"], vec!["an", "an", "binh"]][*which].clone();
                let value = texts(&[("start", "2026-12-01")]).with("people", list(&people));
                edit(
                    version,
                    Kind::Roster,
                    "oncall",
                    value.with("handover", list(&["06:00", "18:00"][..1 + which % 2])),
                )
            }
            4 => edit(
                version,
                Kind::Reach,
                "binh",
                Value::default().with("channels", list(&["shared", "sms-an"][which % 2..])),
            ),
            5 => edit(version, Kind::Address, "zalo-binh", texts(&[("chat", name)])),
            6 => {
                let until = ["2027-01-31", "2026-01-01", "2028-02-29", "2027-02-30"][*which];
                edit(
                    version,
                    Kind::Consent,
                    "ho-01",
                    texts(&[("given", "2026-03-02"), ("scope", name), ("until", until)]),
                )
            }
            7 => {
                let person = ["an", "binh", "nobody", "an"][*which];
                let span = [("from", "2027-03-01 07:00"), ("until", "2027-03-02 07:00")];
                let value = texts(&[("person", person), ("reason", name)]);
                let value = span.iter().fold(value, |value, (key, text)| value.text(key, text));
                edit(version, Kind::StandIn, &format!("e{version}"), value)
            }
            8 => edit(version, Kind::RecorderNotes, ["nvr", "nvr", "gone", "nvr"][*which], texts(&[("notes", name)])),
            9 => edit(version, Kind::PersonName, ["an", "binh"][*which % 2], texts(&[("name", name)])),
            10 => {
                let (item, value) = &STANDING[*which];
                let edit = edit(version, item.kind, &item.id, Value::default());
                Arc::new(Edit { over: Some(value.clone()), ..(*edit).clone() })
            }
            _ => {
                let scope = [("site", "cho"), ("camera", "ho-01"), ("hamlet", "Thôn Đông"), ("link", "none")][*which];
                let value = texts(&[scope, ("hours", "01:00-02:00"), ("author", "Dũng"), ("reason", name)]);
                edit(version, Kind::Maintenance, &format!("e{version}"), value)
            }
        }
    };
    (1..).zip(choices).map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Files, edits and taking all of them back again are the files; what is exported and read again is what held.
    #[test]
    fn edits_change_only_what_holds_and_are_exported_whole(choices in some_edits(), others in some_edits()) {
        let folder = folder();
        let files = read(folder.path());
        let (edits, config) = (made(&choices), edited(&files, &made(&choices)));
        prop_assert_eq!(config.sheet.edits(), edits.clone(), "none is lost, whether it holds or not");
        // Those that hold are alone what the configuration is made of.
        let held = |item: &Item| config.sheet.line(item).is_some_and(|line| line.standing == Standing::Edited);
        let held: Edits = edits.iter().filter(|(item, _)| held(item)).map(|(_, edit)| edit.clone()).collect();
        prop_assert_eq!(told(&edited(&files, &held)), told(&config));
        // The way there makes no difference, and neither does what was edited before.
        prop_assert_eq!(told(&edited(&edited(&files, &made(&others)), &edits)), told(&config));
        let back = edited(&config, &Edits::default());
        prop_assert_eq!(told(&back), told(&files));
        prop_assert_eq!(&back.sheet, &files.sheet);

        let elsewhere = tempfile::tempdir().expect("a folder");
        for (name, text) in export(&config).expect("it can be written") {
            fs::write(elsewhere.path().join(name), text).expect("it can be written");
        }
        let again = read(elsewhere.path());
        prop_assert_eq!(told(&again), told(&config));
        prop_assert_eq!(&again.journal.path, &config.journal.path);
        let values = |config: &Config, kind| -> BTreeMap<String, Option<Value>> {
            config.sheet.of(kind).map(|(item, line)| (item.id.clone(), line.value().cloned())).collect()
        };
        for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_added()) {
            let orphans = |id: &String| config.sheet.line(&Item::new(kind, id.as_str())).is_some_and(|line| line.file.is_none());
            let known: BTreeMap<_, _> = values(&config, kind).into_iter().filter(|(id, _)| !orphans(id)).collect();
            prop_assert_eq!(values(&again, kind), known);
        }
    }
}
