//! What is forgotten leaves a journal as if it had never been there: a journal without it is the oracle.

use super::*;
use crate::{
    journal::{
        Batch, Journal, backup,
        tests::{at, block, closed, notice, transition},
    },
    model::{Detail, FailureKind, FigureRow, Grain, Notice, Scope, Span, State, Transition, Window},
    rights::{Chain, Deed},
};
use proptest::prelude::*;
use rusqlite::types::Value;

fn settings(folder: &Path) -> Settings {
    Settings { path: Some(folder.join("journal.sqlite3")), ..Settings::default() }
}

/// What was remembered of cameras, one thing after the other.
fn remembered(folder: &Path, cameras: &[String]) {
    let (journal, _) = Journal::open(&settings(folder), at(0)).expect("a journal");
    block(async {
        for (second, camera) in (1..).zip(cameras) {
            let id = CameraId::from(camera.as_str());
            let mut batch = Batch { transitions: vec![transition(camera, State::Down, second)], ..Batch::default() };
            batch.proofs.insert(id.clone(), at(second));
            batch.memories.insert(id.clone(), std::sync::Arc::default());
            for grain in [Grain::Minute, Grain::Hour] {
                batch.figures.push(FigureRow {
                    grain,
                    begins: second * grain.row(),
                    camera: id.clone(),
                    parts: vec![7; 18],
                });
            }
            batch.windows.push(Window {
                id: format!("w-{second}"),
                scope: Scope::Camera(id),
                span: Span::Once { from: at(second), until: at(second + 60) },
                author: "An".into(),
                reason: "thay nguồn".into(),
            });
            journal.commit(batch).await.expect("it is written");
        }
        closed(journal).await;
    });
}

