//! Wishes and what becomes of them: of two who edit at once one is told so, and what is taken back is as in the file again.

use super::*;
use jiff::Timestamp;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn place(line: u32) -> Place {
    Place { file: "oncall.toml".into(), line }
}

fn name(text: &str) -> Value {
    Value::default().text("name", text)
}

fn site(id: &str) -> Item {
    Item::new(Kind::SiteName, id)
}

fn stand_in() -> Value {
    Value::default()
        .text("person", "an")
        .text("from", "2027-02-05 07:00")
        .text("until", "2027-02-09 07:00")
        .text("reason", "Tết")
}

fn sheet() -> Sheet {
    let lines = [
        (site("cho"), name("Ngã tư Chợ"), place(3)),
        (site("cau"), name("Đầu cầu"), place(9)),
        (Item::new(Kind::StandIn, "file-1"), stand_in(), place(20)),
    ];
    Sheet::of_files(lines, Choices::default())
}

fn wish(sheet: &Sheet, item: &Item, value: Option<Value>) -> Wish {
    let version = sheet.line(item).map(Line::version).unwrap_or_default();
    Wish { item: item.clone(), version, value }
}

/// The sheet after a wish that is done.
fn done(sheet: &Sheet, second: i64, wish: Wish) -> Sheet {
    let decided = decide(sheet, at(second), "An", wish).expect("it is done").expect("it changes something");
    sheet.with(&decided.edits, |_| Standing::Edited)
}

#[test]
fn an_edit_holds_until_it_is_taken_back() {
    let (files, cho) = (sheet(), site("cho"));
    let edited = done(&files, 1, wish(&files, &cho, Some(name("  Chợ\u{7} mới "))));
    let line = edited.line(&cho).expect("it is there");
    assert_eq!(line.value(), Some(&name("Chợ  mới")), "what cannot be seen is left out");
    assert_eq!(
        line.edit.as_ref().map(|edit| (edit.by.as_str(), edit.over.clone())),
        Some(("An", Some(name("Ngã tư Chợ"))))
    );
    let back = decide(&edited, at(2), "An", wish(&edited, &cho, None)).expect("it is done").expect("it changes");
    assert_eq!((back.deed.action, back.deed.before.as_str()), ("take_back", "name = Chợ  mới"));
    assert_eq!(back.deed.after, "name = Ngã tư Chợ");
    assert_eq!(edited.with(&back.edits, |_| Standing::Edited), files);
    // What the file says already is no edit, and neither is what was edited before.
    for value in [Some(name("Ngã tư Chợ")), None] {
        assert_eq!(decide(&files, at(1), "An", wish(&files, &cho, value)), Ok(None));
    }
    let typed = done(&edited, 3, wish(&edited, &cho, Some(name("Ngã tư Chợ"))));
    assert_eq!(typed, files, "typed as the file has it, the file holds");
}

#[test]
fn what_cannot_be_edited_is_refused() {
    let files = sheet();
    let refused = |item: Item, value: Value| decide(&files, at(1), "An", wish(&files, &item, Some(value))).unwrap_err();
    assert_eq!(refused(site("nowhere"), name("x")), Refusal::Unknown("site_name:nowhere".into()));
    assert_eq!(refused(site(""), name("x")), Refusal::Unknown("site_name:".into()));
    assert_eq!(refused(Item::new(Kind::StandIn, "file-1"), stand_in()), Refusal::InFiles("oncall.toml:20".into()));
    assert_eq!(refused(site("cho"), name("x").text("hamlet", "y")), Refusal::Key("hamlet".into()));
    assert_eq!(refused(site("cho"), name("${SECRET}")), Refusal::Variable("name".into()));
    assert_eq!(refused(site("cho"), name(&"x".repeat(501))), Refusal::Long("name".into()));
    let roster = Item::new(Kind::Roster, "oncall");
    let days = Value::default().text("days", "bảy");
    assert_eq!(refused(roster, days), Refusal::Number("days".into()));
}

