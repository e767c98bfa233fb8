//! Edits in the journal: they stand as they were written last, and a journal of before has none.

use super::{
    tests::{at, in_folder, on_server},
    *,
};
use crate::edits::{Edit, Item, Kind, Value};

fn edit(id: &str, version: u64, name: &str) -> EditChange {
    let value = Value::default().text("name", name);
    let item = Item::new(Kind::SiteName, id);
    EditChange::Stands(Arc::new(Edit { item, version, value, over: None, by: "An".into(), at: at(0) }))
}

#[tokio::test]
async fn edits_stand_as_they_were_written_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = in_folder(folder.path());
    assert!(edits(&settings).expect("there is no journal").is_empty());
    let (journal, _) = Journal::open(&settings, at(0)).expect("a journal");
    let batch = |edits| Batch { edits, ..Batch::default() };
    journal
        .commit(batch(vec![edit("cho", 1, "Chợ"), edit("cau", 2, "Cầu"), edit("cho", 3, "Chợ mới")]))
        .await
        .expect("written");
    let gone = EditChange::Gone(Item::new(Kind::SiteName, "cau"));
    journal.commit(batch(vec![gone, edit("den", 4, "Đền")])).await.expect("written");
    let told = |edits: Edits| -> Vec<String> {
        edits.iter().map(|(item, edit)| format!("{item} {} {}", edit.version, edit.value)).collect()
    };
    let expected = ["site_name:cho 3 name = Chợ mới", "site_name:den 4 name = Đền"];
    assert_eq!(told(journal.edits().await.expect("they are read")), expected);
    // Beside the daemon, by a command.
    assert_eq!(told(edits(&settings).expect("they are read")), expected);
}

#[test]
fn a_journal_of_before_has_none_and_takes_them_after_a_start() {
    if on_server() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let connection = rusqlite::Connection::open(&path).expect("a file");
    table::register(&connection).expect("a function");
    for step in &schema::STEPS[..6] {
        connection.execute_batch(step).expect("a step");
    }
    connection.pragma_update(None, "user_version", 6).expect("a format");
    drop(connection);
    let settings = Settings { path: Some(path), ..Settings::default() };
    assert!(edits(&settings).expect("it is read").is_empty());
    let (journal, _) = Journal::open(&settings, at(0)).expect("it is brought up to date");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let batch = Batch { edits: vec![edit("cho", 1, "Chợ")], ..Batch::default() };
    runtime.block_on(journal.commit(batch)).expect("it is written");
    assert_eq!(edits(&settings).expect("they are read").len(), 1);
}
