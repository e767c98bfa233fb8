//! The journal's files are their owner's alone, and one process's at a time.

use super::{
    place::Place,
    tests::{at, notice, recipient},
    *,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

fn settings(path: PathBuf) -> Settings {
    Settings { path: Some(path), ..Settings::default() }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

fn told() -> Batch {
    Batch { notices: vec![(notice(1, 10), vec![recipient("an", &["zalo"])])], ..Batch::default() }
}

#[tokio::test]
async fn what_holds_the_key_is_its_owners_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new/deep/journal.sqlite3");
    let (journal, _) = Journal::open(&settings(path.clone()), at(0)).expect("a journal");
    journal.commit(told()).await.expect("it is written");
    journal.signing_key().await.expect("a key");
    for suffix in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(&place::beside(&path, suffix)), 0o600, "journal.sqlite3{suffix}");
    }
    assert_eq!(mode(&folder.path().join("new/deep")), 0o700);
    assert_eq!(mode(&folder.path().join("new")), 0o700);
}

#[tokio::test]
async fn a_file_that_is_open_to_others_is_narrowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    drop(Journal::open(&settings(path.clone()), at(0)).expect("a journal"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("its mode");
    let (journal, _) = Journal::open(&settings(path.clone()), at(1)).expect("a journal");
    journal.commit(told()).await.expect("it is written");
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&place::beside(&path, suffix)), 0o600, "journal.sqlite3{suffix}");
    }
}

#[test]
fn a_second_daemon_is_refused_and_told_who_the_first_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let (journal, _) = Journal::open(&settings(path.clone()), at(0)).expect("a journal");
    // By another name of the same file as well.
    let link = folder.path().join("link.sqlite3");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    for name in [&path, &link] {
        let refused = Place::new(name).expect("a place").lock(Duration::ZERO).expect_err("it is used").to_string();
        let process = format!("(process {})", std::process::id());
        assert!(refused.contains("journal.sqlite3") && refused.contains(&process), "{refused}");
    }
    // Whoever only reads needs no lock.
    assert!(history(&settings(path.clone()), at(0), at(9)).is_ok());
    drop(journal);
}

#[tokio::test]
async fn a_start_in_place_waits_for_the_journal_of_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path().join("journal.sqlite3"));
    let (before, _) = Journal::open(&settings, at(0)).expect("a journal");
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let closing = std::thread::spawn(move || {
        gone.recv().expect("the other begins");
        drop(before);
    });
    let opening = std::thread::spawn(move || {
        go.send(()).expect("it waits");
        Journal::open(&settings, at(1)).map(|(journal, _)| journal)
    });
    closing.join().expect("no panic");
    let journal = opening.join().expect("no panic").expect("it gets the lock");
    journal.commit(told()).await.expect("it is written");
}

#[test]
fn what_can_never_be_a_journal_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "text").expect("a file");
    for (path, why) in [
        (folder.path().to_owned(), "it is a folder"),
        (file.join("journal.sqlite3"), "a file lies where its folder should be"),
        (PathBuf::from("/dev/null"), "it is no ordinary file"),
    ] {
        let refused = Journal::open(&settings(path.clone()), at(0)).expect_err("it cannot work").to_string();
        assert!(refused.contains(why) && refused.contains(&path.display().to_string()), "{refused}");
    }
}
