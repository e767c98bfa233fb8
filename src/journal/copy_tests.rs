//! A copy holds what the journal held, in both directions: a journal that went to a server and came back is the oracle.

use super::*;
use crate::journal::{
    Batch, Journal,
    tests::{at, block, closed, for_once, in_folder, notice, on_server, recipient, tables_of, transition},
};
use crate::model::{State, Window};
use proptest::prelude::*;

fn rows_of(settings: &Settings) -> Vec<(&'static str, Print)> {
    let connection = tables_of(settings);
    let print = |table: &&'static Table| {
        let mut print = Print::default();
        let read = each(&connection, table, |row| {
            print.add(&row.expect("it is sound"));
            Ok(())
        });
        read.expect("it is read");
        (table.name, print)
    };
    table::ALL.iter().map(print).collect()
}

/// A journal with something of most kinds.
fn filled(settings: &Settings, changes: &[(u8, bool, String)]) {
    let (journal, _) = Journal::open(settings, at(0)).expect("a journal");
    block(async {
        for (second, (camera, down, detail)) in (1..).zip(changes) {
            let to = if *down { State::Down } else { State::Up };
            let detail = crate::model::Detail::plain(detail);
            let changed = crate::model::Transition { detail, ..transition(&format!("cam-{camera}"), to, second) };
            let mut batch = Batch { transitions: vec![changed], ..Batch::default() };
            batch.notices.push((notice(second as u32, second), vec![recipient("an", &["zalo", "sms"])]));
            batch.proofs.insert(format!("cam-{camera}").as_str().into(), at(second));
            batch.windows.push(Window {
                id: format!("w-{second}"),
                scope: crate::model::Scope::All,
                span: crate::model::Span::Once { from: at(second), until: at(second + 60) },
                author: "Dũng".into(),
                reason: "thay nguồn".into(),
            });
            let parts = vec![*camera, 0, 255, second as u8];
            let (grain, begins) = (crate::model::Grain::Hour, second * 86_400);
            batch.figures.push(crate::model::FigureRow { grain, begins, camera: "cam-1".into(), parts });
            journal.commit(batch).await.expect("it is written");
        }
        journal.signing_key().await.expect("a key");
        closed(journal).await;
    });
}

fn in_file(folder: &tempfile::TempDir, name: &str) -> Settings {
    Settings { path: Some(folder.path().join(name)), ..Settings::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// On a server: from a file to it and back into another file. Without one, from file to file.
    #[test]
    fn what_went_there_and_came_back_is_what_was(
        changes in prop::collection::vec((0..5u8, any::<bool>(), "[a-zđếự'\"\\\\$?%\u{0}\n ]{0,40}"), 0..12)
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, last) = (in_file(&folder, "first.sqlite3"), in_file(&folder, "last.sqlite3"));
        filled(&first, &changes);
        let middle = if on_server() { for_once() } else { in_file(&folder, "middle.sqlite3") };
        let there = copy(&first, &middle, &mut |_| {}).expect("it is copied");
        let back = copy(&middle, &last, &mut |_| {}).expect("it is copied back");
        prop_assert_eq!(&there.tables, &back.tables);
        prop_assert!(there.tables.iter().all(|table| table.left_out == 0));
        prop_assert_eq!(rows_of(&first), rows_of(&last));
        // Its own sums hold again in the file, and a daemon goes on with it.
        let found = crate::journal::check(&folder.path().join("last.sqlite3"), &mut |_| {}).expect("it is read");
        prop_assert!(found.is_sound(), "{:?}", found);
        let before = Journal::open(&first, at(1000)).expect("a journal").1;
        prop_assert_eq!(Journal::open(&last, at(1000)).expect("a journal").1, before);
    }
}

#[test]
fn what_is_damaged_is_left_out_and_what_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (in_file(&folder, "from.sqlite3"), in_folder(&folder.path().join("to")));
    filled(&from, &[(1, true, "mất tín hiệu".into()), (2, true, "không trả lời".into())]);
    let damage = "UPDATE transition SET detail = 'x' WHERE camera = 'cam-1'";
    tables_of(&from).execute(damage, values![]).expect("it is written");
    let copied = copy(&from, &to, &mut |_| {}).expect("it is copied");
    let of =
        |name: &str| copied.tables.iter().find(|table| table.name == name).map(|table| (table.rows, table.left_out));
    assert_eq!((of("transition"), of("notice"), of("secret")), (Some((1, 1)), Some((2, 0)), Some((1, 0))));
    let refused = copy(&from, &to, &mut |_| {}).expect_err("it is there").to_string();
    assert!(refused.contains("already"), "{refused}");
    // A daemon that runs holds it.
    let (_journal, _) = Journal::open(&from, at(9)).expect("a journal");
    let other = in_folder(&folder.path().join("other"));
    let refused = copy(&from, &other, &mut |_| {}).expect_err("it is held").to_string();
    assert!(refused.contains("is used by another camhealth"), "{refused}");
}