/// All rows without their numbers.
fn rows(folder: &Path) -> Vec<(&'static str, Vec<Value>)> {
    let connection = open::read_only(settings(folder).path.as_deref().expect("a path")).expect("a journal");
    let mut all = Vec::new();
    for table in table::ALL.iter().filter(|table| table.names_things()) {
        let first = usize::from(table.numbered);
        let sql = format!("SELECT {}, {} FROM {}", table.columns[first..].join(", "), table.sound(), table.name);
        let mut statement = connection.prepare(&sql).expect("a statement");
        let columns = statement.column_count();
        let read = statement
            .query_map([], |row| (0..columns).map(|column| row.get(column)).collect::<rusqlite::Result<Vec<Value>>>())
            .expect("rows");
        let mut read: Vec<_> = read.map(|row| (table.name, row.expect("a row"))).collect();
        read.sort_by_key(|row| format!("{row:?}"));
        all.extend(read);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_journal_is_as_if_the_camera_had_never_been(
        cameras in proptest::collection::vec(prop_oneof!["ho-1", "ho-12", "ho-1\\.2", "x-ho-1", "ho"], 1..12)
    ) {
        let (with, without) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        remembered(with.path(), &cameras);
        // The same things at the same times, but for those of one camera.
        let (journal, _) = Journal::open(&settings(without.path()), at(0)).expect("a journal");
        drop(journal);
        remembered(without.path(), &cameras);
        let others = open::whole(settings(without.path()).path.as_deref().expect("a path"), false).expect("a journal");
        for table in ["transition", "proof", "memory", "minute_figures", "hour_figures"] {
            others.execute(&format!("DELETE FROM {table} WHERE camera = 'ho-1'"), []).expect("it is written");
        }
        others.execute("DELETE FROM maintenance WHERE body LIKE '%\"id\":\"ho-1\"%'", []).expect("it is written");
        drop(others);

        let done = forget(&settings(with.path()), &"ho-1".into(), &[], true).expect("it is forgotten");
        prop_assert_eq!(rows(with.path()), rows(without.path()));
        prop_assert!(!done.left && done.elsewhere.is_empty() && done.struck.is_empty(), "{:?}", done);
        let known = cameras.iter().any(|camera| camera == "ho-1");
        prop_assert_eq!(!done.gone.is_empty(), known);
    }
}

#[test]
fn words_are_struck_out_of_what_stays_and_no_byte_of_them_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, _) = Journal::open(&settings(folder.path()), at(0)).expect("a journal");
    let words = ["Hộ \"Bình\"", "10.30.4.2"].map(str::to_owned);
    let told = |text: &str, second| Transition {
        detail: Detail::plain(text),
        cause: Some(FailureKind::Timeout),
        ..transition("cho-01", State::Down, second)
    };
    let notice = match notice(1, 5) {
        Notice::Incident(mut notice) => {
            notice.place = "Ngã tư Chợ, cạnh Hộ \"Bình\"".into();
            Notice::Incident(notice)
        }
        other => other,
    };
    let mut chain = Chain::default();
    block(async {
        let transitions = vec![told("10.30.4.2 không trả lời", 1), told("10.30.4.21 không trả lời", 2)];
        let notices = vec![(notice, Vec::new())];
        journal.commit(Batch { transitions, notices, ..Batch::default() }).await.expect("it is written");
        closed(journal).await;
    });
    let path = settings(folder.path()).path.expect("a path");
    let copy = backup(&path, None, at(9), &mut |_| {}).expect("a backup").path;
    let before = rows(folder.path()).len();
    let done = forget(&settings(folder.path()), &"ho-1".into(), &words, true).expect("it is forgotten");
    assert_eq!(done.struck, [("notice", 1), ("transition", 1)], "{done:?}");
    assert!(done.gone.is_empty() && !done.left && done.audited == 0);
    assert_eq!(done.elsewhere, [copy], "the backup has it still");
    let after = rows(folder.path());
    assert_eq!(after.len(), before);
    assert!(
        after.iter().all(|(_, row)| row.last() == Some(&Value::Integer(1))),
        "all agree with their sums: {after:?}"
    );
    let text = format!("{after:?}");
    assert!(text.contains("10.30.4.21") && text.contains("cạnh –"), "{text}");

    // Whoever was forgotten may stand in the audit trail: it stays whole, and that is told.
    let (journal, _) = Journal::open(&settings(folder.path()), at(20)).expect("a journal");
    let deed = Deed { action: "silence", subject: "Hộ \"Bình\"".into(), ..Deed::default() };
    let entry = chain.add(at(21), deed);
    block(async {
        journal.commit(Batch { audit: vec![entry], ..Batch::default() }).await.expect("it is written");
        closed(journal).await;
    });
    let done = forget(&settings(folder.path()), &"ho-1".into(), &words, true).expect("it is forgotten");
    assert_eq!((done.audited, done.left), (1, false));
}

#[test]
fn a_word_is_found_only_where_it_stands_by_itself() {
    let at = |text: &str, word: &str| places(text.as_bytes(), word.as_bytes()).collect::<Vec<_>>();
    assert_eq!(at("ho-1", "ho-1"), [0]);
    assert_eq!(at("(ho-1), \"ho-1\". ho-1.", "ho-1"), [1, 9, 16]);
    for other in ["ho-12", "ho-1.2", "x-ho-1", "xho-1", "ho-1-b", "ho_ho-1", "hô-1", "ho-1é"] {
        assert_eq!(at(other, "ho-1"), [] as [usize; 0], "{other}");
    }
    assert_eq!(at("", "ho-1"), [] as [usize; 0]);
}

#[test]
fn a_word_across_two_portions_of_a_file_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    for (at, tail, found) in
        [(PORTION - 3, " ", true), (PORTION - 3, "9", false), (PORTION - 4, "9", false), (7, " ", true)]
    {
        let mut bytes = vec![b'.'; at];
        bytes.extend_from_slice(b"ho-1");
        bytes.extend_from_slice(tail.as_bytes());
        bytes.resize(2 * PORTION + 5, b'.');
        fs::write(&path, &bytes).expect("a disk");
        assert_eq!(holds(&path, &["ho-1".to_owned()]).expect("it is read"), found, "{at} {tail:?}");
    }
}