#[test]
fn an_entry_of_the_files_is_struck_out_and_comes_back() {
    let files = sheet();
    let item = Item::new(Kind::StandIn, "file-1");
    let decided = decide(&files, at(1), "An", wish(&files, &item, Some(Value::default()))).expect("it is done");
    let decided = decided.expect("it changes something");
    assert_eq!((decided.deed.action, decided.deed.after.as_str()), ("strike_out", ""));
    assert!(decided.deed.before.contains("reason = Tết"));
    let struck = files.with(&decided.edits, |_| Standing::Edited);
    let edit = struck.line(&item).and_then(|line| line.edit.clone()).expect("it stands");
    assert!(edit.strikes() && edit.over.as_ref() == Some(&stand_in()));
    assert_eq!(done(&struck, 2, wish(&struck, &item, None)), files);
    // What was added on the page is taken back by the same wish, and nothing of nothing is added.
    let new = Item::new(Kind::StandIn, "");
    let added = done(&files, 1, wish(&files, &new, Some(stand_in())));
    let own = added.of(Kind::StandIn).next().expect("one").0.clone();
    assert_eq!(done(&added, 2, wish(&added, &own, Some(Value::default()))), files);
    assert!(decide(&files, at(1), "An", wish(&files, &new, Some(Value::default()))).is_err());
}

#[test]
fn what_is_added_has_an_id_of_its_own() {
    let files = sheet();
    let new = Item::new(Kind::StandIn, "");
    let one = done(&files, 1, wish(&files, &new, Some(stand_in())));
    // In the same moment, and after the clock was set back.
    let two = done(&one, 1, wish(&one, &new, Some(stand_in())));
    let three = done(&two, -100, wish(&two, &new, Some(stand_in())));
    let ids: Vec<&str> = three.of(Kind::StandIn).map(|(item, _)| item.id.as_str()).collect();
    assert_eq!(ids, ["e1790000001000", "e1790000001001", "e1790000001002", "file-1"]);
    let gone = Item::new(Kind::StandIn, ids[0]);
    assert_eq!(done(&three, 5, wish(&three, &gone, None)).of(Kind::StandIn).count(), 3);
}

proptest! {
    /// Several people open one page and send in some order: of those who saw the same, exactly the first to change
    /// something is done, and each other is told what it is now.
    #[test]
    fn nobody_overwrites_what_they_have_not_seen(
        saw in prop::collection::vec((0..3usize, 0..4usize, any::<bool>()), 1..24),
    ) {
        let cho = site("cho");
        let mut now = sheet();
        // What each of three people has open.
        let mut open = [now.clone(), now.clone(), now.clone()];
        for (second, (who, what, looks)) in (0..).zip(saw) {
            if looks {
                open[who] = now.clone();
            }
            let value = (what > 0).then(|| name(["", "Chợ cũ", "Chợ mới", "Ngã tư Chợ"][what]));
            let sent = wish(&open[who], &cho, value.clone());
            let (seen, is) = (open[who].line(&cho).expect("there"), now.line(&cho).expect("there"));
            let outcome = decide(&now, at(second), "An", sent);
            if seen.version() != is.version() {
                let by = is.edit.as_ref().map(|edit| (edit.by.clone(), edit.at));
                let stale = Stale { value: is.value().cloned(), by };
                prop_assert_eq!(outcome, Err(Refusal::Stale(Box::new(stale))));
                continue;
            }
            prop_assert_eq!(seen.value(), is.value(), "who saw this version saw this value");
            let wanted = value.unwrap_or_else(|| name("Ngã tư Chợ"));
            if let Some(decided) = outcome.expect("it is done") {
                now = now.with(&decided.edits, |_| Standing::Edited);
            }
            prop_assert_eq!(now.line(&cho).and_then(Line::value), Some(&wanted));
        }
    }

    /// An edit survives being written and read.
    #[test]
    fn an_edit_is_the_same_when_it_is_read_again(text in ".{0,20}", number in any::<u64>(), list in prop::collection::vec(".{0,8}", 0..4)) {
        let value = Value::default().text("start", &text).with("days", Field::Number(number)).with("people", Field::List(list));
        let value = value.with("all", Field::Truth(true));
        let edit = Edit { item: site("cho"), version: number, value: value.clone(), over: Some(value), by: "An".into(), at: at(0) };
        let json = serde_json::to_string(&edit).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Edit>(&json).expect("an edit"), edit);
    }
}
